// What peers, mirrors and local machines tell in Stately's inspect protocol.

import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { bind } from '../../core/bind.ts';
import { LocalSystem } from '../../core/local.ts';
import { Machine } from '../../core/machine.ts';
import { definitionOf, outline } from '../../core/outline.ts';
import { compileMachine } from '../../compiler/index.ts';
import { InspectEmitter } from '../../peer/inspect/emitter.ts';
import { inspectTo } from '../../peer/inspect/inspect.ts';
import type { InspectMessage } from '../../peer/inspect/protocol.ts';
import { readInspectMessage } from '../../peer/inspect/read.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';
import { Recorder } from '../support/recorder.ts';
import { World } from '../support/world.ts';

const core = await testCore();

const lamp = setup({
  types: {} as { context: { count: number }; events: { type: 'PRESS' } | { type: 'BREAK' } },
  guards: { hasPower: ({ context }) => context.count < 3 },
}).createMachine({
  id: 'lamp',
  context: { count: 0 },
  initial: 'off',
  states: {
    off: {
      on: { PRESS: { guard: 'hasPower', target: 'on', actions: assign({ count: ({ context }) => context.count + 1 }) }, BREAK: 'broken' },
    },
    on: { tags: 'bright', on: { PRESS: 'off' } },
    broken: { type: 'final' },
  },
});

/** One line per message. */
function shortly(message: InspectMessage): string {
  const { type, sessionId } = message;
  if (type === '@xstate.actor') return `actor ${sessionId} ${message.name} of ${message.parentId ?? 'nobody'}`;
  if (type === '@xstate.event') return `event ${sessionId} ${message.event.type} from ${message.sourceId ?? 'nobody'}`;
  return `snapshot ${sessionId} ${message.event.type} ${JSON.stringify(message.snapshot.value)}`;
}

test('[INSPECT-2] a peer tells each durable step of its instances once, with the sender, the event before the snapshot', async () => {
  const world = new World();
  const server = await world.server();
  const alice = await world.peer('alice');
  const told: InspectMessage[] = [];
  const subscription = inspectTo((message) => told.push(message), server, { now: () => world.environment.now() });
  await world.get(alice.create('door', { instance: 'front' }));
  const mirror = await world.get(alice.watch('front'));
  await world.get(mirror.submit({ type: 'OPEN' }));
  await world.advance(5_000);
  expect(told.map(shortly)).toEqual([
    'actor #server server of nobody',
    'actor front door of #server',
    'event front xstate.init from nobody',
    'snapshot front xstate.init "closed"',
    'actor #alice alice of nobody',
    'event front OPEN from #alice',
    'snapshot front OPEN "open"',
    'event front xstate.after.5000.door.open from front',
    'snapshot front xstate.after.5000.door.open "closed"',
  ]);
  const opened = told[6]!;
  expect(opened).toMatchObject({
    instance: 'front',
    seq: 2,
    peer: 'server',
    rootId: '#server',
    snapshot: { context: { opened: 1 }, status: 'active' },
  });
  expect(told[3]!.digest).toMatch(/^[0-9a-f]{16}$/);
  for (const message of told) expect(() => readInspectMessage(JSON.parse(JSON.stringify(message)))).not.toThrow();
  subscription.unsubscribe();
  await world.get(mirror.submit({ type: 'OPEN' }));
  expect(told).toHaveLength(9);
});

