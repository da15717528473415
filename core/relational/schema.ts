// A schema that grows under a running machine: states are only appended, so that every number keeps its meaning.

import { LockstepError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import type { Clocks } from './waits.ts';

/** @returns the clocks for the new machine. @throws LockstepError BAD_DEFINITION naming the place of the first name that differs. */
export function appended(old: Machine, grown: Machine, clocks: Clocks): Clocks {
  const names = grown.symbols.states.map(({ key }) => key);
  const { id } = old.symbols;
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
  return names.map((_, state) => clocks[state] ?? 0);
}
