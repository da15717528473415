// Loaded images: a list of them, so that a handle can be trusted, and the validator, the one gate for untrusted bytes. Behind it every
// table access of the stepper is in bounds and every walk ends. docs/IMAGE.md lists the refusals by number.

import * as layout from './layout.ts';
import { allocate, isWithin, release } from './heap.ts';
import { hash64, load16, load32, load8, populationCount, store32 } from './prim.ts';

/** A registered image: image, stride, instances in use, free instance block, words, next registration. */
const ENTRY_SIZE: i32 = 24;
const ENTRY_IMAGE: i32 = 0;
const ENTRY_STRIDE: i32 = 4;
const ENTRY_IN_USE: i32 = 8;
const ENTRY_FREE: i32 = 12;
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

export function load(pointer: i32, size: i32): i32 {
  refused = validate(pointer, size);
  if (refused !== 0) return layout.FAULT_IMAGE;
  const entry: i32 = allocate(ENTRY_SIZE);
  if (entry < 0) return layout.FAULT_MEMORY;
  const words: i32 = wordsOf(pointer);
  const states: i32 = load32(pointer + layout.IMAGE_STATE_COUNT);
  const histories: i32 = load32(pointer + layout.IMAGE_HISTORY_COUNT);
  store32(entry + ENTRY_IMAGE, pointer);
  store32(entry + ENTRY_STRIDE, layout.INSTANCE_CONFIGURATION + ((even(words) + even(states) + even(histories * words)) << 2));
  store32(entry + ENTRY_IN_USE, 0);
  store32(entry + ENTRY_FREE, 0);
  store32(entry + ENTRY_NEXT, first);
  first = entry;
  return pointer;
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
      release(entry, ENTRY_SIZE);
      release(image, load32(image + layout.IMAGE_SIZE) + 8);
      return 0;
    }
    before = entry;
    entry = next;
  }
  return layout.FAULT_IMAGE;
}

// ── The validator: each function returns 0, or the number of the check that failed ───────────────────────────────

let base: i32 = 0;
let hashed: i32 = 0;
let stateCount: i32 = 0;
let eventCount: i32 = 0;
let transitionCount: i32 = 0;
let historyCount: i32 = 0;
let timerCount: i32 = 0;
let raiseCount: i32 = 0;
let functionCount: i32 = 0;
let listCount: i32 = 0;
let selectCount: i32 = 0;
let candidateCount: i32 = 0;

function field(offset: i32): i32 {
  return load32(base + offset);
}

function validate(pointer: i32, size: i32): i32 {
  if (size < layout.HEADER_SIZE || (size & 7) !== 0 || !isWithin(pointer, size + 8)) return 1;
  base = pointer;
  if (field(layout.IMAGE_MAGIC) !== layout.MAGIC) return 2;
  if (field(layout.IMAGE_FORMAT) !== layout.FORMAT) return 3;
  if (field(layout.IMAGE_SIZE) !== size) return 4;
  hashed = field(layout.IMAGE_HASHED_SIZE);
  if (hashed < layout.HEADER_SIZE || hashed > size || (hashed & 7) !== 0) return 5;
  // The word pair behind the image is ours (the block was asked for with 8 bytes more): the hash is computed into it.
  hash64(base + layout.IMAGE_SEMANTICS, hashed - layout.IMAGE_SEMANTICS, 0, 0, base + size);
  if (load32(base + size) !== field(layout.IMAGE_HASH) || load32(base + size + 4) !== field(layout.IMAGE_HASH + 4)) return 6;
  if ((field(layout.IMAGE_SEMANTICS) & ~layout.SEMANTICS_KNOWN) !== 0) return 7;
  if (field(layout.IMAGE_FUEL) < 1 || field(layout.IMAGE_FUEL) > layout.FUEL_MAX) return 8;
  const counts: i32 = validateCounts();
  if (counts !== 0) return counts;
  const tree: i32 = validateStates();
  if (tree !== 0) return tree;
  const events: i32 = validateEvents();
  if (events !== 0) return events;
  const transitions: i32 = validateTransitions();
  if (transitions !== 0) return transitions;
  return validateRest();
}

