// The proof that a compiled machine is the author's machine: random charts, run by our core and by XState 5 corrected to document order
// (see oracle.ts), equal in everything observable after every event. CHARTS=n for long runs, SEED=n to repeat one.

import { expect, test } from 'vitest';
import { seedOf, random } from '../support/random.ts';
import { Log, randomChart } from './chart.ts';
import { correctedXState } from './oracle.ts';
import { runPair, type Ending } from './pair.ts';
import { testCore } from '../support/core.ts';

const CHARTS = Number(process.env['CHARTS'] ?? 300);
const EVENT_MAX = 40;

test('[COMPILE-8] random charts run as in XState in document order', { timeout: 60_000 + CHARTS * 1_000 }, async () => {
  const xstate = await correctedXState();
  const core = await testCore();
  const first = seedOf('differential');
  const endings: Record<Ending, number> = { equal: 0, loop: 0, edge: 0, illegal: 0, refused: 0 };
  let events = 0;
  let taken = 0;
  for (let chart = 0; chart < CHARTS; chart += 1) {
    const seed = first + chart;
    const source = random(seed);
    const log = new Log();
    const described = randomChart(source, xstate, log);
    try {
      const report = runPair({ core, xstate, chart: described, log, random: source, eventMax: EVENT_MAX });
      endings[report.ending] += 1;
      events += report.events;
      taken += report.taken;
    } catch (error) {
      throw new Error(
        `chart SEED=${seed} CHARTS=1\n${error instanceof Error ? error.stack : String(error)}\n${JSON.stringify(described.config, (_, value: unknown) => (typeof value === 'function' ? `<${value.name}>` : value))}`,
        { cause: error },
      );
    }
  }
  console.info(`differential: ${JSON.stringify(endings)}, ${events} events, ${taken} taken`);
  // Enough is compared: few charts are given up, and most events do something.
  expect(endings.refused).toBe(0);
  if (CHARTS >= 100) {
    expect(endings.edge + endings.illegal).toBeLessThan(CHARTS / 6);
    expect(endings.equal).toBeGreaterThan(CHARTS / 3);
    expect(taken).toBeGreaterThan(events / 3);
  }
});
