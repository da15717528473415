// Which cells of the instance the step has written, each once, and what was in them before: how a fault takes them back, and what the host
// reads the difference off. Entries are sized for the image with the most cells loaded so far; the header never moves.
//
//   header: | count | entries |      entry: | cell | unused | was: a cell |      behind the entries a word per cell: the step that wrote it last

import { allocate, release } from './heap.ts';
import { FAULT_MEMORY } from './layout.ts';
import { CELL_SIZE, WRITE_SIZE, WRITE_WAS, WRITES_ENTRIES, WRITES_SIZE } from './program-layout.ts';
import { copyPair, load32, store32, zeroMemory } from './prim.ts';

/** Address of the header; 0 while no image has programs. */
export let writes: i32 = 0;
let entries: i32 = 0;
let marks: i32 = 0;
let room: i32 = 0;
let count: i32 = 0;
/** Numbers the steps that write, so that no mark has to be taken away; never 0. */
let serial: i32 = 1;

function sizeOf(cells: i32): i32 {
  return cells * WRITE_SIZE + (((cells + 1) & ~1) << 2);
}

/** Makes room for images whose instances have so many cells. @returns 0 or FAULT_MEMORY. */
export function prepareWrites(cells: i32): i32 {
  if (writes === 0) {
    const header: i32 = allocate(WRITES_SIZE);
    if (header < 0) return FAULT_MEMORY;
    writes = header;
    store32(writes, 0);
    store32(writes + WRITES_ENTRIES, 0);
  }
  if (cells <= room) return 0;
  const block: i32 = allocate(sizeOf(cells));
  if (block < 0) return FAULT_MEMORY;
  if (room !== 0) release(entries, sizeOf(room));
  zeroMemory(block, sizeOf(cells));
  entries = block;
  marks = block + cells * WRITE_SIZE;
  room = cells;
  count = 0;
  store32(writes, 0);
  store32(writes + WRITES_ENTRIES, entries);
  return 0;
}

/** A step begins. */
export function beginWrites(): void {
  if (count === 0) return;
  count = 0;
  store32(writes, 0);
  serial += 1;
  if (serial === 0) forgetMarks();
}

/** Once in four billion steps: their numbers come again. */
function forgetMarks(): void {
  zeroMemory(marks, sizeOf(room) - room * WRITE_SIZE);
  serial = 1;
}

/** Before a cell is written. @param at its address. */
export function noteWrite(cell: i32, at: i32): void {
  const mark: i32 = marks + (cell << 2);
  if (load32(mark) === serial) return;
  store32(mark, serial);
  const entry: i32 = entries + count * WRITE_SIZE;
  store32(entry, cell);
  copyPair(entry + WRITE_WAS, at);
  count += 1;
  store32(writes, count);
}

/** Puts everything back. @param cells of the instance that was written. */
export function takeBack(cells: i32): void {
  for (let i: i32 = 0; i < count; i++) {
    const entry: i32 = entries + i * WRITE_SIZE;
    copyPair(cells + load32(entry) * CELL_SIZE, entry + WRITE_WAS);
  }
  beginWrites();
}
