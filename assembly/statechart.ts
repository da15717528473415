// Over 400 lines because a macrostep is one walk: splitting it would spread its state over files.
// The statechart stepper: one event run to completion by XState's rules in document order, or by SCXML's. Everything it changes lies in the
// instance and is put back from the undo copy when a fault comes, so that a negative result means that nothing happened.

import { markRecord } from './cover.ts';
import { live } from './env.ts';
import { addEntry, clearEntry, enterRoot, fallbackOf, hasHistories, nextBit, recordHistories } from './entry.ts';
import * as expression from './expression.ts';
import { writeForm } from './form.ts';
import * as frame from './frame.ts';
import { isInstance } from './instance.ts';
import * as layout from './layout.ts';
import { enter, leave } from './move.ts';
import { HOME_OUTSIDE } from './program-layout.ts';
import { copyMemory, IS_WHOLE, leadingZeros, load16, load32, store32, trailingZeros } from './prim.ts';
import { LONG_ROAD, quick } from './quick.ts';
import { check, mutate } from './relational.ts';
import * as scratch from './scratch.ts';
import { chosenCount, NO_DOMAIN, resolveConflicts, selectEvent, selectEventless } from './select.ts';

const QUEUE_MASK: i32 = layout.QUEUE_MAX - 1;

let busy: boolean = false;
/** The instance changed in XState's sense: an assign ran, the configuration moved, or history was recorded. */
let changed: boolean = false;
/** Something was selected since the step began. */
let taken: boolean = false;
let saved: boolean = false;
let saveSize: i32 = 0;
/** Taken and put so far; the queue is a ring of QUEUE_MAX entries, a power of two. */
let queueHead: i32 = 0;
let queueTail: i32 = 0;
let fuel: i32 = 0;
/** The event that functions see. */
let handle: i32 = 0;
/** Host-made events so far. */
let made: i32 = 0;

export function start(instance: i32, flags: i32): i32 {
  const fault: i32 = begin(instance, flags, layout.STATUS_NEW);
  if (fault < 0) return fault;
  return finish(runInitial());
}

export function step(instance: i32, event: i32, flags: i32): i32 {
  if (IS_WHOLE && flags === (layout.QUIET | layout.COUNT) && !busy) {
    busy = true;
    const result: i32 = quick(instance, event);
    busy = false;
    if (result !== LONG_ROAD) return result;
  }
  const fault: i32 = begin(instance, flags, layout.STATUS_ACTIVE);
  if (fault < 0) return fault;
  if (event < 0 || event >= frame.eventCount) {
    busy = false;
    return layout.FAULT_EVENT;
  }
  return finish(frame.isRelational ? runMutation(event) : runEvent(event));
}

export function can(instance: i32, event: i32): i32 {
  const fault: i32 = begin(instance, 0, layout.STATUS_ACTIVE);
  if (fault < 0) return fault;
  let answer: i32 = layout.FAULT_EVENT;
  if (frame.isRelational) answer = check(event);
  else if (event >= 0 && event < frame.eventCount) answer = selectEvent(event, layout.HANDLE_EXTERNAL);
  if (answer === 0 && !frame.isRelational) {
    for (let i: i32 = 0; i < chosenCount; i++) {
      const at: i32 = frame.transitionAt(load32(scratch.chosen + (i << 2)));
      const actions: i32 = frame.lists + (load32(at + layout.TRANSITION_ACTIONS) << 2);
      if ((load16(at + layout.TRANSITION_FLAGS) & layout.TRANSITION_TARGETLESS) === 0 || load32(actions) > 0) answer = 1;
    }
  }
  scratch.clearOutput();
  expression.end(false);
  busy = false;
  return answer;
}

