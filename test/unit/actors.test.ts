// Machines with actors, run right here: promises, callbacks, observables, transitions and machines, by XState's own logic.

import {
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  fromObservable,
  fromPromise,
  fromTransition,
  log,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
  type AnyStateMachine,
  type EventObject,
} from 'xstate';
import { expect, test } from 'vitest';
import { xstateActors } from '../../compiler/actors.ts';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import type { Json } from '../../core/json.ts';
import { LocalSystem } from '../../core/local.ts';
import { Machine } from '../../core/machine.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();

/** Runs a machine; whoever looks at `logged` sees what it logged. */
function run(source: unknown, input?: Json) {
  const { bytes, symbols } = compileMachine(source, { onThrow: 'status' });
  const clock = new TestEnvironment();
  const logged: unknown[] = [];
  const environment = {
    now: () => clock.now(),
    random: () => clock.random(),
    timer: (delayMs: number, callback: () => void) => clock.timer(delayMs, callback),
    log: (...values: unknown[]) => void logged.push(values),
  };
  const system = new LocalSystem({ ...environment, actors: xstateActors(environment) });
  const actor = system.start(Machine.load(core, bytes, bind(symbols, source)), input === undefined ? {} : { input });
  return { actor, clock, logged };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

const loading = (creator: () => Promise<unknown>): AnyStateMachine =>
  setup({ actors: { load: fromPromise(creator) } }).createMachine({
    id: 'm',
    context: { got: null as unknown },
    initial: 'busy',
    states: {
      busy: {
        invoke: {
          src: 'load',
          input: { page: 1 },
          onDone: { target: 'ready', actions: assign({ got: ({ event }) => event.output }) },
          onError: { target: 'failed', actions: assign({ got: ({ event }) => event.error }) },
        },
        on: { LEAVE: 'left' },
      },
      ready: {},
      failed: {},
      left: {},
    },
  });

test('[INST-13] a promise: its input, its output, its error, and nothing of it when its state was left', async () => {
  const inputs: unknown[] = [];
  const machine = setup({
    actors: {
      load: fromPromise(async ({ input }) => {
        inputs.push(input);
        return { list: [1] };
      }),
    },
  }).createMachine({
    id: 'm',
    context: { page: 3, list: [] as number[] },
    initial: 'busy',
    states: {
      busy: {
        invoke: {
          src: 'load',
          input: ({ context }) => ({ page: context.page }),
          onDone: { target: 'ready', actions: assign({ list: ({ event }) => (event.output as { list: number[] }).list }) },
        },
      },
      ready: {},
    },
  });
  const { actor } = run(machine);
  expect(actor.getSnapshot().value).toBe('busy');
  await settle();
  expect(actor.getSnapshot()).toMatchObject({ value: 'ready', context: { page: 3, list: [1] } });
  expect(inputs).toEqual([{ page: 3 }]);

  const failed = run(loading(async () => Promise.reject(new TypeError('no way')))).actor;
  await settle();
  expect(failed.getSnapshot()).toMatchObject({ value: 'failed', context: { got: { name: 'TypeError', message: 'no way' } } });

  const left = run(loading(async () => 1)).actor;
  left.send({ type: 'LEAVE' });
  await settle();
  expect(left.getSnapshot()).toMatchObject({ value: 'left', context: { got: null } });
});

test('[INST-13] what a child gives that is no plain JSON is its error; an error that nobody handles ends the machine', async () => {
  const odd = run(loading(async () => new Map())).actor;
  await settle();
  expect(odd.getSnapshot()).toMatchObject({ value: 'failed', context: { got: { code: 'NOT_JSON' } } });

  const source = createMachine({ id: 'm', invoke: { id: 'x', src: fromPromise(async () => Promise.reject(new Error('boom'))) } });
  const { actor } = run(source);
  await settle();
  expect(actor.getSnapshot()).toMatchObject({ status: 'error', error: 'unhandled error of x: boom' });
});

test('[INST-13] a callback hears its parent, answers, and is disposed when its state is left', () => {
  const heard: string[] = [];
  const machine = createMachine({
    id: 'm',
    context: { pongs: 0 },
    initial: 'on',
    states: {
      on: {
        invoke: {
          id: 'wire',
          src: fromCallback(({ sendBack, receive }) => {
            sendBack({ type: 'PONG' });
            receive((event) => {
              heard.push(event.type);
              sendBack({ type: 'PONG' });
            });
            return () => void heard.push('disposed');
          }),
        },
        on: {
          PING: { actions: sendTo('wire', { type: 'PING' }) },
          PONG: { actions: assign({ pongs: ({ context }) => context.pongs + 1 }) },
          OFF: 'off',
        },
      },
      off: {},
    },
  });
  const { actor } = run(machine);
  expect(actor.getSnapshot().context).toEqual({ pongs: 1 });
  actor.send({ type: 'PING' });
  expect(actor.getSnapshot().context).toEqual({ pongs: 2 });
  actor.send({ type: 'OFF' });
  expect(heard).toEqual(['PING', 'disposed']);
});

test('[INST-13] an observable and a transition tell each snapshot to who asks for it', () => {
  const subject = {
    observers: new Set<{ next?: (value: number) => void }>(),
    subscribe(observer: { next?: (value: number) => void }) {
      this.observers.add(observer);
      return { unsubscribe: () => void this.observers.delete(observer) };
    },
  };
  const count = fromTransition((sum: number, event: { type: 'ADD'; by: number }) => sum + event.by, 10);
  const machine = createMachine({
    id: 'm',
    context: { ticks: [] as unknown[], sums: [] as unknown[] },
    invoke: [
      {
        src: fromObservable(() => subject as never),
        onSnapshot: { actions: assign({ ticks: ({ context, event }) => [...context.ticks, event.snapshot.context ?? null] }) },
      },
      {
        id: 'sum',
        src: count,
        onSnapshot: { actions: assign({ sums: ({ context, event }) => [...context.sums, event.snapshot.context] }) },
      },
    ],
    on: { ADD: { actions: sendTo('sum', ({ event }) => event) } },
  });
  const { actor } = run(machine);
  for (const value of [1, 2]) for (const observer of subject.observers) observer.next?.(value);
  actor.send({ type: 'ADD', by: 5 });
  expect(actor.getSnapshot().context).toEqual({ ticks: [null, 1, 2], sums: [10, 15] });
  actor.stop();
  expect(subject.observers.size).toBe(0);
});

test('[INST-13] a machine within a machine: input, events both ways, output when it is done', () => {
  const child = setup({ types: {} as { input: { from: number }; context: { n: number }; output: { n: number } } }).createMachine({
    id: 'child',
    context: ({ input }) => ({ n: input.from }),
    initial: 'counting',
    states: {
      counting: {
        entry: sendParent(({ context }) => ({ type: 'AT', n: context.n })),
        on: { UP: { target: 'counting', reenter: true, actions: assign({ n: ({ context }) => context.n + 1 }) }, END: 'ended' },
      },
      ended: { type: 'final' },
    },
    output: ({ context }) => ({ n: context.n }),
  });
  const machine = setup({ actors: { child } }).createMachine({
    id: 'm',
    context: { seen: [] as unknown[], output: null as unknown },
    initial: 'run',
    states: {
      run: {
        invoke: {
          id: 'kid',
          src: 'child',
          input: { from: 7 },
          onDone: { target: 'over', actions: assign({ output: ({ event }) => event.output }) },
        },
        on: {
          AT: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.n] }) },
          TELL: { actions: sendTo('kid', ({ event }) => ({ type: event.what })) },
        },
      },
      over: {},
    },
  });
  const { actor } = run(machine);
  actor.send({ type: 'TELL', what: 'UP' });
  actor.send({ type: 'TELL', what: 'END' });
  expect(actor.getSnapshot()).toMatchObject({ value: 'over', context: { seen: [7, 8], output: { n: 8 } } });
});

