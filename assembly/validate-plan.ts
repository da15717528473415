// The validator's second half: what transitions leave and enter. A static plan must leave a legal configuration behind; where history is
// involved the plan is made at run time, so here its parts must be such that making it always ends.

import * as layout from './layout.ts';
import { IS_WHOLE, load16, load32 } from './prim.ts';
import * as scratch from './scratch.ts';
import * as tables from './tables.ts';
import { areActions } from './validate-actions.ts';

/** Marks a state as entered, in scratch.counts; the low bits count its entered children. */
const ENTERED: i32 = 0x40000000;

export function validatePlans(): i32 {
  scratch.clearCounts(tables.stateCount);
  for (let transition: i32 = 0; transition < tables.transitionCount; transition++) {
    const wrong: i32 = validateTransition(transition);
    if (wrong !== 0) return wrong;
  }
  for (let state: i32 = 0; state < tables.stateCount; state++) {
    if (tables.kindOf(state) === layout.KIND_COMPOUND && !isInitial(state)) return 85;
  }
  for (let history: i32 = 0; history < tables.historyCount; history++) {
    const wrong: i32 = validateDefault(history);
    if (wrong !== 0) return wrong;
  }
  return 0;
}

function validateTransition(transition: i32): i32 {
  const at: i32 = tables.transitionAt(transition);
  const source: i32 = load16(at + layout.TRANSITION_SOURCE);
  const flags: i32 = load16(at + layout.TRANSITION_FLAGS);
  if (source >= tables.stateCount) return 70;
  if ((flags & ~(layout.TRANSITION_TARGETLESS | layout.TRANSITION_REENTER | layout.TRANSITION_DYNAMIC)) !== 0) return 71;
  if (!isGuard(load16(at + layout.TRANSITION_GUARD_KIND), load32(at + layout.TRANSITION_GUARD_ARG))) return 72;
  if (!areActions(load32(at + layout.TRANSITION_ACTIONS))) return 73;
  const event: i32 = load16(at + layout.TRANSITION_EVENT);
  if (event > tables.eventCount && event !== layout.NONE16) return 74;
  const targets: i32 = load32(at + layout.TRANSITION_TARGETS);
  const count: i32 = tables.listLength(targets);
  if (count < 0 || count > layout.TARGET_MAX) return 75;
  const isDynamic: boolean = (flags & layout.TRANSITION_DYNAMIC) !== 0;
  for (let i: i32 = 0; i < count; i++) {
    const word: i32 = tables.listWord(targets, i);
    const isHistory: boolean = (word & layout.TARGET_HISTORY) !== 0;
    if ((word & ~layout.TARGET_HISTORY) >= (isHistory ? tables.historyCount : tables.stateCount)) return 76;
    if (isHistory && !isDynamic) return 77;
  }
  if (((flags & layout.TRANSITION_TARGETLESS) !== 0) !== (count === 0)) return 78;
  if (count === 0) return isDynamic ? 78 : 0;
  return isDynamic ? 0 : validateStatic(at, source);
}

function isGuard(kind: i32, argument: i32): boolean {
  if (kind === layout.GUARD_NONE) return true;
  if (kind === layout.GUARD_HOST) return tables.isFunction(argument);
  return kind === layout.GUARD_IN && argument >= 0 && argument < tables.stateCount;
}

/** The domain holds the source, so it is active whenever the transition is taken; what is entered makes it whole again. */
function validateStatic(at: i32, source: i32): i32 {
  const domain: i32 = load16(at + layout.TRANSITION_DOMAIN);
  const list: i32 = load32(at + layout.TRANSITION_ENTRY);
  const count: i32 = tables.listLength(list);
  if (domain !== layout.NONE16 && (domain > source || tables.endOf(domain) < source)) return 79;
  if (count < 0) return 80;
  const wrong: i32 = markEntered(list, count, domain);
  const illegal: boolean = wrong === 0 && !isWhole(list, count, domain);
  unmark(list, count, domain);
  return illegal ? 83 : wrong;
}

/** Ascending, inside the domain, parents before children. */
function markEntered(list: i32, count: i32, domain: i32): i32 {
  let before: i32 = domain === layout.NONE16 ? -1 : domain;
  const last: i32 = domain === layout.NONE16 ? tables.stateCount - 1 : tables.endOf(domain);
  for (let i: i32 = 0; i < count; i++) {
    const state: i32 = tables.listWord(list, i) & ~layout.ENTRY_DEFAULT;
    if (state <= before || state > last) return 81;
    before = state;
    scratch.setCount(state, scratch.countOf(state) | ENTERED);
    if (state === 0) continue;
    const parent: i32 = tables.parentOf(state);
    if (parent !== domain && (scratch.countOf(parent) & ENTERED) === 0) return 82;
    scratch.setCount(parent, scratch.countOf(parent) + 1);
  }
  return 0;
}

