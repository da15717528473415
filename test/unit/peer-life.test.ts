// What outlives a link, a process or a mistake: event numbers, histories, names, and the way back.

import { describe, expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { LockstepError } from '../../core/errors.ts';
import { Follower } from '../../peer/follower.ts';
import type { InspectMessage } from '../../peer/inspect/protocol.ts';
import type { JournalEntry } from '../../peer/journal.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import type { Session } from '../../peer/session.ts';
import type { Traced } from '../../peer/wire.ts';
import { PlainSocket, World } from '../support/world.ts';

async function doorWorld(options: { journal?: MemoryJournal } = {}) {
  const world = new World();
  const journal = options.journal ?? new MemoryJournal();
  const server = await world.server({ journal });
  const alice = await world.peer('alice');
  await world.get(alice.create('door', { instance: 'front' }));
  const a = await world.get(alice.watch('front', world.door));
  return { world, journal, server, alice, a };
}

describe('resending', () => {
  test('[SYNC-3] the same event id again changes nothing and gets the same answer', async () => {
    const { world, a } = await doorWorld();
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'send', ['front', 5, { type: 'OPEN' }])).toEqual(['stepped', 2]);
    expect(await socket.ask(world, 'send', ['front', 6, { type: 'OPEN' }])).toEqual(['ignored', 3]);
    expect(await socket.ask(world, 'send', ['front', 5, { type: 'OPEN' }])).toEqual(['stepped', 2]);
    expect(await socket.ask(world, 'send', ['front', 6, { type: 'CLOSE' }])).toEqual(['ignored', 3]);
    expect([a.seq, a.getSnapshot().value, world.rings.length]).toEqual([3, 'open', 1]);
  });

  test('[SYNC-3] the same event id twice in one turn is one step', async () => {
    const { world, a } = await doorWorld();
    const socket = new PlainSocket(world);
    const send = (id: number) => ({ jsonrpc: '2.0', id, method: 'send', params: ['front', 1, { type: 'NAME', name: 'once' }] });
    socket.say([send(1), send(2)]);
    await world.settle();
    expect(socket.heard).toEqual([
      { jsonrpc: '2.0', id: 1, result: ['stepped', 2] },
      { jsonrpc: '2.0', id: 2, result: ['stepped', 2] },
    ]);
    expect(a.seq).toBe(2);
  });

  test('[SYNC-11] an event id older than what is remembered is STALE and not applied; so is one that was refused before a newer one', async () => {
    const { world, a } = await doorWorld();
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'BREAK' }])).toBe('HOST_THREW');
    for (let n = 2; n <= 1_100; n++)
      socket.say({ jsonrpc: '2.0', id: n, method: 'send', params: ['front', n, { type: 'NAME', name: '' }] });
    await world.settle();
    expect(a.seq).toBe(1_100);
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'OPEN' }])).toBe('STALE');
    expect(await socket.ask(world, 'send', ['front', 2, { type: 'OPEN' }])).toBe('STALE');
    expect(await socket.ask(world, 'send', ['front', 600, { type: 'OPEN' }])).toEqual(['ignored', 600]);
    expect([a.seq, a.getSnapshot().value]).toEqual([1_100, 'closed']);
  });

  test('[SYNC-3] event ids are remembered across a restart of the authority', async () => {
    const { world, journal, server, a } = await doorWorld();
    await world.get(a.submit({ type: 'OPEN' }));
    await world.get(server.close());
    await world.server({ journal });
    await world.advance(20_000);
    await world.settle();
    expect([a.seq >= 2, a.standing]).toEqual([true, 'confirmed']);
    const described = await world.get(a.submit({ type: 'NAME', name: 'later' }));
    expect(described.outcome).toBe('stepped');
    expect(a.getSnapshot().context).toMatchObject({ opened: 1, names: ['later'] });
  });
});

