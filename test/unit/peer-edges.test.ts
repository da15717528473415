// The edges of the conversation: frames that are too large, answers that never come, peers that close, secrets that are used twice.

import { describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import { Answers } from '../../peer/answers.ts';
import { backoffMs } from '../../peer/backoff.ts';
import { decodeBase64, encodeBase64 } from '../../peer/base64.ts';
import { Outbox } from '../../peer/outbox.ts';
import { LATE_MAX, Questions } from '../../peer/questions.ts';
import { PLAIN, type RoomPort } from '../../peer/channel.ts';
import { Room } from '../../peer/room.ts';
import { OPEN } from '../../peer/warden.ts';
import { Rpc } from '../../peer/rpc.ts';
import { Service } from '../../peer/service.ts';
import { SeenEvents } from '../../peer/seen.ts';
import type { Link } from '../../peer/link.ts';
import { Backlog } from '../../peer/backlog.ts';
import { Session } from '../../peer/session.ts';
import { linkPair, TestEnvironment } from '../../peer/testing.ts';
import type { Told } from '../../peer/told.ts';
import { UnconfirmedEvents } from '../../peer/unconfirmed.ts';
import { LIMITS } from '../../peer/wire.ts';
import { World } from '../support/world.ts';

async function doorWorld() {
  const world = new World();
  const server = await world.server();
  const alice = await world.peer('alice');
  await world.get(alice.create('door', { instance: 'front' }));
  const a = await world.get(alice.watch('front', world.door));
  return { world, server, alice, a };
}

describe('sizes', () => {
  test('[SYNC-19] a request that fits no frame is refused here, and the link lives on', async () => {
    const { world, alice } = await doorWorld();
    expect(await world.refusal(alice.create('door', { instance: 'big', input: { text: 'x'.repeat(LIMITS.frameSize) } }))).toBe('TOO_LARGE');
    expect(alice.isConnected).toBe(true);
    expect(await world.get(alice.create('door', { instance: 'small' }))).toMatchObject({ instance: 'small' });
  });

  test('[SYNC-19] a state that fits no frame is refused to readers with a code, and nobody loses a link', async () => {
    const { world, server, alice, a } = await doorWorld();
    const own = await world.get(server.watch('front', world.door));
    for (let i = 0; i < 20; i++) own.send({ type: 'NAME', name: 'x'.repeat(60_000) });
    await world.settle();
    // The mirror that was there follows by steps, in as many frames as they need.
    expect([a.seq, a.standing]).toEqual([21, 'confirmed']);
    const bob = await world.peer('bob');
    expect(await world.refusal(bob.watch('front', world.door))).toBe('TOO_LARGE');
    expect(await world.refusal(bob.get('front'))).toBe('TOO_LARGE');
    expect([alice.isConnected, bob.isConnected, server.isConnected]).toEqual([true, true, true]);
  });

  test('[SYNC-9] steps that outweigh a frame are answered with the state that they lead to', async () => {
    const { world, server } = await doorWorld();
    const bob = await world.peer('bob');
    const b = await world.get(bob.watch('front', world.door));
    world.network('bob').cut();
    const own = await world.get(server.watch('front', world.door));
    for (let i = 0; i < 40; i++) own.send({ type: 'NOTE', note: 'y'.repeat(60_000) });
    await world.settle();
    world.network('bob').mend();
    await world.advance(15_000);
    expect([b.seq, b.standing, bob.isConnected]).toEqual([41, 'confirmed', true]);
  });

  test('[SYNC-18] without a frame for a room a barrier holds nothing back: a crowd comes in one frame', async () => {
    const environment = new TestEnvironment();
    const frames: string[] = [];
    const outbox = new Outbox({ environment, frameSize: 50, deliver: (address, body) => void frames.push(`${address} ${body}`) });
    for (const [i, peer] of ['a', 'b'].entries()) {
      outbox.barrier();
      outbox.post('', `${i}`);
      outbox.post(peer, '"in"');
    }
    outbox.post('#1', '"step"');
    outbox.barrier();
    outbox.post('', '2');
    await environment.settle();
    expect(frames).toEqual([' [0,1]', 'a "in"', 'b "in"', '#1 "step"', ' 2']);
  });

  test('[SYNC-18] the outbox splits between messages, keeps the order, and a barrier holds back what follows', async () => {
    const environment = new TestEnvironment();
    const frames: string[] = [];
    const outbox = new Outbox({ environment, frameSize: 50, deliver: (address, body) => void frames.push(`${address} ${body}`) });
    outbox.post('a', '"1234567890"');
    outbox.post('#1', '1');
    outbox.post('a', '"abcdefghij"');
    outbox.post('a', '"ABCDEFGHIJ"');
    outbox.barrier();
    outbox.post('#1', '2');
    outbox.post('c', '3');
    expect(frames).toEqual([]);
    await environment.settle();
    expect(frames).toEqual(['a ["1234567890","abcdefghij"]', '#1 1', 'a "ABCDEFGHIJ"', '#1 2', 'c 3']);
    expect([outbox.fits('a', 'x'.repeat(33)), outbox.fits('a', 'x'.repeat(34))]).toEqual([true, false]);
  });
});

describe('rooms', () => {
  const roomOf = (frameSize: number) => {
    const environment = new TestEnvironment();
    const posted: string[] = [];
    const port: RoomPort = {
      admit: () => undefined,
      expel: () => undefined,
      post: (room, message) => void posted.push(`${room} ${String(message)}`),
      barrier: () => undefined,
      fits: (message) => message.length <= frameSize,
      packed: () => undefined,
    };
    const outbox = new Outbox({ environment, frameSize, deliver: () => undefined });
    const member = (remote: string): Session =>
      new Session(remote, {
        environment,
        outbox,
        requested: () => undefined,
        questions: new Questions(),
        timeoutMs: () => 1,
        noticed: () => undefined,
        sessionOf: () => undefined,
      });
    return {
      room: new Room({
        number: 7,
        another: () => 8,
        dropped: () => undefined,
        port,
        environment,
        digest: () => 'd',
        hash: () => 0n,
        durable: () => {
          throw new Error('nobody here has a partial view');
        },
      }),
      posted,
      member,
    };
  };
  const whole = { key: PLAIN, look: OPEN, sight: undefined };
  const step = (seq: number, value = ''): Told => ({ difference: [seq, 0, 0, [], [{ op: 'replace', path: '', value }]], event: undefined });

  test('[SYNC-18] steps that do not fit one frame are split; a step that fits none sends everyone for a snapshot', () => {
    const { room, posted, member } = roomOf(200);
    room.add(step(2), undefined);
    room.publish();
    expect(posted).toEqual([]);
    room.join(member('alice'), { seq: 2, ...whole });
    for (let seq = 3; seq <= 6; seq++) room.add(step(seq), undefined);
    room.add(step(7, 'x'.repeat(300)), undefined);
    room.publish();
    const seqs = posted.map((line) => [...line.matchAll(/\[(\d+),0,0,/g)].map(([, seq]) => Number(seq)));
    expect(seqs.flat()).toEqual([3, 4, 5, 6]);
    expect(posted.at(-1)).toBe('7 {"jsonrpc":"2.0","method":"moved","params":{"room":7,"reason":"epoch"}}');
  });

  test('[TOPO-17] of those behind one member as many are known as may be let into rooms; the one vouched for longest ago is forgotten', () => {
    const { room, member } = roomOf(200);
    const source = member('source');
    room.join(source, { seq: 1, ...whole });
    for (let i = 0; i < LIMITS.memberMax; i++) room.enroll(source, `reader ${i}`);
    room.enroll(source, 'reader 0');
    expect([room.senders.isBehind(source, 'reader 0'), room.senders.isBehind(source, 'reader 1'), room.senders.all().length]).toEqual([
      true,
      true,
      LIMITS.memberMax + 1,
    ]);
    for (const late of ['late', 'later']) room.enroll(source, late);
    expect(['reader 0', 'reader 1', 'reader 2', 'reader 3', 'later'].map((peer) => room.senders.isBehind(source, peer))).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
    expect([room.senders.of('reader 1'), room.senders.of('later') > 0, room.senders.all().length]).toEqual([0, true, LIMITS.memberMax + 1]);
  });

  test('[SYNC-45] members are numbered from 1 while they are members; others are 0', () => {
    const { room, member } = roomOf(200);
    const [alice, bob] = [member('alice'), member('bob')];
    const join = (session: Session): number => room.join(session, { seq: 1, ...whole }).who;
    expect([join(alice), join(bob), join(alice), room.senders.of('carol')]).toEqual([1, 2, 1, 0]);
    expect([alice.rooms.size, bob.rooms.size]).toEqual([1, 1]);
    const again = member('alice');
    expect([join(again), alice.rooms.size, again.rooms.size]).toEqual([1, 0, 1]);
    again.close(new LockstepError('CLOSED', 'gone'));
    expect([room.senders.of('alice'), room.has('alice'), room.isEmpty, join(member('alice'))]).toEqual([0, false, false, 3]);
  });
});

describe('questions and answers', () => {
  const caller = (said: string[]) => ({
    load: { sends: 0, requests: 0 },
    answer: (id: number | string, result: unknown) => void said.push(`${id} ${JSON.stringify(result)}`),
    refuse: (id: number | string | null, error: LockstepError) => void said.push(`${id ?? 'null'} ${error.code}: ${error.message}`),
  });

  test('[SYNC-14] handlers answer, refuse, and hide their bugs', async () => {
    const reported: unknown[] = [];
    const service = new Service<ReturnType<typeof caller>>(
      (error) => reported.push(error),
      new Answers(new TestEnvironment(), () => undefined),
    );
    const bug = new TypeError('a secret of ours');
    service.serve('slow', async (params) => Promise.resolve({ params }));
    service.serve('no', () => {
      throw new LockstepError('FORBIDDEN', 'not you');
    });
    service.serve('bug', () => Promise.reject(bug));
    service.serveAtOnce('now', (params, who, id) => who.answer(id, params));
    service.serveAtOnce('bug at once', () => {
      throw bug;
    });
    const said: string[] = [];
    for (const method of ['slow', 'no', 'bug', 'now', 'bug at once', 'unknown']) service.handle(method, method, [1], caller(said));
    await new TestEnvironment().settle();
    expect(said.sort()).toEqual([
      'bug INTERNAL: a fault of this peer; its log has it',
      'bug at once INTERNAL: a fault of this peer; its log has it',
      'no FORBIDDEN: not you',
      'now [1]',
      'slow {"params":[1]}',
      'unknown UNKNOWN_METHOD: no method "unknown" is served here',
    ]);
    expect(reported).toEqual([bug, bug]);
  });

  test('[SYNC-28] of two peers with one secret the newer has the name, and the older comes back when that one has left', async () => {
    const { world, alice, a } = await doorWorld();
    const twin = await world.peer('alice');
    expect([alice.isConnected, twin.isConnected, a.standing]).toEqual([false, true, 'offline']);
    await world.advance(120_000);
    expect([alice.isConnected, twin.isConnected]).toEqual([false, true]);
    await twin.close();
    await world.advance(30_000);
    a.send({ type: 'OPEN' });
    await world.settle();
    expect([alice.isConnected, a.standing, a.seq]).toEqual([true, 'confirmed', 2]);
  });

  test('[SYNC-14] an answer to a process that is no more finds nobody who asked in the next one of the same name', async () => {
    const said: string[] = [];
    const { world } = await doorWorld();
    for (let i = 0; i < 2; i++) {
      const carol = await world.peer('carol', { record: (line) => void said.push(line) });
      await world.get(carol.watch('front', world.door));
      await carol.close();
      await world.settle();
    }
    const numbers = said.filter((line) => line.includes('"method":"watch"')).map((line) => /"id":(\d+)/.exec(line)![1]);
    expect(numbers).toHaveLength(2);
    expect(new Set(numbers).size).toBe(2);
  });

  test.each([
    ['saw it come and go', true],
    ['hears of nobody who comes or goes', false],
  ])('[TOPO-14] who asked a peer that was not there, %s, and is let in by a later link of it, leaves again', async (_what, presence) => {
    const { world } = await doorWorld();
    let link: Link | undefined;
    const carol = await world.peer('carol', {
      presence,
      dial: async () => {
        const [near, far] = linkPair(world.environment);
        world.hub.attach(far);
        return (link = near);
      },
    });
    const [send, slow] = [link!.send.bind(link), [] as Parameters<Link['send']>[0][]];
    const asked = carol.watch('bob/desk', world.door).catch((error: LockstepError) => error.code);
    // What carol says waits on its way, but what tells her that bob is not there.
    link!.send = (frame) => void slow.push(frame);
    if (!presence) send('bob\n{"jsonrpc":"2.0","method":"sender","params":["",0,""]}');
    else await (await world.peer('bob')).close();
    await world.settle();
    expect(await asked).toBe('UNREACHABLE');
    const said: string[] = [];
    const bob = await world.peer('bob', { record: (line) => void said.push(line), machines: { door: { definition: world.door } } });
    await world.get(bob.host('desk', 'door'));
    link!.send = send;
    slow.forEach(send);
    await world.settle();
    const [room] = said.flatMap((line) => /"method":"admit","params":\[(\d+),"carol"/.exec(line)?.slice(1) ?? []);
    expect(room).toBeDefined();
    expect(said.filter((line) => line.includes('"carol"]')).at(-1)).toContain(`"method":"expel","params":[${room},"carol"]`);
  });

  test('[SYNC-42] what is said in a room of a peer that has left is not taken for the room that had its number before', async () => {
    const { world, alice } = await doorWorld();
    const machines = { door: { definition: world.door } };
    let toCarol: Link | undefined;
    const carol = await world.peer('carol', {
      dial: async () => {
        const [near, far] = linkPair(world.environment);
        world.hub.attach(far);
        toCarol = far;
        return near;
      },
    });
    const bob = await world.peer('bob', { machines });
    for (const name of ['desk', 'lamp']) await world.get(bob.host(name, 'door'));
    const desk = await world.get(carol.watch('bob/desk', world.door));
    const lamp = await world.get(carol.watch('bob/lamp', world.door));
    const ended: string[] = [];
    for (const [name, mirror] of Object.entries({ desk, lamp }))
      mirror.subscribe({ complete: () => ended.push(name), error: () => ended.push(name) });
    await bob.close();
    // She is let into the rooms of the next bob, but what tells her which is whose is lost.
    const send = toCarol!.send.bind(toCarol);
    toCarol!.send = (frame) => (typeof frame === 'string' && frame.startsWith('bob\n') ? undefined : send(frame));
    const next = await world.peer('bob', { machines });
    for (const name of ['desk', 'lamp']) await world.get(next.host(name, 'door'));
    for (const name of ['bob/lamp', 'bob/desk']) await world.get(alice.watch(name, world.door));
    await world.advance(60_000);
    await world.get(next.delete('bob/lamp'));
    expect(ended).toEqual([]);
    toCarol!.send = send;
    await world.advance(60_000);
    expect([desk.standing, lamp.standing, ...ended]).toEqual(['confirmed', 'offline']);
  });

  test('[TOPO-14] of the questions to peers that were not there as many are kept as one of them lets anybody watch', () => {
    const questions = new Questions();
    for (let id = 0; id <= LATE_MAX; id++) questions.keep(id, `peer ${id}`, () => undefined);
    expect(LATE_MAX).toBeGreaterThanOrEqual(LIMITS.watchMax);
    expect(questions.take(0, 'peer 0')).toBeUndefined();
    expect(questions.take(1, 'peer 2')).toBeUndefined();
    expect(questions.take(1, 'peer 1')).toBeDefined();
    expect(questions.take(1, 'peer 1')).toBeUndefined();
  });

  test('[SYNC-14] a question without an answer times out; one that comes late, or twice, is dropped', async () => {
    const environment = new TestEnvironment();
    const posted: string[] = [];
    const rpc = new Rpc({ environment, timeoutMs: () => 1_000, questions: new Questions() }, (message) => posted.push(message) > 0);
    const told: string[] = [];
    const ask = (): void =>
      void rpc.request('get', {}).then(
        (result) => told.push(`got ${JSON.stringify(result)}`),
        (error: LockstepError) => told.push(error.code),
      );
    ask();
    ask();
    await environment.settle();
    rpc.receive(2, undefined, 'two');
    rpc.receive(2, undefined, 'two again');
    rpc.receive(99, undefined, 'nobody asked');
    await environment.advance(1_000);
    rpc.receive(1, undefined, 'late');
    rpc.call('send', [], (error, result) => told.push(`${error?.code ?? ''}${String(result)}`));
    rpc.close(new LockstepError('CLOSED', 'gone'));
    await environment.settle();
    expect(told).toEqual(['got "two"', 'TIMEOUT', 'CLOSEDundefined']);
    expect(posted).toHaveLength(3);
  });

  test('[SYNC-8] a step that is lost on a live link is missed when the room falls quiet, and fetched', async () => {
    const { world, server, a } = await doorWorld();
    const outcome = a.submit({ type: 'OPEN' });
    // The step is lost on its way.
    const lost = a.stepped.bind(a);
    let swallowed = 0;
    a.stepped = () => void swallowed++;
    await world.settle();
    a.stepped = lost;
    expect([swallowed, a.seq, a.standing]).toEqual([1, 1, 'predicted']);
    await world.advance(200);
    expect(await world.get(outcome)).toEqual({ outcome: 'stepped', seq: 2 });
    expect([a.seq, a.standing, server.isConnected]).toEqual([2, 'confirmed', true]);
  });

  test('[SYNC-8] so is one that had a digest of its own, as each 64th has', async () => {
    const { world, server, a } = await doorWorld();
    const own = await world.get(server.watch('front', world.door));
    for (let i = 2; i < 64; i++) await world.get(own.submit({ type: 'NOTE', note: i }));
    await world.advance(1_000);
    const lost = a.stepped.bind(a);
    const swallowed: unknown[] = [];
    a.stepped = ([, , digest]) => void swallowed.push(digest);
    await world.get(own.submit({ type: 'NOTE', note: 'the 64th' }));
    a.stepped = lost;
    expect([swallowed, a.seq]).toEqual([[own.digest], 63]);
    await world.advance(200);
    expect([a.seq, a.digest]).toEqual([64, own.digest]);
  });
});

describe('observers', () => {
  test('[SYNC-6] what an observer throws is reported, and costs neither a step nor the link', async () => {
    const { world, alice, a } = await doorWorld();
    a.subscribe(() => {
      throw new Error('a broken screen');
    });
    a.onStanding(() => {
      throw new Error('a broken lamp');
    });
    alice.onPresence(() => {
      throw new Error('a broken list');
    });
    const bob = await world.peer('bob');
    const b = await world.get(bob.watch('front', world.door));
    b.send({ type: 'OPEN' });
    await world.settle();
    a.send({ type: 'CLOSE' });
    await world.settle();
    expect([a.seq, a.getSnapshot().value, a.standing, alice.isConnected]).toEqual([3, 'closed', 'confirmed', true]);
    expect(new Set(world.reported.map(([, message]) => message))).toEqual(
      new Set(['an observer of front threw', 'an observer of the standing of front threw', 'an observer of presence threw']),
    );
  });
});

describe('coming and going', () => {
  test('[SYNC-8] an authority that closes while events are on their way refuses none of them', async () => {
    const { world, server, a } = await doorWorld();
    const outcomes = [a.submit({ type: 'NAME', name: 'first' })];
    const refused: string[] = [];
    for (const outcome of outcomes) outcome.catch((error: LockstepError) => refused.push(error.code));
    const closing = server.close();
    await world.environment.turn();
    outcomes.push(a.submit({ type: 'NAME', name: 'second' }));
    outcomes[1]!.catch((error: LockstepError) => refused.push(error.code));
    await world.get(closing);
    expect([a.standing, refused]).toEqual(['offline', []]);
    expect(a.unconfirmedCount).toBeGreaterThan(0);
  });

  test('[SYNC-23] two with one secret: the newer link stays, the older peer waits for its user', async () => {
    const { world, alice, a } = await doorWorld();
    const other = await world.peer('alice');
    await world.advance(600_000);
    expect([alice.isConnected, other.isConnected, a.standing]).toEqual([false, true, 'offline']);
    expect(world.reported.some(([level, message]) => level === 'error' && message.includes('newer link'))).toBe(true);
    await world.get(other.close());
    alice.reconnectNow();
    await world.settle();
    expect([alice.isConnected, a.standing]).toEqual([true, 'confirmed']);
  });

  test('[SYNC-23] a wait is random between 0 and a bound that doubles from 250 ms to 15 s', () => {
    const environment = new TestEnvironment();
    for (const [attempt, bound] of [
      [0, 250],
      [1, 500],
      [3, 2_000],
      [6, 15_000],
      [40, 15_000],
    ] as const) {
      const waits = Array.from({ length: 400 }, () => backoffMs(environment, attempt));
      expect(Math.min(...waits)).toBeLessThan(bound * 0.1);
      expect(Math.max(...waits)).toBeGreaterThan(bound * 0.9);
      expect(Math.max(...waits)).toBeLessThanOrEqual(bound);
    }
  });

  test('[SYNC-14] a relay that refuses this peer is told to who waits for it', async () => {
    const world = new World();
    const impostor = await world.peer('impostor', { kind: 'server', key: 'wrong' });
    const waiting = impostor.ready;
    waiting.catch(() => undefined);
    await world.advance(30_000);
    expect(await world.refusal(waiting)).toBe('FORBIDDEN');
  });

  test('[SYNC-8] a peer whose relay is not there says so in time', async () => {
    const world = new World();
    const alice = await world.peer('alice');
    world.network('alice').cut();
    await world.settle();
    const listing = alice.list();
    listing.catch(() => undefined);
    await world.advance(11_000);
    expect(await world.refusal(listing)).toBe('UNREACHABLE');
  });

  test('[SYNC-8] without a server, watching and creating there say UNREACHABLE', async () => {
    const world = new World();
    const alice = await world.peer('alice');
    expect(await world.refusal(alice.watch('front'))).toBe('UNREACHABLE');
    expect(await world.refusal(alice.create('door'))).toBe('UNREACHABLE');
    expect(await world.refusal(alice.get('nobody/front'))).toBe('UNREACHABLE');
  });

  test('[SYNC-25] a peer that did not ask for presence still finds the server when it comes', async () => {
    const world = new World();
    const alice = await world.peer('alice', { presence: false });
    await world.server();
    await world.get(alice.create('door', { instance: 'front' }));
    const a = await world.get(alice.watch('front', world.door));
    expect(await world.get(a.submit({ type: 'OPEN' }))).toEqual({ outcome: 'stepped', seq: 2 });
    expect(alice.peers().map(({ peer }) => peer)).toEqual(['server']);
  });

  test('[SYNC-8] without presence, a lost authority is noticed by the next event, which arrives when it is back', async () => {
    const { world } = await doorWorld();
    const tab = await world.peer('tab');
    tab.machines.add('bar', { definition: world.door });
    const own = await world.get(tab.host('bar', 'bar'));
    const bob = await world.peer('bob', { presence: false });
    const b = await world.get(bob.watch('tab/bar', world.door));
    world.network('tab').cut();
    await world.settle();
    expect(b.standing).toBe('confirmed');
    b.send({ type: 'OPEN' });
    await world.settle();
    expect([b.standing, b.getSnapshot().value, own.getSnapshot().value]).toEqual(['offline', 'open', 'closed']);
    world.network('tab').mend();
    await world.advance(2_500);
    await world.advance(2_000);
    expect([own.seq >= 2, b.standing]).toEqual([true, 'confirmed']);
    expect(world.rings.filter(({ at }) => at === 'OPEN')).toHaveLength(1);
  });

  test('[SYNC-6] a mirror is shared by all who watch it, and ends with the last of them', async () => {
    const { world, alice, a } = await doorWorld();
    const again = await world.get(alice.watch('front'));
    expect(again).toBe(a);
    let completed = 0;
    a.subscribe({ complete: () => completed++ });
    again.stop();
    a.send({ type: 'OPEN' });
    await world.settle();
    expect([a.getSnapshot().value, completed]).toEqual(['open', 0]);
    a.stop();
    expect([a.getSnapshot().value, completed]).toEqual(['open', 1]);
    expect(() => a.send({ type: 'CLOSE' })).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    const fresh = await world.get(alice.watch('front', world.door));
    expect([fresh === a, fresh.seq]).toEqual([false, 2]);
  });
});

describe('what is remembered', () => {
  test('[SYNC-3] a number under which an event of an earlier life of this peer was applied is not given again', () => {
    const events = new UnconfirmedEvents();
    events.appliedUpTo(1);
    events.applied(2, ['stepped', 17]);
    expect(events.number()).toBe(3);
  });

  test('[SYNC-3] the newest 512 events of each of the newest 1,024 peers, and no more than twice that', () => {
    const seen = new SeenEvents();
    for (let n = 1; n <= 5_000; n++) seen.add('busy', n, n + 1, n % 2 === 0);
    expect(seen.find('busy', 5_000)).toEqual([5_000, 5_001, true]);
    expect(seen.find('busy', 5_000 - 511)).toEqual([4_489, 4_490, false]);
    expect(seen.find('busy', 5_000 - 1_024)).toBe('stale');
    expect(seen.find('busy', 5_001)).toBeUndefined();
    expect(seen.lastUpTo('busy', 4_900)).toBe(4_899);
    for (let i = 0; i < 1_023; i++) seen.add(`peer ${i}`, 1, 6_000 + i, true);
    expect(seen.find('busy', 5_000)).toEqual([5_000, 5_001, true]);
    seen.add('one more', 1, 8_000, true);
    expect(seen.find('busy', 5_000)).toBeUndefined();
    expect(SeenEvents.load(JSON.parse(JSON.stringify(seen.save())) as ReturnType<SeenEvents['save']>).save()).toEqual(seen.save());
  });

  test('[SYNC-3] what was remembered at a checkpoint is found there later, whatever came since', () => {
    const seen = new SeenEvents();
    const add = (from: number, to: number): void => {
      for (let n = from; n <= to; n++) seen.add(n % 2 === 0 ? 'even' : 'odd', n, n + 1, true);
    };
    add(1, 10);
    const saved = seen.saved();
    const then = seen.save();
    add(11, 5_000);
    expect(saved()).toEqual(then);
    expect(then.map(([peer, events]) => [peer, events.length])).toEqual([
      ['odd', 5],
      ['even', 5],
    ]);
  });

  test('[SYNC-8] at least the newest 1,024 steps', () => {
    const backlog = new Backlog();
    const step = (seq: number): Told => ({ difference: [seq, 0, 0, [], []], event: undefined });
    for (let seq = 2; seq <= 5_000; seq++) backlog.add(step(seq), seq % 64 === 0 ? `d${seq}` : undefined);
    expect(backlog.after(4_998, 5_000)).toEqual([step(4_999), step(5_000)]);
    expect(backlog.after(5_000, 5_000)).toEqual([]);
    expect(backlog.after(5_000 - 1_024, 5_000)).toHaveLength(1_024);
    expect(backlog.after(2_000, 5_000)).toBeUndefined();
    expect(backlog.after(5_001, 5_000)).toBeUndefined();
    expect([backlog.digest(4_992), backlog.digest(64)]).toEqual(['d4992', undefined]);
  });

  test('[SYNC-24] images survive base64 at every length', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    }
    expect([decodeBase64('abc'), decodeBase64('ab*='), decodeBase64('a===')]).toEqual([undefined, undefined, undefined]);
  });
});
