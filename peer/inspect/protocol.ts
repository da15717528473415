// Stately's inspect protocol, as @statelyai/inspect 0.7 speaks it over WebSocket: one JSON message per text frame, one way. What we emit has
// these shapes with a few fields more; what we take in is read into them by read.ts. docs/inspect.md describes both. No logic here.

import type { EventObject, Json } from '../../core/json.ts';

/** The version that our messages say: the one whose receivers they were tried with. */
export const INSPECT_VERSION = '0.7.2';

/** How much of foreign programs is taken in. */
export const INSPECT_LIMITS = {
  /** Programs connected at once. */
  programMax: 64,
  /** Characters of one message; a definition of a thousand states fits. */
  messageSize: 262_144,
  /** Messages of one program in one second; what is over that is counted and left out. */
  rateMax: 2_000,
  /** Actors of one program; what others say is left out. */
  actorMax: 1_000,
  /** Messages that cannot be read until a program is shown out. */
  faultMax: 16,
  /** Messages kept for those who look later, introductions of actors apart. */
  keptMax: 1_024,
  /** Characters of all that is kept: with as many steps beside it still one answer. */
  keptSize: 400_000,
} as const;
export type InspectLimits = { readonly [K in keyof typeof INSPECT_LIMITS]: number };

/** What our own messages say besides; receivers leave fields alone that they do not know. */
export interface OwnFields {
  /** The instance, or the local machine. */
  readonly instance?: string;
  readonly epoch?: number;
  /** Steps of the instance so far. */
  readonly seq?: number;
  /** Whose step it is: the authority. */
  readonly peer?: string;
  /** The authority's clock, ms since the epoch. */
  readonly at?: number;
  /** Where the step has one. */
  readonly digest?: string;
}

interface Base extends OwnFields {
  readonly _version: string;
  /** ms since the epoch, as text. */
  readonly createdAt: string;
  readonly id: string | null;
  /** Session id of the system's first actor; some senders leave it out. */
  readonly rootId?: string;
  /** The actor: unique in its program only. */
  readonly sessionId: string;
}

export interface ActorMessage extends Base {
  readonly type: '@xstate.actor';
  readonly name: string;
  readonly parentId?: string;
  /** A machine's config as JSON text, functions as `{ type: name }`. */
  readonly definition?: string;
  readonly snapshot: InspectSnapshot;
}

export interface EventMessage extends Base {
  readonly type: '@xstate.event';
  readonly event: EventObject;
  /** Session id of the sender; none when it was no actor. */
  readonly sourceId?: string;
}

export interface SnapshotMessage extends Base {
  readonly type: '@xstate.snapshot';
  /** What led to it. */
  readonly event: EventObject;
  readonly snapshot: InspectSnapshot;
}

export type InspectMessage = ActorMessage | EventMessage | SnapshotMessage;

/** A machine has a value; other actors have status and perhaps output or context. */
export interface InspectSnapshot {
  readonly status: string;
  readonly value?: Json;
  readonly context?: Json;
  readonly output?: Json;
  readonly error?: Json;
  readonly tags?: readonly string[];
  readonly children?: Json;
  readonly historyValue?: Json;
}

/**
 * A message of a foreign program as a trace holds it: the second kind of thing that happens, beside our own steps. Peers pass it on as it
 * is; whoever wants to know what it says reads it through read.ts.
 */
export interface InspectRecord<Message = unknown> {
  readonly kind: 'inspect';
  /** The program: one connection, or one file. */
  readonly peer: string;
  /** Counts the program's messages from 1. */
  readonly n: number;
  /** ms since the epoch, by the program's clock: when the message was made, which is a little later than what it tells. */
  readonly at: number;
  readonly message: Message;
}
