// What two readers that do not keep up cost the other 998 and the server: one stands still, one takes 10 kB a second. 1,000 readers of one
// document, all on sockets of their own, hear updates at an even pace, in turns: all of them reading, and the two behind. Reported is how
// long an update is on its way to the others, and what the server holds more than when the two have caught up. After each turn everyone reads again, and all digests must be
// the server's. What fills the buffers of the operating system first comes from a second instance that only the two watch: through the
// document a thousand times as much would have to be sent, and nothing else would be measured. That they are behind while it counts is
// checked.

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
/** Updates of the document per second. */
const PACE = 30;
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
  const { turns, updates } = effort === QUICK ? { turns: 3, updates: 60 } : { turns: 9, updates: 150 };
  const system = await start();
  try {
    // Code is compiled in the first, and it shows how much fills the buffers: everyone has as much to read in the turns that count.
    const { texts } = await turn(system, { updates, texts: TEXTS_MAX }, true);
    const found: { reading: Turn; behind: Turn }[] = [];
    for (let i = 0; i < turns; i++)
      found.push({
        reading: await turn(system, { updates, texts }, false),
        behind: await turn(system, { updates, texts: TEXTS_MAX }, true),
      });
    const figure = (of: (each: (typeof found)[number]) => number): number => median(found.map(of));
    const against = (ours: (each: (typeof found)[number]) => number, theirs: (each: (typeof found)[number]) => number) => ({
      value: figure(theirs),
      ratio: figure((each) => theirs(each) / ours(each)),
    });
    const delay = (name: 'p50' | 'p99'): Row => ({
      name: `slow/1000/${name}`,
      unit: `ms to the other ${READERS - SLOW}, ${name}`,
      ours: figure(({ behind }) => behind[name]),
      against: {
        'all reading': against(
          ({ behind }) => behind[name],
          ({ reading }) => reading[name],
        ),
      },
    });
    const memory = (name: keyof Memory, unit: string): Row => {
      const grown = figure(({ behind }) => behind.behind[name] - behind.after[name]);
      return {
        name: `slow/1000/${name}`,
        unit,
        ours: grown,
        against: { 'at most': { value: MEMORY_MAX, ratio: MEMORY_MAX / Math.max(1, grown) } },
      };
    };
    return [
      delay('p50'),
      delay('p99'),
      memory('buffered', 'bytes more that wait in sockets of the server'),
      memory('heap', 'bytes more in its heap and outside it'),
      memory('resident', 'bytes more that are resident'),
    ];
  } finally {
    await system.end();
  }
}

// ── Turns ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the server holds, in bytes. */
interface Memory {
  readonly buffered: number;
  readonly heap: number;
  readonly resident: number;
}

interface Turn {
  /** Written on the wall. */
  readonly texts: number;
  /** Ms from writing an update to the mirrors of the others. */
  readonly p50: number;
  readonly p99: number;
  /** At the end of it, and when everyone has caught up and nothing else has happened. */
  readonly behind: Memory;
  readonly after: Memory;
}

type System = Awaited<ReturnType<typeof start>>;

async function start() {
  const { helper: server, said: url } = await Helper.start(['slow', 'server'], { flags: ['--expose-gc'] });
  const { helper: writer } = await Helper.start(['slow', 'writer', String(url)]);
  const { helper: readers } = await Helper.start(['slow', 'readers', String(url)]);
  const { helper: slow } = await Helper.start(['slow', 'slow', String(url)]);
  const all = [slow, readers, writer, server];
  return {
    server,
    writer,
    readers,
    slow,
    end: async () => {
      for (const each of all) await each.end();
    },
  };
}

