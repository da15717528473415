// Which transitions an event, or no event, enables: XState's rules in document order, or SCXML's. Leaves them in scratch.chosen, with their
// domains.

import { dynamicDomain } from './entry.ts';
import { decide } from './expression.ts';
import * as frame from './frame.ts';
import * as layout from './layout.ts';
import { IS_WHOLE, load16, load32, meetPair, populationCount, store32, trailingZeros } from './prim.ts';
import * as scratch from './scratch.ts';

/** A domain for transitions that leave nothing. */
export const NO_DOMAIN: i32 = -1;

export let chosenCount: i32 = 0;
let lastSource: i32 = -1;

/** Post-order over the active states that have candidates for the event: children first, regions in document order. @returns 0 or a fault. */
export function selectEvent(event: i32, handle: i32): i32 {
  if (frame.isScxml) return selectByLeaf(event, handle);
  chosenCount = 0;
  const record: i32 = frame.events + event * layout.EVENT_SIZE;
  const configuration: i32 = frame.configuration;
  const mask: i32 = frame.select + (load32(record + layout.EVENT_MASK) << 2);
  const end: i32 = frame.wordBytes;
  if (end === 4) {
    const both: i32 = load32(configuration) & load32(mask);
    if (both === 0) return 0;
    return (both & (both - 1)) === 0 ? selectIn(event, record, trailingZeros(both), handle) : selectAmong(record, handle);
  }
  let only: i32 = -1;
  for (let at: i32 = 0; ; at += 4) {
    at = firstCommon(configuration, mask, at, end);
    if (at >= end) break;
    const bits: i32 = load32(configuration + at) & load32(mask + at);
    if (only >= 0 || (bits & (bits - 1)) !== 0) return selectAmong(record, handle);
    only = (at << 3) + trailingZeros(bits);
  }
  return only < 0 ? 0 : selectIn(event, record, only, handle);
}

/** The same when one state has candidates. */
function selectIn(event: i32, record: i32, state: i32, handle: i32): i32 {
  let transition: i32 = frame.direct === 0 ? layout.NONE16 : load16(frame.direct + ((event * frame.stateCount + state) << 1));
  if (transition === layout.NONE16) transition = firstEnabled(record, state, handle);
  else {
    const answer: i32 = passes(transition, handle);
    if (answer <= 0) return answer;
  }
  if (transition >= 0) choose(transition);
  return transition < NOTHING ? transition : 0;
}

/** The same when several states have candidates. */
function selectAmong(record: i32, handle: i32): i32 {
  lastSource = -1;
  const mask: i32 = frame.select + (load32(record + layout.EVENT_MASK) << 2);
  let depth: i32 = 0;
  for (let word: i32 = 0; word < frame.words; word++) {
    let bits: i32 = load32(frame.configuration + (word << 2)) & load32(mask + (word << 2));
    while (bits !== 0) {
      const state: i32 = (word << 5) + trailingZeros(bits);
      bits = bits & (bits - 1);
      while (depth > 0) {
        const top: i32 = load32(scratch.stack + ((depth - 1) << 2));
        if (frame.endOf(top) >= state) break;
        depth -= 1;
        const fault: i32 = visit(record, top, handle);
        if (fault < 0) return fault;
      }
      store32(scratch.stack + (depth << 2), state);
      depth += 1;
    }
  }
  while (depth > 0) {
    depth -= 1;
    const fault: i32 = visit(record, load32(scratch.stack + (depth << 2)), handle);
    if (fault < 0) return fault;
  }
  return 0;
}

/** Where from `from` on, in bytes, two sets of states first have a word with a common member; `end` when nowhere. */
function firstCommon(one: i32, other: i32, from: i32, end: i32): i32 {
  let at: i32 = from;
  while (IS_WHOLE && at + 8 <= end && !meetPair(one + at, other + at)) at += 8;
  while (at < end && (load32(one + at) & load32(other + at)) === 0) at += 4;
  return at;
}

