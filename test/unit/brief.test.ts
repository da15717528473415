// Rooms that are told briefly: lowered machines by their events, hosted ones by their differences, without envelopes in json; beside readers
// that do not know of it. What each takes is counted in bytes.

import { describe, expect, test, vi } from 'vitest';
import { assign, createMachine, emit, raise, sendParent, sendTo } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import { callable } from '../../compiler/expression/callable.ts';
import { parseExpression } from '../../compiler/expression/language.ts';
import { encodeBrief, encodeBriefSend, readBody, readNotice } from '../../peer/codec-json.ts';
import * as packed from '../../peer/codec-packed.ts';
import type { AnyMirror, Mirror } from '../../peer/mirror.ts';
import type { PeerOptions } from '../../peer/peer.ts';
import { Replica } from '../../peer/replica.ts';
import { World } from '../support/world.ts';

const till = createMachine({
  id: 'till',
  initial: 'open',
  context: { total: 0, items: [] as { name: string; price: number }[], stamps: [] as unknown[] },
  states: {
    open: {
      on: {
        ADD: {
          guard: ({ event }) => event['price'] >= 0,
          actions: assign({
            total: ({ context, event }) => context.total + (event['price'] as number),
            items: ({ context, event }) => [...context.items, { name: event['name'] as string, price: event['price'] as number }],
          }),
        },
        STAMP: { actions: assign({ stamps: callable(parseExpression('[now(), random(), uuid()]')) as never }) },
        WAIT: 'paused',
      },
    },
    paused: { after: { 1000: 'open' }, on: { CLOSE: 'closed' } },
    closed: { type: 'final' },
  },
});

const lowered = compileMachine(till, { lower: true });
const hosted = compileMachine(till);

interface TillWorld {
  readonly world: World;
  readonly writer: AnyMirror;
  join(name: string, options?: Partial<PeerOptions>): Promise<AnyMirror>;
  /** What arrived at a peer in the room, frame by frame. */
  readonly heard: Map<string, string[]>;
}

async function tillWorld(image: Uint8Array, options: Partial<PeerOptions> = {}): Promise<TillWorld> {
  const world = new World();
  await world.server({ machines: { till: { definition: till, image } }, ...options });
  const heard = new Map<string, string[]>();
  const join = async (name: string, others: Partial<PeerOptions> = {}): Promise<AnyMirror> => {
    const lines: string[] = [];
    heard.set(name, lines);
    const peer = await world.peer(name, { record: (line: string) => lines.push(line), ...options, ...others } as Partial<PeerOptions>);
    return (await world.get(peer.watch('desk'))) as unknown as AnyMirror;
  };
  const maker = await world.peer('maker');
  await world.get(maker.create('till', { instance: 'desk' }));
  return { world, writer: await join('writer'), join, heard };
}

/** The same events for everybody. */
async function play(world: World, mirror: AnyMirror): Promise<void> {
  for (let i = 0; i < 20; i++) {
    mirror.send({ type: 'ADD', name: `thing ${i}`, price: i } as never);
    await world.settle();
  }
  mirror.send({ type: 'ADD', name: 'refused by the guard', price: -1 } as never);
  mirror.send({ type: 'STAMP' });
  mirror.send({ type: 'WAIT' });
  await world.settle();
  await world.advance(1_500);
  mirror.send({ type: 'WAIT' });
  mirror.send({ type: 'CLOSE' });
  await world.settle();
  await world.advance(200);
}

/** The replica that is made next, by which a test can put a mirror out of step. */
function newest(): () => Replica {
  const load = vi.spyOn(Replica.prototype, 'load');
  let found: Replica | undefined;
  return () => {
    if (found !== undefined) return found;
    const replica = load.mock.contexts.at(-1) as Replica;
    load.mockRestore();
    return (found = replica);
  };
}

const stepsOf = (lines: readonly string[]): unknown[][] =>
  lines
    .filter((line) => line.startsWith('< from #server/'))
    .flatMap((line) => readBody(line.slice(line.indexOf(': ') + 2)))
    .flatMap((message) => ('method' in message && message.method === 'step' ? [...readNotice('step', message.params)[1]] : []))
    .map((step) => [...step]);

test('the machine of these tests can be lowered', () => {
  expect(lowered.obstacles).toEqual([]);
  expect([lowered.isLowered, hosted.isLowered]).toEqual([true, false]);
});

