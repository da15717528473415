// Loaded images: a list of them, so that a handle can be trusted. assembly/validate.ts says what may enter the list.

import * as layout from './layout.ts';
import * as bytecode from './program-layout.ts';
import { allocate, release } from './heap.ts';
import { directSize, fillDirect, plan } from './plan.ts';
import { IS_WHOLE, load32, store32 } from './prim.ts';
import * as scratch from './scratch.ts';
import { validate } from './validate.ts';
import { prepareWrites } from './writes.ts';

/** A registered image: image, stride, instances in use, free instance block, bytes at IMAGE_DIRECT, next registration. */
const ENTRY_SIZE: i32 = 24;
const ENTRY_IMAGE: i32 = 0;
const ENTRY_STRIDE: i32 = 4;
const ENTRY_IN_USE: i32 = 8;
const ENTRY_FREE: i32 = 12;
const ENTRY_DIRECT_SIZE: i32 = 16;
const ENTRY_NEXT: i32 = 20;

let first: i32 = 0;
let refused: i32 = 0;

export function refusal(): i32 {
  return refused;
}

/** The registration of an image, or 0. */
export function entryOf(image: i32): i32 {
  let entry: i32 = first;
  while (entry !== 0) {
    if (load32(entry + ENTRY_IMAGE) === image) return entry;
    entry = load32(entry + ENTRY_NEXT);
  }
  return 0;
}

export function entryStride(entry: i32): i32 {
  return load32(entry + ENTRY_STRIDE);
}

export function entryFree(entry: i32): i32 {
  return load32(entry + ENTRY_FREE);
}

export function setEntryFree(entry: i32, block: i32): void {
  store32(entry + ENTRY_FREE, block);
}

export function countInstance(entry: i32, change: i32): void {
  store32(entry + ENTRY_IN_USE, load32(entry + ENTRY_IN_USE) + change);
}

/** u32 words of a configuration. */
export function wordsOf(image: i32): i32 {
  return (load32(image + layout.IMAGE_STATE_COUNT) + 31) >>> 5;
}

export function even(count: i32): i32 {
  return (count + 1) & ~1;
}

/** Validates the image and takes it in. @returns its pointer, FAULT_IMAGE, or FAULT_MEMORY; the block stays the caller's then. */
export function load(pointer: i32, size: i32): i32 {
  refused = validate(pointer, size);
  if (refused < 0) {
    const fault: i32 = refused;
    refused = 0;
    return fault;
  }
  if (refused !== 0 || entryOf(pointer) !== 0) return layout.FAULT_IMAGE;
  const stride: i32 = strideOf(pointer);
  if (scratch.prepare(load32(pointer + layout.IMAGE_STATE_COUNT), stride) < 0) return layout.FAULT_MEMORY;
  if (load32(pointer + layout.IMAGE_PROGRAM_COUNT) !== 0 && prepareCells(load32(pointer + layout.IMAGE_CELL_COUNT)) < 0)
    return layout.FAULT_MEMORY;
  const directBytes: i32 = IS_WHOLE ? directSize() : 0;
  const direct: i32 = directBytes === 0 ? 0 : allocate(directBytes);
  if (direct < 0) return layout.FAULT_MEMORY;
  const entry: i32 = allocate(ENTRY_SIZE);
  if (entry < 0) {
    if (direct !== 0) release(direct, directBytes);
    return layout.FAULT_MEMORY;
  }
  if (IS_WHOLE) plan();
  if (direct !== 0) fillDirect(direct);
  store32(pointer + layout.IMAGE_DIRECT, direct);
  store32(entry + ENTRY_DIRECT_SIZE, directBytes);
  store32(entry + ENTRY_IMAGE, pointer);
  store32(entry + ENTRY_STRIDE, stride);
  store32(entry + ENTRY_IN_USE, 0);
  store32(entry + ENTRY_FREE, 0);
  store32(entry + ENTRY_NEXT, first);
  first = entry;
  return pointer;
}

function prepareCells(count: i32): i32 {
  return scratch.prepareCells() < 0 ? layout.FAULT_MEMORY : prepareWrites(count);
}

/** Bytes of one instance: see the drawing in layout.ts. */
function strideOf(image: i32): i32 {
  const words: i32 = wordsOf(image);
  const states: i32 = load32(image + layout.IMAGE_STATE_COUNT);
  const histories: i32 = load32(image + layout.IMAGE_HISTORY_COUNT);
  const cells: i32 = load32(image + layout.IMAGE_CELL_COUNT) * bytecode.CELL_SIZE;
  return layout.INSTANCE_CONFIGURATION + ((even(words) + even(states) + even(histories * words)) << 2) + cells;
}

export function unload(image: i32): i32 {
  let before: i32 = 0;
  let entry: i32 = first;
  while (entry !== 0) {
    const next: i32 = load32(entry + ENTRY_NEXT);
    if (load32(entry + ENTRY_IMAGE) === image) {
      if (load32(entry + ENTRY_IN_USE) !== 0) return layout.FAULT_IMAGE;
      const stride: i32 = load32(entry + ENTRY_STRIDE);
      let block: i32 = load32(entry + ENTRY_FREE);
      while (block !== 0) {
        const after: i32 = load32(block + layout.INSTANCE_MARK);
        release(block, stride);
        block = after;
      }
      if (before === 0) first = next;
      else store32(before + ENTRY_NEXT, next);
      const direct: i32 = load32(image + layout.IMAGE_DIRECT);
      if (direct !== 0) release(direct, load32(entry + ENTRY_DIRECT_SIZE));
      release(entry, ENTRY_SIZE);
      release(image, load32(image + layout.IMAGE_SIZE));
      return 0;
    }
    before = entry;
    entry = next;
  }
  return layout.FAULT_IMAGE;
}
