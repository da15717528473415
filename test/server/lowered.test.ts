// Machines that a server and its clients lower by themselves: the same behaviour, whoever lowers and whoever does not; and definitions that
// come from other peers, in every dialect.

import { afterEach, expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import { MemoryJournal } from '../../peer/memory.ts';
import { connect, serve, type ConnectOptions, type ServeOptions, type Server } from '../../server/index.ts';
import type { Peer } from '../../peer/peer.ts';

const till = createMachine({
  id: 'till',
  initial: 'open',
  context: { total: 0, items: [] as string[] },
  states: {
    open: {
      on: {
        ADD: {
          guard: ({ event }) => event['price'] >= 0,
          actions: assign({
            total: ({ context, event }) => context.total + (event['price'] as number),
            items: ({ context, event }) => [...context.items, event['name'] as string],
          }),
        },
        CLOSE: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function start(options: ServeOptions = {}): Promise<Server> {
  const server = await serve({ port: 0, machines: { till }, journal: new MemoryJournal(), ...options });
  endings.push(() => server.close());
  return server;
}

async function join(server: Server, options: ConnectOptions = {}): Promise<Peer> {
  const peer = await connect(server.url, options);
  endings.push(() => peer.close());
  return peer;
}

const isLowered = ({ machines }: Peer): boolean => machines.get('till').cells !== undefined;

for (const [name, ofServer, ofClient] of [
  ['both lower', true, true],
  ['the server alone lowers', true, false],
  ['the client alone lowers', false, true],
  ['neither lowers', false, false],
] as const)
  test(`[SRV-40] ${name}: the image is the owner's, and what happens is the same`, async () => {
    const server = await start({ lower: ofServer });
    await server.create('till', 'main');
    const client = await join(server, { machines: { till }, lower: ofClient });
    expect([isLowered(server.peer), isLowered(client)]).toEqual([ofServer, ofClient]);
    const mirror = await client.watch('main', till);
    expect(mirror.machine.hash).toBe(server.peer.machines.get('till').hash);
    const added = mirror.submit({ type: 'ADD', price: 3, name: 'tea' });
    expect(mirror.getSnapshot().context).toEqual({ total: 3, items: ['tea'] });
    expect(await added).toEqual({ outcome: 'stepped', seq: 2 });
    expect(await mirror.submit({ type: 'ADD', price: -1, name: 'nothing' })).toEqual({ outcome: 'ignored', seq: 3 });
    expect(mirror.getSnapshot().context).toEqual({ total: 3, items: ['tea'] });
    expect(mirror.digest).toBe((await server.peer.watch('main')).digest);
  });

test('[SRV-40] a machine with a function that cannot be lowered is hosted', async () => {
  const dice = createMachine({ id: 'dice', context: { last: 0 }, on: { ROLL: { actions: assign({ last: () => Math.sin(1) }) } } });
  const server = await start({ machines: { dice }, development: false });
  expect(server.peer.machines.get('dice').cells).toBeUndefined();
  await server.create('dice', 'one');
  const mirror = await server.peer.watch('one');
  await mirror.submit({ type: 'ROLL' });
  expect(mirror.getSnapshot().context).toEqual({ last: Math.sin(1) });
});

const DIALECTS = {
  relational: { dialect: 'relational', id: 'light', states: { On: { remove: ['Off'] }, Off: { remove: ['On'] } } },
  transitions: {
    states: ['created', 'paid'],
    initial: 'created',
    transitions: [{ from: 'created', event: 'PAY', to: 'paid', guard: 'ctx.amount >= 3' }],
  },
  states: { states: [{ name: 'green', events: [{ name: 'stop', to: 'red' }] }, { name: 'red' }] },
  xstate6: {
    id: 'shop',
    '@exprLang': 'lockstep',
    initial: 'open',
    context: { total: 0 },
    states: { open: { on: { ADD: { context: { total: { '@expr': 'context.total + event.price' } } } } } },
  },
} as const;

test('[SYNC-29] a definition of another peer may be in any dialect', async () => {
  const journal = new MemoryJournal();
  const server = await start({ acceptsDefinitions: true, machines: {}, journal });
  const client = await join(server);
  for (const [machine, definition] of Object.entries(DIALECTS)) {
    await client.define(machine, { definition });
    await client.create(machine, { instance: machine, ...(machine === 'transitions' ? { input: { amount: 5 } } : {}) });
  }
  const pay = await client.watch('transitions');
  await pay.submit({ type: 'PAY' });
  const stop = await client.watch('states');
  await stop.submit({ type: 'stop' });
  const add = await client.watch('xstate6');
  await add.submit({ type: 'ADD', price: 4 });
  expect([pay.getSnapshot().value, stop.getSnapshot().value, add.getSnapshot().context]).toEqual(['paid', 'red', { total: 4 }]);
  const light = await client.watch('relational');
  await light.submit({ type: 'relational.add', states: ['On'] } as never);
  expect(light.getSnapshot().value).toEqual({ On: {} });
});
