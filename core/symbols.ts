// The names of an image: what the numbers in it are called. Lives in the image as JSON, inside the hash, because `value`, event types
// and the binding of host functions depend on it. The compiler writes it, Machine reads it; the core never does.

import type { Json, JsonObject } from './json.ts';

export type FunctionKind = 'guard' | 'assign' | 'effect' | 'raise' | 'delay' | 'output' | 'context' | 'builtin' | 'invoke' | 'stop';

export interface FunctionSymbol {
  readonly kind: FunctionKind;
  /** JSON pointer into the definition's config to the thing that is called, e.g. `/states/idle/on/HELLO/0/guard`. */
  readonly path: string;
  /** The author's name for it, when the config holds a string or `{ type }`; it is then looked up in the implementations. */
  readonly name?: string;
}

export interface StateSymbol {
  readonly key: string;
  /** The author's `id`, or the machine id and the path joined by dots. */
  readonly id: string;
  readonly tags?: readonly string[];
  /** Of a relational machine: the args of mutations that call it which readers are told; absent = none. */
  readonly publicArgs?: true | readonly string[];
  /** Of a relational machine: while it is active, an actor runs. */
  readonly actor?: ActorSymbol;
}

/** The states that are added when the actor of a state is done, and when it fails. */
export interface ActorSymbol {
  readonly done?: string;
  readonly error?: string;
}

export interface Symbols {
  /** The definition's id. */
  readonly id: string;
  /** By state number; 0 is the root. */
  readonly states: readonly StateSymbol[];
  /** By history number. */
  readonly histories: readonly { readonly key: string; readonly id: string }[];
  /** By event number: an event type, a wildcard descriptor, or '' for event 0. */
  readonly events: readonly string[];
  /** By function number. */
  readonly functions: readonly FunctionSymbol[];
  /** By timer number: the type of the event that firing it sends, e.g. `xstate.after.15000.foo.idle`. */
  readonly timers: readonly string[];
  /** By raise number. */
  readonly raises: readonly ({ readonly type: string } & JsonObject)[];
  /** Of a relational machine: the state in which it is done, for who invoked it. */
  readonly doneState?: string;
  /** The initial context, unless a function makes it. */
  readonly context?: Json;
  /** Function number of the context factory. */
  readonly contextFunction?: number;
  /** Of a machine whose functions are programs: the keys of its context, by cell. */
  readonly cells?: readonly string[];
  /** By number of the constant in the image. */
  readonly constants?: readonly Json[];
}

/** A function as messages name it: `guard "isOpen" at /on/OPEN/0/guard`. */
export function functionName({ functions }: Pick<Symbols, 'functions'>, fn: number): string {
  const symbol = functions[fn];
  if (symbol === undefined) return `function ${fn}`;
  return `${symbol.kind} ${symbol.name === undefined ? '' : `"${symbol.name}" `}at ${symbol.path}`;
}

/** Outside the hash: for people and tools. */
export interface DebugSymbols {
  readonly compiler: string;
  readonly dialect: string;
  /** The definition as plain JSON, functions as their names: what inspectors draw. */
  readonly definition?: Json;
  readonly descriptions?: { readonly [stateId: string]: string };
  readonly meta?: { readonly [stateId: string]: Json };
}
