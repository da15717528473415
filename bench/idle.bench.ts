// What a connected mirror that does nothing costs the server: JavaScript heap and memory outside it, beside a bare WebSocket that does
// nothing. The clients are in a process of their own; servers are measured with a collected heap, before and after they came.

import { once } from 'node:events';
import { createMachine } from 'xstate';
import { WebSocket, WebSocketServer } from 'ws';
import { connect, MemoryJournal, serve } from '../server/index.ts';
import { urlOf } from './fanout/side.ts';
import { median, QUICK, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const CLIENTS = 1_000;
const AT_ONCE = 50;
const INSTANCE = 'lamp';
const SIDES = ['ours', 'bare'] as const;
type Side = (typeof SIDES)[number];

const lamp = createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { TOGGLE: 'on' } }, on: { on: { TOGGLE: 'off' } } } });

export async function run(effort: Effort): Promise<Row[]> {
  const rounds = effort === QUICK ? 1 : 3;
  const found: Record<Side, number[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds; round++) for (const side of SIDES) found[side].push(await bytesOf(side));
  const value = median(found.bare);
  return [
    {
      name: 'idle/1000',
      unit: 'bytes per connected idle mirror',
      ours: median(found.ours),
      against: { 'bare ws': { value, ratio: value / median(found.ours) } },
    },
  ];
}

async function bytesOf(side: Side): Promise<number> {
  const { helper: server, said: url } = await Helper.start(['idle', side, 'server'], { flags: ['--expose-gc'] });
  const { helper: clients } = await Helper.start(['idle', side, 'clients', String(url)]);
  try {
    // The first ones bring in what all of them share.
    await clients.ask(CLIENTS / 10);
    const before = Number(await server.ask('bytes'));
    await clients.ask(CLIENTS);
    return (Number(await server.ask('bytes')) - before) / CLIENTS;
  } finally {
    for (const each of [clients, server]) await each.end();
  }
}

export async function child([side, role, url = '']: readonly string[]): Promise<void> {
  if (role === 'server') await (side === 'ours' ? ourServer() : bareServer());
  const add = side === 'ours' ? ourClient : bareClient;
  await attend('ready', {
    answer: async (count) => {
      await keepInFlight(Number(count), AT_ONCE, () => add(url));
      return count;
    },
    end: () => undefined,
  });
}

/** Heap and array buffers, when what is rubbish is gone and timers of connecting have run out. */
async function bytes(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function ourServer(): Promise<never> {
  const server = await serve({ machines: { lamp }, port: 0, journal: new MemoryJournal() });
  await server.create('lamp', INSTANCE);
  return attend(server.url, { answer: bytes, end: () => undefined });
}

async function ourClient(url: string): Promise<void> {
  await (await connect(url, { presence: false })).watch(INSTANCE);
}

async function bareServer(): Promise<never> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', () => undefined));
  await once(server, 'listening');
  return attend(urlOf(server.address()), { answer: bytes, end: () => undefined });
}

async function bareClient(url: string): Promise<void> {
  await once(new WebSocket(url, { perMessageDeflate: false }), 'open');
}
