// What is watched in development: which uses are found, how they are told, and that functions do the same with it and without.

import { expect, test, vi } from 'vitest';
import { assign, createMachine, enqueueActions, raise } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { now, random, uuid } from '../../core/chance.ts';
import { CHANGE, Watch, type Impurity } from '../../core/watch.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();
const STAMP = { now: 1_000, seed: 7, salt: 'x' };

interface Watched {
  readonly found: Impurity[];
  readonly messages: string[];
  readonly instance: Instance;
}

function watched(source: unknown, scope: object = globalThis): Watched {
  const { bytes, symbols } = compileMachine(source);
  const found: Impurity[] = [];
  const messages: string[] = [];
  const watch = new Watch(scope, (impurity, message) => {
    found.push(impurity);
    messages.push(message);
  });
  const instance = Instance.create(Machine.load(core, bytes, watch.watch(bind(symbols, source), symbols)));
  return { found, messages, instance };
}

/** What a guard of this body is found to use. */
function usesOf(body: () => unknown): string[] {
  const machine = createMachine({ id: 'm', on: { GO: { guard: () => [body()].length > 0, actions: () => undefined } } });
  const { found, instance } = watched(machine);
  instance.start(undefined, STAMP);
  instance.step({ type: 'GO' }, STAMP);
  return found.map(({ uses }) => uses);
}

const bytes = new Uint8Array(4);

test.each<[uses: string, body: () => unknown]>([
  ['Date.now()', () => Date.now()],
  ['new Date()', () => new Date()],
  ['Date()', () => Date()],
  ['performance.now()', () => performance.now()],
  ['Math.random()', () => Math.random()],
  ['crypto.randomUUID()', () => crypto.randomUUID()],
  ['crypto.getRandomValues()', () => crypto.getRandomValues(bytes)],
  ...[
    'acos',
    'acosh',
    'asin',
    'asinh',
    'atan',
    'atanh',
    'cbrt',
    'cos',
    'cosh',
    'exp',
    'expm1',
    'log',
    'log10',
    'log1p',
    'log2',
    'sin',
    'sinh',
    'tan',
    'tanh',
  ].map((name): [string, () => unknown] => [
    `Math.${name}()`,
    () => (Math as unknown as Record<string, (x: number) => number>)[name]!(0.5),
  ]),
  ['Math.pow()', () => Math.pow(2, 0.5)],
  ['Math.atan2()', () => Math.atan2(1, 2)],
  ['Math.hypot()', () => Math.hypot(1, 2)],
])('[DET-1] a guard that uses %s is found', (uses, body) => {
  expect(usesOf(body)).toEqual([uses]);
});

test.each<[what: string, body: () => unknown]>([
  ['exact mathematics', () => Math.floor(1.5) + Math.sqrt(4) + Math.max(1, 2) + Math.abs(-1) + Math.imul(2, 3) + Math.PI],
  [
    'a date that is given',
    () => new Date(2020, 1).getTime() + new Date('2020-01-01T00:00:00Z').getTime() + Date.UTC(2020) + Date.parse('2020'),
  ],
  ['what comes with the event', () => [now(), random(), uuid()]],
])('[DET-2] %s is not found', (_what, body) => {
  expect(usesOf(body)).toEqual([]);
});

