// An expression as a tree: what every source (our own language, `@expr`, guards of transition lists, lowered functions) becomes, what
// evaluate.ts reads and what is compiled to bytecode. Plain data. docs/expressions.md has the meaning of each kind; in short: JavaScript's,
// but nothing is coerced: an operator that is given a type for which it has no rule is a fault, and so is a number that JSON cannot hold.

import type { Json } from '../../core/json.ts';

/** What a value of an expression can be; `undefined` is what a missing key reads as. */
export type Value = Json | undefined;

export type Expression =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'root'; readonly name: Root }
  /** What `let` or `each` bound. Counted from the outside: the outermost binding of the whole expression is 0. */
  | { readonly kind: 'local'; readonly number: number }
  | Member
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  /** The right side is evaluated only when it decides; the result is the value of a side, as in JavaScript. */
  | { readonly kind: 'logical'; readonly operator: LogicalOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'conditional'; readonly condition: Expression; readonly then: Expression; readonly otherwise: Expression }
  | { readonly kind: 'object'; readonly fields: readonly Field[] }
  | { readonly kind: 'array'; readonly items: readonly Item[] }
  | { readonly kind: 'call'; readonly name: Builtin; readonly arguments: readonly Expression[] }
  | Each
  /** Folds an array from its first element; binds the result so far, the element and, with `arity` 3, its index. */
  | {
      readonly kind: 'reduce';
      readonly of: Expression;
      readonly initial: Expression;
      readonly arity: 2 | 3;
      readonly body: Expression;
    }
  /** `value` is bound as one more local inside `body`. */
  | { readonly kind: 'let'; readonly value: Expression; readonly body: Expression }
  /** Whether the state of this id is active. */
  | { readonly kind: 'in'; readonly state: string }
  | Update;

/** `params`: of an action or guard reference. `input`: of a machine, for its initial context. A root that is not given is undefined. */
export const ROOTS = ['context', 'event', 'params', 'input'] as const;
export type Root = (typeof ROOTS)[number];

/**
 * Own fields only. Of an array: an index or 'length'; of a string: an index (a UTF-16 unit) or 'length'; of other scalars: undefined.
 * Of null or undefined: a fault, or undefined when `optional`.
 */
export interface Member {
  readonly kind: 'member';
  readonly of: Expression;
  readonly key: string | Expression;
  readonly optional: boolean;
}

/** `not` of any value, `negate` of a number, `nullish`: null or undefined. */
export const UNARY_OPERATORS = ['not', 'negate', 'typeof', 'nullish'] as const;
export type UnaryOperator = (typeof UNARY_OPERATORS)[number];

