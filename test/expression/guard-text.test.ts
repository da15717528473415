// Guards of transition lists: a table of what they say of contexts, refusals, and random guards against a second reading of the grammar.

import { expect, test } from 'vitest';
import { evaluate } from '../../compiler/expression/evaluate.ts';
import { parseGuardText } from '../../compiler/expression/guard-text.ts';
import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { randomJson } from './random-tree.ts';

function says(text: string, context: Json): unknown {
  const stamp = { now: () => 0, random: () => 0, uuid: () => '' };
  return evaluate(parseGuardText(text), { roots: { context }, stamp, isIn: () => false });
}

const CONTEXT = { n: 5, z: 0, s: 'x', e: '', t: true, f: false, nil: null, list: [1], none: [], o: { a: { b: 7 } }, oo: {}, straße: 1 };

test.each<[string, boolean]>([
  ['ctx.n == 5', true],
  ['ctx.n != 5', false],
  ['ctx.n >= 5 && ctx.n <= 5', true],
  ['ctx.n > 4.5', true],
  ['ctx.n < .5', false],
  ['ctx.n > -5.', true],
  ['ctx.s > 1', false],
  ['ctx.s == "x"', true],
  ['ctx.s == 5', false],
  ['ctx.t == true', true],
  ['ctx.t == 1', false],
  ['ctx.nil == null', true],
  ['ctx.missing == null', true],
  ['ctx.missing.deeper == null', true],
  ['ctx.s.length == null', true],
  ['ctx.list.0 == null', true],
  ['ctx.list.length == null', true],
  ['ctx.o.a.b == 7', true],
  ['ctx.z == 0.0000000000000001', true],
  ['ctx.z == 0.000000000000001', false],
  ['ctx.z == -0', true],
  ['ctx.n', true],
  ['ctx.z', false],
  ['ctx.s', true],
  ['ctx.e', false],
  ['ctx.f', false],
  ['ctx.nil', false],
  ['ctx.list', true],
  ['ctx.none', false],
  ['ctx.o', true],
  ['ctx.oo', false],
  ['ctx.missing', false],
  ['!ctx.missing', true],
  ['!!ctx.n', true],
  ['!(ctx.n == 5)', false],
  ['ctx.f && ctx.f || ctx.t', true],
  ['ctx.t || ctx.f && ctx.f', true],
  ['(ctx.t || ctx.f) && ctx.f', false],
  ['ctx.straße == 1', true],
  ['ctx.s != "ä"', true],
])('[EXPR-7] %s', (text, expected) => {
  expect(says(text, CONTEXT)).toBe(expected);
});

test('[EXPR-7] a backslash keeps a quote from ending a string, and stays', () => {
  expect(says('ctx.s == "a\\"b"', { s: 'a\\"b' })).toBe(true);
});

test.each<[string, string]>([
  ['', "at 0: expected '!', '(' or a field like ctx.name, found the end"],
  ['ctx.a ctx.b', "at 6: expected '&&', '||' or the end, found 'ctx.b'"],
  ['ctx.a == trueish', 'at 9: expected true, false, null, a "string" or a number, found \'trueish\''],
  ['ctx.a == ctx.b', 'at 9: expected true, false, null, a "string" or a number, found \'ctx.b\''],
  ['ctx.a > "1"', 'at 8: expected a number, found \'"1"\''],
  ['ctx.a > 1e5', "at 8: expected a field, a value or an operator, found '1e5'"],
  [`ctx.a > ${'9'.repeat(400)}`, 'at 8: expected a number that is finite'],
  ['ctx.a > -', "at 8: expected a number that is finite, found '-'"],
  ['payload.a == 1', "at 0: expected '!', '(' or a field like ctx.name, found 'payload.a == 1'"],
  ['ctx.', "at 0: expected '!', '(' or a field like ctx.name, found 'ctx.'"],
  ['(ctx.a', "at 6: expected ')', found the end"],
  ['ctx.a = 1', "at 6: expected a field, a value or an operator, found '= 1'"],
  ['ctx.a == "x', "at 9: expected a field, a value or an operator, found '\"x'"],
  [`${'!'.repeat(40)}ctx.a`, 'at 32: expected at most 32 levels'],
  [`ctx${'.a'.repeat(40)}`, 'at 0: expected at most 32 names'],
])('[EXPR-7] refused: %s', (text, message) => {
  expect(() => parseGuardText(text)).toThrow(message);
});

// ── A second reading ─────────────────────────────────────────────────────────────────────────────────────────────────

const FIELDS = ['a', 'b', 'user.a', 'list.0', 'text.length', 'a.b.text'];
const VALUES: readonly Json[] = [true, false, null, 'a', '', 0, 1, -1, 0.5, 100];
const ORDER: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
};

interface Said {
  readonly text: string;
  readonly of: (context: Json) => boolean;
}

function randomGuard(dice: Random, depth: number): Said {
  const inner = (): Said => randomGuard(dice, depth - 1);
  switch (depth === 0 ? 3 + dice.below(3) : dice.below(6)) {
    case 0: {
      const { text, of } = inner();
      return { text: `!(${text})`, of: (context) => !of(context) };
    }
    case 1: {
      const [a, b] = [inner(), inner()];
      return { text: `(${a.text}) && (${b.text})`, of: (context) => a.of(context) && b.of(context) };
    }
    case 2: {
      const [a, b] = [inner(), inner()];
      return { text: `(${a.text})||(${b.text})`, of: (context) => a.of(context) || b.of(context) };
    }
    case 3: {
      const field = dice.pick(FIELDS);
      return { text: `ctx.${field}`, of: (context) => isTrue(found(context, field)) };
    }
    case 4: {
      const [field, value, isEqual] = [dice.pick(FIELDS), dice.pick(VALUES), dice.chance(0.5)];
      return {
        text: `ctx.${field} ${isEqual ? '==' : '!='} ${JSON.stringify(value)}`,
        of: (context) => (found(context, field) === value) === isEqual,
      };
    }
    default: {
      const [field, operator, value] = [dice.pick(FIELDS), dice.pick(Object.keys(ORDER)), dice.below(5) - 2];
      return {
        text: `ctx.${field} ${operator} ${value}`,
        of: (context) => {
          const at = found(context, field);
          return typeof at === 'number' && ORDER[operator]!(at, value);
        },
      };
    }
  }
}

function found(context: Json, field: string): Json {
  let at: Json = context;
  for (const name of field.split('.')) at = isFields(at) && Object.hasOwn(at, name) ? at[name]! : null;
  return at;
}

function isTrue(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isFields(value) ? Object.keys(value).length > 0 : Boolean(value);
}

test('[EXPR-7] random guards say of random contexts what the grammar says, and never fault', () => {
  const dice = random(seedOf('guard texts'));
  for (let run = 0; run < 2000; run += 1) {
    const guard = randomGuard(dice, dice.below(4));
    const context = { a: randomJson(dice, 2), b: randomJson(dice, 0), user: randomJson(dice, 1), list: [1], text: 'abc' };
    expect(says(guard.text, context), `${guard.text} of ${JSON.stringify(context)}`).toBe(guard.of(context));
  }
});
