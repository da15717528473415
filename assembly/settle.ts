// Makes an instance whole whose status, clocks and history the host has written: derives the configuration from the parity of the clocks,
// and checks all that a step relies on. What does not fit is refused, and then nothing was written.

import * as frame from './frame.ts';
import { isInstance } from './instance.ts';
import * as layout from './layout.ts';
import { copyMemory, load16, load32, load8, zeroMemory } from './prim.ts';
import * as scratch from './scratch.ts';

/** @returns 0 or FAULT_INSTANCE. */
export function settle(instance: i32): i32 {
  if (!isInstance(instance)) return layout.FAULT_INSTANCE;
  frame.enterFrame(instance);
  if ((frame.stateCount & 1) !== 0 && load32(frame.clocks + (frame.stateCount << 2)) !== 0) return layout.FAULT_INSTANCE;
  const derived: i32 = scratch.exits;
  const size: i32 = ((frame.words + 1) & ~1) << 2;
  zeroMemory(derived, size);
  for (let state: i32 = 0; state < frame.stateCount; state++) {
    if ((load32(frame.clocks + (state << 2)) & 1) !== 0) frame.setBit(derived, state);
  }
  if (!fitsStatus(derived, load32(instance + layout.INSTANCE_STATUS))) return layout.FAULT_INSTANCE;
  for (let history: i32 = 0; history < load32(frame.image + layout.IMAGE_HISTORY_COUNT); history++) {
    if (!isMemory(history)) return layout.FAULT_INSTANCE;
  }
  copyMemory(frame.configuration, derived, size);
  return 0;
}

/** Nothing is active before the first step, and after a first step that failed or was stopped; else something legal is. */
function fitsStatus(bits: i32, status: i32): boolean {
  if (status < layout.STATUS_NEW || status > layout.STATUS_STOPPED) return false;
  const isEmpty: boolean = !frame.hasAny(bits, 0, frame.stateCount - 1);
  if (status === layout.STATUS_NEW) return isEmpty;
  if (isEmpty) return status === layout.STATUS_ERROR || status === layout.STATUS_STOPPED;
  return frame.hasBit(bits, 0) && (frame.isRelational || isLegal(bits, 0));
}

/** Below `top`, which counts as active: one child of an active compound is active, every child of a parallel, none of an inactive state. */
function isLegal(bits: i32, top: i32): boolean {
  const last: i32 = frame.endOf(top);
  for (let state: i32 = top; state <= last; state++) {
    const isActive: boolean = state === top || frame.hasBit(bits, state);
    const end: i32 = frame.endOf(state);
    if (!isActive) {
      if (frame.hasAny(bits, state + 1, end)) return false;
      state = end;
      continue;
    }
    let active: i32 = 0;
    let children: i32 = 0;
    for (let child: i32 = state + 1; child <= end; child = frame.endOf(child) + 1) {
      children += 1;
      if (frame.hasBit(bits, child)) active += 1;
    }
    const kind: i32 = frame.kindOf(state);
    if (kind === layout.KIND_COMPOUND && active !== 1) return false;
    if (kind === layout.KIND_PARALLEL && active !== children) return false;
  }
  return true;
}

/** Nothing, or what the parent can have had active inside: its children (shallow), or the leaves below it (deep). */
function isMemory(history: i32): boolean {
  const at: i32 = frame.histories + history * layout.HISTORY_SIZE;
  const parent: i32 = load16(at + layout.HISTORY_PARENT);
  const memory: i32 = frame.memoryOf(history);
  const end: i32 = frame.endOf(parent);
  if (frame.hasAny(memory, 0, parent) || frame.hasAny(memory, end + 1, (frame.words << 5) - 1)) return false;
  if (!frame.hasAny(memory, parent + 1, end)) return true;
  return load8(at + layout.HISTORY_DEEP) === 0 ? areChildren(memory, parent) : areLeaves(memory, parent);
}

function areChildren(memory: i32, parent: i32): boolean {
  let remembered: i32 = 0;
  let children: i32 = 0;
  const end: i32 = frame.endOf(parent);
  for (let child: i32 = parent + 1; child <= end; child = frame.endOf(child) + 1) {
    children += 1;
    if (frame.hasBit(memory, child)) remembered += 1;
    if (frame.hasAny(memory, child + 1, frame.endOf(child))) return false;
  }
  return remembered === (frame.kindOf(parent) === layout.KIND_PARALLEL ? children : 1);
}

function areLeaves(memory: i32, parent: i32): boolean {
  const closure: i32 = scratch.enters;
  frame.clearBits(closure);
  const end: i32 = frame.endOf(parent);
  for (let state: i32 = parent + 1; state <= end; state++) {
    if (!frame.hasBit(memory, state)) continue;
    if (frame.endOf(state) !== state) return false;
    for (let up: i32 = state; up !== parent; up = frame.parentOf(up)) frame.setBit(closure, up);
  }
  return isLegal(closure, parent);
}
