// From `submit` to the durable answer, per CPU second of the server, beside a bare WebSocket echo: the same connections, the same number in
// flight, each server in a process of its own that reports its CPU time.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setup, assign } from 'xstate';
import { WebSocket, WebSocketServer } from 'ws';
import { connect } from '../server/connect.ts';
import { serve } from '../server/index.ts';
import { median, type Effort, type Row } from './measure.ts';

const CONNECTIONS = 50;
const IN_FLIGHT = 16;
const MESSAGE = JSON.stringify({ jsonrpc: '2.0', id: 123_456, method: 'send', params: ['counter-1', 123_456, { type: 'ADD', by: 1 }] });

const counter = setup({}).createMachine({
  id: 'counter',
  context: { total: 0 },
  on: { ADD: { actions: assign({ total: ({ context, event }) => Number(context['total' as never]) + Number(event['by' as never]) }) } },
});

export async function run(effort: Effort): Promise<Row[]> {
  const perConnection = effort.rounds > 5 ? 1_500 : 400;
  const rounds = effort.rounds > 5 ? 5 : 3;
  const [ours, bare] = [await contender('ours', oursClients), await contender('bare', bareClients)];
  try {
    const rates = { ours: [] as number[], bare: [] as number[] };
    await ours.drive(200);
    await bare.drive(200);
    for (let round = 0; round < rounds; round++) {
      rates.ours.push(await ours.rate(perConnection));
      rates.bare.push(await bare.rate(perConnection));
    }
    const ratio = median(rates.ours.map((value, round) => value / rates.bare[round]!));
    return [
      {
        name: 'echo/confirm',
        unit: 'round trips per server CPU second',
        ours: median(rates.ours),
        against: { 'bare ws echo': { value: median(rates.bare), ratio } },
      },
    ];
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

async function contender(side: 'ours' | 'bare', open: (url: string) => Promise<Clients>) {
  const process_ = fork(process.argv[1]!, ['--child', 'echo', side], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const url = String(await answer(process_));
  const clients = await open(url);
  const cpu = async (): Promise<number> => {
    process_.send('cpu');
    return Number(await answer(process_));
  };
  return {
    drive: (count: number) => clients.drive(count),
    rate: async (count: number) => {
      const before = await cpu();
      await clients.drive(count);
      return (count * CONNECTIONS) / ((await cpu()) - before);
    },
    end: async () => {
      await clients.end();
      process_.send('end');
    },
  };
}

function answer(from: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    from.once('message', resolve);
    from.once('exit', (code) => reject(new Error(`the server under measurement ended with ${code}`)));
  });
}

async function oursClients(url: string): Promise<Clients> {
  const peers = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(url)));
  const mirrors = await Promise.all(
    peers.map(async (peer, i) => {
      await peer.create('counter', { instance: `counter-${i}` });
      return peer.watch(`counter-${i}`);
    }),
  );
  return {
    drive: async (count) =>
      void (await Promise.all(mirrors.map((mirror) => keepInFlight(count, () => mirror.submit({ type: 'ADD', by: 1 }))))),
    end: async () => void (await Promise.all(peers.map((peer) => peer.close()))),
  };
}

async function bareClients(url: string): Promise<Clients> {
  const sockets = await Promise.all(
    Array.from(
      { length: CONNECTIONS },
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

async function keepInFlight(count: number, once: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** The server under measurement. */
export async function child([side]: readonly string[]): Promise<void> {
  const end = side === 'ours' ? await serveOurs() : serveBare();
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage();
    if (message === 'cpu') process.send?.((user + system) / 1e6);
    else void Promise.resolve(end()).then(() => process.exit(0));
  });
  await new Promise(() => undefined);
}

async function serveOurs(): Promise<() => Promise<void>> {
  const data = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
  const server = await serve({ machines: { counter }, port: 0, data });
  process.send?.(server.url);
  return async () => {
    await server.close();
    rmSync(data, { recursive: true, force: true });
  };
}

function serveBare(): () => void {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  server.on('listening', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  return () => server.close();
}
