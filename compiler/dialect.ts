// Which front end reads what an author hands over.

import { LockstepError } from '../core/errors.ts';
import { describe, isFields } from '../core/source.ts';
import type { Definition } from './definition.ts';
import { fromRelational, isRelational } from './dialects/relational.ts';
import { fromXState } from './dialects/xstate5.ts';

/**
 * The neutral definition of a machine in any dialect that compileMachine() takes.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, NOT_JSON or MISSING_FUNCTION; the message names machine, path and reason.
 */
export function readDefinition(machine: unknown): Definition {
  if (!isFields(machine)) throw new LockstepError('BAD_DEFINITION', `expected a machine or its config, found ${describe(machine)}`);
  return isRelational(machine) ? fromRelational(machine) : fromXState(machine);
}
