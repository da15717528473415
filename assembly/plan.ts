// What the core finds out about an image once, when it takes it in: which transitions are plain (PLAN_PLAIN), so that a step can take the
// short road of assembly/move.ts; and in which states an event has just one candidate, so that it is found by one look. Reads the tables that
// the validator has just passed.

import * as layout from './layout.ts';
import { fillMemory, load16, load32, store16 } from './prim.ts';
import * as scratch from './scratch.ts';
import * as tables from './tables.ts';

/** Events times states. */
const DIRECT_MAX: i32 = 8192;

export function plan(): void {
  markStirring();
  // In SCXML guards raise events and states invoke when they come to rest: its transitions take the long road.
  const isScxml: boolean = (tables.field(layout.IMAGE_SEMANTICS) & layout.SEMANTICS_SCXML) !== 0;
  for (let transition: i32 = 0; transition < tables.transitionCount; transition++) {
    const at: i32 = tables.transitionAt(transition);
    store16(at + layout.TRANSITION_PLAN, !isScxml && isPlain(at) ? layout.PLAN_PLAIN : 0);
  }
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

function isPlain(at: i32): boolean {
  if ((load16(at + layout.TRANSITION_FLAGS) & (layout.TRANSITION_TARGETLESS | layout.TRANSITION_DYNAMIC)) !== 0) return false;
  if (tables.listLength(load32(at + layout.TRANSITION_ACTIONS)) !== 0) return false;
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
