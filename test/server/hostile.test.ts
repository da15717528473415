// Peers that mean harm, over real sockets, beside honest ones: what they say changes nothing, and they are told nothing that their view does not
// show. What is merely wrong is in bad-input.test.ts; here it is cut, turned, repeated, forged and lied.

import { connect as dialTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { packFrame, packJson } from '../../peer/codec-packed.ts';
import type { LockstepError } from '../../core/errors.ts';
import type { MirrorOf, AnyMirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { connect, MemoryJournal, serve, type Policy, type Server } from '../../server/index.ts';
import { Hostile } from '../support/hostile.ts';

const SECRETS = ['zqHiddenText', 'zqHiddenState', 'zqHiddenField', 'ZQHIDE', 'zqPayload'] as const;

const vault = setup({
  types: {} as { context: Record<string, unknown>; events: { type: string; text?: string; board?: string } },
}).createMachine({
  id: 'vault',
  initial: 'open',
  context: { public: { board: 'empty' }, zqHiddenField: 'zqHiddenText' },
  states: { open: {}, zqHiddenState: {} },
  on: {
    ZQHIDE: { target: '.zqHiddenState', actions: assign({ last: ({ event }) => event.text }) },
    MOVE: { actions: assign({ public: ({ event }) => ({ board: event.board }) }) },
  },
});

const isDealer = (authContext: unknown): boolean => (authContext as { readonly token?: string }).token === 'dealer';
const policy: Policy = {
  allowRead: ({ view, authContext }) => view === 'public' || isDealer(authContext),
  allowWrite: ({ authContext }) => isDealer(authContext),
  views: { public: ({ context }) => ({ context: { public: (context as { public: never }).public } }), full: 'all' },
};

let server: Server;
let dealer: Peer;
let ann: Peer;
let whole: MirrorOf<typeof vault>;
let part: AnyMirror;

beforeAll(async () => {
  server = await serve({
    port: 0,
    journal: new MemoryJournal(),
    machines: { vault: { machine: vault, ...policy } },
    authenticate: ({ token }) => (token === undefined ? undefined : { token }),
  });
  await server.create('vault', 'safe');
  dealer = await connect(server.url, { machines: { vault: { machine: vault } }, token: 'dealer', secret: 'secret of the dealer' });
  ann = await connect(server.url, { secret: 'secret of ann' });
  whole = await dealer.watch('safe', vault, { view: 'full' });
  part = await ann.watch('safe');
  await whole.submit({ type: 'ZQHIDE', text: 'zqPayload' });
});

afterAll(async () => {
  await Promise.all([dealer.close(), ann.close()]);
  await server.close();
});

/** Where everything stands that nobody hostile may move. */
async function standing(): Promise<unknown> {
  const { machines, instances } = await server.peer.list();
  return {
    machines,
    instances,
    safe: await server.peer.get('safe'),
    seqs: [whole.seq, whole.digest, whole.standing, part.digest, part.standing],
  };
}

/** Does harm, after which nothing may have moved, nobody may know more, and the honest must be served as before. */
async function harmless(hostile: readonly Hostile[], harm: () => Promise<void> | void): Promise<void> {
  const before = await standing();
  await harm();
  for (const each of hostile) await each.settled();
  expect(await standing()).toEqual(before);
  expect(hostile.flatMap((each) => each.found(SECRETS))).toEqual([]);
  const board = `after ${String(whole.seq)}`;
  await whole.submit({ type: 'MOVE', board });
  await part.when(({ context }) => (context as { public: { board: string } }).public.board === board);
  for (const each of hostile) each.close();
}

const message = (method: string, params: unknown, id?: number): string =>
  JSON.stringify({ jsonrpc: '2.0', ...(id === undefined ? {} : { id }), method, params });

/** What a peer says in an ordinary conversation, frame by frame. */
const CONVERSATION = [
  `server\n${message('watch', { instance: 'safe', encoding: 'packed' }, 1)}`,
  `server\n${message('watch', { instance: 'safe', view: 'full', from: { epoch: 1, seq: 1, digest: '0123456789abcdef' } }, 2)}`,
  `server\n${message('get', { instance: 'safe' }, 3)}`,
  `server\n${message('send', ['safe', 1, { type: 'ZQ', text: 'x' }, { seq: 1 }], 4)}`,
  `server\n${message('trace', { on: true, backlog: 9 }, 5)}`,
  `server\n[${message('list', { limit: 5 }, 6)},${message('can', { instance: 'safe', event: { type: 'MOVE' } }, 7)}]`,
  `\n${message('admit', [1, 'server'])}`,
  `#1\n${message('step', [1, [[9, 0, 0, [0, 1], []]]])}`,
];
const packedOf = (frame: string): Uint8Array => {
  const end = frame.indexOf('\n');
  return packFrame(frame.slice(0, end), [packJson(frame.slice(end + 1))]);
};
const PACKED = CONVERSATION.filter((frame) => !frame.startsWith('\n')).map(packedOf);

describe('frames that are not what they were', () => {
  test('[SRV-42] cut at every byte, as text and packed, they change and tell nothing', async () => {
    const [text, packed] = [await Hostile.open(server.url, {}), await Hostile.open(server.url, { encodings: ['packed', 'json'] })];
    await harmless([text, packed], async () => {
      for (const frame of CONVERSATION) for (let end = 0; end < frame.length; end++) text.say(frame.slice(0, end));
      await text.settled();
      for (const frame of PACKED) for (let end = 0; end < frame.length; end++) packed.say(frame.slice(0, end));
    });
  });

  test('[SRV-42] with any byte turned they change and tell nothing', async () => {
    const [text, packed] = [await Hostile.open(server.url, {}), await Hostile.open(server.url, { encodings: ['packed', 'json'] })];
    await harmless([text, packed], async () => {
      for (const [index, frame] of CONVERSATION.entries())
        for (let at = 0; at < frame.length; at++) {
          const turned = String.fromCharCode(frame.charCodeAt(at) ^ (1 << ((at + index) % 7)));
          text.say(frame.slice(0, at) + turned + frame.slice(at + 1));
        }
      await text.settled();
      for (const frame of PACKED)
        for (let at = 0; at < frame.length; at++) {
          const turned = Uint8Array.from(frame);
          turned[at] = turned[at]! ^ (1 << (at % 8));
          packed.say(turned);
        }
    });
  });

  test('[SRV-42] packed numbers and lengths that promise more than comes are refused, and cost nothing', async () => {
    const packed = await Hostile.open(server.url, { encodings: ['packed', 'json'] });
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    await harmless([packed], () => {
      for (const head of [0x00, 0x40, 0x5f, 0x7f, 0x80, 0xff])
        for (const address of [[1], [2, 1, 0x61], [4, 1, 0x61, 1], [9], [0x0a], [2, ...huge], [6, ...huge], huge])
          packed.say(Uint8Array.from([...address, head, ...huge, ...huge]));
    });
  });
});

describe('what others said', () => {
  const said = (n: number, board: string): string => message('send', ['safe', n, { type: 'MOVE', board }], n);

  test('[SRV-43] said again by its sender, in any order and on another link, it is answered as it was and not done', async () => {
    const fields = { token: 'dealer', secret: 'a second dealer' };
    const first = await Hostile.open(server.url, fields);
    first.say(`server\n${said(1, 'one')}`);
    first.say(`server\n${said(2, 'two')}`);
    await first.settled();
    const again = await Hostile.open(server.url, fields);
    const before = await standing();
    for (const n of [2, 1, 2, 1]) again.say(`server\n${said(n, 'twice')}`);
    // A number that is below the newest and was never used.
    again.say(`server\n${message('send', ['safe', 0, { type: 'MOVE', board: 'never' }], 9)}`);
    await again.settled();
    expect(await standing()).toEqual(before);
    const outcomes = [...again.text.matchAll(/"result":\["stepped",(\d+)\]/g)].map(([, seq]) => Number(seq));
    expect(outcomes).toEqual([outcomes[0], outcomes[0]! - 1, outcomes[0], outcomes[0]! - 1]);
    again.close();
  });

  test('[SRV-43] said by somebody else, in whatever name, it is theirs and is refused', async () => {
    const hostile = await Hostile.open(server.url, { name: 'server', kind: 'browser' });
    const plain = await Hostile.open(server.url);
    await harmless([hostile], async () => {
      for (const n of [1, 2, 3]) {
        hostile.say(`server\n${said(n, 'forged')}`);
        hostile.say(`server\n${message('send', ['safe', n, { type: 'MOVE', board: 'forged' }])}`);
        hostile.say(`server\n${message('forward', ['safe', dealer.id, n, { type: 'MOVE', board: 'forged' }], 10 + n)}`);
        plain.say(said(n, 'forged'));
      }
      hostile.say(`server\n${message('vouch', { instance: 'safe', peer: dealer.id }, 20)}`);
      hostile.say(`server\n${message('standby', { instance: 'safe' }, 21)}`);
      hostile.say(`server\n${message('delete', { instance: 'safe' }, 22)}`);
      hostile.say(`server\n${message('create', { machine: 'vault', instance: 'other' }, 23)}`);
      hostile.say(`server\n${message('define', { machine: 'vault', image: 'AAAA' }, 24)}`);
      hostile.say(`server\n${message('eval', { source: '1' }, 25)}`);
      await plain.until((text) => text.includes('"id":3'));
    });
    expect(plain.found(SECRETS)).toEqual([]);
    const codes = [...hostile.text.matchAll(/"id":\d+,"error".*?"code":"(\w+)"/g)].map(([, code]) => code);
    expect([codes.length, new Set(codes)]).toEqual([12, new Set(['FORBIDDEN'])]);
    plain.close();
  });

  test('[SRV-46] notices that cannot be read, however many, fill no log', async () => {
    const said: string[] = [];
    const loud = await serve({ port: 0, journal: new MemoryJournal(), machines: { vault }, report: (_level, text) => said.push(text) });
    const hostile = await Hostile.open(loud.url, {});
    const many = (notice: string, count: number): string => `server\n[${Array.from({ length: count }, () => notice).join(',')}]`;
    hostile.say(many('["send"]', 20_000));
    hostile.say(many(message('moved', {}), 1_000));
    await hostile.settled();
    hostile.close();
    await loud.close();
    expect(said[0]).toContain('that cannot be read');
    expect([said.length >= 100, said.length < 1_000]).toEqual([true, true]);
  });

  test('[SRV-43] a greeting in the name of somebody else gets nobody’s name', async () => {
    const before = server.peer.peers().map(({ peer }) => peer);
    for (const fields of [
      { kind: 'server' },
      { kind: 'server', key: 'guessed' },
      { key: 'guessed' },
      { versions: [2] },
      { encodings: ['morse'] },
    ]) {
      const hostile = await Hostile.open(server.url, fields);
      expect(hostile.text).toMatch(/"code":"(FORBIDDEN|BAD_VERSION)"/);
      expect(hostile.found(SECRETS)).toEqual([]);
      hostile.close();
    }
    expect(server.peer.peers().filter(({ peer }) => !before.includes(peer))).toEqual([]);
    expect(server.peer.isConnected).toBe(true);
  });
});

describe('lies', () => {
  const NOTICES: readonly (readonly [string, (room: number) => unknown])[] = [
    ['step', (room) => [room, [[99, 0, 0, [0, 2], [{ op: 'replace', path: '/public/board', value: 'a lie' }]]], '0123456789abcdef']],
    ['seen', (room) => [room, 0, 99, [{ op: 'replace', path: '/context/public/board', value: 'a lie' }]]],
    ['moved', (room) => ({ room, reason: 'deleted' })],
    ['moved', (room) => ({ room, reason: 'revoked' })],
    ['moved', (room) => ({ room, reason: 'room', to: 77 })],
    ['moved', (room) => ({ room, reason: 'owner', peer: 'somebody' })],
    ['settled', (room) => [room, 1, ['stepped', 99]]],
    ['presence', () => ({ joined: [], left: ['server'] })],
    ['undeliverable', () => ['server']],
    ['lagging', (room) => [`#server/${room}`]],
    ['sender', () => ['safe', 1, 'somebody']],
    ['ordered', () => ['safe', Number.MAX_SAFE_INTEGER, 1]],
    ['trace', () => [{ kind: 'impurity', peer: 'server', impurity: { machine: 'm', path: '/', kind: 'guard', uses: 'lies' } }]],
  ];

  test('[SRV-44] told to others in the words of an authority or of the relay they are nobody’s words', async () => {
    const hostile = await Hostile.open(server.url, { hosts: true });
    const traced: unknown[] = [];
    const tracing = await ann.trace('server', (record) => traced.push(record));
    await harmless([hostile], () => {
      for (const [method, params] of NOTICES)
        for (let room = 0; room < 8; room++)
          for (const to of [ann.id, dealer.id, 'server'].map(String))
            for (const address of [to, `${to}#${room}`, `#${room}`, `#server/${room}`])
              hostile.say(`${address}\n${message(method, params(room))}`);
      for (const method of ['admit', 'expel'])
        for (let room = 0; room < 8; room++)
          for (const peer of [ann.id, hostile.id, 'server']) hostile.say(`\n${message(method, [room, peer])}`);
    });
    expect(traced).toEqual([]);
    tracing.unsubscribe();
  });

  test('[SRV-44] a mirror that says it has what it has not is shown its view, and no steps', async () => {
    const hostile = await Hostile.open(server.url, {});
    const { epoch } = (await server.peer.get('safe')) as { epoch: number };
    await harmless([hostile], () => {
      for (const [index, from] of [
        { epoch, seq: 1, digest: whole.digest },
        { epoch, seq: whole.seq, digest: '0000000000000000' },
        { epoch, seq: 99_999, digest: whole.digest },
        { epoch: epoch + 1, seq: 1, digest: part.digest },
      ].entries())
        for (const view of [undefined, 'public', 'full', 'all', '__proto__', 'constructor'])
          hostile.say(`server\n${message('watch', { instance: 'safe', from, ...(view === undefined ? {} : { view }) }, 100 + index)}`);
    });
    expect([hostile.text.includes('"steps":['), hostile.text.includes('"snapshot":'), hostile.text.includes('"sight":')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  const answer = (more: object): object => ({
    room: 1,
    who: 1,
    machine: 'vault',
    image: '',
    epoch: 1,
    digest: '0123456789abcdef',
    last: 0,
    ...more,
  });
  const sight = { status: 'active', value: 'a', tags: [], context: {} };
  test.each<[what: string, result: unknown, code: string]>([
    ['no object', 7, 'BAD_PARAMS'],
    ['neither state nor sight', answer({}), 'UNKNOWN_IMAGE'],
    ['a sight with another digest', answer({ seen: { seq: 1, sight } }), 'BAD_PARAMS'],
    ['a sight that is none', answer({ seen: { seq: 1, sight: { ...sight, value: [1] } } }), 'BAD_PARAMS'],
    [
      'a sight with a key of the runtime',
      `{"room":1,"who":1,"machine":"v","image":"","epoch":1,"digest":"0123456789abcdef","last":0,"seen":{"seq":1,"sight":{"status":"active","value":"a","tags":[],"context":{"__proto__":{"x":1}}}}}`,
      'BAD_PARAMS',
    ],
    ['the same sight, and there was none', answer({ seen: { seq: 1 } }), 'BAD_PARAMS'],
    [
      'an image that nobody has',
      answer({ image: 'ffff', snapshot: { seq: 1, state: { status: 'active', clocks: [1], history: [], context: {}, timers: [] } } }),
      'UNKNOWN_IMAGE',
    ],
  ])('[SRV-44] an authority that answers %s has no mirror here, and its neighbours go on', async (_what, result, code) => {
    const hostile = await Hostile.open(server.url, { hosts: true });
    hostile.answers = (text) => {
      const [from, body = ''] = text.split('\n');
      const asked = /"id":(\d+),"method":"(\w+)"/.exec(body);
      if (asked === null || from === '') return undefined;
      const [, id, method] = asked;
      const said = typeof result === 'string' ? result : JSON.stringify(result);
      if (method === 'watch') return `${from}\n{"jsonrpc":"2.0","id":${id},"result":${said}}`;
      return `${from}\n{"jsonrpc":"2.0","id":${id},"error":{"code":-32023,"message":"none","data":{"code":"UNKNOWN_IMAGE","retryable":false}}}`;
    };
    await harmless([hostile], async () => {
      const refused = await ann.watch(`${hostile.id}/safe`).catch((error: LockstepError) => error.code);
      expect(refused).toBe(code);
    });
  });
});

test('[SRV-42] who knocks from elsewhere, or with another protocol, is told why and nothing else', async () => {
  const port = Number(new URL(server.url).port);
  const knock = async (...headers: readonly string[]): Promise<string> => {
    const socket = dialTcp(port, '127.0.0.1');
    const lines = ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', ...headers];
    socket.write(`${lines.join('\r\n')}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  const before = await standing();
  const host = `Host: 127.0.0.1:${port}`;
  const answers = [
    await knock(host, 'Origin: https://evil.example', 'Sec-WebSocket-Protocol: lockstep.1'),
    await knock('Host: evil.example', 'Sec-WebSocket-Protocol: lockstep.1'),
    await knock(host, 'Sec-WebSocket-Protocol: lockstep.2'),
    await knock(host, 'Sec-WebSocket-Protocol: zqHidden, graphql-ws'),
  ];
  expect(answers.map((text) => [text.split(' ')[1], /"code":"(\w+)"/.exec(text)?.[1]])).toEqual([
    ['403', 'FORBIDDEN'],
    ['403', 'FORBIDDEN'],
    ['400', 'BAD_VERSION'],
    ['400', 'BAD_VERSION'],
  ]);
  expect(SECRETS.filter((secret) => answers.some((text) => text.includes(secret)))).toEqual([]);
  expect(await standing()).toEqual(before);
});
