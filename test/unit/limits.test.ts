// What one connection may cost: each limit is reached without complaint, and one more gets its code.

import { describe, expect, test } from 'vitest';
import { encodeNotice } from '../../peer/codec-json.ts';
import type { Link } from '../../peer/link.ts';
import { MemoryJournal } from '../../peer/memory.ts';
import { Presence } from '../../peer/presence.ts';
import { linkPair, TestEnvironment } from '../../peer/testing.ts';
import { LIMITS, type Limits } from '../../peer/wire.ts';
import { Allowance } from '../../relay/allowance.ts';
import { Hub } from '../../relay/hub.ts';
import { HeldJournal, PlainSocket, World } from '../support/world.ts';

/** A relay with small limits, and links to it by hand. */
function smallRelay(limits: Partial<Limits>) {
  const environment = new TestEnvironment();
  const hub = new Hub({ environment, identify: (secret) => secret, key: 'key', limits });
  const dial = (): { readonly link: Link; readonly heard: string[] } => {
    const [near, far] = linkPair(environment);
    const heard: string[] = [];
    near.open({ frame: (frame) => heard.push(String(frame)), closed: (code, reason) => heard.push(`closed ${code} ${reason}`) });
    hub.attach(far);
    return { link: near, heard };
  };
  const hello = (secret: string, more: object = {}): string => {
    const params = {
      versions: [1],
      encodings: ['json'],
      secret,
      name: '',
      kind: 'node',
      hosts: true,
      eval: false,
      presence: false,
      ...more,
    };
    return `\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params })}`;
  };
  return { environment, hub, dial, hello };
}

describe('what a connection may say at a relay', () => {
  test('[RELAY-14] so many frames in a second, two seconds of them at once; one more closes it, and nobody else', async () => {
    const { environment, hub, dial, hello } = smallRelay({ frameRate: 10 });
    const [loud, quiet] = [dial(), dial()];
    quiet.link.send(hello('quiet'));
    await environment.settle();
    loud.link.send(hello('loud'));
    for (let i = 1; i < 20; i++) loud.link.send('quiet\n{}');
    await environment.settle();
    expect([loud.heard.length, quiet.heard.length]).toEqual([1, 20]);
    await environment.advance(500);
    for (let i = 0; i < 5; i++) loud.link.send('quiet\n{}');
    await environment.settle();
    expect(hub.peers()).toHaveLength(2);
    loud.link.send('quiet\n{}');
    await environment.settle();
    expect(loud.heard.at(-1)).toBe('closed 4009 TOO_MANY: a connection says at most 10 frames in a second');
    expect([hub.peers().map(({ peer }) => peer), quiet.heard.length]).toEqual([['quiet'], 25]);
  });

  test('[RELAY-14] so many characters in a second, bytes of binary frames as well', async () => {
    const { environment, dial, hello } = smallRelay({ byteRate: 500 });
    for (const frame of ['x'.repeat(100), new Uint8Array(100)]) {
      const { link, heard } = dial();
      const said = hello(typeof frame === 'string' ? 'text' : 'bytes');
      link.send(said);
      const rest = 1_000 - said.length;
      for (let i = 0; i < Math.floor(rest / 100); i++) link.send(frame);
      await environment.settle();
      expect(heard.filter((line) => line.startsWith('closed'))).toEqual([]);
      link.send(frame);
      await environment.settle();
      expect(heard.at(-1)).toBe('closed 4009 TOO_MANY: a connection says at most 500 characters in a second');
    }
  });

  test('[RELAY-14] peers that share a socket share what it may say; the server may say more', async () => {
    const { environment, hub, dial, hello } = smallRelay({ frameRate: 4 });
    const shared = dial();
    shared.link.send(`=\n${encodeNotice('share', { group: 'tabs', term: 1 })}`);
    for (const line of [1, 2, 3]) shared.link.send(`=${line}\n${hello(`tab${line}`)}`);
    for (let i = 0; i < 4; i++) shared.link.send('=1\ntab2\n{}');
    await environment.settle();
    expect([hub.peers().length, shared.heard.some((line) => line.startsWith('closed'))]).toEqual([3, false]);
    shared.link.send('=2\ntab1\n{}');
    await environment.settle();
    expect([hub.peers().length, shared.heard.at(-1)?.slice(0, 21)]).toEqual([0, 'closed 4009 TOO_MANY:']);

    const server = dial();
    server.link.send(hello('s', { kind: 'server', key: 'key' }));
    await environment.settle();
    for (let i = 0; i < 100; i++) server.link.send('nobody\n{}');
    await environment.settle();
    expect([hub.peers().length, server.heard.length]).toEqual([1, 101]);
  });

  test('[RELAY-15] a peer gives so many places in its rooms; what it takes back it can give again', async () => {
    const { environment, hub, dial, hello } = smallRelay({ memberMax: 2 });
    const host = dial();
    host.link.send(hello('host'));
    const readers = ['a', 'b', 'c'].map((name) => {
      const reader = dial();
      reader.link.send(hello(name));
      return reader;
    });
    await environment.settle();
    const order = (method: 'admit' | 'expel', room: number, peer: string): void =>
      host.link.send(`\n${encodeNotice(method, [room, peer])}`);
    order('admit', 1, 'a');
    order('admit', 1, 'a');
    order('admit', 1, 'nobody');
    order('admit', 2, 'b');
    await environment.settle();
    expect(host.heard).toHaveLength(1);
    order('admit', 3, 'c');
    await environment.settle();
    expect(host.heard.at(-1)).toContain('"code":"TOO_MANY"');
    order('expel', 1, 'a');
    order('admit', 3, 'c');
    for (const room of [1, 2, 3]) host.link.send(`#${room}\n{"room":${room}}`);
    await environment.settle();
    hub.check();
    expect([host.heard.length, ...readers.map(({ heard }) => heard.slice(1))]).toEqual([
      2,
      [],
      ['#host/2\n{"room":2}'],
      ['#host/3\n{"room":3}'],
    ]);
  });

  test('[RELAY-14] a clock that goes back takes nothing away and gives nothing', () => {
    const allowance = new Allowance(2, 1_000);
    expect([0, 0, 0, 0, 0].map(() => allowance.take(1, 1_000))).toEqual([true, true, true, true, false]);
    expect([allowance.take(1, 500), allowance.take(1, 999), allowance.take(1, 1_500)]).toEqual([false, false, true]);
  });
});

