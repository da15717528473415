// The same machines through the public API, from `send` to the new snapshot's value, beside XState's actor.

import { createActor, type AnyStateMachine } from 'xstate';
import type { EventObject } from '../core/json.ts';
import { LocalSystem } from '../core/local.ts';
import type { Machine } from '../core/machine.ts';
import { load } from './load.ts';
import * as machines from './machines.ts';
import { compare, type Contender, type Effort, type Row } from './measure.ts';

const CASES: readonly { name: string; machine: AnyStateMachine; events: readonly EventObject[] }[] = [
  { name: 'local/toggle', machine: machines.toggle, events: machines.TOGGLE.events },
  { name: 'local/traffic', machine: machines.traffic, events: machines.TRAFFIC.events },
  { name: 'local/app34', machine: machines.app34, events: machines.APP34.events },
];

/** Keeps the values read alive, so that reading them cannot be left out. */
export let last: unknown;

export async function run(effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, machine, events } of CASES)
    rows.push(compare(name, ours(await load(machine), events), [xstate(machine, events)], effort));
  return rows;
}

function ours(machine: Machine, events: readonly EventObject[]): Contender {
  const system = new LocalSystem({ now: Date.now, random: () => Math.floor(Math.random() * 2 ** 53), timer: () => () => undefined });
  const actor = system.start(machine);
  return {
    name: 'lockstep',
    run(operations) {
      for (let i = 0, next = 0; i < operations; i++) {
        actor.send(events[next]!);
        last = actor.getSnapshot().value;
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
        last = (actor.getSnapshot() as { value: unknown }).value;
        if (++next === events.length) next = 0;
      }
    },
  };
}
