// Mirrors of mirrors: an authority, a middle, one behind it, and a leaf. What holds for a mirror at the authority holds for the leaf.

import { describe, expect, test } from 'vitest';
import * as packed from '../../peer/codec-packed.ts';
import type { Link } from '../../peer/link.ts';
import type { AnyMirror } from '../../peer/mirror.ts';
import type { Peer, PeerOptions } from '../../peer/peer.ts';
import { linkPair } from '../../peer/testing.ts';
import { hello } from '../support/raw-socket.ts';
import { PlainSocket, World } from '../support/world.ts';

const trusts = (): boolean => true;

/** server ← one ← two ← leaf, and bob, who watches at the server. */
async function tree(options: Partial<PeerOptions> = {}) {
  const world = new World();
  const server = await world.server({ trusts, ...options });
  const one = await world.peer('one', { trusts, ...options });
  const two = await world.peer('two', { trusts, ...options });
  const leaf = await world.peer('leaf', options);
  const bob = await world.peer('bob', options);
  await world.get(bob.create('door', { instance: 'front' }));
  const first = await world.get(one.watch('front', world.door));
  const offered = await world.get(one.offer(first));
  const second = await world.get(two.watch('front', world.door, { sources: ['one'] }));
  await world.get(two.offer(second));
  const mirror = await world.get(leaf.watch('front', world.door, { sources: ['two'] }));
  const b = await world.get(bob.watch('front', world.door));
  return { world, server, one, two, leaf, bob, first, second, mirror, b, offered };
}

const namesOf = (mirror: { getSnapshot(): { context: unknown } }): unknown => (mirror.getSnapshot().context as { names: unknown }).names;

describe('three deep', () => {
  test.each(['json', 'packed'])('[TOPO-1] steps, epoch and digest come down as the authority made them (%s)', async (encoding) => {
    const { world, first, second, mirror, b } = await tree(encoding === 'packed' ? { packed: () => packed } : {});
    b.send({ type: 'OPEN' });
    b.send({ type: 'NAME', name: 'Bob' });
    await world.advance(6_000);
    for (const each of [first, second, mirror]) {
      expect([each.epoch, each.seq, each.digest, each.standing]).toEqual([b.epoch, 4, b.digest, 'confirmed']);
      expect(each.getSnapshot()).toEqual(b.getSnapshot());
    }
    expect(world.reported).toEqual([]);
  });

  test('[TOPO-2] an event goes up under the name and number of its sender, and its answer comes back', async () => {
    const { world, server, mirror, b } = await tree();
    const steps: unknown[] = [];
    server.tracer.listen((record) => void (record.kind === 'step' && steps.push([record.step.cause.peer, record.step.cause.n])));
    const opened = mirror.submit({ type: 'OPEN' });
    expect([mirror.getSnapshot().value, mirror.standing]).toEqual(['open', 'predicted']);
    const again = mirror.submit({ type: 'OPEN' });
    expect(await world.get(opened)).toEqual({ outcome: 'stepped', seq: 2 });
    expect(await world.get(again)).toEqual({ outcome: 'ignored', seq: 3 });
    expect(await world.refusal(mirror.submit({ type: 'BREAK' }))).toBe('HOST_THREW');
    expect(await world.refusal(mirror.submit({ type: 'CLOSE' }, { seq: 1 }))).toBe('EXPECTATION');
    expect(steps).toEqual([
      ['leaf', 1],
      ['leaf', 2],
    ]);
    expect([mirror.seq, mirror.unconfirmedCount, mirror.standing, b.seq]).toEqual([3, 0, 'confirmed', 3]);
  });

  test('[TOPO-2] own events are never shown twice on the way', async () => {
    const { world, mirror, b } = await tree();
    const shown: unknown[] = [];
    mirror.subscribe((snapshot) => void shown.push((snapshot.context as { names: string[] }).names.join('')));
    for (const name of ['a', 'b', 'c']) mirror.send({ type: 'NAME', name });
    b.send({ type: 'NAME', name: 'x' });
    await world.settle();
    for (const each of shown) expect(new Set(String(each)).size).toBe(String(each).length);
    expect(namesOf(mirror)).toEqual(namesOf(b));
  });
});