test('[INSPECT-2] an instance that was there before is told as it stands, and from then on by its steps', async () => {
  const world = new World();
  const server = await world.server();
  await world.get(server.create('door', { instance: 'front' }));
  const mirror = await world.get(server.watch('front'));
  await world.get(mirror.submit({ type: 'OPEN' }));
  const told: InspectMessage[] = [];
  inspectTo((message) => told.push(message), server, { now: () => world.environment.now() });
  await world.settle();
  await world.get(mirror.submit({ type: 'CLOSE' }));
  expect(told.map(shortly)).toEqual([
    'actor #server server of nobody',
    'actor front door of #server',
    'snapshot front lockstep.sync "open"',
    'event front CLOSE from #server',
    'snapshot front CLOSE "closed"',
  ]);
  expect(told[2]).toMatchObject({ seq: 2, digest: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
});

test('[INSPECT-2] steps, images and states may come in any order: each step is told once, and in order', () => {
  const seed = seedOf('inspect-order');
  const dice = random(seed);
  for (let run = 0; run < 40; run++) {
    const recorder = new Recorder(core, lamp, { instance: 'l', peer: 'server' });
    for (let i = 0; i < 12; i++) recorder.step({ type: 'PRESS' }, { peer: 'ann', n: i + 1 }, 1_010 + i);
    const told: InspectMessage[] = [];
    const emitter = new InspectEmitter({ send: (message) => told.push(message), now: () => 0, load: (bytes) => Machine.load(core, bytes) });
    const feeds: (() => void)[] = [
      () => emitter.addImage(recorder.image),
      ...recorder.records.flatMap((record) => [() => void emitter.add(record), () => void emitter.add(record)]),
    ];
    for (let i = feeds.length - 1; i > 0; i--) {
      const j = dice.below(i + 1);
      [feeds[i], feeds[j]] = [feeds[j]!, feeds[i]!];
    }
    for (const feed of feeds) feed();
    const seqs = told.filter(({ type }) => type === '@xstate.snapshot').map(({ seq }) => seq);
    expect(seqs, `SEED=${seed} run ${run}`).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
    expect(told.at(-1)).toMatchObject({ snapshot: { value: 'off', context: { count: 3 } } });
    emitter.close();
  }
});

test('[INSPECT-2] after a gap the state that is described is told, and what it holds already is not', () => {
  const recorder = new Recorder(core, lamp, { instance: 'l', peer: 'server' });
  for (let i = 0; i < 5; i++) recorder.step({ type: 'PRESS' }, { peer: 'ann', n: i + 1 }, 1_010 + i);
  const state = recorder.describe();
  const last = recorder.step({ type: 'BREAK' }, { peer: 'ann', n: 9 }, 1_100);
  const told: InspectMessage[] = [];
  const emitter = new InspectEmitter({ send: (message) => told.push(message), now: () => 0, load: (bytes) => Machine.load(core, bytes) });
  emitter.addImage(recorder.image);
  for (const record of recorder.records.slice(2)) emitter.add(record);
  expect(told).toEqual([]);
  expect(emitter.isRooted(last.step)).toBe(false);
  emitter.addState(state);
  expect(told.map(shortly).slice(1)).toEqual([
    'actor l lamp of #server',
    'snapshot l lockstep.sync "on"',
    'actor #ann ann of nobody',
    'event l BREAK from #ann',
    'snapshot l BREAK "on"',
  ]);
  expect(emitter.isRooted(last.step)).toBe(true);
});

test('[INSPECT-3] a mirror tells own events and what it shows; the events of others it is not told', async () => {
  const world = new World();
  const server = await world.server();
  await world.get(server.create('door', { instance: 'front' }));
  const ann = await world.get((await world.peer('ann')).watch('front', world.door));
  const bob = await world.get((await world.peer('bob')).watch('front', world.door));
  const told: InspectMessage[] = [];
  const subscription = inspectTo((message) => told.push(message), ann, { now: () => 7 });
  ann.send({ type: 'OPEN' });
  expect(told.map(shortly)).toEqual([
    'actor front door of nobody',
    'snapshot front lockstep.sync "closed"',
    'event front OPEN from nobody',
    'snapshot front OPEN "open"',
  ]);
  await world.settle();
  bob.send({ type: 'CLOSE' });
  await world.settle();
  expect(told.slice(4).map(shortly)).toEqual(['snapshot front lockstep.sync "closed"']);
  expect(told[4]).toMatchObject({ instance: 'front', seq: 3, createdAt: '7' });
  subscription.unsubscribe();
  ann.send({ type: 'OPEN' });
  expect(told).toHaveLength(5);
});

test('[INSPECT-3] a local machine tells events and snapshots; an ignored event has no snapshot', () => {
  const { bytes, symbols } = compileMachine(lamp);
  const actor = new LocalSystem(new TestEnvironment()).start(Machine.load(core, bytes, bind(symbols, lamp)), { id: 'mine' });
  const told: InspectMessage[] = [];
  inspectTo((message) => told.push(message), actor, { now: () => 1 });
  actor.send({ type: 'PRESS' });
  actor.send({ type: 'BREAK' });
  expect(told.map(shortly)).toEqual([
    'actor mine lamp of nobody',
    'snapshot mine lockstep.sync "off"',
    'event mine PRESS from nobody',
    'snapshot mine PRESS "on"',
    'event mine BREAK from nobody',
  ]);
  expect(told[3]).toMatchObject({ snapshot: { tags: ['bright'], context: { count: 1 } }, rootId: 'mine', seq: 2 });
});

test('[INSPECT-4] a definition in XState’s shape is told as written, any other as the outline of its image', () => {
  const machine = Machine.load(core, compileMachine(lamp).bytes);
  expect(definitionOf(machine)).toMatchObject({ id: 'lamp', states: { off: { on: { PRESS: { guard: 'hasPower', target: 'on' } } } } });
  expect(outline(machine)).toEqual({
    id: 'lamp',
    initial: 'off',
    states: {
      off: { id: 'lamp.off', on: { PRESS: [{ target: ['#lamp.on'], guard: 'hasPower' }], BREAK: [{ target: ['#lamp.broken'] }] } },
      on: { id: 'lamp.on', tags: ['bright'], on: { PRESS: [{ target: ['#lamp.off'] }] } },
      broken: { id: 'lamp.broken', type: 'final' },
    },
  });
});