test('[INST-14] spawned actors are references in plain JSON, named by a counter, and can be sent to and stopped by them', () => {
  const heard: string[] = [];
  const worker = fromCallback<EventObject>(({ receive }) => {
    receive((event) => void heard.push(event.type));
    return () => void heard.push('gone');
  });
  const machine = setup({ actors: { worker } }).createMachine({
    id: 'm',
    context: ({ spawn }) => ({ workers: [spawn('worker')] as unknown[] }),
    entry: spawnChild('worker' as never, { id: 'named' } as never),
    on: {
      HIRE: { actions: assign({ workers: ({ context, spawn }) => [...context.workers, spawn('worker')] }) },
      WORK: { actions: sendTo(({ context }) => context.workers.at(-1) as never, { type: 'WORK' } as never) },
      FIRE: { actions: stopChild(({ context }) => context.workers[0] as never) },
      LOST: { actions: sendTo('nobody', { type: 'WORK' }) },
    },
  });
  const { actor } = run(machine);
  actor.send({ type: 'HIRE' });
  const reference = (id: string): Json => ({ xstate$$type: 1, id });
  expect(actor.getSnapshot().context).toEqual({ workers: [reference('worker.0'), reference('worker.1')] });
  actor.send({ type: 'WORK' });
  actor.send({ type: 'FIRE' });
  expect(heard).toEqual(['WORK', 'gone']);
  actor.send({ type: 'LOST' });
  expect(actor.getSnapshot()).toMatchObject({
    status: 'error',
    error: expect.stringContaining("Unable to send event to actor 'nobody' from machine 'm'") as string,
  });
  expect(heard).toEqual(['WORK', 'gone', 'gone', 'gone']);
});

