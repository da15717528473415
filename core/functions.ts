// The author's functions as the running side calls them, by function number of the image. core/bind.ts makes them from a definition.

import type { EventObject, Json } from './json.ts';
import type { Acts } from './request.ts';

export interface FunctionArguments {
  readonly context: Json;
  readonly event: EventObject;
  /** Whether a state (by id, or by value as `matches` takes it) is active: now for guards, and in SCXML; before the microstep for XState's actions. */
  isIn(state: Json): boolean;
  /** Finds actors by their system ids; absent where no step runs. */
  readonly system?: ActorNames;
}

/** XState's `system` for functions of a step. */
export interface ActorNames {
  /** A reference to the child that was started under a system id and not stopped; undefined when there is none. */
  get(systemId: string): Json | undefined;
}

/** What an effect gets beside context and event: the running instance, and actors by their system ids. */
export interface EffectOwner {
  readonly self: Addressee;
  readonly system: { get(systemId: string): Addressee | undefined };
}

/** Somebody who takes events. */
export interface Addressee {
  readonly id: string;
  send(event: EventObject): void;
}

export type BoundFunction =
  /** SCXML's raise an error event when they fail; XState's leave `acts` alone. */
  | { readonly kind: 'guard'; call(args: FunctionArguments, acts: Acts): boolean }
  /** Returns what to merge into the context. */
  | { readonly kind: 'assign'; call(args: FunctionArguments, acts: Acts): unknown }
  | { readonly kind: 'effect'; call(args: FunctionArguments, owner?: EffectOwner): unknown }
  | { readonly kind: 'raise'; call(args: FunctionArguments): EventObject }
  /** Milliseconds. */
  | { readonly kind: 'delay'; call(args: FunctionArguments): number }
  | { readonly kind: 'output'; call(args: FunctionArguments): unknown }
  | { readonly kind: 'context'; call(args: { readonly input: Json | undefined }, acts: Acts): unknown }
  /** An action that is resolved in its place in the step, through `acts`; reads the context again after each of them. */
  | { readonly kind: 'builtin'; call(args: FunctionArguments, acts: Acts): void };

/** By function number. */
export type BoundFunctions = readonly BoundFunction[];

/** The machine of an action, as far as the action asks for it. */
export interface ActionOwner {
  readonly symbols: { readonly id: string };
  readonly functions: BoundFunctions | undefined;
  /** The author's logic behind the `src` of an actor, where the author's functions are. */
  readonly logicOf: (src: string) => unknown;
}
