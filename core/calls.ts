// The rules of expressions about single values: operators and functions on strings, arrays and objects. JavaScript's own where it has one,
// with no coercion: a value for which an operator has no rule is a fault. docs/expressions.md describes them; compiler/expression/evaluate.ts
// says the same in other words, and tests hold both against each other.

import * as bytecode from '../assembly/program-layout.ts';
import { ExpressionFault } from './errors.ts';
import type { Json, Value } from './json.ts';
import { describe, isFields } from './fields.ts';
import { now, random, uuid } from './chance.ts';

export function fault(what: string, expected: string, value: Value, found = describe(value)): ExpressionFault {
  return new ExpressionFault(`${what}: expected ${expected}, found ${found}`);
}

export function numberOf(value: Value, what: string): number {
  if (typeof value === 'number') return value;
  throw fault(what, 'a number', value);
}

function finite(result: number, what: string): number {
  if (Number.isFinite(result)) return result;
  throw fault(what, 'a finite result', undefined, String(result));
}

function text(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  throw fault(what, 'a string', value);
}

function whole(value: Value, what: string): number {
  if (Number.isInteger(value)) return value as number;
  throw fault(what, 'a whole number', value);
}

function list(value: Value, what: string): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  throw fault(what, 'an array', value);
}

const isTree = (value: Value): boolean => typeof value === 'object' && value !== null;

/** How a scalar prints. */
function printed(value: Value, what: string): string {
  if (isTree(value)) throw fault(what, 'a scalar', value);
  return String(value as string);
}

// ── Operators ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As a fault names it. */
const SYMBOLS: Readonly<Record<number, string>> = {
  [bytecode.OP_ADD]: '+',
  [bytecode.OP_SUBTRACT]: '-',
  [bytecode.OP_MULTIPLY]: '*',
  [bytecode.OP_DIVIDE]: '/',
  [bytecode.OP_LESS]: '<',
  [bytecode.OP_LESS_EQUAL]: '<=',
  [bytecode.OP_GREATER]: '>',
  [bytecode.OP_GREATER_EQUAL]: '>=',
  [bytecode.OP_EQUAL]: '===',
  [bytecode.OP_UNEQUAL]: '!==',
  [bytecode.OP_REMAINDER]: '%',
};

/** What the core leaves of a binary operator: strings, remainders, and what is wrong. */
export function operate(operation: number, left: Value, right: Value): Value {
  const symbol = SYMBOLS[operation] ?? '';
  if (operation >= bytecode.OP_EQUAL && operation <= bytecode.OP_UNEQUAL) throw fault(symbol, 'at most one array or object', left);
  if (operation === bytecode.OP_ADD && (typeof left === 'string' || typeof right === 'string'))
    return printed(left, symbol) + printed(right, symbol);
  const [a, b] = [numberOf(left, symbol), numberOf(right, symbol)];
  if (operation === bytecode.OP_REMAINDER) return finite(a % b, symbol);
  throw fault(symbol, 'a finite result', undefined, 'another');
}

/** The field of a value that a key names. */
export function keyOf(of: Value, key: string | number): Value {
  if (of === undefined || of === null) throw fault(`.${key}`, 'an object or an array', of);
  if (typeof of === 'string' || Array.isArray(of)) {
    if (key === 'length') return of.length;
    const index = indexOf(key);
    return index === undefined ? undefined : (of[index] as Value);
  }
  return isFields(of) && Object.hasOwn(of, key) ? of[key] : undefined;
}

/** The index that a key names as JavaScript has it: '1' does, '01' does not. */
function indexOf(key: string | number): number | undefined {
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && String(index) === String(key) ? index : undefined;
}

/** A copy of a value that differs at a path. */
export function update(operation: number, of: Value, path: readonly (string | number)[], value: Value): Value {
  const [key, ...rest] = path;
  if (operation === bytecode.OP_APPEND && key === undefined) {
    if (value === undefined) throw fault('an array', 'elements', value);
    return [...list(of, 'append'), value];
  }
  if (key === undefined) throw fault('an update', 'a path', of);
  const isLast = rest.length === 0;
  if (isLast && operation === bytecode.OP_REMOVE) return without(of, key);
  return withField(of, key, isLast && operation === bytecode.OP_SET ? value : update(operation, keyOf(of, key), rest, value));
}

function withField(of: Value, key: string | number, value: Value): Value {
  if (Array.isArray(of)) {
    const index = indexOf(key);
    if (index === undefined || index > of.length) throw fault('an update', `an index up to ${of.length}`, key);
    if (value === undefined) throw fault('an array', 'elements', value);
    const copy = (of as readonly Json[]).slice();
    copy[index] = value;
    return copy;
  }
  if (!isFields(of)) throw fault('an update', 'an object or an array', of);
  if (key === '__proto__') throw fault('an object', 'a field of another name', key);
  if (value === undefined) return without(of, key);
  return { ...of, [key]: value };
}