describe('a lost link', () => {
  test('[SYNC-8] cutting and mending the network loses nothing and doubles nothing', async () => {
    const { world, a } = await doorWorld();
    const bob = await world.peer('bob');
    const b = await world.get(bob.watch('front', world.door));
    const standings: string[] = [];
    a.onStanding((standing) => standings.push(standing));
    a.send({ type: 'NAME', name: 'before' });
    await world.settle();
    world.network('alice').cut();
    await world.settle();
    expect(a.standing).toBe('offline');
    a.send({ type: 'NAME', name: 'offline' });
    b.send({ type: 'NAME', name: 'meanwhile' });
    await world.settle();
    expect(a.getSnapshot().context).toMatchObject({ names: ['before', 'offline'] });
    world.network('alice').mend();
    await world.advance(15_000);
    expect(a.getSnapshot().context).toMatchObject({ names: ['before', 'meanwhile', 'offline'] });
    expect([a.standing, a.seq, b.seq]).toEqual(['confirmed', 4, 4]);
    expect(b.getSnapshot().context).toEqual(a.getSnapshot().context);
    expect(standings).toEqual(['predicted', 'confirmed', 'offline', 'predicted', 'confirmed']);
  });

  test('[SYNC-8] an event whose answer was lost is sent again under its number, and is one step', async () => {
    for (const when of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const { world, a } = await doorWorld();
      let answered: unknown;
      void a.submit({ type: 'NAME', name: 'once' }).then((result) => (answered = result));
      // Cut after so many turns: before the frame left, at the relay, at the server, on the way back.
      for (let turn = 0; turn < when; turn++) await world.environment.turn();
      world.network('alice').cut();
      await world.settle();
      world.network('alice').mend();
      await world.advance(15_000);
      expect([when, answered, a.seq, a.unconfirmedCount]).toEqual([when, { outcome: 'stepped', seq: 2 }, 2, 0]);
      expect(a.getSnapshot().context).toMatchObject({ names: ['once'] });
    }
  });

  test('[SYNC-8] what was missed comes as one difference while its steps are kept, and as a snapshot when there were too many', async () => {
    for (const [count, what] of [
      [1, 'steps'],
      [10, 'merged'],
      [3_000, 'snapshot'],
    ] as const) {
      const { world, alice } = await doorWorld();
      const lines: string[] = [];
      const bob = await world.peer('bob', { record: (line) => lines.push(line) });
      const b = await world.get(bob.watch('front', world.door));
      world.network('bob').cut();
      const a = await world.get(alice.watch('front', world.door));
      for (let i = 0; i < count; i++) a.send({ type: 'NAME', name: '' });
      await world.settle();
      lines.length = 0;
      world.network('bob').mend();
      await world.advance(15_000);
      expect(b.seq).toBe(count + 1);
      const answer = lines.find((line) => line.startsWith('< from server') && line.includes('"room"'));
      expect(answer).toContain(`"${what}":`);
    }
  });

  test('[SYNC-23] waits between attempts are random, grow to 15 seconds, and begin small again after a stable link', async () => {
    const { world, alice } = await doorWorld();
    world.network('alice').cut();
    const before = world.reported.length;
    await world.advance(600_000);
    const attempts = world.reported.length - before;
    // Half of 15 s on average: about 80 in ten minutes.
    expect(attempts).toBeGreaterThan(40);
    expect(attempts).toBeLessThan(160);
    world.network('alice').mend();
    alice.reconnectNow();
    await world.settle();
    expect(alice.isConnected).toBe(true);
    await world.advance(11_000);
    world.network('alice').cut();
    world.network('alice').mend();
    await world.advance(251);
    expect(alice.isConnected).toBe(true);
  });

  test('[SYNC-8] when survives a lost link', async () => {
    const { world, a } = await doorWorld();
    const bob = await world.peer('bob');
    const b = await world.get(bob.watch('front', world.door));
    const opened = b.when('open');
    world.network('bob').cut();
    await world.settle();
    a.send({ type: 'OPEN' });
    await world.settle();
    world.network('bob').mend();
    await world.advance(4_000);
    await world.advance(0);
    expect((await world.get(opened)).value).toBe('open');
  });
});

