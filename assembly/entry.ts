// Which states a microstep enters, and which of them by default, so that their initial actions run: XState's computeEntrySet. Static
// transitions bring their list from the compiler; here are the ones that meet history, and the initial step.

import * as frame from './frame.ts';
import * as layout from './layout.ts';
import { load16, load32, load8, store32, trailingZeros } from './prim.ts';
import * as scratch from './scratch.ts';

/** Descents left. An honest chart visits each state and history node a few times; only an image made to waste time needs more. */
let visitsLeft: i32 = 0;
let fault: i32 = 0;
const VISITS_EACH: i32 = 16;
let lowest: i32 = 0;
let highest: i32 = 0;

export function clearEntry(): void {
  frame.clearBits(scratch.enters);
  frame.clearBits(scratch.defaults);
  if (frame.isScxml) frame.clearBits(scratch.fallbacks);
}

/** The initial step: the root and everything below it by default. @returns 0 or a fault. */
export function enterRoot(): i32 {
  begin();
  enterByDefault(0);
  descend(0);
  return fault;
}

/** Adds what a transition enters below the domain that it has left. @returns 0 or a fault. */
export function addEntry(transition: i32, domain: i32): i32 {
  const at: i32 = frame.transitionAt(transition);
  const flags: i32 = load16(at + layout.TRANSITION_FLAGS);
  if ((flags & layout.TRANSITION_TARGETLESS) !== 0) return 0;
  if ((flags & layout.TRANSITION_DYNAMIC) !== 0) return addDynamicEntry(at, flags, domain);
  const list: i32 = frame.lists + (load32(at + layout.TRANSITION_ENTRY) << 2);
  const end: i32 = list + (load32(list) << 2);
  for (let word: i32 = list + 4; word <= end; word += 4) {
    const entry: i32 = load32(word);
    const state: i32 = entry & ~layout.ENTRY_DEFAULT;
    frame.setBit(scratch.enters, state);
    if ((entry & layout.ENTRY_DEFAULT) !== 0) frame.setBit(scratch.defaults, state);
  }
  return 0;
}

/** The domain of a transition that meets history, from what is remembered now. @returns a state, NONE16, or a fault below -1. */
export function dynamicDomain(at: i32): i32 {
  begin();
  lowest = layout.NONE16;
  highest = -1;
  frame.clearBits(scratch.targets);
  collectTargets(load32(at + layout.TRANSITION_TARGETS));
  if (fault !== 0) return fault;
  const source: i32 = load16(at + layout.TRANSITION_SOURCE);
  const reenter: boolean = (load16(at + layout.TRANSITION_FLAGS) & layout.TRANSITION_REENTER) !== 0;
  if (frame.isScxml) return scxmlDomain(source, reenter);
  if (!reenter && lowest >= source && highest <= frame.endOf(source)) return source;
  let ancestor: i32 = frame.parentOf(source);
  while (ancestor !== layout.NONE16 && (lowest <= ancestor || highest > frame.endOf(ancestor))) ancestor = frame.parentOf(ancestor);
  if (ancestor !== layout.NONE16) return ancestor;
  return reenter ? layout.NONE16 : 0;
}

/** SCXML: an internal transition of a compound that leads inwards leaves nothing above; else the nearest state around all of it. */
function scxmlDomain(source: i32, external: boolean): i32 {
  if (!external && frame.kindOf(source) === layout.KIND_COMPOUND && lowest > source && highest <= frame.endOf(source)) return source;
  let ancestor: i32 = frame.parentOf(source);
  while (ancestor !== layout.NONE16 && ancestor !== 0) {
    const canBe: boolean = !frame.hasCompoundDomains || frame.kindOf(ancestor) === layout.KIND_COMPOUND;
    if (canBe && lowest > ancestor && highest <= frame.endOf(ancestor)) return ancestor;
    ancestor = frame.parentOf(ancestor);
  }
  return 0;
}

