// Watching a part of a mirror.

import { expect, test } from 'vitest';
import { select } from '../../browser/select.ts';
import { World } from '../support/world.ts';

test('[WEB-11] select tells a part when it changed, with what it was, and nothing else', async () => {
  const world = new World();
  await world.server();
  const [alice, bob] = [await world.peer('alice'), await world.peer('bob')];
  await world.get(alice.create('door', { instance: 'front' }));
  const [a, b] = [await world.get(alice.watch('front', world.door)), await world.get(bob.watch('front', world.door))];
  const names: unknown[] = [];
  const counts: unknown[] = [];
  const sizes: unknown[] = [];
  const subscription = select(
    b,
    ({ context }) => context.names,
    (now, before) => names.push([now, before]),
  );
  select(
    b,
    ({ context }) => context.opened,
    (now) => counts.push(now),
  );
  select(
    b,
    ({ context }) => ({ size: context.names.length }),
    (now) => sizes.push(now),
    (one, other) => one.size === other.size,
  );
  a.send({ type: 'NAME', name: 'ada' });
  a.send({ type: 'OPEN' });
  await world.settle();
  expect(names).toEqual([[['ada'], []]]);
  expect(counts).toEqual([1]);
  expect(sizes).toEqual([{ size: 1 }]);
  subscription.unsubscribe();
  a.send({ type: 'NAME', name: 'bert' });
  await world.settle();
  expect([names.length, sizes]).toEqual([1, [{ size: 1 }, { size: 2 }]]);
});