/** Whether `count` records of `size` bytes at the offset in the header field lie in the hashed part, 8-aligned. */
function section(offsetField: i32, count: i32, size: i32): boolean {
  const offset: i32 = field(offsetField);
  if (offset < layout.HEADER_SIZE || (offset & 7) !== 0 || offset > hashed) return false;
  return count >= 0 && count <= ((hashed - offset) / size | 0);
}

function validateCounts(): i32 {
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
  if (stateCount < 1 || stateCount > layout.STATE_MAX) return 10;
  if (eventCount < 1 || eventCount > layout.EVENT_MAX) return 11;
  if (transitionCount < 0 || transitionCount > layout.TRANSITION_MAX) return 12;
  if (historyCount < 0 || historyCount > layout.STATE_MAX) return 13;
  if (timerCount < 0 || timerCount > layout.ACTION_ARG_MASK) return 14;
  if (functionCount < 0 || functionCount > layout.ACTION_ARG_MASK) return 15;
  if (!section(layout.IMAGE_STATES, stateCount, layout.STATE_SIZE)) return 16;
  if (!section(layout.IMAGE_EVENTS, eventCount + 1, layout.EVENT_SIZE)) return 17;
  if (!section(layout.IMAGE_TRANSITIONS, transitionCount, layout.TRANSITION_SIZE)) return 18;
  if (!section(layout.IMAGE_HISTORIES, historyCount, layout.HISTORY_SIZE)) return 19;
  if (!section(layout.IMAGE_TIMERS, timerCount, layout.TIMER_SIZE)) return 20;
  if (!section(layout.IMAGE_RAISES, raiseCount, layout.RAISE_SIZE)) return 21;
  if (!section(layout.IMAGE_LISTS, listCount, 4) || listCount < 1) return 22;
  if (load32(base + field(layout.IMAGE_LISTS)) !== 0) return 23;
  if (!section(layout.IMAGE_SELECT, selectCount, 4)) return 24;
  if (!section(layout.IMAGE_CANDIDATES, candidateCount, 4)) return 25;
  if (!section(layout.IMAGE_SYMBOLS, field(layout.IMAGE_SYMBOLS_SIZE), 1)) return 26;
  // An instance's memory, history words included, stays addressable.
  if (historyCount > 0 && ((layout.OUTPUT_SIZE_MAX / historyCount) | 0) < (stateCount >>> 3) + 8) return 27;
  return 0;
}

function stateAt(state: i32): i32 {
  return base + field(layout.IMAGE_STATES) + state * layout.STATE_SIZE;
}

function transitionAt(transition: i32): i32 {
  return base + field(layout.IMAGE_TRANSITIONS) + transition * layout.TRANSITION_SIZE;
}

/** The words of a list are at lists + 4 .. ; its length, or -1 when it is out of bounds. */
function listLength(index: i32): i32 {
  if (index < 0 || index >= listCount) return -1;
  const length: i32 = load32(base + field(layout.IMAGE_LISTS) + (index << 2));
  return length < 0 || length > listCount - 1 - index ? -1 : length;
}

function listWord(index: i32, position: i32): i32 {
  return load32(base + field(layout.IMAGE_LISTS) + ((index + 1 + position) << 2));
}

function isFunction(number: i32): boolean {
  return number >= 0 && number < functionCount;
}

function validActions(index: i32): boolean {
  const length: i32 = listLength(index);
  if (length < 0) return false;
  for (let i: i32 = 0; i < length; i++) {
    const word: i32 = listWord(index, i);
    const kind: i32 = word >>> 24;
    const argument: i32 = word & layout.ACTION_ARG_MASK;
    if (kind < 1 || kind > layout.ACTION_KIND_MAX) return false;
    if (kind === layout.ACTION_RAISE) {
      if (argument >= raiseCount) return false;
    } else if (kind === layout.ACTION_SCHEDULE || kind === layout.ACTION_CANCEL) {
      if (argument >= timerCount) return false;
    } else if (!isFunction(argument)) return false;
  }
  return true;
}

