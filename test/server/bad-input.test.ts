// Bad input over real sockets: a server on loopback, clients that say everything wrong, and beside them one that says everything right.
// Each row gets its code and its sentence; then the instance must be where it was, the other client must go on, and the socket too.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { encodeBase64 } from '../../peer/base64.ts';
import type { MirrorOf } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { LIMITS } from '../../peer/wire.ts';
import { connect, MemoryJournal, serve, type Server } from '../../server/index.ts';
import { hello, RawSocket } from '../support/raw-socket.ts';

/** Takes sheets; its other events are what an author may do wrong. */
const desk = setup({
  types: {} as { context: { sheets: number; tree: unknown }; events: { type: string; value?: unknown } },
  guards: {
    slips: () => {
      throw new Error('the author slipped');
    },
  },
}).createMachine({
  id: 'desk',
  context: ({ input }) => ({ sheets: 0, tree: (input as { tree?: unknown } | undefined)?.tree ?? null }),
  on: {
    PUT: { actions: assign({ sheets: ({ context }) => context.sheets + 1 }) },
    SLIP: { guard: 'slips', actions: assign({ sheets: 0 }) },
    TEAR: {
      actions: [
        assign({ sheets: -1 }),
        assign(() => {
          throw new RangeError('torn');
        }),
      ],
    },
    DATE: { actions: assign({ tree: () => ({ at: [new Date(0)] }) }) },
    SPLIT: { actions: assign({ sheets: () => 0 / 0 }) },
    CIRCLE: {
      actions: assign({
        tree: () => {
          const circle: Record<string, unknown> = {};
          circle['self'] = circle;
          return circle;
        },
      }),
    },
    WRAP: { actions: assign({ tree: ({ context }) => [context.tree] }) },
  },
});
const lamp = compileMachine({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: {} } }).bytes;

let server: Server;
let client: Peer;
let mirror: MirrorOf<typeof desk>;
let plainSocket: RawSocket;
let peerSocket: RawSocket;

beforeAll(async () => {
  server = await serve({ port: 0, journal: new MemoryJournal(), machines: { desk }, acceptsDefinitions: true });
  await server.create('desk', 'front');
  await server.create('desk', 'back');
  client = await connect(server.url, { machines: { desk } });
  mirror = await client.watch('front', desk);
  await mirror.submit({ type: 'PUT' });
  plainSocket = await RawSocket.open(server.url);
  peerSocket = await RawSocket.greet(server.url);
});

afterAll(async () => {
  plainSocket.close();
  peerSocket.close();
  await client.close();
  await server.close();
});

/** Where everything stands that bad input must not move. */
async function standing(): Promise<unknown> {
  const { machines, instances } = await server.peer.list();
  const described = await Promise.all(instances.map(({ instance }) => server.peer.get(instance)));
  const front = described.find((each) => 'instance' in each && each.instance === 'front');
  return {
    machines,
    names: instances.map(({ instance }) => instance),
    front,
    mirrored: [mirror.seq, mirror.digest, mirror.getSnapshot().context],
  };
}

/** Runs `act`, after which nothing may have moved, and a client that did nothing wrong must be served as before. */
async function harmless(act: () => Promise<void>): Promise<void> {
  const before = await standing();
  await act();
  expect(await standing()).toEqual(before);
  expect(mirror.standing).toBe('confirmed');
  const back = await client.watch('back', desk);
  const { seq } = back;
  expect(await back.submit({ type: 'PUT' })).toEqual({ outcome: 'stepped', seq: seq + 1 });
  back.stop();
}

let asked = 0;
const request = (method: string, params: unknown): string => JSON.stringify({ jsonrpc: '2.0', id: ++asked, method, params });
const ask = (event: unknown): string => request('send', ['front', 1_000 + asked, event]);

const ROADS = [
  { road: 'a socket without headers', socket: () => plainSocket, header: '' },
  { road: 'a peer', socket: () => peerSocket, header: 'server\n' },
] as const;

interface Row {
  readonly what: string;
  readonly body: () => string;
  readonly code: ErrorCode;
  readonly message: string;
  /** Of the answer; the number of the request unless given. */
  readonly id?: null;
}

