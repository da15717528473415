// Instances: blocks of the stride of their image, told from other numbers by a mark; made, freed, and made whole after the host wrote them.

import { allocate, isWithin, release } from './heap.ts';
import { countInstance, entryFree, entryOf, entryStride, even, setEntryFree, wordsOf } from './image.ts';
import * as layout from './layout.ts';
import { hash64, load16, load32, load8, store32, zeroMemory } from './prim.ts';

/** The registration of the image used last: most calls concern the same one. */
let lastImage: i32 = 0;
let lastEntry: i32 = 0;

export function isInstance(instance: i32): boolean {
  return isWithin(instance, layout.INSTANCE_CONFIGURATION) && load32(instance + layout.INSTANCE_MARK) === (layout.INSTANCE_LIVE ^ instance);
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

/** Derives the configuration from the parity of the clocks and checks all that a step relies on. */
export function settle(instance: i32): i32 {
  if (!isInstance(instance)) return layout.FAULT_INSTANCE;
  const image: i32 = load32(instance + layout.INSTANCE_IMAGE);
  const stateCount: i32 = load32(image + layout.IMAGE_STATE_COUNT);
  const words: i32 = wordsOf(image);
  const configuration: i32 = instance + layout.INSTANCE_CONFIGURATION;
  const clocks: i32 = clocksOf(instance, words);
  const status: i32 = load32(instance + layout.INSTANCE_STATUS);
  if (status < layout.STATUS_NEW || status > layout.STATUS_STOPPED) return layout.FAULT_INSTANCE;
  zeroMemory(configuration, even(words) << 2);
  for (let state: i32 = 0; state < stateCount; state++) {
    if ((load32(clocks + (state << 2)) & 1) === 0) continue;
    const word: i32 = configuration + ((state >>> 5) << 2);
    store32(word, load32(word) | (1 << (state & 31)));
  }
  if ((stateCount & 1) !== 0 && load32(clocks + (stateCount << 2)) !== 0) return layout.FAULT_INSTANCE;
  if (!historiesFit(instance, image, words)) return layout.FAULT_INSTANCE;
  // Before its first step nothing is active; a failed start may leave it so.
  if ((load32(configuration) & 1) === 0) return isEmpty(configuration, words) && status !== layout.STATUS_ACTIVE && status !== layout.STATUS_DONE ? 0 : layout.FAULT_INSTANCE;
  return isLegal(image, configuration, stateCount) ? 0 : layout.FAULT_INSTANCE;
}

function isEmpty(configuration: i32, words: i32): boolean {
  for (let word: i32 = 0; word < words; word++) if (load32(configuration + (word << 2)) !== 0) return false;
  return true;
}

function bit(words: i32, state: i32): i32 {
  return (load32(words + ((state >>> 5) << 2)) >>> (state & 31)) & 1;
}

/** Every active state's parent is active; an active compound has one active child, an active parallel has all. */
function isLegal(image: i32, configuration: i32, stateCount: i32): boolean {
  const states: i32 = image + load32(image + layout.IMAGE_STATES);
  for (let state: i32 = 0; state < stateCount; state++) {
    if (bit(configuration, state) === 0) continue;
    const at: i32 = states + state * layout.STATE_SIZE;
    if (state > 0 && bit(configuration, load16(at + layout.STATE_PARENT)) === 0) return false;
    const kind: i32 = load8(at + layout.STATE_KIND);
    const end: i32 = load16(at + layout.STATE_END);
    let active: i32 = 0;
    let children: i32 = 0;
    let child: i32 = state + 1;
    while (child <= end) {
      children += 1;
      active += bit(configuration, child);
      child = load16(states + child * layout.STATE_SIZE + layout.STATE_END) + 1;
    }
    if (kind === layout.KIND_COMPOUND && active !== 1) return false;
    if (kind === layout.KIND_PARALLEL && active !== children) return false;
  }
  return true;
}

/** Shallow history remembers children of its parent, deep history atomic descendants; bits behind the last state are clear. */
function historiesFit(instance: i32, image: i32, words: i32): boolean {
  const count: i32 = load32(image + layout.IMAGE_HISTORY_COUNT);
  const stateCount: i32 = load32(image + layout.IMAGE_STATE_COUNT);
  const states: i32 = image + load32(image + layout.IMAGE_STATES);
  const memory: i32 = clocksOf(instance, words) + (even(stateCount) << 2);
  for (let history: i32 = 0; history < count; history++) {
    const at: i32 = image + load32(image + layout.IMAGE_HISTORIES) + history * layout.HISTORY_SIZE;
    const parent: i32 = load16(at + layout.HISTORY_PARENT);
    const end: i32 = load16(states + parent * layout.STATE_SIZE + layout.STATE_END);
    const bits: i32 = memory + ((history * words) << 2);
    if ((stateCount & 31) !== 0 && load32(bits + ((words - 1) << 2)) >>> (stateCount & 31) !== 0) return false;
    for (let state: i32 = 0; state < stateCount; state++) {
      if (bit(bits, state) === 0) continue;
      if (state <= parent || state > end) return false;
      const record: i32 = states + state * layout.STATE_SIZE;
      if (load8(at + layout.HISTORY_DEEP) === 0) {
        if (load16(record + layout.STATE_PARENT) !== parent) return false;
      } else if (load16(record + layout.STATE_END) !== state) return false;
    }
  }
  return true;
}

/** Writes xxh64 of what replicas must agree on. */
export function digest(instance: i32, out: i32): i32 {
  if (!isInstance(instance)) return layout.FAULT_INSTANCE;
  const size: i32 = stride(load32(instance + layout.INSTANCE_IMAGE));
  hash64(instance + layout.INSTANCE_STATUS, size - layout.INSTANCE_STATUS, 0, 0, out);
  return 0;
}

/** For the host: a block it asked for with allocate. */
export function releaseBlock(pointer: i32, size: i32): void {
  if (isWithin(pointer, size)) release(pointer, size);
}