/** The tree in pre-order: each state begins where its elder sibling's range ends, and every range closes inside its parent's. */
function validateStates(): i32 {
  if (load16(stateAt(0) + layout.STATE_PARENT) !== layout.NONE16 || load16(stateAt(0) + layout.STATE_END) !== stateCount - 1) return 30;
  for (let state: i32 = 0; state < stateCount; state++) {
    const at: i32 = stateAt(state);
    const kind: i32 = load8(at + layout.STATE_KIND);
    const end: i32 = load16(at + layout.STATE_END);
    if (end < state || end >= stateCount) return 31;
    if (kind > layout.KIND_FINAL) return 32;
    const hasChildren: boolean = end > state;
    if (hasChildren !== (kind === layout.KIND_COMPOUND || kind === layout.KIND_PARALLEL)) return 33;
    if (state > 0) {
      const parent: i32 = load16(at + layout.STATE_PARENT);
      if (parent >= state || end > load16(stateAt(parent) + layout.STATE_END)) return 34;
      // Its predecessor in pre-order is its parent, or the last state of an elder sibling.
      const elder: i32 = siblingEndingAt(state - 1, parent);
      if (elder < 0) return 35;
    }
    const initial: i32 = load16(at + layout.STATE_INITIAL);
    if (kind === layout.KIND_COMPOUND) {
      if (initial >= transitionCount) return 36;
      if (!validInitial(state, end, initial)) return 37;
    } else if (initial !== layout.NONE16) return 38;
    if (!validActions(load32(at + layout.STATE_ENTRY))) return 39;
    if (!validActions(load32(at + layout.STATE_EXIT))) return 40;
    const done: i32 = load16(at + layout.STATE_DONE_EVENT);
    if (done !== layout.NONE16 && done >= eventCount) return 41;
    const output: i32 = load16(at + layout.STATE_OUTPUT);
    if (output !== layout.NONE16 && !isFunction(output)) return 42;
    const histories: i32 = load32(at + layout.STATE_HISTORIES);
    const count: i32 = listLength(histories);
    if (count < 0) return 43;
    for (let i: i32 = 0; i < count; i++) {
      const history: i32 = listWord(histories, i);
      if (history < 0 || history >= historyCount) return 44;
      if (load16(base + field(layout.IMAGE_HISTORIES) + history * layout.HISTORY_SIZE + layout.HISTORY_PARENT) !== state) return 45;
    }
  }
  return 0;
}

/** Climbs from `last`: it must be `parent` itself, or a descendant whose chain of range ends leads to a child of `parent`. */
function siblingEndingAt(last: i32, parent: i32): i32 {
  let state: i32 = last;
  while (state !== parent) {
    if (state === 0 || load16(stateAt(state) + layout.STATE_END) !== last) return -1;
    const above: i32 = load16(stateAt(state) + layout.STATE_PARENT);
    if (above >= state) return -1;
    state = above;
  }
  return state;
}

/** One target: a direct child, or a history node of this compound. */
function validInitial(state: i32, end: i32, initial: i32): boolean {
  const targets: i32 = load32(transitionAt(initial) + layout.TRANSITION_TARGETS);
  if (listLength(targets) !== 1) return false;
  const target: i32 = listWord(targets, 0);
  if ((target & layout.TARGET_HISTORY) !== 0) return (target & 0x7fffffff) < historyCount;
  return target > state && target <= end;
}

function selectWord(index: i32): i32 {
  return load32(base + field(layout.IMAGE_SELECT) + (index << 2));
}

