// Who orders an instance next: handed over in order, taken over after a loss, and fenced by its epoch.

import { describe, expect, test } from 'vitest';
import type { Journal } from '../../peer/journal.ts';
import type { Peer } from '../../peer/peer.ts';
import type { Fork } from '../../peer/succession.ts';
import { linkPair, MemoryJournal } from '../../peer/testing.ts';
import type { Traced } from '../../peer/wire.ts';
import { HeldJournal, World } from '../support/world.ts';

const trusts = (): boolean => true;
const namesOf = (mirror: { getSnapshot(): { context: unknown } }): readonly string[] =>
  (mirror.getSnapshot().context as { names: readonly string[] }).names;

class Doors extends World {
  readonly forks: Fork[] = [];

  /** One that may order doors. */
  orderer(name: string, options: Parameters<World['peer']>[1] = {}): Promise<Peer> {
    const fenced = (fork: Fork): void => void this.forks.push(fork);
    return this.peer(name, { machines: { door: { definition: this.door } }, trusts, fenced, ...options });
  }
}

/** alice orders her desk; bob may order it too; carol watches. */
async function desk(options: { readonly alice?: Journal; readonly bob?: Journal } = {}) {
  const world = new Doors();
  const journals = { alice: options.alice ?? new MemoryJournal(), bob: options.bob ?? new MemoryJournal() };
  const alice = await world.orderer('alice', { journal: journals.alice });
  const bob = await world.orderer('bob', { journal: journals.bob });
  const carol = await world.peer('carol');
  const a = await world.get(alice.host('desk', 'door'));
  const c = await world.get(carol.watch('alice/desk', world.door));
  const b = await world.get(bob.watch('alice/desk', world.door));
  return { world, alice, bob, carol, a, b, c, journals };
}

