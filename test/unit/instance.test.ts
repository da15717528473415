// Raw replicas: running, folding, saving, replaying, rolling back.

import { assign, raise, setup } from 'xstate';
import { expect, test } from 'vitest';
import { diff } from '../../core/diff.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Difference } from '../../core/copy.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import type { Outcome } from '../../core/outcome.ts';
import { now, random, uuid } from '../../core/chance.ts';
import { compileMachine } from '../../compiler/index.ts';
import { testCore } from '../support/core.ts';
import { random as dice, seedOf } from '../support/random.ts';

const core = await testCore();
const stamp = { now: 1_000, seed: 42, salt: 'test/1/1' };

const order = setup({
  types: {} as {
    context: { items: string[]; total: number; note?: unknown; id?: string; at?: number };
    events: EventObject & { price?: number; name?: string };
  },
  actions: { log: () => undefined },
  guards: { isPriced: ({ event }) => (event as { price: number }).price > 0 },
  delays: { patience: ({ context }) => 1_000 * (context.total + 1) },
}).createMachine({
  id: 'order',
  context: { items: [], total: 0 },
  type: 'parallel',
  states: {
    cart: {
      initial: 'empty',
      states: {
        empty: {
          on: {
            ADD: {
              target: 'filled',
              guard: 'isPriced',
              actions: [
                assign({
                  items: ({ context, event }) => [...context.items, String(event['name'])],
                  total: ({ context, event }) => context.total + Number(event['price']),
                }),
                'log',
              ],
            },
          },
        },
        filled: {
          after: { patience: 'empty' },
          on: {
            ADD: {
              actions: [assign({ items: ({ context, event }) => [...context.items, String(event['name'])] }), raise({ type: 'COUNTED' })],
            },
            CLEAR: { target: 'empty', actions: assign({ items: [], total: 0 }) },
          },
        },
        hist: { type: 'history' },
      },
    },
    door: {
      initial: 'shut',
      states: { shut: { tags: 'safe', on: { COUNTED: 'ajar' } }, ajar: { on: { SHUT: 'shut', LEAVE: '#order.gone' } } },
    },
    gone: { initial: 'no', states: { no: {} } },
  },
  on: {
    THROW: {
      actions: assign(() => {
        throw new Error('the author slipped');
      }),
    },
    DATE: { actions: assign({ note: () => new Date(0) }) },
    LOOP: { actions: raise({ type: 'LOOP' }) },
    STAMP: { actions: assign({ id: () => uuid(), at: () => now() + random() }) },
  },
});

const machine = (): Machine => {
  const { bytes, symbols } = compileMachine(order);
  return Machine.load(core, bytes, bind(symbols, order));
};

