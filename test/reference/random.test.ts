// Random plain charts of up to six states, run by the slow stepper and by all builds of the core. `npm test` runs some hundred,
// LONG=1 a hundred thousand; CHARTS=n another number, SEED=n repeats one.

import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import { allCores } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';
import { stateCountOf } from '../support/smaller-config.ts';
import type { PlainChart, PlainNode, PlainTransition } from './chart.ts';
import { read } from './chart.ts';
import { randomPlainChart, SENT } from './random-chart.ts';
import { firstDifference, printScript, smallest, type Reader, type Script, type Tally } from './script.ts';

const CHARTS = Number(process.env['CHARTS'] ?? (process.env['LONG'] === undefined ? 500 : 100_000));
const EVENTS = 16;
const GUARD_BITS = 16;
/** Differences that are cut down, per mistake made on purpose. */
const SHRUNK = 5;

const cores = await allCores();

function randomScript(seed: number): Script {
  const dice = random(seed);
  const plain = randomPlainChart(dice);
  const events = Array.from({ length: EVENTS }, () => ({ type: dice.pick(SENT), bits: dice.below(GUARD_BITS) }));
  return { plain, bits: dice.below(GUARD_BITS), events };
}

test('[CHART-2] random charts run as the slow stepper runs them', { timeout: 60_000 + CHARTS * 100 }, () => {
  const first = seedOf('reference');
  const tally: Tally = { events: 0, taken: 0, fuel: 0, done: 0 };
  let charts = 0;
  for (let seed = first; charts < CHARTS; seed += 1) {
    const script = randomScript(seed);
    try {
      const found = firstDifference(cores, script, tally);
      if (found !== undefined) {
        const least = smallest(cores, script);
        throw new Error(`SEED=${seed} CHARTS=1\n${printScript(least)}\n${firstDifference(cores, least)?.text ?? ''}`);
      }
    } catch (error) {
      // Targets that cannot be active together, circles of defaults: not every random chart is one.
      if (error instanceof LockstepError && error.code !== 'CORE') continue;
      throw error;
    }
    charts += 1;
  }
  console.info(`reference: ${charts} charts, ${JSON.stringify(tally)}`);
  if (CHARTS < 100) return;
  expect(tally.taken).toBeGreaterThan(tally.events / 4);
  expect(tally.done).toBeGreaterThan(0);
  expect(tally.fuel).toBeLessThan(tally.events / 10);
});

// ── Shrinking is tried on mistakes made on purpose: the slow stepper reads the chart wrong. ──────────────────────

function everywhere(node: PlainNode, change: (node: PlainNode) => PlainNode): PlainNode {
  const states = Object.entries(node.states ?? {}).map(([key, child]) => [key, everywhere(child, change)] as const);
  return change(node.states === undefined ? node : { ...node, states: Object.fromEntries(states) });
}

function wrongly(change: (node: PlainNode) => PlainNode): Reader {
  return (plain) => read({ ...everywhere(plain, change), id: plain.id } as PlainChart);
}

const onEach =
  (change: (list: readonly PlainTransition[]) => readonly PlainTransition[]) =>
  (node: PlainNode): PlainNode =>
    node.on === undefined ? node : { ...node, on: Object.fromEntries(Object.entries(node.on).map(([type, list]) => [type, change(list)])) };

test.each<[mistake: string, reader: Reader, states: number, events: number]>([
  ['reenter does nothing', wrongly(onEach((list) => list.map(({ reenter: _, ...rest }) => rest))), 2, 1],
  ['the last enabled transition wins', wrongly(onEach((list) => [...list].reverse())), 1, 1],
  ['deep history is shallow', wrongly((node) => (node.history === 'deep' ? { ...node, history: 'shallow' } : node)), 5, 3],
  ['exit actions are lost', wrongly(({ exit: _, ...node }) => node), 2, 1],
  [
    'wildcards do not match',
    wrongly((node) => ({ ...node, on: Object.fromEntries(Object.entries(node.on ?? {}).filter(([type]) => !type.includes('*'))) })),
    1,
    1,
  ],
  [
    'initial actions are lost',
    wrongly((node) => (typeof node.initial === 'object' ? { ...node, initial: node.initial.target } : node)),
    1,
    0,
  ],
])('[CHART-3] a difference is shown by the smallest chart there is: %s', (_mistake, reader, states, events) => {
  // From the same seeds always: what is asserted is how far cutting gets, which has its luck.
  let found = 0;
  for (let seed = 0; found < SHRUNK; seed += 1) {
    const script = randomScript(seed);
    try {
      if (firstDifference(cores, script, undefined, reader) === undefined) continue;
    } catch (error) {
      if (error instanceof LockstepError) continue;
      throw error;
    }
    found += 1;
    const least = smallest(cores, script, reader);
    expect(firstDifference(cores, least, undefined, reader)).toBeDefined();
    expect(stateCountOf(least.plain as unknown as Readonly<Record<string, unknown>>), printScript(least)).toBeLessThanOrEqual(states);
    expect(least.events.length, printScript(least)).toBeLessThanOrEqual(events);
    expect(printScript(least)).toMatch(/^createMachine\(\{/);
  }
});