describe('handed over', () => {
  test('[TOPO-6] another peer orders it in a higher epoch and goes on with the same seq; every mirror follows', async () => {
    const { world, alice, bob, a, b, c } = await desk();
    c.send({ type: 'NAME', name: 'before' });
    await world.settle();
    const { epoch } = c;
    await world.get(alice.handOver('alice/desk', 'bob'));
    await world.settle();
    for (const mirror of [a, b, c]) expect([mirror.epoch > epoch, mirror.seq, mirror.standing]).toEqual([true, 2, 'confirmed']);
    expect(await world.get(c.submit({ type: 'NAME', name: 'after' }))).toEqual({ outcome: 'stepped', seq: 3 });
    await world.settle();
    expect([namesOf(a), namesOf(b), a.digest]).toEqual([['before', 'after'], ['before', 'after'], c.digest]);
    expect(await world.refusal(alice.get('alice/desk'))).toBe('FENCED');
    const steps: Traced[] = [];
    bob.tracer.listen((record) => void steps.push(record));
    a.send({ type: 'OPEN' });
    await world.settle();
    expect(steps).toMatchObject([{ peer: 'bob', step: { instance: 'alice/desk', seq: 4 } }]);
  });

  test('[TOPO-6] events that come while it is handed over wait, and none of them is lost or doubled', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, alice, a, c } = await desk({ bob: held });
    held.isHolding = true;
    const answers = [c.submit({ type: 'NAME', name: 'c1' })];
    await world.settle();
    const handing = alice.handOver('alice/desk', 'bob');
    await world.settle();
    answers.push(c.submit({ type: 'NAME', name: 'c2' }), a.submit({ type: 'NAME', name: 'a1' }));
    await world.settle();
    expect(c.unconfirmedCount).toBe(1);
    held.release();
    await world.get(handing);
    const seqs = await world.get(Promise.all(answers));
    expect(seqs.map(({ seq }) => seq).sort()).toEqual([2, 3, 4]);
    expect([...namesOf(c)].sort()).toEqual(['a1', 'c1', 'c2']);
  });

  test('[TOPO-6] timers go along', async () => {
    const { world, alice, a, c } = await desk();
    c.send({ type: 'OPEN' });
    await world.advance(2_000);
    await world.get(alice.handOver('alice/desk', 'bob'));
    await world.advance(3_500);
    expect([c.getSnapshot().value, a.getSnapshot().value, world.rings.map(({ at }) => at)]).toEqual([
      'closed',
      'closed',
      ['OPEN', 'xstate.after.5000.door.open'],
    ]);
  });

  test('[TOPO-6] what the other one refuses stays, and goes on', async () => {
    const { world, alice, c } = await desk();
    await world.peer('dora', { trusts });
    await world.orderer('erik', { trusts: () => false });
    expect(await world.refusal(alice.handOver('alice/desk', 'dora'))).toBe('MISSING_FUNCTION');
    expect(await world.refusal(alice.handOver('alice/desk', 'erik'))).toBe('FORBIDDEN');
    expect(await world.refusal(alice.handOver('alice/desk', 'nobody'))).toBe('UNREACHABLE');
    expect(await world.get(c.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 2 });
  });

  test('[TOPO-6] without an answer it stays, and goes on; the other one, which has it, orders nothing and hears so', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, alice, a, b, c } = await desk({ bob: held });
    held.isHolding = true;
    const handing = alice.handOver('alice/desk', 'bob');
    await world.settle();
    world.network('alice').cut();
    held.release();
    await world.settle();
    expect(await world.refusal(handing)).toBe('CLOSED');
    expect(await world.get(a.submit({ type: 'NAME', name: 'at alice' }))).toEqual({ outcome: 'stepped', seq: 2 });
    b.send({ type: 'NAME', name: 'at bob' });
    await world.advance(5_000);
    expect([b.standing, b.unconfirmedCount, (await held.read('alice/desk'))?.checkpoint?.giver]).toEqual(['offline', 1, 'alice']);
    world.network('alice').mend();
    await world.advance(60_000);
    expect([namesOf(a), namesOf(c), b.standing, b.epoch]).toEqual([['at alice', 'at bob'], ['at alice', 'at bob'], 'confirmed', a.epoch]);
    expect([await held.read('alice/desk'), (await held.moved()).map(({ peer }) => peer)]).toEqual([undefined, ['alice']]);
  });

  test('[TOPO-6] when its word that it went is lost, the other one asks, and orders it', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, alice, b, c } = await desk({ alice: held });
    held.isHolding = true;
    const handing = alice.handOver('alice/desk', 'bob');
    await world.settle();
    world.network('alice').cut();
    held.release();
    await world.get(handing);
    await world.advance(5_000);
    expect(b.standing).toBe('offline');
    world.network('alice').mend();
    await world.advance(60_000);
    c.send({ type: 'NAME', name: 'at bob' });
    await world.settle();
    expect([namesOf(b), c.epoch, c.digest, (await held.moved()).map(({ peer }) => peer)]).toEqual([['at bob'], b.epoch, b.digest, ['bob']]);
  });

  test('[TOPO-6] one that took over what it had been handed goes on with it after a restart, and asks nobody again', async () => {
    const journal = new HeldJournal(new MemoryJournal());
    const { world, alice, bob, b, journals } = await desk({ alice: journal });
    journal.isHolding = true;
    alice.handOver('alice/desk', 'bob').catch(() => undefined);
    await world.settle();
    const { epoch } = b;
    world.network('alice').cut();
    await world.get(bob.takeOver('alice/desk'));
    await world.get(bob.close());
    const again = await world.orderer('bob', { journal: journals.bob });
    const mirror = await world.get(again.watch('alice/desk', world.door));
    expect(mirror.epoch).toBeGreaterThan(epoch);
    // alice never wrote down that it went: what she says does not count any more.
    journal.failHeld();
    world.network('alice').mend();
    await world.advance(60_000);
    expect(await world.get(mirror.submit({ type: 'NAME', name: 'at bob' }))).toMatchObject({ outcome: 'stepped' });
    expect([mirror.standing, await world.refusal(alice.get('alice/desk'))]).toEqual(['confirmed', 'FENCED']);
  });

  test('[TOPO-6] one that restarts before it has heard whose it is asks again; the word of the one who handed it over counts', async () => {
    const journal = new HeldJournal(new MemoryJournal());
    const { world, alice, bob, c, journals } = await desk({ alice: journal });
    journal.isHolding = true;
    const handing = alice.handOver('alice/desk', 'bob');
    await world.settle();
    await world.get(bob.close());
    const again = await world.orderer('bob', { journal: journals.bob });
    const mirror = await world
      .get(again.watch('alice/desk', world.door, { isPatient: true }).catch(() => undefined))
      .catch(() => undefined);
    expect(mirror).toBeUndefined();
    journal.release();
    await world.get(handing);
    await world.advance(30_000);
    c.send({ type: 'NAME', name: 'at bob' });
    await world.settle();
    expect([namesOf(c), c.standing, (await journals.bob.read('alice/desk'))?.checkpoint?.giver]).toEqual([
      ['at bob'],
      'confirmed',
      undefined,
    ]);
  });

  test('[TOPO-6] of two that wait for the word of each other the one goes on that the other one knows to have had it; nothing is lost', async () => {
    const { world, alice, bob, c, journals } = await desk();
    c.send({ type: 'NAME', name: 'before' });
    await world.settle();
    const [step] = await journals.alice.steps('alice/desk', 2, 2);
    await world.get(alice.handOver('alice/desk', 'bob'));
    await world.settle();
    const { record, checkpoint } = (await journals.bob.read('alice/desk'))!;
    const bytes = (await journals.bob.image(record.image))!;
    for (const peer of [alice, bob]) await world.get(peer.close());
    /** As both disks are when bob gave it back, could not write before that it was his, and both crashed before he had decided. */
    const taken = async (giver: string, givenFrom: number, epoch: number): Promise<Journal> => {
      const journal = new MemoryJournal();
      await journal.write([
        { kind: 'image', hash: record.image, bytes },
        { kind: 'create', record, step: { ...step!, epoch } },
        { kind: 'checkpoint', checkpoint: { ...checkpoint!, epoch, giver, givenFrom } },
      ]);
      return journal;
    };
    await world.orderer('alice', { journal: await taken('bob', checkpoint!.epoch, checkpoint!.epoch + 1) });
    await world.orderer('bob', { journal: await taken('alice', checkpoint!.epoch - 1, checkpoint!.epoch) });
    await world.advance(120_000);
    c.send({ type: 'NAME', name: 'after' });
    await world.settle();
    expect([namesOf(c), c.standing, c.epoch]).toEqual([['before', 'after'], 'confirmed', checkpoint!.epoch]);
  });

  test('[TOPO-8] one that has it and has not heard that it is its own may take it over', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, alice, bob, b } = await desk({ bob: held });
    held.isHolding = true;
    alice.handOver('alice/desk', 'bob').catch(() => undefined);
    await world.settle();
    world.network('alice').cut();
    held.release();
    await world.settle();
    await world.get(bob.takeOver('alice/desk'));
    expect(await world.get(b.submit({ type: 'NAME', name: 'at bob' }))).toEqual({ outcome: 'stepped', seq: 2 });
    world.network('alice').mend();
    await world.advance(60_000);
    expect(world.forks.map(({ peer, lost }) => [peer, lost])).toEqual([['bob', []]]);
  });

  test('[TOPO-7] and says which of its steps are lost when it gives way, although it heard of a third one before it took it over', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, alice, bob, a, b } = await desk({ alice: held });
    const erik = await world.orderer('erik');
    const e = await world.get(erik.watch('alice/desk', world.door));
    await world.get(alice.handOver('alice/desk', 'bob'));
    await world.get(erik.standBy(e));
    // alice has it back, and does not hear so: bob goes on.
    held.isHolding = true;
    bob.handOver('alice/desk', 'alice').catch(() => undefined);
    await world.settle();
    world.network('bob').cut();
    held.release();
    await world.settle();
    world.network('bob').mend();
    bob.reconnectNow();
    await world.settle();
    expect(await world.get(b.submit({ type: 'NAME', name: 'at bob' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(e.seq).toBe(2);
    world.network('bob').cut();
    await world.advance(2_000);
    // erik goes on from there, and alice from what she has.
    await world.get(erik.takeOver('alice/desk'));
    world.network('erik').cut();
    await world.settle();
    await world.get(alice.takeOver('alice/desk'));
    const dave = await world.peer('dave');
    const d = await world.get(dave.watch('alice/desk', world.door));
    expect(await world.get(d.submit({ type: 'NAME', name: 'at alice' }))).toEqual({ outcome: 'stepped', seq: 2 });
    world.network('erik').mend();
    world.network('bob').mend();
    await world.advance(60_000);
    expect(world.forks.flatMap(({ peer, lost }) => (lost?.length === 0 ? [] : [[peer, lost?.map(({ cause }) => cause.event)]]))).toEqual([
      ['erik', [{ type: 'NAME', name: 'at alice' }]],
    ]);
    expect([namesOf(a), namesOf(d), d.digest]).toEqual([['at bob'], ['at bob'], e.digest]);
  });

  test('[TOPO-9] a home that comes is told what of its own is ordered elsewhere, and nothing of others', async () => {
    const world = new Doors();
    const said: string[] = [];
    await world.orderer('bob', { record: (line) => void said.push(...(line.includes('"ordered"') ? [line] : [])) });
    const homes = {
      alice: await world.orderer('alice'),
      carol: await world.orderer('carol'),
      'secret-of-the-server': await world.server({ trusts }),
    };
    for (const home of Object.values(homes)) await world.get(home.handOver((await world.get(home.host('desk', 'door'))).id, 'bob'));
    const told = async (name: string): Promise<readonly unknown[]> => {
      await world.settle();
      said.length = 0;
      world.network(name).cut();
      await world.settle();
      world.network(name).mend();
      await world.advance(20_000);
      return said
        .filter((line) => line.startsWith('>'))
        .map((line) => /to (\S+):.*"params":\["([^"]+)"/.exec(line)?.slice(1))
        .sort();
    };
    expect(await told('carol')).toEqual([['carol', 'carol/desk']]);
    expect(await told('secret-of-the-server')).toEqual([['server', 'desk']]);
    const all = [
      ['alice', 'alice/desk'],
      ['carol', 'carol/desk'],
      ['server', 'desk'],
    ];
    expect(await told('bob')).toEqual(all);
  });

  test('[TOPO-9] both remember it over a restart, and those who ask at home are sent on', async () => {
    const { world, alice, bob, c, journals } = await desk();
    c.send({ type: 'NAME', name: 'before' });
    await world.settle();
    await world.get(alice.handOver('alice/desk', 'bob'));
    await world.get(alice.close());
    await world.get(bob.close());
    const again = await world.orderer('alice', { journal: journals.alice });
    const own = again.host('desk', 'door');
    await world.orderer('bob', { journal: journals.bob });
    await world.advance(40_000);
    const mirror = await world.get(own);
    const late = await world.peer('late');
    const l = await world.get(late.watch('alice/desk', world.door));
    expect(await world.get(l.submit({ type: 'NAME', name: 'late' }))).toEqual({ outcome: 'stepped', seq: 3 });
    await world.settle();
    expect([namesOf(c), namesOf(mirror), c.epoch]).toEqual([['before', 'late'], ['before', 'late'], l.epoch]);
  });

  test('[TOPO-6] and back again', async () => {
    const { world, alice, bob, c, journals } = await desk();
    await world.get(alice.handOver('alice/desk', 'bob'));
    c.send({ type: 'NAME', name: 'at bob' });
    await world.settle();
    await world.get(bob.handOver('alice/desk', 'alice'));
    c.send({ type: 'NAME', name: 'at home' });
    await world.settle();
    expect([namesOf(c), await journals.alice.moved(), (await journals.bob.moved()).map(({ peer }) => peer)]).toEqual([
      ['at bob', 'at home'],
      [],
      ['alice'],
    ]);
    expect((await journals.alice.read('alice/desk'))?.steps.at(-1)?.seq).toBe(3);
  });
});

