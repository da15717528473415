// Instances: blocks of the stride of their image, told from other numbers by a mark; made, freed and hashed.

import { allocate, isWithin, release } from './heap.ts';
import { countInstance, entryFree, entryOf, entryStride, even, setEntryFree } from './image.ts';
import * as layout from './layout.ts';
import * as bytecode from './program-layout.ts';
import { hash64, load32, store32, zeroMemory } from './prim.ts';

/** The registration of the image used last: most calls concern the same one. */
let lastImage: i32 = 0;
let lastEntry: i32 = 0;

export function isInstance(instance: i32): boolean {
  return isWithin(instance, layout.INSTANCE_CONFIGURATION) && load32(instance + layout.INSTANCE_MARK) === (layout.INSTANCE_LIVE ^ instance);
}

/** Bytes of an instance that touch reads from: one word in each of three cache lines. */
const TOUCHED: i32 = 132;
/** Has the beginning of what may be an instance brought nearer. @returns nothing of use: reading is what matters. */
export function touch(instance: i32): i32 {
  return isWithin(instance, TOUCHED) ? load32(instance) ^ load32(instance + 64) ^ load32(instance + 128) : 0;
}

function entryFor(image: i32): i32 {
  if (image !== lastImage) {
    lastEntry = entryOf(image);
    lastImage = lastEntry === 0 ? 0 : image;
  }
  return image === lastImage ? lastEntry : 0;
}

/** To be called when an image goes. */
export function forgetImage(): void {
  lastImage = 0;
  lastEntry = 0;
}

/** @returns bytes of one instance, or FAULT_IMAGE. */
export function stride(image: i32): i32 {
  const entry: i32 = entryFor(image);
  return image === 0 || entry === 0 ? layout.FAULT_IMAGE : entryStride(entry);
}

export function create(image: i32): i32 {
  const entry: i32 = entryFor(image);
  if (image === 0 || entry === 0) return layout.FAULT_IMAGE;
  const size: i32 = entryStride(entry);
  let instance: i32 = entryFree(entry);
  if (instance !== 0) setEntryFree(entry, load32(instance + layout.INSTANCE_MARK));
  else {
    instance = allocate(size);
    if (instance < 0) return instance;
  }
  zeroMemory(instance, size);
  store32(instance + layout.INSTANCE_IMAGE, image);
  store32(instance + layout.INSTANCE_MARK, layout.INSTANCE_LIVE ^ instance);
  countInstance(entry, 1);
  return instance;
}

export function destroy(instance: i32): i32 {
  if (!isInstance(instance)) return layout.FAULT_INSTANCE;
  const entry: i32 = entryFor(load32(instance + layout.INSTANCE_IMAGE));
  if (entry === 0) return layout.FAULT_INSTANCE;
  countInstance(entry, -1);
  store32(instance + layout.INSTANCE_MARK, entryFree(entry));
  setEntryFree(entry, instance);
  return 0;
}

export function clocksOf(instance: i32, words: i32): i32 {
  return instance + layout.INSTANCE_CONFIGURATION + (even(words) << 2);
}

/** Writes xxh64 of what replicas must agree on, but for the cells: handles are each replica's own. */
export function digest(instance: i32, out: i32): i32 {
  if (!isInstance(instance)) return layout.FAULT_INSTANCE;
  const image: i32 = load32(instance + layout.INSTANCE_IMAGE);
  const size: i32 = stride(image) - load32(image + layout.IMAGE_CELL_COUNT) * bytecode.CELL_SIZE;
  hash64(instance + layout.INSTANCE_STATUS, size - layout.INSTANCE_STATUS, 0, 0, out);
  return 0;
}

/** For the host: a block it asked for with allocate. */
export function releaseBlock(pointer: i32, size: i32): void {
  if (isWithin(pointer, size)) release(pointer, size);
}
