// A local mutation of a relational machine, results and queue ticks included: with relations only, and with a handler asked and one run.
// asyncmachine-go is not run here; 434 ns is what its pkg/rpc/README.md publishes for a local mutation, on its author's machine.

import { RelationalMachine } from '../../core/relational/local.ts';
import { load } from '../load.ts';
import { compare, type Effort, type Row } from '../measure.ts';

const PUBLISHED = 'asyncmachine-go (published, other hardware)';
const PUBLISHED_NS = 434;
const NS = 1e9;

const states = { A: { add: 'B', remove: 'C' }, B: { require: 'A' }, C: { remove: ['A', 'B'] }, D: { after: 'A' }, E: { multi: true } };

export async function relational(effort: Effort): Promise<Row[]> {
  let asked = 0;
  const handlers = { AEnter: () => (asked += 1) > 0, AState: () => void (asked += 1) };
  return [await row('core/relational', undefined, effort), await row('core/relational-handlers', handlers, effort)];
}

async function row(name: string, handlers: object | undefined, effort: Effort): Promise<Row> {
  const machine = new RelationalMachine(await load({ dialect: 'relational', id: name, states, ...(handlers && { handlers }) }), {
    environment: { now: () => 0, random: () => 0, timer: () => () => undefined },
  });
  const run = (operations: number): void => {
    for (let i = 0; i < operations; i += 2) {
      machine.add('A');
      machine.add('C');
    }
  };
  run(10);
  if (machine.tick('A') !== 10 || machine.tick('B') !== 10 || machine.tick('C') !== 9)
    throw new Error(`${name} runs another machine: ${String(machine)}`);
  const { ours } = compare(name, { name: 'lockstep', run }, [], effort);
  const ns = NS / ours;
  return { name, unit: 'ns of CPU per mutation', ours: ns, against: { [PUBLISHED]: { value: PUBLISHED_NS, ratio: PUBLISHED_NS / ns } } };
}
