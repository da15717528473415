// The reference evaluator: tables of expressions, what they give, and what they refuse.

import { expect, test } from 'vitest';
import { evaluate, evaluateWrites, type Scope } from '../../compiler/expression/evaluate.ts';
import {
  boundBy,
  depthOf,
  partsOf,
  type BinaryOperator,
  type Builtin,
  type EachMethod,
  type Expression,
  type Root,
  type Value,
} from '../../compiler/expression/tree.ts';

const of = (value: Value): Expression => (value === undefined ? { kind: 'undefined' } : { kind: 'literal', value });
const root = (name: Root): Expression => ({ kind: 'root', name });
const local = (number: number): Expression => ({ kind: 'local', number });
const member = (on: Expression, key: string | Expression, optional = false): Expression => ({ kind: 'member', of: on, key, optional });
const binary = (operator: BinaryOperator, left: Expression, right: Expression): Expression => ({ kind: 'binary', operator, left, right });
const call = (name: Builtin, ...values: Value[]): Expression => ({ kind: 'call', name, arguments: values.map(of) });
const each = (method: EachMethod, items: Value, body: Expression, arity: 1 | 2 = 1): Expression => ({
  kind: 'each',
  method,
  of: of(items),
  arity,
  body,
});

const CONTEXT = { count: 2, name: 'Ada', list: [1, 2, 3], user: { id: 7, tags: ['a', 'b'] }, nothing: null };
const scope: Scope = {
  roots: { context: CONTEXT, event: { type: 'ADD', by: 3 } },
  stamp: { now: () => 1_700_000_000_000, random: () => 0.25, uuid: () => 'an id' },
  isIn: (state) => state === 'm.open',
};
const run = (expression: Expression): Value => evaluate(expression, scope);

const context = root('context');