describe('a lowered machine', () => {
  test('[SYNC-35] is told by its events, and mirrors without the author make the same steps, time and chance included', async () => {
    const { world, writer, join, heard } = await tillWorld(lowered.bytes);
    const reader = await join('reader');
    await play(world, writer);
    expect(reader.getSnapshot()).toEqual(writer.getSnapshot());
    expect([reader.seq, reader.digest, reader.standing]).toEqual([writer.seq, writer.digest, 'confirmed']);
    expect(reader.getSnapshot().status).toBe('done');
    expect((reader.getSnapshot().context as { stamps: unknown[] }).stamps).toHaveLength(3);
    expect(world.reported).toEqual([]);
    const events = stepsOf(heard.get('reader')!).filter((step) => !Array.isArray(step[3]));
    // All but the creation, and the one that did nothing: that takes less to say than its event.
    expect(events).toHaveLength(writer.seq - 2);
    // What asks for time says when; what asks for chance brings its seed; a timer is its number.
    expect(events.find(([, , , event]) => event === lowered.symbols.events.indexOf('STAMP'))).toHaveLength(7);
    expect(events.filter(([, , , event]) => event === lowered.symbols.events.indexOf('WAIT')).map(({ length }) => length)).toEqual([6, 6]);
    expect(events.filter(([, , , event]) => event === 0)).toHaveLength(1);
  });

  test('[SYNC-35] is told by its differences to readers that do not ask for more, at the same time and to the same end', async () => {
    const { world, writer, join, heard } = await tillWorld(lowered.bytes);
    const older = await join('older', { mode: 'steps' });
    await play(world, writer);
    expect(older.getSnapshot()).toEqual(writer.getSnapshot());
    expect([older.seq, older.digest]).toEqual([writer.seq, writer.digest]);
    const steps = stepsOf(heard.get('older')!);
    expect(steps).toHaveLength(writer.seq - 1);
    expect(steps.every((step) => Array.isArray(step[3]))).toBe(true);
    expect(heard.get('older')!.filter((line) => line.includes('#server/') && !line.includes('"jsonrpc"'))).toEqual([]);
  });

  test('[SYNC-35] [SYNC-10] a mirror whose state is another one finds out by the digest, and heals', async () => {
    const { world, writer, join } = await tillWorld(lowered.bytes);
    const replica = newest();
    const reader = await join('reader');
    replica().load(reader.seq, { ...replica().save(), context: { total: 1000, items: [], stamps: [] } });
    writer.send({ type: 'ADD', name: 'tea', price: 3 } as never);
    await world.settle();
    expect((reader.getSnapshot().context as { total: number }).total).toBe(1003);
    await world.advance(200);
    expect(reader.getSnapshot()).toEqual(writer.getSnapshot());
    expect([reader.digest, reader.standing]).toEqual([writer.digest, 'confirmed']);
  });

  test('[SYNC-35] an event that cannot be run where a mirror stands makes it take a snapshot', async () => {
    const { world, writer, join } = await tillWorld(lowered.bytes);
    const replica = newest();
    const reader = await join('reader');
    replica().load(reader.seq, { ...replica().save(), context: { total: {}, items: [], stamps: [] } });
    writer.send({ type: 'ADD', name: 'tea', price: 3 } as never);
    await world.settle();
    expect(reader.getSnapshot()).toEqual(writer.getSnapshot());
  });

  test('[SYNC-35] a mirror that was away, and whose user listens to single steps, gets the events that it missed', async () => {
    const { world, writer, join, heard } = await tillWorld(lowered.bytes);
    const reader = await join('reader');
    (reader as unknown as Mirror).onMove({ confirmed: () => undefined, shown: () => undefined });
    world.network('reader').cut();
    await play(world, writer);
    heard.get('reader')!.length = 0;
    world.network('reader').mend();
    await world.advance(20_000);
    expect(reader.getSnapshot()).toEqual(writer.getSnapshot());
    const answer = heard.get('reader')!.find((line) => line.includes('"steps":['));
    const { steps } = (JSON.parse(answer!.slice(answer!.indexOf('{'))) as { result: { steps: unknown[][] } }).result;
    expect(steps).toHaveLength(writer.seq - 1);
    expect(steps.filter((step) => !Array.isArray(step[3])).length).toBeGreaterThan(15);
  });

  test('[SYNC-35] a mirror that passes it on tells its readers what each can take', async () => {
    const { world, writer, join, heard } = await tillWorld(lowered.bytes, { trusts: () => true });
    const middle = await world.peer('middle', { trusts: () => true });
    const mirror = await world.get(middle.watch('desk'));
    await world.get(middle.offer(mirror));
    const behind = async (name: string, mode: 'brief' | 'steps'): Promise<AnyMirror> => {
      const lines: string[] = [];
      heard.set(name, lines);
      const peer = await world.peer(name, { mode, record: (line: string) => lines.push(line) } as Partial<PeerOptions>);
      return (await world.get(peer.watch('desk', undefined, { sources: ['middle'] }))) as unknown as AnyMirror;
    };
    const [brief, older] = [await behind('brief', 'brief'), await behind('older', 'steps')];
    await play(world, writer);
    for (const reader of [brief, older]) expect([reader.seq, reader.digest]).toEqual([writer.seq, writer.digest]);
    const told = (name: string): unknown[][] => stepsOf(heard.get(name)!.map((line) => line.replace('#middle/', '#server/')));
    expect(told('brief').filter((step) => !Array.isArray(step[3]))).toHaveLength(writer.seq - 2);
    expect(told('older').every((step) => Array.isArray(step[3]))).toBe(true);
    expect(await join('late').then(({ digest }) => digest)).toBe(writer.digest);
  });
});

