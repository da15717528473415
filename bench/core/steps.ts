// One replica that keeps no record, event by event: what a local machine without effects runs on. Beside every library that can run the chart.

import { Instance } from '../../core/instance.ts';
import type { Machine } from '../../core/machine.ts';
import { load } from '../load.ts';
import { xstateMachine } from '../machines.ts';
import { compare, type Effort, type Row } from '../measure.ts';
import type { Subject } from '../neutral.ts';
import { peers, type Runner } from '../peers.ts';

export async function steps(name: string, subject: Subject, effort: Effort): Promise<Row[]> {
  const own = single(await load(xstateMachine(subject)), subject);
  const others = peers(subject);
  agree(subject, [own, ...others]);
  return [compare(name, own, others, effort)];
}

/** Before anything is measured: after three rounds and a half all are in the same states. */
export function agree(subject: Subject, runners: readonly Runner[]): void {
  const events = Math.ceil(subject.events.length * 3.5);
  const [expected, ...found] = runners.map((runner) => {
    runner.run(events);
    return runner.at().join(' ');
  });
  found.forEach((at, i) => {
    if (at !== expected) throw new Error(`${runners[i + 1]!.name} runs another chart: ${subject.id} is at ${at}, ours at ${expected}`);
  });
}

function single(machine: Machine, { events }: Subject): Runner {
  const instance = started(machine);
  const numbers = events.map(({ type }) => machine.eventNumber(type));
  let next = 0;
  return {
    name: 'lockstep',
    run(operations) {
      for (let i = 0; i < operations; i++) {
        instance.advance(numbers[next]!, events[next]!);
        if (++next === events.length) next = 0;
      }
    },
    at: () => leavesOf(instance),
  };
}

export function started(machine: Machine): Instance {
  const instance = Instance.create(machine);
  instance.start(undefined, { now: 0, seed: 0, salt: '' });
  return instance;
}

export function leavesOf(instance: Instance): string[] {
  const { active } = instance.snapshot();
  const inner = active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)));
  return inner.map((id) => id.slice(id.indexOf('.') + 1)).sort();
}
