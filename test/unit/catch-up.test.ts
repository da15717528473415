// Merged differences: one in the place of many comes to the same as the many, for whatever machine, and takes less; and real mirrors that
// come back get it.

import { assign, createMachine, fromPromise } from 'xstate';
import { describe, expect, test } from 'vitest';
import { compileMachine, type RelationalConfig } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { mutation } from '../../core/mutation.ts';
import { Backlog } from '../../peer/backlog.ts';
import { CatchUp } from '../../peer/catch-up.ts';
import { differenceOf } from '../../peer/difference.ts';
import { recordStep } from '../../peer/record.ts';
import { Replica } from '../../peer/replica.ts';
import { readResult } from '../../peer/codec-json.ts';
import type { WatchOptions } from '../../peer/options.ts';
import { testCore } from '../support/core.ts';
import { random, type Random, seedOf } from '../support/random.ts';
import { World } from '../support/world.ts';

/** Lists that are edited at both ends, keys that come and go, regions, history, timers, and actors. */
const plant = createMachine(
  {
    types: {} as { context: { list: number[]; by: Record<string, Json> }; events: EventObject & { n?: number } },
    id: 'plant',
    type: 'parallel',
    context: { list: [], by: {} },
    states: {
      work: {
        initial: 'idle',
        states: {
          idle: { on: { GO: 'busy' }, after: { 500: 'busy' } },
          busy: {
            invoke: { id: 'job', src: 'job' },
            initial: 'first',
            states: { first: { on: { NEXT: 'second' }, after: { 900: 'second' } }, second: {}, past: { type: 'history' } },
            on: { STOP: 'idle', AGAIN: { target: 'busy', reenter: true } },
          },
        },
        on: { BACK: '.busy.past' },
      },
      lamp: { initial: 'off', states: { off: { on: { FLIP: 'on' } }, on: { on: { FLIP: 'off' } } } },
    },
    on: {
      PUSH: { actions: assign({ list: ({ context, event }) => [...context.list, event.n ?? 0] }) },
      FRONT: { actions: assign({ list: ({ context, event }) => [event.n ?? 0, ...context.list] }) },
      CUT: { actions: assign({ list: ({ context, event }) => context.list.filter((_, i) => i !== (event.n ?? 0) % 7) }) },
      KEY: {
        actions: assign({ by: ({ context, event }) => ({ ...context.by, [`k${(event.n ?? 0) % 5}`]: { n: event.n ?? 0, of: [1, 2] } }) }),
      },
      DROP: {
        actions: assign({
          by: ({ context, event }) => Object.fromEntries(Object.entries(context.by).filter(([key]) => key !== `k${(event.n ?? 0) % 5}`)),
        }),
      },
    },
  },
  { actors: { job: fromPromise(() => Promise.resolve()) } },
);
const PLANT_EVENTS = ['GO', 'NEXT', 'STOP', 'AGAIN', 'BACK', 'FLIP', 'PUSH', 'FRONT', 'CUT', 'KEY', 'DROP'];

const lights = {
  dialect: 'relational',
  id: 'lights',
  states: { Red: { remove: ['Green'] }, Green: { remove: ['Red'] }, Blink: { multi: true }, Dark: { require: ['Red'] } },
} as const satisfies RelationalConfig;
const LIGHTS = ['Red', 'Green', 'Blink', 'Dark'];

type Next = (dice: Random) => EventObject;
const ofPlant: Next = (dice) => ({ type: dice.pick(PLANT_EVENTS), n: dice.below(40) });
const ofLights: Next = (dice) => mutation(dice.pick(['add', 'remove', 'set', 'toggle'] as const), [dice.pick(LIGHTS)]);

