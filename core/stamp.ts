// The stamp of a step. The authority stamps each event with its clock and a seed; what guards, assigns, delays and outputs ask for (chance.ts)
// comes from there, the same on every replica that runs the step with that stamp.

import { LockstepError } from './errors.ts';

export interface Stamp {
  /** The authority's clock, ms since the epoch. */
  readonly now: number;
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Makes uuids of different steps differ whatever the seed: instance, epoch and seq. */
  readonly salt: string;
}

/**
 * One for all copies of this module: a program may have `now` from one entry of this package, and what runs its machine from another, each
 * bundled by itself.
 */
const running = ((globalThis as { [key: symbol]: unknown })[Symbol.for('lockstep.stamp')] ??= { entered: 0, asked: 0 }) as {
  current: Stamp | undefined;
  /** How often a stamp was entered until now: with each time chance begins anew. */
  entered: number;
  /** What has been asked for since the stamp was entered. */
  asked: number;
};

/** Of a run: a function wanted to know the time. */
export const ASKED_TIME = 1;
/** Of a run: a function wanted chance, for dice or an identifier. */
export const ASKED_CHANCE = 2;

/** Makes `stamp` the one that now, random and uuid answer from until leaveStamp. For whoever runs a step. */
export function enterStamp(stamp: Stamp): void {
  running.current = stamp;
  running.entered++;
  running.asked = 0;
}

export function leaveStamp(): void {
  running.current = undefined;
}

/** How often a stamp was entered until now. */
export function timesEntered(): number {
  return running.entered;
}

/** What the functions of the newest stamp have asked for until now: ASKED_TIME, ASKED_CHANCE. */
export function askedFor(): number {
  return running.asked;
}

/** The stamp that a function of that name answers from. @throws LockstepError BAD_REQUEST outside a step. */
export function inForce(name: string, what: number): Stamp {
  running.asked |= what;
  if (running.current !== undefined) return running.current;
  throw new LockstepError(
    'BAD_REQUEST',
    `${name}() was called outside a step; it answers only inside a guard, assign, delay, output or effect that Lockstep runs`,
  );
}
