// Many events by one call of the core: of one toggle, filled in and run 1,024 at a time, beside the fastest table of flat states there is; and
// of a million instances in random order, beside the limit that memory sets, and beside as many actors of XState as fit in a heap.

import { createActor } from 'xstate';
import { inChild } from '../child.ts';
import { load } from '../load.ts';
import { APP34, TOGGLE, xstateMachine } from '../machines.ts';
import { compare, type Contender, type Effort, type Row } from '../measure.ts';
import { xstate5, xstate6Fsm, type Runner } from '../peers.ts';
import { agree, leavesOf, started } from './steps.ts';

const BATCH = 1_024;

export async function toggleBatch(effort: Effort): Promise<Row[]> {
  const machine = await load(xstateMachine(TOGGLE));
  const instance = started(machine);
  const flip = machine.eventNumber('FLIP');
  const { core } = machine;
  const block = core.exports.allocate(BATCH * 8);
  const own: Runner = {
    name: 'lockstep',
    run(operations) {
      for (let done = 0; done < operations;) {
        const count = Math.min(BATCH, operations - done);
        const { words } = core;
        for (let i = 0, at = block >>> 2; i < count; i++, at += 2) {
          words[at] = instance.address;
          words[at + 1] = flip;
        }
        if (core.exports.batch(block, count) !== count) throw new Error('a flip was not taken');
        done += count;
      }
    },
    at: () => leavesOf(instance),
  };
  const others = [xstate5(TOGGLE), xstate6Fsm(TOGGLE)].filter((runner) => runner !== undefined);
  agree(TOGGLE, [own, ...others]);
  return [compare('core/toggle-batch', own, others, effort)];
}

const MILLION = 1_000_000;
const ACTORS = 20_000;

/** The application, with events as they come: a third of them finds nothing to do. */
export async function million(effort: Effort): Promise<Row[]> {
  const machine = await load(xstateMachine(APP34));
  const { core, handle } = machine;
  // Its four guards ask a context that is the same for all.
  core.host = { guard: () => 1, action: () => 0 };
  const before = core.exports.memory.buffer.byteLength;
  const addresses = new Uint32Array(MILLION);
  for (let i = 0; i < MILLION; i++) {
    addresses[i] = core.exports.create(handle);
    if (core.exports.start(addresses[i]!, 0) < 0) throw new Error(`instance ${i} does not start`);
  }
  const bytesEach = (core.exports.memory.buffer.byteLength - before) / MILLION;
  const numbers = APP34.events.map(({ type }) => machine.eventNumber(type));
  const block = core.exports.allocate(BATCH * 8);
  const next = dice();
  const own: Contender = {
    name: 'lockstep',
    run(operations) {
      for (let done = 0; done < operations;) {
        const count = Math.min(BATCH, operations - done);
        const { words } = core;
        for (let i = 0, at = block >>> 2; i < count; i++, at += 2) {
          words[at] = addresses[next() % MILLION]!;
          words[at + 1] = numbers[next() % numbers.length]!;
        }
        core.exports.batch(block, count);
        done += count;
      }
    },
  };
  const row = compare('core/million', own, [touch(bytesEach), actors()], effort, 'events per CPU second, random instance');
  const theirs = Number((inChild(['memory', 'xstate'], ['--expose-gc']) as { all: number }).all);
  return [
    row,
    {
      name: 'core/million-bytes',
      unit: 'bytes of core memory per instance',
      ours: bytesEach,
      against: { 'xstate actor': { value: theirs, ratio: theirs / bytesEach } },
    },
  ];
}

/** The least that changing one of so many records costs: one word in it read and written. */
function touch(bytesEach: number): Contender {
  const stride = Math.round(bytesEach / 4);
  const words = new Uint32Array(stride * MILLION);
  const next = dice();
  return {
    name: 'one word touched',
    run(operations) {
      for (let i = 0; i < operations; i++) words[(next() % MILLION) * stride]! += next() % 21;
    },
  };
}

function actors(): Contender {
  const machine = xstateMachine(APP34);
  const all = Array.from({ length: ACTORS }, () => createActor(machine).start());
  const next = dice();
  return {
    name: `xstate, ${ACTORS.toLocaleString('en-US')} actors`,
    run(operations) {
      for (let i = 0; i < operations; i++) all[next() % ACTORS]!.send(APP34.events[next() % APP34.events.length]!);
    },
  };
}

/** The same sequence for all. */
function dice(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
