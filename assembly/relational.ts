// The relational stepper: one mutation resolved (resolve.ts), negotiated with the host and made, and the automatic mutation that follows it.
// Statechart steps and these share instance layout, undo copy and output; statechart.ts begins and ends both. docs/relational.md.

import { guard } from './env.ts';
import { nextBit } from './entry.ts';
import * as frame from './frame.ts';
import * as layout from './layout.ts';
import { load32, store32 } from './prim.ts';
import { beginResolving, brings, calls, flagsOf, isExhausted, kind, listOf, order, resolve, setKind } from './resolve.ts';
import * as scratch from './scratch.ts';

let handle: i32 = 0;
let isException: boolean = false;

/** @returns 1 when the mutation is made, 0 when it is cancelled, or a fault. */
export function mutate(event: i32): i32 {
  const fault: i32 = enter(event);
  if (fault < 0) return fault;
  const answer: i32 = isException ? resolve() : decide();
  if (answer <= 0) return answer;
  const changed: i32 = commit();
  if (changed < 0) return changed;
  if (changed === 0 || isSilent() || !callAutos()) return 1;
  handle = layout.HANDLE_RAISE;
  const recorded: i32 = scratch.emit(layout.RECORD_INTERNAL, layout.MUTATION_AUTO, handle);
  if (recorded < 0) return recorded;
  const automatic: i32 = decide();
  if (automatic <= 0) return automatic === 0 ? 1 : automatic;
  const made: i32 = commit();
  return made < 0 ? made : 1;
}

/** Whether the mutation would be made; asks the host, changes nothing. @returns 1, 0 or a fault. */
export function check(event: i32): i32 {
  const fault: i32 = enter(event);
  return fault < 0 ? fault : decide();
}

/** Takes the call in: known states, each once. */
function enter(event: i32): i32 {
  if (event < layout.MUTATION_ADD || event > layout.MUTATION_EXCEPTION) return layout.FAULT_EVENT;
  beginResolving();
  handle = layout.HANDLE_EXTERNAL;
  setKind(event);
  isException = event === layout.MUTATION_EXCEPTION;
  const count: i32 = load32(calls);
  if (count < 0 || count >= frame.stateCount) return layout.FAULT_EVENT;
  const called: i32 = scratch.targets;
  frame.clearBits(called);
  frame.clearBits(scratch.invokes);
  let areActive: boolean = true;
  for (let i: i32 = 1; i <= count; i++) {
    const state: i32 = load32(calls + (i << 2));
    if (state < 1 || state >= frame.stateCount || frame.hasBit(called, state)) return layout.FAULT_EVENT;
    frame.setBit(called, state);
    if (isException) frame.setBit(scratch.invokes, state);
    if (!frame.isActive(state)) areActive = false;
  }
  if (event === layout.MUTATION_TOGGLE) setKind(areActive ? layout.MUTATION_REMOVE : layout.MUTATION_ADD);
  if (!isException) return 0;
  // What is called from here on is the state that stands for errors.
  const exception: i32 = load32(frame.image + layout.IMAGE_RELATION_EXCEPTION);
  setKind(layout.MUTATION_ADD);
  frame.clearBits(called);
  frame.setBit(called, exception);
  store32(calls, 1);
  store32(calls + 4, exception);
  return 0;
}

/** Resolves, asks whether the call is met, and negotiates; an automatic mutation goes on without what was refused. */
function decide(): i32 {
  let answer: i32 = RETRY;
  while (answer === RETRY) {
    answer = resolve();
    if (answer > 0) answer = isMet() ? negotiate() : 0;
  }
  return answer;
}

/** A negotiation that is to be held again, without some of what was called. */
const RETRY: i32 = 2;

/** Whether the target has all that is called; for an automatic mutation, some of it. */
function isMet(): boolean {
  if (kind === layout.MUTATION_REMOVE) return true;
  const count: i32 = load32(calls);
  for (let i: i32 = 1; i <= count; i++) {
    if (frame.hasBit(scratch.enters, load32(calls + (i << 2))) === isAutomatic()) return isAutomatic();
  }
  return !isAutomatic();
}