/** Effective targets into scratch.targets: history stands for what it remembers, or for its default. */
function collectTargets(index: i32): void {
  const list: i32 = frame.lists + (index << 2);
  const end: i32 = list + (load32(list) << 2);
  for (let word: i32 = list + 4; word <= end && fault === 0; word += 4) {
    const target: i32 = load32(word);
    if ((target & layout.TARGET_HISTORY) === 0) addTarget(target);
    else collectHistory(target & ~layout.TARGET_HISTORY);
  }
}

function addTarget(state: i32): void {
  frame.setBit(scratch.targets, state);
  if (state < lowest) lowest = state;
  if (state > highest) highest = state;
}

function collectHistory(history: i32): void {
  if (!visit()) return;
  if (isRemembered(history)) {
    const memory: i32 = frame.memoryOf(history);
    for (let state: i32 = nextBit(memory, 0); state >= 0; state = nextBit(memory, state + 1)) addTarget(state);
  } else {
    const list: i32 = defaultTargets(history);
    if (list < 0) addTarget(parentOfHistory(history));
    else collectTargets(list);
  }
}

function begin(): void {
  fault = 0;
  visitsLeft = VISITS_EACH * (frame.stateCount + load32(frame.image + layout.IMAGE_HISTORY_COUNT));
}

/** Counts a visit. The validator has bounded how deep descents go; this bounds how often. */
function visit(): boolean {
  visitsLeft -= 1;
  if (visitsLeft >= 0) return true;
  fault = layout.FAULT_IMAGE;
  return false;
}

function historyAt(history: i32): i32 {
  return frame.histories + history * layout.HISTORY_SIZE;
}

function parentOfHistory(history: i32): i32 {
  return load16(historyAt(history) + layout.HISTORY_PARENT);
}

function isRemembered(history: i32): boolean {
  const memory: i32 = frame.memoryOf(history);
  for (let at: i32 = 0; at < frame.wordBytes; at += 4) if (load32(memory + at) !== 0) return true;
  return false;
}

/** The target list of a history's default; -1 when that is its parallel parent itself. */
function defaultTargets(history: i32): i32 {
  let transition: i32 = load16(historyAt(history) + layout.HISTORY_DEFAULT);
  if (transition === layout.NONE16) {
    const parent: i32 = parentOfHistory(history);
    if (frame.kindOf(parent) === layout.KIND_PARALLEL) return -1;
    transition = load16(frame.stateAt(parent) + layout.STATE_INITIAL);
  }
  return load32(frame.transitionAt(transition) + layout.TRANSITION_TARGETS);
}

/** The lowest member of the set that is at least `from`, or -1. */
export function nextBit(bits: i32, from: i32): i32 {
  let word: i32 = from >>> 5;
  if (word >= frame.words) return -1;
  let rest: i32 = load32(bits + (word << 2)) & (-1 << (from & 31));
  while (rest === 0) {
    word += 1;
    if (word >= frame.words) return -1;
    rest = load32(bits + (word << 2));
  }
  return (word << 5) + trailingZeros(rest);
}

// ── Entry sets at run time ───────────────────────────────────────────────────────────────────────────────────────

/**
 * Targets are taken from what is remembered now, after the exit. XState takes the domain anew as well; where leaving has just recorded the
 * history that is the target, that domain lies too deep and its own ancestors stay left for ever. We keep the one that was left.
 */
function addDynamicEntry(at: i32, flags: i32, domain: i32): i32 {
  if (dynamicDomain(at) < 0) return fault;
  const source: i32 = load16(at + layout.TRANSITION_SOURCE);
  const reenter: boolean = (flags & layout.TRANSITION_REENTER) !== 0;
  const list: i32 = frame.lists + (load32(at + layout.TRANSITION_TARGETS) << 2);
  const end: i32 = list + (load32(list) << 2);
  for (let word: i32 = list + 4; word <= end && fault === 0; word += 4) {
    const target: i32 = load32(word);
    if ((target & layout.TARGET_HISTORY) !== 0) {
      descendHistory(target & ~layout.TARGET_HISTORY);
      continue;
    }
    if (source !== target || source !== domain || reenter) enterByDefault(target);
    descend(target);
  }
  const within: i32 = source === 0 && reenter ? layout.NONE16 : domain;
  for (let state: i32 = nextBit(scratch.targets, 0); state >= 0 && fault === 0; state = nextBit(scratch.targets, state + 1)) {
    if (state !== domain) {
      let ancestor: i32 = frame.parentOf(state);
      while (ancestor !== layout.NONE16 && ancestor !== domain) {
        addAncestor(ancestor, within);
        ancestor = frame.parentOf(ancestor);
      }
    }
    if (domain !== layout.NONE16 && frame.kindOf(domain) === layout.KIND_PARALLEL) addAncestor(domain, within);
  }
  return fault;
}

