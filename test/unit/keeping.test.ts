// Mirrors that outlive their process: a peer is killed at every moment of an event's way, and comes back with its store.

import { describe, expect, test } from 'vitest';
import { Keeper } from '../../peer/keeper.ts';
import type { Keep, Store } from '../../peer/keeping.ts';
import { MemoryStore } from '../../peer/memory-store.ts';
import type { Mirror, Refusal } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { storeContract } from '../contracts/store.ts';
import { World } from '../support/world.ts';

describe('store in memory', () => {
  for (const [name, check] of Object.entries(storeContract))
    test(name, async () => {
      const place = new MemoryStore();
      const peers = new Map<string, MemoryStore>();
      await check({ open: async (peer) => peers.get(peer) ?? peers.set(peer, new MemoryStore(place)).get(peer)! });
    });
});

const keepIn =
  (world: World, store: Store): Keep =>
  (instance) =>
    new Keeper({ instance, store, environment: world.environment, report: world.report });

async function begin(): Promise<{ world: World; store: MemoryStore }> {
  const world = new World();
  const server = await world.server();
  await world.get(server.create('door', { instance: 'front' }));
  return { world, store: new MemoryStore() };
}

/** The next life of alice. What she was is dead: its process says and writes nothing more. */
async function live(
  world: World,
  store: Store,
  isUp = true,
): Promise<{ alice: Peer; front: Mirror; network: ReturnType<World['network']> }> {
  const alice = await world.peer('alice', { keep: keepIn(world, store) });
  const network = world.network('alice');
  if (!isUp) network.cut();
  const front = (await world.get(alice.watch('front', world.door, { isPatient: true }))) as unknown as Mirror;
  return { alice, front, network };
}

const names = (mirror: Mirror): readonly string[] => (mirror.getSnapshot().context as { names: string[] }).names;

/** A store that stops writing: its process was killed. */
class Mortal implements Store {
  readonly #inner: Store;
  isDead = false;
  /** Dies when so many more writes are done. */
  writesLeft = Infinity;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  read(instance: string): ReturnType<Store['read']> {
    return this.#inner.read(instance);
  }

  async add(...args: Parameters<Store['add']>): Promise<void> {
    await this.#alive();
    await this.#inner.add(...args);
    this.#wrote();
  }

  async save(...args: Parameters<Store['save']>): Promise<void> {
    await this.#alive();
    await this.#inner.save(...args);
    this.#wrote();
  }

  #wrote(): void {
    if (--this.writesLeft <= 0) this.isDead = true;
  }

  async #alive(): Promise<void> {
    if (this.isDead) await new Promise(() => undefined);
  }
}

test('[KEEP-1] killed after every number of turns of an event’s way, it is applied exactly once', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const { world, store } = await begin();
    const mortal = new Mortal(store);
    const first = await live(world, mortal);
    first.front.send({ type: 'NAME', name: 'Ada' });
    first.front.send({ type: 'NAME', name: 'Bob' });
    for (let turn = 0; turn < turns; turn++) await world.environment.turn();
    mortal.isDead = true;
    first.network.cut();
    await world.settle();
    const isKept = (await store.read('front')).newest > 0;
    const { front } = await live(world, store);
    await world.advance(60_000);
    // Before the first write nobody could know.
    expect(names(front), `killed after ${turns} turns`).toEqual(isKept ? ['Ada', 'Bob'] : []);
    expect(front.unconfirmedCount).toBe(0);
    front.send({ type: 'NAME', name: 'Eve' });
    await world.advance(1_000);
    expect(names(front)).toEqual(isKept ? ['Ada', 'Bob', 'Eve'] : ['Eve']);
    expect((await store.read('front')).events).toEqual([]);
  }
});

test('[KEEP-1] [KEEP-2] life after life without a link: everything shows, and arrives once and in order', async () => {
  const { world, store } = await begin();
  const { network } = await live(world, store);
  await world.advance(1_000);
  network.cut();
  const expected: string[] = [];
  for (let life = 1; life <= 4; life++) {
    const mortal = new Mortal(store);
    const { alice, front } = await live(world, mortal, false);
    expect(front.standing).toBe('offline');
    expect(names(front)).toEqual(expected);
    for (let i = 1; i <= 3; i++) {
      expected.push(`${life}.${i}`);
      front.send({ type: 'NAME', name: `${life}.${i}` });
    }
    await world.advance(1_000);
    mortal.isDead = true;
    await alice.close();
  }
  const { front } = await live(world, store);
  await world.advance(60_000);
  expect(names(front)).toEqual(expected);
  expect([front.standing, front.unconfirmedCount]).toEqual(['confirmed', 0]);
});

test('[KEEP-3] what no longer applies is told: refused with its code, or overtaken by what others did', async () => {
  const { world, store } = await begin();
  const { alice, front, network } = await live(world, store);
  const bob = await world.peer('bob');
  const other = await world.get(bob.watch('front', world.door));
  await world.advance(1_000);
  network.cut();
  front.send({ type: 'OPEN' });
  front.submit({ type: 'NAME', name: 'if still at 1' }, { seq: 2 }).catch(() => undefined);
  front.send({ type: 'NAME', name: 'whatever happens' });
  await world.advance(1_000);
  await alice.close();
  other.send({ type: 'OPEN' });
  other.send({ type: 'NAME', name: 'Bob' });
  await world.advance(1_000);
  const back = await live(world, store, false);
  expect(names(back.front)).toEqual(['if still at 1', 'whatever happens']);
  const refused: Refusal[] = [];
  const overtaken: unknown[] = [];
  back.front.onRefused((refusal) => refused.push(refusal));
  back.front.onOvertaken((event) => overtaken.push(event));
  back.network.mend();
  // Long enough for the link, shorter than the door stays open.
  back.alice.reconnectNow();
  await world.settle();
  expect(overtaken).toEqual([{ type: 'OPEN' }]);
  expect(refused.map(({ event, error }) => [event, error.code])).toEqual([[{ type: 'NAME', name: 'if still at 1' }, 'EXPECTATION']]);
  expect(names(back.front)).toEqual(['Bob', 'whatever happens']);
  await world.advance(1_000);
  expect((await store.read('front')).events).toEqual([]);
});

test('[KEEP-5] where nothing can be kept, events are sent all the same, and it is reported', async () => {
  const { world } = await begin();
  const full: Store = {
    read: () => Promise.reject(new Error('no storage')),
    add: () => Promise.reject(new Error('quota')),
    save: () => Promise.reject(new Error('quota')),
  };
  const { front } = await live(world, full);
  front.send({ type: 'NAME', name: 'Ada' });
  await world.advance(1_000);
  expect([front.standing, names(front)]).toEqual(['confirmed', ['Ada']]);
  expect(world.reported.map(([, message]) => message)).toEqual(
    expect.arrayContaining(['the store could not read front', 'the store could not keep events of front']),
  );
});

test('[KEEP-1] a deleted instance takes what was kept of its events along; a mirror that is stopped does not', async () => {
  const { world, store } = await begin();
  const { alice, front, network } = await live(world, store);
  network.cut();
  front.send({ type: 'NAME', name: 'Ada' });
  await world.advance(1_000);
  front.stop();
  await world.advance(1_000);
  expect((await store.read('front')).events).toHaveLength(1);
  await alice.close();

  const server = await world.peer('operator');
  const back = await live(world, store);
  await world.advance(1_000);
  const deleted = server.delete('front');
  back.front.send({ type: 'NAME', name: 'Eve' });
  await world.get(deleted);
  await world.advance(1_000);
  expect((await store.read('front')).events).toEqual([]);
});