function begin(instance: i32, flags: i32, status: i32): i32 {
  if (busy) return layout.FAULT_BUSY;
  scratch.begin(flags);
  if (!isInstance(instance)) return layout.FAULT_INSTANCE;
  if (load32(instance + layout.INSTANCE_STATUS) !== status) return layout.FAULT_STATUS;
  frame.enterFrame(instance);
  if (frame.programs !== 0) {
    if (status === layout.STATUS_ACTIVE && load32(instance + layout.INSTANCE_HOME) === HOME_OUTSIDE) return layout.FAULT_HOME;
    expression.begin();
  }
  saved = false;
  taken = false;
  queueHead = 0;
  queueTail = 0;
  made = 0;
  handle = layout.HANDLE_EXTERNAL;
  busy = true;
  if (frame.isScxml) frame.clearBits(scratch.invokes);
  return 0;
}

/** Whether the step that runs was called with this flag. The small core knows nothing of LIVE and COVER. */
function is(flag: i32): boolean {
  return (IS_WHOLE || (flag & (layout.LIVE | layout.COVER)) === 0) && (scratch.flags & flag) !== 0;
}

function finish(result: i32): i32 {
  busy = false;
  if (result < 0) {
    if (saved) copyMemory(frame.instance + layout.INSTANCE_STATUS, scratch.undo, saveSize);
    expression.end(false);
    scratch.clearOutput();
    return result;
  }
  expression.end(true);
  if (taken && is(layout.COVER)) writeForm();
  if (is(layout.COUNT)) store32(frame.instance + layout.INSTANCE_SEQ, load32(frame.instance + layout.INSTANCE_SEQ) + 1);
  if (load32(frame.instance + layout.INSTANCE_STATUS) === layout.STATUS_DONE) return layout.STEP_DONE;
  return taken ? layout.STEP_TAKEN : layout.STEP_IGNORED;
}

/** Whether a host function is being asked, in the middle of a step. */
export function isBusy(): boolean {
  return busy;
}

/** Before the first change: copies the instance but for its cells. */
function save(): void {
  if (is(layout.COVER)) return;
  saveSize = frame.undoBytes;
  copyMemory(scratch.undo, frame.instance + layout.INSTANCE_STATUS, saveSize);
  saved = true;
}

function runInitial(): i32 {
  save();
  store32(frame.instance + layout.INSTANCE_STATUS, layout.STATUS_ACTIVE);
  taken = true;
  if (frame.isRelational) {
    frame.setBit(frame.configuration, 0);
    return tick(layout.RECORD_ENTER, 0);
  }
  clearEntry();
  const context: i32 = load32(frame.image + layout.IMAGE_CONTEXT_FUNCTION);
  let fault: i32 = context === 0 ? 0 : expression.assign(context - 1, handle);
  if (fault === 0) fault = enterRoot();
  if (fault === 0) fault = enterStates();
  if (fault === 0) fault = completeIfDone();
  if (fault === 0) fault = endMicrostep();
  return fault < 0 ? fault : settle();
}

function runMutation(event: i32): i32 {
  save();
  const result: i32 = mutate(event);
  taken = result > 0;
  return result;
}

function runEvent(event: i32): i32 {
  let fault: i32 = frame.isScxml ? finalize() : 0;
  if (fault < 0) return fault;
  fault = selectEvent(event, handle);
  if (fault < 0) return fault;
  if (chosenCount > 0) {
    fault = takeChosen();
    if (fault < 0) return fault;
  } else if (is(layout.MUST_HANDLE)) return layout.FAULT_UNHANDLED;
  fault = endMicrostep();
  return fault < 0 ? fault : settle();
}

/** A live host reads the records of each microstep, so that a macrostep of any length has room. */
function endMicrostep(): i32 {
  if (!is(layout.LIVE)) return 0;
  if (live(0, handle) < 0) return layout.FAULT_HOST;
  scratch.clearOutput();
  return 0;
}

