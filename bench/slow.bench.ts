// What two readers that do not keep up cost the other 998 and the server: one stands still, one takes 10 kB a second. There are two worlds of
// 1,000 readers each, every one with its server, and both are written to at the same moments: in one the two are behind, in the other everyone
// reads, and then the other way round. Whatever else happens to the machine happens to both. Reported is how long an update is on its way to
// the others, over all rounds, and what a server holds more than when the two have caught up. After each round everyone reads again, and all
// digests must be the server's. What fills the buffers of the operating system first comes from a second instance that only the two watch:
// through the document a thousand times as much would have to be sent, and nothing else would be measured. That they are behind while it
// counts, and nobody else is, is checked.

import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { assign, setup } from 'xstate';
import type { AnyMirror } from '../peer/mirror.ts';
import { connect, MemoryJournal, serve } from '../server/index.ts';
import { DOCUMENT, type Document, now, Reader } from './fanout/side.ts';
import { median, QUICK, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';
import { makeRoad, type Road } from './slow/road.ts';

const READERS = 1_000;
const SLOW = 2;
const WORLDS = [0, 1] as const;
type World = (typeof WORLDS)[number];
/** Updates of each document per second: so few that none waits for the one before it, even where the machine has other work. */
const PACE = 5;
/** Of a round in which nothing counts yet. */
const WARM_UPDATES = 5;
/** Bytes a second that the slower of the readers which still read takes. */
const TRICKLE = 10_000;
/** Dialing at once. */
const AT_ONCE = 50;
const BOARD = 'board';
const WALL = 'wall';
/** Characters of a step of the wall, and how many at most are written until the two are behind: more than any system buffers. */
const TEXT = 16_000;
const TEXTS_MAX = 2_000;
const TEXTS_AT_ONCE = 20;
/** Bytes that the server may hold more, by this project's own rule. */
const MEMORY_MAX = 2 * 1024 * 1024;
/** Ms in which everyone must be in step again. */
const IN_STEP_MS = 20_000;

const board = setup({ types: { context: {} as Document, events: {} as { readonly type: 'ADD'; readonly by: number } } }).createMachine({
  id: 'board',
  context: DOCUMENT,
  on: { ADD: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
});
const wall = setup({
  types: { context: {} as { readonly text: string }, events: {} as { readonly type: 'WRITE'; readonly text: string } },
}).createMachine({ id: 'wall', context: { text: '' }, on: { WRITE: { actions: assign({ text: ({ event }) => event.text }) } } });

export async function run(effort: Effort): Promise<Row[]> {
  const { rounds, updates } = effort === QUICK ? { rounds: 4, updates: 15 } : { rounds: 12, updates: 60 };
  const system = await start();
  try {
    // Code is compiled in the first two.
    for (const behind of WORLDS) await turn(system, WARM_UPDATES, behind);
    const found: Turn[] = [];
    for (let round = 0; round < rounds; round++) found.push(await turn(system, updates, round % 2 === 0 ? 0 : 1));
    const delay = (name: string, unit: string, of: (delays: readonly Delays[]) => number): Row => {
      const [ours, value] = [of(found.map(({ behind }) => behind)), of(found.map(({ reading }) => reading))];
      return { name: `slow/1000/${name}`, unit, ours, against: { 'all reading': { value, ratio: value / ours } } };
    };
    const all = (part: number) => (delays: readonly Delays[]) => partOf(delays.flat(2), part);
    const memory = (name: keyof Memory, unit: string): Row => {
      const grown = median(found.map((each) => each.held[name] - each.after[name]));
      return {
        name: `slow/1000/${name}`,
        unit,
        ours: grown,
        against: { 'at most': { value: MEMORY_MAX, ratio: MEMORY_MAX / Math.max(1, grown) } },
      };
    };
    return [
      delay('p50', `ms to the other ${READERS - SLOW}, p50 of all updates`, all(0.5)),
      delay('p99', `ms to the other ${READERS - SLOW}, p99 of all updates`, all(0.99)),
      delay('update', `ms until 99 % of the other ${READERS - SLOW} have an update, median`, (delays) =>
        median(delays.flat().map((update) => partOf(update, 0.99))),
      ),
      memory('buffered', 'bytes more that wait in sockets of the server'),
      memory('heap', 'bytes more in its heap and outside it'),
      memory('resident', 'bytes more that are resident'),
    ];
  } finally {
    await system.end();
  }
}

/** The value below which such a part of them is. */
function partOf(values: readonly number[], part: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * part)]!;
}

// ── Turns ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the server holds, in bytes. */
interface Memory {
  readonly buffered: number;
  readonly heap: number;
  readonly resident: number;
}

/** Ms from writing to the mirrors of the others, by updates. */
type Delays = readonly (readonly number[])[];