/** What a step record carries of an outcome. */
function difference(outcome: Outcome, seq: number): Difference {
  const { clocks, history, timers, status, output, error } = outcome;
  const patch = diff(outcome.before, outcome.after);
  const record = {
    seq,
    clocks,
    history,
    patch,
    timers,
    ...(status === undefined ? {} : { status }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  };
  return JSON.parse(JSON.stringify(record)) as Difference;
}

const EVENTS: readonly EventObject[] = [
  { type: 'ADD', price: 3, name: 'tea' },
  { type: 'ADD', price: 0, name: 'air' },
  { type: 'CLEAR' },
  { type: 'SHUT' },
  { type: 'COUNTED' },
  { type: 'STAMP' },
  { type: 'xstate.after.patience.order.cart.filled' },
];

test('a machine runs: value, context, guards, timers, tags, clocks', () => {
  const instance = Instance.create(machine());
  instance.start(undefined, stamp);
  expect(instance.snapshot().toJSON()).toEqual({
    value: { cart: 'empty', door: 'shut', gone: 'no' },
    status: 'active',
    context: { items: [], total: 0 },
  });
  expect(instance.step({ type: 'ADD', price: 0, name: 'air' }, stamp).taken).toBe(false);
  const outcome = instance.step({ type: 'ADD', price: 3, name: 'tea' }, stamp);
  expect(outcome.taken).toBe(true);
  expect(instance.snapshot().value).toEqual({ cart: 'filled', door: 'shut', gone: 'no' });
  expect(diff(outcome.before, outcome.after)).toEqual([{ op: 'replace', path: '', value: { items: ['tea'], total: 3 } }]);
  expect(outcome.timers).toEqual([{ timer: 0, due: 5_000 }]);
  expect(outcome.host).toEqual([true, 4_000]);
  expect(instance.tick('cart.filled')).toBe(1);
  expect(instance.tick('cart.empty')).toBe(2);
  expect(instance.snapshot().hasTag('safe')).toBe(true);
  expect(instance.can({ type: 'SHUT' })).toBe(false);
  instance.step({ type: 'ADD', name: 'milk' }, stamp);
  expect(instance.snapshot().matches({ door: 'ajar' })).toBe(true);
  expect(instance.snapshot().can({ type: 'SHUT' })).toBe(true);
  expect(instance.seq).toBe(4);
});

test.each<[string, EventObject]>([
  ['HOST_THREW', { type: 'THROW' }],
  ['NOT_JSON', { type: 'DATE' }],
  ['FUEL', { type: 'LOOP' }],
  ['UNKNOWN_EVENT', { type: 'NEVER' }],
])('[INST-6] %s changes nothing', (code, event) => {
  const instance = Instance.create(machine());
  instance.start(undefined, stamp);
  instance.step({ type: 'ADD', price: 3, name: 'tea' }, stamp);
  const before = { state: instance.save(), digest: instance.digest(), seq: instance.seq };
  let found: unknown;
  try {
    instance.step(event, stamp);
  } catch (error) {
    found = error;
  }
  expect(found).toBeInstanceOf(LockstepError);
  expect((found as LockstepError).code).toBe(code);
  expect({ state: instance.save(), digest: instance.digest(), seq: instance.seq }).toEqual(before);
  expect(instance.step({ type: 'CLEAR' }, stamp).taken).toBe(true);
});

test('[INST-7] [INST-8] [INST-9] folding, saving, loading and replaying agree with running, for random events', () => {
  const seed = seedOf('instance');
  const pick = dice(seed);
  const source = machine();
  const running = Instance.create(source);
  const blind = Machine.load(core, source.bytes);
  const folded = Instance.create(blind);
  const replayed = Instance.create(blind);
  let outcome = running.start(undefined, stamp);
  folded.apply(difference(outcome, 1));
  for (let seq = 1; seq < 400; seq++) {
    expect(folded.digest()).toBe(running.digest());
    expect(folded.save()).toEqual(running.save());
    const event = pick.pick(EVENTS);
    const at = { now: 1_000 + seq, seed: pick.below(1_000_000), salt: `test/1/${seq}` };
    replayed.load(folded.save(), folded.seq);
    outcome = running.step(event, at);
    const again = replayed.replay(event, at, JSON.parse(JSON.stringify(outcome.host)) as Json[]);
    expect(again.clocks).toEqual(outcome.clocks);
    expect(again.timers).toEqual(outcome.timers);
    folded.apply(difference(outcome, seq + 1));
    if (pick.chance(0.2)) {
      const other = Instance.create(source);
      other.load(JSON.parse(JSON.stringify(running.save())) as ReturnType<Instance['save']>, running.seq);
      expect(other.digest()).toBe(running.digest());
      running.copyFrom(other);
      other.dispose();
    }
  }
  expect(() => folded.apply(difference(outcome, 7))).toThrow('have 400, got 7');
});

test('[INST-8] a state that does not fit is refused and changes nothing', () => {
  const instance = Instance.create(machine());
  instance.start(undefined, stamp);
  const good = instance.save();
  const digest = instance.digest();
  const clocks = [...good.clocks];
  clocks[1] = clocks[1]! + 1;
  for (const bad of [
    { ...good, clocks: clocks.slice(1) },
    { ...good, clocks },
    { ...good, history: [[0, [9]]] as const },
    { ...good, history: [[5, [1]]] as const },
  ]) {
    expect(() => instance.load(bad, 9)).toThrow(LockstepError);
    expect(instance.digest()).toBe(digest);
  }
});

test('[INST-8] a compound with two active children, or with none, is no state', () => {
  const { bytes } = compileMachine({ id: 'm', initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } });
  const instance = Instance.create(Machine.load(core, bytes));
  instance.start(undefined, stamp);
  const good = instance.save();
  for (const clocks of [
    [1, 1, 1],
    [1, 0, 0],
  ]) {
    expect(() => instance.load({ ...good, clocks }, 2)).toThrow('illegal configuration');
    expect(instance.save()).toEqual(good);
  }
});

test('[CORE-11] what a state does when it is left is done on the short road too', () => {
  const { bytes } = compileMachine({
    id: 'm',
    initial: 'a',
    states: { a: { exit: raise({ type: 'LEFT' }), on: { GO: 'b' } }, b: { on: { LEFT: 'c' } }, c: {} },
  });
  const instance = Instance.create(Machine.load(core, bytes));
  instance.start(undefined, stamp);
  instance.run({ type: 'GO' }, stamp);
  expect(instance.snapshot().value).toBe('c');
});

test('[INST-10] now, random and uuid follow the stamp and refuse outside a step', () => {
  const run = (seed: number, salt: string): unknown => {
    const instance = Instance.create(machine());
    instance.start(undefined, stamp);
    instance.step({ type: 'STAMP' }, { now: 5, seed, salt });
    return instance.context;
  };
  expect(run(7, 'a')).toEqual(run(7, 'a'));
  expect(run(7, 'a')).not.toEqual(run(8, 'a'));
  expect(run(7, 'a')).not.toEqual(run(7, 'b'));
  expect((run(7, 'a') as { id: string }).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(() => now()).toThrow('outside a step');
});

test('[INST-11] effects carry the context and the event that they saw', () => {
  const instance = Instance.create(machine());
  instance.start(undefined, stamp);
  const event = { type: 'ADD', price: 3, name: 'tea' };
  const { effects } = instance.step(event, stamp);
  instance.step({ type: 'CLEAR' }, stamp);
  expect(effects).toEqual([{ fn: effects[0]!.fn, name: 'log', context: { items: ['tea'], total: 3 }, event }]);
});
