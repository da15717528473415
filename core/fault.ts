// What the core's faults mean for whoever sent the event: a code and a sentence.

import { FAULT_FUEL, FAULT_HOST, FAULT_OUTPUT_FULL, FAULT_QUEUE_FULL, FAULT_STATUS } from '../assembly/layout.ts';
import { LockstepError } from './errors.ts';
import type { EventObject } from './json.ts';
import type { Machine } from './machine.ts';
import type { Status } from './step.ts';

/** The error for a result below zero of start, step or can. */
export function faultError(
  machine: Machine,
  about: { readonly result: number; readonly event: EventObject; readonly status: Status | undefined },
): LockstepError {
  const { id } = machine.symbols;
  const { result, event, status } = about;
  switch (result) {
    case FAULT_HOST:
      return hostError(machine, machine.core.thrown);
    case FAULT_FUEL:
      return new LockstepError('FUEL', `machine ${id} did not come to rest on "${event.type}" within the microsteps its image allows`);
    case FAULT_QUEUE_FULL:
    case FAULT_OUTPUT_FULL:
      return new LockstepError('OVERFLOW', `machine ${id} raised more events or effects on "${event.type}" than one step has room for`);
    case FAULT_STATUS:
      return new LockstepError(
        'NOT_RUNNING',
        `an instance of ${id} got "${event.type}" with status ${status ?? 'not started'}, expected active`,
      );
    default:
      return new LockstepError('CORE', `the core answered fault ${result} to "${event.type}" for an instance of ${id}`);
  }
}

/** What an author's function threw: our own errors as they are, all else as HOST_THREW. */
export function hostError(machine: Machine, thrown: unknown): LockstepError {
  if (thrown instanceof LockstepError) return thrown;
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new LockstepError('HOST_THREW', `a function of machine ${machine.symbols.id} threw ${text}`, { cause: thrown });
}