describe('when a source is lost', () => {
  test('[TOPO-3] those behind it say so, queue, and go on when it is back: nothing is lost and nothing doubled', async () => {
    const { world, first, second, mirror, b } = await tree();
    mirror.send({ type: 'NAME', name: 'before' });
    // Its answers are on the way when the middle is cut off.
    await world.environment.turn();
    await world.environment.turn();
    world.network('one').cut();
    await world.settle();
    expect([first.standing, second.standing]).toEqual(['offline', 'offline']);
    b.send({ type: 'NAME', name: 'meanwhile' });
    mirror.send({ type: 'NAME', name: 'while' });
    await world.settle();
    world.network('one').mend();
    await world.advance(40_000);
    expect([first.standing, second.standing, mirror.standing]).toEqual(['confirmed', 'confirmed', 'confirmed']);
    expect([...(namesOf(b) as string[])].sort()).toEqual(['before', 'meanwhile', 'while']);
    expect([mirror.digest, second.digest, mirror.unconfirmedCount]).toEqual([b.digest, b.digest, 0]);
  });

  test('[TOPO-3] the others are tried in their order, the authority last, under the same numbers', async () => {
    const { world, mirror, b, two } = await tree();
    for (let i = 0; i < 3; i++) mirror.send({ type: 'NAME', name: `n${i}` });
    await world.environment.turn();
    await world.environment.turn();
    await world.environment.turn();
    world.network('two').cut();
    await world.advance(2_000);
    mirror.send({ type: 'NAME', name: 'direct' });
    await world.settle();
    expect(namesOf(mirror)).toEqual(['n0', 'n1', 'n2', 'direct']);
    expect([mirror.standing, mirror.digest]).toEqual(['confirmed', b.digest]);
    // It goes back to the better source, which it finds when that one can be asked again.
    world.network('two').mend();
    await world.advance(40_000);
    mirror.send({ type: 'NAME', name: 'behind again' });
    await world.settle();
    expect(namesOf(b)).toEqual(['n0', 'n1', 'n2', 'direct', 'behind again']);
    expect([mirror.standing, two.isConnected]).toEqual(['confirmed', true]);
  });

  test('[TOPO-3] an authority that begins again with another history is followed to the leaf', async () => {
    const world = new World();
    const alice = await world.peer('alice', { machines: { door: { definition: world.door } }, trusts });
    await world.get(alice.host('desk', 'door'));
    const one = await world.peer('one', { trusts });
    const leaf = await world.peer('leaf');
    await world.get(one.offer(await world.get(one.watch('alice/desk', world.door))));
    const mirror = await world.get(leaf.watch('alice/desk', world.door, { sources: ['one'] }));
    mirror.send({ type: 'NAME', name: 'old' });
    await world.settle();
    const { epoch } = mirror;
    await world.get(alice.close());
    await world.advance(100);
    expect(mirror.standing).toBe('offline');
    mirror.send({ type: 'NAME', name: 'queued' });
    const next = await world.peer('alice', { machines: { door: { definition: world.door } }, trusts });
    const own = await world.get(next.host('desk', 'door'));
    await world.advance(40_000);
    expect(mirror.epoch).toBeGreaterThan(epoch);
    expect([mirror.standing, mirror.digest, namesOf(own)]).toEqual(['confirmed', own.digest, ['queued']]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])(
    '[TOPO-3] what is on its way up while a source ends is sent again by another road, and not refused (after %i turns)',
    async (turns) => {
      const { world, offered, mirror, b } = await tree();
      const answer = mirror.submit({ type: 'NAME', name: 'once' });
      for (let turn = 0; turn < turns; turn++) await world.environment.turn();
      offered.unsubscribe();
      await world.advance(40_000);
      expect(await world.get(answer)).toEqual({ outcome: 'stepped', seq: 2 });
      expect([namesOf(mirror), namesOf(b)]).toEqual([['once'], ['once']]);
    },
  );

  test('[TOPO-3] an instance that is deleted is deleted for those behind', async () => {
    const { world, bob, mirror } = await tree();
    await world.get(bob.delete('front'));
    expect(() => mirror.send({ type: 'OPEN' })).toThrow(/deleted/);
  });
});

/** What a source tells of an instance. */
type Told = Pick<AnyMirror, 'epoch' | 'digest' | 'machine'>;

/** A source that answers when the test says so. */
class SlowSource {
  /** The numbers of questions to watch here, and the rooms that were left. */
  readonly questions: number[] = [];
  readonly left: unknown[] = [];
  readonly #link: Link;

  constructor(world: World) {
    const [near, far] = linkPair(world.environment);
    this.#link = near;
    near.open({ frame: (frame) => this.#heard(String(frame)), closed: () => undefined });
    world.hub.attach(far);
    const options = { name: '', kind: 'node', hosts: true, eval: false, presence: false };
    this.#say('', { id: 1, method: 'hello', params: { versions: [1], encodings: ['json'], secret: 'slow', ...options } });
  }

  #say(address: string, message: object): void {
    this.#link.send(`${address}\n${JSON.stringify({ jsonrpc: '2.0', ...message })}`);
  }

  #heard(frame: string): void {
    const body = JSON.parse(frame.slice(frame.indexOf('\n'))) as { id: number; method?: string; params: unknown };
    if (body.method === 'watch') this.questions.push(body.id);
    if (body.method === 'unwatch') this.left.push(body.params);
  }

  /** As if the mirror had nothing to catch up on. */
  answer({ epoch, digest, machine }: Told, room: number): void {
    const is = { machine: 'door', image: machine.hash, epoch, digest };
    this.#say('leaf', { id: this.questions.shift(), result: { room, who: 1, last: 0, steps: [], ...is } });
  }

  move(room: number, reason: 'epoch' | 'offline'): void {
    this.#say('leaf', { method: 'moved', params: { room, reason } });
  }
}

/** A leaf that asked it, waited, and watches at the server. */
async function slow() {
  const world = new World();
  await world.server();
  const leaf = await world.peer('leaf');
  await world.get(leaf.create('door', { instance: 'front' }));
  const source = new SlowSource(world);
  await world.settle();
  const opening = leaf.watch('front', world.door, { sources: ['slow'], isPatient: true });
  await world.advance(40_000);
  const mirror = await world.get(opening);
  const { epoch, digest, machine } = mirror;
  return { world, leaf, source, mirror, door: { epoch, digest, machine } };
}

describe('a source that answers late', () => {
  test('[TOPO-14] lets in a reader that has gone elsewhere meanwhile, which leaves again', async () => {
    const { world, source, mirror, door } = await slow();
    expect([mirror.standing, source.questions.length]).toEqual(['confirmed', 1]);
    source.answer(door, 7);
    await world.settle();
    expect(source.left).toEqual([{ room: 7, instance: 'front' }]);
    mirror.send({ type: 'OPEN' });
    await world.settle();
    expect([mirror.seq, mirror.standing]).toEqual([2, 'confirmed']);
  });

  test('[TOPO-14] lets in a reader that was asked again there, which stays until it is elsewhere, or ends', async () => {
    const { world, source, mirror, door } = await slow();
    world.network('secret-of-the-server').cut();
    await world.advance(20_000);
    expect(source.questions.length).toBeGreaterThan(2);
    source.questions.splice(0, source.questions.length - 2);
    // The first of two: nobody waits for it, and to leave now would overtake the second.
    source.answer(door, 7);
    await world.settle();
    expect([mirror.standing, source.left]).toEqual(['offline', []]);
    source.answer(door, 7);
    await world.settle();
    expect([mirror.standing, source.left]).toEqual(['confirmed', []]);
    source.move(7, 'epoch');
    await world.settle();
    expect([mirror.standing, source.questions.length]).toEqual(['offline', 1]);
    mirror.stop();
    await world.settle();
    expect(source.left).toEqual([{ room: 7, instance: 'front' }]);
    source.answer(door, 8);
    await world.settle();
    expect(source.left).toEqual([
      { room: 7, instance: 'front' },
      { room: 8, instance: 'front' },
    ]);
  });

  test('[TOPO-14] lets in the mirror that came in the place of one that ended, which stays until it is elsewhere', async () => {
    const { world, leaf, source, mirror, door } = await slow();
    mirror.stop();
    const opening = leaf.watch('front', world.door, { sources: ['slow'], isPatient: true });
    await world.settle();
    expect(source.questions.length).toBe(2);
    // To the one that ended: to leave now would overtake the question of the other.
    source.answer(door, 7);
    await world.settle();
    expect(source.left).toEqual([]);
    await world.advance(40_000);
    expect((await world.get(opening)).standing).toBe('confirmed');
    expect(source.left).toEqual([{ room: 7, instance: 'front' }]);
  });
});

test('[TOPO-3] a source that says it has lost its own is not waited for, also when it is being asked', async () => {
  const { world, source, mirror, door } = await slow();
  source.answer(door, 7);
  world.network('secret-of-the-server').cut();
  await world.advance(10_000);
  source.questions.splice(0, source.questions.length - 1);
  source.answer(door, 7);
  await world.settle();
  expect(mirror.standing).toBe('confirmed');
  world.network('secret-of-the-server').mend();
  await world.advance(20_000);
  source.move(7, 'epoch');
  await world.settle();
  source.move(7, 'offline');
  // Less than an answer is waited for.
  await world.advance(5_000);
  expect(mirror.standing).toBe('confirmed');
});

describe('who may do what', () => {
  test('[TOPO-4] behind a source whose word is not taken one reads and cannot send', async () => {
    const world = new World();
    await world.server();
    const one = await world.peer('one', { trusts });
    const leaf = await world.peer('leaf');
    await world.get(one.create('door', { instance: 'front' }));
    const first = await world.get(one.watch('front', world.door));
    await world.get(one.offer(first));
    const mirror = await world.get(leaf.watch('front', world.door, { sources: ['one'] }));
    first.send({ type: 'OPEN' });
    await world.settle();
    expect(mirror.getSnapshot().value).toBe('open');
    expect(await world.refusal(mirror.submit({ type: 'CLOSE' }))).toBe('FORBIDDEN');
    expect(mirror.getSnapshot().value).toBe('open');
  });

  test('[TOPO-4] a source admits whom it wants, once, and ends when it wants', async () => {
    const { world, one, first, leaf, mirror } = await tree();
    await expect(one.offer(first)).rejects.toMatchObject({ code: 'EXISTS' });
    const stranger = await world.peer('stranger');
    const only: Peer = await world.peer('only', { trusts });
    const offered = await world.get(only.offer(await world.get(only.watch('front')), { to: (peer) => peer === 'leaf' }));
    const refused = await world.get(stranger.watch('front', world.door, { sources: ['only'] }));
    expect(refused.standing).toBe('confirmed');
    const [near, far] = linkPair(world.environment);
    const heard: string[] = [];
    near.open({ frame: (frame) => heard.push(String(frame)), closed: () => undefined });
    world.hub.attach(far);
    near.send(hello({ secret: 'lurker' }));
    await world.settle();
    heard.length = 0;
    const asked: readonly (readonly [string, unknown])[] = [
      ['get', { instance: 'front' }],
      ['can', { instance: 'front', event: { type: 'OPEN' } }],
      ['watch', { instance: 'front' }],
      ['attend', { instance: 'front' }],
    ];
    for (const [id, [method, params]] of asked.entries()) near.send(`only\n${JSON.stringify({ jsonrpc: '2.0', id, method, params })}`);
    await world.settle();
    expect([...heard.join().matchAll(/"code":"(\w+)"/g)].map(([, code]) => code)).toEqual(asked.map(() => 'FORBIDDEN'));
    const admitted = await world.peer('admitted');
    const behind = await world.get(admitted.watch('front', world.door, { sources: ['two'] }));
    offered.unsubscribe();
    await world.settle();
    expect([behind.standing, mirror.standing]).toEqual(['confirmed', 'confirmed']);
    expect(leaf.peers().map(({ peer }) => peer)).toContain('only');
  });

  test('[TOPO-4] nobody speaks for another one without being trusted, nor before it has vouched for it on this link', async () => {
    const { world, mirror } = await tree();
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'forward', ['front', 'leaf', 9, { type: 'OPEN' }])).toBe('UNREACHABLE');
    expect(await socket.ask(world, 'vouch', { instance: 'front', peer: 'leaf' })).toBe('UNREACHABLE');
    const other = new World();
    await other.server();
    const alice = await other.peer('alice');
    await other.get(alice.create('door', { instance: 'front' }));
    const forger = new PlainSocket(other);
    expect(await forger.ask(other, 'forward', ['front', 'alice', 1, { type: 'OPEN' }])).toBe('FORBIDDEN');
    expect(await forger.ask(other, 'vouch', { instance: 'front', peer: 'alice' })).toBe('FORBIDDEN');
    expect([mirror.seq, (await other.get(alice.get('front'))) as { seq?: number }]).toMatchObject([1, { seq: 1 }]);
  });
});
