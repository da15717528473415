// Relational machines and statecharts that run right here invoke each other.

import { assign, fromPromise, sendParent, sendTo, setup } from 'xstate';
import { expect, test } from 'vitest';
import { localActors } from '../../compiler/actors.ts';
import { loadMachine, type RelationalConfig } from '../../compiler/index.ts';
import type { HandlerEvent } from '../../core/handlers.ts';
import type { Json } from '../../core/json.ts';
import { type LocalEnvironment, LocalSystem } from '../../core/local.ts';
import { RelationalMachine } from '../../core/relational/local.ts';
import type { RelationalSelf } from '../../core/relational/owner.ts';
import { EXECUTED } from '../../core/relational/types.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';

type Final = HandlerEvent<Json, RelationalSelf>;

const core = await testCore();

interface Load {
  readonly input: unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

function here(): { readonly environment: LocalEnvironment; readonly clock: TestEnvironment } {
  const clock = new TestEnvironment({ seed: 1 });
  const environment: LocalEnvironment = {
    now: () => clock.now(),
    random: () => clock.random(),
    timer: (delayMs, callback) => clock.timer(delayMs, callback),
  };
  return { environment: { ...environment, actors: localActors(core, environment) }, clock };
}

const counter = setup({
  types: {} as { input: { from: number }; context: { left: number }; output: { end: number }; events: { type: 'TICK' } },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ left: input.from }),
  initial: 'going',
  states: {
    going: {
      on: {
        TICK: [
          {
            guard: ({ context }) => context.left === 1,
            target: 'over',
            actions: sendParent({ type: 'relational.add', states: ['Told'] } as never),
          },
          { actions: assign({ left: ({ context }) => context.left - 1 }) },
        ],
      },
    },
    over: { type: 'final' },
  },
  output: { end: 0 },
});

const task: RelationalConfig = {
  dialect: 'relational',
  id: 'task',
  states: { Start: {}, Half: { require: 'Start' }, Whole: { require: 'Half' }, Bad: {} },
  done: 'Whole',
  handlers: {
    StartState: ({ args, machine }: Final) => machine.sendParent({ type: 'relational.add', states: ['Begun'], args }),
    BadState: () => {
      throw new TypeError('it is bad');
    },
  },
};

const topOf = (loads: Load[], calls: unknown[]): RelationalConfig => ({
  dialect: 'relational',
  id: 'top',
  states: {
    Loading: { remove: ['Loaded', 'ErrLoading'] },
    Loaded: { remove: 'Loading' },
    ErrLoading: { remove: 'Loading' },
    Counting: { multi: true },
    Counted: { remove: 'Counting' },
    Told: {},
    Tasking: {},
    Begun: {},
    Tasked: { remove: 'Tasking' },
    ErrTask: { remove: 'Tasking' },
  },
  actors: {
    Loading: {
      src: fromPromise(({ input }) => new Promise((resolve, reject) => void loads.push({ input, resolve, reject }))),
      done: 'Loaded',
      error: 'ErrLoading',
    },
    Counting: { src: counter, done: 'Counted' },
    Tasking: { src: task, done: 'Tasked', error: 'ErrTask' },
  },
  handlers: {
    LoadedState: ({ args }: Final) => void calls.push(['loaded', args]),
    CountedState: ({ args }: Final) => void calls.push(['counted', args]),
    BegunState: ({ args }: Final) => void calls.push(['begun', args]),
    TaskedState: ({ args }: Final) => void calls.push(['tasked', args]),
  },
});

function top(): { machine: RelationalMachine; clock: TestEnvironment; environment: LocalEnvironment; loads: Load[]; calls: unknown[] } {
  const loads: Load[] = [];
  const calls: unknown[] = [];
  const { environment, clock } = here();
  return { machine: new RelationalMachine(loadMachine(core, topOf(loads, calls)), { environment }), environment, clock, loads, calls };
}

test('[REL-40] a relational machine here runs a promise while a state is active, and hears what it comes to', async () => {
  const { machine, clock, loads, calls } = top();
  expect(machine.add('Loading', { page: 1 })).toBe(EXECUTED);
  expect(loads.map(({ input }) => input)).toEqual([{ page: 1 }]);
  loads[0]!.resolve({ text: 'hello' });
  await clock.settle();
  expect([machine.active, calls]).toEqual([['Loaded'], [['loaded', { text: 'hello' }]]]);
  machine.add('Loading');
  loads[1]!.reject(new RangeError('too far'));
  await clock.settle();
  expect([machine.active, machine.err]).toEqual([['ErrLoading', 'Exception'], { name: 'RangeError', message: 'too far' }]);
  // What was stopped is not heard.
  machine.add('Loading');
  machine.remove('Loading');
  loads[2]!.resolve('late');
  await clock.settle();
  expect(machine.is('Loaded')).toBe(false);
});

