// A machine whose functions are programs beside the same machine with the author's functions: the same steps, patches, digests and snapshots;
// and everywhere else that machines run: mirrors without functions, restored authorities, traces.

import { expect, test } from 'vitest';
import { assign, createMachine, raise } from 'xstate';
import { COUNT, QUIET, STEP_CELL_SHIFT, STEP_TAKEN } from '../../assembly/layout.ts';
import { compile } from '../../compiler/compile.ts';
import { fromXState } from '../../compiler/dialects/xstate5.ts';
import { parseExpression } from '../../compiler/expression/language.ts';
import type { Lowered } from '../../compiler/expression/program.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import type { Operation } from '../../core/patch.ts';
import { plain } from '../../core/plain.ts';
import { now, random as draw } from '../../core/chance.ts';
import { enterStamp, leaveStamp } from '../../core/stamp.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import { allCores, bothCores } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';
import { World } from '../support/world.ts';

interface Shop {
  readonly open: boolean;
  readonly total: number;
  readonly cart: readonly { readonly name: string; readonly price: number }[];
  readonly note?: string;
  readonly at?: number;
}
type Arguments = {
  readonly context: Shop;
  readonly event: EventObject & { readonly name: string; readonly price: number; readonly wait: number };
};

/** A shop: an initial context from its input, guards, assigns of several keys, a made event, a computed delay, eventless steps and outputs. */
const shop = createMachine(
  {
    id: 'shop',
    context: ({ input }: { input: { float: number } }) => ({ open: true, total: input.float, cart: [] }),
    initial: 'idle',
    entry: 'seen',
    states: {
      idle: {
        on: {
          ADD: {
            guard: ({ context, event }: Arguments) => event.price > 0 && context.cart.length < 5,
            actions: [
              assign(({ context, event }: Arguments) => ({
                cart: [...context.cart, { name: event.name, price: event.price }],
                total: context.total + event.price,
              })),
              'seen',
              assign({ note: ({ event }: Arguments) => `last: ${event.name}` }),
              'seen',
            ],
          },
          DROP: {
            actions: assign({
              cart: ({ context, event }: Arguments) => context.cart.filter((item) => item.name !== event.name),
              note: () => undefined,
            }),
          },
          PAY: { target: 'paying', actions: raise(({ context }: Arguments) => ({ type: 'BILL', total: context.total })) },
        },
        always: { guard: ({ context }: Arguments) => context.total > 400, target: 'over' },
      },
      paying: {
        entry: assign({ at: () => now() + Math.floor(draw() * 10) }),
        on: { BILL: { actions: assign({ total: ({ event }: { event: { total: number } }) => event.total - 1 }) }, BACK: 'idle' },
        after: { patience: 'idle' },
      },
      over: { type: 'final', output: ({ context }: Arguments) => ({ spent: context.total }) },
    },
    output: ({ context }: Arguments) => ({ items: context.cart.length }),
  } as never,
  {
    actions: { seen: () => undefined },
    delays: { patience: ({ event }: Arguments) => event.wait * 2 },
  } as never,
);

const EXPRESSIONS: Readonly<Record<string, string>> = {
  '/context': '{ open: true, total: input.float, cart: [] }',
  '/states/idle/on/ADD/guard': 'event.price > 0 && context.cart.length < 5',
  '/states/idle/on/ADD/actions/0':
    '{ cart: [...context.cart, { name: event.name, price: event.price }], total: context.total + event.price }',
  '/states/idle/on/ADD/actions/2': "{ note: 'last: ' + event.name }",
  '/states/idle/on/DROP/actions': '{ cart: context.cart.filter(item => item.name !== event.name), note: undefined }',
  '/states/idle/on/PAY/actions': "{ type: 'BILL', total: context.total }",
  '/states/idle/always/guard': 'context.total > 400',
  '/states/paying/entry': '{ at: now() + floor(random() * 10) }',
  '/states/paying/on/BILL/actions': '{ total: event.total - 1 }',
  '/states/paying/after/patience': 'event.wait * 2',
  '/states/over/output': '{ spent: context.total }',
  '/output': '{ items: context.cart.length }',
};

function loweredShop(): ReturnType<typeof compile> {
  const lowered = new Map(
    Object.entries(EXPRESSIONS).map(([path, text]): [string, Lowered] => [path, { expression: parseExpression(text) }]),
  );
  const image = compile(fromXState(shop), { lowered });
  expect(image.obstacles).toEqual([]);
  expect(image.isLowered).toBe(true);
  return image;
}

const sorted = (patch: readonly Operation[]): readonly Operation[] => [...patch].sort((a, b) => (a.path < b.path ? -1 : 1));

