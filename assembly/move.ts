// The short road of a microstep: one transition with a plan (found by assembly/plan.ts) of a step whose records nobody reads. Nothing that is
// left or entered does anything, so clocks and configuration move at once, in no particular order.

import * as frame from './frame.ts';
import * as layout from './layout.ts';
import { load16, load32, store32, trailingZeros } from './prim.ts';

/** Leaves what the transition with this record leaves. */
export function leave(at: i32): void {
  const configuration: i32 = frame.configuration;
  const clocks: i32 = frame.clocks;
  const source: i32 = load16(at + layout.TRANSITION_SOURCE);
  const domain: i32 = load16(at + layout.TRANSITION_DOMAIN);
  const end: i32 = frame.endOf(source);
  if (end > source) leaveBelow(source, end);
  for (let state: i32 = source; state !== domain; state = frame.parentOf(state)) {
    const word: i32 = configuration + ((state >>> 5) << 2);
    store32(word, load32(word) & ~(1 << (state & 31)));
    tick(clocks + (state << 2));
  }
}

/** Enters what it enters. */
export function enter(at: i32): void {
  const configuration: i32 = frame.configuration;
  const clocks: i32 = frame.clocks;
  const list: i32 = frame.lists + (load32(at + layout.TRANSITION_ENTRY) << 2);
  const last: i32 = list + (load32(list) << 2);
  for (let entry: i32 = list + 4; entry <= last; entry += 4) {
    const state: i32 = load32(entry) & ~layout.ENTRY_DEFAULT;
    const word: i32 = configuration + ((state >>> 5) << 2);
    store32(word, load32(word) | (1 << (state & 31)));
    tick(clocks + (state << 2));
  }
}

function tick(clock: i32): void {
  store32(clock, load32(clock) + 1);
}

function leaveBelow(source: i32, end: i32): void {
  const last: i32 = end >>> 5;
  for (let word: i32 = (source + 1) >>> 5; word <= last; word++) {
    const at: i32 = frame.configuration + (word << 2);
    const active: i32 = load32(at);
    let bits: i32 = active & frame.rangeMask(word, source + 1, end);
    store32(at, active & ~bits);
    while (bits !== 0) {
      tick(frame.clocks + (((word << 5) + trailingZeros(bits)) << 2));
      bits = bits & (bits - 1);
    }
  }
}
