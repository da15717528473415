// What an expression can call, as functions of values: JavaScript's own where it has one, with no coercion. Those that ask the stamp of the
// event are not here.

import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import type { Builtin, Value } from './tree.ts';
import { fault, isScalar, numberOf, scalarText, stringOf } from './values.ts';

type Pure = Exclude<Builtin, 'now' | 'random' | 'uuid'>;

/** @throws ExpressionFault when an argument is not of a kind that it takes. */
export function callBuiltin(name: Pure, values: readonly Value[]): Value {
  return BY_NAME[name](values);
}

const numeric =
  (name: string, call: (number: number) => number) =>
  ([value]: readonly Value[]): number =>
    finite(name, call(numberOf(value, name)));

const BY_NAME: { readonly [name in Pure]: (values: readonly Value[]) => Value } = {
  floor: numeric('floor', Math.floor),
  ceil: numeric('ceil', Math.ceil),
  round: numeric('round', Math.round),
  trunc: numeric('trunc', Math.trunc),
  abs: numeric('abs', Math.abs),
  sign: numeric('sign', Math.sign),
  sqrt: numeric('sqrt', Math.sqrt),
  min: (values) => finite('min', Math.min(...values.map((value) => numberOf(value, 'min')))),
  max: (values) => finite('max', Math.max(...values.map((value) => numberOf(value, 'max')))),
  number: ([value]) => {
    if (value === undefined || !isScalar(value)) throw fault('number', 'a number, string, boolean or null', value);
    return finite('number', Number(value), value);
  },
  isInteger: ([value]) => Number.isInteger(value),
  toFixed: ([value, decimals = 0]) => {
    const count = integerOf(decimals, 'toFixed');
    if (count < 0 || count > 20) throw fault('toFixed', '0 to 20 decimals', decimals);
    return numberOf(value, 'toFixed').toFixed(count);
  },

  string: ([value]) => scalarText(value, 'string'),
  trim: ([value]) => stringOf(value, 'trim').trim(),
  startsWith: ([value, start]) => stringOf(value, 'startsWith').startsWith(stringOf(start, 'startsWith')),
  endsWith: ([value, end]) => stringOf(value, 'endsWith').endsWith(stringOf(end, 'endsWith')),
  split: ([value, separator]) => stringOf(value, 'split').split(stringOf(separator, 'split')),

  includes: ([of, item]) => placeOf(of, item, 'includes') >= 0,
  indexOf: ([of, item]) => placeOf(of, item, 'indexOf'),
  slice: ([of, start = 0, end]) => {
    const range = [integerOf(start, 'slice'), ...(end === undefined ? [] : [integerOf(end, 'slice')])] as const;
    return typeof of === 'string' ? of.slice(...range) : (arrayOf(of, 'slice').slice(...range) as Value);
  },
  at: ([of, index]) => {
    const place = integerOf(index, 'at');
    return typeof of === 'string' ? of.at(place) : arrayOf(of, 'at').at(place);
  },

  isArray: ([value]) => Array.isArray(value),
  join: ([of, separator = ',']) => {
    const between = stringOf(separator, 'join');
    const texts = arrayOf(of, 'join').map((item) => {
      if (typeof item === 'string' || typeof item === 'number') return String(item);
      throw fault('join', 'strings and numbers', item);
    });
    return texts.join(between);
  },
  reverse: ([of]) => [...arrayOf(of, 'reverse')].reverse() as Value,

  keys: ([of]) => sortedKeys(of, 'keys'),
  values: ([of]) => sortedKeys(of, 'values').map((key) => objectOf(of, 'values')[key]!),
  entries: ([of]) => sortedKeys(of, 'entries').map((key) => [key, objectOf(of, 'entries')[key]!]),
  has: ([of, key]) => Object.hasOwn(objectOf(of, 'has'), stringOf(key, 'has')),
};

function finite(name: string, result: number, given?: Value): number {
  if (Number.isFinite(result)) return result === 0 ? 0 : result;
  if (given === undefined) throw fault(name, 'a finite result', undefined, String(result));
  throw fault(name, 'a finite number', given);
}

function integerOf(value: Value, what: string): number {
  if (Number.isInteger(value)) return value as number;
  throw fault(what, 'a whole number', value);
}

function arrayOf(value: Value, what: string): readonly Json[] {
  if (Array.isArray(value)) return value as Json[];
  throw fault(what, 'an array', value);
}

function objectOf(value: Value, what: string): { readonly [key: string]: Json } {
  if (value !== undefined && isFields(value)) return value;
  throw fault(what, 'an object', value);
}

const sortedKeys = (of: Value, what: string): string[] => Object.keys(objectOf(of, what)).sort((a, b) => (a < b ? -1 : 1));

function placeOf(of: Value, item: Value, what: string): number {
  if (typeof of === 'string') return of.indexOf(stringOf(item, what));
  if (!isScalar(item)) throw fault(what, 'a scalar', item);
  return arrayOf(of, what).indexOf(item as Json);
}
