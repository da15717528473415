// Machines that a server and its clients lower by themselves: the same behaviour, whoever lowers and whoever does not; and definitions that
// come from other peers, in every dialect.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import { MemoryJournal } from '../../peer/memory.ts';
import { connect, serve, type ConnectOptions, type ServeOptions, type Server } from '../../server/index.ts';
import type { Peer } from '../../peer/peer.ts';
import { CommandProcess } from '../support/command.ts';

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

async function client(server: Server, options: ConnectOptions = {}): Promise<Peer> {
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
    const peer = await client(server, { machines: { till }, lower: ofClient });
    expect([isLowered(server.peer), isLowered(peer)]).toEqual([ofServer, ofClient]);
    const mirror = await peer.watch('main', till);
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

/** A folder with these files; inside the checkout, where Vite is found. */
function folder(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(fileURLToPath(new URL('../../build', import.meta.url)), 'lowered-'));
  endings.push(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const COUNTER = `
  import { assign, createMachine } from 'xstate';
  import { LIMIT } from './limit';
  import { twice } from './twice';
  export const counter = createMachine({
    id: 'counter',
    context: { count: 0 },
    on: { ADD: { guard: ({ context }) => context.count < LIMIT, actions: assign({ count: ({ context }) => twice(context.count) + 1 }) } },
  });
`;
const BESIDE = { 'limit.EXT': 'export const LIMIT = 3;', 'twice.EXT': 'export const twice = (value) => value * 2;' };

for (const ext of ['mjs', 'ts'])
  test(`[SRV-40] constants and functions of a program's modules are read from their texts (${ext})`, async () => {
    const files = Object.entries({ ...BESIDE, 'counter.EXT': COUNTER.replace(/'(\.\/\w+)'/g, `'$1.${ext}'`) });
    const directory = folder(Object.fromEntries(files.map(([name, text]) => [name.replace('EXT', ext), text])));
    const program = join(directory, `counter.${ext}`);
    for (const [isLowered, ...options] of [[true], [false, '--no-lower']] as const) {
      const command = new CommandProcess(
        'serve',
        '--machines',
        program,
        '--data',
        join(directory, String(isLowered)),
        '--port',
        '0',
        ...options,
      );
      endings.push(() => command.kill('SIGTERM'));
      const peer = await connect(await command.until(/http:\/\/\S+/));
      endings.push(() => peer.close());
      await peer.create('counter', { instance: 'one' });
      const mirror = await peer.watch('one');
      for (let i = 0; i < 4; i++) await mirror.submit({ type: 'ADD' });
      expect(mirror.getSnapshot().context).toEqual({ count: 3 });
      expect(mirror.machine.cells !== undefined).toBe(isLowered);
    }
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
  const peer = await client(server);
  for (const [machine, definition] of Object.entries(DIALECTS)) {
    await peer.define(machine, { definition });
    await peer.create(machine, { instance: machine, ...(machine === 'transitions' ? { input: { amount: 5 } } : {}) });
  }
  const pay = await peer.watch('transitions');
  await pay.submit({ type: 'PAY' });
  const stop = await peer.watch('states');
  await stop.submit({ type: 'stop' });
  const add = await peer.watch('xstate6');
  await add.submit({ type: 'ADD', price: 4 });
  expect([pay.getSnapshot().value, stop.getSnapshot().value, add.getSnapshot().context]).toEqual(['paid', 'red', { total: 4 }]);
  const light = await peer.watch('relational');
  await light.submit({ type: 'relational.add', states: ['On'] } as never);
  expect(light.getSnapshot().value).toEqual({ On: {} });
});

test('[SRV-45] clients of one process that bring nothing of their own share a core; what becomes of one is nothing to the others', async () => {
  const server = await start();
  await server.create('till', 'shop');
  const [first, second, own] = await Promise.all([client(server), client(server), client(server, { machines: { till } })]);
  const [mirror, other, apart] = await Promise.all([first.watch('shop'), second.watch('shop'), own.watch('shop')]);
  expect(other.machine).toBe(mirror.machine);
  expect(apart.machine.core).not.toBe(mirror.machine.core);
  await mirror.submit({ type: 'ADD', name: 'tea', price: 3 });
  // A prediction of the one is not the other's.
  mirror.send({ type: 'CLOSE' });
  expect([mirror.getSnapshot().value, other.getSnapshot().value]).toEqual(['closed', 'open']);
  await first.close();
  await Promise.all([other.when('closed'), apart.when('closed')]);
  expect([other.getSnapshot().context, other.digest]).toEqual([{ total: 3, items: ['tea'] }, apart.digest]);
});
