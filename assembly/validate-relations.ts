// The validator's part for relational machines: all states are children of the root, no statechart is left in it, and every list of a
// relation record names states or functions that exist.

import * as layout from './layout.ts';
import { IS_WHOLE, load32 } from './prim.ts';
import * as scratch from './scratch.ts';
import * as tables from './tables.ts';

/** @returns 0 or the number of a check. */
export function validateRelations(): i32 {
  const offset: i32 = tables.field(layout.IMAGE_RELATIONS);
  const isRelational: boolean = IS_WHOLE && (tables.field(layout.IMAGE_SEMANTICS) & layout.SEMANTICS_RELATIONAL) !== 0;
  if (!isRelational) return offset === 0 ? 0 : 90;
  if ((tables.field(layout.IMAGE_SEMANTICS) & layout.SEMANTICS_SCXML) !== 0) return 90;
  if (offset < layout.HEADER_SIZE || (offset & 7) !== 0 || offset > tables.hashed) return 91;
  if (tables.stateCount * layout.RELATION_SIZE > tables.hashed - offset) return 91;
  if (tables.transitionCount + tables.historyCount + tables.timerCount !== 0 || tables.stateCount < 2) return 92;
  if (tables.eventCount !== layout.MUTATION_AUTO + 1 || tables.raiseCount !== 1) return 92;
  if (load32(tables.raiseAt(0)) !== layout.MUTATION_AUTO || tables.kindOf(0) !== layout.KIND_PARALLEL) return 92;
  for (let state: i32 = 1; state < tables.stateCount; state++) if (tables.kindOf(state) !== layout.KIND_ATOMIC) return 93;
  const exception: i32 = tables.field(layout.IMAGE_RELATION_EXCEPTION);
  if (exception < 1 || exception >= tables.stateCount) return 94;
  if (!isOrder(tables.field(layout.IMAGE_RELATION_ORDER))) return 95;
  for (let state: i32 = 0; state < tables.stateCount; state++) {
    const at: i32 = tables.base + offset + state * layout.RELATION_SIZE;
    for (let field: i32 = layout.RELATION_ADD; field <= layout.RELATION_REQUIRE; field += 4) {
      if (!areStates(load32(at + field))) return 96;
    }
    for (let field: i32 = layout.RELATION_EXIT; field <= layout.RELATION_STATE; field += 4) {
      if (!areFunctions(load32(at + field))) return 97;
    }
    if (!arePairs(load32(at + layout.RELATION_PAIRS))) return 98;
  }
  return 0;
}

function isState(state: i32): boolean {
  return state >= 1 && state < tables.stateCount;
}

/** Whether a list has every state but the root once. */
function isOrder(index: i32): boolean {
  if (tables.listLength(index) !== tables.stateCount - 1) return false;
  scratch.clearCounts(tables.stateCount);
  for (let i: i32 = 0; i < tables.stateCount - 1; i++) {
    const state: i32 = tables.listWord(index, i);
    if (!isState(state) || scratch.countOf(state) !== 0) return false;
    scratch.setCount(state, 1);
  }
  return true;
}

function areStates(index: i32): boolean {
  const length: i32 = tables.listLength(index);
  for (let i: i32 = 0; i < length; i++) if (!isState(tables.listWord(index, i))) return false;
  return length >= 0;
}

function areFunctions(index: i32): boolean {
  const length: i32 = tables.listLength(index);
  for (let i: i32 = 0; i < length; i++) if (!tables.isFunction(tables.listWord(index, i))) return false;
  return length >= 0;
}

function arePairs(index: i32): boolean {
  const length: i32 = tables.listLength(index);
  if (length < 0 || (length & 1) !== 0) return false;
  for (let i: i32 = 0; i < length; i += 2) {
    if (!isState(tables.listWord(index, i)) || !tables.isFunction(tables.listWord(index, i + 1))) return false;
  }
  return true;
}
