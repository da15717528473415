// The neutral description of a statechart: what every dialect produces and compile.ts turns into an image. Plain data, no logic.
// Names are resolved (targets are state ids, guards and actions are symbols with a path); nothing is numbered yet. `path` is always
// the JSON pointer into what the author wrote, so that every refusal can name the place.

import type { Json } from '../core/json.ts';
import type { ActorSymbol, FunctionSymbol, Symbols } from '../core/symbols.ts';

export interface Definition {
  readonly id: string;
  /** Which front end made it: `xstate5`, … */
  readonly dialect: string;
  readonly root: StateDefinition;
  readonly context: { readonly value: Json } | { readonly function: FunctionSymbol };
  /**
   * Whose rules hold where languages differ; XState's when it is left out. `scxml-compound`: the domain of a transition is a compound or
   * the root, as the Recommendation has it; with `scxml` it may be a parallel.
   */
  readonly semantics?: 'scxml' | 'scxml-compound';
  /** Of a relational machine: its states are the children of the root, its events the mutations. */
  readonly relations?: RelationalDefinition;
  /** Microsteps per macrostep, when the definition itself sets a limit. */
  readonly fuel?: number;
  /** The definition as plain JSON, functions as their names: for inspectors. */
  readonly source?: Json;
}

export type NodeDefinition = StateDefinition | HistoryDefinition;

export interface StateDefinition {
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final';
  readonly key: string;
  /** Unique in the definition. */
  readonly id: string;
  readonly path: string;
  /** In document order. */
  readonly children: readonly NodeDefinition[];
  /** Of a compound: one target, a direct child; in SCXML any descendants that can be active together. */
  readonly initial?: TransitionDefinition;
  readonly entry: readonly ActionDefinition[];
  readonly exit: readonly ActionDefinition[];
  /**
   * Transitions by event descriptor; each descriptor once, its transitions in the order in which their guards are asked. In SCXML entries
   * stand in document order, a descriptor may come again, and one transition (the same object) may stand under several.
   */
  readonly on: readonly { readonly descriptor: string; readonly transitions: readonly TransitionDefinition[] }[];
  readonly always: readonly TransitionDefinition[];
  readonly timers: readonly TimerDefinition[];
  /** Pointers to the actors that run while it is active: started behind the entry actions, stopped behind the exit actions. */
  readonly invokes?: readonly string[];
  /** SCXML: run when a macrostep ends in which the state was entered and not left. */
  readonly onSettled?: readonly ActionDefinition[];
  /** SCXML: run for each external event that finds the state active, before anything is selected. */
  readonly onExternal?: readonly ActionDefinition[];
  /** Of a final state or of the root. */
  readonly output?: FunctionSymbol;
  readonly tags: readonly string[];
  /** Of a relational machine: as in its symbols. */
  readonly publicArgs?: true | readonly string[];
  readonly actor?: ActorSymbol;
  readonly description?: string;
  readonly meta?: Json;
}

export interface HistoryDefinition {
  readonly kind: 'history';
  readonly key: string;
  readonly id: string;
  readonly path: string;
  readonly deep: boolean;
  /** Ids of what it stands for while it remembers nothing; absent = what its parent enters by default. */
  readonly targets?: readonly string[];
  /** SCXML: run after the entry actions of its parent when the default is taken. */
  readonly actions?: readonly ActionDefinition[];
}

export interface TransitionDefinition {
  readonly path: string;
  /** Ids of states or history nodes; empty = it runs its actions and moves nothing. */
  readonly targets: readonly string[];
  readonly reenter: boolean;
  readonly guard?: GuardDefinition;
  readonly actions: readonly ActionDefinition[];
}

export type GuardDefinition =
  | { readonly kind: 'function'; readonly function: FunctionSymbol }
  /** `state` is an id that must be active. */
  | { readonly kind: 'in'; readonly state: string };

export type ActionDefinition =
  | { readonly kind: 'effect' | 'assign' | 'raise-function' | 'builtin'; readonly function: FunctionSymbol }
  | { readonly kind: 'raise'; readonly event: Symbols['raises'][number] };

/** Starts when its state is entered, stops when it is left; firing sends an event of type `event`. */
export interface TimerDefinition {
  readonly event: string;
  /** Milliseconds, a whole number, or the function that gives them. */
  readonly delay: number | FunctionSymbol;
}

/** States are named by their ids; every one of them exists. */
export interface RelationalDefinition {
  /** All of them but the root. */
  readonly states: ReadonlyMap<string, RelationDefinition>;
  /** All of them, in the order in which their handlers run. */
  readonly order: readonly string[];
  /** The one that stands for errors. */
  readonly exception: string;
  /** The one in which the machine is done. */
  readonly done?: string;
  readonly anyEnter: readonly FunctionSymbol[];
  readonly anyState: readonly FunctionSymbol[];
}

/** Of several functions each is called, in their order. */
export interface RelationDefinition {
  readonly isAuto: boolean;
  readonly isMulti: boolean;
  /** A mutation of such states alone brings no automatic one. */
  readonly isSilent: boolean;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly require: readonly string[];
  readonly exit: readonly FunctionSymbol[];
  readonly enter: readonly FunctionSymbol[];
  readonly self: readonly FunctionSymbol[];
  readonly end: readonly FunctionSymbol[];
  readonly state: readonly FunctionSymbol[];
  /** By the other state's place in the order. */
  readonly pairs: readonly (readonly [other: string, function: FunctionSymbol])[];
}
