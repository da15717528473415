// What the core exports, as core/abi.ts describes it.

import { allocate as allocateBlock, isWithin } from './heap.ts';
import * as image from './image.ts';
import * as instances from './instance.ts';
import * as covering from './cover.ts';
import { runningFunction } from './expression.ts';
import { leaveImage } from './frame.ts';
import { COUNT, FAULT_BUSY, FAULT_MEMORY, FORMAT, MEMORY_PAGES_MAX, QUIET, STEP_IGNORED } from './layout.ts';
import { hash64, load32, store32 } from './prim.ts';
import * as scratch from './scratch.ts';
import { settle as settleInstance } from './settle.ts';
import * as statechart from './statechart.ts';
import { step } from './statechart.ts';
import { KNOWN } from './validate.ts';
import * as writing from './writes.ts';

/**
 * Bytes of events that a batch looks ahead: instances that lie far apart are asked for together, because waiting for memory one by one is what
 * a step on them would mostly do.
 */
const BATCH_GROUP: i32 = 256;

export function abi(): i32 {
  return FORMAT;
}

/** Semantics flags of images that it takes. */
export function semantics(): i32 {
  return KNOWN;
}

export function allocate(size: i32): i32 {
  return allocateBlock(size);
}

export function release(pointer: i32, size: i32): void {
  instances.releaseBlock(pointer, size);
}

export function load(pointer: i32, size: i32): i32 {
  return statechart.isBusy() ? FAULT_BUSY : image.load(pointer, size);
}

export function unload(its: i32): i32 {
  if (statechart.isBusy()) return FAULT_BUSY;
  const result: i32 = image.unload(its);
  instances.forgetImage();
  leaveImage();
  return result;
}

export function refusal(): i32 {
  return image.refusal();
}

export function stride(its: i32): i32 {
  return instances.stride(its);
}

export function create(its: i32): i32 {
  return statechart.isBusy() ? FAULT_BUSY : instances.create(its);
}

export function destroy(instance: i32): i32 {
  return statechart.isBusy() ? FAULT_BUSY : instances.destroy(instance);
}

export function start(instance: i32, flags: i32): i32 {
  return statechart.start(instance, flags);
}

export { step };

export function called(): i32 {
  return scratch.domains;
}

/** For the host's functions, while a step asks them. */
export function raise(event: i32): i32 {
  return statechart.raiseMade(event);
}

export function can(instance: i32, event: i32): i32 {
  return statechart.can(instance, event);
}

export function settle(instance: i32): i32 {
  return statechart.isBusy() ? FAULT_BUSY : settleInstance(instance);
}

export function batch(pointer: i32, count: i32): i32 {
  if (statechart.isBusy()) return FAULT_BUSY;
  if (count < 0 || count > MEMORY_PAGES_MAX << 13 || !isWithin(pointer, count << 3)) return FAULT_MEMORY;
  let taken: i32 = 0;
  const end: i32 = pointer + (count << 3);
  for (let group: i32 = pointer; group < end; group += BATCH_GROUP) {
    const last: i32 = end - group < BATCH_GROUP ? end : group + BATCH_GROUP;
    for (let at: i32 = group; at < last; at += 8) instances.touch(load32(at));
    for (let at: i32 = group; at < last; at += 8) {
      const result: i32 = statechart.step(load32(at), load32(at + 4), QUIET | COUNT);
      if (result > STEP_IGNORED) taken += 1;
      store32(at + 4, result);
    }
  }
  return taken;
}

/** @returns 0, or FAULT_MEMORY when these are no memory of the core's. */
export function cover(states: i32, stateBytes: i32, transitionBytes: i32, formBytes: i32): i32 {
  if (!isWithin(states, stateBytes + transitionBytes + formBytes)) return FAULT_MEMORY;
  covering.set(states, stateBytes, transitionBytes, formBytes);
  return 0;
}

/** The function whose program ran last. */
export function running(): i32 {
  return runningFunction();
}

/** What was written at a RECORD_WRITE: a cell for each record. */
export function log(): i32 {
  return scratch.log;
}

export function output(): i32 {
  return scratch.output;
}

export function outputCount(): i32 {
  return scratch.outputCount;
}

export function reserve(size: i32): i32 {
  return statechart.isBusy() ? FAULT_BUSY : scratch.reserve(size);
}

/** What the last start or step wrote to cells. */
export function writes(): i32 {
  return writing.writes;
}

export function digest(instance: i32, out: i32): i32 {
  return instances.digest(instance, out);
}

export function hash(pointer: i32, size: i32, seedLow: i32, seedHigh: i32, out: i32): void {
  hash64(pointer, size, seedLow, seedHigh, out);
}
