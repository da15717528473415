// The raw step of the core beside XState's actor.send: guards and assigns are host functions, effects are nobody's.

import { createActor, type AnyStateMachine } from 'xstate';
import { Instance } from '../core/instance.ts';
import type { EventObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { load } from './load.ts';
import * as machines from './machines.ts';
import { compare, type Contender, type Effort, type Row } from './measure.ts';

const CASES: readonly { name: string; machine: AnyStateMachine; events: readonly EventObject[] }[] = [
  { name: 'core/toggle', machine: machines.toggle, events: machines.toggleEvents },
  { name: 'core/traffic', machine: machines.traffic, events: machines.trafficEvents },
  { name: 'core/app34', machine: machines.app34, events: machines.app34Events },
];

export async function run(effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, machine, events } of CASES) {
    rows.push(compare(name, ours(await load(machine), events), [xstate(machine, events)], effort));
  }
  return rows;
}

/** The bare step of a replica that keeps no record: what a batch-minded user, and a local machine without effects, runs on. */
function ours(machine: Machine, events: readonly EventObject[]): Contender {
  const instance = Instance.create(machine);
  instance.start(undefined, { now: 0, seed: 0, salt: '' });
  const numbers = events.map(({ type }) => machine.eventNumber(type));
  return {
    name: 'lockstep',
    run(operations) {
      for (let i = 0, next = 0; i < operations; i++) {
        instance.advance(numbers[next]!, events[next]!);
        if (++next === events.length) next = 0;
      }
    },
  };
}

function xstate(machine: AnyStateMachine, events: readonly EventObject[]): Contender {
  const actor = createActor(machine).start();
  return {
    name: 'xstate',
    run(operations) {
      for (let i = 0, next = 0; i < operations; i++) {
        actor.send(events[next]!);
        if (++next === events.length) next = 0;
      }
    },
  };
}