const row = (what: string, body: () => string, code: ErrorCode, message: string): Row => ({ what, body, code, message });
const broken = (what: string, body: string, code: ErrorCode, message: string): Row => ({ what, body: () => body, code, message, id: null });

const ROWS: readonly Row[] = [
  // Names
  row(
    'an unknown machine',
    () => request('create', { machine: 'chair' }),
    'UNKNOWN_MACHINE',
    'no machine "chair" is defined here; there are desk',
  ),
  row(
    'an unknown instance, sent to',
    () => request('send', ['attic', 1, { type: 'PUT' }]),
    'UNKNOWN_INSTANCE',
    'there is no instance attic here',
  ),
  row('an unknown instance, watched', () => request('watch', { instance: 'attic' }), 'UNKNOWN_INSTANCE', 'there is no instance attic here'),
  row('an unknown instance, asked for', () => request('get', { instance: 'attic' }), 'UNKNOWN_INSTANCE', 'there is no instance attic here'),
  row(
    'an unknown instance, deleted',
    () => request('delete', { instance: 'attic' }),
    'UNKNOWN_INSTANCE',
    'there is no instance attic here',
  ),
  row('an unknown image', () => request('get', { image: 'feed' }), 'UNKNOWN_IMAGE', 'no image feed is published here'),
  row(
    'an unknown event',
    () => ask({ type: 'FLY' }),
    'UNKNOWN_EVENT',
    'machine desk takes no event "FLY"; it takes PUT, SLIP, TEAR, DATE, SPLIT, CIRCLE, WRAP',
  ),
  row('an unknown method', () => request('fly', {}), 'UNKNOWN_METHOD', 'no method "fly" is served here'),
  row(
    'an unknown method that is long',
    () => request('"'.repeat(400_000), {}),
    'UNKNOWN_METHOD',
    `no method ${`"${'\\"'.repeat(20)}`.slice(0, 40)}… is served here`,
  ),
  row(
    'an instance that is there',
    () => request('create', { machine: 'desk', instance: 'front' }),
    'EXISTS',
    'there is an instance front already',
  ),
  row(
    'an instance of somebody else',
    () => request('create', { machine: 'desk', instance: 'ann/desk' }),
    'FORBIDDEN',
    'instance "ann/desk" belongs to peer ann, and this is server',
  ),
  row(
    'an event of the authority',
    () => ask({ type: 'xstate.init' }),
    'FORBIDDEN',
    '"xstate.init": events that begin with xstate. are made by the authority alone',
  ),
  row('eval where nobody opted in', () => request('eval', { source: '1' }), 'FORBIDDEN', 'this peer did not opt in to eval'),
  row(
    'an expectation that does not hold',
    () => request('send', ['front', 999, { type: 'PUT' }, { seq: 77 }]),
    'EXPECTATION',
    'front is at seq 2, the sender expected 77',
  ),
  // Shapes
  row(
    'parameters that are missing',
    () => request('send', ['front']),
    'BAD_PARAMS',
    'params of send: expected an array of 3 to 4, found an array of 1',
  ),
  row('no parameters', () => request('watch', undefined), 'BAD_PARAMS', 'params of watch: expected an object, found nothing'),
  row(
    'an event number that is none',
    () => request('send', ['front', 0.5, { type: 'PUT' }]),
    'BAD_PARAMS',
    'params of send: 1: expected a whole number from 1, found 0.5',
  ),
  row(
    'an event without a type',
    () => request('send', ['front', 1, {}]),
    'BAD_PARAMS',
    'params of send: 2: type: expected an event type, found nothing',
  ),
  row(
    'a name that is none',
    () => request('create', { machine: 'a desk' }),
    'BAD_PARAMS',
    'params of create: machine: expected a name (letters, digits and _ . : ~ @ -, at most 128), found "a desk"',
  ),
  row(
    'an event that is too large',
    () => ask({ type: 'PUT', value: 'x'.repeat(LIMITS.eventSize) }),
    'TOO_LARGE',
    'an event of type "PUT" is over 65536 characters',
  ),
  // What JSON text can hold and plain JSON does not
  row(
    'an input that overflows',
    () => `{"jsonrpc":"2.0","id":${++asked},"method":"create","params":{"machine":"desk","input":{"tree":1e999}}}`,
    'BAD_PARAMS',
    'params of create: input: tree: expected a finite number, found Infinity',
  ),
  row(
    'an input with a key that is none',
    () => `{"jsonrpc":"2.0","id":${++asked},"method":"create","params":{"machine":"desk","input":{"__proto__":{}}}}`,
    'BAD_PARAMS',
    'params of create: input: expected plain JSON, found a key named __proto__',
  ),
  row(
    'an event without end',
    () =>
      `{"jsonrpc":"2.0","id":${++asked},"method":"send","params":["front",1,{"type":"PUT","value":${'['.repeat(9_000)}${']'.repeat(9_000)}}]}`,
    'BAD_PARAMS',
    `params of send: 2: value: ${'0: '.repeat(127)}expected at most 128 levels of arrays and objects, found more`,
  ),
  // What the author did
  row(
    'a guard that throws',
    () => ask({ type: 'SLIP' }),
    'HOST_THREW',
    'machine desk: guard "slips" at /on/SLIP/guard threw Error: the author slipped',
  ),
  row(
    'an assign that throws behind another',
    () => ask({ type: 'TEAR' }),
    'HOST_THREW',
    'machine desk: assign at /on/TEAR/actions/1 threw RangeError: torn',
  ),
  row('an assign that returns a Date', () => ask({ type: 'DATE' }), 'NOT_JSON', 'expected plain JSON at "/tree/at/0", found a Date'),
  row('an assign that returns NaN', () => ask({ type: 'SPLIT' }), 'NOT_JSON', 'expected plain JSON at "/sheets", found NaN'),
  row(
    'an assign that returns a circle',
    () => ask({ type: 'CIRCLE' }),
    'NOT_JSON',
    `expected at most 128 levels of arrays and objects, found more at "…${'/self'.repeat(8)}"`,
  ),
  row(
    'an input that is too deep for the event that holds it',
    () => request('create', { machine: 'desk', input: nested(128) }),
    'NOT_JSON',
    `expected at most 128 levels of arrays and objects, found more at "…${'/0'.repeat(20)}"`,
  ),
  // Envelopes
  broken('JSON that is none', '{"jsonrpc":"2.0","id":1,', 'MALFORMED', 'a body of 24 characters that is not JSON'),
  broken('an array of no messages', '[]', 'BAD_REQUEST', 'expected at least one message in the array, found none'),
  broken('a number for a message', '[5]', 'BAD_REQUEST', 'expected a JSON-RPC 2.0 message, found 5'),
  broken('another JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"list","params":{}}', 'BAD_REQUEST', 'jsonrpc: expected "2.0", found "1.0"'),
  broken(
    'no method',
    '{"jsonrpc":"2.0","id":1}',
    'BAD_REQUEST',
    'expected a method (a text), or an id with a result or an error; found "jsonrpc", "id"',
  ),
  broken(
    'a method that is no text',
    '{"jsonrpc":"2.0","id":1,"method":7}',
    'BAD_REQUEST',
    'expected a method (a text), or an id with a result or an error; found "jsonrpc", "id", "method"',
  ),
  broken(
    'an id that is none',
    '{"jsonrpc":"2.0","id":{},"method":"list"}',
    'BAD_REQUEST',
    'method "list": expected a number or a string of at most 128 characters as id, found an object',
  ),
  broken(
    'an id that is too long to be repeated',
    JSON.stringify({ jsonrpc: '2.0', id: 'x'.repeat(1_000_000), method: 'fly' }),
    'BAD_REQUEST',
    `method "fly": expected a number or a string of at most 128 characters as id, found "${'x'.repeat(39)}…`,
  ),
];

