// One writer and 99 or 999 readers of one document: deliveries to readers per CPU second of the server, bytes that a delivery takes at the
// reader's socket, and how long an update is under way when 45 come in a second. All systems in one run, in turns: Lockstep in both
// encodings, ws that only passes texts on (with one shared frame per turn: the limit), y-websocket, Hocuspocus, Colyseus, and what one
// builds in an afternoon from json-rpc-2.0 and fast-json-patch. The writer keeps 16 updates in flight and waits for its own echo of each;
// the next burst begins when all readers have the last one, so that nobody is measured while dropping frames. While more comes, ours writes to
// its readers once in 16 ms (RELAY-21); its bursts, too, end when the last frame has arrived. Server, writer and readers are three processes, and
// what is charged is the server's alone. Before anything counts each server is driven until it has used as many CPU seconds as every other, by a
// writer and 99 sockets that nobody listens to, and at last by the readers: by then its code is compiled. It stays so: in a process that has
// been at rest for some seconds V8 would throw compiled code away, and whoever waited longest for a turn would be charged for compiling it again.

import { existsSync } from 'node:fs';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { now, Reader, type Side } from './fanout/side.ts';
import { library, NODE_22 } from './library.ts';
import { median, QUICK, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const IN_FLIGHT = 16;
/** Updates after which the readers are waited for. */
const BURST = 400;
/** Connections that are made at a time: a queue that is full refuses. */
const CONNECTING_MAX = 50;
/** Of the warming up: the rest is for readers who listen, for whom a server takes ways that it never took for the deaf. */
const DEAF_SHARE = 0.8;
/** Updates per second when they are paced. */
const PACE = 45;
/** Of every process: nobody's code is thrown away between two turns. */
const FLAGS = ['--no-memory-reducer'];

interface System {
  /** As the table calls it. */
  readonly name: string;
  readonly load: () => Promise<Side>;
  /** How many of its updates are about as much work as one of a system that batches. */
  readonly weight: number;
  /** What must be installed for it. */
  readonly needs?: string;
  readonly node?: string;
}

const SYSTEMS = {
  packed: { name: 'packed', load: async () => (await import('./fanout/ours.ts')).ours('packed'), weight: 1 },
  json: { name: 'json', load: async () => (await import('./fanout/ours.ts')).ours('json'), weight: 1 },
  shared: { name: 'bare ws, one shared frame per turn', load: async () => (await import('./fanout/bare.ts')).shared, weight: 1 },
  plain: { name: 'plain ws', load: async () => (await import('./fanout/bare.ts')).plain, weight: 5 },
  yjs: { name: 'y-websocket', load: async () => (await import('./fanout/yjs.ts')).yWebsocket, weight: 10, needs: 'y-websocket' },
  hocuspocus: {
    name: 'Hocuspocus',
    load: async () => (await import('./fanout/yjs.ts')).hocuspocus,
    weight: 10,
    needs: '@hocuspocus/server',
  },
  colyseus: {
    name: 'Colyseus, a patch per message',
    load: async () => (await import('./fanout/colyseus.ts')).colyseus,
    weight: 10,
    needs: '@colyseus/core',
    node: NODE_22,
  },
  naive: {
    name: 'json-rpc-2.0 + fast-json-patch',
    load: async () => (await import('./fanout/naive.ts')).naive,
    weight: 10,
    needs: 'fast-json-patch',
  },
} satisfies Record<string, System>;

type Id = keyof typeof SYSTEMS;

interface Plan {
  /** Who is measured with 99 readers. */
  readonly few: readonly Id[];
  /** CPU seconds of each server before anything counts. */
  readonly warmSeconds: number;
  /** Updates of one round of a system that batches, with 99 readers. */
  readonly round: number;
  /** The same with 999. */
  readonly manyRound: number;
  readonly rounds: number;
  /** Who is measured with 999 readers. The clients of Yjs tell each other four times a minute that they are here: a million messages. */
  readonly many: readonly Id[];
  readonly pacedUpdates: number;
  readonly paced: readonly Id[];
}

const ALL = Object.keys(SYSTEMS) as Id[];
const FEW = 99;
const MANY = 999;
const PLANS: { readonly quick: Plan; readonly full: Plan } = {
  quick: {
    few: ALL.filter((id) => id !== 'hocuspocus'),
    warmSeconds: 2,
    round: 400,
    manyRound: 120,
    rounds: 5,
    many: ['packed', 'shared'],
    pacedUpdates: 45,
    paced: ['packed', 'plain'],
  },
  full: {
    few: ALL,
    warmSeconds: 5,
    round: 1_280,
    manyRound: 240,
    rounds: 5,
    many: ALL.filter((id) => id !== 'yjs' && id !== 'hocuspocus'),
    pacedUpdates: 135,
    paced: ALL,
  },
};

export async function run(effort: Effort): Promise<Row[]> {
  const plan = effort === QUICK ? PLANS.quick : PLANS.full;
  const here = plan.few.filter((id) => isInstalled(SYSTEMS[id]));
  const absent = plan.few.filter((id) => !here.includes(id)).map((id) => SYSTEMS[id].name);
  const started: Partial<Record<Id, Contestant>> = {};
  const left = [...here];
  // As many at once as this machine has processors: nothing is measured yet.
  await keepInFlight(here.length, availableParallelism(), async () => {
    const id = left.shift()!;
    started[id] = await start(id, plan);
  });
  const all = here.map((id) => started[id]!);
  const few = await contest(all, plan);
  const paced = await pace(
    all.filter(({ id }) => plan.paced.includes(id)),
    plan.pacedUpdates,
  );
  const grown = all.filter(({ id }) => plan.many.includes(id));
  const larger = { ...plan, round: plan.manyRound };
  const growing = [...grown];
  await keepInFlight(grown.length, availableParallelism(), async () => {
    const each = growing.shift()!;
    await each.grow(MANY - FEW);
    await each.drive(updatesOf(each.id, larger.round));
  });
  const many = await contest(grown, larger);
  await Promise.all(all.map((each) => each.end()));
  const found = [
    ...rateRows('fanout/100', few),
    ...rateRows('fanout/1000', many),
    ...costRows(
      'fanout/bytes',
      'bytes per delivery',
      few.map(({ id, bytes }) => ({ id, figures: bytes })),
    ),
    ...costRows(
      'fanout/paced',
      'ms to a reader, p50',
      paced.map(({ id, p50 }) => ({ id, figures: p50 })),
    ),
    ...costRows(
      'fanout/paced/p99',
      'ms to a reader, p99',
      paced.map(({ id, p99 }) => ({ id, figures: p99 })),
    ),
  ];
  return absent.length === 0 ? found : found.map((row) => ({ ...row, absent }));
}

function isInstalled({ needs, node }: System): boolean {
  return (needs === undefined || library(needs) !== undefined) && (node === undefined || existsSync(node));
}

// ── Contestants ──────────────────────────────────────────────────────────────────────────────────────────────────

interface Contestant {
  readonly id: Id;
  readonly server: Helper;
  readonly writer: Helper;
  /** Processes full of readers, and how many there are in all. */
  readonly readers: Helper[];
  count: number;
  /** Has the readers wait for so many updates more. @returns resolves with the bytes that they have had so far when they have them all. */
  expect(updates: number): Promise<number>;
  /** Writes so many updates as fast as 16 in flight allow. @returns as `expect`. */
  drive(updates: number): Promise<number>;
  /** More readers, in a process of their own: the server is as warm as it was. */
  grow(count: number): Promise<void>;
  end(): Promise<void>;
}

/** With 99 readers, once its server is warm. */
async function start(id: Id, { warmSeconds, round }: Plan): Promise<Contestant> {
  const { node = process.execPath }: System = SYSTEMS[id];
  const { helper: server, said: url } = await Helper.start(['fanout', id, 'server'], { node, flags: FLAGS });
  const { helper: writer } = await Helper.start(['fanout', id, 'writer', String(url)], { node, flags: FLAGS });
  let written = 0;
  const contestant: Contestant = {
    id,
    server,
    writer,
    readers: [],
    count: 0,
    expect: async (updates) => {
      written += updates;
      const bytes = await Promise.all(contestant.readers.map((each) => each.ask(written)));
      return bytes.reduce<number>((sum, each) => sum + Number(each), 0);
    },
    drive: async (updates) => {
      let bytes = 0;
      for (let left = updates; left > 0; left -= BURST) {
        const burst = Math.min(BURST, left);
        const heard = contestant.expect(burst);
        await writer.ask(burst);
        bytes = await heard;
      }
      return bytes;
    },
    grow: async (count) => {
      const words = ['fanout', id, 'readers', String(url), String(count), String(written)];
      contestant.readers.push((await Helper.start(words, { node, flags: FLAGS })).helper);
      contestant.count += count;
    },
    end: async () => {
      for (const each of [writer, ...contestant.readers, server]) await each.end();
    },
  };
  const { helper: deaf } = await Helper.start(['fanout', id, 'deaf', String(url), String(FEW), '0'], { node, flags: FLAGS });
  while ((await server.cpuSeconds()) < warmSeconds * DEAF_SHARE) {
    written += updatesOf(id, BURST);
    await writer.ask(updatesOf(id, BURST));
  }
  await deaf.end();
  await contestant.grow(FEW);
  do await contestant.drive(updatesOf(id, round));
  while ((await server.cpuSeconds()) < warmSeconds);
  return contestant;
}

interface Figures {
  readonly id: Id;
  /** Round by round. */
  readonly figures: readonly number[];
}

/** @returns deliveries per CPU second of each server, and bytes per delivery, round by round. */
async function contest(all: readonly Contestant[], { rounds, round: size }: Pick<Plan, 'rounds' | 'round'>) {
  const found = all.map(({ id }) => ({ id, figures: [] as number[], bytes: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, { id, server, drive, count }] of all.entries()) {
      const updates = updatesOf(id, size);
      const bytesBefore = await drive(IN_FLIGHT);
      const before = await server.cpuSeconds();
      const bytesAfter = await drive(updates);
      found[i]!.figures.push((updates * count) / ((await server.cpuSeconds()) - before));
      found[i]!.bytes.push((bytesAfter - bytesBefore) / (updates * count));
    }
  }
  return found;
}

function updatesOf(id: Id, updates: number): number {
  return Math.ceil(updates / SYSTEMS[id].weight / IN_FLIGHT) * IN_FLIGHT;
}

/** In several turns, so that all systems see the same neighbours on this machine. */
async function pace(all: readonly Contestant[], updates: number) {
  const turns = 3;
  const found = all.map(({ id }) => ({ id, p50: [] as number[], p99: [] as number[] }));
  for (let turn = 0; turn < turns; turn++) {
    for (const [i, { writer, readers, expect }] of all.entries()) {
      await readers[0]!.ask('note');
      const share = Math.ceil(updates / turns);
      const heard = expect(share);
      const sent = await writer.ask(`pace ${share}`);
      await heard;
      const [p50, p99] = JSON.parse(String(await readers[0]!.ask(`since ${sent}`))) as [number, number];
      found[i]!.p50.push(p50);
      found[i]!.p99.push(p99);
    }
  }
  return found;
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const OURS: readonly Id[] = ['packed', 'json'];

/** One row for each of our encodings. */
function rateRows(name: string, measured: readonly Figures[]): Row[] {
  return rows(name, 'deliveries per server CPU second', measured, (ours, theirs) => ours / theirs);
}

/** Where less is better. */
function costRows(name: string, unit: string, measured: readonly Figures[]): Row[] {
  return rows(name, unit, measured, (ours, theirs) => theirs / ours);
}

function rows(name: string, unit: string, measured: readonly Figures[], ratio: (ours: number, theirs: number) => number): Row[] {
  return measured
    .filter(({ id }) => OURS.includes(id))
    .map((ours) => ({
      name: ours.id === 'packed' ? name : `${name}/${ours.id}`,
      unit,
      ours: median(ours.figures),
      against: Object.fromEntries(
        measured
          .filter(({ id }) => !OURS.includes(id))
          .map((other) => [
            SYSTEMS[other.id].name,
            { value: median(other.figures), ratio: median(ours.figures.map((figure, round) => ratio(figure, other.figures[round]!))) },
          ]),
      ),
    }));
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────

export async function child([id, role, url = '', count, written]: readonly string[]): Promise<void> {
  const side = await SYSTEMS[id as Id].load();
  if (role === 'server') await side.server();
  else if (role === 'writer') await write(side, url);
  else if (role === 'deaf') await drain(side, url, Number(count));
  else await read(side, url, Number(count), Number(written));
}

async function write(side: Side, url: string): Promise<never> {
  const writer = await side.writer(url);
  const paced = (updates: number): Promise<string> =>
    new Promise((resolve) => {
      const sent: number[] = [];
      const echoes: Promise<unknown>[] = [];
      const timer = setInterval(() => {
        sent.push(now());
        echoes.push(writer.write());
        if (sent.length < updates) return;
        clearInterval(timer);
        void Promise.all(echoes).then(() => resolve(JSON.stringify(sent)));
      }, 1000 / PACE);
    });
  return attend('ready', {
    answer: async (question) => {
      if (typeof question === 'string') return paced(Number(question.slice('pace '.length)));
      await keepInFlight(question, IN_FLIGHT, () => writer.write());
      return question;
    },
    end: () => undefined,
  });
}

/** The sockets that this process opens from now on. */
function clientSockets(): readonly Socket[] {
  const sockets: Socket[] = [];
  subscribe('net.client.socket', (message) => sockets.push((message as { readonly socket: Socket }).socket));
  return sockets;
}

/** Joins in the place of readers, and only takes from its sockets what comes. */
async function drain(side: Side, url: string, count: number): Promise<never> {
  const sockets = clientSockets();
  await keepInFlight(count, CONNECTING_MAX, () => side.reader(url, new Reader(0)));
  for (const socket of sockets) socket.removeAllListeners('data').on('data', () => undefined);
  return attend('ready', { end: () => undefined });
}

/**
 * Readers that begin when so many updates are written. Answers a number with the bytes that came in when all have heard so many; `note`, then
 * `since` and when updates were sent, with percentiles.
 */
async function read(side: Side, url: string, count: number, written: number): Promise<never> {
  const sockets = clientSockets();
  const readers = Array.from({ length: count }, () => new Reader(written));
  const joining = [...readers];
  await keepInFlight(count, CONNECTING_MAX, () => side.reader(url, joining.pop()!));
  return attend('ready', {
    answer: async (question) => {
      if (typeof question === 'number') {
        await Promise.all(readers.map((reader) => reader.heard(question)));
        return sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
      }
      if (question === 'note') {
        for (const reader of readers) reader.times = [];
        return question;
      }
      const sent = JSON.parse(question.slice('since '.length)) as number[];
      const delays = readers.flatMap(({ times = [] }) => times.map((at, i) => at - sent[i]!)).sort((a, b) => a - b);
      return JSON.stringify([0.5, 0.99].map((part) => delays[Math.floor(delays.length * part)]));
    },
    end: () => undefined,
  });
}
