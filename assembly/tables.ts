// The tables of the image that is being validated, as addresses and counts. Nothing here checks anything: validate.ts and
// validate-plan.ts call it only for numbers that they have found in range.

import * as layout from './layout.ts';
import * as bytecode from './program-layout.ts';
import { load16, load32, load8, loadNumber } from './prim.ts';

export let base: i32 = 0;
/** Bytes that the hash covers: every table lies inside. */
export let hashed: i32 = 0;
export let stateCount: i32 = 0;
export let eventCount: i32 = 0;
export let transitionCount: i32 = 0;
export let historyCount: i32 = 0;
export let timerCount: i32 = 0;
export let raiseCount: i32 = 0;
export let functionCount: i32 = 0;
export let listCount: i32 = 0;
export let selectCount: i32 = 0;
export let candidateCount: i32 = 0;
export let programCount: i32 = 0;
export let codeCount: i32 = 0;
export let constantCount: i32 = 0;
export let cellCount: i32 = 0;
/** List words looked at so far: lists may be shared, so the sum of their lengths is bounded by nothing else. */
let work: i32 = 0;

export function enterTables(pointer: i32): void {
  base = pointer;
  work = 0;
  hashed = field(layout.IMAGE_HASHED_SIZE);
  stateCount = field(layout.IMAGE_STATE_COUNT);
  eventCount = field(layout.IMAGE_EVENT_COUNT);
  transitionCount = field(layout.IMAGE_TRANSITION_COUNT);
  historyCount = field(layout.IMAGE_HISTORY_COUNT);
  timerCount = field(layout.IMAGE_TIMER_COUNT);
  raiseCount = field(layout.IMAGE_RAISE_COUNT);
  functionCount = field(layout.IMAGE_FUNCTION_COUNT);
  listCount = field(layout.IMAGE_LISTS_COUNT);
  selectCount = field(layout.IMAGE_SELECT_COUNT);
  candidateCount = field(layout.IMAGE_CANDIDATE_COUNT);
  programCount = field(layout.IMAGE_PROGRAM_COUNT);
  codeCount = field(layout.IMAGE_CODE_COUNT);
  constantCount = field(layout.IMAGE_CONSTANT_COUNT);
  cellCount = field(layout.IMAGE_CELL_COUNT);
}

/** A word of the header. */
export function field(offset: i32): i32 {
  return load32(base + offset);
}

export function stateAt(state: i32): i32 {
  return base + field(layout.IMAGE_STATES) + state * layout.STATE_SIZE;
}

export function parentOf(state: i32): i32 {
  return load16(stateAt(state) + layout.STATE_PARENT);
}

export function endOf(state: i32): i32 {
  return load16(stateAt(state) + layout.STATE_END);
}

export function kindOf(state: i32): i32 {
  return load8(stateAt(state) + layout.STATE_KIND);
}

export function hasChildren(state: i32): boolean {
  const kind: i32 = kindOf(state);
  return kind === layout.KIND_COMPOUND || kind === layout.KIND_PARALLEL;
}

export function eventAt(event: i32): i32 {
  return base + field(layout.IMAGE_EVENTS) + event * layout.EVENT_SIZE;
}

export function transitionAt(transition: i32): i32 {
  return base + field(layout.IMAGE_TRANSITIONS) + transition * layout.TRANSITION_SIZE;
}

export function sourceOf(transition: i32): i32 {
  return load16(transitionAt(transition) + layout.TRANSITION_SOURCE);
}

export function historyAt(history: i32): i32 {
  return base + field(layout.IMAGE_HISTORIES) + history * layout.HISTORY_SIZE;
}

export function historyParent(history: i32): i32 {
  return load16(historyAt(history) + layout.HISTORY_PARENT);
}

export function timerAt(timer: i32): i32 {
  return base + field(layout.IMAGE_TIMERS) + timer * layout.TIMER_SIZE;
}

export function raiseAt(raise: i32): i32 {
  return base + field(layout.IMAGE_RAISES) + raise * layout.RAISE_SIZE;
}

export function selectWord(index: i32): i32 {
  return load32(base + field(layout.IMAGE_SELECT) + (index << 2));
}

export function candidate(index: i32): i32 {
  return load32(base + field(layout.IMAGE_CANDIDATES) + (index << 2));
}

/** The length of a list; -1 when it does not fit in LISTS, or when the image asks for more looking than VALIDATION_WORK_MAX. */
export function listLength(index: i32): i32 {
  if (index < 0 || index >= listCount) return -1;
  const length: i32 = load32(base + field(layout.IMAGE_LISTS) + (index << 2));
  if (length < 0 || length > listCount - 1 - index) return -1;
  work += length;
  return work > layout.VALIDATION_WORK_MAX ? -1 : length;
}

export function listWord(index: i32, position: i32): i32 {
  return load32(base + field(layout.IMAGE_LISTS) + ((index + 1 + position) << 2));
}

/** Counts looking against VALIDATION_WORK_MAX. @returns whether there may be so much more of it. */
export function mayLook(words: i32): boolean {
  work += words;
  return work <= layout.VALIDATION_WORK_MAX;
}

export function programAt(program: i32): i32 {
  return base + field(layout.IMAGE_PROGRAMS) + program * bytecode.PROGRAM_SIZE;
}

export function codeAt(index: i32): i32 {
  return base + field(layout.IMAGE_CODE) + (index << 2);
}

export function codeWord(index: i32): i32 {
  return load32(codeAt(index));
}

export function constantTag(constant: i32): i32 {
  return load32(base + field(layout.IMAGE_CONSTANTS) + constant * bytecode.CELL_SIZE);
}

export function constantHandle(constant: i32): i32 {
  return load32(base + field(layout.IMAGE_CONSTANTS) + constant * bytecode.CELL_SIZE + bytecode.CELL_HANDLE);
}

/** Finite, not −0, and 0 unless the constant is a number. */
export function isConstantNumber(constant: i32): boolean {
  const at: i32 = base + field(layout.IMAGE_CONSTANTS) + constant * bytecode.CELL_SIZE;
  const number: f64 = loadNumber(at + bytecode.CELL_NUMBER);
  if (number === 0) return load32(at + bytecode.CELL_NUMBER + 4) === 0;
  return number - number === 0 && constantTag(constant) === bytecode.TAG_NUMBER;
}

export function isFunction(number: i32): boolean {
  return number >= 0 && number < functionCount;
}
