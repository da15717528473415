// Which calls of JavaScript's own functions and methods can be lowered, and to what. What changes its receiver, depends on the clock, on
// dice, on the engine's tables or on the order of keys is refused with that reason.

import { array, literal, member } from '../expression/build.ts';
import type { Builtin, EachMethod, Expression } from '../expression/tree.ts';

/** A call whose arguments are values. @returns undefined when it is none of these. */
type Call = (values: readonly Expression[]) => Expression | undefined;

const builtin =
  (name: Builtin, least: number, most = least): Call =>
  (values) =>
    values.length >= least && values.length <= most ? { kind: 'call', name, arguments: values } : undefined;

/** Methods whose receiver is the first value. */
export const METHOD_CALLS: Readonly<Record<string, Call>> = {
  includes: builtin('includes', 2),
  indexOf: builtin('indexOf', 2),
  slice: builtin('slice', 1, 3),
  at: builtin('at', 2),
  join: builtin('join', 1, 2),
  toReversed: builtin('reverse', 1),
  trim: builtin('trim', 1),
  startsWith: builtin('startsWith', 2),
  endsWith: builtin('endsWith', 2),
  split: builtin('split', 2),
  toFixed: builtin('toFixed', 1, 2),
  toString: builtin('string', 1),
  hasOwnProperty: builtin('has', 2),
  concat: ([of, ...more]) => of && array([{ spread: of }, ...more.map((each) => ({ spread: listOf(each) }))]),
};

/** What array.concat() makes of an argument. Only paths and literals are looked at twice. */
function listOf(value: Expression): Expression {
  if (value.kind === 'array' || (value.kind === 'literal' && Array.isArray(value.value))) return value;
  const condition: Expression = { kind: 'call', name: 'isArray', arguments: [value] };
  return { kind: 'conditional', condition, then: value, otherwise: array([{ value }]) };
}

export const EACH_CALLS: ReadonlySet<string> = new Set<EachMethod>(['map', 'filter', 'find', 'findIndex', 'some', 'every', 'flatMap']);

/** Methods that an author might expect here, and why they are not. */
export const REFUSED_METHODS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin'].map((name) => [
      name,
      `${name}() changes the array that it is called on`,
    ]),
  ),
  toSorted: 'toSorted() compares by a function, or strings by an order that JavaScript and JSON do not share',
  toLowerCase: 'toLowerCase() depends on the Unicode tables of the engine',
  toUpperCase: 'toUpperCase() depends on the Unicode tables of the engine',
  localeCompare: 'localeCompare() depends on the locale of the machine',
  toLocaleString: 'toLocaleString() depends on the locale of the machine',
  forEach: 'forEach() is called for what it does, not for a value',
  send: 'send() acts on another actor',
  getSnapshot: 'getSnapshot() looks into another actor',
};

/** Functions of JavaScript's own objects, `Math.floor` and the like. */
export const GLOBAL_CALLS: Readonly<Record<string, Call>> = {
  'Math.floor': builtin('floor', 1),
  'Math.ceil': builtin('ceil', 1),
  'Math.round': builtin('round', 1),
  'Math.trunc': builtin('trunc', 1),
  'Math.abs': builtin('abs', 1),
  'Math.sign': builtin('sign', 1),
  'Math.sqrt': builtin('sqrt', 1),
  'Math.min': builtin('min', 1, 16),
  'Math.max': builtin('max', 1, 16),
  'Array.isArray': builtin('isArray', 1),
  'Number.isInteger': builtin('isInteger', 1),
  'Object.hasOwn': builtin('has', 2),
  Number: builtin('number', 1),
  String: builtin('string', 1),
  Boolean: ([of]) => of && not(not(of)),
  structuredClone: ([of]) => of,
};

/** In an order that JavaScript and JSON do not share, so only where it does not matter. */
export const UNORDERED_CALLS: Readonly<Record<string, Call>> = {
  'Object.keys': builtin('keys', 1),
  'Object.values': builtin('values', 1),
  'Object.entries': builtin('entries', 1),
};

export const GLOBAL_VALUES: Readonly<Record<string, Expression>> = {
  'Math.PI': literal(Math.PI),
  'Math.E': literal(Math.E),
  'Number.MAX_SAFE_INTEGER': literal(Number.MAX_SAFE_INTEGER),
  'Number.MIN_SAFE_INTEGER': literal(Number.MIN_SAFE_INTEGER),
  'Number.EPSILON': literal(Number.EPSILON),
};

export const REFUSED_GLOBALS: Readonly<Record<string, string>> = {
  'Date.now': 'Date.now() reads the clock; use now() of lockstep, which comes with the event',
  Date: 'it reads the clock or makes a Date, which is no JSON; use now() of lockstep',
  'Math.random': 'Math.random() rolls dice; use random() of lockstep, which comes with the event',
  'crypto.randomUUID': 'crypto.randomUUID() rolls dice; use uuid() of lockstep, which comes with the event',
  'JSON.stringify': 'JSON.stringify() depends on the order of keys',
  'JSON.parse': 'JSON.parse() reads a value from text',
  parseInt: 'parseInt() takes any beginning of a text; use Number()',
  parseFloat: 'parseFloat() takes any beginning of a text; use Number()',
  isNaN: 'NaN is no value here',
  'Number.isNaN': 'NaN is no value here',
};

/** What a table has under a name that an author wrote. */
export function entry<T>(table: { readonly [name: string]: T }, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Functions of `lockstep` that ask the stamp of the event. */
export const STAMP_CALLS: ReadonlySet<string> = new Set<Builtin>(['now', 'random', 'uuid']);

export const not = (operand: Expression): Expression => ({ kind: 'unary', operator: 'not', operand });

/** What stands where JavaScript would throw: reading a field of undefined. */
export const thrown = (): Expression => member({ kind: 'undefined' }, 'thrown');

/** Whether an expression can be written twice, and anywhere further inside: nothing in it counts locals or costs more than a look. */
export function isPath(expression: Expression): boolean {
  switch (expression.kind) {
    case 'literal':
      return typeof expression.value !== 'object' || expression.value === null;
    case 'undefined':
    case 'root':
    case 'local':
      return true;
    case 'member':
      return isPath(expression.of) && (typeof expression.key === 'string' || isPath(expression.key));
    default:
      return false;
  }
}