function isAutomatic(): boolean {
  return handle !== layout.HANDLE_EXTERNAL;
}

// ── Automatic mutations ──────────────────────────────────────────────────────────────────────────────────────────

/** Whether all that was called is of the kind that brings no automatic mutation. */
function isSilent(): boolean {
  const count: i32 = load32(calls);
  for (let i: i32 = 1; i <= count; i++) if ((flagsOf(load32(calls + (i << 2))) & layout.RELATION_SILENT) === 0) return false;
  return count > 0;
}

/** Calls every inactive automatic state that no active state removes. @returns whether there is one. */
function callAutos(): boolean {
  frame.clearBits(scratch.exits);
  for (let state: i32 = nextBit(frame.configuration, 1); state >= 0; state = nextBit(frame.configuration, state + 1)) {
    const removes: i32 = listOf(state, layout.RELATION_REMOVE);
    const last: i32 = removes + (load32(removes) << 2);
    for (let at: i32 = removes + 4; at <= last; at += 4) frame.setBit(scratch.exits, load32(at));
  }
  frame.clearBits(scratch.targets);
  frame.clearBits(scratch.invokes);
  setKind(layout.MUTATION_ADD);
  isException = false;
  let count: i32 = 0;
  const list: i32 = order();
  const end: i32 = list + (load32(list) << 2);
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const state: i32 = load32(at);
    if ((flagsOf(state) & layout.RELATION_AUTO) === 0 || frame.isActive(state) || frame.hasBit(scratch.exits, state)) continue;
    count += 1;
    store32(calls + (count << 2), state);
    frame.setBit(scratch.targets, state);
  }
  store32(calls, count);
  return count > 0;
}

/**
 * An automatic mutation goes on without those called states that bring `state` in; with `isLeaving`, without those that bring in what
 * removes it. @returns RETRY, or 0 when none of them is to blame.
 */
function reject(state: i32, isLeaving: boolean): i32 {
  if (!isAutomatic()) return 0;
  const count: i32 = load32(calls);
  let kept: i32 = 0;
  for (let i: i32 = 1; i <= count; i++) {
    const called: i32 = load32(calls + (i << 2));
    if (brings(called, state, isLeaving)) {
      frame.clearBit(scratch.targets, called);
      continue;
    }
    kept += 1;
    store32(calls + (kept << 2), called);
  }
  store32(calls, kept);
  if (isExhausted()) return layout.FAULT_FUEL;
  return kept < count && kept > 0 ? RETRY : 0;
}

// ── Negotiating ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Called again while it is active, a Multi state begins anew. */
function isAnew(state: i32): boolean {
  if (kind === layout.MUTATION_REMOVE || !frame.hasBit(scratch.targets, state)) return false;
  return frame.isActive(state) && (flagsOf(state) & layout.RELATION_MULTI) !== 0;
}

/** Whether the state is in the target, and is entered there. */
function isEntered(state: i32): boolean {
  return frame.hasBit(scratch.enters, state) && (!frame.isActive(state) || isAnew(state));
}

function isLeft(state: i32): boolean {
  return frame.isActive(state) && !frame.hasBit(scratch.enters, state);
}