/** A link whose network takes nothing. */
function stuckLink(): {
  readonly link: Link;
  readonly say: (frame: string) => void;
  readonly said: string[];
  readonly closed: string[];
  waiting: number;
} {
  let events: Parameters<Link['open']>[0] | undefined;
  const stuck = {
    waiting: 0,
    closed: [] as string[],
    said: [] as string[],
    say: (frame: string): void => events?.frame(frame),
    link: {
      open: (given: NonNullable<typeof events>): void => void (events = given),
      send: (frame: string | Uint8Array): void => {
        stuck.waiting += frame.length;
        stuck.said.push(String(frame));
      },
      get bufferedBytes() {
        return stuck.waiting;
      },
      close: (code: number, reason: string): void => {
        stuck.closed.push(`${code} ${reason}`);
        events?.closed(code, reason);
      },
    },
  };
  return stuck;
}

describe('what may wait for a reader at a relay', () => {
  test('[RELAY-19] answers that cannot be dropped pile up to closeBytes; one more closes the link of that reader with 4008', async () => {
    const environment = new TestEnvironment();
    const hub = new Hub({ environment, identify: (secret) => secret, key: 'key', buffers: { lagBytes: 4_000, closeBytes: 16_000 } });
    const [stuck, near, far] = [stuckLink(), ...linkPair(environment)];
    const heard: string[] = [];
    near.open({ frame: (frame) => heard.push(String(frame)), closed: (code, reason) => heard.push(`closed ${code} ${reason}`) });
    hub.attach(far);
    hub.attach(stuck.link);
    const { hello } = smallRelay({});
    stuck.say(hello('stuck'));
    near.send(hello('other'));
    await environment.settle();
    const before = stuck.waiting;
    near.send(`\n${encodeNotice('admit', [1, 'stuck'])}`);
    const answer = 'x'.repeat(1_000);
    for (let i = 0; i < 20; i++) near.send(`#1\n${answer}`);
    await environment.settle();
    // Of a room no more than what makes it lag, and that it costs nobody the link.
    expect([stuck.waiting < 4_000 + answer.length + 100, stuck.waiting > before, stuck.closed]).toEqual([true, true, []]);
    while (stuck.waiting < 16_000) {
      near.send(`stuck\n${answer}`);
      await environment.settle();
    }
    expect(stuck.closed).toEqual([]);
    near.send(`stuck\n${answer}`);
    await environment.settle();
    expect(stuck.closed).toEqual(['4008 more than 16000 bytes wait to be read']);
    expect([stuck.waiting < 16_000 + answer.length + 100, hub.peers().map(({ peer }) => peer), heard.length]).toEqual([true, ['other'], 1]);
  });

  test('[RELAY-27] who opens lines in a loop and does not read how they end loses its socket', async () => {
    const environment = new TestEnvironment();
    const hub = new Hub({ environment, identify: (secret) => secret, key: 'key', buffers: { lagBytes: 4_000, closeBytes: 16_000 } });
    const stuck = stuckLink();
    hub.attach(stuck.link);
    for (let line = 1; line <= 1_000; line++) stuck.say(`=${line}\n\nno hello`);
    await environment.settle();
    expect(stuck.closed[0]).toBe('4008 more than 16000 bytes wait to be read');
    expect(stuck.waiting).toBeLessThan(17_000);
    // Those that are too many end the same way.
    const other = stuckLink();
    hub.attach(other.link);
    for (let line = 1; line <= 2_000; line++) other.say(`=${line}\n`);
    await environment.settle();
    expect([other.closed[0], other.waiting < 17_000]).toEqual(['4008 more than 16000 bytes wait to be read', true]);
  });
});