function nested(levels: number): unknown {
  let value: unknown = null;
  for (let i = 0; i < levels - 1; i++) value = [value];
  return { tree: value };
}

describe.each(ROADS)('said by $road', ({ socket, header }) => {
  test.each(ROWS)('[SRV-30] $what: $code', ({ body, code, message, id }) =>
    harmless(async () => {
      socket().say(header + body());
      const answer = await socket().next();
      expect(answer.id).toBe(id === null ? null : asked);
      expect(answer.error).toMatchObject({ message, data: { code } });
      socket().say(header + request('get', { instance: 'front' }));
      expect(await socket().next()).toMatchObject({ id: asked, result: { instance: 'front', seq: 2 } });
    }),
  );

  test('[SRV-30] one broken message among others is refused alone, and a thousand are not refused a thousand times', () =>
    harmless(async () => {
      socket().say(`${header}[${request('list', {})},5,${request('get', { instance: 'front' })}]`);
      const three = [await socket().next(), await socket().next(), await socket().next()];
      expect(three.map((each) => each.error?.data.code ?? 'answered').sort()).toEqual(['BAD_REQUEST', 'answered', 'answered']);
      socket().say(`${header}[${'5,'.repeat(1_000)}${request('get', { instance: 'front' })}]`);
      socket().say(`${header}${request('get', { instance: 'front' })}`);
      const answers: unknown[] = [];
      for (let answer = await socket().next(); ; answer = await socket().next()) {
        answers.push(answer);
        if (answer.error === undefined) break;
      }
      // What follows 32 broken ones is not read.
      expect(answers).toHaveLength(33);
    }));
});

