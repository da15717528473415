// Time and chance inside a step, from its stamp: an author's functions that ask here get the same answers on every replica that runs the step.
// Integers only, so that engines cannot disagree.

import { ASKED_CHANCE, ASKED_TIME, inForce, timesEntered, type Stamp } from './stamp.ts';

/** The count of stamps at which `low` and `high` began with the seed of one: most steps never draw. */
let planted = 0;
let low = 0;
let high = 0;

/** The time of this step, ms since the epoch, by the authority's clock. @throws LockstepError BAD_REQUEST outside a step. */
export function now(): number {
  return inForce('now', ASKED_TIME).now;
}

/** A number in [0, 1) with 53 random bits, from this step's seed. @throws LockstepError BAD_REQUEST outside a step. */
export function random(): number {
  plant(inForce('random', ASKED_CHANCE));
  return ((draw() >>> 5) * 0x400_0000 + (draw() >>> 6)) / 0x20_0000_0000_0000;
}

/** A version 4 UUID from this step's seed and place in the order. @throws LockstepError BAD_REQUEST outside a step. */
export function uuid(): string {
  const stamp = inForce('uuid', ASKED_CHANCE);
  const { salt } = stamp;
  plant(stamp);
  for (let i = 0; i < salt.length; i++) low = (Math.imul(low ^ salt.charCodeAt(i), 0x01000193) + high) | 0;
  const words = [draw(), (draw() & 0xffff0fff) | 0x4000, (draw() & 0x3fffffff) | 0x80000000, draw()];
  const hex = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Begins with the seed of the stamp, unless it was begun with already. */
function plant({ seed }: Stamp): void {
  if (planted === timesEntered()) return;
  planted = timesEntered();
  low = seed | 0;
  high = (seed / 0x1_0000_0000) | 0;
}

/** sfc-like mixing of two words: enough for ids and dice, not for secrets. */
function draw(): number {
  low = (low + 0x9e3779b9) | 0;
  high = (high ^ Math.imul(low ^ (low >>> 16), 0x21f0aaad)) | 0;
  let mixed = Math.imul(high ^ (high >>> 15), 0x735a2d97) ^ low;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) | 0;
}