/** By the short road where nobody would see the difference. */
function takeChosen(): i32 {
  if (!IS_WHOLE || !is(layout.QUIET) || chosenCount > 1) return microstep(false);
  const at: i32 = frame.transitionAt(load32(scratch.chosen));
  const plan: i32 = load16(at + layout.TRANSITION_PLAN);
  if (plan === 0 || (plan !== layout.PLAN_PLAIN && is(layout.LIVE))) return microstep(false);
  // After a plain move only an eventless transition can still fail, an event that waits, or the host.
  if (!saved && (plan === layout.PLAN_ACTING || frame.hasAlways || is(layout.LIVE) || queueHead !== queueTail)) save();
  taken = true;
  if (is(layout.COVER)) coverPlan(at);
  const moves: boolean = (load16(at + layout.TRANSITION_FLAGS) & layout.TRANSITION_TARGETLESS) === 0;
  if (plan === layout.PLAN_WRITING) {
    const fault: i32 = runActions(load32(at + layout.TRANSITION_ACTIONS));
    if (fault < 0) return fault;
  }
  if (moves) leave(at);
  if (plan === layout.PLAN_ACTING) {
    const fault: i32 = runActions(load32(at + layout.TRANSITION_ACTIONS));
    if (fault < 0) return fault;
  }
  if (moves) enter(at);
  return 0;
}

/** What the records of the long road would tell. */
function coverPlan(at: i32): void {
  markRecord(layout.RECORD_TRANSITION, load32(scratch.chosen));
  const list: i32 = frame.lists + (load32(at + layout.TRANSITION_ENTRY) << 2);
  const last: i32 = list + (load32(list) << 2);
  for (let entry: i32 = list + 4; entry <= last; entry += 4) markRecord(layout.RECORD_ENTER, load32(entry) & ~layout.ENTRY_DEFAULT);
}

/** Eventless transitions and internal events until nothing is enabled or the machine is done. */
function settle(): i32 {
  if (!frame.hasAlways && queueHead === queueTail && !frame.isScxml) return 0;
  fuel = load32(frame.image + layout.IMAGE_FUEL);
  let checkAlways: boolean = true;
  while (load32(frame.instance + layout.INSTANCE_STATUS) === layout.STATUS_ACTIVE) {
    fuel -= 1;
    if (fuel < 0) return layout.FAULT_FUEL;
    let fault: i32 = 0;
    if (checkAlways) fault = selectEventless(handle);
    if (fault < 0) return fault;
    const eventless: boolean = checkAlways && chosenCount > 0;
    if (!eventless) {
      if (queueHead === queueTail && frame.isScxml) fault = invoke();
      if (fault < 0) return fault;
      if (queueHead === queueTail) break;
      const event: i32 = takeInternal();
      if (event < 0) return event;
      fault = selectEvent(event, handle);
      if (fault < 0) return fault;
    }
    changed = false;
    if (chosenCount > 0) fault = eventless ? microstep(true) : takeChosen();
    if (fault === 0) fault = endMicrostep();
    if (fault < 0) return fault;
    // XState compares snapshots by identity: an eventless round that changed nothing yields to the queue once.
    checkAlways = !eventless || changed || frame.isScxml;
  }
  return 0;
}

/** SCXML: before an external event selects, the active states look at it, for what they have invoked. */
function finalize(): i32 {
  for (let state: i32 = nextBit(frame.configuration, 0); state >= 0; state = nextBit(frame.configuration, state + 1)) {
    const actions: i32 = load32(frame.stateAt(state) + layout.STATE_FINALIZE);
    if (actions === 0) continue;
    if (!saved) save();
    taken = true;
    const fault: i32 = runActions(actions);
    if (fault < 0) return fault;
  }
  return 0;
}

/** SCXML: at the end of a macrostep, the states that were entered in it and not left invoke, in document order. */
function invoke(): i32 {
  for (let state: i32 = nextBit(scratch.invokes, 0); state >= 0; state = nextBit(scratch.invokes, state + 1)) {
    frame.clearBit(scratch.invokes, state);
    const fault: i32 = runActions(load32(frame.stateAt(state) + layout.STATE_INVOKE));
    if (fault < 0) return fault;
  }
  return 0;
}

