// One writer and 99 or 999 readers of one document: deliveries to readers per CPU second of the server, bytes that a delivery takes at the
// reader's socket, and how long an update is under way when 45 come in a second. All systems in one run, in turns: Lockstep in both
// encodings, ws that only passes texts on (with one shared frame per turn: the limit), y-websocket, Hocuspocus, Colyseus, and what one
// builds in an afternoon from json-rpc-2.0 and fast-json-patch. The writer keeps 16 updates in flight and waits for its own echo of each;
// the next burst begins when all readers have the last one, so that nobody is measured while dropping frames. Server, writer and readers
// are three processes. Before anything is counted the servers are driven until their code is compiled.

import { existsSync } from 'node:fs';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { now, Reader, type Side } from './fanout/side.ts';
import { library, NODE_22 } from './library.ts';
import { median, QUICK, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const IN_FLIGHT = 16;
/** Updates after which the readers are waited for. */
const BURST = 400;
/** Updates per second when they are paced. */
const PACE = 45;

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
  readonly rounds: number;
  /** Updates of a system that batches, with 99 readers: before anything counts, and of one round. */
  readonly warmUp: number;
  readonly round: number;
  /** Rounds with 999 readers, each a tenth of the updates, and who runs them. */
  readonly many: readonly Id[];
  readonly manyRounds: number;
  readonly pacedUpdates: number;
  readonly paced: readonly Id[];
}

const ALL = Object.keys(SYSTEMS) as Id[];
const PLANS: { readonly quick: Plan; readonly full: Plan } = {
  quick: {
    rounds: 3,
    warmUp: 1_600,
    round: 800,
    many: ['packed', 'shared'],
    manyRounds: 2,
    pacedUpdates: 45,
    paced: ['packed', 'plain'],
  },
  full: { rounds: 7, warmUp: 16_000, round: 4_000, many: ALL, manyRounds: 5, pacedUpdates: 225, paced: ALL },
};

export async function run(effort: Effort): Promise<Row[]> {
  const plan = effort === QUICK ? PLANS.quick : PLANS.full;
  const installed = ALL.filter((id) => isInstalled(SYSTEMS[id]));
  const few = await contest(installed, 99, plan.rounds, plan);
  const paced = await pace(
    few.filter(({ id }) => plan.paced.includes(id)),
    plan.pacedUpdates,
  );
  await end(few);
  const many = await contest(
    installed.filter((id) => plan.many.includes(id)),
    999,
    plan.manyRounds,
    { warmUp: plan.warmUp / 10, round: plan.round / 10 },
  );
  await end(many);
  return [
    ...rateRows('fanout/100', few),
    ...rateRows('fanout/1000', many),
    ...costRows('fanout/bytes', 'bytes per delivery', few, ({ bytes }) => bytes),
    ...costRows('fanout/paced', 'ms to a reader, p50', few, ({ id }) => paced.get(id)?.p50 ?? []),
    ...costRows('fanout/paced/p99', 'ms to a reader, p99', few, ({ id }) => paced.get(id)?.p99 ?? []),
  ];
}

function isInstalled({ needs, node }: System): boolean {
  return (needs === undefined || library(needs) !== undefined) && (node === undefined || existsSync(node));
}

// ── Contestants ──────────────────────────────────────────────────────────────────────────────────────────────────

interface Contestant {
  readonly id: Id;
  /** Deliveries per CPU second of the server, round by round. */
  readonly rates: number[];
  /** Bytes per delivery, round by round. */
  readonly bytes: number[];
  readonly server: Helper;
  readonly writer: Helper;
  readonly readers: Helper;
  /** Writes so many updates as fast as 16 in flight allow. @returns bytes that readers have had so far. */
  drive(updates: number): Promise<number>;
  /** Updates written. */
  written: number;
}

async function contest(ids: readonly Id[], readers: number, rounds: number, sizes: Pick<Plan, 'warmUp' | 'round'>): Promise<Contestant[]> {
  const all: Contestant[] = [];
  for (const id of ids) {
    const contestant = await start(id, readers);
    await contestant.drive(updatesOf(id, sizes.warmUp));
    all.push(contestant);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { id, rates, bytes, server, drive } of all) {
      const updates = updatesOf(id, sizes.round);
      const bytesBefore = await drive(IN_FLIGHT);
      const before = await server.cpuSeconds();
      const bytesAfter = await drive(updates);
      rates.push((updates * readers) / ((await server.cpuSeconds()) - before));
      bytes.push((bytesAfter - bytesBefore) / (updates * readers));
    }
  }
  return all;
}