describe('one difference in the place of many', () => {
  const cases: readonly (readonly [string, unknown, Next])[] = [
    ['a hosted statechart', plant, ofPlant],
    ['a relational machine', lights, ofLights],
  ];
  for (const [what, definition, next] of cases)
    test(`[SYNC-40] of ${what} comes to the same as the many, wherever one begins`, async () => {
      const core = await testCore();
      const image = compileMachine(definition as never);
      const machine = Machine.load(core, image.bytes, bind(image.symbols, definition as never));
      for (let round = 0; round < 12; round++) {
        const dice = random(seedOf(`merged ${what} ${round}`));
        const { told, states, backlog, instance } = ran(machine, dice, next, 40 + dice.below(500));
        const catchUp = new CatchUp(machine, backlog);
        const { seq } = instance;
        const now = { epoch: 1, seq, digest: instance.digest(), state: instance.save() };
        for (let tries = 0; tries < 12; tries++) {
          const from = 1 + dice.below(seq - 2);
          const replica = new Replica(machine, () => Instance);
          replica.load(from, states[from - 1]!);
          const { forms } = catchUp.ways({ epoch: 1, seq: from, digest: replica.digest(), merged: true }, now, 'steps');
          const merged = forms.find((way) => way.merged !== undefined)?.merged;
          expect(merged).toBeDefined();
          replica.merge(merged!);
          const folded = new Replica(machine, () => Instance);
          folded.load(from, states[from - 1]!);
          for (const { difference } of told.slice(from)) folded.apply(difference, '');
          expect([replica.seq, replica.digest(), replica.save()]).toEqual([folded.seq, folded.digest(), folded.save()]);
          expect([replica.digest(), replica.save()]).toEqual([now.digest, now.state]);
          const sizes = forms.map((way) => JSON.stringify(way).length);
          expect(sizes[0]! - 8).toBeLessThanOrEqual(Math.min(...sizes));
          replica.dispose();
          folded.dispose();
        }
        instance.dispose();
      }
    });

  test('[SYNC-41] what a mirror has must be what it should have; whoever wants steps gets steps', async () => {
    const core = await testCore();
    const image = compileMachine(plant);
    const machine = Machine.load(core, image.bytes, bind(image.symbols, plant));
    const { states, backlog, instance } = ran(machine, random(seedOf('asked')), ofPlant, 100);
    const catchUp = new CatchUp(machine, backlog);
    const replica = new Replica(machine, () => Instance);
    replica.load(10, states[9]!);
    const now = { epoch: 1, seq: 100, digest: instance.digest(), state: instance.save() };
    const kinds = (from: Parameters<CatchUp['ways']>[0]): readonly string[] =>
      catchUp.ways(from, now, 'steps').forms.flatMap((way) => Object.keys(way));
    const from = { epoch: 1, seq: 10, digest: replica.digest() };
    expect(kinds(undefined)).toEqual(['snapshot']);
    expect(kinds(from)).toEqual(['steps', 'snapshot']);
    expect([...kinds({ ...from, merged: true })].sort()).toEqual(['merged', 'snapshot', 'steps']);
    // Asked again it is made once; with another digest it is not given.
    expect(kinds({ ...from, digest: '0123456789abcdef', merged: true })).toEqual(['steps', 'snapshot']);
    expect(kinds({ ...from, seq: 50, digest: '0123456789abcdef', merged: true })).toEqual(['steps', 'snapshot']);
    expect(kinds({ ...from, seq: 64, merged: true })).toEqual(['snapshot']);
    expect(kinds({ ...from, epoch: 2, merged: true })).toEqual(['snapshot']);
  });
});

/** So many steps, with what is told of each and the state after it. */
function ran(machine: Machine, dice: Random, next: Next, count: number) {
  const instance = Instance.create(machine);
  const backlog = new Backlog();
  const told: { readonly difference: ReturnType<typeof differenceOf>; readonly event: undefined }[] = [];
  const states: ReturnType<Instance['save']>[] = [];
  let now = 1_000;
  for (let seq = 1; seq <= count; seq++) {
    const stamp = { now: (now += dice.below(300)), seed: seq, salt: `plant/1/${seq}` };
    const due = [...instance.timers].find(([timer, at]) => timer < 0x1000000 && at <= now)?.[0];
    const event = seq === 1 ? { type: 'xstate.init' } : due === undefined ? next(dice) : { type: machine.symbols.timers[due]! };
    const outcome =
      seq === 1 ? instance.start(undefined, stamp) : instance.step(event, stamp, due === undefined ? {} : { timer: due, isInternal: true });
    const step = recordStep({ instance, outcome, stamp, peer: 'p', n: seq, event }, 'plant', 1);
    const each = { difference: differenceOf(step, 0, machine), event: undefined };
    backlog.add(each, step.digest);
    if (Backlog.isMarked(seq)) backlog.mark({ seq, state: instance.save() });
    told.push(each);
    states.push(instance.save());
  }
  return { instance, backlog, told, states };
}

