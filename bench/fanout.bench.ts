// One writer and 99 readers of one thing: deliveries to readers per CPU second of the server, beside a server that does nothing but pass
// texts on. The writer keeps 16 updates in flight and waits for its own copy of each; the readers are in a process of their own, and the
// next burst begins when all of them have the last one, so that nobody is measured while dropping frames. Ours has everything on (relay,
// admission, dedup, digests, the trace ring, answers to the writer) with the journal in memory; readers are mirrors. The bare server is the
// limit: it puts what one turn of its event loop brings into one frame, encodes that once, and writes the same bytes to every socket. y-websocket, where it is installed, has the number in a shared map; it sends every update to every reader by itself.
// Before anything is counted the servers are driven until their code is compiled.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { assign, setup } from 'xstate';
import { WebSocket, WebSocketServer } from 'ws';
import { connect } from '../server/connect.ts';
import { MemoryJournal, serve } from '../server/index.ts';
import { library } from './library.ts';
import { median, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const READERS = 99;
const IN_FLIGHT = 16;
/** Updates after which the readers are waited for. */
const BURST = 400;
const INSTANCE = 'board';
/** As long as what ours sends a reader for one step. */
const UPDATE = JSON.stringify([123_456, 1, 123_456, [], [{ op: 'replace', path: '/total', value: 123_456 }]]);

type Side = 'ours' | 'bare' | 'yjs';
/** Updates before the first that counts, and of one round: about as much work for each side. */
const UPDATES: { readonly [S in Side]: { readonly warmUp: number; readonly round: number } } = {
  ours: { warmUp: 16_000, round: 4_000 },
  bare: { warmUp: 16_000, round: 4_000 },
  yjs: { warmUp: 1_200, round: 400 },
};

const board = setup({}).createMachine({
  id: 'board',
  context: { total: 0 },
  on: { ADD: { actions: assign({ total: ({ context, event }) => Number(context['total' as never]) + Number(event['by' as never]) }) } },
});

export async function run(effort: Effort): Promise<Row[]> {
  const rounds = effort.rounds > 5 ? 7 : 5;
  const ours = await contender('ours');
  const bare = await contender('bare');
  const yjs = library('yjs') === undefined ? undefined : await contender('yjs');
  const all = [ours, bare, ...(yjs === undefined ? [] : [yjs])];
  try {
    for (const each of all) await each.warmUp();
    for (let round = 0; round < rounds; round++) for (const each of all) await each.measure();
    const beside = (other: typeof ours) => ({
      value: median(other.rates),
      ratio: median(ours.rates.map((rate, round) => rate / other.rates[round]!)),
    });
    return [
      {
        name: 'fanout/100',
        unit: 'deliveries per server CPU second',
        ours: median(ours.rates),
        against: {
          'bare ws, one shared frame per turn': beside(bare),
          ...(yjs === undefined ? {} : { 'y-websocket': beside(yjs) }),
        },
      },
    ];
  } finally {
    for (const each of all) await each.end();
  }
}

async function contender(side: Side) {
  const { helper: server, said: url } = await Helper.start(['fanout', side, 'server']);
  const writer = await CLIENTS[side].writer(String(url));
  const { helper: readers } = await Helper.start(['fanout', side, 'readers', String(url)]);
  const { warmUp, round } = UPDATES[side];
  const rates: number[] = [];
  let written = 0;
  const drive = async (updates: number): Promise<void> => {
    for (let burst = 0; burst < updates; burst += BURST) {
      written += BURST;
      const heard = readers.ask(written);
      await keepInFlight(BURST, IN_FLIGHT, () => writer.write());
      await heard;
    }
  };
  return {
    /** Deliveries to readers per CPU second, of each round. */
    rates,
    warmUp: () => drive(warmUp),
    measure: async () => {
      const before = await server.cpuSeconds();
      await drive(round);
      rates.push((round * READERS) / ((await server.cpuSeconds()) - before));
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

// ── y-websocket ──────────────────────────────────────────────────────────────────────────────────────────────────

interface YDocument {
  getMap(name: string): { set(key: string, value: number): void };
  on(event: 'update', heard: () => void): void;
}
interface YProvider {
  readonly ws: WebSocket | null;
  on(event: 'sync', heard: (isSynced: boolean) => void): void;
  destroy(): void;
}
interface Yjs {
  readonly Doc: new () => YDocument;
}
interface YClient {
  readonly WebsocketProvider: new (
    url: string,
    room: string,
    document: YDocument,
    options: { readonly WebSocketPolyfill: typeof WebSocket; readonly disableBc: true },
  ) => YProvider;
}
interface YServer {
  setupWSConnection(socket: WebSocket, request: IncomingMessage, options: { readonly docName: string }): void;
}

/** The first bytes of a message that holds one update: y-protocols, messageSync and messageYjsUpdate. */
const Y_UPDATE = [0, 2] as const;

const yjs: Clients = {
  server: async () => {
    const { setupWSConnection } = library<YServer>('y-websocket/bin/utils')!;
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    server.on('connection', (socket, request) => setupWSConnection(socket, request, { docName: INSTANCE }));
    await once(server, 'listening');
    await attend(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { end: () => server.close() });
  },
  writer: async (url) => {
    const { document, provider } = await ySynced(url);
    const waiting: (() => void)[] = [];
    provider.ws?.addEventListener('message', ({ data }) => {
      const [kind, what] = new Uint8Array(data as ArrayBuffer, 0, Y_UPDATE.length);
      if (kind === Y_UPDATE[0] && what === Y_UPDATE[1]) waiting.shift()?.();
    });
    let total = 0;
    return {
      write: () =>
        new Promise<void>((resolve) => {
          waiting.push(resolve);
          document.getMap(INSTANCE).set('total', ++total);
        }),
      end: async () => provider.destroy(),
    };
  },
  reader: async (url) => {
    const { document } = await ySynced(url);
    const reader = new Reader();
    document.on('update', () => reader.more(1));
    return reader;
  },
};

async function ySynced(url: string): Promise<{ readonly document: YDocument; readonly provider: YProvider }> {
  // Each provider listens for the end of the process.
  process.setMaxListeners(0);
  const document = new (library<Yjs>('yjs')!.Doc)();
  const { WebsocketProvider } = library<YClient>('y-websocket')!;
  const provider = new WebsocketProvider(url, INSTANCE, document, { WebSocketPolyfill: WebSocket, disableBc: true });
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()));
  return { document, provider };
}

const CLIENTS: { readonly [S in Side]: Clients } = { ours, bare, yjs };
