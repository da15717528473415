// What the core exports, as core/abi.ts describes it.

import { allocate as allocateBlock } from './heap.ts';
import * as image from './image.ts';
import * as instances from './instance.ts';
import { leaveImage } from './frame.ts';
import { FAULT_MEMORY, FORMAT, IMAGE_STATE_COUNT, STEP_IGNORED } from './layout.ts';
import { hash64, load32, store32 } from './prim.ts';
import * as scratch from './scratch.ts';
import * as statechart from './statechart.ts';

export function abi(): i32 {
  return FORMAT;
}

export function allocate(size: i32): i32 {
  return allocateBlock(size);
}

export function release(pointer: i32, size: i32): void {
  instances.releaseBlock(pointer, size);
}

export function load(pointer: i32, size: i32): i32 {
  const loaded: i32 = image.load(pointer, size);
  if (loaded < 0) return loaded;
  const room: i32 = scratch.prepare(load32(loaded + IMAGE_STATE_COUNT), instances.stride(loaded));
  return room < 0 ? FAULT_MEMORY : loaded;
}

export function unload(its: i32): i32 {
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
  return instances.create(its);
}

export function destroy(instance: i32): i32 {
  return instances.destroy(instance);
}

export function start(instance: i32, flags: i32): i32 {
  return statechart.start(instance, flags);
}

export function step(instance: i32, event: i32, flags: i32): i32 {
  return statechart.step(instance, event, flags);
}

export function can(instance: i32, event: i32): i32 {
  return statechart.can(instance, event);
}

export function settle(instance: i32): i32 {
  return instances.settle(instance);
}

export function batch(pointer: i32, count: i32): i32 {
  let taken: i32 = 0;
  const end: i32 = pointer + (count << 3);
  for (let at: i32 = pointer; at < end; at += 8) {
    const result: i32 = statechart.step(load32(at), load32(at + 4), 0);
    if (result > STEP_IGNORED) taken += 1;
    store32(at + 4, result);
  }
  return taken;
}

export function output(): i32 {
  return scratch.output;
}

export function outputCount(): i32 {
  return scratch.outputCount;
}

export function reserve(size: i32): i32 {
  return scratch.reserve(size);
}

export function undo(): i32 {
  return scratch.undo;
}

export function digest(instance: i32, out: i32): i32 {
  return instances.digest(instance, out);
}

export function hash(pointer: i32, size: i32, seedLow: i32, seedHigh: i32, out: i32): void {
  hash64(pointer, size, seedLow, seedHigh, out);
}
