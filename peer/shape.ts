// Shapes: how unknown values are checked to be what a type says. A shape names the first thing that is wrong, or nothing; checking makes
// no copies and no garbage while all is well. Only codec-json.ts turns a checked value into its type.

import { LockstepError } from '../core/errors.ts';
import { isFields } from '../core/fields.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { LIMITS } from './wire.ts';

/** @returns what is wrong, as `path: expected …, found …`; undefined when the value has the shape. */
export interface Shape<T> {
  (value: unknown): string | undefined;
  /** Never there: it ties the shape to its type. */
  readonly type?: T;
}
type Fields<T> = { readonly [K in keyof T]-?: Shape<T[K]> };

const SHOWN_MAX = 40;

/** The value, short enough for an error message. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

const expected = (what: string, value: unknown): string => `expected ${what}, found ${shown(value)}`;

/* @__NO_SIDE_EFFECTS__ */
export const text = (charactersMax = 1_024): Shape<string> => {
  return (value) =>
    typeof value === 'string' && value.length <= charactersMax
      ? undefined
      : expected(`a string of at most ${charactersMax} characters`, value);
};
/* @__NO_SIDE_EFFECTS__ */
export const matching = (test: (text: string) => boolean, what: string): Shape<string> => {
  return (value) => (typeof value === 'string' && test(value) ? undefined : expected(what, value));
};
export const flag: Shape<boolean> = (value) => (typeof value === 'boolean' ? undefined : expected('true or false', value));
/** A whole number from `min` on, exact in a double. */
/* @__NO_SIDE_EFFECTS__ */
export const whole = (min = 0): Shape<number> => {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min ? undefined : expected(`a whole number from ${min}`, value);
};
/** A whole number of either sign. */
export const integer: Shape<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? undefined : expected('a whole number', value);
export const finite: Shape<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? undefined : expected('a number', value);
export const nothing: Shape<null> = (value) => (value === null ? undefined : expected('null', value));

/* @__NO_SIDE_EFFECTS__ */
export const oneOf = <const T extends string | boolean>(...values: readonly T[]): Shape<T> => {
  return (value) => (values.includes(value as T) ? undefined : expected(`one of ${values.join(', ')}`, value));
};
/* @__NO_SIDE_EFFECTS__ */
export const optional = <T>(shape: Shape<T>): Shape<T | undefined> => {
  return (value) => (value === undefined ? undefined : shape(value));
};
/* @__NO_SIDE_EFFECTS__ */
export const either = <A, B>(first: Shape<A>, second: Shape<B>): Shape<A | B> => {
  return (value) => {
    const problem = first(value);
    return problem === undefined || second(value) === undefined ? undefined : problem;
  };
};
/** Fields that are not named are left alone: a newer peer may say more. */
/* @__NO_SIDE_EFFECTS__ */
export const object = <T extends object>(fields: Fields<T>): Shape<T> => {
  const entries = Object.entries<Shape<unknown>>(fields);
  return (value) => {
    if (!isFields(value)) return expected('an object', value);
    for (const [name, shape] of entries) {
      const problem = shape(value[name]);
      if (problem !== undefined) return `${name}: ${problem}`;
    }
    return undefined;
  };
};
/* @__NO_SIDE_EFFECTS__ */
export const list = <T>(item: Shape<T>): Shape<readonly T[]> => {
  return (value) => {
    if (!Array.isArray(value)) return expected('an array', value);
    for (let i = 0; i < value.length; i++) {
      const problem = item(value[i]);
      if (problem !== undefined) return `${i}: ${problem}`;
    }
    return undefined;
  };
};
/** An array with a shape for each place; the ones from `required` on may be missing. */
/* @__NO_SIDE_EFFECTS__ */
export const tuple = <T extends readonly unknown[]>(required: number, ...shapes: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> => {
  return (value) => {
    if (!Array.isArray(value) || value.length < required || value.length > shapes.length) {
      return expected(`an array of ${required === shapes.length ? '' : `${required} to `}${shapes.length}`, value);
    }
    for (let i = 0; i < value.length; i++) {
      const problem = shapes[i]!(value[i]);
      if (problem !== undefined) return `${i}: ${problem}`;
    }
    return undefined;
  };
};

/** Plain JSON of bounded depth. JSON text can still hold 1e999 and a key named __proto__; both are refused. */
export function plainJson(value: unknown, depth = 0): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : expected('a finite number', value);
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean' ? undefined : expected('plain JSON', value);
  if (value === null) return undefined;
  if (depth >= LIMITS.depthMax) return `expected at most ${LIMITS.depthMax} levels of arrays and objects, found more`;
  if (Array.isArray(value)) return list((item) => plainJson(item, depth + 1))(value);
  for (const key in value) {
    if (key === '__proto__') return 'expected plain JSON, found a key named __proto__';
    const problem = plainJson((value as Readonly<Record<string, unknown>>)[key], depth + 1);
    if (problem !== undefined) return `${key}: ${problem}`;
  }
  return undefined;
}

/** About the length of a value's JSON text; stops counting above `max`. */
export function sizeOf(value: Json, max: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return digitsOf(value);
  if (typeof value !== 'object' || value === null) return String(value).length;
  let size = 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      size += 1 + sizeOf(value[i] as Json, max - size);
      if (size > max) return size;
    }
    return size;
  }
  const fields = value as JsonObject;
  for (const key in fields) {
    size += key.length + 4 + sizeOf(fields[key]!, max - size);
    if (size > max) return size;
  }
  return size;
}

/** The length of a number's text; of a whole one without making that. */
function digitsOf(value: number): number {
  if (!Number.isSafeInteger(value)) return String(value).length;
  let digits = value < 0 ? 2 : 1;
  for (let rest = Math.abs(value); rest >= 10; rest /= 10) digits++;
  return digits;
}

/** The value, which has the shape. @throws LockstepError BAD_PARAMS with the path to what is wrong. */
export function checked<T>(what: string, shape: Shape<T>, value: unknown): T {
  const problem = shape(value);
  if (problem !== undefined) throw new LockstepError('BAD_PARAMS', `${what}: ${problem}`);
  return value as T;
}
