// The validator: the one gate for untrusted bytes. Behind it every table access of the stepper is in bounds and every walk ends. Each
// function returns 0, or the number of the check that failed; docs/IMAGE.md lists them, core/refusal.ts has them in words.

import { isWithin } from './heap.ts';
import * as layout from './layout.ts';
import * as bytecode from './program-layout.ts';
import { hash64, IS_WHOLE, load16, load32, load8, populationCount } from './prim.ts';
import * as scratch from './scratch.ts';
import * as tables from './tables.ts';
import { areActions } from './validate-actions.ts';
import { validatePlans } from './validate-plan.ts';
import { validatePrograms } from './validate-programs.ts';
import { validateRelations } from './validate-relations.ts';

/** Semantics flags that this core has something for. */
export const KNOWN: i32 = IS_WHOLE ? layout.SEMANTICS_KNOWN : layout.SEMANTICS_THROW_IS_STATUS;

/** @returns 0, the number of a check, or FAULT_MEMORY. */
export function validate(pointer: i32, size: i32): i32 {
  const header: i32 = validateHeader(pointer, size);
  if (header !== 0) return header;
  tables.enterTables(pointer);
  const sections: i32 = validateSections();
  if (sections !== 0) return sections;
  if (scratch.prepare(tables.stateCount, 0) < 0) return layout.FAULT_MEMORY;
  const tree: i32 = validateTree();
  if (tree !== 0) return tree;
  const small: i32 = validateSmallTables();
  if (small !== 0) return small;
  const states: i32 = validateStates();
  if (states !== 0) return states;
  const events: i32 = validateEvents();
  if (events !== 0) return events;
  const plans: i32 = validatePlans();
  if (plans !== 0) return plans;
  const relations: i32 = validateRelations();
  return relations !== 0 ? relations : validatePrograms();
}

function validateHeader(pointer: i32, size: i32): i32 {
  if (size < layout.HEADER_SIZE || (size & 7) !== 0 || !isWithin(pointer, size)) return 1;
  if (load32(pointer + layout.IMAGE_MAGIC) !== layout.MAGIC) return 2;
  if (load32(pointer + layout.IMAGE_FORMAT) !== layout.FORMAT) return 3;
  if (load32(pointer + layout.IMAGE_SIZE) !== size) return 4;
  const hashed: i32 = load32(pointer + layout.IMAGE_HASHED_SIZE);
  if (hashed < layout.HEADER_SIZE || hashed > size || (hashed & 7) !== 0) return 5;
  if (scratch.prepare(0, 0) < 0) return layout.FAULT_MEMORY;
  // No step is running, so the first words of the queue are free.
  hash64(pointer + layout.IMAGE_SEMANTICS, hashed - layout.IMAGE_SEMANTICS, 0, 0, scratch.queue);
  if (load32(scratch.queue) !== load32(pointer + layout.IMAGE_HASH)) return 6;
  if (load32(scratch.queue + 4) !== load32(pointer + layout.IMAGE_HASH + 4)) return 6;
  if ((load32(pointer + layout.IMAGE_SEMANTICS) & ~KNOWN) !== 0) return 7;
  const fuel: i32 = load32(pointer + layout.IMAGE_FUEL);
  if (fuel < 1 || fuel > layout.FUEL_MAX) return 8;
  const debug: boolean = load32(pointer + layout.IMAGE_DEBUG) === hashed && load32(pointer + layout.IMAGE_DEBUG_SIZE) === 0;
  return debug && load32(pointer + layout.IMAGE_DIRECT) === 0 ? 0 : 9;
}

/** Whether `count` records of `size` bytes at the offset in that header field lie in the hashed part, 8-aligned. */
function isSection(offsetField: i32, count: i32, size: i32): boolean {
  const offset: i32 = tables.field(offsetField);
  if (offset < layout.HEADER_SIZE || (offset & 7) !== 0 || offset > tables.hashed) return false;
  // No overflow: a count above hashed is out already, counts of records are below 2^24, and records have at most 32 bytes.
  return count >= 0 && count <= tables.hashed && count * size <= tables.hashed - offset;
}

function inRange(count: i32, least: i32, most: i32): boolean {
  return count >= least && count <= most;
}

