// Bytes of one idle instance with everything that belongs to it: JavaScript heap and core memory, beside XState's started actor. Each side is
// measured in a process of its own, because only a fresh heap can be read to the byte.

import { spawnSync } from 'node:child_process';
import { createActor } from 'xstate';
import { LocalSystem } from '../core/local.ts';
import { load } from './load.ts';
import { app34 } from './machines.ts';
import { median, type Effort, type Row } from './measure.ts';

const COUNT = 20_000;

type Side = 'lockstep' | 'xstate';

export async function run(effort: Effort): Promise<Row[]> {
  const rounds = effort.rounds > 5 ? 3 : 1;
  const measure = (side: Side): number => median(Array.from({ length: rounds }, () => inProcess(side)));
  const ours = measure('lockstep');
  const theirs = measure('xstate');
  return [{ name: 'memory/app34', unit: 'bytes per idle instance', ours, against: { xstate: { value: theirs, ratio: theirs / ours } } }];
}

function inProcess(side: Side): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', process.argv[1]!, '--child', 'memory', side], {
    encoding: 'utf8',
  });
  const bytes = Number(stdout.trim().split('\n').at(-1));
  if (status !== 0 || !Number.isFinite(bytes)) throw new Error(`measuring ${side} failed: ${stderr}`);
  return bytes;
}

/** Prints the bytes per instance. */
export async function child([side]: readonly string[]): Promise<void> {
  const make = side === 'lockstep' ? await lockstep() : xstate();
  const warm = Array.from({ length: 100 }, make);
  const before = used();
  const kept = Array.from({ length: COUNT }, make);
  const after = used();
  console.log((after - before) / COUNT);
  if (kept.length + warm.length === 0) throw new Error('unreachable: the instances are kept alive until here');
}

async function lockstep(): Promise<() => unknown> {
  const machine = await load(app34);
  const system = new LocalSystem({ now: Date.now, random: () => 0, timer: () => () => undefined });
  return () => system.start(machine);
}

function xstate(): () => unknown {
  return () => createActor(app34).start();
}

/** Heap and array buffers; a WebAssembly memory is among the latter, in pages. */
function used(): number {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 4; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