test('[REL-40] and a statechart, which it can tell something, and which begins anew with its state', async () => {
  const { machine, clock, calls } = top();
  machine.add('Counting', { from: 5 });
  machine.add('Counting', { from: 2 });
  machine.sendTo('Counting', { type: 'TICK' });
  expect(machine.is('Counting')).toBe(true);
  machine.sendTo('Counting', { type: 'TICK' });
  await clock.settle();
  expect([machine.active, calls]).toEqual([['Counted', 'Told'], [['counted', { end: 0 }]]]);
});

test('[REL-40] and another relational machine, with its input, its end and its exception', async () => {
  const { machine, clock, calls } = top();
  machine.add('Tasking', { amount: 3 });
  expect(calls).toEqual([['begun', { amount: 3 }]]);
  machine.sendTo('Tasking', { type: 'relational.add', states: ['Half'] });
  expect(machine.is('Tasking')).toBe(true);
  machine.sendTo('Tasking', { type: 'relational.add', states: ['Whole'], args: { total: 4 } });
  await clock.settle();
  expect([machine.is('Tasking'), machine.is('Tasked'), calls[1]]).toEqual([false, true, ['tasked', { total: 4 }]]);
  machine.remove('Tasked');
  machine.add('Tasking');
  machine.sendTo('Tasking', { type: 'relational.add', states: ['Bad'] });
  await clock.settle();
  expect([machine.is('ErrTask'), machine.err]).toEqual([true, { name: 'TypeError', message: 'it is bad' }]);
});

test('[REL-40] a statechart here invokes a relational machine', async () => {
  const boss = setup({
    types: {} as { context: { result: unknown }; events: { type: string; states?: string[]; args?: unknown } },
    actors: { task: task as never },
  }).createMachine({
    id: 'boss',
    context: { result: null },
    initial: 'idle',
    states: {
      idle: { on: { GO: 'working' } },
      working: {
        invoke: {
          id: 'job',
          src: 'task',
          input: { amount: 3 } as never,
          onDone: { target: 'done', actions: assign({ result: ({ event }) => event.output }) },
          onError: { target: 'failed', actions: assign({ result: ({ event }) => event.error }) },
        },
        on: {
          ADD: { actions: sendTo('job', ({ event }) => ({ type: 'relational.add', states: event.states, args: event.args }) as never) },
          'relational.add': {},
        },
      },
      done: { on: { GO: 'working' } },
      failed: {},
    },
  });
  const { environment, clock } = here();
  const actor = new LocalSystem(environment).start(loadMachine(core, boss));
  actor.send({ type: 'GO' });
  actor.send({ type: 'ADD', states: ['Half'] });
  actor.send({ type: 'ADD', states: ['Whole'], args: { total: 4 } });
  await clock.settle();
  expect(actor.getSnapshot()).toMatchObject({ value: 'done', context: { result: { total: 4 } } });
  actor.send({ type: 'GO' });
  actor.send({ type: 'ADD', states: ['Bad'] });
  await clock.settle();
  expect(actor.getSnapshot()).toMatchObject({ value: 'failed', context: { result: { name: 'TypeError', message: 'it is bad' } } });
});

test('[REL-40] what is imported begins its actors anew, and a machine that ends stops them', async () => {
  const { machine, clock, loads } = top();
  machine.add('Loading', { page: 1 });
  const saved = machine.export();
  const other = top();
  other.machine.import(saved);
  expect(other.loads.map(({ input }) => input)).toEqual([undefined]);
  other.loads[0]!.resolve('again');
  await other.clock.settle();
  expect(other.machine.active).toEqual(['Loaded']);
  machine.dispose();
  loads[0]!.resolve('late');
  await clock.settle();
  expect(machine.active).toEqual(['Loading']);
});

test('[REL-40] a schema that grows keeps actors that run, ends those that it does not name, and begins those that it names now', async () => {
  const loads: Load[] = [];
  const { environment, clock } = here();
  const load = fromPromise(({ input }) => new Promise((resolve, reject) => void loads.push({ input, resolve, reject })));
  const definition = (states: object, names: readonly string[], actors: object): Json =>
    ({ dialect: 'relational', id: 'm', states, names, actors }) as unknown as Json;
  const old = { A: {}, B: {}, C: {}, Done: {} };
  const names = ['A', 'B', 'C', 'Done', 'Exception'];
  const first = { A: { src: load, done: 'Done' }, B: { src: load, done: 'Done' } };
  const machine = new RelationalMachine(loadMachine(core, definition(old, names, first)), { environment });
  machine.add('A', { of: 'A' });
  machine.add('B', { of: 'B' });
  machine.add('C', { of: 'C' });
  const second = { A: { src: load, done: 'New' }, C: { src: load, done: 'Done' } };
  machine.setSchema(loadMachine(core, definition({ ...old, New: {} }, [...names, 'New'], second)));
  expect(loads.map(({ input }) => input)).toEqual([{ of: 'A' }, { of: 'B' }, undefined]);
  loads[1]!.resolve('stopped');
  await clock.settle();
  expect(machine.is('Done')).toBe(false);
  loads[0]!.resolve('ran on');
  loads[2]!.resolve('began');
  await clock.settle();
  expect(machine.active).toEqual(['A', 'B', 'C', 'Done', 'New']);
});