test('[INST-15] delayed events survive as timers, are cancelled by id, all of one id at once, and reach children when due', async () => {
  const heard: string[] = [];
  const machine = setup({ delays: { soon: ({ event }) => (event as unknown as { ms: number }).ms } }).createMachine({
    id: 'm',
    context: { rings: 0 },
    invoke: { id: 'kid', src: fromCallback(({ receive }) => receive((event) => void heard.push(event.type))) } as never,
    on: {
      SET: { actions: raise({ type: 'RING' }, { delay: 'soon', id: 'alarm' } as never) },
      LATER: { actions: sendTo('kid', { type: 'HELLO' }, { delay: 30 }) },
      SELF: { actions: sendTo(({ self }) => self, { type: 'RING' }) },
      STOP: { actions: cancel('alarm') },
      RING: { actions: assign({ rings: ({ context }) => context.rings + 1 }) },
    },
  });
  const { actor, clock } = run(machine);
  const rings = (): unknown => (actor.getSnapshot().context as { rings: number }).rings;
  actor.send({ type: 'SET', ms: 20 });
  actor.send({ type: 'SET', ms: 40 });
  actor.send({ type: 'LATER' });
  await clock.advance(20);
  expect(rings()).toBe(1);
  await clock.advance(10);
  expect(heard).toEqual(['HELLO']);
  actor.send({ type: 'SET', ms: 5 });
  actor.send({ type: 'STOP' });
  await clock.advance(100);
  expect(rings()).toBe(1);
  actor.send({ type: 'SELF' });
  expect(rings()).toBe(2);
});

test('[INST-14] enqueueActions sees the context of its moment and the states before its microstep, and keeps its order', () => {
  const machine = setup({ actions: { note: log(({ context }) => (context as { n: number }).n, 'note') } }).createMachine({
    id: 'm',
    context: { n: 0, inA: null as boolean | null },
    initial: 'a',
    states: {
      a: {
        on: {
          GO: {
            target: 'b',
            actions: [
              assign({ n: 1 }),
              enqueueActions(({ context, enqueue, check }) => {
                enqueue('note');
                enqueue.assign({ n: context.n + 1, inA: check(stateIn('a') as never) });
                enqueue('note');
                enqueue.raise({ type: 'INNER' });
                enqueue.emit({ type: 'out', n: context.n } as never);
              }),
              log(({ context }) => context.n, 'end'),
            ],
          },
        },
      },
      b: { on: { INNER: { target: 'c', actions: emit({ type: 'late' } as never) } } },
      c: {},
    },
  });
  const { actor, logged } = run(machine);
  const heard: unknown[] = [];
  actor.on('*', (event) => heard.push(event));
  actor.send({ type: 'GO' });
  expect(actor.getSnapshot()).toMatchObject({ value: 'c', context: { n: 2, inA: true } });
  expect(logged).toEqual([
    ['note', 1],
    ['note', 2],
    ['end', 2],
  ]);
  expect(heard).toEqual([{ type: 'out', n: 1 }, { type: 'late' }]);
});

test('[INST-13] entry actions may send to what their state invokes after them', () => {
  const heard: unknown[] = [];
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        entry: sendTo('kid', { type: 'EARLY' }),
        invoke: { id: 'kid', src: fromCallback(({ receive }) => receive((event) => void heard.push(event.type))) },
      },
    },
  });
  run(machine);
  expect(heard).toEqual(['EARLY']);
});

test('[INST-14] system finds actors by their system ids, in actions that send and in effects', () => {
  const heard: string[] = [];
  const machine = setup({
    actors: { worker: fromCallback<EventObject>(({ receive }) => receive((event) => void heard.push(event.type))) },
    actions: { call: ({ system }) => (system.get('boss') as { send(event: EventObject): void }).send({ type: 'CALLED' }) },
  }).createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        invoke: { src: 'worker', systemId: 'boss' },
        on: {
          SEND: { actions: sendTo(({ system }) => system.get('boss') as never, { type: 'SENT' } as never) },
          CALL: { actions: 'call' },
          GO: 'b',
        },
      },
      b: { on: { SEND: { actions: sendTo(({ system }) => (system.get('boss') ?? 'nobody') as never, { type: 'SENT' } as never) } } },
    },
  });
  const { actor } = run(machine);
  actor.send({ type: 'SEND' });
  actor.send({ type: 'CALL' });
  actor.send({ type: 'GO' });
  actor.send({ type: 'SEND' });
  expect(heard).toEqual(['SENT', 'CALLED']);
  expect(actor.getSnapshot().status).toBe('error');
});