function isWhole(list: i32, count: i32, domain: i32): boolean {
  if (domain === layout.NONE16) {
    if ((scratch.countOf(0) & ENTERED) === 0) return false;
  } else if (!childrenFit(domain)) return false;
  for (let i: i32 = 0; i < count; i++) if (!childrenFit(tables.listWord(list, i) & ~layout.ENTRY_DEFAULT)) return false;
  return true;
}

/** One child of a compound is entered, every child of a parallel. */
function childrenFit(state: i32): boolean {
  const entered: i32 = scratch.countOf(state) & ~ENTERED;
  const kind: i32 = tables.kindOf(state);
  if (kind === layout.KIND_COMPOUND) return entered === 1;
  if (kind !== layout.KIND_PARALLEL) return true;
  const end: i32 = tables.endOf(state);
  let left: i32 = entered;
  // Stops after one more child than was entered, so that the look at a large parallel costs no more than its list.
  for (let child: i32 = state + 1; child <= end; child = tables.endOf(child) + 1) {
    left -= 1;
    if (left < 0) return false;
  }
  return left === 0;
}

function unmark(list: i32, count: i32, domain: i32): void {
  if (domain !== layout.NONE16) scratch.setCount(domain, 0);
  for (let i: i32 = 0; i < count; i++) {
    const state: i32 = tables.listWord(list, i) & ~layout.ENTRY_DEFAULT;
    if (state < tables.stateCount) scratch.setCount(state, 0);
  }
}

/** An initial transition belongs to its compound, asks nothing, and leads to a child or to a history node of it; in SCXML deep and to several. */
function isInitial(state: i32): boolean {
  const transition: i32 = load16(tables.stateAt(state) + layout.STATE_INITIAL);
  const at: i32 = tables.transitionAt(transition);
  const targets: i32 = load32(at + layout.TRANSITION_TARGETS);
  if (tables.sourceOf(transition) !== state || load16(at + layout.TRANSITION_EVENT) !== layout.NONE16) return false;
  if (IS_WHOLE && (tables.field(layout.IMAGE_SEMANTICS) & layout.SEMANTICS_SCXML) !== 0) return areInside(targets, state);
  if (tables.listLength(targets) !== 1) return false;
  const target: i32 = tables.listWord(targets, 0);
  if ((target & layout.TARGET_HISTORY) !== 0) return tables.historyParent(target & ~layout.TARGET_HISTORY) === state;
  return target > 0 && tables.parentOf(target) === state;
}

/** Whether all targets lie below the state; a history node of its own may be the only one. */
function areInside(targets: i32, state: i32): boolean {
  const count: i32 = tables.listLength(targets);
  for (let i: i32 = 0; i < count; i++) {
    const word: i32 = tables.listWord(targets, i);
    const isHistory: boolean = (word & layout.TARGET_HISTORY) !== 0;
    const place: i32 = isHistory ? tables.historyParent(word & ~layout.TARGET_HISTORY) : word;
    if (place < state || place > tables.endOf(state) || (place === state && !(isHistory && count === 1))) return false;
  }
  return count > 0;
}

/**
 * The default of a history node lies inside its parent, and following defaults from node to node of one parent comes to a state soon: so
 * a descent always goes down.
 */
function validateDefault(history: i32): i32 {
  const parent: i32 = tables.historyParent(history);
  const transition: i32 = load16(tables.historyAt(history) + layout.HISTORY_DEFAULT);
  if (transition !== layout.NONE16) {
    if (tables.sourceOf(transition) !== parent) return 86;
    const targets: i32 = load32(tables.transitionAt(transition) + layout.TRANSITION_TARGETS);
    const count: i32 = tables.listLength(targets);
    if (count < 1) return 87;
    if (!areInside(targets, parent)) return 88;
  }
  let hop: i32 = history;
  for (let hops: i32 = 0; hops < layout.HISTORY_HOPS_MAX; hops++) {
    hop = nextHop(hop, parent);
    if (hop < 0) return 0;
  }
  return 89;
}

/** The history node of the same parent that stands for this one while it remembers nothing, or -1. */
function nextHop(history: i32, parent: i32): i32 {
  let transition: i32 = load16(tables.historyAt(history) + layout.HISTORY_DEFAULT);
  if (transition === layout.NONE16) {
    if (tables.kindOf(parent) !== layout.KIND_COMPOUND) return -1;
    transition = load16(tables.stateAt(parent) + layout.STATE_INITIAL);
  }
  const targets: i32 = load32(tables.transitionAt(transition) + layout.TRANSITION_TARGETS);
  if (tables.listLength(targets) < 1) return -1;
  const word: i32 = tables.listWord(targets, 0);
  if ((word & layout.TARGET_HISTORY) === 0) return -1;
  const next: i32 = word & ~layout.TARGET_HISTORY;
  return tables.historyParent(next) === parent ? next : -1;
}