/** Tries the candidates of a state, unless a state below it has chosen already. */
function visit(record: i32, state: i32, handle: i32): i32 {
  if (lastSource >= state) return 0;
  const transition: i32 = firstEnabled(record, state, handle);
  if (transition < -1) return transition;
  if (transition === -1) return 0;
  choose(transition);
  lastSource = state;
  return 0;
}

function choose(transition: i32): void {
  store32(scratch.chosen + (chosenCount << 2), transition);
  chosenCount += 1;
}

/** NOTHING when no candidate's guard passes. */
const NOTHING: i32 = -1;

/** @returns a transition, NOTHING, or a fault (all faults that can come are below NOTHING). */
function firstEnabled(record: i32, state: i32, handle: i32): i32 {
  const word: i32 = state >>> 5;
  const mask: i32 = load32(frame.select + ((load32(record + layout.EVENT_MASK) + word) << 2));
  const rank: i32 = load32(frame.select + ((load32(record + layout.EVENT_RANK) + word) << 2));
  const entry: i32 = rank + populationCount(mask & ((1 << (state & 31)) - 1));
  const starts: i32 = frame.select + ((load32(record + layout.EVENT_STARTS) + entry) << 2);
  const to: i32 = load32(starts + 4);
  for (let i: i32 = load32(starts); i < to; i++) {
    const transition: i32 = load32(frame.candidates + (i << 2));
    const answer: i32 = passes(transition, handle);
    if (answer < 0) return answer;
    if (answer !== 0) return transition;
  }
  return NOTHING;
}

function passes(transition: i32, handle: i32): i32 {
  const at: i32 = frame.transitionAt(transition);
  const kind: i32 = load16(at + layout.TRANSITION_GUARD_KIND);
  if (kind === layout.GUARD_NONE) return 1;
  const argument: i32 = load32(at + layout.TRANSITION_GUARD_ARG);
  let answer: i32 = 0;
  if (kind === layout.GUARD_IN) answer = frame.isActive(argument) ? 1 : 0;
  else {
    answer = decide(argument, handle);
    if (answer < 0) return answer;
  }
  if ((scratch.flags & layout.TRACE) !== 0) {
    const fault: i32 = scratch.emit(layout.RECORD_GUARD, transition, answer);
    if (fault < 0) return fault;
  }
  return answer;
}

export function selectEventless(handle: i32): i32 {
  return selectByLeaf(frame.eventCount, handle);
}

/** Every active leaf, in document order, climbs until a candidate is enabled; the same transition counts once. @returns 0 or a fault. */
function selectByLeaf(event: i32, handle: i32): i32 {
  chosenCount = 0;
  const record: i32 = frame.events + event * layout.EVENT_SIZE;
  const mask: i32 = frame.select + (load32(record + layout.EVENT_MASK) << 2);
  if (firstCommon(frame.configuration, mask, 0, frame.wordBytes) === frame.wordBytes) return 0;
  for (let word: i32 = 0; word < frame.words; word++) {
    let bits: i32 = load32(frame.configuration + (word << 2));
    while (bits !== 0) {
      const leaf: i32 = (word << 5) + trailingZeros(bits);
      bits = bits & (bits - 1);
      if (frame.endOf(leaf) !== leaf) continue;
      const fault: i32 = climb(record, mask, leaf, handle);
      if (fault < 0) return fault;
    }
  }
  return 0;
}

function climb(record: i32, mask: i32, leaf: i32, handle: i32): i32 {
  let state: i32 = leaf;
  while (state !== layout.NONE16) {
    if (frame.hasBit(mask, state)) {
      const transition: i32 = firstEnabled(record, state, handle);
      if (transition < NOTHING) return transition;
      if (transition !== NOTHING) {
        if (!isChosen(transition)) choose(transition);
        return 0;
      }
    }
    state = frame.parentOf(state);
  }
  return 0;
}

function isChosen(transition: i32): boolean {
  for (let i: i32 = 0; i < chosenCount; i++) if (load32(scratch.chosen + (i << 2)) === transition) return true;
  return false;
}

/**
 * Computes the domain of each chosen transition and drops those in conflict: when exit sets meet, the transition whose source lies deeper
 * wins, else the one chosen first. @returns 0 or a fault.
 */
