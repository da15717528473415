// The step record: one event run to completion and everything it changed. Journal, wire and trace all carry this record or a
// projection of it; no second log format exists. docs/PROTOCOL.md has its JSON form.

import type { Operation } from './patch.ts';
import type { EventObject, Json } from './json.ts';
import type { ChildStart } from './request.ts';

export type Status = 'active' | 'done' | 'error' | 'stopped';

/** An event as its authority stamped it. */
export interface Cause {
  /** The peer that sent it; the authority's own name for timers and for the first step. */
  readonly peer: string;
  /** That peer's event number: rises, never repeats. 0 for events that the authority made itself. */
  readonly n: number;
  readonly event: EventObject;
  /** 53 random bits from the authority: `random` and `uuid` of this step derive from it. `now` is the step's `at`. */
  readonly seed: number;
}

/**
 * In call order: a guard's answer, a host-made event, a delay in ms, a computed output, or of a builtin action whether it changed anything
 * and the events that it raised.
 */
export type HostResult = boolean | Json;

/** Timer numbers from here on are delayed events; those below are the image's. */
export const DELAYED_FIRST = 0x1000000;

/** An event that is sent when its time has come: to itself (`#_internal`), to a child or to the parent. */
export interface DelayedEvent {
  /** What `cancel` names; several may share one. */
  readonly id: string;
  readonly to: string;
  readonly event: EventObject;
}

export type TimerChange =
  /** `due` = ms since the epoch by the authority's clock. */
  { readonly timer: number; readonly due: number; readonly send?: DelayedEvent } | { readonly timer: number; readonly due: null };

/** In order: a child that stops and starts again is two changes. */
export type ChildChange =
  | { readonly start: ChildStart }
  | { readonly stop: string }
  /** Its done or error event has come. */
  | { readonly ended: string };

/** An action with consequences outside; runs at the authority, once, when the step is durable. */
export interface EffectRecord {
  /** Function number in the image. */
  readonly fn: number;
  /** The author's name for it, or its path. */
  readonly name: string;
}

export interface Step {
  readonly instance: string;
  /** Rises when an instance gets a new authority or a history that is not a continuation. */
  readonly epoch: number;
  /** Counts from 1; step 1 is the creation, caused by `xstate.init`. */
  readonly seq: number;
  /** The authority's clock, ms since the epoch. */
  readonly at: number;
  readonly cause: Cause;
  /** Only on a step whose event enabled nothing: it has a place in the order and changed nothing. */
  readonly ignored?: true;
  /** state, ticks to add, state, ticks to add, … of every state whose clock moved, ascending by state. */
  readonly clocks: readonly number[];
  /** [history number, states now remembered] of every history node whose memory changed. */
  readonly history: readonly (readonly [history: number, states: readonly number[]])[];
  /** Only when it changed. */
  readonly status?: Status;
  /** Only on the step that made the instance done. */
  readonly output?: Json;
  /** Only on the step that made it fail. */
  readonly error?: string;
  /** RFC 6902; on step 1 it is one `add` (or replace) of the whole context at path "". */
  readonly patch: readonly Operation[];
  readonly host: readonly HostResult[];
  readonly timers: readonly TimerChange[];
  /** Only when child actors came, went or ended. */
  readonly children?: readonly ChildChange[];
  /** Only when it rose: how many ids the instance has made for children and delayed events. */
  readonly ids?: number;
  readonly effects: readonly EffectRecord[];
  /** 16 hex digits, see core/digest.ts; present on step 1, then at least on every 64th. */
  readonly digest?: string;
}

/** A digest is recorded on every step whose seq is a multiple of this. */
export const DIGEST_EVERY = 64;
