// Blocks of memory: a bump pointer and free lists by size class. A class is a multiple of 8 bytes up to CLASS_MAX, above it a power of two;
// a released block is the next one handed out for its class. Blocks are 8-aligned and not cleared.

import { FAULT_MEMORY, MEMORY_PAGES_MAX } from './layout.ts';
import { growMemory, heapBase, load32, memoryPages, store32, zeroMemory } from './prim.ts';

const CLASS_MAX: i32 = 4096;
const SMALL_CLASSES: i32 = 513;
const LARGE_CLASSES: i32 = 32;

/** The heads of the free lists; 0 before the first allocation. */
let heads: i32 = 0;
let next: i32 = 0;

/** Bytes that a block for `size` really has. */
function classSize(size: i32): i32 {
  if (size <= CLASS_MAX) return size < 8 ? 8 : (size + 7) & ~7;
  let power: i32 = CLASS_MAX * 2;
  while (power < size) power = power << 1;
  return power;
}

function classHead(size: i32): i32 {
  if (size <= CLASS_MAX) return heads + ((size >> 3) << 2);
  let index: i32 = 0;
  while ((CLASS_MAX * 2) << index < size) index += 1;
  return heads + ((SMALL_CLASSES + index) << 2);
}

function prepare(): void {
  heads = (heapBase() + 7) & ~7;
  next = (heads + ((SMALL_CLASSES + LARGE_CLASSES) << 2) + 7) & ~7;
  if (memoryPages() === 0) growMemory(1);
  zeroMemory(heads, next - heads);
}

/** @returns a pointer, or FAULT_MEMORY. */
export function allocate(size: i32): i32 {
  if (heads === 0) prepare();
  if (size < 0 || size > 0x20000000) return FAULT_MEMORY;
  const bytes: i32 = classSize(size);
  const head: i32 = classHead(bytes);
  const free: i32 = load32(head);
  if (free !== 0) {
    store32(head, load32(free));
    return free;
  }
  const end: i32 = next + bytes;
  const pages: i32 = memoryPages();
  const wanted: i32 = ((end - 1) >>> 16) + 1;
  if (wanted > MEMORY_PAGES_MAX) return FAULT_MEMORY;
  if (wanted > pages) {
    // An eighth more than asked for, so that a million instances do not grow it a million times.
    let more: i32 = wanted - pages + (pages >> 3);
    if (pages + more > MEMORY_PAGES_MAX) more = wanted - pages;
    if (growMemory(more) === 0 && growMemory(wanted - pages) === 0) return FAULT_MEMORY;
  }
  const pointer: i32 = next;
  next = end;
  return pointer;
}

/** Gives back a block that allocate(size) gave. */
export function release(pointer: i32, size: i32): void {
  const head: i32 = classHead(classSize(size));
  store32(pointer, load32(head));
  store32(head, pointer);
}

/** Whether [pointer, pointer + size) lies in memory that was handed out at some time, 8-aligned. */
export function isWithin(pointer: i32, size: i32): boolean {
  return heads !== 0 && (pointer & 7) === 0 && pointer > heads && size >= 0 && size <= next && pointer <= next - size;
}
