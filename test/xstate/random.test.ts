// Random charts as actors: lockstep(machine) beside the machine itself in XState corrected to document order, everything that inspection
// shows compared after every event. CHARTS=n for long runs, SEED=n to repeat one.

import * as published from 'xstate';
import { expect, test } from 'vitest';
import { lockstep } from '../../compiler/xstate/index.ts';
import { LockstepError } from '../../core/errors.ts';
import { randomChart } from '../differential/chart.ts';
import { escapesConflict, isLegal, nodesOf, type HistoryValue, type Microstep } from '../differential/legal.ts';
import { Log } from '../differential/log.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { corrected, side, type Playing, type Side } from './record.ts';

const CHARTS = Number(process.env['CHARTS'] ?? 150);
const EVENT_MAX = 30;

type Ending = 'equal' | 'illegal' | 'refused' | 'ended';

test(
  '[XSTATE-1] random charts give the same snapshots, inspection events and errors as in XState in document order',
  { timeout: 60_000 + CHARTS * 1_000 },
  async () => {
    const theirs = await corrected();
    const first = seedOf('actors');
    const endings: Record<Ending, number> = { equal: 0, illegal: 0, refused: 0, ended: 0 };
    let lines = 0;
    for (let seed = first; seed < first + CHARTS; seed += 1) {
      try {
        const report = play(
          seed,
          side(theirs, (machine) => machine),
          side(published, lockstep),
        );
        endings[report.ending] += 1;
        lines += report.lines;
      } catch (error) {
        throw new Error(`chart SEED=${seed} CHARTS=1`, { cause: error });
      }
    }
    console.info(`actors: ${JSON.stringify(endings)}, ${lines} lines compared`);
    expect(endings.refused).toBe(0);
    if (CHARTS >= 100) {
      expect(endings.illegal).toBeLessThan(CHARTS / 6);
      expect(lines).toBeGreaterThan(CHARTS * 40);
    }
  },
);

function play(seed: number, theirs: Side, ours: Side): { readonly ending: Ending; readonly lines: number } {
  const [a, b] = [theirs, ours].map((one) => {
    const log = new Log();
    const chart = randomChart(random(seed), one.xstate, log);
    const machine = one.xstate.createMachine(chart.config as never, chart.implementations as never) as published.AnyStateMachine;
    return { log, chart, machine, side: one };
  }) as [Played, Played];
  const stray = strays(theirs);
  let actors: Playing[];
  try {
    actors = [a, b].map(({ side: one, machine }) => one.actor(one.wrap(machine), { input: { n: 2 } }));
  } catch (error) {
    if (error instanceof LockstepError && /cannot be active together|lies outside|entered without being left/.test(error.message))
      return { ending: 'refused', lines: 0 };
    throw error;
  }
  const dice = random(seed ^ 0x5bd1e995);
  let lines = 0;
  for (let event = -1; event < EVENT_MAX; event += 1) {
    const act = event < 0 ? (actor: Playing): void => void actor.start() : nextAct(dice, a, theirs);
    actors.forEach((actor, index) => act(actor, [theirs, ours][index]!));
    if (stray()) return { ending: 'illegal', lines };
    const [expected, found] = [a, b].map(({ side: one, log }) => [...one.record.take(), ...log.take()]) as [string[], string[]];
    lines += expected.length;
    expect(found).toEqual(expected);
    if (actors[0]!.getSnapshot().status !== 'active') return { ending: 'ended', lines };
  }
  return { ending: 'equal', lines };
}

interface Played {
  readonly log: Log;
  readonly chart: ReturnType<typeof randomChart>;
  readonly machine: published.AnyStateMachine;
  readonly side: Side;
}

type Act = (actor: Playing, at: Side) => void;

/** An event, a timer that fires, a question, or a new life from what was persisted. */
function nextAct(dice: Random, { chart }: Played, { clock }: Side): Act {
  const { armed } = clock;
  if (armed.length > 0 && dice.chance(0.2)) {
    const index = dice.below(armed.length);
    return (_, at) => at.clock.fire(index);
  }
  const event = { type: dice.pick(chart.types), k: dice.below(1000) };
  if (dice.chance(0.2)) return (actor, at) => at.record.write('can', actor.getSnapshot().can(event));
  if (dice.chance(0.1)) return (actor, at) => at.record.write('persisted', actor.getPersistedSnapshot(), actor.getSnapshot().getMeta());
  return (actor) => actor.send(event);
}

/** Tells when XState has left the legal configurations: what it does then is not compared. */
function strays({ record }: Side): () => boolean {
  let isIllegal = false;
  let memory: HistoryValue = {};
  record.observe((inspected) => {
    if (inspected.type !== '@xstate.microstep') return;
    const microstep = inspected as unknown as Microstep;
    isIllegal ||= !isLegal(nodesOf(microstep.snapshot)) || escapesConflict(microstep, memory);
    memory = microstep.snapshot.historyValue;
  });
  return () => isIllegal;
}
