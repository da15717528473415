// What a mutation of a relational machine leads to: the call resolved against the relations. docs/relational.md has the rules for people.
//
// What a resolution holds, all in scratch:
//   chosen   the states that it considers: those called, then those active, then those implied; `size` of them
//   targets  what is called
//   enters   the target: those considered that are still to be active
//   exits    banned: those that another one removes
//   invokes  what is taken back, in an exception
//   counts   how many states of the target remove each state

import * as frame from './frame.ts';
import * as layout from './layout.ts';
import { load32, store32 } from './prim.ts';
import * as scratch from './scratch.ts';

/** The states that the mutation calls. Words: a count, then states. */
export let calls: i32 = 0;
/** MUTATION_ADD, REMOVE or SET: what a toggle has become, and an exception. */
export let kind: i32 = 0;
let size: i32 = 0;
/** List words looked at since the mutation began. */
let work: i32 = 0;

export function beginResolving(): void {
  calls = scratch.domains;
  work = 0;
}

export function setKind(its: i32): void {
  kind = its;
}

export function isExhausted(): boolean {
  return work > layout.MUTATION_WORK_MAX;
}

// ── Records ──────────────────────────────────────────────────────────────────────────────────────────────────────

export function flagsOf(state: i32): i32 {
  return load32(frame.relations + state * layout.RELATION_SIZE);
}

/** Where a list of a state's record begins: its length, then its words. */
export function listOf(state: i32, field: i32): i32 {
  return frame.lists + (load32(frame.relations + state * layout.RELATION_SIZE + field) << 2);
}

export function order(): i32 {
  return frame.lists + (load32(frame.image + layout.IMAGE_RELATION_ORDER) << 2);
}

// ── Resolving ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Finds the target. Removing is decided among what requiring leaves, in rounds: a state that was removed by nothing but removed states may
 * come again. Each round removes at least one for good. @returns 1 or FAULT_FUEL.
 */
export function resolve(): i32 {
  frame.clearBits(scratch.exits);
  let fault: i32 = 1;
  let again: boolean = true;
  while (again) {
    collect();
    fault = dropUnmet();
    again = fault > 0 && dropRemoved();
  }
  return fault;
}

/** The states to consider, without those that are banned. */
function collect(): void {
  size = 0;
  frame.clearBits(scratch.enters);
  const count: i32 = load32(calls);
  if (kind !== layout.MUTATION_REMOVE) for (let i: i32 = 1; i <= count; i++) consider(load32(calls + (i << 2)));
  const called: i32 = size;
  if (kind !== layout.MUTATION_SET) considerActive();
  if (kind === layout.MUTATION_REMOVE) return;
  const implied: i32 = size;
  for (let i: i32 = 0; i < called; i++) imply(load32(scratch.chosen + (i << 2)));
  for (let i: i32 = implied; i < size; i++) imply(load32(scratch.chosen + (i << 2)));
}

/** What stays by itself: the active states, with those that are taken back as they were. */
function considerActive(): void {
  const list: i32 = order();
  const end: i32 = list + (load32(list) << 2);
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const state: i32 = load32(at);
    if (kind === layout.MUTATION_REMOVE && frame.hasBit(scratch.targets, state)) continue;
    if (frame.isActive(state) !== frame.hasBit(scratch.invokes, state)) consider(state);
  }
}

function consider(state: i32): void {
  if (frame.hasBit(scratch.enters, state) || frame.hasBit(scratch.exits, state)) return;
  frame.setBit(scratch.enters, state);
  store32(scratch.chosen + (size << 2), state);
  size += 1;
}

/** A state that begins, or begins anew, brings what it adds. */
function imply(state: i32): void {
  if (frame.isActive(state) && (flagsOf(state) & layout.RELATION_MULTI) === 0) return;
  const list: i32 = listOf(state, layout.RELATION_ADD);
  const end: i32 = list + (load32(list) << 2);
  for (let at: i32 = list + 4; at <= end; at += 4) consider(load32(at));
  work += load32(list);
}

/** Drops from the target, until all is met, what requires a state that is not in it. @returns 1 or FAULT_FUEL. */
function dropUnmet(): i32 {
  let dropped: boolean = true;
  while (dropped) {
    dropped = false;
    for (let i: i32 = 0; i < size; i++) {
      const state: i32 = load32(scratch.chosen + (i << 2));
      if (!frame.hasBit(scratch.enters, state)) continue;
      const list: i32 = listOf(state, layout.RELATION_REQUIRE);
      const end: i32 = list + (load32(list) << 2);
      for (let at: i32 = list + 4; at <= end; at += 4) {
        if (frame.hasBit(scratch.enters, load32(at))) continue;
        frame.clearBit(scratch.enters, state);
        dropped = true;
        break;
      }
      work += load32(list) + 1;
    }
    if (isExhausted()) return layout.FAULT_FUEL;
  }
  return 1;
}

/** From the last considered to the first, bans what a state removes that is not banned itself: so the new beats the old. */
function dropRemoved(): boolean {
  for (let i: i32 = 0; i < size; i++) scratch.setCount(load32(scratch.chosen + (i << 2)), 0);
  let any: boolean = false;
  for (let i: i32 = 0; i < size; i++) {
    const state: i32 = load32(scratch.chosen + (i << 2));
    if (frame.hasBit(scratch.enters, state) && countRemoved(state, 1)) any = true;
  }
  if (!any) return false;
  any = false;
  for (let i: i32 = size - 1; i >= 0; i--) {
    const state: i32 = load32(scratch.chosen + (i << 2));
    if (!frame.hasBit(scratch.enters, state) || scratch.countOf(state) === 0) continue;
    any = true;
    frame.setBit(scratch.exits, state);
    countRemoved(state, -1);
  }
  // The counts are now those of the states that are left.
  for (let i: i32 = 0; i < size; i++) {
    const state: i32 = load32(scratch.chosen + (i << 2));
    if (scratch.countOf(state) === 0) frame.clearBit(scratch.exits, state);
  }
  return any;
}

/** @returns whether it removes anything that is considered. */
function countRemoved(state: i32, change: i32): boolean {
  const list: i32 = listOf(state, layout.RELATION_REMOVE);
  const end: i32 = list + (load32(list) << 2);
  let any: boolean = false;
  for (let at: i32 = list + 4; at <= end; at += 4) {
    const removed: i32 = load32(at);
    if (removed === state || !frame.hasBit(scratch.enters, removed)) continue;
    scratch.setCount(removed, scratch.countOf(removed) + change);
    any = true;
  }
  work += load32(list);
  return any;
}

/** Whether a called state, or what it implies, is `state`; with `isLeaving`, whether it removes it. */
export function brings(called: i32, state: i32, isLeaving: boolean): boolean {
  size = 0;
  frame.clearBits(scratch.exits);
  frame.clearBits(scratch.enters);
  consider(called);
  for (let i: i32 = 0; i < size; i++) {
    const brought: i32 = load32(scratch.chosen + (i << 2));
    if (isLeaving) {
      const removes: i32 = listOf(brought, layout.RELATION_REMOVE);
      const last: i32 = removes + (load32(removes) << 2);
      for (let at: i32 = removes + 4; at <= last; at += 4) if (load32(at) === state) return true;
    } else if (brought === state) return true;
    imply(brought);
  }
  return false;
}
