// The road of most steps of a local machine: an event that one state answers by one transition which does no more than move, or write cells,
// in a step whose records nobody reads. It is the walk of assembly/statechart.ts with all that does not apply left out, and what it cannot take
// whole it leaves untouched for that one.

import * as expression from './expression.ts';
import * as frame from './frame.ts';
import { isInstance } from './instance.ts';
import * as layout from './layout.ts';
import { enter, leave } from './move.ts';
import { HOME_OUTSIDE } from './program-layout.ts';
import { load16, load32, store32, trailingZeros } from './prim.ts';
import * as scratch from './scratch.ts';

/** Not a step for this road; nothing has happened. Below zero like a fault, and none. */
export const LONG_ROAD: i32 = -1_000;

/** @returns what a step with QUIET and COUNT returns, or LONG_ROAD. */
export function quick(instance: i32, event: i32): i32 {
  // What was an instance before is one as long as it has the mark.
  if (instance !== frame.instance) {
    if (!isInstance(instance)) return LONG_ROAD;
    frame.enterFrame(instance);
  } else if (load32(instance + layout.INSTANCE_MARK) !== (layout.INSTANCE_LIVE ^ instance)) return LONG_ROAD;
  if (load32(instance + layout.INSTANCE_STATUS) !== layout.STATUS_ACTIVE) return LONG_ROAD;
  if (!frame.isSimple || event < 0 || event >= frame.eventCount) return LONG_ROAD;
  if (frame.programs !== 0 && load32(instance + layout.INSTANCE_HOME) === HOME_OUTSIDE) return LONG_ROAD;
  const mask: i32 = frame.select + (load32(frame.events + event * layout.EVENT_SIZE + layout.EVENT_MASK) << 2);
  const asked: i32 = load32(frame.configuration) & load32(mask);
  if (asked === 0) {
    scratch.begin(layout.QUIET);
    if (frame.programs !== 0) expression.begin();
    count(instance);
    return layout.STEP_IGNORED;
  }
  if ((asked & (asked - 1)) !== 0) return LONG_ROAD;
  const transition: i32 = load16(frame.direct + ((event * frame.stateCount + trailingZeros(asked)) << 1));
  if (transition === layout.NONE16) return LONG_ROAD;
  const at: i32 = frame.transitionAt(transition);
  const plan: i32 = load16(at + layout.TRANSITION_PLAN);
  if (plan !== layout.PLAN_PLAIN && plan !== layout.PLAN_WRITING) return LONG_ROAD;
  const guard: i32 = load16(at + layout.TRANSITION_GUARD_KIND);
  if (guard !== layout.GUARD_NONE && frame.programs === 0) return LONG_ROAD;
  scratch.begin(layout.QUIET);
  let result: i32 = layout.STEP_TAKEN;
  if (frame.programs !== 0) {
    expression.begin();
    result = runPrograms(at, guard, plan);
    if (result < 0 || expression.isTouched) expression.end(result >= 0);
    if (result < 0) return result;
    if (result === layout.STEP_IGNORED) {
      count(instance);
      return result;
    }
  }
  if ((load16(at + layout.TRANSITION_FLAGS) & layout.TRANSITION_TARGETLESS) === 0) {
    leave(at);
    enter(at);
  }
  count(instance);
  return result;
}

/** The guard, and when it passes what the transition writes. @returns STEP_IGNORED, STEP_TAKEN with what is above it, or a fault. */
function runPrograms(at: i32, guard: i32, plan: i32): i32 {
  if (guard !== layout.GUARD_NONE) {
    const argument: i32 = load32(at + layout.TRANSITION_GUARD_ARG);
    const answer: i32 =
      guard === layout.GUARD_IN ? (frame.isActive(argument) ? 1 : 0) : expression.decide(argument, layout.HANDLE_EXTERNAL);
    if (answer < 0) return answer;
    if (answer === 0) return layout.STEP_IGNORED;
  }
  if (plan === layout.PLAN_PLAIN) return layout.STEP_TAKEN;
  const list: i32 = frame.lists + (load32(at + layout.TRANSITION_ACTIONS) << 2);
  const actions: i32 = load32(list);
  if (actions === 1) {
    const cell: i32 = expression.replaceAtOnce(load32(list + 4) & layout.ACTION_ARG_MASK);
    if (cell >= 0) return layout.STEP_TAKEN | (cell << layout.STEP_CELL_SHIFT);
  }
  const last: i32 = list + (actions << 2);
  for (let word: i32 = list + 4; word <= last; word += 4) {
    const fault: i32 = expression.assign(load32(word) & layout.ACTION_ARG_MASK, layout.HANDLE_EXTERNAL);
    if (fault < 0) return fault;
  }
  return layout.STEP_TAKEN;
}

function count(instance: i32): void {
  const seq: i32 = instance + layout.INSTANCE_SEQ;
  store32(seq, load32(seq) + 1);
}
