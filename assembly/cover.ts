// What a step with COVER leaves for its host, a tool that goes everywhere a machine can go: which states and transitions it met, as marks in the
// host's sets. Where it ended is for assembly/form.ts to say.

import * as layout from './layout.ts';
import { load32, store32 } from './prim.ts';

/** The host's sets, a bit for each state and one for each transition, and its room for a form. */
let states: i32 = 0;
let transitions: i32 = 0;
export let form: i32 = 0;
/** Where it ends. */
export let end: i32 = 0;

export function set(its: i32, itsBytes: i32, theirBytes: i32, roomBytes: i32): void {
  states = its;
  transitions = its + itsBytes;
  form = transitions + theirBytes;
  end = form + roomBytes;
}

/** Marks what a record is about, if there is a set for that. */
export function markRecord(kind: i32, argument: i32): void {
  if (kind === layout.RECORD_ENTER) mark(states, transitions, argument);
  else if (kind === layout.RECORD_TRANSITION) mark(transitions, form, argument);
}

function mark(members: i32, last: i32, member: i32): void {
  const word: i32 = members + ((member >>> 5) << 2);
  if (word < last) store32(word, load32(word) | (1 << (member & 31)));
}