/** The next internal event becomes the one that functions see. @returns its number, or a fault. */
function takeInternal(): i32 {
  const at: i32 = scratch.queue + (queueHead & QUEUE_MASK) * scratch.QUEUE_ENTRY;
  const event: i32 = load32(at);
  handle = load32(at + 4);
  queueHead += 1;
  const fault: i32 = scratch.emit(layout.RECORD_INTERNAL, event, handle);
  return fault < 0 ? fault : event;
}

/** For the host, in the middle of a step: the next of its own events waits for its turn. @returns its handle, or a fault. */
export function raiseMade(event: i32): i32 {
  if (!busy) return layout.FAULT_STATUS;
  if (event < 0 || event >= frame.eventCount) return layout.FAULT_EVENT;
  const fault: i32 = raise(event, made + 1);
  if (fault < 0) return fault;
  made += 1;
  return made;
}

function raise(event: i32, itsHandle: i32): i32 {
  if (queueTail - queueHead === layout.QUEUE_MAX) return layout.FAULT_QUEUE_FULL;
  const at: i32 = scratch.queue + (queueTail & QUEUE_MASK) * scratch.QUEUE_ENTRY;
  store32(at, event);
  store32(at + 4, itsHandle);
  queueTail += 1;
  return 0;
}

// ── Microstep ────────────────────────────────────────────────────────────────────────────────────────────────────

function microstep(eventless: boolean): i32 {
  if (!saved) save();
  taken = true;
  // XState's inspection shows all that an event selected, but only what conflicts leave of an eventless round.
  const showsAll: boolean = is(layout.LIVE) && !eventless;
  let fault: i32 = showsAll ? emitTransitions() : 0;
  if (fault === 0) fault = resolveConflicts();
  if (fault === 0 && !showsAll) fault = emitTransitions();
  if (fault < 0) return fault;
  const moves: boolean = collectExits();
  if (moves) {
    fault = exitStates();
    if (fault < 0) return fault;
  }
  for (let i: i32 = 0; i < chosenCount; i++) {
    fault = runActions(load32(frame.transitionAt(load32(scratch.chosen + (i << 2))) + layout.TRANSITION_ACTIONS));
    if (fault < 0) return fault;
  }
  if (!entersAny()) return 0;
  clearEntry();
  for (let i: i32 = 0; i < chosenCount; i++) {
    fault = addEntry(load32(scratch.chosen + (i << 2)), load32(scratch.domains + (i << 2)));
    if (fault < 0) return fault;
  }
  fault = enterStates();
  if (fault < 0) return fault;
  return completeIfDone();
}

function emitTransitions(): i32 {
  for (let i: i32 = 0; i < chosenCount; i++) {
    const fault: i32 = scratch.emit(layout.RECORD_TRANSITION, load32(scratch.chosen + (i << 2)), handle);
    if (fault < 0) return fault;
  }
  return 0;
}

function entersAny(): boolean {
  for (let i: i32 = 0; i < chosenCount; i++) if (load32(scratch.domains + (i << 2)) !== NO_DOMAIN) return true;
  return false;
}

/** The active states inside the domains of the chosen transitions. @returns whether there are any. */
function collectExits(): boolean {
  let any: boolean = false;
  for (let i: i32 = 0; i < chosenCount; i++) {
    const domain: i32 = load32(scratch.domains + (i << 2));
    if (domain === NO_DOMAIN) continue;
    if (!any) frame.clearBits(scratch.exits);
    any = true;
    const from: i32 = domain === layout.NONE16 ? 0 : domain + 1;
    const to: i32 = domain === layout.NONE16 ? frame.stateCount - 1 : frame.endOf(domain);
    if (to < from) continue;
    const last: i32 = to >>> 5;
    for (let word: i32 = from >>> 5; word <= last; word++) {
      const at: i32 = word << 2;
      const bits: i32 = load32(frame.configuration + at) & frame.rangeMask(word, from, to);
      store32(scratch.exits + at, load32(scratch.exits + at) | bits);
    }
  }
  return any;
}

