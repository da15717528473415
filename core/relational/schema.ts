// A schema that grows under a running machine: states are only appended, so that every number keeps its meaning, and what is active stays so.

import { IMAGE_LISTS, IMAGE_RELATIONS, RELATION_REMOVE, RELATION_REQUIRE, RELATION_SIZE } from '../../assembly/layout.ts';
import { LockstepError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import type { Clocks } from './waits.ts';

/**
 * The clocks of a running machine under a schema that has grown: those that there were, and zeros.                    (REL-21)
 * @throws LockstepError BAD_DEFINITION naming the place of the first name that differs; EXPECTATION when states are active that could not be
 *   together under the relations that it has now.
 */
export function appended(old: Machine, grown: Machine, clocks: Clocks): Clocks {
  const names = grown.symbols.states.map(({ key }) => key);
  const { id } = old.symbols;
  if (!old.isRelational) throw new LockstepError('BAD_DEFINITION', `machine '${id}' is a statechart: only a relational schema grows`);
  if (!grown.isRelational || grown.symbols.id !== id)
    throw new LockstepError('BAD_DEFINITION', `machine '${id}', /id: the schema at hand is that of '${grown.symbols.id}'`);
  old.symbols.states.forEach(({ key }, state) => {
    if (names[state] !== key)
      throw new LockstepError(
        'BAD_DEFINITION',
        `machine '${id}', /names/${state - 1}: expected '${key}', found '${names[state] ?? 'nothing'}'`,
      );
  });
  if (grown.stateCount <= old.stateCount)
    throw new LockstepError(
      'BAD_DEFINITION',
      `machine '${id}', /names: ${grown.stateCount - 1} states, expected more than ${old.stateCount - 1}`,
    );
  mustHold(grown, clocks);
  return names.map((_, state) => clocks[state] ?? 0);
}

/** No mutation would lead to what its relations forbid; neither may they. */
function mustHold(grown: Machine, clocks: Clocks): void {
  const { id, states } = grown.symbols;
  const isActive = (state: number): boolean => ((clocks[state] ?? 0) & 1) === 1;
  const nameOf = (state: number): string => `'${states[state]!.key}'`;
  for (let state = 1; state < clocks.length; state++) {
    if (!isActive(state)) continue;
    const unmet = related(grown, state, RELATION_REQUIRE).find((other) => !isActive(other));
    if (unmet !== undefined)
      throw new LockstepError(
        'EXPECTATION',
        `machine '${id}': ${nameOf(state)} is active and would require ${nameOf(unmet)}, which is not`,
      );
    const removed = related(grown, state, RELATION_REMOVE).find(isActive);
    if (removed !== undefined)
      throw new LockstepError(
        'EXPECTATION',
        `machine '${id}': ${nameOf(state)} is active and would remove ${nameOf(removed)}, which is, too`,
      );
  }
}

/** The states that one is related to. @param field of its relation record. */
function related({ core: { words }, handle }: Machine, state: number, field: number): readonly number[] {
  const record = handle + words[(handle + IMAGE_RELATIONS) >>> 2]! + state * RELATION_SIZE;
  const list = (handle + words[(handle + IMAGE_LISTS) >>> 2]!) >>> 2;
  const at = list + words[(record + field) >>> 2]!;
  return [...words.subarray(at + 1, at + 1 + words[at]!)];
}
