// The commands about relational machines: mutations, and waiting for several states at once. Pure of terminals, like the session that calls
// them.

import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { MutationKind } from '../../core/mutation.ts';
import { EXECUTED } from '../../core/relational/types.ts';
import type { AnyMirror } from '../../peer/mirror.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import type { Result } from './result.ts';

/** `A,B`: names of states, and with `-` before them those that are to be inactive. */
export interface StateNames {
  readonly active: readonly string[];
  readonly inactive: readonly string[];
}

/** @throws LockstepError BAD_PARAMS when a name is empty. */
function stateNames(text: string): StateNames {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '' || name === '-'))
    throw new LockstepError('BAD_PARAMS', `"${text}" is no list of states: expected names with commas between them`);
  return {
    active: names.filter((name) => !name.startsWith('-')),
    inactive: names.filter((name) => name.startsWith('-')).map((name) => name.slice(1)),
  };
}

/** Makes a mutation and tells what came of it. @throws LockstepError BAD_PARAMS for a statechart, and for names that are no states. */
export async function mutate(mirror: AnyMirror, kind: MutationKind, text: string, args: Json | undefined): Promise<Result> {
  const { active: states, inactive } = stateNames(text);
  if (inactive.length > 0) throw new LockstepError('BAD_PARAMS', `${kind} calls states by their names, found "-${inactive[0]}"`);
  return faced(mirror, async (face) => {
    const result = await face[kind](states, args as never);
    return {
      kind: 'mutated',
      instance: mirror.id,
      mutation: kind,
      outcome: result === EXECUTED ? 'executed' : 'cancelled',
      seq: mirror.seq,
      active: face.active,
    };
  });
}

/** Until all of these are as they are named. @throws the signal's reason, and as `mutate`. */
export function when(mirror: AnyMirror, text: string, signal: AbortSignal): Promise<Result> {
  const { active, inactive } = stateNames(text);
  return faced(mirror, async (face) => {
    // Both at the same time: a query looks at whole clocks.
    for (const name of [...active, ...inactive]) face.tick(name);
    const holds = (clock: Readonly<Record<string, number>>): boolean =>
      active.every((name) => clock[name]! % 2 === 1) && inactive.every((name) => clock[name]! % 2 === 0);
    await face.whenQuery(holds, { signal });
    return { kind: 'reached', instance: mirror.id, seq: mirror.seq, value: face.active };
  });
}

async function faced<T>(mirror: AnyMirror, use: (face: RelationalMirror) => Promise<T>): Promise<T> {
  const face = new RelationalMirror(mirror);
  try {
    return await use(face);
  } finally {
    face.dispose();
  }
}
