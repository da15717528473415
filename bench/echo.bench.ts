// From `submit` to `confirmed`, per CPU second of the server, beside a bare WebSocket echo. Each server runs in a process of its own that
// reports its CPU time, kernel and helper threads included; both sets of clients run here, in turns, and are not charged. Both sides have
// the same connections with the same number of messages in flight on each, of the same size on the way in; the bare server sends that
// text back as it is. Ours has everything on: relay routing, admission, dedup, digests, the trace ring, one room per connection that
// hears the step beside the sender's answer, and nothing answered before the journal has it: SQLite with a full sync for each write, the
// default of `serve`. `echo/memory` is the same with the journal in memory, the road without the disk. Ours may carry several messages in a frame, as always; the
// bare echo has one in each, as its callers send them. Before anything is counted both servers are driven until their code is compiled.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup, assign } from 'xstate';
import { WebSocket, WebSocketServer } from 'ws';
import { connect } from '../server/connect.ts';
import { MemoryJournal, serve } from '../server/index.ts';
import { median, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const IN_FLIGHT = 16;
const MESSAGE = JSON.stringify({ jsonrpc: '2.0', id: 123_456, method: 'send', params: ['counter-1', 123_456, { type: 'ADD', by: 1 }] });
/** Round trips before the first that counts: a server's compiler threads are charged to it, and rest after about so many. */
const WARM_UP = 60_000;

const ROWS = [
  { name: 'echo/confirm', side: 'disk', connections: 20 },
  { name: 'echo/confirm-50', side: 'disk', connections: 50 },
  { name: 'echo/memory', side: 'memory', connections: 20 },
] as const;
type Side = (typeof ROWS)[number]['side'] | 'bare';

const counter = setup({}).createMachine({
  id: 'counter',
  context: { total: 0 },
  on: { ADD: { actions: assign({ total: ({ context, event }) => Number(context['total' as never]) + Number(event['by' as never]) }) } },
});

export async function run(effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const row of ROWS) rows.push(await measure(row, effort));
  return rows;
}

async function measure({ name, side, connections }: (typeof ROWS)[number], effort: Effort): Promise<Row> {
  const roundTrips = effort.rounds > 5 ? 40_000 : 16_000;
  const rounds = effort.rounds > 5 ? 7 : 5;
  const ours = await contender(side, connections, oursClients);
  const bare = await contender('bare', connections, bareClients);
  try {
    const rates = { ours: [] as number[], bare: [] as number[] };
    await ours.rate(WARM_UP);
    await bare.rate(WARM_UP);
    for (let round = 0; round < rounds; round++) {
      rates.ours.push(await ours.rate(roundTrips));
      rates.bare.push(await bare.rate(roundTrips));
    }
    const ratio = median(rates.ours.map((value, round) => value / rates.bare[round]!));
    return {
      name,
      unit: 'round trips per server CPU second',
      ours: median(rates.ours),
      against: { 'bare ws echo': { value: median(rates.bare), ratio } },
    };
  } finally {
    await ours.end();
    await bare.end();
  }
}

interface Clients {
  /** Does `count` round trips on every connection. */
  drive(count: number): Promise<void>;
  end(): Promise<void>;
}

async function contender(side: Side, connections: number, open: (url: string, connections: number) => Promise<Clients>) {
  const { helper: server, said: url } = await Helper.start(['echo', side]);
  const clients = await open(String(url), connections);
  return {
    /** Round trips per CPU second, over `roundTrips` of them. */
    rate: async (roundTrips: number) => {
      const before = await server.cpuSeconds();
      await clients.drive(roundTrips / connections);
      return roundTrips / ((await server.cpuSeconds()) - before);
    },
    end: async () => {
      await clients.end();
      await server.end();
    },
  };
}

async function oursClients(url: string, connections: number): Promise<Clients> {
  const peers = await Promise.all(Array.from({ length: connections }, () => connect(url)));
  const mirrors = await Promise.all(
    peers.map(async (peer, i) => {
      await peer.create('counter', { instance: `counter-${i}` });
      return peer.watch(`counter-${i}`);
    }),
  );
  return {
    drive: async (count) =>
      void (await Promise.all(mirrors.map((mirror) => keepInFlight(count, IN_FLIGHT, () => mirror.submit({ type: 'ADD', by: 1 }))))),
    end: async () => void (await Promise.all(peers.map((peer) => peer.close()))),
  };
}

async function bareClients(url: string, connections: number): Promise<Clients> {
  const sockets = await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<WebSocket>((resolve, reject) => {
          const socket = new WebSocket(url.replace('http', 'ws'));
          socket.once('open', () => resolve(socket));
          socket.once('error', reject);
        }),
    ),
  );
  return {
    drive: async (count) => {
      await Promise.all(
        sockets.map((socket) => {
          const waiting: (() => void)[] = [];
          const heard = (): void => waiting.shift()?.();
          socket.on('message', heard);
          return keepInFlight(
            count,
            IN_FLIGHT,
            () =>
              new Promise<void>((resolve) => {
                waiting.push(resolve);
                socket.send(MESSAGE);
              }),
          ).then(() => socket.off('message', heard));
        }),
      );
    },
    end: async () => sockets.forEach((socket) => socket.terminate()),
  };
}

/** The server under measurement. */
export async function child([side]: readonly string[]): Promise<void> {
  if (side === 'bare') await serveBare();
  else await serveOurs(side === 'disk');
}

async function serveOurs(onDisk: boolean): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
  const server = await serve({ machines: { counter }, port: 0, ...(onDisk ? { data } : { journal: new MemoryJournal() }) });
  await attend(server.url, {
    end: async () => {
      await server.close();
      rmSync(data, { recursive: true, force: true });
    },
  });
}

async function serveBare(): Promise<void> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  await once(server, 'listening');
  await attend(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { end: () => server.close() });
}
