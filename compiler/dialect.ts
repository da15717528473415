// Which front end reads what an author hands over.

import { LockstepError } from '../core/errors.ts';
import { describe, isFields } from '../core/fields.ts';
import type { Definition } from './definition.ts';
import { flatDefinition } from './dialects/flat.ts';
import { fromRelational, isRelational } from './dialects/relational.ts';
import { fromStates, isStateList } from './dialects/states.ts';
import { fromTransitions, isTransitionList } from './dialects/transitions.ts';
import { fromXState } from './dialects/xstate5.ts';
import { fromMachineJson, isMachineJson } from './dialects/xstate6.ts';

/**
 * A definition in any dialect as a machine that everything takes: compileMachine(), bind(), check(), servers and peers.   (COMPILE-10)
 * What is a machine already comes back as it is.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED or NOT_JSON; the message names machine, path and reason.
 */
export function defineMachine(source: unknown): unknown {
  if (isRelational(source)) return source;
  if (isTransitionList(source)) return fromTransitions(source);
  if (isMachineJson(source)) return fromMachineJson(source);
  return isStateList(source) ? fromStates(source) : source;
}

/**
 * The neutral definition of a machine in any dialect.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, NOT_JSON or MISSING_FUNCTION; the message names machine, path and reason.
 */
export function readDefinition(machine: unknown): Definition {
  if (!isFields(machine)) throw new LockstepError('BAD_DEFINITION', `expected a machine or its config, found ${describe(machine)}`);
  if (isRelational(machine)) return fromRelational(machine);
  const defined = defineMachine(machine);
  return flatDefinition(defined) ?? fromXState(defined);
}
