// The instance and image that a step is about, as addresses: set once per step, so that the stepper reads tables with one addition.

import { clocksOf } from './instance.ts';
import * as layout from './layout.ts';
import { even } from './image.ts';
import { IS_WHOLE, load16, load32, load8, store32 } from './prim.ts';

export let image: i32 = 0;
export let states: i32 = 0;
export let transitions: i32 = 0;
export let events: i32 = 0;
export let histories: i32 = 0;
export let lists: i32 = 0;
export let select: i32 = 0;
export let candidates: i32 = 0;
/** u16 per event and state: the only candidate, or NONE16; 0 when there is no such table. */
export let direct: i32 = 0;
export let stateCount: i32 = 0;
export let eventCount: i32 = 0;
/** Whether the image asks for SCXML's rules where they differ from XState's. */
export let isScxml: boolean = false;
/** Whether domains of transitions are never parallel. */
export let hasCompoundDomains: boolean = false;
/** Whether it is a relational machine. */
export let isRelational: boolean = false;
export let relations: i32 = 0;
/** u32 words of a configuration. */
export let words: i32 = 0;
/** Bytes of a configuration. */
export let wordBytes: i32 = 0;
/** Bytes of an instance from INSTANCE_STATUS up to its cells: what an undo copy holds. */
export let undoBytes: i32 = 0;
/** Whether any state has eventless transitions. */
export let hasAlways: boolean = false;
/** Whether a step may go by assembly/quick.ts: a statechart by XState's rules, without eventless transitions, in one word of states. */
export let isSimple: boolean = false;
export let instance: i32 = 0;
export let configuration: i32 = 0;
export let clocks: i32 = 0;
export let memories: i32 = 0;
/** Program records; 0 when all functions are the host's. */
export let programs: i32 = 0;
export let code: i32 = 0;
export let constants: i32 = 0;
export let cellCount: i32 = 0;
export let cells: i32 = 0;

export function enterFrame(entered: i32): void {
  const its: i32 = load32(entered + layout.INSTANCE_IMAGE);
  if (its !== image) enterImage(its);
  instance = entered;
  configuration = entered + layout.INSTANCE_CONFIGURATION;
  clocks = clocksOf(entered, words);
  memories = clocks + (even(stateCount) << 2);
  cells = entered + layout.INSTANCE_STATUS + undoBytes;
}

function enterImage(its: i32): void {
  image = its;
  states = its + load32(its + layout.IMAGE_STATES);
  transitions = its + load32(its + layout.IMAGE_TRANSITIONS);
  events = its + load32(its + layout.IMAGE_EVENTS);
  histories = its + load32(its + layout.IMAGE_HISTORIES);
  lists = its + load32(its + layout.IMAGE_LISTS);
  select = its + load32(its + layout.IMAGE_SELECT);
  candidates = its + load32(its + layout.IMAGE_CANDIDATES);
  direct = IS_WHOLE ? load32(its + layout.IMAGE_DIRECT) : 0;
  stateCount = load32(its + layout.IMAGE_STATE_COUNT);
  eventCount = load32(its + layout.IMAGE_EVENT_COUNT);
  const semantics: i32 = load32(its + layout.IMAGE_SEMANTICS);
  isScxml = IS_WHOLE && (semantics & layout.SEMANTICS_SCXML) !== 0;
  hasCompoundDomains = IS_WHOLE && (semantics & layout.SEMANTICS_COMPOUND_DOMAIN) !== 0;
  isRelational = IS_WHOLE && (semantics & layout.SEMANTICS_RELATIONAL) !== 0;
  relations = its + load32(its + layout.IMAGE_RELATIONS);
  words = (stateCount + 31) >>> 5;
  wordBytes = words << 2;
  hasAlways = load32(events + eventCount * layout.EVENT_SIZE + layout.EVENT_ENTRY_COUNT) !== 0;
  isSimple = !isScxml && !isRelational && !hasAlways && words === 1 && direct !== 0;
  const historyWords: i32 = even(load32(its + layout.IMAGE_HISTORY_COUNT) * words);
  cellCount = load32(its + layout.IMAGE_CELL_COUNT);
  undoBytes = layout.INSTANCE_CONFIGURATION - layout.INSTANCE_STATUS + ((even(words) + even(stateCount) + historyWords) << 2);
  programs = load32(its + layout.IMAGE_PROGRAM_COUNT) === 0 ? 0 : its + load32(its + layout.IMAGE_PROGRAMS);
  code = its + load32(its + layout.IMAGE_CODE);
  constants = its + load32(its + layout.IMAGE_CONSTANTS);
}

/** To be called when an image goes: another one may come to its address. */
export function leaveImage(): void {
  image = 0;
  instance = 0;
}

export function stateAt(state: i32): i32 {
  return states + state * layout.STATE_SIZE;
}

export function parentOf(state: i32): i32 {
  return load16(stateAt(state) + layout.STATE_PARENT);
}

export function endOf(state: i32): i32 {
  return load16(stateAt(state) + layout.STATE_END);
}

export function kindOf(state: i32): i32 {
  return load8(stateAt(state) + layout.STATE_KIND);
}

export function transitionAt(transition: i32): i32 {
  return transitions + transition * layout.TRANSITION_SIZE;
}

export function isActive(state: i32): boolean {
  return hasBit(configuration, state);
}

export function memoryOf(history: i32): i32 {
  return memories + history * wordBytes;
}

// ── Bitsets over states ──────────────────────────────────────────────────────────────────────────────────────────

export function hasBit(bits: i32, state: i32): boolean {
  return ((load32(bits + ((state >>> 5) << 2)) >>> (state & 31)) & 1) !== 0;
}

export function setBit(bits: i32, state: i32): void {
  const at: i32 = bits + ((state >>> 5) << 2);
  store32(at, load32(at) | (1 << (state & 31)));
}

export function clearBit(bits: i32, state: i32): void {
  const at: i32 = bits + ((state >>> 5) << 2);
  store32(at, load32(at) & ~(1 << (state & 31)));
}

export function clearBits(bits: i32): void {
  for (let at: i32 = 0; at < wordBytes; at += 4) store32(bits + at, 0);
}

/** Of word number `word`, the bits that lie in states `from` to `to`, both included. */
export function rangeMask(word: i32, from: i32, to: i32): i32 {
  const low: i32 = word << 5;
  let mask: i32 = -1;
  if (from > low) mask = mask & (-1 << (from - low));
  if (to < low + 31) mask = mask & (-1 >>> (31 - (to - low)));
  return mask;
}

/** Whether any state from `from` to `to`, both included, is in the set. */
export function hasAny(bits: i32, from: i32, to: i32): boolean {
  if (to < from) return false;
  const last: i32 = to >>> 5;
  for (let word: i32 = from >>> 5; word <= last; word++) {
    if ((load32(bits + (word << 2)) & rangeMask(word, from, to)) !== 0) return true;
  }
  return false;
}
