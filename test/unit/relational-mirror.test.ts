// Relational machines across peers: a server that orders, mirrors with and without the author's handlers, links that break.

import { describe, expect, test } from 'vitest';
import type { RelationalConfig } from '../../compiler/index.ts';
import type { HandlerEvent } from '../../core/handlers.ts';
import type { MutationKind } from '../../core/mutation.ts';
import type { RelationalSelf } from '../../core/relational/owner.ts';
import { CANCELLED, EXECUTED } from '../../core/relational/types.ts';
import type { Journal } from '../../peer/journal.ts';
import type { Peer } from '../../peer/peer.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { random as seeded } from '../support/random.ts';
import { World } from '../support/world.ts';

type Final = HandlerEvent<unknown, RelationalSelf>;

const gate = (calls: string[] = []) =>
  ({
    dialect: 'relational',
    id: 'gate',
    states: {
      Open: { remove: 'Closed' },
      Closed: { remove: 'Open', auto: true },
      Locked: { require: 'Closed' },
      Ping: { multi: true, publicArgs: true },
      Bell: { publicArgs: 'by' },
      Broken: {},
      Wrecked: {},
    },
    handlers: {
      LockedEnter: ({ args }: HandlerEvent) => (args as { key?: number } | null)?.key === 42,
      OpenState: ({ machine }: Final) => {
        calls.push('OpenState');
        machine.add('Bell', { by: 'door' });
      },
      BrokenState: () => {
        throw new Error('a wire is loose');
      },
      WreckedState: () => void calls.push('WreckedState'),
    },
  }) as const;

interface Setting {
  readonly world: World;
  readonly journal: Journal;
  readonly calls: string[];
  readonly server: Peer;
  /** Has the handlers. */
  readonly near: RelationalMirror;
  /** Has none. */
  readonly far: RelationalMirror;
}

async function setting(): Promise<Setting> {
  const world = new World();
  const journal = new MemoryJournal();
  const calls: string[] = [];
  const server = await serve(world, journal, calls);
  const alice = await world.peer('alice');
  const bob = await world.peer('bob');
  await world.get(alice.create('gate', { instance: 'front' }));
  const near = new RelationalMirror(await world.get(alice.watch('front', gate())));
  const far = new RelationalMirror(await world.get(bob.watch('front')));
  return { world, journal, calls, server, near, far };
}

function serve(world: World, journal: Journal, calls: string[]): Promise<Peer> {
  return world.server({ journal, machines: { gate: { definition: gate(calls) satisfies RelationalConfig } } });
}

/** Whether a promise has settled, when everything came to rest. */
async function isSettled(world: World, promise: Promise<void>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => undefined,
  );
  await world.settle();
  return settled;
}

describe('mutations', () => {
  test('[REL-23] one shows at once where the handlers are, everywhere when it is confirmed, and tells what came of it', async () => {
    const { world, near, far, calls } = await setting();
    expect([near.active, far.active]).toEqual([[], []]);
    const made = near.add('Open');
    expect([near.is('Open'), near.mirror.standing, far.is('Open')]).toEqual([true, 'predicted', false]);
    expect(await world.get(made)).toBe(EXECUTED);
    expect([near.is('Open'), far.is('Open'), near.tick('Open'), far.tick('Open')]).toEqual([true, true, 1, 1]);
    expect(calls).toEqual(['OpenState']);
    expect(await world.get(far.toggle('Open'))).toBe(EXECUTED);
    expect([near.is('Open'), near.is('Closed'), near.time()]).toEqual([false, true, far.time()]);
  });

  test('[REL-23] a cancelled one leaves both in step, and a name that is no state is refused on the spot', async () => {
    const { world, near, far } = await setting();
    await world.get(near.add('Closed'));
    expect(await world.get(near.add('Locked', { key: 1 }))).toBe(CANCELLED);
    expect(await world.get(far.add('Locked', { key: 1 }))).toBe(CANCELLED);
    expect(await world.get(far.add('Locked', { key: 42 }))).toBe(EXECUTED);
    expect([near.is('Locked'), near.mirror.digest]).toEqual([true, far.mirror.digest]);
    expect(await world.refusal(near.add('Nobody'))).toBe('BAD_PARAMS');
    expect(await world.refusal(near.mirror.submit({ type: 'relational.exception', states: [] } as never))).not.toBe('nothing was refused');
    expect(near.mirror.seq).toBe(far.mirror.seq);
  });

  test('[REL-9] two that toggle a thousand times between them leave it as it was', async () => {
    const { world, near, far } = await setting();
    await world.get(Promise.all(Array.from({ length: 500 }, () => [near.toggle('Wrecked'), far.toggle('Wrecked')]).flat()));
    await world.settle();
    expect([near.tick('Wrecked'), far.tick('Wrecked'), near.is('Wrecked')]).toEqual([1_000, 1_000, false]);
  });

  test.each([1, 2, 3, 4, 5, 6])('[REL-23] random mutations of both, links that break: equal in the end (seed %i)', async (seed) => {
    const { world, near, far } = await setting();
    const random = seeded(seed);
    const kinds: readonly MutationKind[] = ['add', 'remove', 'set', 'toggle'];
    const names = ['Open', 'Closed', 'Locked', 'Ping', 'Bell', 'Broken', 'Wrecked'];
    const outcomes: Promise<number>[] = [];
    for (let i = 0; i < 120; i++) {
      const mirror = random.below(2) === 0 ? near : far;
      const states = names.filter(() => random.below(4) === 0);
      if (states.length === 0) states.push('Locked');
      outcomes.push(mirror[kinds[random.below(4)]!](states, { key: random.below(2) === 0 ? 42 : 7 }));
      const network = world.network(random.below(2) === 0 ? 'alice' : 'bob');
      if (random.below(12) === 0) network.cut();
      else if (random.below(3) === 0) network.mend();
      if (random.below(6) === 0) await world.advance(500);
    }
    for (const name of ['alice', 'bob']) world.network(name).mend();
    await world.advance(120_000);
    const results = await world.get(Promise.all(outcomes));
    expect(new Set(results)).toEqual(new Set([EXECUTED, CANCELLED]));
    expect([near.time(), near.mirror.digest, near.mirror.seq]).toEqual([far.time(), far.mirror.digest, far.mirror.seq]);
    expect(near.is('Open') && near.is('Closed')).toBe(false);
    expect(near.is('Locked') && near.not('Closed')).toBe(false);
    expect(world.reported.filter(([, message]) => message.includes('diverge'))).toEqual([]);
  });
});

