// What the relations of a relational machine say about one another, before anything runs: states that can never be active, because they need two
// that exclude each other, and additions that can never be kept. Remove is never violated and Require never either, so this is certain.

import { escapePointer } from '../../core/plain.ts';
import type { Definition } from '../definition.ts';

export interface Conflict {
  readonly kind: 'conflict';
  /** The relation that cannot be met. */
  readonly path: string;
  readonly state: string;
  /** The state that it adds in vain; absent when it can never be active itself. */
  readonly adds?: string;
  /** The state that removes, and the one that it removes: both are needed. */
  readonly between: readonly [remover: string, removed: string];
  /** The relation that forbids it. */
  readonly because: string;
}

type Relations = NonNullable<Definition['relations']>;

/** All that is active whenever the state is: itself, and what it requires, as deep as that goes. */
export function needsOf({ states }: Relations, name: string): readonly string[] {
  const needs = new Set([name]);
  for (const each of needs) for (const required of states.get(each)?.require ?? []) needs.add(required);
  return [...needs];
}

export function conflictsOf(relations: Relations): Conflict[] {
  const names = [...relations.states.keys()];
  const needs = new Map(names.map((name) => [name, needsOf(relations, name)]));
  const torn = new Map(names.map((name) => [name, exclusion(relations, needs.get(name)!)] as const));
  return names.flatMap((state): Conflict[] => {
    const path = `/states/${escapePointer(state)}`;
    const own = torn.get(state);
    if (own !== undefined) return [{ kind: 'conflict', path: `${path}/require`, state, ...own }];
    return relations.states.get(state)!.add.flatMap((adds): Conflict[] => {
      const met = exclusion(relations, [...needs.get(state)!, ...needs.get(adds)!]);
      return met === undefined ? [] : [{ kind: 'conflict', path: `${path}/add`, state, adds, ...met }];
    });
  });
}

/** Two of these states of which one removes the other. */
function exclusion({ states }: Relations, needed: readonly string[]): Pick<Conflict, 'between' | 'because'> | undefined {
  const all = new Set(needed);
  for (const remover of all) {
    const removed = states.get(remover)?.remove.find((other) => all.has(other));
    if (removed !== undefined) return { between: [remover, removed], because: `/states/${escapePointer(remover)}/remove` };
  }
  return undefined;
}