/** In reverse document order. All histories are recorded before the first state is left. */
function exitStates(): i32 {
  if (load32(frame.image + layout.IMAGE_HISTORY_COUNT) > 0) {
    for (let state: i32 = nextBit(scratch.exits, 0); state >= 0; state = nextBit(scratch.exits, state + 1)) {
      if (!hasHistories(state)) continue;
      // Remembering is a change in XState's sense, also when it is the same as before.
      changed = true;
      const fault: i32 = recordHistories(state);
      if (fault < 0) return fault;
    }
  }
  for (let word: i32 = frame.words - 1; word >= 0; word--) {
    let bits: i32 = load32(scratch.exits + (word << 2));
    while (bits !== 0) {
      const state: i32 = (word << 5) + 31 - leadingZeros(bits);
      bits = bits & ~(1 << (state & 31));
      const fault: i32 = exitState(state);
      if (fault < 0) return fault;
    }
  }
  return 0;
}

function exitState(state: i32): i32 {
  const fault: i32 = runActions(load32(frame.stateAt(state) + layout.STATE_EXIT));
  if (fault < 0) return fault;
  frame.clearBit(frame.configuration, state);
  if (frame.isScxml) frame.clearBit(scratch.invokes, state);
  return tick(layout.RECORD_EXIT, state);
}

/** The clock of a state that is left or entered. */
function tick(record: i32, state: i32): i32 {
  const clock: i32 = frame.clocks + (state << 2);
  store32(clock, load32(clock) + 1);
  return scratch.emit(record, state, 0);
}

/** The states of scratch.enters in document order. */
function enterStates(): i32 {
  let finals: boolean = false;
  for (let word: i32 = 0; word < frame.words; word++) {
    const entering: i32 = load32(scratch.enters + (word << 2));
    // A state that is left and entered again in one microstep has moved its clock, not the configuration.
    if ((entering & ~load32(frame.configuration + (word << 2))) !== load32(scratch.exits + (word << 2))) changed = true;
    let bits: i32 = entering;
    // SCXML: what was not left is not entered, whatever the way to a history's default passes.
    if (frame.isScxml) bits = bits & ~load32(frame.configuration + (word << 2));
    while (bits !== 0) {
      const state: i32 = (word << 5) + trailingZeros(bits);
      bits = bits & (bits - 1);
      if (!finals && frame.kindOf(state) === layout.KIND_FINAL) {
        finals = true;
        frame.clearBits(scratch.completed);
      }
      const fault: i32 = enterState(state);
      if (fault < 0) return fault;
    }
  }
  return 0;
}

function enterState(state: i32): i32 {
  const at: i32 = frame.stateAt(state);
  // A state that stays active is entered again only in charts that XState itself leaves in disorder; its clock then moves by two.
  if (frame.isActive(state)) {
    const clock: i32 = frame.clocks + (state << 2);
    store32(clock, load32(clock) + 1);
    const again: i32 = scratch.emit(layout.RECORD_EXIT, state, 0);
    if (again < 0) return again;
  }
  frame.setBit(frame.configuration, state);
  let fault: i32 = tick(layout.RECORD_ENTER, state);
  if (fault < 0) return fault;
  fault = runActions(load32(at + layout.STATE_ENTRY));
  if (fault < 0) return fault;
  if (frame.hasBit(scratch.defaults, state)) {
    const initial: i32 = load16(at + layout.STATE_INITIAL);
    if (initial !== layout.NONE16) fault = runActions(load32(frame.transitionAt(initial) + layout.TRANSITION_ACTIONS));
    if (fault < 0) return fault;
  }
  if (frame.isScxml) return enterScxml(at, state);
  return frame.kindOf(state) === layout.KIND_FINAL ? enterFinal(state) : 0;
}