function enterByDefault(state: i32): void {
  frame.setBit(scratch.enters, state);
  frame.setBit(scratch.defaults, state);
}

function addAncestor(ancestor: i32, within: i32): void {
  if (within === layout.NONE16 || (ancestor > within && ancestor <= frame.endOf(within))) frame.setBit(scratch.enters, ancestor);
  if (frame.kindOf(ancestor) !== layout.KIND_PARALLEL) return;
  const end: i32 = frame.endOf(ancestor);
  let child: i32 = ancestor + 1;
  while (child <= end && fault === 0) {
    const childEnd: i32 = frame.endOf(child);
    // A region that was not left stays as it is; XState would enter its default beside what is active there.
    if (!frame.isActive(child) && !frame.hasAny(scratch.enters, child + 1, childEnd)) enterTarget(child);
    child = childEnd + 1;
  }
}

/** A state that something names, not its parent's default: XState does not run its initial actions, SCXML does. */
function enterTarget(state: i32): void {
  frame.setBit(scratch.enters, state);
  if (frame.isScxml) frame.setBit(scratch.defaults, state);
  descend(state);
}

/** The ancestors of `state` up to, but without, `to`. */
function addProperAncestors(state: i32, to: i32): void {
  if (state === to) return;
  let ancestor: i32 = frame.parentOf(state);
  while (ancestor !== layout.NONE16 && ancestor !== to && fault === 0) {
    addAncestor(ancestor, layout.NONE16);
    ancestor = frame.parentOf(ancestor);
  }
}

/** What is entered below a state when nothing more is said. */
function descend(state: i32): void {
  const kind: i32 = frame.kindOf(state);
  if (kind !== layout.KIND_COMPOUND && kind !== layout.KIND_PARALLEL) return;
  if (!visit()) return;
  if (kind === layout.KIND_COMPOUND) descendCompound(state);
  else {
    const end: i32 = frame.endOf(state);
    let child: i32 = state + 1;
    while (child <= end && fault === 0) {
      const childEnd: i32 = frame.endOf(child);
      if (!frame.hasAny(scratch.enters, child + 1, childEnd)) {
        enterByDefault(child);
        descend(child);
      }
      child = childEnd + 1;
    }
  }
}

function descendCompound(state: i32): void {
  const initial: i32 = load16(frame.stateAt(state) + layout.STATE_INITIAL);
  const index: i32 = load32(frame.transitionAt(initial) + layout.TRANSITION_TARGETS);
  if (frame.isScxml) {
    enterTargets(index, state);
    return;
  }
  const target: i32 = load32(frame.lists + ((index + 1) << 2));
  if ((target & layout.TARGET_HISTORY) !== 0) {
    const history: i32 = target & ~layout.TARGET_HISTORY;
    descendHistory(history);
    const parent: i32 = parentOfHistory(history);
    if (parent !== state) {
      addAncestor(parent, layout.NONE16);
      addProperAncestors(parent, state);
    }
    return;
  }
  enterByDefault(target);
  descend(target);
  addProperAncestors(target, state);
}

function descendHistory(history: i32): void {
  if (!visit()) return;
  const parent: i32 = parentOfHistory(history);
  if (isRemembered(history)) {
    const memory: i32 = frame.memoryOf(history);
    for (let state: i32 = nextBit(memory, 0); state >= 0 && fault === 0; state = nextBit(memory, state + 1)) enterTarget(state);
    for (let state: i32 = nextBit(memory, 0); state >= 0 && fault === 0; state = nextBit(memory, state + 1))
      addProperAncestors(state, parent);
  } else enterHistoryDefault(history, parent);
}