// ── Mirrors that come back ───────────────────────────────────────────────────────────────────────────────────────

const board = createMachine({
  types: {} as { context: { at: number; notes: readonly string[] }; events: { type: 'MOVE'; to: number } | { type: 'NOTE'; note: string } },
  id: 'board',
  context: { at: 0, notes: Array.from({ length: 60 }, (_, i) => `a note that was there before, number ${i}`) },
  on: {
    MOVE: { actions: assign({ at: ({ event }) => event.to }) },
    NOTE: { actions: assign({ notes: ({ context, event }) => [...context.notes, event.note] }) },
  },
});

/** A peer that loses its link, misses moves, and comes back. */
async function away(moves: number, options: { readonly watch?: WatchOptions; readonly listens?: true } = {}) {
  const world = new World();
  const server = await world.server({ machines: { board: { definition: board } } });
  await world.get(server.create('board', { instance: 'wall' }));
  const own = await world.get(server.watch('wall', board));
  const lines: string[] = [];
  const ann = await world.peer('ann', { record: (line) => lines.push(line) });
  const mirror = await world.get(ann.watch('wall', board, options.watch));
  let heard = 0;
  if (options.listens === true) mirror.onMove({ confirmed: () => void heard++, shown: () => undefined });
  world.network('ann').cut();
  await world.settle();
  for (let i = 1; i <= moves; i++) own.send({ type: 'MOVE', to: i });
  own.send({ type: 'NOTE', note: 'while away' });
  await world.settle();
  lines.length = 0;
  world.network('ann').mend();
  ann.reconnectNow();
  await world.settle();
  const answer = lines.find((line) => line.includes('"digest"') && line.includes('"room"')) ?? '';
  const result = JSON.parse(answer.slice(answer.indexOf('{'))) as { readonly result: unknown };
  return { world, own, mirror, lines, heard, result: readResult('watch', result.result), size: answer.length };
}

describe('a mirror that comes back', () => {
  test('[SYNC-39] gets one difference, smaller than the steps that it missed and than everything', async () => {
    const back = await away(200);
    expect(back.result.merged?.slice(0, 5)).toEqual([
      202,
      0,
      0,
      [],
      [
        { op: 'replace', path: '/at', value: 200 },
        { op: 'add', path: '/notes/60', value: 'while away' },
      ],
    ]);
    expect([back.mirror.seq, back.mirror.digest, back.mirror.getSnapshot().context.at]).toEqual([202, back.own.digest, 200]);
  });

  test('[SYNC-39] one difference takes less than the steps in its place, in bytes of the answer', async () => {
    const back = await away(200);
    const listening = await away(200, { listens: true });
    expect([listening.result.steps?.length, listening.result.merged, listening.mirror.digest]).toEqual([
      201,
      undefined,
      listening.own.digest,
    ]);
    expect(back.size * 10).toBeLessThan(listening.size);
    expect(JSON.stringify(listening.mirror.getSnapshot())).toBe(JSON.stringify(back.mirror.getSnapshot()));
    expect(listening.heard).toBe(201);
  });

  test('[SYNC-39] a reader whose frames were dropped gets one difference likewise', async () => {
    const back = await away(0);
    for (let i = 1; i <= 50; i++) back.own.send({ type: 'MOVE', to: i });
    const hear = Reflect.get(back.mirror, 'stepped') as unknown;
    Object.assign(back.mirror, { stepped: () => undefined });
    await back.world.settle();
    Object.assign(back.mirror, { stepped: hear });
    back.lines.length = 0;
    back.mirror.missed();
    await back.world.settle();
    expect(back.lines.join('\n')).toMatch(/"merged":\[52,0,0,\[\],\[\{"op":"replace","path":"\/at","value":50\}\]\]/);
    expect([back.mirror.seq, back.mirror.digest]).toEqual([52, back.own.digest]);
  });

  test('[SYNC-39] of a part it is told what has changed in what it sees', async () => {
    for (const watch of [{ view: 'public' }, { states: [] }, { every: 1_000 }]) {
      const { result, mirror, own } = await away(30, { watch });
      expect([result.seen?.sight, result.seen?.seq, mirror.seq]).toEqual([undefined, 32, 32]);
      if (!('view' in watch)) expect([result.seen?.patch?.length, mirror.getSnapshot().context]).toEqual([2, own.getSnapshot().context]);
    }
  });
});
