// The gate for frames: what is right passes unchanged, whatever is not is refused with a code, and nothing else ever happens.

import { describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import {
  encodeAnswer,
  encodeNotice,
  encodeRefusal,
  encodeRequest,
  readBody,
  readHeader,
  readNotice,
  readResult,
} from '../../peer/codec-json.ts';
import { isOrder, readOrder, readParams } from '../../peer/params.ts';
import { LIMITS, type Methods, type Notifications } from '../../peer/wire.ts';
import { readTrace } from '../../peer/trace-shapes.ts';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof LockstepError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was refused';
}

const state = { status: 'active', clocks: [1, 1, 0], history: [[0, [1]]], context: { count: 1 }, timers: [[0, 5000]] } as const;
const digest = '0123456789abcdef';
const step = {
  instance: 'door',
  epoch: 1,
  seq: 2,
  at: 1000,
  cause: { peer: 'alice', n: 1, event: { type: 'OPEN' }, seed: 7 },
  clocks: [1, 1, 2, 1],
  history: [],
  patch: [],
  host: [true],
  timers: [
    { timer: 0, due: 5 },
    { timer: 1, due: null },
  ],
  effects: [{ fn: 0, name: 'ring' }],
  digest,
} as const;
const sight = { status: 'active', value: 'open', tags: ['lit'], context: { public: 1 }, output: null } as const;
const summary = { instance: 'door', machine: 'door', image: digest, epoch: 1, seq: 2, status: 'active', value: 'open' } as const;