test('[RELAY-25] a socket without headers hears the server alone, whoever else addresses it or lets it into a room', async () => {
  const { environment, hub, dial, hello } = smallRelay({});
  const [server, forger, plain] = [dial(), dial(), dial()];
  server.link.send(hello('s', { kind: 'server', key: 'key' }));
  await environment.settle();
  forger.link.send(hello('forger'));
  plain.link.send('{"jsonrpc":"2.0","id":1,"method":"list"}');
  await environment.settle();
  const { peer: name } = hub.peers().find(({ name: plainName }) => plainName === 'plain')!;
  const answer = '{"jsonrpc":"2.0","id":1,"result":"forged"}';
  for (const address of [name, `${name}#1`]) forger.link.send(`${address}\n${answer}`);
  forger.link.send(`\n${encodeNotice('admit', [1, name])}`);
  forger.link.send(`#1\n${answer}`);
  await environment.settle();
  expect(plain.heard).toEqual([]);
  expect(forger.heard.slice(1).map((line) => /"code":"(\w+)"/.exec(line)?.[1])).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  server.link.send(`\n${encodeNotice('admit', [1, name])}`);
  server.link.send('#1\n"a room"');
  server.link.send(`${name}\n"the answer"`);
  await environment.settle();
  expect(plain.heard.sort()).toEqual(['"a room"', '"the answer"']);
});