function enterHistoryDefault(history: i32, parent: i32): void {
  const index: i32 = defaultTargets(history);
  if (index < 0) {
    enterTarget(parent);
    return;
  }
  const byInitial: boolean = load16(historyAt(history) + layout.HISTORY_DEFAULT) === layout.NONE16;
  if (byInitial) frame.setBit(scratch.defaults, parent);
  else if (frame.isScxml) {
    frame.setBit(scratch.fallbacks, parent);
    store32(scratch.stack + (parent << 2), history);
  }
  enterTargets(index, parent);
}

/** The targets of a default and what they enter, then what lies between them and the state whose default it is. */
function enterTargets(index: i32, parent: i32): void {
  const list: i32 = frame.lists + (index << 2);
  const end: i32 = list + (load32(list) << 2);
  for (let word: i32 = list + 4; word <= end && fault === 0; word += 4) {
    const target: i32 = load32(word);
    if ((target & layout.TARGET_HISTORY) !== 0) descendHistory(target & ~layout.TARGET_HISTORY);
    else enterTarget(target);
  }
  for (let word: i32 = list + 4; word <= end && fault === 0; word += 4) {
    const target: i32 = load32(word);
    if ((target & layout.TARGET_HISTORY) === 0) addProperAncestors(target, parent);
    else {
      const above: i32 = parentOfHistory(target & ~layout.TARGET_HISTORY);
      if (above !== parent) {
        addAncestor(above, layout.NONE16);
        addProperAncestors(above, parent);
      }
    }
  }
}

/** The history node whose default content runs when the state is entered; ask only for states in scratch.fallbacks. */
export function fallbackOf(state: i32): i32 {
  return load32(scratch.stack + (state << 2));
}

/** Address of the list of history nodes directly inside a state. */
function historiesOf(state: i32): i32 {
  return frame.lists + (load32(frame.stateAt(state) + layout.STATE_HISTORIES) << 2);
}

/** Remembers, in every history node of a state that is left, what is active below it. @returns 0 or a fault. */
export function recordHistories(state: i32): i32 {
  const list: i32 = historiesOf(state);
  const end: i32 = list + (load32(list) << 2);
  for (let word: i32 = list + 4; word <= end; word += 4) {
    const history: i32 = load32(word);
    frame.clearBits(scratch.targets);
    if (load8(historyAt(history) + layout.HISTORY_DEEP) !== 0) rememberLeaves(scratch.targets, state);
    else rememberChildren(scratch.targets, state);
    if (!moveBits(scratch.targets, frame.memoryOf(history))) continue;
    const full: i32 = scratch.emit(layout.RECORD_HISTORY, history, 0);
    if (full < 0) return full;
  }
  return 0;
}

/** Whether the state has a history node inside. */
export function hasHistories(state: i32): boolean {
  return load32(historiesOf(state)) > 0;
}

/** @returns whether the copy made a difference. */
function moveBits(from: i32, to: i32): boolean {
  let differs: boolean = false;
  for (let at: i32 = 0; at < frame.wordBytes; at += 4) {
    const bits: i32 = load32(from + at);
    if (bits === load32(to + at)) continue;
    store32(to + at, bits);
    differs = true;
  }
  return differs;
}

function rememberLeaves(memory: i32, state: i32): void {
  const end: i32 = frame.endOf(state);
  for (
    let below: i32 = nextBit(frame.configuration, state + 1);
    below >= 0 && below <= end;
    below = nextBit(frame.configuration, below + 1)
  ) {
    if (frame.endOf(below) === below) frame.setBit(memory, below);
  }
}

function rememberChildren(memory: i32, state: i32): void {
  const end: i32 = frame.endOf(state);
  let child: i32 = state + 1;
  while (child <= end) {
    if (frame.isActive(child)) frame.setBit(memory, child);
    child = frame.endOf(child) + 1;
  }
}