const PARAMS: { readonly [M in keyof Methods]: readonly Methods[M]['params'][] } = {
  hello: [
    { versions: [1], encodings: ['json'], secret: 's', name: '', kind: 'node', hosts: true, eval: false, presence: true },
    { versions: [1], encodings: ['json'], secret: 's', name: '', kind: 'node', hosts: true, eval: false, presence: true, token: 't' },
  ],
  define: [
    { machine: 'door', definition: { initial: 'a', states: { a: {} } } },
    { machine: 'door', image: 'AAAA' },
  ],
  create: [{ machine: 'door' }, { machine: 'door', instance: 'front', input: { key: [1, null, 'x'] } }],
  get: [{ instance: 'door' }, { instance: 'door', view: 'public' }, { instance: 'peer_1/door' }, { image: digest }],
  grow: [{ instance: 'front' }],
  can: [{ instance: 'front', event: { type: 'OPEN' } }],
  list: [{}, { after: 'a', limit: 5, machine: 'door' }],
  delete: [{ instance: 'door' }],
  watch: [
    { instance: 'door' },
    { instance: 'door', view: 'player' },
    { instance: 'door', from: { epoch: 1, seq: 2, digest }, encoding: 'packed' },
  ],
  unwatch: [{ room: 1 }, { room: 1, instance: 'door' }],
  send: [
    ['door', 1, { type: 'OPEN' }],
    ['door', 2, { type: 'PUSH', by: 3, deep: [{ a: null }] }, { seq: 4 }],
    ['door', 3, { type: 'X' }, { state: { a: 'b' } }],
  ],
  vouch: [{ instance: 'door', peer: 'alice' }],
  forward: [
    ['door', 'alice', 1, { type: 'OPEN' }],
    ['door', 'alice', 2, { type: 'OPEN' }, { seq: 4 }],
  ],
  standby: [{ instance: 'door' }],
  take: [
    {
      instance: 'alice/door',
      machine: 'door',
      image: digest,
      epoch: 9,
      seq: 4,
      state,
      lineage: [[7, 4]],
      seen: [
        [
          'bob',
          [
            [1, 2, true],
            [2, 3, false],
          ],
        ],
      ],
    },
  ],
  attend: [{ instance: 'door' }],
  here: [
    { instance: 'door', data: { cursor: [1, 2] } },
    { instance: 'door', data: null },
  ],
  where: [{ instance: 'door' }],
  trace: [{ on: true, backlog: 10 }, { on: false }],
  eval: [{ source: '1 + 1' }],
};
const RESULTS: { readonly [M in keyof Methods]: readonly Methods[M]['result'][] } = {
  hello: [
    {
      version: 1,
      encoding: 'json',
      peer: 'alice',
      server: null,
      session: 1,
      now: 5,
      limits: LIMITS,
      peers: [{ peer: 'a', name: '', kind: 'tool', hosts: false, eval: false }],
    },
  ],
  define: [{ machine: 'door', image: digest }],
  create: [{ instance: 'door', epoch: 1, seq: 1 }],
  get: [
    { ...summary, state, digest },
    { ...summary, image: '', view: 'public', sight, digest },
    { image: digest, bytes: 'AAAA' },
  ],
  grow: [{ instance: 'front', epoch: 2, seq: 5 }],
  can: [true, false],
  list: [{ machines: [{ machine: 'door', image: digest }], instances: [summary], more: false }],
  delete: [{ instance: 'door' }],
  watch: [
    { room: 1, who: 2, machine: 'door', image: digest, epoch: 1, snapshot: { seq: 4, state }, digest, last: 0 },
    {
      room: 1,
      who: 2,
      machine: 'door',
      image: digest,
      epoch: 1,
      steps: [[5, 1, 2, [1, 1], [{ op: 'remove', path: '/a' }], { status: 'done', output: 3 }]],
      digest,
      last: 2,
    },
    { room: 2, who: 1, machine: 'door', image: '', epoch: 1, seen: { seq: 4, sight }, isGuarded: true, digest, last: 0 },
    { room: 2, who: 1, machine: 'door', image: '', epoch: 1, seen: { seq: 4 }, digest, last: 0 },
  ],
  unwatch: [{ room: 1 }],
  send: [
    ['stepped', 4],
    ['ignored', 5],
  ],
  vouch: [{ who: 3, last: 0, seq: 7 }],
  forward: [['stepped', 4]],
  standby: [{ seq: 4, seen: [['bob', [[1, 2, true]]]], senders: [[1, 'bob']], lineage: [[7, 4]] }],
  take: [{ instance: 'alice/door' }],
  attend: [{ present: [['bob', { cursor: 1 }]] }],
  here: [true],
  where: [{ peer: 'bob', epoch: 7 }],
  trace: [
    { room: 0, steps: [{ kind: 'step', peer: 'alice', machine: 'door', image: digest, step }] },
    { room: null, steps: [] },
  ],
  eval: [{ text: '2' }],
};
const NOTICES: { readonly [N in keyof Notifications]: readonly Notifications[N][] } = {
  step: [
    [1, []],
    [
      1,
      [
        [2, 0, 0, [], []],
        [
          3,
          1,
          9,
          [0, 2],
          [
            { op: 'add', path: '/list/0', value: { a: 1 } },
            { op: 'replace', path: '', value: null },
          ],
        ],
      ],
      digest,
    ],
    [1, [], digest, 3],
  ],
  settled: [
    [1, 3, ['stepped', 4]],
    [1, 4, { code: 'UNKNOWN_EVENT', message: 'no such event' }],
  ],
  seen: [
    [2, 3, 5, []],
    [2, 5, 6, [{ op: 'replace', path: '/value', value: { a: 'b' } }], digest],
  ],
  present: [
    [
      'alice/door',
      [
        ['bob', { at: 3 }],
        ['eve', null],
      ],
    ],
  ],
  sender: [['alice/door', 3, 'bob']],
  ordered: [
    ['alice/door', 9, [[7, 4]]],
    ['alice/door', 9, [], 'bob'],
  ],
  moved: [
    { room: 1, reason: 'deleted' },
    { room: 1, reason: 'room', to: 2 },
    { room: 1, reason: 'owner', peer: 'bob' },
  ],
  trace: [
    [
      { kind: 'step', peer: 'a', machine: 'door', image: digest, step },
      {
        kind: 'divergence',
        peer: 'a',
        instance: 'door',
        image: digest,
        seq: 3,
        ours: digest,
        theirs: digest,
        good: { seq: 1, state },
        steps: [],
      },
      { kind: 'impurity', peer: 'a', impurity: { machine: 'door', path: '/on/GO/guard', kind: 'guard', name: 'isIn', uses: 'Date.now()' } },
    ],
  ],
  presence: [{ joined: [], left: ['alice'] }],
  admit: [[1, 'alice']],
  expel: [[1, 'alice']],
  undeliverable: [['bob']],
  lagging: [['#server/1']],
  share: [{ group: 'tabs', term: 12 }],
  hangup: [[3, 4001, 'a newer link']],
};