describe('a restarted authority', () => {
  test('[SYNC-20] instances come back from the journal as they were, and mirrors go on', async () => {
    const { world, journal, server, a } = await doorWorld();
    for (let i = 0; i < 300; i++) a.send({ type: 'NAME', name: `n${i}` });
    await world.settle();
    const before = a.getSnapshot().toJSON();
    await world.get(server.close());
    expect(a.standing).toBe('offline');
    a.send({ type: 'OPEN' });
    await world.server({ journal });
    await world.advance(15_000);
    expect([a.seq >= 302, a.standing]).toEqual([true, 'confirmed']);
    expect(a.getSnapshot().context).toEqual({ ...(before.context as object), opened: 1 });
  });

  test('[SYNC-20] a step whose digest does not come out is not built upon', async () => {
    const { world, journal, server, a } = await doorWorld();
    for (let i = 0; i < 70; i++) a.send({ type: 'NAME', name: `n${i}` });
    await world.settle();
    await world.get(server.close());
    const stored = await journal.read('front');
    const forged = new MemoryJournal();
    const image = await journal.image(stored!.record.image);
    const entries: JournalEntry[] = [
      { kind: 'image', hash: stored!.record.image, bytes: image! },
      { kind: 'create', record: stored!.record, step: stored!.steps[0]! },
    ];
    for (const step of stored!.steps.slice(1))
      entries.push({
        kind: 'step',
        step: step.seq === 10 ? { ...step, patch: [{ op: 'replace', path: '/note', value: 'forged' }] } : step,
      });
    await forged.write(entries);
    const again = await world.server({ journal: forged });
    expect(await world.refusal(again.get('front'))).toBe('CORRUPT');
    expect(world.reported.some(([, message]) => message === 'instance front cannot be brought back')).toBe(true);
  });

  test('[SYNC-20] a checkpoint stands for the steps before it, event ids included', async () => {
    const { world, journal, server, a } = await doorWorld();
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'NAME', name: 'kept' }])).toEqual(['stepped', 2]);
    for (let i = 0; i < 600; i++) a.send({ type: 'NAME', name: '' });
    await world.settle();
    const stored = await journal.read('front');
    expect(stored?.checkpoint?.seq).toBeGreaterThanOrEqual(256);
    expect(stored?.steps.length).toBeLessThan(512);
    await world.get(server.close());
    await world.server({ journal });
    await world.advance(15_000);
    expect(a.getSnapshot().context).toMatchObject({ names: ['kept'] });
    expect(await world.get(a.submit({ type: 'OPEN' }))).toMatchObject({ outcome: 'stepped' });
  });

  test('[SYNC-16] timers survive a restart, and one that is due meanwhile fires at once', async () => {
    for (const [downMs, value] of [
      [1_000, 'open'],
      [20_000, 'closed'],
    ] as const) {
      const { world, journal, server, a } = await doorWorld();
      await world.get(a.submit({ type: 'OPEN' }));
      await world.get(server.close());
      await world.advance(downMs);
      expect(a.getSnapshot().value).toBe('open');
      const again = await world.server({ journal });
      expect(await world.get(again.get('front'))).toMatchObject({ value });
      await world.advance(15_000);
      expect(a.getSnapshot().value).toBe('closed');
      expect(world.rings.filter(({ at }) => at.startsWith('xstate.after'))).toHaveLength(1);
    }
  });

  test('[SYNC-12] a history that is no continuation has another epoch: the mirror takes a snapshot and sends again', async () => {
    const { world, server, a } = await doorWorld();
    await world.get(a.submit({ type: 'OPEN' }));
    const epoch = a.epoch;
    await world.get(server.close());
    await world.advance(10);
    const again = await world.server();
    await world.get(again.create('door', { instance: 'front', input: { opened: 7 } }));
    a.send({ type: 'NAME', name: 'carried over' });
    await world.advance(15_000);
    expect(a.epoch).toBeGreaterThan(epoch);
    expect([a.standing, a.getSnapshot().value]).toEqual(['confirmed', 'closed']);
    expect(a.getSnapshot().context).toEqual({ opened: 7, names: ['carried over'], note: null });
  });

  test('[SYNC-12] so has a name that was deleted and is created again after a restart, although no journal knows its last epoch', async () => {
    const world = new World();
    const journal = new MemoryJournal();
    const server = await world.server({ journal });
    // So many at one moment are ahead of the clock.
    for (const name of ['back', 'side', 'cellar', 'front']) await world.get(server.create('door', { instance: name }));
    const alice = await world.peer('alice');
    const a = await world.get(alice.watch('front', world.door));
    const { epoch } = a;
    world.network('alice').cut();
    for (const name of ['back', 'side', 'cellar', 'front']) await world.get(server.delete(name));
    await world.get(server.close());
    await world.get((await world.server({ journal })).create('door', { instance: 'front', input: { opened: 7 } }));
    world.network('alice').mend();
    await world.advance(15_000);
    expect(a.epoch).toBeGreaterThan(epoch);
    expect([a.standing, a.getSnapshot().context.opened]).toEqual(['confirmed', 7]);
  });

  test('[SYNC-14] a deleted instance ends its mirrors, and its name can be used again', async () => {
    const { world, server, alice, a } = await doorWorld();
    const ended: unknown[] = [];
    a.subscribe({ error: (error) => ended.push((error as { code: string }).code) });
    await world.get(server.delete('front'));
    expect(ended).toEqual(['UNKNOWN_INSTANCE']);
    expect(() => a.send({ type: 'OPEN' })).toThrow(expect.objectContaining({ code: 'UNKNOWN_INSTANCE' }));
    expect(await world.refusal(alice.watch('front', world.door))).toBe('UNKNOWN_INSTANCE');
    await world.advance(1);
    await world.get(alice.create('door', { instance: 'front' }));
    expect((await world.get(alice.watch('front', world.door))).seq).toBe(1);
  });
});