describe('taken over', () => {
  test('[TOPO-8] an event that the lost authority decided is not applied again when its sender sends it again', async () => {
    const world = new Doors();
    const alice = await world.orderer('alice');
    const bob = await world.orderer('bob');
    const carol = await world.peer('carol');
    await world.get(alice.host('desk', 'door'));
    const b = await world.get(bob.watch('alice/desk', world.door));
    await world.get(bob.standBy(b));
    const c = await world.get(carol.watch('alice/desk', world.door, { sources: ['bob'] }));
    const answer = c.submit({ type: 'NAME', name: 'once' });
    await world.environment.turn();
    await world.environment.turn();
    world.network('carol').cut();
    await world.settle();
    expect([namesOf(b), c.unconfirmedCount]).toEqual([['once'], 1]);
    await world.get(alice.close());
    await world.get(bob.takeOver('alice/desk'));
    world.network('carol').mend();
    await world.advance(40_000);
    expect([namesOf(b), namesOf(c), c.standing]).toEqual([['once'], ['once'], 'confirmed']);
    expect(await world.get(answer)).toEqual({ outcome: 'stepped', seq: 2 });
    expect(c.epoch).toBe(b.epoch);
  });

  test('[TOPO-8] it is recognised also when its sender left, and the one that takes over came, while it was being written', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, bob, a, b, c } = await desk({ alice: held });
    held.isHolding = true;
    // Somebody else's, so that a write is under way.
    a.send({ type: 'NAME', name: 'before' });
    await world.settle();
    const standing = bob.standBy(b);
    await world.settle();
    const answer = c.submit({ type: 'NAME', name: 'once' });
    await world.environment.turn();
    await world.environment.turn();
    world.network('carol').cut();
    await world.settle();
    held.release();
    await world.get(standing);
    await world.settle();
    expect([namesOf(b), c.unconfirmedCount]).toEqual([['before', 'once'], 1]);
    world.network('alice').cut();
    await world.get(bob.takeOver('alice/desk'));
    world.network('carol').mend();
    world.network('alice').mend();
    await world.advance(60_000);
    expect([namesOf(b), namesOf(c), c.epoch]).toEqual([['before', 'once'], ['before', 'once'], b.epoch]);
    expect(await world.get(answer)).toEqual({ outcome: 'stepped', seq: 3 });
  });

  test('[TOPO-7] [TOPO-8] the old authority that comes back gives way: its own steps are reported, what it had queued is sent on', async () => {
    const journal = new MemoryJournal();
    const { world, alice, bob, a, b, c } = await desk({ alice: journal });
    await world.get(bob.standBy(b));
    c.send({ type: 'NAME', name: 'shared' });
    await world.settle();
    world.network('alice').cut();
    await world.settle();
    // Alone, alice goes on: acknowledged there, and nowhere else.
    expect(await world.get(a.submit({ type: 'NAME', name: 'alone' }))).toEqual({ outcome: 'stepped', seq: 3 });
    await world.get(bob.takeOver('alice/desk'));
    b.send({ type: 'NAME', name: 'at bob' });
    await world.settle();
    world.network('alice').mend();
    await world.advance(40_000);
    expect(world.forks.map(({ instance, peer, lost }) => [instance, peer, lost?.map(({ cause }) => cause.event)])).toEqual([
      ['alice/desk', 'bob', [{ type: 'NAME', name: 'alone' }]],
    ]);
    expect([namesOf(a), namesOf(c), a.standing, a.digest]).toEqual([['shared', 'at bob'], ['shared', 'at bob'], 'confirmed', b.digest]);
    expect(await journal.moved()).toMatchObject([{ instance: 'alice/desk', peer: 'bob' }]);
    expect(alice.isConnected).toBe(true);
  });

  test('[TOPO-7] the old authority does not say which steps are lost when its journal does not keep all of them', async () => {
    const { world, alice, bob, a, b } = await desk();
    await world.get(bob.standBy(b));
    world.network('alice').cut();
    await world.settle();
    for (let i = 0; i < 300; i++) await world.get(a.submit({ type: 'NAME', name: `${i}` }));
    await world.get(bob.takeOver('alice/desk'));
    world.network('alice').mend();
    await world.advance(60_000);
    expect(alice.isConnected).toBe(true);
    expect(world.forks.map(({ peer, lost }) => [peer, lost])).toEqual([['bob', undefined]]);
  });

  test('[TOPO-7] what comes to one that gives way while its journal is read again is sent on, and not refused', async () => {
    const held = new HeldJournal(new MemoryJournal());
    const { world, bob, a, b, c } = await desk({ alice: held });
    await world.get(bob.standBy(b));
    world.network('bob').cut();
    await world.settle();
    await world.get(bob.takeOver('alice/desk'));
    // After a second failure the journal is not read again at once.
    for (const name of ['first', 'second']) {
      held.isHolding = true;
      const answer = a.submit({ type: 'NAME', name });
      await world.settle();
      held.failHeld();
      expect(await world.refusal(answer)).toBe('STORAGE');
    }
    held.isHolding = true;
    world.network('bob').mend();
    bob.reconnectNow();
    await world.settle();
    const answer = c.submit({ type: 'NAME', name: 'once' });
    await world.settle();
    expect(c.unconfirmedCount).toBe(1);
    held.release();
    await world.advance(40_000);
    expect(await world.get(answer)).toEqual({ outcome: 'stepped', seq: 2 });
    expect([namesOf(a), namesOf(b), c.epoch]).toEqual([['once'], ['once'], b.epoch]);
  });

  test('[TOPO-7] a mirror that has heard a newer epoch does not listen to an older one', async () => {
    const world = new Doors();
    const alice = await world.orderer('alice', { trusts: (peer) => peer === 'bob' });
    const bob = await world.orderer('bob');
    const carol = await world.peer('carol');
    const a = await world.get(alice.host('desk', 'door'));
    const b = await world.get(bob.watch('alice/desk', world.door));
    await world.get(bob.standBy(b));
    world.network('alice').cut();
    await world.get(bob.takeOver('alice/desk'));
    const c = await world.get(carol.watch('alice/desk', world.door, { sources: ['bob'] }));
    c.send({ type: 'NAME', name: 'at bob' });
    await world.settle();
    const { epoch } = c;
    // bob goes before alice comes back, so that nobody tells her.
    world.network('bob').cut();
    world.network('alice').mend();
    await world.advance(40_000);
    expect([a.standing, a.epoch < epoch]).toEqual(['confirmed', true]);
    c.send({ type: 'NAME', name: 'queued' });
    await world.advance(20_000);
    expect([c.standing, c.epoch, namesOf(c), namesOf(a)]).toEqual(['offline', epoch, ['at bob', 'queued'], []]);
    world.network('bob').mend();
    await world.advance(60_000);
    expect([c.standing, namesOf(c), namesOf(a), a.epoch]).toEqual(['confirmed', ['at bob', 'queued'], ['at bob', 'queued'], epoch]);
  });

  test('[TOPO-8] whoever does not stand by, or is not trusted with it, does not take over', async () => {
    const world = new Doors();
    const alice = await world.orderer('alice', { trusts: () => false });
    await world.get(alice.host('desk', 'door'));
    const eve = await world.orderer('eve');
    const e = await world.get(eve.watch('alice/desk', world.door));
    expect(await world.refusal(eve.takeOver('alice/desk'))).toBe('BAD_REQUEST');
    expect(await world.refusal(eve.standBy(e))).toBe('FORBIDDEN');
    expect(await world.refusal(eve.takeOver('alice/desk'))).toBe('UNREACHABLE');
  });

  test.each([
    ['the one that gives way first', ['dave', 'erik']],
    ['the other one first', ['erik', 'dave']],
  ] as const)('[TOPO-7] of two that took it over in one epoch one gives way, where their home hears of %s', async (_how, back) => {
    const { world, a } = await desk();
    // They throw the same dice.
    const { environment } = world;
    const same = {
      now: () => environment.now(),
      random: () => 1_000,
      defer: (act: () => void) => environment.defer(act),
      timer: (ms: number, act: () => void) => environment.timer(ms, act),
    };
    const heirs = await Promise.all(['dave', 'erik'].map((name) => world.orderer(name, { environment: same })));
    const mirrors = await world.get(Promise.all(heirs.map((heir) => heir.watch('alice/desk', world.door))));
    await world.get(Promise.all(heirs.map((heir, i) => heir.standBy(mirrors[i]!))));
    for (const name of ['alice', 'dave', 'erik']) world.network(name).cut();
    await world.settle();
    for (const [i, heir] of heirs.entries()) {
      await world.get(heir.takeOver('alice/desk'));
      mirrors[i]!.send({ type: 'NAME', name: `at ${['dave', 'erik'][i]}` });
    }
    await world.settle();
    expect(mirrors.map(({ epoch, seq }) => [epoch === mirrors[0]!.epoch, seq])).toEqual([
      [true, 2],
      [true, 2],
    ]);
    world.network('alice').mend();
    for (const name of back) {
      await world.advance(20_000);
      world.network(name).mend();
    }
    await world.advance(60_000);
    expect(
      world.forks.filter(({ lost }) => lost?.length !== 0).map(({ peer, lost }) => [peer, lost?.map(({ cause }) => cause.event)]),
    ).toEqual([['erik', [{ type: 'NAME', name: 'at dave' }]]]);
    for (const mirror of [a, ...mirrors]) expect([namesOf(mirror), mirror.standing]).toEqual([['at erik'], 'confirmed']);
  });

  test('[TOPO-7] nobody gives way to one that is not trusted', async () => {
    const world = new Doors();
    const alice = await world.orderer('alice', { trusts: (peer) => peer === 'bob' });
    const a = await world.get(alice.host('desk', 'door'));
    const [near, far] = linkPair(world.environment);
    world.hub.attach(far);
    near.open({ frame: () => undefined, closed: () => undefined });
    const hello = {
      versions: [1],
      encodings: ['json'],
      secret: 'mallory',
      name: '',
      kind: 'node',
      hosts: true,
      eval: false,
      presence: false,
    };
    near.send(`\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params: hello })}`);
    const ordered = { jsonrpc: '2.0', method: 'ordered', params: ['alice/desk', Number.MAX_SAFE_INTEGER, 1] };
    near.send(`alice\n${JSON.stringify(ordered)}`);
    await world.settle();
    expect(await world.get(a.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 2 });
  });
});