describe('the gate passes what is right', () => {
  for (const method of Object.keys(PARAMS) as (keyof Methods)[]) {
    test(`[SYNC-14] ${method}: parameters and results come through unchanged`, () => {
      for (const params of PARAMS[method]) {
        const [message] = readBody(encodeRequest(1, method, params));
        expect(message).toEqual({ kind: 'request', id: 1, method, params });
        expect(readParams(method, JSON.parse(JSON.stringify(params)))).toEqual(params);
      }
      for (const result of RESULTS[method]) {
        const [message] = readBody(encodeAnswer('x', result));
        expect(message).toEqual({ kind: 'answer', id: 'x', result });
        expect(readResult(method, JSON.parse(JSON.stringify(result)))).toEqual(result);
      }
    });
  }
  for (const method of Object.keys(NOTICES) as (keyof Notifications)[]) {
    test(`[SYNC-14] ${method}: a notification comes through unchanged`, () => {
      for (const params of NOTICES[method]) {
        const [message] = readBody(encodeNotice(method, params));
        expect(message).toEqual({ kind: 'notice', method, params });
        const sent: unknown = JSON.parse(JSON.stringify(params));
        const read = isOrder(method) ? readOrder(method, sent) : method === 'trace' ? readTrace(sent) : readNotice(method, sent);
        expect(read).toEqual(params);
      }
    });
  }

  test('[SYNC-14] an error keeps its code and its sentence', () => {
    const error = new LockstepError('STALE', 'event 3 of alice is not remembered');
    expect(readBody(encodeRefusal(7, error))).toEqual([{ kind: 'refusal', id: 7, error }]);
  });

  test('[SYNC-14] an error of a peer that only knows JSON-RPC gets the code with its number', () => {
    const [message] = readBody('{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}');
    expect(message).toMatchObject({ kind: 'refusal', id: null, error: { code: 'UNKNOWN_METHOD' } });
  });
});

/** Every place in a value, with what stands there. */
function* places(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* places(inner, [...path, Array.isArray(value) ? Number(key) : key]);
}

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item: unknown, i) => (i === key ? replaced(item, rest, by) : item));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, item]: [string, unknown]) => [name, name === key ? replaced(item, rest, by) : item]),
  );
}

