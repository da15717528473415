// What the core's faults mean for whoever sent the event: a code and a sentence.

import { FAULT_FUEL, FAULT_HOME, FAULT_HOST, FAULT_OUTPUT_FULL, FAULT_QUEUE_FULL, FAULT_STATUS } from '../assembly/layout.ts';
import { ExpressionFault, LockstepError } from './errors.ts';
import type { EventObject } from './json.ts';
import type { Machine } from './machine.ts';
import type { Status } from './step.ts';
import { functionName } from './symbols.ts';

/** Event types that a message lists, and characters of the type that it repeats. */
const NAMES_MAX = 20;
const TYPE_MAX = 100;

/** The error for a result below zero of start, step or can. */
export function faultError(
  machine: Machine,
  about: { readonly result: number; readonly event: EventObject; readonly status: Status | undefined },
): LockstepError {
  const { id } = machine.symbols;
  const { result, event, status } = about;
  switch (result) {
    case FAULT_HOST:
      return hostError(machine, machine.core.thrower, machine.core.thrown);
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
    case FAULT_HOME:
      return new LockstepError('MISSING_FUNCTION', `the context here is not the one that the image of ${id} computes with`);
    default:
      return new LockstepError('CORE', `the core answered fault ${result} to "${event.type}" for an instance of ${id}`);
  }
}

/** What an author's function threw: our own errors as they are, all else as HOST_THREW. */
export function hostError({ symbols }: Machine, fn: number, thrown: unknown): LockstepError {
  if (thrown instanceof LockstepError) return thrown;
  if (thrown instanceof ExpressionFault)
    return new LockstepError('EXPRESSION', `machine ${symbols.id}: ${functionName(symbols, fn)}: ${thrown.message}`);
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new LockstepError('HOST_THREW', `machine ${symbols.id}: ${functionName(symbols, fn)} threw ${text}`, { cause: thrown });
}

/** The author's function is not here. */
export function missingFunction({ symbols }: Machine, fn: number): LockstepError {
  return new LockstepError(
    'MISSING_FUNCTION',
    `machine ${symbols.id} asks for ${functionName(symbols, fn)}, and this replica has no function for it`,
  );
}

/** Nothing in the machine names the type of this event. The sentence has what the machine does name, as far as it is short. */
export function unknownEvent({ symbols }: Machine, type: string): LockstepError {
  const known = symbols.events.filter((name) => name !== '' && !name.startsWith('xstate.'));
  const more = known.length > NAMES_MAX ? ' …' : '';
  const found = type.length > TYPE_MAX ? `${type.slice(0, TYPE_MAX)}…` : type;
  return new LockstepError(
    'UNKNOWN_EVENT',
    `machine ${symbols.id} takes no event "${found}"; it takes ${known.slice(0, NAMES_MAX).join(', ') || 'none'}${more}`,
  );
}