function updatesOf(id: Id, updates: number): number {
  return Math.ceil(updates / SYSTEMS[id].weight / IN_FLIGHT) * IN_FLIGHT;
}

async function start(id: Id, count: number): Promise<Contestant> {
  const { node = process.execPath }: System = SYSTEMS[id];
  const { helper: server, said: url } = await Helper.start(['fanout', id, 'server'], { node });
  const { helper: writer } = await Helper.start(['fanout', id, 'writer', String(url)], { node });
  const { helper: readers } = await Helper.start(['fanout', id, 'readers', String(url), String(count)], { node });
  const contestant: Contestant = {
    id,
    rates: [],
    bytes: [],
    server,
    writer,
    readers,
    written: 0,
    drive: async (updates) => {
      let bytes = 0;
      for (let left = updates; left > 0; left -= BURST) {
        const burst = Math.min(BURST, left);
        contestant.written += burst;
        const heard = readers.ask(contestant.written);
        await writer.ask(burst);
        bytes = Number(await heard);
      }
      return bytes;
    },
  };
  return contestant;
}

interface Paced {
  readonly p50: number[];
  readonly p99: number[];
}

/** In several turns, so that all systems see the same neighbours on this machine. */
async function pace(contestants: readonly Contestant[], updates: number): Promise<ReadonlyMap<Id, Paced>> {
  const turns = 3;
  const found = new Map<Id, Paced>(contestants.map(({ id }) => [id, { p50: [], p99: [] }]));
  for (let turn = 0; turn < turns; turn++) {
    for (const contestant of contestants) {
      const { id, writer, readers } = contestant;
      await readers.ask('note');
      contestant.written += Math.ceil(updates / turns);
      const heard = readers.ask(contestant.written);
      const sent = await writer.ask(`pace ${Math.ceil(updates / turns)}`);
      await heard;
      const [p50, p99] = JSON.parse(String(await readers.ask(`since ${sent}`))) as [number, number];
      found.get(id)?.p50.push(p50);
      found.get(id)?.p99.push(p99);
    }
  }
  return found;
}

async function end(contestants: readonly Contestant[]): Promise<void> {
  for (const { server, writer, readers } of contestants) for (const each of [writer, readers, server]) await each.end();
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const OURS: readonly Id[] = ['packed', 'json'];

/** One row for each of our encodings. */
function rateRows(name: string, contestants: readonly Contestant[]): Row[] {
  return rows(
    name,
    'deliveries per server CPU second',
    contestants,
    ({ rates }) => rates,
    (ours, theirs) => ours / theirs,
  );
}

/** Where less is better. */
function costRows(name: string, unit: string, contestants: readonly Contestant[], costs: (of: Contestant) => readonly number[]): Row[] {
  return rows(name, unit, contestants, costs, (ours, theirs) => theirs / ours);
}

function rows(
  name: string,
  unit: string,
  contestants: readonly Contestant[],
  figures: (of: Contestant) => readonly number[],
  ratio: (ours: number, theirs: number) => number,
): Row[] {
  const measured = contestants.map((each) => ({ id: each.id, figures: figures(each) })).filter((each) => each.figures.length > 0);
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

export async function child([id, role, url = '', count]: readonly string[]): Promise<void> {
  const side = await SYSTEMS[id as Id].load();
  if (role === 'server') await side.server();
  else if (role === 'writer') await write(side, url);
  else await read(side, url, Number(count));
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

/** Answers a number with the bytes that came in when all have heard so many updates; `note`, then `since` and when updates were sent, with percentiles. */
async function read(side: Side, url: string, count: number): Promise<never> {
  const sockets: Socket[] = [];
  subscribe('net.client.socket', (message) => sockets.push((message as { readonly socket: Socket }).socket));
  const readers = Array.from({ length: count }, () => new Reader());
  // Few at a time: a queue of connections that is full refuses.
  const left = [...readers];
  await keepInFlight(count, 50, async () => side.reader(url, left.pop()!));
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