function validateEvents(): i32 {
  const words: i32 = wordsOf(base);
  for (let event: i32 = 0; event <= eventCount; event++) {
    const at: i32 = base + field(layout.IMAGE_EVENTS) + event * layout.EVENT_SIZE;
    const mask: i32 = load32(at + layout.EVENT_MASK);
    const rank: i32 = load32(at + layout.EVENT_RANK);
    const starts: i32 = load32(at + layout.EVENT_STARTS);
    const entries: i32 = load32(at + layout.EVENT_ENTRY_COUNT);
    if (entries < 0 || entries > stateCount) return 50;
    if (mask < 0 || mask > selectCount - words) return 51;
    if (rank < 0 || rank > selectCount - words) return 52;
    if (starts < 0 || starts > selectCount - entries - 1) return 53;
    let bits: i32 = 0;
    for (let word: i32 = 0; word < words; word++) {
      if (selectWord(rank + word) !== bits) return 54;
      bits += populationCount(selectWord(mask + word));
    }
    if (bits !== entries) return 55;
    // No bit behind the last state.
    if ((stateCount & 31) !== 0 && selectWord(mask + words - 1) >>> (stateCount & 31) !== 0) return 56;
    let before: i32 = 0;
    for (let entry: i32 = 0; entry <= entries; entry++) {
      const start: i32 = selectWord(starts + entry);
      if (start < before || start > candidateCount) return 57;
      before = start;
    }
  }
  const candidates: i32 = base + field(layout.IMAGE_CANDIDATES);
  for (let i: i32 = 0; i < candidateCount; i++) {
    const transition: i32 = load32(candidates + (i << 2));
    if (transition < 0 || transition >= transitionCount) return 58;
  }
  return validateCandidateSources(words);
}

/** A candidate of a state has that state as its source: selection relies on it. */
function validateCandidateSources(words: i32): i32 {
  const candidates: i32 = base + field(layout.IMAGE_CANDIDATES);
  for (let event: i32 = 0; event <= eventCount; event++) {
    const at: i32 = base + field(layout.IMAGE_EVENTS) + event * layout.EVENT_SIZE;
    const mask: i32 = load32(at + layout.EVENT_MASK);
    const starts: i32 = load32(at + layout.EVENT_STARTS);
    let entry: i32 = 0;
    for (let state: i32 = 0; state < stateCount && load32(at + layout.EVENT_ENTRY_COUNT) > entry; state++) {
      if (((selectWord(mask + (state >>> 5)) >>> (state & 31)) & 1) === 0) continue;
      const to: i32 = selectWord(starts + entry + 1);
      for (let i: i32 = selectWord(starts + entry); i < to; i++) {
        if (load16(transitionAt(load32(candidates + (i << 2))) + layout.TRANSITION_SOURCE) !== state) return 59;
      }
      entry += 1;
    }
  }
  return words < 1 ? 59 : 0;
}

function validTarget(word: i32): boolean {
  if ((word & layout.TARGET_HISTORY) !== 0) return (word & 0x7fffffff) < historyCount;
  return word < stateCount;
}

function validateTransitions(): i32 {
  for (let transition: i32 = 0; transition < transitionCount; transition++) {
    const at: i32 = transitionAt(transition);
    const source: i32 = load16(at + layout.TRANSITION_SOURCE);
    const domain: i32 = load16(at + layout.TRANSITION_DOMAIN);
    const flags: i32 = load16(at + layout.TRANSITION_FLAGS);
    const guardKind: i32 = load16(at + layout.TRANSITION_GUARD_KIND);
    const guardArgument: i32 = load32(at + layout.TRANSITION_GUARD_ARG);
    if (source >= stateCount) return 60;
    if ((flags & ~7) !== 0) return 61;
    if (guardKind > layout.GUARD_IN) return 62;
    if (guardKind === layout.GUARD_HOST && !isFunction(guardArgument)) return 63;
    if (guardKind === layout.GUARD_IN && (guardArgument < 0 || guardArgument >= stateCount)) return 64;
    if (!validActions(load32(at + layout.TRANSITION_ACTIONS))) return 65;
    const targets: i32 = load32(at + layout.TRANSITION_TARGETS);
    const targetCount: i32 = listLength(targets);
    if (targetCount < 0) return 66;
    for (let i: i32 = 0; i < targetCount; i++) if (!validTarget(listWord(targets, i))) return 67;
    if (((flags & layout.TRANSITION_TARGETLESS) !== 0) !== (targetCount === 0)) return 68;
    if ((flags & (layout.TRANSITION_TARGETLESS | layout.TRANSITION_DYNAMIC)) !== 0) continue;
    // The domain encloses the source, so it is active whenever the transition is selected.
    if (domain !== layout.NONE16 && (domain > source || load16(stateAt(domain) + layout.STATE_END) < source)) return 69;
    const entries: i32 = validEntry(load32(at + layout.TRANSITION_ENTRY), domain);
    if (entries !== 0) return entries;
  }
  return 0;
}

