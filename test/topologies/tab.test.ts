// A tab that orders an instance, a server that mirrors it, and other tabs: what becomes of them when the tab is closed.

import { describe, expect, test } from 'vitest';
import type { Journal } from '../../peer/journal.ts';
import type { Peer } from '../../peer/peer.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { World } from '../support/world.ts';

const trusts = (): boolean => true;
const namesOf = (mirror: { getSnapshot(): { context: unknown } }): readonly string[] =>
  (mirror.getSnapshot().context as { names: readonly string[] }).names;

/** The server watches the tab's desk and passes it on; two other tabs watch, one at the server and one at the tab. */
async function tabs(journal?: Journal) {
  const world = new World();
  const server = await world.server({ trusts });
  const open = (): Promise<Peer> =>
    world.peer('tab', {
      kind: 'browser',
      trusts,
      machines: { door: { definition: world.door } },
      ...(journal === undefined ? {} : { journal }),
    });
  const tab = await open();
  const own = await world.get(tab.host('desk', 'door'));
  const s = await world.get(server.watch('tab/desk', world.door));
  await world.get(server.offer(s));
  const second = await world.peer('second', { kind: 'browser' });
  const third = await world.peer('third', { kind: 'browser' });
  const m2 = await world.get(second.watch('tab/desk', world.door, { sources: ['server'] }));
  const m3 = await world.get(third.watch('tab/desk', world.door));
  own.send({ type: 'NAME', name: 'own' });
  m2.send({ type: 'NAME', name: 'second' });
  m3.send({ type: 'NAME', name: 'third' });
  await world.settle();
  expect(namesOf(s)).toHaveLength(3);
  return { world, server, tab, open, own, s, m2, m3 };
}

describe('a tab as authority', () => {
  test.each(['its journal', 'no journal'])('[TOPO-12] closed, everyone says so and queues; back with %s, they go on', async (with_) => {
    const isKept = with_ === 'its journal';
    const { world, tab, open, s, m2, m3 } = await tabs(isKept ? new MemoryJournal() : undefined);
    const { epoch, seq } = s;
    const before = namesOf(s);
    await world.get(tab.close());
    await world.settle();
    expect([s.standing, m2.standing, m3.standing]).toEqual(['offline', 'offline', 'offline']);
    expect(namesOf(s)).toEqual(before);
    s.send({ type: 'NAME', name: 'server, queued' });
    m2.send({ type: 'NAME', name: 'second, queued' });
    await world.settle();
    expect([s.unconfirmedCount, m2.unconfirmedCount, namesOf(s).at(-1)]).toEqual([1, 1, 'server, queued']);
    await world.advance(5);
    const again = await open();
    const own = await world.get(again.host('desk', 'door'));
    await world.advance(40_000);
    // The same history has the same epoch and goes on after its seq; another one has a higher epoch and begins anew.
    expect(s.epoch === epoch).toBe(isKept);
    expect(s.epoch >= epoch).toBe(true);
    expect(s.seq).toBe(isKept ? seq + 2 : 3);
    expect([...namesOf(own)].sort()).toEqual([...(isKept ? before : []), 'second, queued', 'server, queued'].sort());
    for (const mirror of [s, m2, m3])
      expect([mirror.standing, mirror.digest, mirror.unconfirmedCount]).toEqual(['confirmed', own.digest, 0]);
  });

  test('[TOPO-12] a server that stands by takes over when the tab is gone, and the tab that comes back follows', async () => {
    const { world, server, tab, open, s, m2 } = await tabs(new MemoryJournal());
    await world.get(server.standBy(s));
    const before = namesOf(s);
    await world.get(tab.close());
    m2.send({ type: 'NAME', name: 'queued' });
    await world.settle();
    await world.get(server.takeOver('tab/desk'));
    await world.advance(20_000);
    expect([m2.standing, namesOf(m2)]).toEqual(['confirmed', [...before, 'queued']]);
    const again = await open();
    await world.advance(20_000);
    const own = await world.get(again.host('desk', 'door'));
    own.send({ type: 'NAME', name: 'back' });
    await world.settle();
    expect([namesOf(s), namesOf(m2), own.epoch]).toEqual([[...before, 'queued', 'back'], [...before, 'queued', 'back'], s.epoch]);
  });
});