function validateSections(): i32 {
  if (!inRange(tables.stateCount, 1, layout.STATE_MAX)) return 10;
  if (!inRange(tables.eventCount, 1, layout.EVENT_MAX)) return 11;
  if (!inRange(tables.transitionCount, 0, layout.TRANSITION_MAX)) return 12;
  if (!inRange(tables.historyCount, 0, layout.STATE_MAX)) return 13;
  if (!inRange(tables.timerCount, 0, layout.ACTION_ARG_MASK) || !inRange(tables.raiseCount, 0, layout.ACTION_ARG_MASK)) return 14;
  if (!inRange(tables.functionCount, 0, layout.ACTION_ARG_MASK)) return 15;
  if (!inRange(tables.listCount, 1, layout.ACTION_ARG_MASK) || !inRange(tables.selectCount, 0, layout.ACTION_ARG_MASK)) return 16;
  if (!inRange(tables.candidateCount, 0, layout.ACTION_ARG_MASK)) return 16;
  if (!isSection(layout.IMAGE_STATES, tables.stateCount, layout.STATE_SIZE)) return 17;
  if (!isSection(layout.IMAGE_EVENTS, tables.eventCount + 1, layout.EVENT_SIZE)) return 18;
  if (!isSection(layout.IMAGE_TRANSITIONS, tables.transitionCount, layout.TRANSITION_SIZE)) return 19;
  if (!isSection(layout.IMAGE_HISTORIES, tables.historyCount, layout.HISTORY_SIZE)) return 20;
  if (!isSection(layout.IMAGE_TIMERS, tables.timerCount, layout.TIMER_SIZE)) return 21;
  if (!isSection(layout.IMAGE_RAISES, tables.raiseCount, layout.RAISE_SIZE)) return 22;
  if (!isSection(layout.IMAGE_LISTS, tables.listCount, 4)) return 23;
  if (!isSection(layout.IMAGE_SELECT, tables.selectCount, 4)) return 24;
  if (!isSection(layout.IMAGE_CANDIDATES, tables.candidateCount, 4)) return 25;
  if (!isSection(layout.IMAGE_SYMBOLS, tables.field(layout.IMAGE_SYMBOLS_SIZE), 1)) return 26;
  if (tables.listLength(0) !== 0) return 27;
  if (!inRange(tables.programCount, 0, layout.NONE16) || !inRange(tables.cellCount, 0, bytecode.CELL_MAX)) return 16;
  if (!inRange(tables.codeCount, 0, layout.ACTION_ARG_MASK) || !inRange(tables.constantCount, 0, layout.ACTION_ARG_MASK)) return 16;
  if (!isSection(layout.IMAGE_PROGRAMS, tables.programCount, bytecode.PROGRAM_SIZE)) return 29;
  if (!isSection(layout.IMAGE_CODE, tables.codeCount, 4)) return 29;
  if (!isSection(layout.IMAGE_CONSTANTS, tables.constantCount, bytecode.CELL_SIZE)) return 29;
  const words: i32 = (tables.stateCount + 31) >>> 5;
  return tables.historyCount * words > layout.INSTANCE_SIZE_MAX >>> 2 ? 28 : 0;
}

/** Pre-order, each range inside its parent's, kinds that fit, no deeper than DEPTH_MAX. */
function validateTree(): i32 {
  if (tables.parentOf(0) !== layout.NONE16 || tables.endOf(0) !== tables.stateCount - 1) return 30;
  scratch.setCount(0, 1);
  for (let state: i32 = 0; state < tables.stateCount; state++) {
    const kind: i32 = tables.kindOf(state);
    const end: i32 = tables.endOf(state);
    if (kind > layout.KIND_FINAL) return 31;
    if (end < state || end >= tables.stateCount) return 32;
    if (end > state !== tables.hasChildren(state)) return 33;
    if (state === 0) continue;
    // The parent is the innermost state before this one whose range has not ended. Ranges end once each, so the climb is short.
    let parent: i32 = state - 1;
    while (tables.endOf(parent) < state) parent = tables.parentOf(parent);
    if (tables.parentOf(state) !== parent || end > tables.endOf(parent)) return 34;
    const depth: i32 = scratch.countOf(parent) + 1;
    if (depth > layout.DEPTH_MAX) return 35;
    scratch.setCount(state, depth);
  }
  return 0;
}

function validateSmallTables(): i32 {
  for (let history: i32 = 0; history < tables.historyCount; history++) {
    const at: i32 = tables.historyAt(history);
    const parent: i32 = load16(at + layout.HISTORY_PARENT);
    if (parent >= tables.stateCount || !tables.hasChildren(parent)) return 40;
    if (load8(at + layout.HISTORY_DEEP) > 1) return 41;
    const fallback: i32 = load16(at + layout.HISTORY_DEFAULT);
    if (fallback !== layout.NONE16 && fallback >= tables.transitionCount) return 42;
  }
  for (let timer: i32 = 0; timer < tables.timerCount; timer++) {
    const at: i32 = tables.timerAt(timer);
    if (load16(at + layout.TIMER_EVENT) >= tables.eventCount || load16(at + layout.TIMER_STATE) >= tables.stateCount) return 43;
    const kind: i32 = load16(at + layout.TIMER_DELAY_KIND);
    const delay: i32 = load32(at + layout.TIMER_DELAY);
    if (kind > layout.DELAY_HOST || (kind === layout.DELAY_HOST && !tables.isFunction(delay))) return 44;
  }
  for (let raise: i32 = 0; raise < tables.raiseCount; raise++) {
    const event: i32 = load32(tables.raiseAt(raise));
    if (event < 0 || event >= tables.eventCount) return 45;
  }
  return 0;
}

