// Two relays that do not know each other, and a peer that is on both.

import { expect, test } from 'vitest';
import { World } from '../support/world.ts';

const trusts = (): boolean => true;

/** alice orders at the first relay; between is on both; leaf is on the second. */
async function twoRelays() {
  const here = new World();
  const there = new World(2, here.environment);
  const machines = { door: { definition: here.door } };
  const alice = await here.peer('alice', { machines, trusts });
  const own = await here.get(alice.host('desk', 'door'));
  const near = await here.peer('between', { trusts });
  const far = await there.peer('between', { trusts });
  const heard = await here.get(near.watch('alice/desk', here.door));
  await here.get(far.offer(heard));
  const leaf = await there.peer('leaf');
  const mirror = await there.get(leaf.watch('alice/desk', here.door, { sources: ['between'] }));
  return { here, there, alice, own, near, far, leaf, mirror };
}

test('[TOPO-5] an instance that is ordered at one relay is mirrored and moved at the other', async () => {
  const { here, there, own, mirror } = await twoRelays();
  own.send({ type: 'OPEN' });
  mirror.send({ type: 'NAME', name: 'from afar' });
  await here.settle();
  expect(mirror.getSnapshot()).toEqual(own.getSnapshot());
  expect(own.getSnapshot().context).toEqual({ opened: 1, names: ['from afar'], note: null });
  expect([mirror.seq, mirror.digest, mirror.epoch, mirror.standing]).toEqual([3, own.digest, own.epoch, 'confirmed']);
  expect([here.reported, there.reported]).toEqual([[], []]);
});

test.each(['the near relay', 'the far relay'])('[TOPO-5] nothing is lost and nothing doubled when %s is out of reach', async (which) => {
  const { here, there, own, mirror } = await twoRelays();
  const network = which === 'the near relay' ? here.network('between') : there.network('between');
  mirror.send({ type: 'NAME', name: 'first' });
  await here.environment.turn();
  await here.environment.turn();
  network.cut();
  await here.settle();
  expect(mirror.standing).toBe('offline');
  mirror.send({ type: 'NAME', name: 'second' });
  own.send({ type: 'NAME', name: 'own' });
  await here.advance(3_000);
  network.mend();
  await here.advance(60_000);
  expect([...(own.getSnapshot().context as { names: string[] }).names].sort()).toEqual(['first', 'own', 'second']);
  expect([mirror.standing, mirror.digest, mirror.unconfirmedCount]).toEqual(['confirmed', own.digest, 0]);
});