describe('any peer may be an authority', () => {
  test('[SYNC-13] a browser hosts under its own name; the server mirrors it, and either side changes it', async () => {
    const world = new World();
    const server = await world.server();
    const tab = await world.peer('tab', { kind: 'browser' });
    tab.machines.add('bar', { definition: world.door });
    const own = await world.get(tab.host('bar', 'bar'));
    expect(own.id).toBe('tab/bar');
    const mirror = await world.get(server.watch('tab/bar', world.door));
    mirror.send({ type: 'OPEN' });
    await world.settle();
    expect([own.getSnapshot().value, mirror.standing, world.rings.length]).toEqual(['open', 'confirmed', 1]);
    own.send({ type: 'NAME', name: 'mine' });
    expect([own.standing, own.getSnapshot().context]).toEqual(['predicted', { opened: 1, names: ['mine'], note: null }]);
    await world.settle();
    expect([own.standing, mirror.getSnapshot().context]).toEqual(['confirmed', { opened: 1, names: ['mine'], note: null }]);
    // Without a link the owner goes on; its mirrors say that they are cut off, and resume.
    world.network('tab').cut();
    await world.settle();
    own.send({ type: 'NAME', name: 'alone' });
    await world.settle();
    expect([own.standing, own.seq, mirror.standing, mirror.seq]).toEqual(['confirmed', 4, 'offline', 3]);
    world.network('tab').mend();
    await world.advance(15_000);
    expect([mirror.standing, mirror.getSnapshot().context]).toEqual(['confirmed', own.getSnapshot().context]);
  });

  test('[SYNC-13] nobody hosts under another name, and nobody creates at a peer under a foreign one', async () => {
    const { world, alice } = await doorWorld();
    alice.machines.add('door', { definition: world.door });
    expect(await world.refusal(alice.host('bob/door', 'door'))).toBe('FORBIDDEN');
    expect(await world.refusal(alice.create('door', { instance: 'bob/door', peer: 'alice' }))).toBe('FORBIDDEN');
    expect(await world.get(alice.create('door', { peer: 'alice' }))).toMatchObject({
      instance: expect.stringMatching(/^alice\/door-/) as string,
    });
  });

  test('[SYNC-8] a mirror of a peer that is not there waits for it when told to be patient', async () => {
    const world = new World();
    const server = await world.server();
    const patient = server.watch('tab/bar', world.door, { isPatient: true });
    expect(await world.refusal(server.watch('nobody/bar', world.door))).toBe('UNREACHABLE');
    const tab = await world.peer('tab', { kind: 'browser' });
    tab.machines.add('bar', { definition: world.door });
    await world.get(tab.host('bar', 'bar'));
    await world.advance(15_000);
    expect((await world.get(patient)).getSnapshot().value).toBe('closed');
  });
});