test.each<[string, Expression, Value]>([
  ['a field', member(context, 'count'), 2],
  ['a field that is not there', member(context, 'other'), undefined],
  ['nothing inherited', member(context, 'toString'), undefined],
  ['a root that is not given', root('params'), undefined],
  ['an index', member(member(context, 'list'), of(1)), 2],
  ['an index as text', member(member(context, 'list'), '1'), 2],
  ['no index', member(member(context, 'list'), '01'), undefined],
  ['the length of an array', member(member(context, 'list'), 'length'), 3],
  ['the length of a string', member(member(context, 'name'), 'length'), 3],
  ['a unit of a string', member(member(context, 'name'), of(0)), 'A'],
  ['a field of a number', member(of(5), 'x'), undefined],
  ['an optional field of nothing', member(member(context, 'nothing'), 'x', true), undefined],
  ['a sum', binary('+', member(context, 'count'), member(root('event'), 'by')), 5],
  ['strings joined', binary('+', of('a'), of('b')), 'ab'],
  ['a string and a number', binary('+', of('n'), of(1.5)), 'n1.5'],
  ['a string and undefined', binary('+', of('n'), of(undefined)), 'nundefined'],
  ['a remainder', binary('%', of(-7), of(3)), -1],
  ['no negative zero', binary('*', of(0), of(-1)), 0],
  ['order', binary('<=', of(2), of(2)), true],
  ['equality of scalars', binary('===', of('a'), of('a')), true],
  ['equality of different kinds', binary('===', of('1'), of(1)), false],
  ['equality of a tree and a scalar', binary('!==', of([]), of(null)), true],
  ['undefined is not null', binary('===', of(undefined), of(null)), false],
  ['not of an empty string', { kind: 'unary', operator: 'not', operand: of('') }, true],
  ['not of an empty array', { kind: 'unary', operator: 'not', operand: of([]) }, false],
  ['a negative', { kind: 'unary', operator: 'negate', operand: of(0) }, 0],
  ['typeof', { kind: 'unary', operator: 'typeof', operand: of(null) }, 'object'],
  ['typeof undefined', { kind: 'unary', operator: 'typeof', operand: of(undefined) }, 'undefined'],
  ['nullish', { kind: 'unary', operator: 'nullish', operand: of(0) }, false],
  ['or gives a side', { kind: 'logical', operator: '||', left: of(0), right: of('b') }, 'b'],
  ['and gives a side', { kind: 'logical', operator: '&&', left: of(0), right: of('b') }, 0],
  ['nullish gives a side', { kind: 'logical', operator: '??', left: of(0), right: of('b') }, 0],
  ['what is not needed is not evaluated', { kind: 'logical', operator: '||', left: of(1), right: member(of(null), 'x') }, 1],
  ['a choice', { kind: 'conditional', condition: of([]), then: of(1), otherwise: member(of(null), 'x') }, 1],
  [
    'an object: later fields win, undefined leaves out',
    {
      kind: 'object',
      fields: [
        { spread: of({ a: 1, b: 2, c: 3 }) },
        { key: 'a', value: of(undefined) },
        { spread: of(false) },
        { key: of('b'), value: of(4) },
      ],
    },
    { b: 4, c: 3 },
  ],
  ['an array', { kind: 'array', items: [{ value: of(0) }, { spread: member(context, 'list') }] }, [0, 1, 2, 3]],
  ['map', each('map', [1, 2], binary('+', local(0), member(context, 'count'))), [3, 4]],
  ['map with the index', each('map', ['a', 'b'], binary('+', local(0), local(1)), 2), ['a0', 'b1']],
  ['filter', each('filter', [0, 1, '', 'a'], local(0)), [1, 'a']],
  ['find', each('find', [1, 2, 3], binary('>', local(0), of(1))), 2],
  ['find nothing', each('find', [1], of(false)), undefined],
  ['findIndex', each('findIndex', [1, 2, 3], binary('>', local(0), of(1))), 1],
  ['some', each('some', [], of(true)), false],
  ['every', each('every', [], of(false)), true],
  ['flatMap', each('flatMap', [[1], 2], local(0)), [1, 2]],
  [
    'locals are numbered from outside',
    { kind: 'let', value: of(10), body: each('map', [1, 2], binary('*', local(0), local(1))) },
    [10, 20],
  ],
  ['reduce', { kind: 'reduce', of: of([1, 2, 3]), initial: of(0), arity: 2, body: binary('+', local(0), local(1)) }, 6],
  ['reduce with the index', { kind: 'reduce', of: of([5, 5]), initial: of(0), arity: 3, body: binary('+', local(0), local(2)) }, 1],
  ['in', { kind: 'in', state: 'm.open' }, true],
  ['set', { kind: 'set', of: context, path: ['user', 'tags', of(1)], value: of('z') }, { ...CONTEXT, user: { id: 7, tags: ['a', 'z'] } }],
  ['set the element behind the last', { kind: 'set', of: of([1]), path: ['1'], value: of(2) }, [1, 2]],
  ['set nothing', { kind: 'set', of: of({ a: 1, b: 2 }), path: ['a'], value: of(undefined) }, { b: 2 }],
  ['remove', { kind: 'remove', of: of({ a: { b: 1, c: 2 } }), path: ['a', 'b'] }, { a: { c: 2 } }],
  ['remove an element', { kind: 'remove', of: of([1, 2, 3]), path: [of(1)] }, [1, 3]],
  ['remove what is not there', { kind: 'remove', of: of({ a: 1 }), path: ['b'] }, { a: 1 }],
  ['append', { kind: 'append', of: of({ a: [1] }), path: ['a'], value: of(2) }, { a: [1, 2] }],
  ['append to an array', { kind: 'append', of: of([1]), path: [], value: of(2) }, [1, 2]],
  ['now', call('now'), 1_700_000_000_000],
  ['random', call('random'), 0.25],
  ['uuid', call('uuid'), 'an id'],
  ['floor', call('floor', -0.5), -1],
  ['ceil gives no negative zero', call('ceil', -0.5), 0],
  ['round', call('round', 2.5), 3],
  ['trunc', call('trunc', -2.5), -2],
  ['abs', call('abs', -3), 3],
  ['sign', call('sign', -3), -1],
  ['sqrt', call('sqrt', 2), Math.sqrt(2)],
  ['min', call('min', 3, 1, 2), 1],
  ['max', call('max', 3, 1, 2), 3],
  ['number', call('number', ' 12.5 '), 12.5],
  ['isInteger', call('isInteger', '1'), false],
  ['toFixed', call('toFixed', 1.005, 2), '1.00'],
  ['string', call('string', 0.1), '0.1'],
  ['string of nothing', call('string', undefined), 'undefined'],
  ['trim', call('trim', ' a '), 'a'],
  ['startsWith', call('startsWith', 'abc', 'ab'), true],
  ['endsWith', call('endsWith', 'abc', 'ab'), false],
  ['split', call('split', 'a,b', ','), ['a', 'b']],
  ['includes', call('includes', ['a', 1], 1), true],
  ['includes in a string', call('includes', 'abc', 'bc'), true],
  ['indexOf', call('indexOf', ['a', 1], 2), -1],
  ['slice', call('slice', [1, 2, 3], 1), [2, 3]],
  ['slice of a string', call('slice', 'abc', 0, -1), 'ab'],
  ['at', call('at', [1, 2], -1), 2],
  ['isArray', call('isArray', []), true],
  ['join', call('join', ['a', 1], '-'), 'a-1'],
  ['reverse', call('reverse', [1, 2]), [2, 1]],
  ['keys are sorted', call('keys', { b: 1, a: 2, 10: 3, 9: 4 }), ['10', '9', 'a', 'b']],
  ['values', call('values', { b: 1, a: 2 }), [2, 1]],
  ['entries', call('entries', { b: 1, a: 2 }), [['a', 2], ['b', 1]]], // prettier-ignore
  ['has', call('has', { a: 1 }, 'toString'), false],
])('[EXPR-1] [EXPR-2] %s', (_, expression, expected) => {
  expect(run(expression)).toStrictEqual(expected);
});