/** @param much `updates` of the document that count, after at most so many `texts` on the wall. @param isBehind whether two of the readers are. */
async function turn(
  { server, writer, readers, slow }: System,
  much: { readonly updates: number; readonly texts: number },
  isBehind: boolean,
): Promise<Turn> {
  if (isBehind) await slow.ask('fall behind');
  let texts = 0;
  while (texts < much.texts && Number(await server.ask('lagging')) < SLOW) {
    await writer.ask(`fill ${TEXTS_AT_ONCE}`);
    texts += TEXTS_AT_ONCE;
  }
  await readers.ask('note');
  const sent = await writer.ask(`pace ${much.updates}`);
  const [p50, p99] = JSON.parse(String(await readers.ask(`since ${sent}`))) as [number, number];
  const memory = async (): Promise<Memory> => JSON.parse(String(await server.ask('memory'))) as Memory;
  const behind = await memory();
  const lagging = Number(await server.ask('lagging'));
  if (lagging !== (isBehind ? SLOW : 0)) throw new Error(`${lagging} readers lag at the end of a turn`);
  await slow.ask('catch up');
  const want = String(await server.ask('digests'));
  for (const helper of [slow, readers]) {
    const have = String(await helper.ask(`digests ${want}`));
    if (have !== 'in step') throw new Error(have);
  }
  return { texts, p50, p99, behind, after: await memory() };
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────

export async function child([role, url = '']: readonly string[]): Promise<void> {
  if (role === 'server') await serveBoth();
  else if (role === 'writer') await write(url);
  else if (role === 'readers') await read(url);
  else await readSlowly(url);
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

async function write(url: string): Promise<never> {
  const peer = await connect(url, { presence: false });
  const [document, texts] = [await peer.watch(BOARD, board), await peer.watch(WALL, wall)];
  let count = 0;
  const pace = (updates: number): Promise<number[]> =>
    new Promise((resolve) => {
      const sent: number[] = [];
      const echoes: Promise<unknown>[] = [];
      const timer = setInterval(() => {
        sent.push(now());
        echoes.push(document.submit({ type: 'ADD', by: 1 }));
        if (sent.length < updates) return;
        clearInterval(timer);
        void Promise.all(echoes).then(() => resolve(sent));
      }, 1000 / PACE);
    });
  return attend('ready', {
    answer: async (question) => {
      const [word, number] = String(question).split(' ');
      if (word === 'pace') return JSON.stringify(await pace(Number(number)));
      await keepInFlight(Number(number), 4, () => texts.submit({ type: 'WRITE', text: `${count++}`.padEnd(TEXT, '.') }));
      return question;
    },
    end: () => undefined,
  });
}

async function read(url: string): Promise<never> {
  const mirrors: AnyMirror[] = [];
  const readers: Reader[] = [];
  await keepInFlight(READERS - SLOW, AT_ONCE, async () => {
    const mirror = await (await connect(url, { presence: false })).watch(BOARD);
    const reader = new Reader(mirror.seq);
    mirror.subscribe(() => reader.reached(mirror.seq));
    mirrors.push(mirror);
    readers.push(reader);
  });
  return attend('ready', {
    answer: async (question) => {
      const [word, rest] = split(String(question));
      if (word === 'digests') return inStep(mirrors, JSON.parse(rest) as Digests);
      if (word === 'note') for (const reader of readers) reader.times = [];
      if (word !== 'since') return question;
      const sent = JSON.parse(rest) as number[];
      await until(() => readers.every(({ times = [] }) => times.length >= sent.length));
      const delays = readers.flatMap(({ times = [] }) => times.map((at, i) => at - sent[i]!)).sort((a, b) => a - b);
      return JSON.stringify([0.5, 0.99].map((part) => delays[Math.floor(delays.length * part)]));
    },
    end: () => undefined,
  });
}

async function readSlowly(url: string): Promise<never> {
  const roads: readonly Road[] = await Promise.all(Array.from({ length: SLOW }, () => makeRoad(url)));
  const mirrors: AnyMirror[] = [];
  for (const road of roads) {
    const peer = await connect(road.url, { presence: false });
    mirrors.push(await peer.watch(BOARD), await peer.watch(WALL));
  }
  return attend('ready', {
    answer: async (question) => {
      const [word, rest] = split(String(question));
      if (word === 'digests') return inStep(mirrors, JSON.parse(rest) as Digests);
      if (question === 'fall behind') for (const [i, road] of roads.entries()) road.narrow(i === 0 ? 0 : TRICKLE);
      else for (const road of roads) road.widen();
      return question;
    },
    end: () => undefined,
  });
}

/** Of each instance at the server: seq and digest. */
type Digests = readonly (readonly [seq: number, digest: string])[];

/** @returns `in step`, or who is not. */
async function inStep(mirrors: readonly AnyMirror[], digests: Digests): Promise<string> {
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
