// Going everywhere a machine can go: our exploration beside XState's own graphs of the same machine, which are given the events to try. Theirs
// run the author's guards with the one context that there is, ours answers guards both ways; the configurations must be the same in number.

import type { AnyStateMachine } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { Exploration } from '../compiler/check/index.ts';
import type { Machine } from '../core/machine.ts';
import { load } from './load.ts';
import { APP34, FLAT1000, TREE1111, xstateMachine } from './machines.ts';
import { compare, type Contender, type Effort, type Row } from './measure.ts';
import type { Subject } from './neutral.ts';

export async function run(effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const subject of [APP34, FLAT1000, TREE1111]) rows.push(await row(subject, effort));
  return rows;
}

/** An operation is a whole exploration; what is reported are configurations. */
async function row(subject: Subject, effort: Effort): Promise<Row> {
  const definition = xstateMachine(subject);
  const machine = await load(definition);
  const count = explore(machine, definition);
  const own = repeated('lockstep', count, () => explore(machine, definition));
  const { name, ours, against } = compare(`check/${subject.id}`, own, graphs(definition, count), effort);
  return {
    name,
    unit: 'configurations per CPU second',
    ours: ours * count,
    against: Object.fromEntries(Object.entries(against).map(([peer, { value, ratio }]) => [peer, { value: value * count, ratio }])),
  };
}

function explore(machine: Machine, definition: AnyStateMachine): number {
  const exploration = new Exploration(machine, definition);
  exploration.run();
  exploration.dispose();
  return exploration.space.count;
}

function graphs(definition: AnyStateMachine, count: number): Contender[] {
  const types = definition.events.map((type: string) => ({ type }));
  return [
    repeated('xstate/graph map', count, () => Object.keys(getAdjacencyMap(definition, { events: types })).length),
    repeated('xstate/graph paths', count, () => getShortestPaths(definition, { events: types }).length),
  ];
}

/** @param find how many configurations it finds. */
function repeated(name: string, count: number, find: () => number): Contender {
  return {
    name,
    run(operations) {
      for (let i = 0; i < operations; i++) {
        const found = find();
        if (found !== count) throw new Error(`${name} finds ${found} configurations, ${count} were found before`);
      }
    },
  };
}