/** All that a step says, in one form: objects and patches do not depend on the order of keys. */
function told(instance: Instance, act: () => ReturnType<Instance['step']>): unknown {
  try {
    const outcome = act();
    const { taken, clocks, status, output, timers } = outcome;
    const effects = outcome.effects.map(({ name, context, event }) => ({ name, context, event }));
    const patch = sorted(outcome.patch);
    return {
      taken,
      clocks,
      status,
      output,
      timers,
      effects,
      patch,
      digest: instance.digest(),
      saved: instance.save(),
      shown: instance.snapshot().toJSON(),
    };
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    return error.code === 'EXPRESSION' || error.code === 'HOST_THREW' || error.code === 'NOT_JSON' ? 'refused' : error.code;
  }
}

test('[CORE-15] a lowered machine takes the steps that it takes hosted, on all builds, with the same patches, effects and digests', async () => {
  const dice = random(seedOf('lowered beside hosted'));
  const image = loweredShop();
  const hosted = compile(fromXState(shop));
  const cores = await allCores();
  let taken = 0;
  let done = 0;
  for (let round = 0; round < 60; round++) {
    const instances = [
      Instance.create(Machine.load(cores[0], hosted.bytes, bind(hosted.symbols, shop))),
      ...cores.map((core) => Instance.create(Machine.load(core, image.bytes))),
    ];
    const mirror = Instance.create(instances[1]!.machine);
    const changed = Instance.create(instances[1]!.machine);
    const [first, ...others] = instances.map((instance) =>
      told(instance, () => instance.start({ float: round % 3 }, { now: 5, seed: round, salt: 's' })),
    );
    for (const other of others) expect(other).toEqual(first);
    mirror.load(instances[1]!.save(), 1);
    changed.load(instances[1]!.save(), 1);
    for (let i = 0; i < 30; i++) {
      const event = plain(
        {
          type: dice.pick(['ADD', 'ADD', 'ADD', 'DROP', 'PAY', 'BACK', 'BILL']),
          name: dice.pick(['tea', 'bread', 'soap']),
          price: dice.pick([0, 1, 50, 120]),
          wait: dice.below(100),
          total: dice.below(10),
        },
        '',
      ) as unknown as EventObject;
      const stamp = { now: 1_000 + i, seed: dice.below(1_000_000), salt: `s/${i}` };
      const before = instances[1]!.context;
      const results = instances.map((instance) => told(instance, () => instance.step(event, stamp)));
      for (const result of results) expect(result).toEqual(results[0]);
      if (typeof results[0] !== 'object') {
        // What was written before the fault is taken back, on the short road too.
        const [was, digest] = [mirror.context, mirror.digest()];
        expect(() => mirror.run(event, stamp)).toThrow(LockstepError);
        expect([mirror.context, mirror.digest()]).toEqual([was, digest]);
        continue;
      }
      const { taken: isTaken, status, patch } = results[0] as { taken: boolean; status?: string; patch: readonly unknown[] };
      if (isTaken) taken++;
      if (status === 'done') done++;
      if (!isTaken) expect([patch, instances[1]!.context === before]).toEqual([[], true]);
      // A quiet run over a copy comes to the same.
      mirror.run(event, stamp);
      expect([mirror.context, mirror.digest()]).toEqual([instances[1]!.context, instances[1]!.digest()]);
      enterStamp(stamp);
      expect(sorted(changed.change(changed.machine.eventNumber(event.type), event))).toEqual(patch);
      leaveStamp();
      expect(changed.digest()).toEqual(instances[1]!.digest());
    }
    for (const instance of [...instances, mirror, changed]) instance.dispose();
  }
  expect(taken).toBeGreaterThan(300);
  expect(done).toBeGreaterThan(3);
});

test('[CORE-15] a replay of a lowered step needs no host results and leaves the context to its patch', async () => {
  const [core] = await bothCores();
  const machine = Machine.load(core, loweredShop().bytes);
  const [instance, replayed] = [Instance.create(machine), Instance.create(machine)];
  const stamp = { now: 5, seed: 9, salt: 's' };
  const events: EventObject[] = [
    { type: 'xstate.init', input: { float: 2 } },
    { type: 'ADD', name: 'tea', price: 50 },
    { type: 'ADD', name: 'tea', price: 0 },
    { type: 'PAY', wait: 10 },
  ];
  for (const event of events) {
    const outcome = event.type === 'xstate.init' ? instance.start(event['input'] as Json, stamp) : instance.step(event, stamp);
    const before = replayed.context;
    const again = replayed.replay(event, stamp, outcome.host);
    expect([outcome.host, again.clocks, replayed.context]).toEqual([[], outcome.clocks, before]);
    replayed.load(instance.save(), instance.seq);
  }
  expect(replayed.digest()).toBe(instance.digest());
});

