// What an action asks of the world outside its instance. Requests are data: the step returns them in order, and whoever runs the instance
// carries them out when the step is durable. Prediction, replay and mirrors drop them.

import type { EventObject, Json } from './json.ts';

/** An actor that a step started. All of it is plain JSON, so that it can be journaled. */
export interface ChildStart {
  readonly id: string;
  /** A name in the implementations, or the JSON pointer of the action or invoke that holds the logic. */
  readonly src: string;
  readonly input?: Json;
  /** Whether each of its snapshots comes back as an event. */
  readonly sync?: true;
  readonly systemId?: string;
}

export type Request =
  /** An action that was chosen at run time. */
  | { readonly kind: 'call'; readonly name: string; run(args: unknown): unknown }
  | { readonly kind: 'log'; readonly label: string | undefined; readonly value: unknown }
  /**
   * `to` is a child, `#_parent`, or `#_internal`: the instance itself, by way of its mailbox. `isEarly`: to a child that a later request of the
   * same step starts.
   */
  | { readonly kind: 'send'; readonly to: string; readonly event: EventObject; readonly isEarly?: true }
  | { readonly kind: 'emit'; readonly event: EventObject }
  | { readonly kind: 'delay'; readonly id: string; readonly delayMs: number; readonly to: string; readonly event: EventObject }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'spawn'; readonly child: ChildStart; readonly logic: unknown }
  | { readonly kind: 'stop'; readonly id: string };

/** In the middle of a step: what a builtin action may do, in order. */
export interface Acts {
  /** Appends an internal event. @throws LockstepError OVERFLOW, NOT_JSON */
  raise(event: EventObject): void;
  /** Merges into the context. @throws LockstepError NOT_JSON */
  assign(partial: unknown): void;
  request(request: Request): void;
  /** Nothing happens, and the microstep counts as one that changed something. */
  change(): void;
  /** A child that is there at this point of the step. */
  hasChild(id: string): boolean;
  /** An id that no other call of this instance gets. */
  nextId(prefix: string): string;
}

/** Itself, as the target of an event. */
export const SELF = '#_internal';
export const PARENT = '#_parent';

/** An actor in plain JSON, as XState persists it. */
const ACTOR_TYPE = 1;

/** An actor as plain JSON: what `spawn` returns, what contexts and events hold, what sendTo and stopChild take. */
export function reference(id: string): Json {
  return Object.freeze({ xstate$$type: ACTOR_TYPE, id });
}