function without(of: Value, key: string | number): Value {
  if (Array.isArray(of)) {
    const index = indexOf(key);
    return (of as readonly Json[]).filter((_, i) => i !== index);
  }
  if (!isFields(of)) throw fault('remove', 'an object or an array', of);
  const copy = { ...of };
  delete copy[key];
  return copy;
}

// ── Functions ────────────────────────────────────────────────────────────────────────────────────────────────────────

type Call = (values: readonly Value[]) => Value;

const numeric =
  (name: string, compute: (number: number) => number): Call =>
  ([value]) =>
    finite(compute(numberOf(value, name)), name);

const numerics =
  (name: string, compute: (...numbers: number[]) => number): Call =>
  (values) =>
    finite(compute(...values.map((value) => numberOf(value, name))), name);

function place(of: Value, item: Value, what: string): number {
  if (typeof of === 'string') return of.indexOf(text(item, what));
  if (isTree(item)) throw fault(what, 'a scalar', item);
  return list(of, what).indexOf(item as Json);
}

function fields(of: Value, what: string): { readonly [key: string]: Json } {
  if (isFields(of)) return of;
  throw fault(what, 'an object', of);
}

/** In the order of their UTF-16 units, whatever order they were written in. */
const sorted = (of: Value, what: string): string[] => Object.keys(fields(of, what)).sort((a, b) => (a < b ? -1 : 1));

/** By their numbers in OP_CALL: the order is part of the format. */
const TABLE: readonly (readonly [name: string, call: Call])[] = [
  ['now', () => now()],
  ['random', () => random()],
  ['uuid', () => uuid()],
  ['floor', numeric('floor', Math.floor)],
  ['ceil', numeric('ceil', Math.ceil)],
  ['round', numeric('round', Math.round)],
  ['trunc', numeric('trunc', Math.trunc)],
  ['abs', numeric('abs', Math.abs)],
  ['sign', numeric('sign', Math.sign)],
  ['sqrt', numeric('sqrt', Math.sqrt)],
  ['min', numerics('min', Math.min)],
  ['max', numerics('max', Math.max)],
  [
    'number',
    ([value]) => {
      if (value === undefined || isTree(value)) throw fault('number', 'a number, string, boolean or null', value);
      return finite(Number(value), 'number');
    },
  ],
  ['isInteger', ([value]) => Number.isInteger(value)],
  [
    'toFixed',
    ([value, decimals = 0]) => {
      const count = whole(decimals, 'toFixed');
      if (count < 0 || count > 20) throw fault('toFixed', '0 to 20 decimals', decimals);
      return numberOf(value, 'toFixed').toFixed(count);
    },
  ],
  ['string', ([value]) => printed(value, 'string')],
  ['trim', ([value]) => text(value, 'trim').trim()],
  ['startsWith', ([value, start]) => text(value, 'startsWith').startsWith(text(start, 'startsWith'))],
  ['endsWith', ([value, end]) => text(value, 'endsWith').endsWith(text(end, 'endsWith'))],
  ['split', ([value, separator]) => text(value, 'split').split(text(separator, 'split'))],
  ['includes', ([of, item]) => place(of, item, 'includes') >= 0],
  ['indexOf', ([of, item]) => place(of, item, 'indexOf')],
  [
    'slice',
    ([of, start = 0, end]) => {
      const from = whole(start, 'slice');
      const to = end === undefined ? undefined : whole(end, 'slice');
      return typeof of === 'string' ? of.slice(from, to) : list(of, 'slice').slice(from, to);
    },
  ],
  [
    'at',
    ([of, index]) => {
      const at = whole(index, 'at');
      return typeof of === 'string' ? of.at(at) : list(of, 'at').at(at);
    },
  ],
  ['isArray', ([value]) => Array.isArray(value)],
  [
    'join',
    ([of, separator = ',']) => {
      const between = text(separator, 'join');
      const odd = list(of, 'join').find((item) => typeof item !== 'string' && typeof item !== 'number');
      if (odd !== undefined) throw fault('join', 'strings and numbers', odd);
      return list(of, 'join').join(between);
    },
  ],
  ['reverse', ([of]) => list(of, 'reverse').toReversed()],
  ['keys', ([of]) => sorted(of, 'keys')],
  ['values', ([of]) => sorted(of, 'values').map((key) => fields(of, 'values')[key]!)],
  ['entries', ([of]) => sorted(of, 'entries').map((key) => [key, fields(of, 'entries')[key]!])],
  ['has', ([of, key]) => Object.hasOwn(fields(of, 'has'), text(key, 'has'))],
  ['typeof', ([value]) => (value === null ? 'object' : typeof value)],
];

/** Names by number. */
export const CALLS: readonly string[] = TABLE.map(([name]) => name);

/** Calls a function by its number. */
export function call(number: number, values: readonly Value[]): Value {
  return TABLE[number]![1](values);
}
