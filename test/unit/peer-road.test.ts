// The road of an event between peers: predicted where it was made, ordered and made durable at the authority, confirmed everywhere.

import { describe, expect, test } from 'vitest';
import type { Traced } from '../../peer/wire.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { HeldJournal, World } from '../support/world.ts';

async function doorWorld() {
  const world = new World();
  const journal = new HeldJournal(new MemoryJournal());
  const server = await world.server({ journal });
  const alice = await world.peer('alice');
  const bob = await world.peer('bob');
  await world.get(alice.create('door', { instance: 'front' }));
  const a = await world.get(alice.watch('front', world.door));
  const b = await world.get(bob.watch('front', world.door));
  return { world, journal, server, alice, bob, a, b };
}

describe('the straight road', () => {
  test('[SYNC-6] what a peer sends shows at once as a prediction, and everywhere when the authority confirmed it', async () => {
    const { world, a, b } = await doorWorld();
    expect([a.getSnapshot().value, a.standing, a.seq]).toEqual(['closed', 'confirmed', 1]);
    a.send({ type: 'OPEN' });
    expect([a.getSnapshot().value, a.standing, a.seq]).toEqual(['open', 'predicted', 1]);
    expect(b.getSnapshot().value).toBe('closed');
    await world.settle();
    expect([a.getSnapshot().value, a.standing, a.seq]).toEqual(['open', 'confirmed', 2]);
    expect([b.getSnapshot().value, b.getSnapshot().context, b.seq]).toEqual(['open', { opened: 1, names: [], note: null }, 2]);
    expect([a.tick('open'), b.tick('open'), b.tick('closed')]).toEqual([1, 1, 2]);
    expect(world.rings).toEqual([{ at: 'OPEN', opened: 1 }]);
  });

  test('[SYNC-6] a right prediction is confirmed without a new snapshot', async () => {
    const { world, a } = await doorWorld();
    const seen: unknown[] = [];
    a.subscribe((snapshot) => seen.push(snapshot));
    a.send({ type: 'NAME', name: 'Ada' });
    const predicted = a.getSnapshot();
    await world.settle();
    expect(seen).toEqual([predicted]);
    expect(a.getSnapshot()).toBe(predicted);
    expect(a.standing).toBe('confirmed');
  });

  test('[SYNC-1] conflicting events of two peers end in one order, the same everywhere', async () => {
    const { world, server, a, b } = await doorWorld();
    for (let i = 0; i < 20; i++) {
      a.send({ type: 'NAME', name: `a${i}` });
      b.send({ type: 'NAME', name: `b${i}` });
      if (i % 3 === 0) a.send({ type: i % 2 === 0 ? 'OPEN' : 'CLOSE' });
      if (i % 4 === 0) b.send({ type: i % 2 === 0 ? 'CLOSE' : 'OPEN' });
      if (i % 5 === 0) await world.settle();
    }
    await world.settle();
    const described = await world.get(server.get('front'));
    expect(a.getSnapshot().toJSON()).toEqual(b.getSnapshot().toJSON());
    expect('state' in described && described.state.context).toEqual(a.getSnapshot().context);
    expect([a.seq, b.seq]).toEqual([53, 53]);
    const names = (a.getSnapshot().context as { names: string[] }).names;
    expect(names).toHaveLength(40);
    expect(names.filter((name) => name.startsWith('a'))).toEqual(Array.from({ length: 20 }, (_, i) => `a${i}`));
  });

  test('[SYNC-6] a foreign step under a prediction: it is replayed over the new ground', async () => {
    const { world, a, b } = await doorWorld();
    b.send({ type: 'NAME', name: 'Bob' });
    a.send({ type: 'NAME', name: 'Ada' });
    expect(a.getSnapshot().context).toMatchObject({ names: ['Ada'] });
    await world.settle();
    const { names } = a.getSnapshot().context as { names: string[] };
    expect([...names].sort()).toEqual(['Ada', 'Bob']);
    expect(b.getSnapshot().context).toEqual(a.getSnapshot().context);
  });

  test('[SYNC-1] submit tells where in the order an event stands, and whether it was ignored', async () => {
    const { world, a } = await doorWorld();
    expect(await world.get(a.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(await world.get(a.submit({ type: 'OPEN' }))).toEqual({ outcome: 'ignored', seq: 3 });
    expect(await world.get(a.submit({ type: 'NAME', name: '' }))).toEqual({ outcome: 'ignored', seq: 4 });
    expect(a.seq).toBe(4);
  });

  test('[SYNC-18] one frame per room and turn, the same for every member, and it is the answer to those who sent', async () => {
    const world = new World();
    await world.server();
    const frames = { alice: [] as string[], bob: [] as string[] };
    const alice = await world.peer('alice', { record: (line) => frames.alice.push(line) });
    const bob = await world.peer('bob', { record: (line) => frames.bob.push(line) });
    await world.get(alice.create('door', { instance: 'front' }));
    const a = await world.get(alice.watch('front', world.door));
    await world.get(bob.watch('front', world.door));
    frames.alice.length = frames.bob.length = 0;
    for (let i = 0; i < 10; i++) a.send({ type: 'NAME', name: `n${i}` });
    await world.settle();
    const room = (line: string): boolean => line.startsWith('< from #server/');
    expect(frames.alice.filter((line) => line.startsWith('> to server'))).toHaveLength(1);
    expect(frames.alice.filter((line) => line.startsWith('< from server'))).toEqual([]);
    expect(frames.bob.filter(room)).toHaveLength(1);
    expect(frames.alice.filter(room)).toEqual(frames.bob.filter(room));
  });

  test('[SYNC-9] a watch in the midst of steps misses none and gets none twice', async () => {
    const { world, a, bob } = await doorWorld();
    const carol = await world.peer('carol');
    const watching = carol.watch('front', world.door);
    for (let i = 0; i < 30; i++) {
      a.send({ type: 'NAME', name: `n${i}` });
      for (let j = 0; j < i % 7; j++) await undefined;
    }
    const c = await world.get(watching);
    await world.settle();
    expect(c.seq).toBe(a.seq);
    expect(c.getSnapshot().context).toEqual(a.getSnapshot().context);
    expect(bob.isConnected).toBe(true);
  });
});

describe('durability', () => {
  test('[SYNC-4] nothing is answered, broadcast, shown to readers or acted on before it is durable', async () => {
    const { world, journal, a, b, bob } = await doorWorld();
    journal.isHolding = true;
    let told: unknown;
    void a.submit({ type: 'OPEN' }).then((result) => (told = result));
    const described = bob.get('front');
    const carol = await world.peer('carol');
    const watched = carol.watch('front', world.door);
    await world.settle();
    expect([told, b.getSnapshot().value, a.standing, world.rings.length]).toEqual([undefined, 'closed', 'predicted', 0]);
    journal.release();
    expect(await world.get(described)).toMatchObject({ value: 'open', seq: 2 });
    expect((await world.get(watched)).getSnapshot().value).toBe('open');
    expect([told, b.getSnapshot().value, a.standing, world.rings.length]).toEqual([{ outcome: 'stepped', seq: 2 }, 'open', 'confirmed', 1]);
  });

  test('[SYNC-5] when a commit fails, what was not durable is undone everywhere and its senders are told', async () => {
    const { world, journal, a, b } = await doorWorld();
    await world.get(a.submit({ type: 'NAME', name: 'kept' }));
    journal.isHolding = true;
    const first = a.submit({ type: 'OPEN' });
    const second = b.submit({ type: 'NAME', name: 'lost' });
    first.catch(() => undefined);
    second.catch(() => undefined);
    await world.settle();
    const third = a.submit({ type: 'NAME', name: 'lost too' });
    third.catch(() => undefined);
    await world.settle();
    journal.failHeld();
    expect([await world.refusal(first), await world.refusal(second), await world.refusal(third)]).toEqual([
      'STORAGE',
      'STORAGE',
      'STORAGE',
    ]);
    expect([a.getSnapshot().value, a.getSnapshot().context]).toEqual(['closed', { opened: 0, names: ['kept'], note: null }]);
    expect([a.standing, a.seq, b.seq, world.rings.length]).toEqual(['confirmed', 2, 2, 0]);
    expect(await world.get(b.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 3 });
    expect([a.getSnapshot().value, b.getSnapshot().value]).toEqual(['open', 'open']);
  });

  test('[SYNC-5] a journal that cannot be written is reported once, and when it can be again', async () => {
    const { world, journal, a } = await doorWorld();
    const journalReports = (): unknown[] => world.reported.filter(([, text]) => text.startsWith('the journal ')).map(([level]) => level);
    for (let i = 0; i < 3; i++) {
      journal.isHolding = true;
      const lost = a.submit({ type: 'NAME', name: `lost ${i}` });
      lost.catch(() => undefined);
      await world.settle();
      journal.failHeld();
      expect(await world.refusal(lost)).toBe('STORAGE');
      expect(journalReports()).toEqual(['error']);
      await world.advance(60_000); // the instance is read again, after a while that grows
    }
    journal.isHolding = false;
    expect(await world.get(a.submit({ type: 'NAME', name: 'kept' }))).toMatchObject({ outcome: 'stepped' });
    expect(journalReports()).toEqual(['error', 'info']);
  });

  test('[SYNC-5] a creation whose commit fails leaves no instance', async () => {
    const world = new World();
    const journal = new HeldJournal(new MemoryJournal());
    const server = await world.server({ journal });
    journal.isHolding = true;
    const creating = server.create('door', { instance: 'front' });
    creating.catch(() => undefined);
    await world.settle();
    journal.failHeld();
    expect(await world.refusal(creating)).toBe('STORAGE');
    expect(await world.refusal(server.get('front'))).toBe('UNKNOWN_INSTANCE');
    expect(await world.get(server.create('door', { instance: 'front' }))).toMatchObject({ instance: 'front', seq: 1 });
  });

  test('[SYNC-5] timers too are those of the last durable step; a timer whose commit fails is tried again, ever less often', async () => {
    const { world, journal, a } = await doorWorld();
    await world.get(a.submit({ type: 'OPEN' }));
    journal.isHolding = true;
    const closing = a.submit({ type: 'CLOSE' });
    closing.catch(() => undefined);
    await world.settle();
    journal.failHeld();
    expect(await world.refusal(closing)).toBe('STORAGE');
    await world.advance(4_999);
    expect([a.getSnapshot().value, world.rings.length]).toEqual(['open', 1]);
    const before = journal.writes;
    let failures = 0;
    for (let second = 0; second < 120; second++) {
      journal.isHolding = true;
      await world.advance(1_000);
      journal.failHeld();
      await world.settle();
      failures++;
    }
    expect([failures, a.getSnapshot().value, a.seq]).toEqual([120, 'open', 2]);
    expect(journal.writes - before).toBeGreaterThan(8);
    expect(journal.writes - before).toBeLessThan(60);
    journal.release();
    await world.advance(15_000);
    expect([a.getSnapshot().value, a.seq]).toEqual(['closed', 3]);
    expect(world.rings.map(({ at }) => at)).toEqual(['OPEN', 'xstate.after.5000.door.open']);
  });

  test('[SYNC-5] a deletion whose commit fails leaves the instance as it was', async () => {
    const { world, journal, server, a } = await doorWorld();
    await world.get(a.submit({ type: 'OPEN' }));
    journal.isHolding = true;
    const deleting = server.delete('front');
    deleting.catch(() => undefined);
    await world.settle();
    expect(await world.refusal(server.get('front'))).toBe('UNKNOWN_INSTANCE');
    journal.failHeld();
    expect(await world.refusal(deleting)).toBe('STORAGE');
    expect(await world.get(a.submit({ type: 'CLOSE' }))).toEqual({ outcome: 'stepped', seq: 3 });
  });

  test('[SYNC-4] all that happens in one turn is one write', async () => {
    const { world, journal, a, b } = await doorWorld();
    const before = journal.writes;
    for (let i = 0; i < 10; i++) {
      a.send({ type: 'NAME', name: 'x' });
      b.send({ type: 'NAME', name: 'y' });
    }
    await world.settle();
    expect([journal.writes - before, a.seq]).toEqual([1, 21]);
  });
});

describe('refusals', () => {
  test.each([
    ['an event of the authority', { type: 'xstate.after.5000.door.open' }, 'FORBIDDEN'],
    ['an unknown event', { type: 'FLY' }, 'UNKNOWN_EVENT'],
    ['what is no JSON', { type: 'NOTE', note: () => 1 }, 'NOT_JSON'],
    ['what is too large', { type: 'NOTE', note: 'x'.repeat(70_000) }, 'TOO_LARGE'],
  ])('[SYNC-7] %s is refused on the spot, and nothing changed', async (_, event, code) => {
    const { world, a, b } = await doorWorld();
    const before = a.getSnapshot();
    expect(await world.refusal(a.submit(event as never))).toBe(code);
    expect(() => a.send(event as never)).toThrow(expect.objectContaining({ code }));
    await world.settle();
    expect([a.getSnapshot(), a.seq, b.seq, a.unconfirmedCount]).toEqual([before, 1, 1, 0]);
  });

  test('[SYNC-7] a function that throws at the authority refuses the event; the prediction is rolled back, nobody else saw it', async () => {
    const { world, a, b } = await doorWorld();
    const refusals: unknown[] = [];
    a.onRefused(({ event, error }) => refusals.push([event.type, error.code]));
    a.send({ type: 'OPEN' });
    a.send({ type: 'BREAK' });
    a.send({ type: 'NAME', name: 'after' });
    await world.settle();
    expect(refusals).toEqual([['BREAK', 'HOST_THREW']]);
    expect([a.seq, b.seq, a.standing]).toEqual([3, 3, 'confirmed']);
    expect(b.getSnapshot().context).toEqual({ opened: 1, names: ['after'], note: null });
  });

  test('[SYNC-17] an event whose expectation does not hold is refused; its prediction is undone', async () => {
    const { world, a, b } = await doorWorld();
    b.send({ type: 'OPEN' });
    await world.settle();
    const late = a.submit({ type: 'NAME', name: 'late' }, { seq: 1 });
    expect(a.getSnapshot().context).toMatchObject({ names: ['late'] });
    expect(await world.refusal(late)).toBe('EXPECTATION');
    expect(a.getSnapshot().context).toMatchObject({ names: [] });
    expect(await world.refusal(a.submit({ type: 'NAME', name: 'x' }, { state: 'closed' }))).toBe('EXPECTATION');
    expect(await world.get(a.submit({ type: 'NAME', name: 'right' }, { seq: 2, state: 'open' }))).toEqual({ outcome: 'stepped', seq: 3 });
  });

  test('[SYNC-7] a done instance takes no more events', async () => {
    const { world, a, b } = await doorWorld();
    let completed = 0;
    b.subscribe({ complete: () => completed++ });
    await world.get(a.submit({ type: 'END' }));
    expect([a.getSnapshot().status, b.getSnapshot().status, completed]).toEqual(['done', 'done', 1]);
    expect(await world.refusal(a.submit({ type: 'OPEN' }))).toBe('NOT_RUNNING');
  });

  test('[SYNC-19] a mirror holds at most so many events that wait; one more is refused and the rest arrive', async () => {
    const { world, a } = await doorWorld();
    for (let i = 0; i < 4_096; i++) a.send({ type: 'NAME', name: '' });
    expect(() => a.send({ type: 'NAME', name: '' })).toThrow(expect.objectContaining({ code: 'TOO_MANY' }));
    await world.settle();
    expect([a.seq, a.unconfirmedCount, a.standing]).toEqual([4_097, 0, 'confirmed']);
  });
});

describe('effects and timers', () => {
  test('[SYNC-15] effects run once, at the authority alone, with the context and event that they saw; what throws is reported', async () => {
    const { world, a, b } = await doorWorld();
    a.send({ type: 'OPEN' });
    a.send({ type: 'FAIL' });
    b.send({ type: 'CLOSE' });
    b.send({ type: 'OPEN' });
    await world.settle();
    expect(world.rings.map(({ at }) => at).sort()).toEqual(['FAIL', 'OPEN', 'OPEN']);
    expect(world.reported.map(([level, message]) => [level, message])).toEqual([['error', 'effect "fail" of front failed']]);
    expect(a.seq).toBe(5);
  });

  test('[SYNC-16] a timer fires when it is due, as an event of the authority', async () => {
    const { world, a, b } = await doorWorld();
    a.send({ type: 'OPEN' });
    await world.advance(4_999);
    expect(b.getSnapshot().value).toBe('open');
    await world.advance(1);
    expect([a.getSnapshot().value, b.getSnapshot().value, a.seq]).toEqual(['closed', 'closed', 3]);
    expect(world.rings.map(({ at }) => at)).toEqual(['OPEN', 'xstate.after.5000.door.open']);
  });

  test('[SYNC-16] a timer that was stopped does not fire', async () => {
    const { world, a } = await doorWorld();
    a.send({ type: 'OPEN' });
    await world.advance(3_000);
    a.send({ type: 'CLOSE' });
    await world.advance(60_000);
    expect(a.seq).toBe(3);
  });
});

describe("mirrors without the author's functions", () => {
  test('[SYNC-24] the image comes by hash from the authority; without functions a mirror shows what is confirmed and predicts nothing', async () => {
    const { world, a } = await doorWorld();
    const tool = await world.peer('tool', { kind: 'tool' });
    const mirror = await world.get(tool.watch('front'));
    mirror.send({ type: 'OPEN' });
    expect([mirror.getSnapshot().value, mirror.standing]).toEqual(['closed', 'confirmed']);
    await world.settle();
    expect([mirror.getSnapshot().value, a.getSnapshot().value, mirror.unconfirmedCount]).toEqual(['open', 'open', 0]);
    expect(mirror.machine.functions).toBeUndefined();
    expect(mirror.machine.hash).toBe(a.machine.hash);
  });
});

describe('digests', () => {
  test('[SYNC-10] a replica that went astray is found when the room falls quiet, reported with all that led to it, and healed', async () => {
    const { world, bob, a, b } = await doorWorld();
    const records: Traced[] = [];
    bob.tracer.listen((record) => records.push(record));
    // A bit flips in Bob's memory.
    b.stepped([0, [[b.seq + 1, 9, 1, [], [{ op: 'replace', path: '/note', value: 'a flipped bit' }]]]]);
    expect(b.getSnapshot().context).toMatchObject({ note: 'a flipped bit' });
    a.send({ type: 'OPEN' });
    await world.settle();
    await world.advance(200);
    const divergence = records.find((record) => record.kind === 'divergence');
    expect(divergence).toMatchObject({ peer: 'bob', instance: 'front', good: { seq: 1 } });
    expect(b.getSnapshot().toJSON()).toEqual(a.getSnapshot().toJSON());
    expect([b.standing, b.seq]).toEqual(['confirmed', 2]);
  });

  test('[SYNC-10] the digest travels at least with every 64th step', async () => {
    const world = new World();
    await world.server();
    const lines: string[] = [];
    const alice = await world.peer('alice', { mode: 'steps', record: (line) => lines.push(line) });
    await world.get(alice.create('door', { instance: 'front' }));
    const a = await world.get(alice.watch('front', world.door));
    for (let i = 0; i < 200; i++) a.send({ type: 'NAME', name: '' });
    await world.settle();
    const rooms = lines
      .filter((line) => line.startsWith('< from #server/1: '))
      .map((line) => JSON.parse(line.slice('< from #server/1: '.length)) as unknown);
    const digested = rooms
      .flat()
      .map((message) => (message as { params: [number, [number][], string?] }).params)
      .filter(([, , digest]) => digest !== undefined);
    expect(digested.map(([, steps]) => steps.at(-1)?.[0])).toEqual([64, 128, 192]);
  });

  test('[SYNC-2] a gap leaves the mirror unchanged; it asks for what it missed and goes on', async () => {
    const { world, a, b } = await doorWorld();
    const before = b.getSnapshot();
    b.stepped([0, [[9, 0, 0, [], [{ op: 'replace', path: '/note', value: 'from nowhere' }]]]]);
    expect([b.getSnapshot(), b.standing]).toEqual([before, 'offline']);
    a.send({ type: 'OPEN' });
    await world.settle();
    expect([b.getSnapshot().value, b.standing, b.seq]).toEqual(['open', 'confirmed', 2]);
  });
});
