// Mutations of relational machines as events: their types, in the order of their numbers in assembly/layout, and how one is read. The types
// begin with `relational.`, which no statechart may use; so the whole road (send, journal, mirrors, trace) carries them like other events.

import { MUTATION_AUTO, MUTATION_EXCEPTION } from '../assembly/layout.ts';
import { LockstepError } from './errors.ts';
import type { EventObject, Json } from './json.ts';

export type MutationKind = 'add' | 'remove' | 'set' | 'toggle';

/** Event number 1 is the first. */
export const MUTATIONS = [
  'relational.add',
  'relational.remove',
  'relational.set',
  'relational.toggle',
  'relational.exception',
  'relational.auto',
] as const;

/** What final handlers' exceptions become: the states named are taken back, and Exception is added. Only an authority sends it. */
export const EXCEPTION_EVENT = MUTATIONS[MUTATION_EXCEPTION - 1]!;
/** What handlers of an automatic mutation see as its type. */
export const AUTO_EVENT = MUTATIONS[MUTATION_AUTO - 1]!;

export interface Mutation extends EventObject {
  readonly type: (typeof MUTATIONS)[number];
  /** The states called, in the order of the call. */
  readonly states: readonly string[];
  readonly args?: Json;
  /** Of one that another machine's step brings. */
  readonly source?: MutationSource;
}

/** Where a mutation comes from: a machine, and the sum of its ticks before that step. */
export type MutationSource = { readonly machine: string; readonly time: number };

/** Whether an event is one: their types begin as no other's may. */
export function isMutation(type: string): boolean {
  return type.startsWith('relational.');
}

/** Written out: a text that is put together has to be hashed before it is found. */
const TYPES = { add: MUTATIONS[0], remove: MUTATIONS[1], set: MUTATIONS[2], toggle: MUTATIONS[3] } as const;

export function mutation(kind: MutationKind, states: readonly string[], args?: Json, source?: MutationSource): Mutation {
  const type = TYPES[kind];
  const made: Mutation = args === undefined ? { type, states } : { type, states, args };
  return source === undefined ? made : { ...made, source };
}

/** Of the mutations that anybody may send. */
export function kindOf(type: string): MutationKind | undefined {
  return (Object.keys(TYPES) as MutationKind[]).find((kind) => TYPES[kind] === type);
}

/**
 * Writes the states that a mutation calls where the core reads them, each once.
 * @throws LockstepError BAD_PARAMS when they are no names, or names of no states; UNKNOWN_EVENT for a mutation that nobody may send.
 */
export function writeCalls(
  event: EventObject,
  numbers: ReadonlyMap<string, number>,
  words: Uint32Array,
  at: number,
  machine: string,
): void {
  const { states } = event as { readonly states?: unknown };
  if (!Array.isArray(states)) throw new LockstepError('BAD_PARAMS', `${event.type} for ${machine}: /states is no list of names`);
  let count = 0;
  for (let i = 0; i < states.length; i++) {
    const number = typeof states[i] === 'string' ? numbers.get(states[i] as string) : undefined;
    if (number === undefined || number === 0)
      throw new LockstepError('BAD_PARAMS', `${event.type} for ${machine}: /states/${i} names no state: ${JSON.stringify(states[i])}`);
    let known = 1;
    while (known <= count && words[at + known] !== number) known++;
    if (known <= count) continue;
    count += 1;
    words[at + count] = number;
  }
  words[at] = count;
}
