// Actors of machines on a server: machines are instances of their own, everything else runs beside them, and both come back after a restart.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { assign, fromPromise, sendParent, sendTo, setup } from 'xstate';
import type { Json } from '../../core/json.ts';
import type { Step } from '../../core/step.ts';
import { connect, serve, type Server } from '../../server/index.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** How often the promise was begun, and what ends it. */
const loads: { readonly input: unknown; resolve(value: unknown): void }[] = [];

const payment = setup({
  types: {} as { input: { amount: number }; context: { left: number }; output: { paid: number } },
}).createMachine({
  id: 'payment',
  context: ({ input }) => ({ left: input.amount }),
  initial: 'open',
  states: {
    open: {
      entry: sendParent({ type: 'OPENED' }),
      always: { guard: ({ context }) => context.left <= 0, target: 'paid' },
      on: { PAY: { actions: assign({ left: ({ context, event }) => context.left - (event as unknown as { sum: number }).sum }) } },
    },
    paid: { type: 'final' },
  },
  output: ({ context }) => ({ paid: 10 - context.left }),
});

const order = setup({
  actors: {
    payment,
    load: fromPromise(({ input }) => new Promise((resolve) => loads.push({ input, resolve }))),
  },
}).createMachine({
  id: 'order',
  context: { opened: 0, snapshots: 0, result: null as unknown },
  initial: 'loading',
  states: {
    loading: {
      invoke: { src: 'load', input: { page: 2 }, onDone: { target: 'paying', actions: assign({ result: ({ event }) => event.output }) } },
    },
    paying: {
      invoke: {
        id: 'pay',
        src: 'payment',
        input: { amount: 10 },
        onSnapshot: { actions: assign({ snapshots: ({ context }) => context.snapshots + 1 }) },
        onDone: { target: 'done', actions: assign({ result: ({ event }) => event.output }) },
      },
      on: {
        OPENED: { actions: assign({ opened: ({ context }) => context.opened + 1 }) },
        FORWARD: { actions: sendTo('pay', ({ event }) => ({ type: 'PAY', sum: event.sum })) },
        LATER: { actions: sendTo('pay', ({ event }) => ({ type: 'PAY', sum: event.sum }), { delay: 5 }) },
        CANCEL: 'cancelled',
      },
    },
    done: {},
    cancelled: {},
  },
});

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-actors-'));
  endings.push(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

async function start(data: string): Promise<Server> {
  const server = await serve({ port: 0, machines: { order }, data });
  endings.push(() => server.close());
  return server;
}

async function open(server: Server) {
  const client = await connect(server.url, { machines: { order } });
  endings.push(() => client.close());
  return client;
}

const count = (context: Json, key: string): number => (context as Record<string, number>)[key]!;

test('[SYNC-27] a machine that is invoked is a durable instance of its own; a promise begins again after a restart', async () => {
  loads.length = 0;
  const data = scratch();
  const first = await start(data);
  await first.create('order', 'one');
  expect(loads.map(({ input }) => input)).toEqual([{ page: 2 }]);
  await first.close();

  const second = await start(data);
  expect(loads.length).toBe(2);
  loads[1]!.resolve({ list: [1] });
  const client = await open(second);
  const mirror = await client.watch('one', order);
  await mirror.when('paying');
  const child = await client.watch('one:pay');
  expect(child.getSnapshot()).toMatchObject({ value: 'open', context: { left: 10 } });
  await mirror.when(({ context }) => count(context, 'opened') === 1);
  // From anywhere, and from the parent.
  await child.submit({ type: 'PAY', sum: 3 });
  await mirror.submit({ type: 'FORWARD', sum: 2 });
  await child.when(({ context }) => count(context, 'left') === 5);
  await mirror.when(({ context }) => count(context, 'snapshots') >= 2);
  await second.close();

  const third = await start(data);
  const again = await open(third);
  const resumed = await again.watch('one', order);
  const kid = await again.watch('one:pay');
  expect(kid.getSnapshot()).toMatchObject({ value: 'open', context: { left: 5 } });
  await resumed.submit({ type: 'FORWARD', sum: 5 });
  await resumed.when('done');
  expect(resumed.getSnapshot().context).toMatchObject({ opened: 1, result: { paid: 10 } });
  await expect(again.watch('one:pay')).rejects.toMatchObject({ code: 'UNKNOWN_INSTANCE' });
  expect(loads.length).toBe(2);
});

test('[SYNC-27] an instance whose state is left goes with it, and its name is free for the next one', async () => {
  loads.length = 0;
  const server = await start(scratch());
  await server.create('order', 'two');
  loads[0]!.resolve(1);
  const client = await open(server);
  const mirror = await client.watch('two', order);
  await mirror.when('paying');
  await client.watch('two:pay');
  await mirror.submit({ type: 'CANCEL' });
  await expect(client.watch('two:pay')).rejects.toMatchObject({ code: 'UNKNOWN_INSTANCE' });
});

test('[INST-15] [SYNC-27] a delayed event for a child leaves by a step of its own, which readers and tools can read', async () => {
  loads.length = 0;
  const server = await start(scratch());
  await server.create('order', 'three');
  loads[0]!.resolve(1);
  const client = await open(server);
  const mirror = await client.watch('three', order);
  await mirror.when('paying');
  const child = await client.watch('three:pay');
  await mirror.submit({ type: 'LATER', sum: 4 });
  await child.when(({ context }) => count(context, 'left') === 6);
  const steps: Step[] = [];
  await client.trace('server', (record) => record.kind === 'step' && steps.push(record.step), 1_024);
  const elapsed = steps.find(({ cause }) => cause.event.type === 'xstate.elapsed');
  expect(elapsed).toMatchObject({ instance: 'three', ignored: true, timers: [{ due: null }], effects: [], clocks: [] });
  const asked = steps.find(({ cause }) => cause.event.type === 'LATER');
  expect(asked).toMatchObject({
    timers: [{ send: { to: 'pay', event: { type: 'PAY', sum: 4 } } }],
    effects: [{ name: expect.any(String) as string }],
  });
});