test('[DET-1] guards, assigns, raises, delays, outputs, contexts and actions chosen at run time are watched, effects are not', () => {
  const machine = createMachine(
    {
      id: 'all',
      initial: 'a',
      context: () => ({ at: Date.now() }),
      states: {
        a: {
          on: {
            GO: {
              guard: 'isLucky',
              actions: [
                'effect',
                assign({ at: () => Date.now() }),
                raise(() => ({ type: 'R', k: Math.random() })),
                enqueueActions(({ enqueue }) => enqueue.assign({ at: Date.now() })),
              ],
              target: 'b',
            },
          },
        },
        b: { after: { soon: 'c' }, on: { END: 'c' } },
        c: { type: 'final' },
      },
      output: () => ({ at: Date.now() }),
    } as never,
    {
      guards: { isLucky: () => Math.random() >= 0 },
      delays: { soon: () => Math.ceil(Math.random()) },
      actions: { effect: () => void Date.now() },
    } as never,
  );
  const { found, messages, instance } = watched(machine);
  instance.start(undefined, STAMP);
  for (const type of ['GO', 'END']) instance.step({ type }, STAMP);
  expect(found.map(({ machine: id, kind, path, name, uses }) => [id, kind, path, name, uses])).toEqual([
    ['all', 'context', '/context', undefined, 'Date.now()'],
    ['all', 'guard', '/states/a/on/GO/guard', 'isLucky', 'Math.random()'],
    ['all', 'assign', '/states/a/on/GO/actions/1', undefined, 'Date.now()'],
    ['all', 'raise', '/states/a/on/GO/actions/2', undefined, 'Math.random()'],
    ['all', 'builtin', '/states/a/on/GO/actions/3', undefined, 'Date.now()'],
    ['all', 'delay', '/states/b/after/soon', 'soon', 'Math.random()'],
    ['all', 'output', '/output', undefined, 'Date.now()'],
  ]);
  expect(messages[1]).toBe(
    `machine 'all', guard "isLucky" at /states/a/on/GO/guard: Math.random(). Each replica gets another answer; random() and uuid() of 'lockstep' come with the event`,
  );
});

test('[DET-1] effects are left as they are', () => {
  const machine = createMachine({ id: 'm', on: { GO: { guard: () => true, actions: () => void Date.now() } } });
  const { symbols } = compileMachine(machine);
  const bound = bind(symbols, machine);
  const kept = new Watch(globalThis, () => undefined).watch(bound, symbols);
  expect(kept.map((each, fn) => [each.kind, each === bound[fn]])).toEqual([
    ['guard', false],
    ['effect', true],
  ]);
});

test('[DET-3] a function that changes its arguments is refused by the frozen value, and found', () => {
  const machine = createMachine({
    id: 'm',
    context: { list: [1], inner: { n: 1 } },
    on: {
      PUSH: { actions: assign({ list: ({ context }) => (context.list.push(2), context.list) }) },
      SET: { guard: ({ context }) => (context.inner.n = 2) > 0, actions: () => undefined },
      DROP: { guard: ({ event }) => delete (event as { k?: unknown }).k, actions: () => undefined },
      OWN: { guard: () => (null as unknown as { x: number }).x > 0, actions: () => undefined },
    },
  });
  const { found, instance } = watched(machine);
  instance.start(undefined, STAMP);
  const before: Json = instance.context;
  for (const type of ['PUSH', 'SET', 'DROP', 'OWN'])
    expect(() => instance.step(Object.freeze({ type, k: 1 }), STAMP)).toThrow(LockstepError);
  expect(found.map(({ path, uses }) => [path, uses])).toEqual([
    ['/on/PUSH/actions', CHANGE],
    ['/on/SET/guard', CHANGE],
    ['/on/DROP/guard', CHANGE],
  ]);
  expect(instance.context).toBe(before);
});

test('[DET-4] a function is told once, gets the real answers, and leaves the globals as they were', () => {
  const real = { Date, Math, performance, crypto };
  vi.useFakeTimers({ now: 5_000, toFake: ['Date'] });
  try {
    const fake = Date;
    const machine = createMachine({
      id: 'm',
      context: { at: 0, is: false },
      on: { GO: { actions: assign(() => ({ at: Date.now() + new Date().getTime(), is: new Date(1) instanceof Date })) } },
    });
    let during: unknown;
    const { found, instance } = watched(machine);
    const { bytes: image, symbols } = compileMachine(machine);
    const other = new Watch(globalThis, () => (during = Date));
    const heard = Instance.create(Machine.load(core, image, other.watch(bind(symbols, machine), symbols)));
    for (const one of [instance, heard]) {
      one.start(undefined, STAMP);
      one.step({ type: 'GO' }, STAMP);
      one.step({ type: 'GO' }, STAMP);
      expect(one.context).toEqual({ at: 10_000, is: true });
    }
    expect(found).toHaveLength(1);
    expect(Date).toBe(fake);
    // Whoever is told may read the clock himself.
    expect(during).toBe(fake);
  } finally {
    vi.useRealTimers();
  }
  expect({ Date, Math, performance, crypto }).toEqual(real);
  expect(Object.getOwnPropertyDescriptor(globalThis, 'Math')).toMatchObject({ value: real.Math, writable: true, enumerable: false });
});