/** SCXML: content of a history default; what is to be invoked; a final state completes its parent and a parallel around that, no more. */
function enterScxml(at: i32, state: i32): i32 {
  let fault: i32 = 0;
  if (frame.hasBit(scratch.fallbacks, state)) {
    const transition: i32 = load16(frame.histories + fallbackOf(state) * layout.HISTORY_SIZE + layout.HISTORY_DEFAULT);
    fault = runActions(load32(frame.transitionAt(transition) + layout.TRANSITION_ACTIONS));
    if (fault < 0) return fault;
  }
  if (load32(at + layout.STATE_INVOKE) !== 0) frame.setBit(scratch.invokes, state);
  if (frame.kindOf(state) !== layout.KIND_FINAL) return 0;
  const parent: i32 = frame.parentOf(state);
  if (parent === 0 || parent === layout.NONE16) {
    store32(frame.instance + layout.INSTANCE_STATUS, layout.STATUS_DONE);
    return 0;
  }
  const done: i32 = doneHandle(state, parent);
  if (done < 0) return done;
  fault = raiseDone(parent, done);
  if (fault < 0) return fault;
  const region: i32 = frame.parentOf(parent);
  if (frame.kindOf(region) !== layout.KIND_PARALLEL || !isFinished(region)) return 0;
  return raiseDone(region, layout.HANDLE_DONE | region);
}

/** Raises the done events that a final state completes, climbing through parallels; at the top the machine is done. */
function enterFinal(state: i32): i32 {
  const parent: i32 = frame.parentOf(state);
  let ancestor: i32 = layout.NONE16;
  let fault: i32 = 0;
  if (parent !== layout.NONE16) {
    const isCompound: boolean = frame.kindOf(parent) === layout.KIND_COMPOUND;
    ancestor = isCompound ? frame.parentOf(parent) : parent;
    if (isCompound) {
      const done: i32 = doneHandle(state, parent);
      if (done < 0) return done;
      fault = raiseDone(parent, done);
      if (fault < 0) return fault;
    }
  }
  let completion: i32 = ancestor === layout.NONE16 ? state : ancestor;
  while (
    ancestor !== layout.NONE16 &&
    frame.kindOf(ancestor) === layout.KIND_PARALLEL &&
    !frame.hasBit(scratch.completed, ancestor) &&
    isFinished(ancestor)
  ) {
    frame.setBit(scratch.completed, ancestor);
    fault = raiseDone(ancestor, layout.HANDLE_DONE | ancestor);
    if (fault < 0) return fault;
    completion = ancestor;
    ancestor = frame.parentOf(ancestor);
  }
  if (ancestor !== layout.NONE16) return 0;
  store32(frame.instance + layout.INSTANCE_STATUS, layout.STATUS_DONE);
  return completeOutput(completion);
}

function raiseDone(state: i32, itsHandle: i32): i32 {
  const event: i32 = load16(frame.stateAt(state) + layout.STATE_DONE_EVENT);
  return event === layout.NONE16 ? 0 : raise(event, itsHandle);
}

/** Handle of the done event that `final` brings to `completed`: one that the host makes when there is an output to carry. @returns it, or a fault. */
function doneHandle(final: i32, completed: i32): i32 {
  const output: i32 = load16(frame.stateAt(final) + layout.STATE_OUTPUT);
  if (output === layout.NONE16 || final === 0) return layout.HANDLE_DONE | completed;
  if (expression.compute(output, handle) < 0) return layout.FAULT_HOST;
  made += 1;
  return made;
}

/** The root's output sees the done event of the state that completed it. */
function completeOutput(completion: i32): i32 {
  const output: i32 = load16(frame.stateAt(0) + layout.STATE_OUTPUT);
  if (output === layout.NONE16) return 0;
  const done: i32 = doneHandle(completion, completion);
  if (done < 0) return done;
  return expression.compute(output, done) < 0 ? layout.FAULT_HOST : 0;
}