interface Turn {
  /** Where two are behind, and where all are reading. */
  readonly behind: Delays;
  readonly reading: Delays;
  /** By the server of the two, at the end of it, and when everyone has caught up and nothing else has happened. */
  readonly held: Memory;
  readonly after: Memory;
}

type System = Awaited<ReturnType<typeof start>>;

async function start() {
  const servers: Helper[] = [];
  const urls: string[] = [];
  while (servers.length < WORLDS.length) {
    const { helper, said } = await Helper.start(['slow', 'server'], { flags: ['--expose-gc'] });
    servers.push(helper);
    urls.push(String(said));
  }
  const { helper: writer } = await Helper.start(['slow', 'writer', ...urls]);
  const { helper: readers } = await Helper.start(['slow', 'readers', ...urls]);
  const { helper: slow } = await Helper.start(['slow', 'slow', ...urls]);
  return {
    servers,
    writer,
    readers,
    slow,
    end: async () => {
      for (const each of [slow, readers, writer, ...servers]) await each.end();
    },
  };
}

/** @param updates of both documents that count. @param behind the world in which two of the readers are. */
async function turn({ servers, writer, readers, slow }: System, updates: number, behind: World): Promise<Turn> {
  const server = servers[behind]!;
  const lagging = async (): Promise<readonly number[]> => {
    const counts: number[] = [];
    for (const each of servers) counts.push(Number(await each.ask('lagging')));
    return counts;
  };
  await slow.ask(`behind ${behind}`);
  for (let texts = 0; texts < TEXTS_MAX && Number(await server.ask('lagging')) < SLOW; texts += TEXTS_AT_ONCE)
    await writer.ask(`fill ${behind} ${TEXTS_AT_ONCE}`);
  await readers.ask('note');
  const sent = await writer.ask(`pace ${updates}`);
  const delays = JSON.parse(String(await readers.ask(`since ${sent}`))) as readonly Delays[];
  const memory = async (): Promise<Memory> => JSON.parse(String(await server.ask('memory'))) as Memory;
  const held = await memory();
  const counts = await lagging();
  const wanted = WORLDS.map((world) => (world === behind ? SLOW : 0));
  if (String(counts) !== String(wanted)) throw new Error(`${String(counts)} readers lag at the end of a turn, not ${String(wanted)}`);
  await slow.ask(`reading ${behind}`);
  for (const world of WORLDS) {
    const want = String(await servers[world]!.ask('digests'));
    for (const helper of [slow, readers]) {
      const have = String(await helper.ask(`digests ${world} ${want}`));
      if (have !== 'in step') throw new Error(have);
    }
  }
  return { behind: delays[behind]!, reading: delays[1 - behind]!, held, after: await memory() };
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param urls of the two worlds. */
export async function child([role, ...urls]: readonly string[]): Promise<void> {
  if (role === 'server') await serveBoth();
  else if (role === 'writer') await write(urls);
  else if (role === 'readers') await read(urls);
  else await readSlowly(urls);
}

async function serveBoth(): Promise<never> {
  const sockets = new Set<Socket>();
  subscribe('net.server.socket', (message) => {
    const { socket } = message as { readonly socket: Socket };
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const server = await serve({ machines: { board, wall }, port: 0, journal: new MemoryJournal() });
  for (const name of [BOARD, WALL]) await server.create(name, name);
  const waiting = (): number[] => [...sockets].map((socket) => socket.writableLength);
  return attend(server.url, {
    answer: async (question) => {
      // A socket in which something waits between two turns is one whose reader is behind: the network takes nothing any more.
      if (question === 'lagging') return waiting().filter((bytes) => bytes >= LAG_BYTES).length;
      if (question === 'memory') return JSON.stringify({ buffered: sum(waiting()), ...(await memory()) });
      const records = await Promise.all([BOARD, WALL].map((instance) => server.peer.get(instance)));
      return JSON.stringify(records.map((record) => ('digest' in record ? [record.seq, record.digest] : [])));
    },
    end: () => server.close(),
  });
}

/** Bytes from which on a reader lags (docs/server.md). */
const LAG_BYTES = 524_288;

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}

/** With a collected heap. */
async function memory(): Promise<Omit<Memory, 'buffered'>> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('run with --expose-gc');
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

async function write(urls: readonly string[]): Promise<never> {
  const writers = await Promise.all(
    urls.map(async (url) => {
      const peer = await connect(url, { presence: false });
      return { document: await peer.watch(BOARD, board), texts: await peer.watch(WALL, wall) };
    }),
  );
  let count = 0;
  /** At each moment one update in each world; which of them is the first changes. @returns when. */
  const pace = (updates: number): Promise<number[]> =>
    new Promise((resolve) => {
      const sent: number[] = [];
      const echoes: Promise<unknown>[] = [];
      const timer = setInterval(() => {
        sent.push(now());
        const order = sent.length % 2 === 0 ? writers : writers.toReversed();
        for (const { document } of order) echoes.push(document.submit({ type: 'ADD', by: 1 }));
        if (sent.length < updates) return;
        clearInterval(timer);
        void Promise.all(echoes).then(() => resolve(sent));
      }, 1000 / PACE);
    });
  return attend('ready', {
    answer: async (question) => {
      const [word, ...numbers] = String(question).split(' ');
      if (word === 'pace') return JSON.stringify(await pace(Number(numbers[0])));
      const { texts } = writers[Number(numbers[0])]!;
      await keepInFlight(Number(numbers[1]), 4, () => texts.submit({ type: 'WRITE', text: `${count++}`.padEnd(TEXT, '.') }));
      return question;
    },
    end: () => undefined,
  });
}

async function read(urls: readonly string[]): Promise<never> {
  const worlds = urls.map((url) => ({ url, mirrors: [] as AnyMirror[], readers: [] as Reader[] }));
  // By turns, so that neither world has the sockets that came first.
  let next = 0;
  await keepInFlight((READERS - SLOW) * worlds.length, AT_ONCE, async () => {
    const { url, mirrors, readers } = worlds[next++ % worlds.length]!;
    const mirror = await (await connect(url, { presence: false })).watch(BOARD);
    const reader = new Reader(mirror.seq);
    mirror.subscribe(() => reader.reached(mirror.seq));
    mirrors.push(mirror);
    readers.push(reader);
  });
  return attend('ready', {
    answer: async (question) => {
      const [word, rest] = split(String(question));
      if (word === 'digests') return inStep((world) => worlds[world]!.mirrors, rest);
      if (word === 'note') for (const { readers } of worlds) for (const reader of readers) reader.times = [];
      if (word !== 'since') return question;
      const sent = JSON.parse(rest) as number[];
      await until(() => worlds.every(({ readers }) => readers.every(({ times = [] }) => times.length >= sent.length)));
      return JSON.stringify(worlds.map(({ readers }) => sent.map((at, i) => readers.map(({ times = [] }) => times[i]! - at))));
    },
    end: () => undefined,
  });
}

async function readSlowly(urls: readonly string[]): Promise<never> {
  const worlds: { readonly roads: readonly Road[]; readonly mirrors: readonly AnyMirror[] }[] = [];
  for (const url of urls) {
    const roads = await Promise.all(Array.from({ length: SLOW }, () => makeRoad(url)));
    const mirrors: AnyMirror[] = [];
    for (const road of roads) {
      const peer = await connect(road.url, { presence: false });
      mirrors.push(await peer.watch(BOARD), await peer.watch(WALL));
    }
    worlds.push({ roads, mirrors });
  }
  return attend('ready', {
    answer: async (question) => {
      const [word, rest] = split(String(question));
      if (word === 'digests') return inStep((world) => worlds[world]!.mirrors, rest);
      for (const [i, road] of worlds[Number(rest)]!.roads.entries())
        if (word === 'behind') road.narrow(i === 0 ? 0 : TRICKLE);
        else road.widen();
      return question;
    },
    end: () => undefined,
  });
}

/** Of each instance at the server: seq and digest. */
type Digests = readonly (readonly [seq: number, digest: string])[];

/** @param asked the world, and the digests of its server. @returns `in step`, or who is not. */
async function inStep(mirrorsOf: (world: number) => readonly AnyMirror[], asked: string): Promise<string> {
  const [world, rest] = split(asked);
  const mirrors = mirrorsOf(Number(world));
  const digests = JSON.parse(rest) as Digests;
  const wanted = (mirror: AnyMirror): Digests[number] => digests[mirror.id === BOARD ? 0 : 1]!;
  const isThere = (mirror: AnyMirror): boolean =>
    mirror.standing === 'confirmed' && mirror.seq === wanted(mirror)[0] && mirror.digest === wanted(mirror)[1];
  try {
    await until(() => mirrors.every(isThere));
    return 'in step';
  } catch {
    const odd = mirrors.filter((mirror) => !isThere(mirror));
    return `${odd.length} mirrors are not in step, one at ${odd[0]?.seq} of ${odd[0] === undefined ? 0 : wanted(odd[0])[0]}, ${odd[0]?.standing}`;
  }
}

/** @throws Error when it does not come true. */
async function until(isTrue: () => boolean): Promise<void> {
  const end = now() + IN_STEP_MS;
  while (!isTrue()) {
    if (now() > end) throw new Error(`nothing of it within ${IN_STEP_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The first word, and what follows it. */
function split(text: string): readonly [string, string] {
  const space = text.indexOf(' ');
  return space < 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}