describe('the gate refuses what is wrong', () => {
  const cases = (Object.keys(PARAMS) as (keyof Methods)[]).flatMap((method) => PARAMS[method].map((params) => ({ method, params })));
  for (const { method, params } of cases) {
    test(`[SYNC-14] ${method} ${JSON.stringify(params).slice(0, 60)}: a function-like value anywhere is refused, and nothing but a code comes out`, () => {
      for (const path of places(params)) {
        for (const wrong of [Number.NaN, () => 1, Symbol('no')]) {
          expect(refusal(() => readParams(method, replaced(params, path, wrong)))).toMatch(/^BAD_PARAMS: params of /);
        }
        // Any JSON in the wrong place is either right there, or refused with a code: never a crash.
        for (const other of [null, true, -1, 1.5, 'text', '', [], {}, [null], { type: 5 }]) {
          expect(refusal(() => readParams(method, replaced(params, path, other)))).toMatch(/^(nothing was refused|BAD_PARAMS: )/);
        }
      }
    });
  }

  test.each([
    ['send', ['door', 0, { type: 'OPEN' }], 'params of send: 1: expected a whole number from 1, found 0'],
    ['send', ['door', 1], 'params of send: expected an array of 3 to 4, found an array of 2'],
    ['send', ['door', 1, { type: '' }], 'params of send: 2: type: expected an event type, found ""'],
    ['send', ['door', 1, 'OPEN'], 'params of send: 2: expected an event object, found "OPEN"'],
    ['send', ['a/b/c', 1, { type: 'OPEN' }], 'params of send: 0: expected an instance name, `name` or `peer/name`, found "a/b/c"'],
    [
      'create',
      { machine: 'no spaces' },
      'params of create: machine: expected a name (letters, digits and _ . : ~ @ -, at most 128), found "no spaces"',
    ],
    [
      'watch',
      { instance: 'door', from: { epoch: 1, seq: 2, digest: 'xyz' } },
      'params of watch: from: digest: expected 16 hex digits, found "xyz"',
    ],
    ['get', undefined, 'params of get: expected an object, found nothing'],
  ] as const)('[SYNC-14] %s %j is refused with a sentence that names the place', (method, params, message) => {
    expect(refusal(() => readParams(method, params))).toBe(`BAD_PARAMS: ${message}`);
  });

  test('[SYNC-14] JSON text that is no plain JSON is refused: 1e999, __proto__, and depth without end', () => {
    const event = (text: string): string => refusal(() => readParams('send', JSON.parse(`["door",1,{"type":"X","a":${text}}]`)));
    expect(event('1e999')).toBe('BAD_PARAMS: params of send: 2: a: expected a finite number, found Infinity');
    expect(event('{"__proto__":1}')).toBe('BAD_PARAMS: params of send: 2: a: expected plain JSON, found a key named __proto__');
    expect(event('['.repeat(LIMITS.depthMax - 1) + ']'.repeat(LIMITS.depthMax - 1))).toBe('nothing was refused');
    expect(event('['.repeat(20_000) + ']'.repeat(20_000))).toContain(`expected at most ${LIMITS.depthMax} levels`);
  });

  test.each([
    [{ op: 'move', from: '/a', path: '/b' }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'add', path: '/a' }],
    [{ path: '/a', value: 1 }],
    ['remove'],
  ])('[SYNC-14] a patch operation %j is not one that steps have', (operation) => {
    expect(refusal(() => readNotice('step', [1, [[2, 0, 0, [], [operation]]]]))).toMatch(/^BAD_PARAMS: /);
  });

  test('[SYNC-14] a frame truncated at any character is a message or a refusal, never a crash', () => {
    const body = `[${encodeRequest(1, 'send', ['door', 1, { type: 'PUSH', text: 'ü\n"' }])},${encodeNotice('step', [1, [[2, 0, 0, [0, 1], []]], digest])}]`;
    for (let end = 0; end < body.length; end++)
      expect(refusal(() => readBody(body.slice(0, end)))).toMatch(/^MALFORMED: a body of \d+ characters that is not JSON$/);
    expect(readBody(body)).toHaveLength(2);
    for (let end = 0; end < 6; end++) expect(refusal(() => readHeader('alice\n'.slice(0, end)))).toMatch(/^MALFORMED: /);
    expect(readHeader('alice\n')).toEqual({ address: 'alice', body: '' });
  });

  test('[SYNC-14] one broken message does not spoil its neighbours', () => {
    const messages = readBody(
      `[5,${encodeAnswer(1, null)},{"jsonrpc":"2.0","id":{},"method":"get"},{"jsonrpc":"1.0","method":"get"},{"jsonrpc":"2.0"}]`,
    );
    expect(messages.map((message) => (message instanceof LockstepError ? message.code : message.kind))).toEqual([
      'BAD_REQUEST',
      'answer',
      'BAD_REQUEST',
      'BAD_REQUEST',
      'BAD_REQUEST',
    ]);
  });

  test('[SYNC-14] binary and oversized frames are refused', () => {
    expect(refusal(() => readHeader(new Uint8Array(4)))).toBe('MALFORMED: a binary frame of 4 bytes, expected text in the json encoding');
    expect(refusal(() => readHeader(`a\n${'x'.repeat(LIMITS.frameSize)}`))).toMatch(/^TOO_LARGE: a frame of \d+ characters/);
  });
});