describe('unknown things and bad input', () => {
  test('[SYNC-14] each gets a code, over plain JSON-RPC too, and loses nothing', async () => {
    const { world, a } = await doorWorld();
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'send', ['nobody', 1, { type: 'OPEN' }])).toBe('UNKNOWN_INSTANCE');
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'FLY' }])).toBe('UNKNOWN_EVENT');
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'xstate.done.state.door' }])).toBe('FORBIDDEN');
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'NOTE', note: 'x'.repeat(70_000) }])).toBe('TOO_LARGE');
    expect(await socket.ask(world, 'send', ['front', 0, { type: 'OPEN' }])).toBe('BAD_PARAMS');
    expect(await socket.ask(world, 'watch', { instance: 'nobody' })).toBe('UNKNOWN_INSTANCE');
    expect(await socket.ask(world, 'get', { image: 'ffff' })).toBe('UNKNOWN_IMAGE');
    expect(await socket.ask(world, 'create', { machine: 'nothing' })).toBe('UNKNOWN_MACHINE');
    expect(await socket.ask(world, 'create', { machine: 'door', instance: 'front' })).toBe('EXISTS');
    expect(await socket.ask(world, 'jump', {})).toBe('UNKNOWN_METHOD');
    expect(await socket.ask(world, 'eval', { source: '1' })).toBe('FORBIDDEN');
    expect(await socket.ask(world, 'define', { machine: 'x', definition: {} })).toBe('FORBIDDEN');
    expect(await socket.ask(world, 'unwatch', { room: 99 })).toEqual({ room: 99 });
    socket.say('{"jsonrpc":"2.0","id":1,');
    await world.settle();
    expect(socket.heard.at(-1)).toMatchObject({ id: null, error: { code: -32700, data: { code: 'MALFORMED', retryable: false } } });
    expect(await socket.ask(world, 'send', ['front', 1, { type: 'OPEN' }])).toEqual(['stepped', 2]);
    expect(a.getSnapshot().value).toBe('open');
  });

  test('[SYNC-24] an image that does not have the hash it was asked for by is refused', async () => {
    const { world, server } = await doorWorld();
    const image = server.machines.image(server.machines.get('door').hash)!;
    const other = compileMachine({ id: 'door', initial: 'x', states: { x: { on: { OPEN: 'x' } } } }).bytes;
    server.machines.image = () => other;
    const bob = await world.peer('bob');
    expect(await world.refusal(bob.watch('front', world.door))).toBe('BAD_IMAGE');
    server.machines.image = () => image;
    expect((await world.get(bob.watch('front', world.door))).seq).toBe(1);
  });

  test('[SYNC-22] define and eval are there for peers that opted in', async () => {
    const world = new World();
    const server = await world.server({ acceptsDefinitions: true, evaluate: (source) => `ran ${source}` });
    const alice = await world.peer('alice');
    expect(
      await world.get(
        alice.define('lamp', {
          definition: { id: 'lamp', initial: 'off', states: { off: { on: { SWITCH: 'on' } }, on: { on: { SWITCH: 'off' } } } },
        }),
      ),
    ).toMatchObject({ machine: 'lamp' });
    expect(await world.refusal(alice.define('door', { definition: { id: 'door', initial: 'a', states: { a: {} } } }))).toBe('FORBIDDEN');
    expect(await world.refusal(alice.define('bad', { definition: { id: 'bad', initial: 'nowhere', states: { a: {} } } }))).toBe(
      'BAD_DEFINITION',
    );
    await world.get(alice.create('lamp', { instance: 'desk' }));
    const lamp = await world.get(alice.watch('desk'));
    lamp.send({ type: 'SWITCH' });
    // No host functions: it predicts without the author.
    expect([lamp.getSnapshot().value, lamp.standing]).toEqual(['on', 'predicted']);
    await world.settle();
    expect(lamp.standing).toBe('confirmed');
    expect(await world.get(alice.evaluate('server', '1 + 1'))).toBe('ran 1 + 1');
    expect(server.peers().map(({ peer, eval: evaluates }) => [peer, evaluates])).toEqual([
      ['server', true],
      ['alice', false],
    ]);
  });

  test('[SYNC-37] a watch that means the process before is refused; one that means this one, or says nothing, is not', async () => {
    const { world, alice } = await doorWorld();
    const { session } = alice.peers().find(({ peer }) => peer === 'server')!;
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'watch', { instance: 'front', session: session! - 1 })).toBe('UNREACHABLE');
    expect(await socket.ask(world, 'watch', { instance: 'front', session: session! + 1 })).toBe('UNREACHABLE');
    expect(await socket.ask(world, 'watch', { instance: 'front', session })).toMatchObject({ machine: 'door' });
    expect(await socket.ask(world, 'watch', { instance: 'front' })).toMatchObject({ machine: 'door' });
  });

  test('[SYNC-19] a session watches at most so many instances', async () => {
    const { world } = await doorWorld();
    const socket = new PlainSocket(world);
    const machine = { id: 'dot', initial: 'a', states: { a: { on: { GO: 'a' } } } };
    const server = await world.peer('host');
    server.machines.add('dot', { definition: machine });
    await world.settle();
    for (let i = 0; i < 1_001; i++) socket.say({ jsonrpc: '2.0', id: i, method: 'create', params: { machine: 'door', instance: `d${i}` } });
    await world.settle();
    for (let i = 0; i < 1_001; i++) socket.say({ jsonrpc: '2.0', id: `w${i}`, method: 'watch', params: { instance: `d${i}` } });
    await world.settle();
    const answers = socket.heard.filter((message) => String((message as { id?: unknown }).id).startsWith('w')) as {
      error?: { data: { code: string } };
    }[];
    expect(answers.filter(({ error }) => error !== undefined).map(({ error }) => error?.data.code)).toEqual(['TOO_MANY']);
    expect(answers).toHaveLength(1_001);
  });
});

