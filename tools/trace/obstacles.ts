// Why relations cancelled a mutation, in words: what a called state needs and does not have, and what keeps it out. Looks one step deep; what
// only shows further on is told as such.

import type { Mutation } from '../../core/mutation.ts';
import type { Chart } from './chart.ts';

/** @param active before the mutation, by number. */
export function obstaclesOf(chart: Chart, { type, states }: Mutation, active: ReadonlySet<number>): readonly string[] {
  const numberOf = (name: string): number => chart.states.findIndex(({ key, number }) => number > 0 && key === name);
  const called = states.map(numberOf).filter((state) => state > 0);
  const around = new Set([...called, ...(type === 'relational.set' ? [] : active)].filter((state) => state > 0));
  const name = (state: number): string => chart.path(state);
  const found = called.flatMap((state) => [
    ...chart
      .relations(state)
      .require.filter((needed) => !around.has(needed))
      .map((needed) => `${name(state)} requires ${name(needed)}, which is not active`),
    ...[...around]
      .filter((other) => other !== state && chart.relations(other).remove.includes(state))
      .map((other) => `${name(other)}, which is ${called.includes(other) ? 'called too' : 'active'}, removes ${name(state)}`),
  ]);
  return found.length > 0 ? found : ['what is called cannot all be active, with what it brings'];
}
