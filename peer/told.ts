// A step as it is told: always by its difference, and by its event where every replica of the image can run that itself (telling.ts). A replica
// makes the step of it again, and digests tell whether it came to the same. (docs/PROTOCOL.md, "Brief rooms")

import { LockstepError } from '../core/errors.ts';
import type { StepOrigin } from '../core/copy.ts';
import type { EventObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { plain } from '../core/plain.ts';
import type { Stamp } from '../core/stamp.ts';
import type { StepDifference, StepEvent, ToldStep } from './wire.ts';

export interface Told {
  readonly difference: StepDifference;
  /** Undefined when only the authority can make the step. */
  readonly event: StepEvent | undefined;
}

export function isEvent(step: ToldStep): step is StepEvent {
  return !Array.isArray(step[3]);
}

/**
 * Whether whoever has the image can run its steps, the author's functions or not. The events of relational machines stay with the authority:
 * they may have args that are not for everyone.
 */
export function runsAnywhere({ cells, isAlone, isRelational }: Machine): boolean {
  return (cells !== undefined || isAlone) && !isRelational;
}

/** What a replica runs. @throws LockstepError BAD_PARAMS when the image has no such event. */
export function runOf(
  machine: Machine,
  [seq, , n, named, fields, now = 0, seed = 0]: StepEvent,
  salt: string,
): { readonly event: EventObject; readonly stamp: Stamp; readonly origin: StepOrigin | undefined } {
  const isTimer = typeof named === 'number' && named <= 0;
  const type = typeof named === 'string' ? named : isTimer ? machine.symbols.timers[-named] : machine.symbols.events[named];
  if (type === undefined || !runsAnywhere(machine))
    throw new LockstepError('BAD_PARAMS', `step ${seq} is told by its event ${named}, which image ${machine.hash} cannot run`);
  const origin: StepOrigin | undefined = isTimer ? { timer: -named, isInternal: true } : n === 0 ? { isInternal: true } : undefined;
  return { event: plain({ type, ...fields }, '') as unknown as EventObject, stamp: { now, seed, salt }, origin };
}