export function resolveConflicts(): i32 {
  if (chosenCount === 1) {
    const only: i32 = domainOf(load32(scratch.chosen));
    if (only < NO_DOMAIN) return only;
    store32(scratch.domains, only);
    return 0;
  }
  let kept: i32 = 0;
  for (let i: i32 = 0; i < chosenCount; i++) {
    const transition: i32 = load32(scratch.chosen + (i << 2));
    const domain: i32 = domainOf(transition);
    if (domain < NO_DOMAIN) return domain;
    if (kept > 0) {
      if (isPreempted(transition, domain, kept)) continue;
      kept = dropPreempted(transition, domain, kept);
    }
    store32(scratch.chosen + (kept << 2), transition);
    store32(scratch.domains + (kept << 2), domain);
    kept += 1;
  }
  chosenCount = kept;
  return 0;
}

function sourceOf(transition: i32): i32 {
  return load16(frame.transitionAt(transition) + layout.TRANSITION_SOURCE);
}

function isBelow(state: i32, ancestor: i32): boolean {
  return state > ancestor && state <= frame.endOf(ancestor);
}

/**
 * Walks the kept ones in order, as XState does: a kept one whose source lies above this one's would be dropped, but an earlier verdict of
 * "pre-empted" leaves everything as it was.
 */
function isPreempted(transition: i32, domain: i32, kept: i32): boolean {
  for (let i: i32 = 0; i < kept; i++) {
    const other: i32 = load32(scratch.chosen + (i << 2));
    if (!meet(transition, domain, other, load32(scratch.domains + (i << 2)))) continue;
    if (!isBelow(sourceOf(transition), sourceOf(other))) return true;
  }
  return false;
}

function dropPreempted(transition: i32, domain: i32, kept: i32): i32 {
  let left: i32 = 0;
  for (let i: i32 = 0; i < kept; i++) {
    const other: i32 = load32(scratch.chosen + (i << 2));
    const otherDomain: i32 = load32(scratch.domains + (i << 2));
    if (meet(transition, domain, other, otherDomain) && isBelow(sourceOf(transition), sourceOf(other))) continue;
    store32(scratch.chosen + (left << 2), other);
    store32(scratch.domains + (left << 2), otherDomain);
    left += 1;
  }
  return left;
}

/** Whether the exit sets of two transitions share an active state: one domain encloses the other, and the inner one moves something. */
function meet(one: i32, a: i32, other: i32, b: i32): boolean {
  if (a === NO_DOMAIN || b === NO_DOMAIN) return false;
  if (a === layout.NONE16) return moves(other, b, a);
  if (b === layout.NONE16) return moves(one, a, b);
  if (a === b || isBelow(b, a)) return moves(other, b, a);
  return isBelow(a, b) && moves(one, a, b);
}

/**
 * Whether a transition with this domain moves anything that one with the domain `outer` leaves: an active state below its domain, or its own
 * source, entered again by a leaf whose history stands for just that leaf. XState overlooks the latter, may leave the leaf's parent by the
 * other transition and never enter it again: a set of states that is no configuration. When the parent stays, both run.
 */
function moves(transition: i32, domain: i32, outer: i32): boolean {
  if (domain === layout.NONE16 || frame.hasAny(frame.configuration, domain + 1, frame.endOf(domain))) return true;
  if ((load16(frame.transitionAt(transition) + layout.TRANSITION_FLAGS) & layout.TRANSITION_DYNAMIC) === 0) return false;
  return frame.parentOf(domain) !== outer;
}

/** The state whose active descendants the transition leaves; NONE16 leaves the root too; NO_DOMAIN leaves nothing. */
function domainOf(transition: i32): i32 {
  const at: i32 = frame.transitionAt(transition);
  const flags: i32 = load16(at + layout.TRANSITION_FLAGS);
  if ((flags & layout.TRANSITION_TARGETLESS) !== 0) return NO_DOMAIN;
  if ((flags & layout.TRANSITION_DYNAMIC) === 0) return load16(at + layout.TRANSITION_DOMAIN);
  return dynamicDomain(at);
}