const kid = createMachine({
  id: 'kid',
  on: { WORK: { actions: sendParent(({ event }) => ({ type: 'HEARD', n: (event as unknown as { n: number }).n }) as never) } },
});

const parent = createMachine({
  id: 'parent',
  initial: 'idle',
  context: { heard: 0, sent: 0 },
  states: {
    idle: { on: { START: 'busy' } },
    busy: {
      invoke: { id: 'kid', src: kid },
      on: {
        STOP: 'idle',
        TASK: {
          actions: [
            assign({ sent: ({ context }) => context.sent + 1 }),
            sendTo('kid', ({ context }) => ({ type: 'WORK', n: context.sent })),
            raise({ type: 'LATE' } as never, { delay: 300, id: 'late' }),
            emit({ type: 'SENT' } as never),
          ],
        },
      },
    },
  },
  on: { HEARD: { actions: assign({ heard: ({ event }) => (event as unknown as { n: number }).n }) }, LATE: {} },
} as never);

test('[SYNC-35] [EXPR-16] a lowered machine with actors is told by its events; who starts them is the authority alone', async () => {
  const image = compileMachine(parent, { lower: true });
  expect(image.obstacles).toEqual([]);
  const world = new World();
  const emitted: string[] = [];
  const emits = { emitted: (_: string, { type }: { type: string }) => void emitted.push(type) };
  await world.server({ machines: { parent: { definition: parent, image: image.bytes } }, ...emits });
  const lines: string[] = [];
  const writer = await world.peer('writer');
  await world.get(writer.create('parent', { instance: 'boss' }));
  const mirror = (await world.get(writer.watch('boss'))) as unknown as AnyMirror;
  const reader = await world.peer('reader', { record: (line: string) => lines.push(line), ...emits } as Partial<PeerOptions>);
  const other = await world.get(reader.watch('boss'));
  for (const type of ['START', 'TASK', 'TASK', 'STOP', 'START', 'TASK']) {
    mirror.send({ type });
    await world.settle();
  }
  await world.advance(1_000);
  expect(other.getSnapshot().context).toEqual({ heard: 3, sent: 3 });
  expect([other.digest, other.seq]).toEqual([mirror.digest, mirror.seq]);
  expect(emitted).toEqual(['SENT', 'SENT', 'SENT']);
  expect(world.reported).toEqual([]);
  const steps = stepsOf(lines);
  // What the child says comes from inside. Delayed events that end are told by what they change.
  expect(steps.filter((step) => !Array.isArray(step[3])).map(([, , , event]) => image.symbols.events[event as number])).toEqual([
    'START', 'TASK', 'HEARD', 'TASK', 'HEARD', 'STOP', 'START', 'TASK', 'HEARD',
  ]); // prettier-ignore
});