test('[SRV-30] bytes where text is spoken cost their sender a refusal, and nobody a link', () =>
  harmless(async () => {
    // To the server, a message with a head that there is not.
    peerSocket.say(Buffer.from([1, 0x3f]));
    const { from, error } = await peerSocket.next();
    expect([from, error]).toMatchObject(['server', { data: { code: 'MALFORMED' } }]);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^byte \d+ of a packed frame: expected the head of a message, found 63$/) as string,
    });
    const id = Buffer.from(client.id!);
    peerSocket.say(Buffer.from([2, id.length, ...id, 0x3f]));
    expect(await peerSocket.next()).toMatchObject({ from: client.id, error: { data: { code: 'MALFORMED' } } });
    // This socket itself has not offered packed.
    const own = Buffer.from(peerSocket.id);
    peerSocket.say(Buffer.from([2, own.length, ...own, 0x3f]));
    expect(await peerSocket.next()).toMatchObject({ from: '', error: { data: { code: 'MALFORMED' } } });
  }));

test('[SRV-30] what the relay itself cannot read is refused by the relay', () =>
  harmless(async () => {
    for (const [frame, code, message] of [
      ['what?', 'MALFORMED', 'a frame has a header line, or begins with { or [; found "what?"'],
      ['{"jsonrpc":"2.0","id":1,"method":"list"}', 'MALFORMED', 'after hello every frame has a header line'],
      ['#x\n[]', 'MALFORMED', 'a room is # and its number, found "#x"'],
      ['\n{', 'MALFORMED', 'a body of 1 characters that is not JSON'],
      [
        '\n{"jsonrpc":"2.0","id":"again","method":"list"}',
        'UNKNOWN_METHOD',
        'the relay knows the request hello and the notices admit and expel, found "list"',
      ],
      [hello(), 'BAD_REQUEST', 'this link has said hello already'],
    ] as const) {
      peerSocket.say(frame);
      expect(await peerSocket.next(), frame).toMatchObject({ from: '', error: { message, data: { code } } });
    }
    peerSocket.say('nobody\n[]');
    expect(await peerSocket.next()).toEqual({ from: '', jsonrpc: '2.0', method: 'undeliverable', params: ['nobody'] });
  }));

// ── What ends a link ─────────────────────────────────────────────────────────────────────────────────────────────

test.each<[what: string, code: ErrorCode, message: string, frame: string]>([
  ['no header', 'MALFORMED', 'a frame has a header line, or begins with { or [; found "what?"', 'what?'],
  ['another version', 'BAD_VERSION', 'this relay speaks version 1, found 2, 3', hello({ versions: [2, 3] })],
  ['no version', 'BAD_VERSION', 'this relay speaks version 1, found none', hello({ versions: [] })],
  ['another encoding', 'BAD_VERSION', 'this relay speaks packed and json, found xml', hello({ encodings: ['xml'] })],
  [
    'a hello of another shape',
    'BAD_PARAMS',
    'params of hello: secret: expected a string of at most 1024 characters, found 7',
    hello({ secret: 7 }),
  ],
  ['a wrong key', 'FORBIDDEN', 'the key is not the key of this relay', hello({ kind: 'server', key: 'guess' })],
  ['a server without a key', 'FORBIDDEN', 'a server presents the key of its relay, found none', hello({ kind: 'server' })],
  ['a frame for somebody before hello', 'BAD_REQUEST', 'the first frame of a peer is hello, found one for "server"', 'server\n{}'],
])('[SRV-31] greeted with %s: refused with %s, then closed with the same words', (_, code, message, frame) =>
  harmless(async () => {
    const socket = await RawSocket.open(server.url);
    socket.say(frame);
    expect(await socket.next()).toMatchObject({ from: '', error: { message, data: { code } } });
    expect(await socket.closed).toEqual([4000, `${code}: ${message}`.slice(0, 123)]);
  }),
);

