// A mirror's own events on their way: from `send` until the authority has answered and the step that answers is in the confirmed state.
// An event gets its number when it is first sent and keeps it for ever, so that sending it again is harmless.

import { NONE } from '../core/actor.ts';
import { LockstepError } from '../core/errors.ts';
import { unknownEvent } from '../core/fault.ts';
import type { EventObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { plain } from '../core/plain.ts';
import type { Stamp } from '../core/stamp.ts';
import type { Replica } from './replica.ts';
import { plainJson, sizeOf } from './shape.ts';
import { type Expectation, type InstanceId, LIMITS, type SendResult } from './wire.ts';

export interface Refusal {
  readonly event: EventObject;
  readonly error: LockstepError;
}

export interface Unconfirmed {
  readonly event: EventObject;
  readonly expect: Expectation | undefined;
  /** Of its prediction: the same in every replay. */
  readonly stamp: Stamp;
  /** 0 until it has one: when it is kept for later, or else when it is sent. */
  n: number;
  /** Not to be sent before it is kept. */
  isHeld: boolean;
  isSent: boolean;
  sentAt: number;
  /** Whether its prediction ever did something. */
  isShown: boolean;
  /** Its step is in the confirmed state, so that no prediction needs it. */
  isApplied: boolean;
  answer: SendResult | undefined;
  resolve(result: SendResult): void;
  reject(error: LockstepError): void;
}

/** An event that has just been made, or was kept: nobody has heard of it yet. Written out, so that thousands of them are of one shape. */
export function unconfirmed({ event, expect, stamp, n, isHeld, resolve, reject }: Own): Unconfirmed {
  return {
    event,
    expect,
    stamp,
    n,
    isHeld,
    isSent: false,
    sentAt: 0,
    isShown: false,
    isApplied: false,
    answer: undefined,
    resolve,
    reject,
  };
}

type Own = Pick<Unconfirmed, 'event' | 'expect' | 'stamp' | 'n' | 'isHeld' | 'resolve' | 'reject'>;

export class UnconfirmedEvents {
  /** A list that is replaced: mostly it is empty, and one for all mirrors. */
  #events: readonly Unconfirmed[] = NONE;
  /** The newest number that this peer used for the instance. */
  #n = 0;

  get count(): number {
    return this.#events.length;
  }

  /** Those that the confirmed state does not have, in order. */
  get pending(): readonly Unconfirmed[] {
    return this.#events.length === 0 ? NONE : this.#events.filter(({ isApplied }) => !isApplied);
  }

  get hasPending(): boolean {
    return this.#events.some(({ isApplied }) => !isApplied);
  }

  add(event: Unconfirmed): void {
    this.#events = [...this.#events, event];
  }

  /** Numbers up to this one were given in an earlier life. */
  begin(newest: number): void {
    this.#n = newest;
  }

  /** The next number. */
  number(): number {
    return ++this.#n;
  }

  /** Sent and not answered, oldest first. */
  inFlight(): readonly Unconfirmed[] {
    return this.#events.filter(({ isSent, answer }) => isSent && answer === undefined);
  }

  /** Up to `max` in flight: the next ones that may go, under their numbers. */
  take(max: number, now: number): readonly Unconfirmed[] {
    const first = this.#events.findIndex(({ isSent }) => !isSent);
    if (first < 0) return [];
    const free = max - this.inFlight().length;
    const next = free <= 0 ? [] : this.#events.slice(first, first + free);
    const held = next.findIndex(({ isHeld }) => isHeld);
    const taken = held < 0 ? next : next.slice(0, held);
    for (const event of taken) {
      event.n ||= this.number();
      event.isSent = true;
      event.sentAt = now;
    }
    return taken;
  }

  /** The confirmed state now has all that the authority decided up to number `last`. */
  appliedUpTo(last: number): void {
    this.#n = Math.max(this.#n, last);
    for (const event of this.#events) if (event.n > 0 && event.n <= last) event.isApplied = true;
  }

  /** The event that has this number, while it is not settled. */
  event(n: number): EventObject | undefined {
    return n > 0 ? this.#events.find((each) => each.n === n)?.event : undefined;
  }

  /** Its step is here, which is its answer. One that is not known here was sent in an earlier life, and its number is used.       (SYNC-3) */
  applied(n: number, answer: SendResult): void {
    this.#n = Math.max(this.#n, n);
    const event = this.#events.find((each) => each.n === n);
    if (event === undefined) return;
    event.isApplied = true;
    event.answer ??= answer;
  }

  remove(event: Unconfirmed): void {
    this.#events = this.#events.filter((each) => each !== event);
  }

  /** Takes out and returns those whose answer's step is in the confirmed state, which is at `seq`. */
  settled(seq: number): readonly Unconfirmed[] {
    if (this.#events.length === 0) return NONE;
    const isSettled = ({ answer }: Unconfirmed): boolean => answer !== undefined && answer[1] <= seq;
    const settled = this.#events.filter(isSettled);
    if (settled.length > 0) this.#events = this.#events.filter((event) => !isSettled(event));
    return settled;
  }

  /** Takes all of them out. */
  clear(): readonly Unconfirmed[] {
    const events = this.#events;
    this.#events = NONE;
    return events;
  }
}

/**
 * What no authority would take is refused before it shows.
 * @returns the event, plain and frozen.
 * @throws LockstepError BAD_PARAMS, FORBIDDEN, UNKNOWN_EVENT, NOT_RUNNING, TOO_MANY, NOT_JSON, TOO_LARGE.
 */
export function checkOwn(
  event: EventObject,
  at: {
    readonly id: InstanceId;
    readonly replica: { readonly machine: Machine | undefined; readonly status: Replica['status'] };
    readonly waiting: number;
  },
): EventObject {
  const { machine, status } = at.replica;
  if (typeof event.type !== 'string') throw new LockstepError('BAD_PARAMS', 'an event needs a type, a string');
  if (event.type.startsWith('xstate.'))
    throw new LockstepError('FORBIDDEN', `"${event.type}": events that begin with xstate. are made by the authority alone`);
  if (machine?.eventNumber(event.type) === 0) throw unknownEvent(machine, event.type);
  if (status !== 'active') throw new LockstepError('NOT_RUNNING', `${at.id} has status ${status ?? 'not started'}, expected active`);
  if (at.waiting >= LIMITS.queueMax)
    throw new LockstepError('TOO_MANY', `${at.waiting} events of ${at.id} wait for their answer, at most ${LIMITS.queueMax} may`);
  const checked = plain(event, '');
  const problem = plainJson(checked);
  if (problem !== undefined) throw new LockstepError('NOT_JSON', `event "${event.type}": ${problem}`);
  if (sizeOf(checked, LIMITS.eventSize) > LIMITS.eventSize)
    throw new LockstepError('TOO_LARGE', `an event of type "${event.type}" is over ${LIMITS.eventSize} characters`);
  return checked as unknown as EventObject;
}
