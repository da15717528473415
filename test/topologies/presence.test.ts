// Who is at an instance: the newest counts, and it is the first to be dropped.

import { expect, test } from 'vitest';
import type { Frame, Link, LinkEvents } from '../../peer/link.ts';
import { Presence } from '../../peer/presence.ts';
import { linkPair } from '../../peer/testing.ts';
import { PlainSocket, World } from '../support/world.ts';

async function three() {
  const world = new World();
  const server = await world.server();
  const alice = await world.peer('alice');
  const bob = await world.peer('bob');
  await world.get(alice.create('door', { instance: 'front' }));
  const a = await world.get(alice.watch('front', world.door));
  const b = await world.get(bob.watch('front', world.door));
  const here = new Presence(a);
  const there = new Presence(b);
  await world.advance(100);
  return { world, server, alice, bob, a, b, here, there };
}

test('[TOPO-11] each sees what the others say last, and that they leave', async () => {
  const { world, bob, a, here, there } = await three();
  const told: unknown[] = [];
  here.subscribe((present) => void told.push(present.size));
  here.set({ cursor: [1, 2] });
  there.set('typing');
  await world.advance(100);
  expect([...here.present]).toEqual([...there.present]);
  expect(Object.fromEntries(here.present)).toEqual({ alice: { cursor: [1, 2] }, bob: 'typing' });
  there.set(null);
  await world.advance(200);
  expect(Object.fromEntries(here.present)).toEqual({ alice: { cursor: [1, 2] } });
  there.set('back');
  await world.advance(200);
  await world.get(bob.close());
  await world.advance(100);
  expect([[...here.present.keys()], told.length > 2]).toEqual([['alice'], true]);
  // Nothing of it was ordered.
  expect(a.seq).toBe(1);
});

test('[TOPO-11] of many updates the newest is told, at most 20 times a second', async () => {
  const { world, here, there } = await three();
  let heard = 0;
  there.subscribe(() => heard++);
  for (let i = 0; i < 1_000; i++) {
    here.set(i);
    await world.advance(1);
  }
  await world.advance(200);
  expect(there.present.get('alice')).toBe(999);
  expect(heard).toBeGreaterThan(5);
  expect(heard).toBeLessThanOrEqual(21);
});

test('[TOPO-11] who comes back attends again, and is there again', async () => {
  const { world, here, there } = await three();
  here.set('alice');
  there.set('bob');
  await world.advance(100);
  world.network('alice').cut();
  await world.advance(100);
  expect([[...here.present], [...there.present.keys()]]).toEqual([[], ['bob']]);
  world.network('alice').mend();
  await world.advance(20_000);
  expect([[...here.present.keys()].sort(), [...there.present.keys()].sort()]).toEqual([
    ['alice', 'bob'],
    ['alice', 'bob'],
  ]);
});

test('[TOPO-11] too much is refused, and so is one who does not watch', async () => {
  const { world, here, there } = await three();
  expect(() => here.set('x'.repeat(1_023))).toThrow(/at most 1024/);
  here.set('x'.repeat(1_022));
  await world.advance(100);
  expect(there.present.get('alice')).toBe('x'.repeat(1_022));
  const eve = await world.peer('eve');
  const e = await world.get(eve.watch('front'));
  e.stop();
  await world.settle();
  const again = await world.get(eve.watch('front'));
  const presence = new Presence(again);
  presence.set('eve');
  await world.advance(100);
  expect(here.present.get('eve')).toBe('eve');
  again.stop();
  await world.settle();
  there.set('something new');
  await world.advance(200);
  expect([...here.present.keys()].sort()).toEqual(['alice', 'bob']);
});

/** server ← one ← two, with alice at the server, bob behind one and carol behind two. */
async function behind(trusts: () => boolean) {
  const world = new World();
  await world.server({ trusts });
  const one = await world.peer('one', { trusts });
  const two = await world.peer('two', { trusts });
  const [alice, bob, carol] = [await world.peer('alice'), await world.peer('bob'), await world.peer('carol')];
  await world.get(alice.create('door', { instance: 'front' }));
  await world.get(one.offer(await world.get(one.watch('front', world.door))));
  await world.get(two.offer(await world.get(two.watch('front', world.door, { sources: ['one'] }))));
  const a = new Presence(await world.get(alice.watch('front', world.door)));
  const b = new Presence(await world.get(bob.watch('front', world.door, { sources: ['one'] })));
  const c = new Presence(await world.get(carol.watch('front', world.door, { sources: ['two', 'one'] })));
  a.set('at the server');
  b.set('behind one');
  c.set('behind two');
  await world.advance(500);
  return { world, carol, bob, all: [a, b, c] as const };
}

