// Working memory of a step, shared by all instances because one step runs at a time: sized for the largest image loaded so far.
//
//   chosen      transitions selected, in order, and behind them the domain of each
//   stack       states on the way up while selecting; while entering, the history node behind each bit of fallbacks
//   exits, enters, defaults, targets, completed, fallbacks, invokes   one bitset each
//   queue       internal events of the macrostep, {event, handle} each
//   output      records for the host
//   undo        the instance as it was, from INSTANCE_STATUS up to its cells
//   counts      one word per state, for the validator
//   log         the cell that a RECORD_WRITE wrote, at the number of the record
//   locals, cells   of programs: what they bind, and their stack. Like the log, only when an image has programs.

import { markRecord } from './cover.ts';
import { allocate, release } from './heap.ts';
import {
  COVER,
  FAULT_MEMORY,
  FAULT_OUTPUT_FULL,
  OUTPUT_SIZE,
  OUTPUT_SIZE_MAX,
  QUEUE_MAX,
  QUIET,
  RECORD_SIZE,
  RECORD_WRITE,
} from './layout.ts';
import { CELL_SIZE, LOCAL_MAX, PROGRAM_DEPTH_MAX, STACK_MAX } from './program-layout.ts';
import { copyPair, IS_WHOLE, load32, store32 } from './prim.ts';

export let chosen: i32 = 0;
export let domains: i32 = 0;
export let stack: i32 = 0;
export let exits: i32 = 0;
export let enters: i32 = 0;
export let defaults: i32 = 0;
export let targets: i32 = 0;
export let completed: i32 = 0;
/** SCXML: states whose entry runs the content of a history default. */
export let fallbacks: i32 = 0;
/** SCXML: states that were entered in this macrostep and have something to invoke. */
export let invokes: i32 = 0;
export let queue: i32 = 0;
export let counts: i32 = 0;
export let undo: i32 = 0;
export let output: i32 = 0;
export let outputCount: i32 = 0;
export let log: i32 = 0;
export let locals: i32 = 0;
export let cells: i32 = 0;

/** Those of the step that runs: TRACE, QUIET … */
export let flags: i32 = 0;
let outputSize: i32 = 0;
let stateRoom: i32 = 0;
let stateBytes: i32 = 0;
let undoRoom: i32 = 0;

/** Bytes of one entry of the queue. */
export const QUEUE_ENTRY: i32 = 8;

/** Makes room for images of `states` states whose instances have `stride` bytes. @returns 0 or FAULT_MEMORY. */
export function prepare(states: i32, stride: i32): i32 {
  if (queue === 0) {
    const block: i32 = allocate(QUEUE_MAX * QUEUE_ENTRY + OUTPUT_SIZE);
    if (block < 0) return FAULT_MEMORY;
    queue = block;
    output = block + QUEUE_MAX * QUEUE_ENTRY;
    outputSize = OUTPUT_SIZE;
  }
  if (states > stateRoom) {
    const wordBytes: i32 = ((states + 63) >>> 6) << 3;
    const size: i32 = (states << 2) * 4 + wordBytes * 7 + 64;
    const block: i32 = allocate(size);
    if (block < 0) return FAULT_MEMORY;
    if (chosen !== 0) release(chosen, stateBytes);
    stateBytes = size;
    chosen = block;
    domains = chosen + (states << 2);
    stack = domains + (states << 2);
    counts = stack + (states << 2);
    exits = (counts + (states << 2) + 7) & ~7;
    enters = exits + wordBytes;
    defaults = enters + wordBytes;
    targets = defaults + wordBytes;
    completed = targets + wordBytes;
    fallbacks = completed + wordBytes;
    invokes = fallbacks + wordBytes;
    stateRoom = states;
  }
  if (stride > undoRoom) {
    const block: i32 = allocate(stride);
    if (block < 0) return FAULT_MEMORY;
    if (undo !== 0) release(undo, undoRoom);
    undo = block;
    undoRoom = stride;
  }
  return 0;
}

/** Makes room for programs. @returns 0 or FAULT_MEMORY. */
export function prepareCells(): i32 {
  if (cells !== 0) return 0;
  const block: i32 = allocate((LOCAL_MAX + STACK_MAX * PROGRAM_DEPTH_MAX) * CELL_SIZE);
  if (block < 0) return FAULT_MEMORY;
  const made: i32 = allocate(outputSize * (CELL_SIZE / RECORD_SIZE));
  if (made < 0) return FAULT_MEMORY;
  log = made;
  locals = block;
  cells = block + LOCAL_MAX * CELL_SIZE;
  return 0;
}

export function countOf(state: i32): i32 {
  return load32(counts + (state << 2));
}

export function setCount(state: i32, count: i32): void {
  store32(counts + (state << 2), count);
}

export function clearCounts(states: i32): void {
  for (let state: i32 = 0; state < states; state++) setCount(state, 0);
}

export function clearOutput(): void {
  outputCount = 0;
}

/** A step with these flags begins. */
export function begin(its: i32): void {
  flags = its;
  outputCount = 0;
}

/** Whether nobody reads the records of the step that runs. */
function isQuiet(): boolean {
  return (flags & QUIET) !== 0;
}

/** Appends a record. @returns 0 or FAULT_OUTPUT_FULL. */
export function emit(kind: i32, argument: i32, aux: i32): i32 {
  return (flags & (QUIET | COVER)) !== 0 ? emitElse(kind, argument, aux) : append(kind, argument, aux);
}

/** In a step with COVER or QUIET. */
function emitElse(kind: i32, argument: i32, aux: i32): i32 {
  if (IS_WHOLE && (flags & COVER) !== 0) markRecord(kind, argument);
  return (flags & QUIET) !== 0 ? 0 : append(kind, argument, aux);
}

function append(kind: i32, argument: i32, aux: i32): i32 {
  const at: i32 = outputCount * RECORD_SIZE;
  if (at + RECORD_SIZE > outputSize) return FAULT_OUTPUT_FULL;
  store32(output + at, (kind << 24) | argument);
  store32(output + at + 4, aux);
  outputCount += 1;
  return 0;
}

/** Records that a cell of the instance was written, and what was. @returns 0 or FAULT_OUTPUT_FULL. */
export function emitWrite(cell: i32, from: i32): i32 {
  if (isQuiet()) return 0;
  const at: i32 = log + outputCount * CELL_SIZE;
  const fault: i32 = emit(RECORD_WRITE, cell, 0);
  if (fault === 0) copyPair(at, from);
  return fault;
}

/** Makes room for `size` bytes of records. @returns 0 or FAULT_MEMORY. */
export function reserve(size: i32): i32 {
  if (queue === 0 && prepare(0, 0) < 0) return FAULT_MEMORY;
  if (size <= outputSize) return 0;
  if (size > OUTPUT_SIZE_MAX) return FAULT_MEMORY;
  const block: i32 = allocate(size);
  if (block < 0) return FAULT_MEMORY;
  if (log !== 0) {
    const made: i32 = allocate(size * (CELL_SIZE / RECORD_SIZE));
    if (made < 0) {
      release(block, size);
      return FAULT_MEMORY;
    }
    release(log, outputSize * (CELL_SIZE / RECORD_SIZE));
    log = made;
  }
  if (output !== queue + QUEUE_MAX * QUEUE_ENTRY) release(output, outputSize);
  output = block;
  outputSize = size;
  outputCount = 0;
  return 0;
}