/** `+` adds numbers, or joins a string with any scalar; order is of numbers only; two arrays or objects cannot be asked for equality. */
export const BINARY_OPERATORS = ['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '===', '!=='] as const;
export type BinaryOperator = (typeof BINARY_OPERATORS)[number];

export const LOGICAL_OPERATORS = ['&&', '||', '??'] as const;
export type LogicalOperator = (typeof LOGICAL_OPERATORS)[number];

/** A field that is undefined is left out, and takes an earlier one of its name along. What is spread: an object; from any other scalar than a string nothing. */
export type Field = { readonly key: string | Expression; readonly value: Expression } | { readonly spread: Expression };
/** An item that is undefined is a fault. What is spread is an array. */
export type Item = { readonly value: Expression } | { readonly spread: Expression };

/** Calls `body` for the elements of an array in order; binds the element and, with `arity` 2, its index. */
export interface Each {
  readonly kind: 'each';
  readonly method: EachMethod;
  readonly of: Expression;
  readonly arity: 1 | 2;
  readonly body: Expression;
}

export const EACH_METHODS = ['map', 'filter', 'find', 'findIndex', 'some', 'every', 'flatMap'] as const;
export type EachMethod = (typeof EACH_METHODS)[number];

/**
 * A copy of `of` that differs at `path`. `set`: the last step may name a new field, or the index behind the last; what lies before it
 * must be there. `remove`: a field or an element; nothing when there is none. `append`: to the array at the path, which may be empty.
 */
export type Update =
  | { readonly kind: 'set'; readonly of: Expression; readonly path: readonly Step[]; readonly value: Expression }
  | { readonly kind: 'remove'; readonly of: Expression; readonly path: readonly Step[] }
  | { readonly kind: 'append'; readonly of: Expression; readonly path: readonly Step[]; readonly value: Expression };
/** A key, or what gives one: a string, or a whole number for arrays. */
export type Step = string | Expression;

/** What can be called, and with how many arguments. */
export const BUILTINS = {
  // The stamp of the event: equal on every replica.
  now: [0, 0],
  random: [0, 0],
  uuid: [0, 0],
  // Numbers
  floor: [1, 1],
  ceil: [1, 1],
  round: [1, 1],
  trunc: [1, 1],
  abs: [1, 1],
  sign: [1, 1],
  sqrt: [1, 1],
  min: [1, 16],
  max: [1, 16],
  /** Of a number, string, boolean or null; a text that is no number is a fault. */
  number: [1, 1],
  isInteger: [1, 1],
  /** Of a number, with 0 to 20 decimals. */
  toFixed: [1, 2],
  // Strings
  /** Of any scalar, undefined included. */
  string: [1, 1],
  trim: [1, 1],
  startsWith: [2, 2],
  endsWith: [2, 2],
  /** At a string. */
  split: [2, 2],
  // Strings and arrays
  /** A scalar in an array, or a string in a string. */
  includes: [2, 2],
  indexOf: [2, 2],
  slice: [1, 3],
  /** The element or UTF-16 unit at an index, from the end when it is negative. */
  at: [2, 2],
  // Arrays
  isArray: [1, 1],
  /** Of strings and numbers, with a string between them. */
  join: [1, 2],
  reverse: [1, 1],
  // Objects; keys in the order of their UTF-16 units, whatever order they were written in.
  keys: [1, 1],
  values: [1, 1],
  entries: [1, 1],
  /** Whether an object has an own field. */
  has: [2, 2],
} as const satisfies { readonly [name: string]: readonly [least: number, most: number] };
export type Builtin = keyof typeof BUILTINS;

/** Levels of an expression; every source refuses deeper ones. */
export const DEPTH_MAX = 64;
/** Elements that the `each` and `reduce` of one evaluation may visit together. */
export const ELEMENTS_MAX = 1_000_000;

/** How many locals a body has more than what is around it. */
export function boundBy(expression: Expression): number {
  if (expression.kind === 'each' || expression.kind === 'reduce') return expression.arity;
  return expression.kind === 'let' ? 1 : 0;
}

/** The expressions directly inside, in the order of evaluation; `isBody`: it sees what `expression` binds. */
export function partsOf(expression: Expression): readonly { readonly part: Expression; readonly isBody: boolean }[] {
  const outer = (...parts: readonly Expression[]) => parts.map((part) => ({ part, isBody: false }));
  switch (expression.kind) {
    case 'literal':
    case 'undefined':
    case 'root':
    case 'local':
    case 'in':
      return [];
    case 'member':
      return outer(expression.of, ...keyParts([expression.key]));
    case 'unary':
      return outer(expression.operand);
    case 'binary':
    case 'logical':
      return outer(expression.left, expression.right);
    case 'conditional':
      return outer(expression.condition, expression.then, expression.otherwise);
    case 'object':
      return outer(...expression.fields.flatMap((field) => ('spread' in field ? [field.spread] : [...keyParts([field.key]), field.value])));
    case 'array':
      return outer(...expression.items.map((item) => ('spread' in item ? item.spread : item.value)));
    case 'call':
      return outer(...expression.arguments);
    case 'each':
      return [...outer(expression.of), { part: expression.body, isBody: true }];
    case 'reduce':
      return [...outer(expression.of, expression.initial), { part: expression.body, isBody: true }];
    case 'let':
      return [...outer(expression.value), { part: expression.body, isBody: true }];
    case 'remove':
      return outer(expression.of, ...keyParts(expression.path));
    case 'set':
    case 'append':
      return outer(expression.of, ...keyParts(expression.path), expression.value);
  }
}

const keyParts = (keys: readonly (string | Expression)[]): Expression[] => keys.filter((key) => typeof key !== 'string');

export function depthOf(expression: Expression): number {
  return 1 + Math.max(0, ...partsOf(expression).map(({ part }) => depthOf(part)));
}