function validateStates(): i32 {
  let listed: i32 = 0;
  for (let state: i32 = 0; state < tables.stateCount; state++) {
    const at: i32 = tables.stateAt(state);
    const kind: i32 = tables.kindOf(state);
    const initial: i32 = load16(at + layout.STATE_INITIAL);
    if (kind === layout.KIND_COMPOUND) {
      if (initial >= tables.transitionCount) return 50;
    } else if (initial !== layout.NONE16) return 51;
    if (!areActions(load32(at + layout.STATE_ENTRY)) || !areActions(load32(at + layout.STATE_EXIT))) return 52;
    if (!areActions(load32(at + layout.STATE_INVOKE)) || !areActions(load32(at + layout.STATE_FINALIZE))) return 52;
    const done: i32 = load16(at + layout.STATE_DONE_EVENT);
    if (done !== layout.NONE16 && done >= tables.eventCount) return 53;
    const output: i32 = load16(at + layout.STATE_OUTPUT);
    if (output !== layout.NONE16 && !tables.isFunction(output)) return 54;
    const histories: i32 = load32(at + layout.STATE_HISTORIES);
    const count: i32 = tables.listLength(histories);
    if (count < 0) return 55;
    let before: i32 = -1;
    for (let i: i32 = 0; i < count; i++) {
      const history: i32 = tables.listWord(histories, i);
      if (history <= before || history >= tables.historyCount || tables.historyParent(history) !== state) return 56;
      before = history;
    }
    listed += count;
  }
  return listed === tables.historyCount ? 0 : 57;
}

/** Masks, ranks and starts agree; the events' candidates follow one another without gaps, and each belongs to the state it is listed for. */
function validateEvents(): i32 {
  const words: i32 = (tables.stateCount + 31) >>> 5;
  const beyond: i32 = (tables.stateCount & 31) === 0 ? 0 : -1 << (tables.stateCount & 31);
  let next: i32 = 0;
  for (let event: i32 = 0; event <= tables.eventCount; event++) {
    const at: i32 = tables.eventAt(event);
    const mask: i32 = load32(at + layout.EVENT_MASK);
    const rank: i32 = load32(at + layout.EVENT_RANK);
    const starts: i32 = load32(at + layout.EVENT_STARTS);
    const entries: i32 = load32(at + layout.EVENT_ENTRY_COUNT);
    if (mask < 0 || mask > tables.selectCount - words || rank < 0 || rank > tables.selectCount - words) return 60;
    if (entries < 0 || entries > tables.stateCount || starts < 0 || starts > tables.selectCount - entries - 1) return 61;
    if (event === 0 && entries !== 0) return 62;
    if ((tables.selectWord(mask + words - 1) & beyond) !== 0) return 63;
    let bits: i32 = 0;
    for (let word: i32 = 0; word < words; word++) {
      if (tables.selectWord(rank + word) !== bits) return 64;
      bits += populationCount(tables.selectWord(mask + word));
    }
    if (bits !== entries || tables.selectWord(starts) !== next) return 65;
    const wrong: i32 = validateCandidates(event, mask, starts);
    if (wrong !== 0) return wrong;
    next = tables.selectWord(starts + entries);
  }
  return next === tables.candidateCount ? 0 : 66;
}

function validateCandidates(event: i32, mask: i32, starts: i32): i32 {
  const entries: i32 = load32(tables.eventAt(event) + layout.EVENT_ENTRY_COUNT);
  let entry: i32 = 0;
  for (let state: i32 = 0; state < tables.stateCount && entry < entries; state++) {
    const word: i32 = tables.selectWord(mask + (state >>> 5));
    if (word === 0) {
      state = state | 31;
      continue;
    }
    if (((word >>> (state & 31)) & 1) === 0) continue;
    const from: i32 = tables.selectWord(starts + entry);
    const to: i32 = tables.selectWord(starts + entry + 1);
    if (to <= from || to > tables.candidateCount) return 67;
    for (let i: i32 = from; i < to; i++) {
      const transition: i32 = tables.candidate(i);
      if (transition < 0 || transition >= tables.transitionCount || tables.sourceOf(transition) !== state) return 68;
      const listed: i32 = load16(tables.transitionAt(transition) + layout.TRANSITION_EVENT);
      if (listed === layout.NONE16 || (listed === tables.eventCount) !== (event === tables.eventCount)) return 69;
    }
    entry += 1;
  }
  return 0;
}