test.each<[string, Expression, string]>([
  ['number and null', binary('+', of(1), of(null)), '+: expected a number, found null'],
  ['a string and a tree', binary('+', of('a'), of([])), '+: expected a scalar, found an array'],
  ['text in arithmetic', binary('*', of('2'), of(3)), "*: expected a number, found '2'"],
  ['order of strings', binary('<', of('a'), of('b')), "<: expected a number, found 'a'"],
  ['division by zero', binary('/', of(1), of(0)), '/: expected a finite result, found Infinity'],
  ['nothing over nothing', binary('%', of(1), of(0)), '%: expected a finite result, found NaN'],
  ['two trees', binary('===', of([]), of({})), '===: expected at most one array or object, found an array'],
  ['a field of null', member(of(null), 'x'), '.x: expected an object or an array, found null'],
  ['a key of no kind', member(of({}), of(true)), 'a key: expected a string or a number, found true'],
  ['a negative of text', { kind: 'unary', operator: 'negate', operand: of('1') }, "-: expected a number, found '1'"],
  ['a hole', { kind: 'array', items: [{ value: of(undefined) }] }, 'an array: expected elements, found undefined'],
  ['a spread of nothing', { kind: 'array', items: [{ spread: of(undefined) }] }, '... in an array: expected an array, found undefined'],
  ['a spread of a list in an object', { kind: 'object', fields: [{ spread: of([1]) }] }, '...: expected an object, found an array'],
  ['a spread of text', { kind: 'object', fields: [{ spread: of('ab') }] }, "...: expected an object, found 'ab'"],
  ['__proto__', { kind: 'object', fields: [{ key: '__proto__', value: of(1) }] }, "an object: expected a field of another name, found '__proto__'"], // prettier-ignore
  ['map of no array', each('map', 'abc', local(0)), "map: expected an array, found 'abc'"],
  ['map to nothing', each('map', [1], of(undefined)), 'an array: expected elements, found undefined'],
  ['reduce of no array', { kind: 'reduce', of: of({}), initial: of(0), arity: 2, body: local(0) }, 'reduce: expected an array, found an object'], // prettier-ignore
  ['set through nothing', { kind: 'set', of: of({}), path: ['a', 'b'], value: of(1) }, 'an update: expected an object or an array, found undefined'], // prettier-ignore
  ['set too far', { kind: 'set', of: of([]), path: [of(1)], value: of(1) }, 'an update: expected an index up to 0, found 1'],
  ['set nowhere', { kind: 'set', of: of({}), path: [], value: of(1) }, 'an update: expected a path, found an object'],
  ['append to no array', { kind: 'append', of: of({ a: 1 }), path: ['a'], value: of(1) }, 'append: expected an array, found 1'],
  ['remove from text', { kind: 'remove', of: of('a'), path: ['b'] }, "remove: expected an object or an array, found 'a'"],
  ['no number', call('number', 'x'), "number: expected a finite number, found 'x'"],
  ['a root of a negative', call('sqrt', -1), 'sqrt: expected a finite result, found NaN'],
  ['floor of text', call('floor', '1'), "floor: expected a number, found '1'"],
  ['a tree printed', call('string', [] as Value), 'string: expected a scalar, found an array'],
  ['a tree searched for', call('includes', [1], []), 'includes: expected a scalar, found an array'],
  ['half a place', call('slice', 'abc', 0.5), 'slice: expected a whole number, found 0.5'],
  ['keys of an array', call('keys', []), 'keys: expected an object, found an array'],
  ['joined trees', call('join', [[]] as Value), 'join: expected strings and numbers, found an array'],
  ['21 decimals', call('toFixed', 1, 21), 'toFixed: expected 0 to 20 decimals, found 21'],
])('[EXPR-1] refused: %s', (_, expression, message) => {
  expect(() => run(expression)).toThrow(message);
});