describe('what one connection is answered', () => {
  const many = (count: number, method: string, params: unknown): string =>
    `[${Array.from({ length: count }, (_, id) => JSON.stringify({ jsonrpc: '2.0', id, method, params })).join(',')}]`;
  const codesOf = (heard: readonly unknown[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const message of heard) {
      const code = (message as { error?: { data: { code: string } } }).error?.data.code ?? 'answered';
      counts[code] = (counts[code] ?? 0) + 1;
    }
    return counts;
  };

  /** A door of a quarter of a megabyte, and who asks about it. */
  async function largeDoor() {
    const world = new World();
    const server = await world.server();
    await world.get(server.create('door', { instance: 'front' }));
    const mirror = await world.get(server.watch('front', world.door));
    for (let i = 0; i < 4; i++) await world.get(mirror.submit({ type: 'NAME', name: 'x'.repeat(60_000) }));
    return { world, server, socket: new PlainSocket(world) };
  }

  test.each([
    ['watch', { instance: 'front' }],
    ['watch', { instance: 'front', filter: { states: ['open'] } }],
    ['get', { instance: 'front' }],
    ['trace', { on: true, backlog: 9_999 }],
  ])('[SYNC-43] by a frame of many %s %j: four megabytes in one turn, and no more', async (method, params) => {
    const { world, server, socket } = await largeDoor();
    const other = new PlainSocket(world);
    socket.say(many(600, method, params));
    other.say({ jsonrpc: '2.0', id: 'other', method: 'get', params: { instance: 'front' } });
    await world.settle();
    const counts = codesOf(socket.heard);
    expect([counts['answered']! > 5, counts['answered']! < 20, counts['answered']! + counts['TOO_MANY']!]).toEqual([true, true, 600]);
    expect(codesOf(other.heard)).toEqual({ answered: 1 });
    await world.advance(1_000);
    expect(await socket.ask(world, 'get', { instance: 'front' })).toMatchObject({ instance: 'front' });
    // The program of the peer itself reads on.
    expect((await world.get(Promise.all(Array.from({ length: 40 }, () => server.get('front'))))).length).toBe(40);
  });

  test('[SYNC-43] also where an answer is made from many instances, which are not looked through for what is refused', async () => {
    const world = new World();
    const server = await world.server();
    await world.get(Promise.all(Array.from({ length: 500 }, (_, i) => server.create('door', { instance: `${i}`.padEnd(100, 'x') }))));
    const socket = new PlainSocket(world);
    socket.say(many(600, 'list', { limit: 1_000 }));
    await world.settle();
    const counts = codesOf(socket.heard);
    expect([counts['answered']! > 10, counts['answered']! < 60, counts['answered']! + counts['TOO_MANY']!]).toEqual([true, true, 600]);
  });

  test('[SYNC-43] something that was done is said to be done, however much was answered before', async () => {
    const { world, socket } = await largeDoor();
    const [gets, create] = [
      many(600, 'get', { instance: 'front' }),
      { jsonrpc: '2.0', id: 'c', method: 'create', params: { machine: 'door', instance: 'back' } },
    ];
    socket.say(`${gets.slice(0, -1)},${JSON.stringify(create)}]`);
    await world.settle();
    expect(socket.heard.find((message) => (message as { id: unknown }).id === 'c')).toMatchObject({ result: { instance: 'back' } });
  });

  test('[SYNC-44] what waits for a hand-over is counted as what waits for the journal, and is answered when that is over', async () => {
    const world = new World();
    const server = await world.server({ trusts: () => true });
    await world.get(server.create('door', { instance: 'front' }));
    const { link, heard, hello } = (() => {
      const [near, far] = linkPair(world.environment);
      const lines: string[] = [];
      near.open({ frame: (frame) => lines.push(String(frame)), closed: () => undefined });
      world.hub.attach(far);
      return { link: near, heard: lines, hello: smallRelay({}).hello };
    })();
    link.send(hello('mute'));
    await world.settle();
    const handing = server.handOver('front', 'mute').catch((error: { code: string }) => error.code);
    await world.settle();
    expect(heard.some((line) => line.includes('"method":"take"'))).toBe(true);
    const socket = new PlainSocket(world);
    const events = Array.from({ length: LIMITS.sendMax + 10 }, (_, i) =>
      JSON.stringify({ jsonrpc: '2.0', id: i, method: 'send', params: ['front', i + 1, { type: 'NAME', name: '' }] }),
    );
    for (let at = 0; at < events.length; at += 1_000) socket.say(`[${events.slice(at, at + 1_000).join(',')}]`);
    await world.settle();
    expect(codesOf(socket.heard)).toEqual({ TOO_MANY: 10 });
    await world.advance(LIMITS.requestTimeoutMs + 100);
    expect(await handing).toBe('TIMEOUT');
    await world.settle();
    expect(codesOf(socket.heard)).toEqual({ TOO_MANY: 10, answered: LIMITS.sendMax });
  });
});

test('[RELAY-20] a reader that missed a frame of a room hears no more of that room until it is told so', async () => {
  const environment = new TestEnvironment();
  const hub = new Hub({ environment, identify: (secret) => secret, key: 'key', buffers: { lagBytes: 4_000, closeBytes: 16_000 } });
  const [stuck, near, far] = [stuckLink(), ...linkPair(environment)];
  near.open({ frame: () => undefined, closed: () => undefined });
  hub.attach(far);
  hub.attach(stuck.link);
  const { hello } = smallRelay({});
  stuck.say(hello('stuck'));
  near.send(hello('host'));
  await environment.settle();
  for (const room of [1, 2]) near.send(`\n${encodeNotice('admit', [room, 'stuck'])}`);
  await environment.settle();
  const say = async (room: number, word: string, waiting: number): Promise<void> => {
    stuck.waiting = waiting;
    near.send(`#${room}\n"${word}"`);
    await environment.settle();
  };
  stuck.said.length = 0;
  await say(1, 'before', 0);
  await say(1, 'dropped', 4_000);
  await say(1, 'too early', 3_000);
  await say(2, 'another room', 3_000);
  stuck.waiting = 1_000;
  await environment.advance(100);
  await say(1, 'after', 0);
  expect(stuck.said).toEqual([
    '#host/1\n"before"',
    '#host/2\n"another room"',
    `\n${encodeNotice('lagging', ['#host/1'])}`,
    '#host/1\n"after"',
  ]);
});