describe('waits', () => {
  test('[REL-24] every wait on a mirror, by what another one does', async () => {
    const { world, near, far } = await setting();
    const waits = {
      when: far.when(['Open', 'Bell']),
      whenNot: (await world.get(near.add('Ping')), far.whenNot('Ping')),
      whenAny: far.whenAny(['Locked', 'Open']),
      whenTime: far.whenTime('Bell', [1]),
      whenNext: far.whenNext('Open'),
      whenTicks: far.whenTicks('Ping', 1),
      whenQuery: far.whenQuery((clock) => clock['Open'] === 1),
      whenArgs: far.whenArgs('Bell', { by: 'door' }),
    };
    const signal = far.stateSignal('Open');
    const never = far.whenArgs('Open', { by: 'nobody' });
    expect(signal.aborted).toBe(false);
    near.add('Open', { by: 'me' }).catch(() => undefined);
    near.remove('Ping').catch(() => undefined);
    for (const promise of Object.values(waits)) await world.get(promise);
    expect(signal.aborted).toBe(true);
    expect(await isSettled(world, never)).toBe(false);
    far.dispose();
    expect(await world.refusal(never)).toBe('CLOSED');
    await world.get(far.whenDisposed());
  });

  test('[REL-24] across a broken link and a restart of the server: clocks, waits and args', async () => {
    const { world, journal, calls, server, near, far } = await setting();
    await world.get(near.add(['Closed', 'Ping']));
    const before = far.time();
    const pinged = far.whenArgs('Ping', { by: 'near' });
    const again = far.whenTicks('Ping', 4);
    world.network('bob').cut();
    await world.get(near.add('Locked', { key: 42 }));
    await world.get(near.add('Ping', { by: 'near' }));
    world.network('bob').mend();
    await world.advance(30_000);
    await world.get(pinged);
    await world.get(server.close());
    const queued = near.add('Ping');
    await serve(world, journal, calls);
    await world.advance(60_000);
    expect(await world.get(queued)).toBe(EXECUTED);
    await world.get(again);
    expect(far.is(['Closed', 'Locked', 'Ping'])).toBe(true);
    expect(far.clock('Ping')['Ping']).toBe(before[far.names.indexOf('Ping')]! + 4);
    expect(near.mirror.digest).toBe(far.mirror.digest);
  });
});

test('[REL-25] can is answered truthfully with and without the handlers', async () => {
  const { world, near, far } = await setting();
  for (const mirror of [near, far]) {
    expect(await world.get(mirror.canAdd('Locked', { key: 42 }))).toBe(false);
  }
  await world.get(near.add('Closed'));
  const { seq } = near.mirror;
  for (const mirror of [near, far]) {
    expect(await world.get(mirror.canAdd('Locked', { key: 42 }))).toBe(true);
    expect(await world.get(mirror.canAdd('Locked', { key: 41 }))).toBe(false);
    expect(await world.get(mirror.canRemove('Closed'))).toBe(true);
    expect(await world.get(mirror.canSet('Open'))).toBe(true);
    expect(await world.refusal(mirror.canAdd('Nobody'))).toBe('BAD_PARAMS');
  }
  expect([near.mirror.seq, far.mirror.seq]).toEqual([seq, seq]);
});

test('[REL-26] what a final handler throws at the authority takes back what it was about, with Exception', async () => {
  const { world, far, near, calls } = await setting();
  const err = far.whenErr();
  expect(await world.get(near.add(['Broken', 'Wrecked']))).toBe(EXECUTED);
  await world.get(err);
  expect([far.is('Exception'), far.any('Broken', 'Wrecked'), calls]).toEqual([true, false, []]);
  await world.get(near.remove('Exception'));
  await world.get(near.add('Wrecked'));
  expect([near.is('Wrecked'), calls]).toEqual([true, ['WreckedState']]);
  expect(near.mirror.digest).toBe(far.mirror.digest);
});