/**
 * What a static entry list makes of the domain must be a legal configuration: ascending, inside the domain, parents before children, one
 * child of every compound and all children of every parallel.
 */
function validEntry(list: i32, domain: i32): i32 {
  const count: i32 = listLength(list);
  if (count < 0) return 70;
  let before: i32 = -1;
  for (let i: i32 = 0; i < count; i++) {
    const state: i32 = listWord(list, i) & 0x7fffffff;
    if (state >= stateCount || state <= before) return 71;
    if (domain !== layout.NONE16 && (state <= domain || state > load16(stateAt(domain) + layout.STATE_END))) return 72;
    before = state;
    const parent: i32 = load16(stateAt(state) + layout.STATE_PARENT);
    if (state > 0 && parent !== domain && !listHas(list, count, parent)) return 73;
    if (!childrenFit(list, count, state)) return 74;
  }
  if (domain === layout.NONE16) return listHas(list, count, 0) ? 0 : 75;
  const kind: i32 = load8(stateAt(domain) + layout.STATE_KIND);
  if (kind === layout.KIND_COMPOUND || kind === layout.KIND_PARALLEL) return childrenFit(list, count, domain) ? 0 : 76;
  return count === 0 ? 0 : 77;
}

function childrenFit(list: i32, count: i32, state: i32): boolean {
  const kind: i32 = load8(stateAt(state) + layout.STATE_KIND);
  const end: i32 = load16(stateAt(state) + layout.STATE_END);
  let entered: i32 = 0;
  let children: i32 = 0;
  let child: i32 = state + 1;
  while (child <= end) {
    children += 1;
    if (listHas(list, count, child)) entered += 1;
    child = load16(stateAt(child) + layout.STATE_END) + 1;
  }
  return kind === layout.KIND_PARALLEL ? entered === children : kind === layout.KIND_COMPOUND ? entered === 1 : entered === 0;
}

/** Binary search; the list ascends as far as it has been checked, and a miss beyond that only refuses. */
function listHas(list: i32, count: i32, state: i32): boolean {
  let low: i32 = 0;
  let high: i32 = count - 1;
  while (low <= high) {
    const middle: i32 = (low + high) >>> 1;
    const found: i32 = listWord(list, middle) & 0x7fffffff;
    if (found === state) return true;
    if (found < state) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

function validateRest(): i32 {
  for (let history: i32 = 0; history < historyCount; history++) {
    const at: i32 = base + field(layout.IMAGE_HISTORIES) + history * layout.HISTORY_SIZE;
    const parent: i32 = load16(at + layout.HISTORY_PARENT);
    if (parent >= stateCount) return 80;
    const kind: i32 = load8(stateAt(parent) + layout.STATE_KIND);
    if (kind !== layout.KIND_COMPOUND && kind !== layout.KIND_PARALLEL) return 81;
    const fallback: i32 = load16(at + layout.HISTORY_DEFAULT);
    if (fallback !== layout.NONE16 && fallback >= transitionCount) return 82;
  }
  for (let timer: i32 = 0; timer < timerCount; timer++) {
    const at: i32 = base + field(layout.IMAGE_TIMERS) + timer * layout.TIMER_SIZE;
    if (load16(at + layout.TIMER_EVENT) >= eventCount) return 83;
    if (load16(at + layout.TIMER_STATE) >= stateCount) return 84;
    const kind: i32 = load16(at + layout.TIMER_DELAY_KIND);
    const delay: i32 = load32(at + layout.TIMER_DELAY);
    if (kind > layout.DELAY_HOST) return 85;
    if (kind === layout.DELAY_HOST && !isFunction(delay)) return 86;
    if (kind === layout.DELAY_CONST && delay < 0) return 87;
  }
  for (let raise: i32 = 0; raise < raiseCount; raise++) {
    const event: i32 = load32(base + field(layout.IMAGE_RAISES) + (raise << 2));
    if (event < 0 || event >= eventCount) return 88;
  }
  return 0;
}