describe('what a peer says of its user', () => {
  test('[TOPO-11] has at most so many characters; more is refused where it is said, and by the authority', async () => {
    const world = new World();
    const server = await world.server();
    await world.get(server.create('door', { instance: 'front' }));
    const alice = await world.peer('alice');
    const mirror = await world.get(alice.watch('front', world.door));
    const presence = new Presence(mirror);
    const most = 'x'.repeat(LIMITS.presenceSize - 2);
    presence.set(most);
    expect(() => presence.set(`${most}x`)).toThrow(`presence of ${LIMITS.presenceSize + 1} characters`);
    await world.settle();
    expect(presence.present.get('alice')).toBe(most);
    const socket = new PlainSocket(world);
    expect(await socket.ask(world, 'here', { instance: 'front', data: `${most}x` })).toBe('BAD_PARAMS');
  });
});

describe('what of a connection may wait for an answer', () => {
  const held = async () => {
    const world = new World();
    const journal = new HeldJournal(new MemoryJournal());
    const server = await world.server({ journal });
    await world.get(server.create('door', { instance: 'front' }));
    const socket = new PlainSocket(world);
    const codes = (): string[] =>
      socket.heard.map((message) => (message as { error?: { data: { code: string } } }).error?.data.code ?? 'answered');
    return { world, journal, socket, codes };
  };

  test('[SYNC-30] so many events; one more is refused, and there is room again when they are answered', async () => {
    const { world, journal, socket, codes } = await held();
    journal.isHolding = true;
    const send = (n: number): unknown => ({ jsonrpc: '2.0', id: n, method: 'send', params: ['front', n, { type: 'OPEN' }] });
    socket.say(JSON.stringify(Array.from({ length: LIMITS.sendMax }, (_, index) => send(index + 1))));
    await world.settle();
    expect(codes()).toEqual([]);
    socket.say(send(LIMITS.sendMax + 1));
    await world.settle();
    journal.release();
    await world.settle();
    expect(codes().filter((code) => code !== 'answered')).toEqual(['TOO_MANY']);
    expect(codes()).toHaveLength(LIMITS.sendMax + 1);
    expect(await socket.ask(world, 'send', ['front', LIMITS.sendMax + 2, { type: 'CLOSE' }])).toEqual(['stepped', LIMITS.sendMax + 2]);
  });

  test('[SYNC-30] events that failed wait no more', async () => {
    const { world, journal, socket, codes } = await held();
    const send = (n: number): unknown => ({ jsonrpc: '2.0', id: n, method: 'send', params: ['front', n, { type: 'OPEN' }] });
    for (const first of [1, LIMITS.sendMax + 1]) {
      journal.isHolding = true;
      socket.say(JSON.stringify(Array.from({ length: LIMITS.sendMax }, (_, index) => send(first + index))));
      await world.settle();
      journal.failHeld();
      await world.settle();
      await world.advance(20_000);
    }
    expect(new Set(codes())).toEqual(new Set(['STORAGE']));
  });

  test('[SYNC-30] so many other requests; one more is refused', async () => {
    const { world, journal, socket, codes } = await held();
    journal.isHolding = true;
    socket.say({ jsonrpc: '2.0', id: 'event', method: 'send', params: ['front', 1, { type: 'OPEN' }] });
    await world.settle();
    const get = (id: number): unknown => ({ jsonrpc: '2.0', id, method: 'get', params: { instance: 'front' } });
    socket.say(JSON.stringify(Array.from({ length: LIMITS.requestMax }, (_, id) => get(id))));
    await world.settle();
    expect(codes()).toEqual([]);
    socket.say(get(LIMITS.requestMax));
    await world.settle();
    expect(codes()).toEqual(['TOO_MANY']);
    journal.release();
    await world.settle();
    expect(codes().filter((code) => code === 'answered')).toHaveLength(LIMITS.requestMax + 1);
    expect(await socket.ask(world, 'list', {})).toMatchObject({ more: false });
  });
});