/** Asks the host in the reference's order: exits, enters, states that stay, pairs, any. @returns 1, 0, RETRY or a fault. */
function negotiate(): i32 {
  if (load32(frame.image + layout.IMAGE_FUNCTION_COUNT) === 0) return 1;
  const list: i32 = order();
  const end: i32 = list + (load32(list) << 2);
  for (let field: i32 = layout.RELATION_EXIT; field <= layout.RELATION_SELF; field += 4) {
    if (field === layout.RELATION_SELF && kind === layout.MUTATION_REMOVE) break;
    for (let at: i32 = list + 4; at <= end; at += 4) {
      const state: i32 = load32(at);
      if (field === layout.RELATION_EXIT) {
        if (!isLeft(state)) continue;
      } else if (field === layout.RELATION_ENTER) {
        if (!isEntered(state)) continue;
      } else if (!frame.isActive(state) || !frame.hasBit(scratch.enters, state)) continue;
      const answer: i32 = askAll(listOf(state, field));
      if (answer === 0) return reject(state, field === layout.RELATION_EXIT);
      if (answer < 0) return answer;
    }
  }
  for (let at: i32 = list + 4; at <= end; at += 4) {
    if (!frame.isActive(load32(at))) continue;
    const pairs: i32 = listOf(load32(at), layout.RELATION_PAIRS);
    const last: i32 = pairs + (load32(pairs) << 2);
    for (let pair: i32 = pairs + 4; pair < last; pair += 8) {
      const other: i32 = load32(pair);
      if (!frame.hasBit(scratch.enters, other)) continue;
      const answer: i32 = guard(load32(pair + 4), handle);
      if (answer === 0) return reject(other, false);
      if (answer < 0) return layout.FAULT_HOST;
    }
  }
  return askAll(listOf(0, layout.RELATION_ENTER));
}

/** @returns 1 when all say yes, 0 at the first that does not, FAULT_HOST. */
function askAll(list: i32): i32 {
  const end: i32 = list + (load32(list) << 2);
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const answer: i32 = guard(load32(at), handle);
    if (answer <= 0) return answer < 0 ? layout.FAULT_HOST : 0;
  }
  return 1;
}

// ── Making it ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Moves the clocks, then records the final handlers. @returns 1 when a clock moved, 0 when none did, or a fault. */
function commit(): i32 {
  const list: i32 = order();
  const end: i32 = list + (load32(list) << 2);
  const left: i32 = scratch.completed;
  const entered: i32 = scratch.fallbacks;
  frame.clearBits(left);
  frame.clearBits(entered);
  let changed: i32 = 0;
  let fault: i32 = 0;
  // Both before the first clock moves, because both ask what is active.
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const state: i32 = load32(at);
    if (isLeft(state)) frame.setBit(left, state);
    else if (isEntered(state)) frame.setBit(entered, state);
  }
  for (let at: i32 = list + 4; at <= end && fault === 0; at += 4) {
    const state: i32 = load32(at);
    if (!frame.hasBit(left, state) && !frame.hasBit(entered, state)) continue;
    changed = 1;
    if (frame.isActive(state)) fault = move(state, layout.RECORD_EXIT);
    if (fault === 0 && frame.hasBit(entered, state)) fault = move(state, layout.RECORD_ENTER);
  }
  if (fault === 0) fault = emitAll(left, layout.RELATION_END);
  if (fault === 0) fault = emitAll(entered, layout.RELATION_STATE);
  if (fault === 0) fault = emitList(listOf(0, layout.RELATION_STATE));
  return fault < 0 ? fault : changed;
}

function move(state: i32, record: i32): i32 {
  if (record === layout.RECORD_ENTER) frame.setBit(frame.configuration, state);
  else frame.clearBit(frame.configuration, state);
  const clock: i32 = frame.clocks + (state << 2);
  store32(clock, load32(clock) + 1);
  return scratch.emit(record, state, 0);
}

/** States that are taken back have no final handlers. */
function emitAll(states: i32, field: i32): i32 {
  if ((scratch.flags & layout.QUIET) !== 0) return 0;
  const list: i32 = order();
  const end: i32 = list + (load32(list) << 2);
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const state: i32 = load32(at);
    if (!frame.hasBit(states, state) || frame.hasBit(scratch.invokes, state)) continue;
    const fault: i32 = emitList(listOf(state, field));
    if (fault < 0) return fault;
  }
  return 0;
}

function emitList(list: i32): i32 {
  const end: i32 = list + (load32(list) << 2);
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const fault: i32 = scratch.emit(layout.RECORD_EFFECT, load32(at), handle);
    if (fault < 0) return fault;
  }
  return 0;
}
