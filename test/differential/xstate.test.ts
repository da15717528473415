// The proof that a compiled machine is the author's machine: random charts, run by our core and by XState 5 corrected to document order
// (see oracle.ts), equal in everything observable after every event. CHARTS=n for other numbers, SEED=n to repeat one; LONG=1 runs 10,000.

import { expect, test, vi } from 'vitest';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';
import { stateCountOf } from '../support/smaller-config.ts';
import { randomChart, type Chart } from './chart.ts';
import { Features } from './features.ts';
import { Log } from './log.ts';
import { correctedXState } from './oracle.ts';
import { differenceIn, printScript, randomScript, runPair, smallest, type Ending, type Script, type Stage } from './pair.ts';
import { Differs } from './view.ts';

const CHARTS = Number(process.env['CHARTS'] ?? (process.env['LONG'] === undefined ? 300 : 10_000));
const EVENTS = 40;
/** Of the charts that are compared to their end; four of five, give or take. */
const EQUAL_LEAST = CHARTS >= 3_000 ? 3 / 4 : 2 / 3;

// The actors on our side are XState's own, whose development build warns of every event for one that has ended.
vi.spyOn(console, 'warn').mockImplementation(() => undefined);

const core = await testCore();
const xstate = await correctedXState({ ofReplicas: true });

function randomCase(
  seed: number,
  { misread, withActors }: { misread?: Stage['misread']; withActors?: boolean } = {},
): { stage: Stage; script: Script } {
  const source = random(seed);
  const log = new Log();
  // Half of the charts reach beyond themselves.
  const chart = randomChart(source, xstate, log, { withActors: withActors ?? source.chance(0.5) });
  const stage = { core, xstate, log, implementations: chart.implementations, ...(misread === undefined ? {} : { misread }) };
  return { stage, script: randomScript(source, chart, EVENTS) };
}

test('[COMPILE-8] random charts run as in XState in document order', { timeout: 60_000 + CHARTS * 1_000 }, () => {
  const first = seedOf('differential');
  const endings: Record<Ending, number> = { equal: 0, loop: 0, storm: 0, edge: 0, illegal: 0, refused: 0 };
  const features = new Features();
  let events = 0;
  let taken = 0;
  for (let seed = first; seed < first + CHARTS; seed += 1) {
    const { stage, script } = randomCase(seed);
    try {
      const report = runPair(stage, script);
      endings[report.ending] += 1;
      features.add(stage.log.features);
      events += report.events;
      taken += report.taken;
    } catch (error) {
      const least = error instanceof Differs ? smallest(stage, script) : script;
      const text = differenceIn(stage, least) ?? (error instanceof Error ? error.stack : String(error));
      throw new Error(`SEED=${seed} CHARTS=1\n${printScript(least)}\n${text ?? ''}`, { cause: error });
    }
  }
  console.info(`differential: ${JSON.stringify(endings)}, ${events} events, ${taken} taken, ${JSON.stringify(features)}`);
  // Enough is compared: few charts are given up, and most events do something.
  expect(endings.refused).toBe(0);
  if (CHARTS >= 100) {
    expect(endings.edge + endings.illegal).toBeLessThan(CHARTS / 6);
    expect(endings.equal).toBeGreaterThan(CHARTS * EQUAL_LEAST);
    expect(taken).toBeGreaterThan(events / 4);
  }
  // Everything that a machine can say was said; in a short run a rare thing or two may not come up.
  if (CHARTS >= 300) expect(features.missing().length, features.missing().join()).toBeLessThanOrEqual(CHARTS >= 3_000 ? 0 : 3);
});

// ── Cutting down is tried on mistakes made on purpose: our side reads the config wrong. ──────────────────────────

type Config = Chart['config'];

/** Every object in a config changed, functions left alone. */
function everywhere(value: unknown, change: (fields: Config) => Config): unknown {
  if (Array.isArray(value)) return value.map((item) => everywhere(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return change(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, everywhere(inner, change)])));
}

const without =
  (name: string) =>
  (fields: Config): Config =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));

test.each<[mistake: string, change: (fields: Config) => Config, states: number, moves: number]>([
  ['reenter does nothing', without('reenter'), 4, 2],
  ['tags are lost', without('tags'), 2, 1],
  ['deep history is shallow', (fields) => (fields.history === 'deep' ? { ...fields, history: 'shallow' } : fields), 12, 5],
])('[CHART-3] a difference from XState is shown by a small chart: %s', (_mistake, change, states, moves) => {
  for (let seed = 0, found = 0; found < 1; seed += 1) {
    const { stage, script } = randomCase(seed, { misread: (config) => everywhere(config, change) as Config, withActors: false });
    if (differenceIn(stage, script) === undefined) continue;
    found += 1;
    const least = smallest(stage, script);
    expect(differenceIn(stage, least)).toBeDefined();
    expect(stateCountOf(least.config), printScript(least)).toBeLessThanOrEqual(states);
    expect(least.moves.length, printScript(least)).toBeLessThanOrEqual(moves);
  }
});
