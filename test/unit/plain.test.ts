// The gate for plain JSON.

import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import { DEPTH_MAX, plain } from '../../core/plain.ts';

class Point {
  x = 1;
}

test.each<[string, unknown, string]>([
  ['a Date', { a: new Date(0) }, '/a'],
  ['a Map', { a: [1, new Map()] }, '/a/1'],
  ['an instance of a class', new Point(), ''],
  ['a function', { f: () => 1 }, '/f'],
  ['NaN', [NaN], '/0'],
  ['Infinity', { 'a/b': Infinity }, '/a~1b'],
  ['a bigint', { n: 1n }, '/n'],
  ['undefined in an array', [undefined], '/0'],
  ['a symbol', { s: Symbol('s') }, '/s'],
])('[INST-4] %s is refused with its path', (_, value, path) => {
  const attempt = (): unknown => plain(value, '');
  expect(attempt).toThrow(LockstepError);
  expect(attempt).toThrow(`"${path}"`);
});

test('[INST-4] a key named __proto__ is refused', () => {
  expect(() => plain(JSON.parse('{"a":{"__proto__":{"x":1}}}'), '')).toThrow('/a/__proto__');
});

test('[INST-4] what JSON text cannot carry but means the same is put right: -0, undefined properties', () => {
  const value = plain({ a: -0, b: [1, -0], c: undefined, d: { e: undefined, f: 1 } }, '') as Record<string, unknown>;
  expect(value).toStrictEqual({ a: 0, b: [1, 0], d: { f: 1 } });
  expect(Object.is(value['a'], 0)).toBe(true);
});

test('[INST-4] what needs no change is the same object, frozen in depth', () => {
  const value = { a: [{ b: 1 }], c: 'x' };
  expect(plain(value, '')).toBe(value);
  expect(Object.isFrozen(value.a[0])).toBe(true);
  expect(() => value.a.push({ b: 2 })).toThrow(TypeError);
});

test('[INST-4] what is deeper than 128 levels is refused, a circle too, and what passed before counts with its depth', () => {
  const nested = (depth: number, inside: unknown = 1): unknown => {
    let value = inside;
    for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
    return value;
  };
  expect(plain(nested(DEPTH_MAX), '')).toBeDefined();
  expect(() => plain(nested(DEPTH_MAX + 1), '')).toThrow('expected at most 128 levels');
  const known = plain(nested(100), '');
  expect(plain(nested(28, known), '')).toBeDefined();
  expect(() => plain(nested(29, known), '')).toThrow('expected at most 128 levels');
  expect(() => plain(known, '', 29)).toThrow('expected at most 128 levels');
  const circle: unknown[] = [];
  circle.push({ circle });
  expect(() => plain(circle, '')).toThrow(expect.objectContaining({ code: 'NOT_JSON' }));
});
