// Time and randomness inside a step. The authority stamps each event with its clock and a seed; guards, assigns, delays and outputs that
// ask here get the same answers on every replica that runs the step with that stamp. Integers only, so that engines cannot disagree.

import { LockstepError } from './errors.ts';

export interface Stamp {
  /** The authority's clock, ms since the epoch. */
  readonly now: number;
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Makes uuids of different steps differ whatever the seed: instance, epoch and seq. */
  readonly salt: string;
}

let current: Stamp | undefined;
/** Whether `low` and `high` hold the seed of the current stamp: most steps never draw. */
let isSeeded = false;
let low = 0;
let high = 0;
/** What has been asked for since the stamp was entered. */
let asked = 0;

/** Of a run: a function wanted to know the time. */
export const ASKED_TIME = 1;
/** Of a run: a function wanted chance, for dice or an identifier. */
export const ASKED_CHANCE = 2;

/** Makes `stamp` the one that now, random and uuid answer from until leaveStamp. For whoever runs a step. */
export function enterStamp(stamp: Stamp): void {
  current = stamp;
  isSeeded = false;
  asked = 0;
}

export function leaveStamp(): void {
  current = undefined;
}

/** What the functions of the newest stamp have asked for until now: ASKED_TIME, ASKED_CHANCE. */
export function askedFor(): number {
  return asked;
}

function inForce(name: string, what: number): Stamp {
  asked |= what;
  if (current !== undefined) return current;
  throw new LockstepError(
    'BAD_REQUEST',
    `${name}() was called outside a step; it answers only inside a guard, assign, delay, output or effect that Lockstep runs`,
  );
}

/** The time of this step, ms since the epoch, by the authority's clock. @throws LockstepError BAD_REQUEST outside a step. */
export function now(): number {
  return inForce('now', ASKED_TIME).now;
}

/** A number in [0, 1) with 53 random bits, from this step's seed. @throws LockstepError BAD_REQUEST outside a step. */
export function random(): number {
  inForce('random', ASKED_CHANCE);
  return ((draw() >>> 5) * 0x400_0000 + (draw() >>> 6)) / 0x20_0000_0000_0000;
}

/** A version 4 UUID from this step's seed and place in the order. @throws LockstepError BAD_REQUEST outside a step. */
export function uuid(): string {
  const { salt } = inForce('uuid', ASKED_CHANCE);
  if (!isSeeded) plant();
  for (let i = 0; i < salt.length; i++) low = (Math.imul(low ^ salt.charCodeAt(i), 0x01000193) + high) | 0;
  const words = [draw(), (draw() & 0xffff0fff) | 0x4000, (draw() & 0x3fffffff) | 0x80000000, draw()];
  const hex = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function plant(): void {
  const seed = current?.seed ?? 0;
  low = seed | 0;
  high = (seed / 0x1_0000_0000) | 0;
  isSeeded = true;
}

/** sfc-like mixing of two words: enough for ids and dice, not for secrets. */
function draw(): number {
  if (!isSeeded) plant();
  low = (low + 0x9e3779b9) | 0;
  high = (high ^ Math.imul(low ^ (low >>> 16), 0x21f0aaad)) | 0;
  let mixed = Math.imul(high ^ (high >>> 15), 0x735a2d97) ^ low;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) | 0;
}
