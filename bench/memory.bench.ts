// Bytes of one idle instance with everything that belongs to it: JavaScript heap and core memory, beside XState's started actor. Each side is
// measured in a process of its own, because only a fresh heap can be read to the byte.

import { createActor } from 'xstate';
import { LocalSystem } from '../core/local.ts';
import { inChild } from './child.ts';
import { load } from './load.ts';
import { app34 } from './machines.ts';
import { median, type Effort, type Row } from './measure.ts';

const COUNT = 20_000;

interface Bytes {
  /** Heap and core memory. */
  readonly all: number;
  /** Of it, what the core's memory grew by. */
  readonly core: number;
}

export async function run(effort: Effort): Promise<Row[]> {
  const rounds = effort.rounds > 5 ? 3 : 1;
  const measure = (side: string): Bytes => {
    const found = Array.from({ length: rounds }, () => inChild(['memory', side], ['--expose-gc']) as Bytes);
    return { all: median(found.map(({ all }) => all)), core: median(found.map(({ core }) => core)) };
  };
  const ours = measure('lockstep');
  const theirs = measure('xstate').all;
  const row = (name: string, value: number): Row => ({
    name,
    unit: 'bytes per idle instance',
    ours: value,
    against: { xstate: { value: theirs, ratio: theirs / value } },
  });
  return [row('memory/app34', ours.all), row('memory/app34-core', ours.core)];
}

/** Prints the bytes per instance. */
export async function child([side]: readonly string[]): Promise<void> {
  const { make, coreBytes } = side === 'lockstep' ? await lockstep() : xstate();
  const warm = Array.from({ length: 100 }, make);
  const [before, coreBefore] = [used(), coreBytes()];
  const kept = Array.from({ length: COUNT }, make);
  const all = (used() - before) / COUNT;
  console.log(JSON.stringify({ all, core: (coreBytes() - coreBefore) / COUNT }));
  if (kept.length + warm.length === 0) throw new Error('unreachable: the instances are kept alive until here');
}

interface Maker {
  readonly make: () => unknown;
  readonly coreBytes: () => number;
}

async function lockstep(): Promise<Maker> {
  const machine = await load(app34);
  const system = new LocalSystem({ now: Date.now, random: () => 0, timer: () => () => undefined });
  return { make: () => system.start(machine), coreBytes: () => machine.core.exports.memory.buffer.byteLength };
}

function xstate(): Maker {
  return { make: () => createActor(app34).start(), coreBytes: () => 0 };
}

/** Heap and array buffers; a WebAssembly memory is among the latter, in pages. */
function used(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