/** A compound with an active final child; a parallel all of whose regions are finished. */
function isFinished(state: i32): boolean {
  const kind: i32 = frame.kindOf(state);
  if (kind === layout.KIND_FINAL) return true;
  if (kind === layout.KIND_ATOMIC) return false;
  const end: i32 = frame.endOf(state);
  let child: i32 = state + 1;
  while (child <= end) {
    if (kind === layout.KIND_PARALLEL) {
      if (!isFinished(child)) return false;
    } else if (frame.kindOf(child) === layout.KIND_FINAL && frame.isActive(child)) return true;
    child = frame.endOf(child) + 1;
  }
  return kind === layout.KIND_PARALLEL;
}

/** A machine that is done runs the exit actions of all that is active, but stays where it is. */
function completeIfDone(): i32 {
  if (load32(frame.instance + layout.INSTANCE_STATUS) !== layout.STATUS_DONE) return 0;
  for (let state: i32 = frame.stateCount - 1; state >= 0; state--) {
    if (!frame.isActive(state)) continue;
    const fault: i32 = runActions(load32(frame.stateAt(state) + layout.STATE_EXIT));
    if (fault < 0) return fault;
  }
  // SCXML computes the result of the session as its last deed.
  return frame.isScxml ? completeOutput(0) : 0;
}

// ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────────

function runActions(index: i32): i32 {
  if (index === 0) return 0;
  const list: i32 = frame.lists + (index << 2);
  const end: i32 = list + (load32(list) << 2);
  for (let word: i32 = list + 4; word <= end; word += 4) {
    const fault: i32 = runAction(load32(word));
    if (fault < 0) return fault;
  }
  return 0;
}

function runAction(word: i32): i32 {
  if (is(layout.LIVE)) return runLive(word);
  const kind: i32 = word >>> 24;
  const argument: i32 = word & layout.ACTION_ARG_MASK;
  if (kind === layout.ACTION_EFFECT) return scratch.emit(layout.RECORD_EFFECT, argument, handle);
  if (kind === layout.ACTION_ASSIGN) {
    changed = true;
    const fault: i32 = expression.assign(argument, handle);
    return fault < 0 ? fault : scratch.emit(layout.RECORD_ASSIGN, argument, handle);
  }
  if (kind === layout.ACTION_RAISE) {
    return raise(load32(frame.image + load32(frame.image + layout.IMAGE_RAISES) + (argument << 2)), layout.HANDLE_RAISE | argument);
  }
  if (kind === layout.ACTION_HOST) return runHost(argument);
  if (kind === layout.ACTION_RAISE_HOST) return raiseComputed(argument);
  if (kind === layout.ACTION_CANCEL) return scratch.emit(layout.RECORD_CANCEL, argument, 0);
  return schedule(argument);
}

function runLive(word: i32): i32 {
  if (word >>> 24 === layout.ACTION_ASSIGN) changed = true;
  const answer: i32 = live(word, handle);
  if (answer < 0) return layout.FAULT_HOST;
  if ((answer & layout.HOST_CHANGED) !== 0) changed = true;
  return 0;
}

function runHost(resolver: i32): i32 {
  const answer: i32 = expression.compute(resolver, handle);
  if (answer < 0) return layout.FAULT_HOST;
  if ((answer & layout.HOST_CHANGED) !== 0) changed = true;
  return scratch.emit(layout.RECORD_HOST, resolver, handle);
}

function raiseComputed(maker: i32): i32 {
  const event: i32 = expression.compute(maker, handle);
  if (event < 0 || event >= frame.eventCount) return layout.FAULT_HOST;
  made += 1;
  return raise(event, made);
}

function schedule(timer: i32): i32 {
  const at: i32 = frame.image + load32(frame.image + layout.IMAGE_TIMERS) + timer * layout.TIMER_SIZE;
  if (load16(at + layout.TIMER_DELAY_KIND) === layout.DELAY_HOST && expression.compute(load32(at + layout.TIMER_DELAY), handle) < 0)
    return layout.FAULT_HOST;
  return scratch.emit(layout.RECORD_SCHEDULE, timer, handle);
}