test.each<[what: string, size: number, found: string]>([
  ['one character too large', LIMITS.frameSize + 1, String(LIMITS.frameSize + 1)],
  ['too large to be read at all', LIMITS.frameSize * 3 + 2_000, 'more'],
])('[SRV-31] a frame that is %s closes the link of its sender alone, with TOO_LARGE', (_, size, found) =>
  harmless(async () => {
    const socket = await RawSocket.greet(server.url);
    socket.say(`server\n${' '.repeat(size - 'server\n'.length)}`);
    expect(await socket.closed).toEqual([4000, `TOO_LARGE: a frame has at most ${LIMITS.frameSize} characters, found ${found}`]);
  }),
);

// ── Images ───────────────────────────────────────────────────────────────────────────────────────────────────────

describe('images', () => {
  const flipped = (at: number): Uint8Array => lamp.map((byte, i) => (i === at ? byte ^ 0x10 : byte));

  test('[SRV-32] an image with any byte changed that its hash covers is refused, and no name changes its meaning', () =>
    harmless(async () => {
      const { getUint32 } = DataView.prototype;
      const hashedSize = getUint32.call(new DataView(lamp.buffer, lamp.byteOffset), 12, true);
      expect(hashedSize).toBeGreaterThan(100);
      for (let at = 0; at < hashedSize; at += 7) {
        await expect(client.define('lamp', { image: encodeBase64(flipped(at)) }), `byte ${at}`).rejects.toMatchObject({
          code: 'BAD_IMAGE',
          message: expect.stringMatching(/expected .+, found /) as string,
        });
      }
      await expect(client.define('lamp', { image: encodeBase64(lamp.subarray(0, lamp.length - 8)) })).rejects.toMatchObject({
        code: 'BAD_IMAGE',
      });
      await expect(client.define('lamp', { image: 'not base64' })).rejects.toMatchObject({
        code: 'BAD_PARAMS',
        message: 'define "lamp": expected a definition, or an image in base64',
      });
      await expect(client.define('desk', { image: encodeBase64(lamp) })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }));

  test('[SRV-32] a mirror that gets other bytes than it asked for by hash does not run them, and its neighbours go on', () =>
    harmless(async () => {
      const { hash } = compileMachine({ id: 'lamp', initial: 'on', states: { on: {} } });
      const liar = await RawSocket.greet(server.url, { hosts: true });
      const watching = client.watch(`${liar.id}/lamp`);
      const state = { status: 'active', clocks: [1, 1], history: [], context: {}, timers: [] };
      const snapshot = {
        room: 1,
        who: 1,
        machine: 'lamp',
        image: hash,
        epoch: 1,
        digest: '0'.repeat(16),
        last: 0,
        snapshot: { seq: 1, state },
      };
      // A mirror may ask again while its authority is being announced: each question gets its answer.
      const answering = (async () => {
        for (let question = await liar.next(); ; question = await liar.next()) {
          const result = question.method === 'watch' ? snapshot : { image: hash, bytes: encodeBase64(lamp) };
          liar.say(`${client.id!}\n${JSON.stringify({ jsonrpc: '2.0', id: question.id, result })}`);
          if (question.method === 'get') return question.params;
        }
      })();
      await expect(watching).rejects.toMatchObject({
        code: 'BAD_IMAGE',
        message: expect.stringMatching(new RegExp(`^expected the hash ${hash}, found [0-9a-f]{16}$`)) as string,
      });
      expect(await answering).toEqual({ image: hash });
      liar.close();
    }));
});
