// A step as mirrors hear it: what it changed, and as much of its cause as readers may know.

import { assert } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { toldArgs } from '../core/relational/told.ts';
import type { Step } from '../core/step.ts';
import { recordStep } from './record.ts';
import type { Taken } from './replica.ts';
import type { Told } from './told.ts';
import type { StepDifference } from './wire.ts';

/** What a mirror's own readers are told of a step, while nothing has come after it. */
export function toldOf({ step }: Taken): Told {
  if (!('made' in step)) return { difference: step.told, event: undefined };
  const { told, made } = step;
  assert(made !== undefined, 'it was taken in to be told');
  return { difference: differenceOf(recordStep(made, '', 0), told[1], made.instance.machine), event: told };
}

/** What a mirror needs of a step. */
export function differenceOf(step: Step, who: number, machine: Machine): StepDifference {
  const { history, status, output, error, timers, children, ids } = step;
  const args = machine.isRelational && step.clocks.length > 0 ? toldArgs(machine, step.cause.event) : undefined;
  // A reader takes the step for the answer to its event.
  const ignored = step.ignored === true && who > 0 && step.cause.n > 0;
  const isPlain =
    !ignored && args === undefined && history.length === 0 && timers.length === 0 && children === undefined && ids === undefined;
  if (isPlain && status === undefined && output === undefined && error === undefined) {
    return [step.seq, who, step.cause.n, step.clocks, step.patch];
  }
  const more = {
    ...(history.length === 0 ? {} : { history }),
    ...(status === undefined ? {} : { status }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(timers.length === 0 ? {} : { timers }),
    ...(children === undefined ? {} : { children }),
    ...(ids === undefined ? {} : { ids }),
    ...(ignored ? { ignored } : {}),
    ...(args === undefined ? {} : { args }),
  };
  return [step.seq, who, step.cause.n, step.clocks, step.patch, more];
}