test('[EXPR-3] an assignment writes the fields of its object, at whichever end it stands', () => {
  const fields = (key: string, value: Expression): Expression => ({ kind: 'object', fields: [{ key, value }] });
  const writes = (expression: Expression): unknown => [...evaluateWrites(expression, scope)];
  expect(writes(fields('a', of(undefined)))).toEqual([['a', undefined]]);
  expect(writes({ kind: 'conditional', condition: of(0), then: of(1), otherwise: fields('b', of(2)) })).toEqual([['b', 2]]);
  expect(writes({ kind: 'let', value: of(5), body: fields('c', local(0)) })).toEqual([['c', 5]]);
  expect(writes(root('params'))).toEqual([]);
  expect(writes(root('event'))).toEqual([['type', 'ADD'], ['by', 3]]); // prettier-ignore
  expect(() => writes(of([]))).toThrow('an assignment: expected an object, found an array');
});

test('[EXPR-4] an update shares what it does not touch and changes nothing that went in', () => {
  const before = structuredClone(CONTEXT);
  const made = run({ kind: 'set', of: context, path: ['user', 'id'], value: of(8) }) as typeof CONTEXT;
  expect(made.user).toEqual({ id: 8, tags: ['a', 'b'] });
  expect(made.list).toBe(CONTEXT.list);
  expect(made.user.tags).toBe(CONTEXT.user.tags);
  expect(CONTEXT).toEqual(before);
});

test('[EXPR-1] a tree tells its parts, its depth and what it binds', () => {
  const tree: Expression = { kind: 'let', value: of(1), body: each('map', [1], binary('+', local(0), local(1)), 2) };
  expect(depthOf(tree)).toBe(4);
  expect(partsOf(tree).map(({ part, isBody }) => [part.kind, isBody])).toEqual([['literal', false], ['each', true]]); // prettier-ignore
  expect([tree, ...partsOf(tree).map(({ part }) => part)].map(boundBy)).toEqual([1, 0, 2]);
});