test('[CORE-15] mirrors without any function of the author predict a lowered machine, a restarted authority goes on, and nobody diverges', async () => {
  const world = new World();
  const journal = new MemoryJournal();
  const machines = { shop: { image: loweredShop().bytes, definition: shop } };
  const open = () => world.peer('secret-of-the-server', { kind: 'server', name: 'server', key: 'key', journal, machines });
  const server = await open();
  await world.get(server.create('shop', { instance: 'corner', input: { float: 1 } }));
  const tool = await world.peer('tool', { kind: 'tool' });
  const bob = await world.peer('bob');
  const [mirror, other] = [await world.get(tool.watch('corner')), await world.get(bob.watch('corner'))];
  const records: string[] = [];
  for (const peer of [tool, bob]) peer.tracer.listen(({ kind }) => records.push(kind));
  const add = (price: number) => mirror.send({ type: 'ADD', name: 'tea', price });
  add(50);
  expect(mirror.getSnapshot().context).toMatchObject({ total: 51, note: 'last: tea' });
  await world.settle();
  expect([mirror.unconfirmedCount, other.getSnapshot().context]).toEqual([0, mirror.getSnapshot().context]);
  add(0);
  mirror.send({ type: 'DROP', name: 'tea' });
  other.send({ type: 'ADD', name: 'soap', price: 7 });
  await world.settle();
  await world.advance(1_000);
  expect(mirror.getSnapshot().context).toEqual({ open: true, total: 58, cart: [{ name: 'soap', price: 7 }], note: 'last: soap' });
  await world.get(server.close());
  add(9);
  await open();
  await world.advance(15_000);
  expect([mirror.seq >= 6, mirror.unconfirmedCount, mirror.getSnapshot().context]).toMatchObject([true, 0, { total: 67 }]);
  expect(other.getSnapshot().context).toEqual(mirror.getSnapshot().context);
  expect(records).not.toContain('divergence');
});

test('[CORE-15] a step that does no more than replace a number says so itself, with the patch, context and digest of a recorded one', async () => {
  const writes = {
    ADD: '{ a: context.a + 1 }',
    MIX: '{ a: context.b - context.a }',
    SAME: '{ a: context.a * 1 }',
    HALVE: '{ b: context.b / context.a }',
    GROW: '{ b: context.b * 1e100 }',
    TEXT: '{ text: context.text + 1 }',
    OVER: '{ text: context.a + 1 }',
    GONE: '{ b: event.nothing }',
    BACK: '{ b: context.a * 3 }',
    BOTH: '{ a: context.b + 1, b: context.a - 1 }',
  };
  const types = Object.keys(writes);
  const on = Object.fromEntries(types.map((type) => [type, { actions: assign({}), ...(type === 'ADD' ? { target: 'other' } : {}) }]));
  const definition = createMachine({
    id: 'sums',
    context: { a: 1, b: 2, text: 'x' },
    initial: 'one',
    states: { one: { on }, other: { on: { ...on, ADD: { guard: () => true, actions: assign({}), target: 'one' } } } },
  } as never) as Parameters<typeof fromXState>[0];
  const lowered = new Map<string, Lowered>(
    ['one', 'other'].flatMap((state) =>
      types.map((type): [string, Lowered] => [
        `/states/${state}/on/${type}/actions`,
        { expression: parseExpression(writes[type as keyof typeof writes]) },
      ]),
    ),
  );
  lowered.set('/states/other/on/ADD/guard', { expression: parseExpression('context.a < 5') });
  const { bytes } = compile(fromXState(definition), { lowered });
  const dice = random(seedOf('replaced numbers'));
  const seen = { replaced: 0, nothing: 0, faults: 0 };
  for (const core of await allCores()) {
    const machine = Machine.load(core, bytes);
    for (let round = 0; round < 40; round++) {
      const [brief, whole] = [Instance.create(machine), Instance.create(machine)];
      for (const instance of [brief, whole]) instance.start(undefined, { now: 1, seed: 1, salt: 's' });
      for (let i = 0; i < 30; i++) {
        const event = { type: dice.pick(types) };
        const number = machine.eventNumber(event.type);
        const wanted = told(whole, () => whole.step(event, { now: 2, seed: 2, salt: 's' })) as { patch?: readonly Operation[] };
        if (wanted.patch === undefined) {
          expect(() => brief.change(number, event)).toThrow(LockstepError);
          seen.faults++;
        } else {
          expect([event, brief.change(number, event)]).toEqual([event, wanted.patch]);
          seen[wanted.patch.length === 0 ? 'nothing' : 'replaced']++;
        }
        expect([brief.context, brief.digest(), brief.seq]).toEqual([whole.context, whole.digest(), whole.seq]);
      }
      for (const instance of [brief, whole]) instance.dispose();
    }
  }
  for (const core of await bothCores()) {
    const machine = Machine.load(core, bytes);
    const instance = Instance.create(machine);
    instance.start(undefined, { now: 1, seed: 1, salt: 's' });
    const result = core.exports.step(instance.address, machine.eventNumber('ADD'), QUIET | COUNT);
    expect(result).toBe(STEP_TAKEN | ((1 + machine.cells!.names.indexOf('a')) << STEP_CELL_SHIFT));
    instance.dispose();
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
});
