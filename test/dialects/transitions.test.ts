// Transition lists: rstmdb's canonical form and checksums, guarded alternatives in order, and what is refused where.

import { createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import { crc32c } from '../../compiler/crc32c.ts';
import {
  canonicalTransitions,
  compileMachine,
  defineMachine,
  fromTransitions,
  transitionsChecksum,
  transitionsText,
} from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError, type ErrorCode } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();
const STAMP = { now: 0, seed: 0, salt: '' };

function start(list: unknown, input?: Json): Instance {
  const machine = defineMachine(list);
  const { bytes, symbols } = compileMachine(machine);
  const instance = Instance.create(Machine.load(core, bytes, bind(symbols, machine)));
  instance.start(input, STAMP);
  return instance;
}

const apply = (instance: Instance, type: string, payload?: Json): readonly [unknown, Json] => {
  instance.step(payload === undefined ? { type } : { type, payload }, STAMP);
  return [instance.snapshot().value, instance.context];
};

/** From the reference: the checksum that rstmdb gives this list. */
const PAY = { states: ['created', 'paid'], initial: 'created', transitions: [{ from: 'created', event: 'PAY', to: 'paid' }] };

test('[TRANSITIONS-2] CRC-32C of the usual nine digits', () => {
  expect(crc32c(new TextEncoder().encode('123456789')).toString(16)).toBe('e3069283');
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('[TRANSITIONS-2] the golden checksum, whatever the order of keys, and whether `from` is a list', () => {
  expect(transitionsChecksum(canonicalTransitions(PAY))).toBe('26adbd14');
  const other = {
    transitions: [{ to: 'paid', guard: null, event: 'PAY', from: ['created'] }],
    note: 'dropped',
    initial: 'created',
    states: ['created', 'paid'],
    meta: null,
  };
  expect(transitionsText(canonicalTransitions(other))).toBe(
    '{"states":["created","paid"],"initial":"created","transitions":[{"from":["created"],"event":"PAY","to":"paid"}]}',
  );
  expect(transitionsChecksum(canonicalTransitions(other))).toBe('26adbd14');
});

test('[TRANSITIONS-2] meta has its keys sorted by their bytes, at every depth', () => {
  const meta = { b: [{ z: 1, a: null }], 10: true, 9: '"', '\u{10000}': 1, '\uffff': 2 };
  expect(transitionsText(canonicalTransitions({ ...PAY, meta }))).toBe(
    '{"states":["created","paid"],"initial":"created","transitions":[{"from":["created"],"event":"PAY","to":"paid"}],' +
      '"meta":{"10":true,"9":"\\"","b":[{"a":null,"z":1}],"\uffff":2,"\u{10000}":1}}',
  );
});

test('[TRANSITIONS-1] states, events and transitions are those of the XState machine that says the same', () => {
  const list = {
    id: 'order',
    states: ['created', 'paid', 'shipped'],
    initial: 'created',
    transitions: [
      { from: 'created', event: 'PAY', to: 'paid' },
      { from: ['created', 'paid'], event: 'CANCEL', to: 'created' },
      { from: 'paid', event: 'SHIP', to: 'shipped' },
    ],
  };
  const same = createMachine({
    id: 'order',
    initial: 'created',
    states: {
      created: { on: { PAY: 'paid', CANCEL: 'created' } },
      paid: { on: { CANCEL: 'created', SHIP: 'shipped' } },
      shipped: {},
    },
  });
  const ours = compileMachine(list).symbols;
  const theirs = compileMachine(same).symbols;
  expect({ ...ours, functions: [], contextFunction: undefined }).toEqual({
    ...theirs,
    functions: [],
    context: undefined,
    contextFunction: undefined,
  });
  expect(check(core, list).configurations).toBe(check(core, same).configurations);
});

test('[TRANSITIONS-1] guarded alternatives are asked in the order of the list', () => {
  const list = {
    states: ['open', 'vip', 'paid', 'review'],
    initial: 'open',
    transitions: [
      { from: 'open', event: 'PAY', to: 'vip', guard: 'ctx.rank >= 3 && !(ctx.blocked)' },
      { from: ['open', 'review'], event: 'PAY', to: 'paid', guard: 'ctx.kind == "card" || ctx.amount < 10' },
      { from: 'open', event: 'PAY', to: 'review' },
    ],
  };
  const paid = (context: JsonObject): unknown => apply(start(list, context), 'PAY')[0];
  expect(paid({ rank: 3 })).toBe('vip');
  expect(paid({ rank: 3, blocked: true, amount: 5 })).toBe('paid');
  expect(paid({ kind: 'card' })).toBe('paid');
  expect(paid({ amount: 10 })).toBe('review');
  expect(paid({})).toBe('review');
});

test('[TRANSITIONS-3] a guard sees what was there before; payloads are merged shallowly, and only objects', () => {
  const list = {
    states: ['a', 'b'],
    initial: 'a',
    transitions: [
      { from: 'a', event: 'GO', to: 'b', guard: 'ctx.ok' },
      { from: 'a', event: 'GO', to: 'a' },
    ],
  };
  const instance = start(list, { deep: { x: 1, y: 2 } });
  expect(apply(instance, 'GO', { ok: true, deep: { x: 3 } })).toEqual(['a', { ok: true, deep: { x: 3 } }]);
  expect(apply(instance, 'GO', ['ok'])).toEqual(['b', { ok: true, deep: { x: 3 } }]);
  expect(apply(start(list, 7), 'GO')).toEqual(['a', {}]);
});

test('[COMPILE-10] a machine stays what it is, a list becomes one once', () => {
  const machine = createMachine({ initial: 'a', states: { a: {} } });
  expect(defineMachine(machine)).toBe(machine);
  const ours = fromTransitions(PAY, 'order');
  expect(defineMachine(ours)).toBe(ours);
  expect(compileMachine(ours).symbols.id).toBe('order');
});

test('[CHECK-6] comparisons of a list are questions: the same in all its guards', () => {
  const list = {
    states: ['open', 'big', 'small', 'never'],
    initial: 'open',
    transitions: [
      { from: 'open', event: 'GO', to: 'big', guard: 'ctx.amount >= 10' },
      { from: 'open', event: 'GO', to: 'small', guard: '!(ctx.amount >= 10) && ctx.kind != "x"' },
      { from: 'open', event: 'GO', to: 'open', guard: 'ctx.kind == "x"' },
      { from: 'open', event: 'GO', to: 'never' },
    ],
  };
  const { findings, remarks, questions } = check(core, list);
  expect(questions).toBe(2);
  expect(findings.map(({ kind, path }) => `${kind} ${path}`)).toEqual(['unreachable /states/3', 'dead /transitions/3']);
  expect(
    remarks.map(
      (remark) => remark.kind === 'end' && [remark.path, remark.trail.at(-1)!.guards.map(({ guard, answer }) => `${guard} ${answer}`)],
    ),
  ).toEqual([
    ['/states/2', ['ctx.amount >= 10 false', 'ctx.kind == "x" false']],
    ['/states/1', ['ctx.amount >= 10 true']],
  ]);
});

const one = (transition: object): object => ({ id: 'm', states: ['a', 'b'], initial: 'a', transitions: [transition] });
const REFUSED: readonly (readonly [what: string, list: unknown, code: ErrorCode, path: string, reason: string])[] = [
  ['states that are no list', { states: 'a', transitions: [] }, 'BAD_DEFINITION', '/states', "found 'a'"],
  ['a state that is no string', { states: [1], transitions: [] }, 'BAD_DEFINITION', '/states/0', 'expected a string, found 1'],
  ['no initial state', { states: ['a'], transitions: [] }, 'BAD_DEFINITION', '/initial', 'found undefined'],
  ['an unknown initial state', { states: [], initial: 'a', transitions: [] }, 'BAD_DEFINITION', '/initial', "'a' is none of the states"],
  ['transitions that are no list', { states: ['a'], initial: 'a', transitions: {} }, 'BAD_DEFINITION', '/transitions', 'found an object'],
  ['a transition that is no object', { states: ['a'], initial: 'a', transitions: [1] }, 'BAD_DEFINITION', '/transitions/0', 'found 1'],
  ['an unknown source', one({ from: 'c', event: 'E', to: 'a' }), 'BAD_DEFINITION', '/transitions/0/from', "'c'"],
  ['an unknown source in a list', one({ from: ['a', 'c'], event: 'E', to: 'a' }), 'BAD_DEFINITION', '/transitions/0/from/1', "'c'"],
  ['an unknown target', one({ from: 'a', event: 'E', to: 'c' }), 'BAD_DEFINITION', '/transitions/0/to', "'c'"],
  ['no event', one({ from: 'a', to: 'a' }), 'BAD_DEFINITION', '/transitions/0/event', 'found undefined'],
  ['an event without a name', one({ from: 'a', event: '', to: 'a' }), 'UNSUPPORTED', '/transitions/0/event', 'needs a name'],
  ['an event that is a wildcard', one({ from: 'a', event: 'x.*', to: 'a' }), 'UNSUPPORTED', '/transitions/0/event', 'wildcard'],
  ['a guard that is no text', one({ from: 'a', event: 'E', to: 'a', guard: 1 }), 'BAD_DEFINITION', '/transitions/0/guard', 'found 1'],
  [
    'a guard with something behind it',
    one({ from: 'a', event: 'E', to: 'a', guard: 'ctx.a ctx.b' }),
    'BAD_DEFINITION',
    '/transitions/0/guard',
    'at 6',
  ],
  [
    'a transition behind one that is always taken',
    {
      id: 'm',
      states: ['a', 'b'],
      initial: 'a',
      transitions: [
        { from: 'a', event: 'E', to: 'a' },
        { from: ['b', 'a'], event: 'E', to: 'b', guard: 'ctx.x' },
      ],
    },
    'BAD_DEFINITION',
    '/transitions/1',
    "/transitions/0 takes E in 'a'",
  ],
  ['a meta that is no JSON', { ...one({ from: 'a', event: 'E', to: 'a' }), meta: { at: new Date(0) } }, 'NOT_JSON', '/meta/at', 'a Date'],
];

test.each(REFUSED)('[TRANSITIONS-4] refused: %s', (_what, list, code, path, reason) => {
  const refused = (): unknown => compileMachine(fromTransitions(list));
  expect(refused).toThrow(LockstepError);
  expect(refused).toThrow(expect.objectContaining({ code, message: expect.stringContaining(path) as string }) as Error);
  expect(refused).toThrow(reason);
});
