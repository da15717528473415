// Going everywhere a machine can go: our exploration beside XState's own graphs of the same machine, which are given the events to try. Theirs
// run the author's guards with the one context that there is, ours answers guards both ways; the configurations must be the same in number.

import type { AnyStateMachine } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { Exploration } from '../compiler/check/index.ts';
import type { Machine } from '../core/machine.ts';
import { load } from './load.ts';
import { APP34, FLAT1000, TREE1111, xstateMachine } from './machines.ts';
import { FULL, median, secondsOf, type Contender, type Effort, type Row } from './measure.ts';
import type { Subject } from './neutral.ts';

/** Explorations of ours in one turn: theirs take one. */
const OURS = 20;

export async function run(effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const subject of [APP34, FLAT1000, TREE1111]) rows.push(await row(subject, effort));
  return rows;
}

async function row(subject: Subject, effort: Effort): Promise<Row> {
  const definition = xstateMachine(subject);
  const machine = await load(definition);
  const count = explore(machine, definition);
  const peers = graphs(definition, subject, count);
  const own: Contender = {
    name: 'lockstep',
    run(operations) {
      for (let i = 0; i < operations; i++) if (explore(machine, definition) !== count) throw new Error('two explorations differ');
    },
  };
  const rounds = effort === FULL ? 7 : 3;
  // An operation of theirs can take half a second, so that they are not counted out as in compare().
  for (const contender of [own, ...peers]) for (let spentMs = 0; spentMs < effort.warmMs;) spentMs += secondsOf(contender, 1) * 1000;
  const ours: number[] = [];
  const theirs = peers.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    ours.push((OURS * count) / secondsOf(own, OURS));
    peers.forEach((peer, i) => theirs[i]!.push(count / secondsOf(peer, 1)));
  }
  const against = peers.map(({ name }, i) => {
    const ratio = median(theirs[i]!.map((rate, round) => ours[round]! / rate));
    return [name, { value: median(theirs[i]!), ratio }] as const;
  });
  return { name: `check/${subject.id}`, unit: 'configurations per CPU second', ours: median(ours), against: Object.fromEntries(against) };
}

function explore(machine: Machine, definition: AnyStateMachine): number {
  const exploration = new Exploration(machine, definition);
  exploration.run();
  exploration.dispose();
  return exploration.space.count;
}

function graphs(definition: AnyStateMachine, { id }: Subject, count: number): Contender[] {
  const types = definition.events.map((type: string) => ({ type }));
  const agree = (found: number, name: string): void => {
    if (found !== count) throw new Error(`${name} finds ${found} configurations of ${id}, ours ${count}`);
  };
  return [
    { name: 'xstate/graph map', run: () => agree(Object.keys(getAdjacencyMap(definition, { events: types })).length, 'the map') },
    { name: 'xstate/graph paths', run: () => agree(getShortestPaths(definition, { events: types }).length, 'the search for paths') },
  ];
}