const heardBy = (presence: Presence): unknown => Object.fromEntries([...presence.present].sort());

test('[TOPO-13] behind sources everyone is seen by everyone, and seen to leave', async () => {
  const { world, carol, bob, all } = await behind(() => true);
  const everyone = { alice: 'at the server', bob: 'behind one', carol: 'behind two' };
  expect(all.map(heardBy)).toEqual([everyone, everyone, everyone]);
  const [a, b, c] = all;
  c.set({ cursor: 3 });
  await world.advance(500);
  expect([heardBy(a), heardBy(b)]).toEqual(Array(2).fill({ ...everyone, carol: { cursor: 3 } }));
  await world.get(carol.close());
  await world.advance(500);
  expect([heardBy(a), heardBy(b)]).toEqual(Array(2).fill({ alice: 'at the server', bob: 'behind one' }));
  await world.get(bob.close());
  await world.advance(500);
  expect(heardBy(a)).toEqual({ alice: 'at the server' });
  expect(world.reported).toEqual([]);
});

test('[TOPO-13] a source that is cut off takes those behind it out of sight, and they are there again by another road', async () => {
  const { world, all } = await behind(() => true);
  const [a, b, c] = all;
  const missed = [a, b].map((each) => {
    let wasMissed = false;
    each.subscribe((present) => (wasMissed ||= !present.has('carol')));
    return () => wasMissed;
  });
  world.network('two').cut();
  await world.advance(20_000);
  expect(missed.map((was) => was())).toEqual([true, true]);
  const everyone = { alice: 'at the server', bob: 'behind one', carol: 'behind two' };
  expect([heardBy(a), heardBy(b), heardBy(c)]).toEqual(Array(3).fill(everyone));
  world.network('two').mend();
  await world.advance(20_000);
  expect([heardBy(a), heardBy(b), heardBy(c)]).toEqual(Array(3).fill(everyone));
});

test('[TOPO-13] nobody is spoken for by a source that is not trusted, and nobody by one who has not vouched', async () => {
  const { world, all } = await behind(() => false);
  const [a, b, c] = all;
  expect([heardBy(a), heardBy(b), heardBy(c)]).toEqual(Array(3).fill({ alice: 'at the server' }));
  const said = { instance: 'front', data: 'I am alice', of: 'alice' };
  expect(await new PlainSocket(world).ask(world, 'here', said)).toBe('FORBIDDEN');
  const { world: trusting } = await behind(() => true);
  expect(await new PlainSocket(trusting).ask(trusting, 'here', said)).toBe('UNREACHABLE');
});

/** A link whose other end takes nothing. */
class Clogged implements Link {
  readonly #link: Link;
  readonly sent: string[] = [];
  bufferedBytes = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  open(events: LinkEvents): void {
    this.#link.open(events);
  }

  send(frame: Frame): void {
    this.sent.push(String(frame));
    this.#link.send(frame);
  }

  close(code: number, reason: string): void {
    this.#link.close(code, reason);
  }
}

test('[TOPO-11] for a reader that is behind the relay drops presence first, while steps still come, and says nothing of it', async () => {
  const { world, alice, here, a } = await three();
  let clogged: Clogged | undefined;
  const [near, far] = linkPair(world.environment);
  const slow = await world.peer('slow', {
    dial: () => {
      clogged = new Clogged(far);
      world.hub.attach(clogged);
      return Promise.resolve(near);
    },
  });
  const s = await world.get(slow.watch('front', world.door));
  const presence = new Presence(s);
  await world.advance(100);
  here.set(1);
  await world.advance(100);
  expect(presence.present.get('alice')).toBe(1);
  clogged!.bufferedBytes = 100_000;
  here.set(2);
  a.send({ type: 'OPEN' });
  await world.advance(200);
  expect([s.getSnapshot().value, presence.present.get('alice')]).toEqual(['open', 1]);
  expect(clogged!.sent.filter((frame) => frame.includes('lagging'))).toEqual([]);
  clogged!.bufferedBytes = 0;
  here.set(3);
  await world.advance(200);
  expect([presence.present.get('alice'), alice.isConnected]).toEqual([3, true]);
});
