// What the core finds out about an image once, when it takes it in: which transitions are plain or do no more than
// their own actions (PLAN_PLAIN, PLAN_ACTING), so that a step can take the short road of assembly/move.ts; and in which states an event has just one candidate, so that it is found by one look. Reads the tables that
// the validator has just passed; marks in programs what assembly/fuse.ts finds.

import { fuse } from './fuse.ts';
import * as layout from './layout.ts';
import { OP_IN, OP_MASK } from './program-layout.ts';
import { fillMemory, load16, load32, store16 } from './prim.ts';
import * as scratch from './scratch.ts';
import * as tables from './tables.ts';

/** Events times states. */
const DIRECT_MAX: i32 = 8192;

/** Whether any program asks whether a state is active. */
let asksStates: boolean = false;

export function plan(): void {
  markStirring();
  asksStates = doesAskStates();
  // In SCXML guards raise events and states invoke when they come to rest: its transitions take the long road.
  const isScxml: boolean = (tables.field(layout.IMAGE_SEMANTICS) & layout.SEMANTICS_SCXML) !== 0;
  for (let transition: i32 = 0; transition < tables.transitionCount; transition++) {
    const at: i32 = tables.transitionAt(transition);
    store16(at + layout.TRANSITION_PLAN, isScxml ? 0 : planOf(at));
  }
  fuse();
}

/** Counts for each state the states in its range, itself included, that do something when they are left: not 0 is what matters. */
function markStirring(): void {
  scratch.clearCounts(tables.stateCount);
  for (let state: i32 = tables.stateCount - 1; state > 0; state--) {
    const parent: i32 = tables.parentOf(state);
    if (stirs(state)) scratch.setCount(state, 1);
    if (scratch.countOf(state) !== 0) scratch.setCount(parent, 1);
  }
  if (stirs(0)) scratch.setCount(0, 1);
}

/** Whether leaving this one state runs an action or remembers something. */
function stirs(state: i32): boolean {
  const at: i32 = tables.stateAt(state);
  return tables.listLength(load32(at + layout.STATE_EXIT)) !== 0 || tables.listLength(load32(at + layout.STATE_HISTORIES)) !== 0;
}

/** Bytes of the table that fillDirect writes for this image; 0 when it would be too large to be worth it. */
export function directSize(): i32 {
  const entries: i32 = (tables.eventCount + 1) * tables.stateCount;
  return entries > DIRECT_MAX ? 0 : ((entries + 3) & ~3) << 1;
}

/** u16 for each event and state: its candidate there if it has exactly one, else NONE16. */
export function fillDirect(table: i32): void {
  fillMemory(table, 0xff, directSize());
  for (let event: i32 = 0; event <= tables.eventCount; event++) {
    const at: i32 = tables.eventAt(event);
    const mask: i32 = load32(at + layout.EVENT_MASK);
    let start: i32 = load32(at + layout.EVENT_STARTS);
    for (let state: i32 = 0; state < tables.stateCount; state++) {
      if (((tables.selectWord(mask + (state >>> 5)) >>> (state & 31)) & 1) === 0) continue;
      const from: i32 = tables.selectWord(start);
      start += 1;
      if (tables.selectWord(start) - from === 1) store16(table + ((event * tables.stateCount + state) << 1), tables.candidate(from));
    }
  }
}

function planOf(at: i32): i32 {
  const flags: i32 = load16(at + layout.TRANSITION_FLAGS);
  const actions: i32 = load32(at + layout.TRANSITION_ACTIONS);
  if ((flags & layout.TRANSITION_TARGETLESS) === 0) {
    if ((flags & layout.TRANSITION_DYNAMIC) !== 0 || !movesPlainly(at)) return 0;
    if (tables.listLength(actions) === 0) return layout.PLAN_PLAIN;
  }
  return !asksStates && onlyWrites(actions) ? layout.PLAN_WRITING : layout.PLAN_ACTING;
}

/** Of an image with programs all functions of a step are programs. */
function onlyWrites(actions: i32): boolean {
  const count: i32 = tables.listLength(actions);
  if (tables.programCount === 0 || count < 0) return false;
  for (let i: i32 = 0; i < count; i++) if (tables.listWord(actions, i) >>> 24 !== layout.ACTION_ASSIGN) return false;
  return true;
}

function doesAskStates(): boolean {
  for (let i: i32 = 0; i < tables.codeCount; i++) if ((tables.codeWord(i) & OP_MASK) === OP_IN) return true;
  return false;
}

function movesPlainly(at: i32): boolean {
  return (
    leavesChain(load16(at + layout.TRANSITION_SOURCE), load16(at + layout.TRANSITION_DOMAIN)) &&
    entersPlainly(load32(at + layout.TRANSITION_ENTRY))
  );
}

/** From the source up to the domain each state is the only active one in its parent, so that nothing beside the chain is left. */
function leavesChain(source: i32, domain: i32): boolean {
  if (scratch.countOf(source) !== 0) return false;
  for (let state: i32 = source; state !== domain;) {
    if (stirs(state)) return false;
    state = tables.parentOf(state);
    if (state !== layout.NONE16 && tables.kindOf(state) !== layout.KIND_COMPOUND) return false;
  }
  return true;
}

function entersPlainly(list: i32): boolean {
  const count: i32 = tables.listLength(list);
  for (let i: i32 = 0; i < count; i++) {
    const word: i32 = tables.listWord(list, i);
    const state: i32 = word & ~layout.ENTRY_DEFAULT;
    const at: i32 = tables.stateAt(state);
    if (tables.kindOf(state) === layout.KIND_FINAL || tables.listLength(load32(at + layout.STATE_ENTRY)) !== 0) return false;
    const initial: i32 = load16(at + layout.STATE_INITIAL);
    if ((word & layout.ENTRY_DEFAULT) === 0 || initial === layout.NONE16) continue;
    if (tables.listLength(load32(tables.transitionAt(initial) + layout.TRANSITION_ACTIONS)) !== 0) return false;
  }
  return count >= 0;
}