/** Bytes of the frames that a reader hears in the room. */
async function bytesOf(image: Uint8Array, encoding: 'json' | 'packed', mode: 'brief' | 'steps'): Promise<number> {
  const { world, writer, join, heard } = await tillWorld(image, { mode, ...(encoding === 'packed' ? { packed: () => packed } : {}) });
  const reader = await join('reader');
  heard.get('reader')!.length = 0;
  await play(world, writer);
  expect(reader.digest).toBe(writer.digest);
  return heard
    .get('reader')!
    .map((line) => Number(/^< from \? (\d+) bytes$/.exec(line)?.[1] ?? line.length - '< from : '.length + '\n'.length))
    .reduce((sum, size) => sum + size, 0);
}

test('[SYNC-35] [SYNC-36] the same events of the same machine, lowered and hosted: what they take on the wire', async () => {
  const rows: Record<string, number> = {};
  for (const [home, { bytes }] of Object.entries({ lowered, hosted }))
    for (const encoding of ['json', 'packed'] as const)
      for (const mode of ['brief', 'steps'] as const) rows[`${home} ${encoding} ${mode}`] = await bytesOf(bytes, encoding, mode);
  expect(rows).toEqual({
    'hosted json steps': 4505,
    'hosted json brief': 3569,
    'lowered json steps': 4505,
    'lowered json brief': 1612,
    'hosted packed steps': 1418,
    'hosted packed brief': 1418,
    'lowered packed steps': 1418,
    'lowered packed brief': 796,
  });
});

describe('without an envelope', () => {
  test('[SYNC-36] in json what is said in the room, and to it, is the method and its parameters; an event without fields is its type', async () => {
    const { world, writer, heard } = await tillWorld(hosted.bytes);
    const lines = heard.get('writer')!;
    lines.length = 0;
    writer.send({ type: 'WAIT' });
    await world.settle();
    const gone = writer.submit({ type: 'CLOSE' }, { seq: 99 });
    expect(await world.refusal(gone)).toBe('EXPECTATION');
    expect(lines).toEqual([
      '> to server: ["send","desk",1,"WAIT"]',
      '< from #server/2: ["step",2,[[2,1,1,[1,1,2,1],[],{"timers":[{"timer":0,"due":1001000}]}]]]',
      '> to server: ["send","desk",2,"CLOSE",{"seq":99}]',
      '< from server: ["settled",2,2,{"code":"EXPECTATION","message":"desk is at seq 2, the sender expected 99"}]',
    ]);
  });

  test('[SYNC-36] what is said briefly is read as what it means; anything else at its head is refused, and its neighbours count', () => {
    const step = encodeBrief('step', [1, [[2, 1, 1, 1]]]);
    const send = encodeBriefSend(['desk', 1, { type: 'ADD', price: 3 }]);
    const bare = encodeBriefSend(['desk', 2, { type: 'WAIT' }, { seq: 3 }]);
    expect(readBody(step)).toEqual([{ kind: 'notice', method: 'step', params: [1, [[2, 1, 1, 1]]] }]);
    expect(readBody(`[${send},["eval","1"],[],${bare},[["step"]]]`)).toMatchObject([
      { kind: 'notice', method: 'send', params: ['desk', 1, { type: 'ADD', price: 3 }] },
      { code: 'BAD_REQUEST' },
      { code: 'BAD_REQUEST' },
      { kind: 'notice', method: 'send', params: ['desk', 2, { type: 'WAIT' }, { seq: 3 }] },
      { code: 'BAD_REQUEST' },
    ]);
  });

  test('[SYNC-14] a step event that is none is refused with its place', () => {
    const refusals = (
      [
        [2, 1, 1, null],
        [2, 1, 1, 1.5],
        [2, 1, 1, 1, { type: 'OTHER' }],
        [2, 1, 1, 1, 7],
        [2, 1, 1, 1, null, 'soon'],
        [2, 1, 1, 1, null, 5, -1],
        [0, 1, 1, 1],
      ] as const
    ).map((step) => {
      try {
        readNotice('step', [1, [step]]);
        return 'taken';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(refusals).toMatchInlineSnapshot(`
      [
        "params of step: 1: 0: 3: expected a string of at most 1048576 characters, found null",
        "params of step: 1: 0: 3: expected a string of at most 1048576 characters, found 1.5",
        "params of step: 1: 0: 4: expected the fields of an event but its type, found an object",
        "params of step: 1: 0: 4: expected the fields of an event but its type, found 7",
        "params of step: 1: 0: 5: expected a number, found "soon"",
        "params of step: 1: 0: 6: expected a whole number from 0, found -1",
        "params of step: 1: 0: 0: expected a whole number from 1, found 0",
      ]
    `);
  });
});