describe('tools', () => {
  test('[SYNC-21] whoever traces a peer hears its newest steps and every one that follows, once', async () => {
    const { world, a } = await doorWorld();
    await world.get(a.submit({ type: 'OPEN' }));
    const tool = await world.peer('tool', { kind: 'tool' });
    const heard: string[] = [];
    const tracing = await world.get(
      tool.trace(
        'server',
        (record) => heard.push(record.kind === 'step' ? `${record.step.seq} ${record.step.cause.event.type}` : record.kind),
        10,
      ),
    );
    a.send({ type: 'CLOSE' });
    await world.settle();
    expect(heard).toEqual(['1 xstate.init', '2 OPEN', '3 CLOSE']);
    world.network('tool').cut();
    world.network('tool').mend();
    await world.advance(15_000);
    a.send({ type: 'OPEN' });
    await world.settle();
    expect(heard.at(-1)).toBe('4 OPEN');
    tracing.unsubscribe();
    await world.settle();
    a.send({ type: 'CLOSE' });
    await world.settle();
    expect(heard).toHaveLength(4);
  });

  test('[SYNC-21] what was under way to an earlier listener when the backlog was taken is heard once', async () => {
    const record = (n: number): Traced => ({ kind: 'inspect', peer: 'program', n, at: n, message: {} as InspectMessage });
    const heard: Traced[] = [];
    const follower = new Follower('server', (each) => heard.push(each));
    const session = {
      request: () => {
        follower.hear([record(2)]);
        const answer = Promise.resolve({ room: 0, steps: [record(1), record(2)] });
        follower.hear([record(3)]);
        return answer;
      },
    };
    await follower.follow(session as unknown as Session, 10);
    follower.hear([record(4)]);
    expect(heard).toEqual([1, 2, 3, 4].map(record));
  });

  describe('a follower that asks again', () => {
    const record = (n: number): Traced => ({ kind: 'inspect', peer: 'program', n, at: n, message: {} as InspectMessage });
    const found: Traced = {
      kind: 'impurity',
      peer: 'server',
      impurity: { machine: 'desk', path: '/on/ENTER/guard', kind: 'guard', uses: 'Date.now()' },
    };

    /** One whose questions wait until the test answers them. */
    function following() {
      const heard: Traced[] = [];
      const answers: { with(...records: readonly Traced[]): Promise<void>; fail(): Promise<void> }[] = [];
      const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const request = () =>
        new Promise<unknown>((resolve, reject) =>
          answers.push({
            with: (...steps) => (resolve({ room: 0, steps }), settled()),
            fail: () => (reject(new LockstepError('TIMEOUT', 'no answer')), settled()),
          }),
        );
      return { heard, answers, session: { request } as unknown as Session, follower: new Follower('server', (each) => heard.push(each)) };
    }

    test('[SYNC-21] a link that is back before the first answer costs nothing of what came early', async () => {
      const { heard, answers, session, follower } = following();
      const followed = follower.follow(session, 10);
      follower.hear([found]);
      follower.resume(session);
      follower.hear([record(3)]);
      await answers[0]!.with(record(1), record(2));
      await followed;
      follower.hear([record(4)]);
      await answers[1]!.with(record(1), record(2), record(3));
      follower.hear([record(5)]);
      expect(heard).toEqual([record(1), record(2), record(3), found, record(4), record(5)]);
    });

    test('[SYNC-21] a question that is not answered keeps nothing back', async () => {
      const { heard, answers, session, follower } = following();
      const followed = follower.follow(session, 10);
      await answers[0]!.with(record(1));
      await followed;
      follower.resume(session);
      follower.hear([record(2), found]);
      await answers[1]!.fail();
      follower.hear([record(3)]);
      expect(heard).toEqual([record(1), record(2), found, record(3)]);
    });

    test('[SYNC-21] nothing is heard of a peer that refuses', async () => {
      const { heard, answers, session, follower } = following();
      const followed = follower.follow(session, 10);
      const refused = expect(followed).rejects.toMatchObject({ code: 'TIMEOUT' });
      follower.hear([record(1)]);
      await answers[0]!.fail();
      await refused;
      follower.hear([record(2)]);
      expect(heard).toEqual([]);
    });
  });

  test('[SYNC-21] what a peer did while the link was lost is heard when it is back, and nothing from before the follower came', async () => {
    const { world, a } = await doorWorld();
    await world.get(a.submit({ type: 'OPEN' }));
    const heard: { readonly late: string[]; readonly all: string[] } = { late: [], all: [] };
    const tool = await world.peer('tool', { kind: 'tool' });
    const hear =
      (into: string[]) =>
      (record: Traced): void =>
        void into.push(record.kind === 'step' ? `${record.step.seq} ${record.step.cause.event.type}` : record.kind);
    await world.get(tool.trace('server', hear(heard.late)));
    await world.get(tool.trace('server', hear(heard.all), 10));
    world.network('tool').cut();
    for (const type of ['CLOSE', 'OPEN'] as const) await world.get(a.submit({ type }));
    world.network('tool').mend();
    await world.advance(15_000);
    await world.get(a.submit({ type: 'END' }));
    const missed = ['3 CLOSE', '4 OPEN', '5 xstate.after.5000.door.open', '6 END'];
    expect(heard).toEqual({ late: missed, all: ['1 xstate.init', '2 OPEN', ...missed] });
  });

  test('[SYNC-9] list pages through what is there, with the states that are durable', async () => {
    const { world, alice } = await doorWorld();
    for (const name of ['b', 'a', 'c']) await world.get(alice.create('door', { instance: name }));
    const first = await world.get(alice.list({ limit: 2 }));
    expect([first.instances.map(({ instance, value }) => [instance, value]), first.more]).toEqual([
      [
        ['a', 'closed'],
        ['b', 'closed'],
      ],
      true,
    ]);
    const rest = await world.get(alice.list({ after: 'b', machine: 'door' }));
    expect([rest.instances.map(({ instance }) => instance), rest.more]).toEqual([['c', 'front'], false]);
    expect(rest.machines).toMatchObject([{ machine: 'door' }]);
  });

  test('[SYNC-25] peers are told who comes and goes', async () => {
    const { world, alice } = await doorWorld();
    const news: unknown[] = [];
    alice.onPresence(({ joined, left }) => news.push([joined.map(({ peer }) => peer), left]));
    const bob = await world.peer('bob');
    await world.get(bob.close());
    expect(news).toEqual([
      [['bob'], []],
      [[], ['bob']],
    ]);
    expect(alice.peers().map(({ peer }) => peer)).toEqual(['server', 'alice']);
  });
});
