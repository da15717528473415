// One writer and 99 readers of one thing: deliveries to readers per CPU second of the server, beside a server that does nothing but pass
// texts on. The writer keeps 16 updates in flight and waits for its own copy of each; the readers are in a process of their own, and the
// next burst begins when all of them have the last one, so that nobody is measured while dropping frames. Ours has everything on (relay,
// admission, dedup, digests, the trace ring, answers to the writer) with the journal in memory; readers are mirrors. The bare server is the
// limit: it puts what one turn of its event loop brings into one frame, encodes that once, and writes the same bytes to every socket.
// Before anything is counted the servers are driven until their code is compiled.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { assign, setup } from 'xstate';
import { WebSocket, WebSocketServer } from 'ws';
import { connect } from '../server/connect.ts';
import { MemoryJournal, serve } from '../server/index.ts';
import { median, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const READERS = 99;
const IN_FLIGHT = 16;
/** Updates after which the readers are waited for. */
const BURST = 400;
/** Updates before the first that counts. */
const WARM_UP = 40_000;
const INSTANCE = 'board';
/** As long as what ours sends a reader for one step. */
const UPDATE = JSON.stringify([123_456, 1, 123_456, [], [{ op: 'replace', path: '/total', value: 123_456 }]]);

type Side = 'ours' | 'bare';

const board = setup({}).createMachine({
  id: 'board',
  context: { total: 0 },
  on: { ADD: { actions: assign({ total: ({ context, event }) => Number(context['total' as never]) + Number(event['by' as never]) }) } },
});

export async function run(effort: Effort): Promise<Row[]> {
  const updates = effort.rounds > 5 ? 12_000 : 6_000;
  const ours = await contender('ours');
  const bare = await contender('bare');
  try {
    const rates = { ours: [] as number[], bare: [] as number[] };
    await ours.rate(WARM_UP);
    await bare.rate(WARM_UP);
    for (let round = 0; round < 5; round++) {
      rates.ours.push(await ours.rate(updates));
      rates.bare.push(await bare.rate(updates));
    }
    const ratio = median(rates.ours.map((value, round) => value / rates.bare[round]!));
    return [
      {
        name: 'fanout/100',
        unit: 'deliveries per server CPU second',
        ours: median(rates.ours),
        against: { 'bare ws, one shared frame per turn': { value: median(rates.bare), ratio } },
      },
    ];
  } finally {
    await ours.end();
    await bare.end();
  }
}

async function contender(side: Side) {
  const { helper: server, said: url } = await Helper.start(['fanout', side, 'server']);
  const writer = await CLIENTS[side].writer(String(url));
  const { helper: readers } = await Helper.start(['fanout', side, 'readers', String(url)]);
  let written = 0;
  return {
    /** Deliveries to readers per CPU second, over `updates` of them to each. */
    rate: async (updates: number) => {
      const before = await server.cpuSeconds();
      for (let burst = 0; burst < updates; burst += BURST) {
        written += BURST;
        const heard = readers.ask(written);
        await keepInFlight(BURST, IN_FLIGHT, () => writer.write());
        await heard;
      }
      return (updates * READERS) / ((await server.cpuSeconds()) - before);
    },
    end: async () => {
      await writer.end();
      await readers.end();
      await server.end();
    },
  };
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────

export async function child([side, role, url]: readonly string[]): Promise<void> {
  const clients = CLIENTS[side as Side];
  if (role === 'server') return clients.server();
  const readers = await Promise.all(Array.from({ length: READERS }, () => clients.reader(url ?? '')));
  await attend('ready', {
    answer: async (count) => {
      await Promise.all(readers.map((reader) => reader.heard(Number(count))));
      return count;
    },
    end: () => undefined,
  });
}

interface Writer {
  /** Resolves when the writer has heard its own update. */
  write(): Promise<unknown>;
  end(): Promise<void>;
}

/** Counts what one reader heard. */
class Reader {
  #count = 0;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  /** Updates so far. */
  reached(count: number): void {
    this.#count = count;
    if (this.#waiting === undefined || this.#waiting.count > count) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }

  more(count: number): void {
    this.reached(this.#count + count);
  }

  heard(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting = { count, resolve }));
  }
}

interface Clients {
  server(): Promise<void>;
  writer(url: string): Promise<Writer>;
  reader(url: string): Promise<Reader>;
}

// ── Ours ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const ours: Clients = {
  server: async () => {
    const server = await serve({ machines: { board }, port: 0, journal: new MemoryJournal() });
    await server.create('board', INSTANCE);
    await attend(server.url, { end: () => server.close() });
  },
  writer: async (url) => {
    const peer = await connect(url);
    const mirror = await peer.watch(INSTANCE);
    return { write: () => mirror.submit({ type: 'ADD', by: 1 }), end: () => peer.close() };
  },
  reader: async (url) => {
    const mirror = await (await connect(url)).watch(INSTANCE);
    const reader = new Reader();
    // Step 1 is the creation.
    mirror.subscribe(() => reader.reached(mirror.seq - 1));
    return reader;
  },
};

// ── The limit ────────────────────────────────────────────────────────────────────────────────────────────────────

const bare: Clients = {
  server: async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    const streams = new Set<Duplex>();
    let updates: string[] = [];
    const publish = (): void => {
      const frame = textFrame(`[${updates.join(',')}]`);
      updates = [];
      for (const stream of streams) stream.write(frame);
    };
    server.on('connection', (socket, request) => {
      streams.add(request.socket);
      socket.on('close', () => streams.delete(request.socket));
      socket.on('message', (data) => {
        if (updates.push(data.toString()) === 1) setImmediate(publish);
      });
    });
    await once(server, 'listening');
    await attend(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { end: () => server.close() });
  },
  writer: async (url) => {
    const waiting: (() => void)[] = [];
    const socket = await bareSocket(url, (count) => waiting.splice(0, count).forEach((resolve) => resolve()));
    return {
      write: () =>
        new Promise<void>((resolve) => {
          waiting.push(resolve);
          socket.send(UPDATE);
        }),
      end: async () => socket.terminate(),
    };
  },
  reader: async (url) => {
    const reader = new Reader();
    await bareSocket(url, (count) => reader.more(count));
    return reader;
  },
};

/** RFC 6455, section 5.2: final, text, unmasked. A turn brings at most IN_FLIGHT updates, so that two bytes hold every length. */
function textFrame(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const header = size < 126 ? [0x81, size] : [0x81, 126, size >>> 8, size & 0xff];
  return Buffer.concat([Buffer.from(header), Buffer.from(text)]);
}

/** @param heard how many updates came in a frame. */
async function bareSocket(url: string, heard: (count: number) => void): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.on('message', (data) => heard((JSON.parse(data.toString()) as unknown[]).length));
  await once(socket, 'open');
  return socket;
}

const CLIENTS: { readonly [S in Side]: Clients } = { ours, bare };
