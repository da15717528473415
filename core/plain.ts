// The gate for values that authors' functions hand over: what enters a context, an event or an output is plain JSON, frozen, and stays so.
// Frozen values make in-place mutation throw where it happens, and let replicas share and compare by identity.

import { LockstepError } from './errors.ts';
import type { Json } from './json.ts';

/** Arrays and objects inside each other in a value; bounds every recursion over one, and ends those that hold themselves. */
export const DEPTH_MAX = 128;
const SHOWN_MAX = 40;

/** Objects that passed, and how many levels of arrays and objects each has; they are frozen, so they pass for ever. */
const passed = new WeakMap<object, number>();
/** Levels of the array or object that `plainAt` returned last. */
let levels = 0;
/** A value of at most so many scalars and nothing else is looked at again rather than remembered: most events are, and live for one step. */
const UNREMEMBERED_MAX = 16;

/**
 * The value as plain JSON, frozen in depth: the same object when it needs no change, else a copy. −0 becomes 0 and object properties
 * that are undefined are left out, as JSON text has neither.
 * @param path JSON pointer of `value`, for the error.
 * @param depth arrays and objects around it.
 * @throws LockstepError NOT_JSON with the path to the first thing that is not plain JSON, or too deep.
 */
export function plain(value: unknown, path: string, depth = 0): Json {
  return plainAt(value, path, depth, true);
}

function plainAt(value: unknown, path: string, depth: number, isRoot: boolean): Json {
  levels = 0;
  if (isPlainScalar(value)) return value;
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, String(value));
      return 0;
    case 'object': {
      if (value === null) return null;
      const known = passed.get(value);
      if (depth + (known ?? 1) > DEPTH_MAX) throw tooDeep(path);
      if (known === undefined)
        return Array.isArray(value) ? plainArray(value, path, depth, isRoot) : plainObject(value, path, depth, isRoot);
      levels = known;
      return value as Json;
    }
    default:
      throw notJson(path, typeof value);
  }
}

/** What is in plain JSON as it stands: every scalar but NaN, the infinities and −0. */
function isPlainScalar(value: unknown): value is string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  return typeof value === 'number' ? Number.isFinite(value) && !Object.is(value, -0) : value === null;
}

function plainArray(array: readonly unknown[], path: string, depth: number, isRoot: boolean): Json {
  let copy: Json[] | undefined;
  let below = 0;
  let isFlat = array.length <= UNREMEMBERED_MAX;
  for (let i = 0; i < array.length; i++) {
    const found = array[i];
    const isScalar = isPlainScalar(found);
    const item = isScalar ? found : plainAt(found, `${path}/${i}`, depth + 1, false);
    if (!isScalar && levels > below) below = levels;
    isFlat &&= isScalar;
    if (copy !== undefined) copy[i] = item;
    else if (!Object.is(item, found)) {
      copy = array.slice(0, i) as Json[];
      copy[i] = item;
    }
  }
  return keep(copy ?? (array as readonly Json[]), below + 1, !isRoot || !isFlat);
}

function plainObject(object: object, path: string, depth: number, isRoot: boolean): Json {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw notJson(path, nameOf(object));
  const source = object as Record<string, unknown>;
  const keys = Object.keys(source);
  let copy: Record<string, Json> | undefined;
  let below = 0;
  let isFlat = keys.length <= UNREMEMBERED_MAX;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key === '__proto__') throw notJson(`${path}/__proto__`, 'a key named __proto__');
    const found = source[key];
    const isScalar = isPlainScalar(found);
    const item = isScalar ? found : found === undefined ? undefined : plainAt(found, `${path}/${escapePointer(key)}`, depth + 1, false);
    if (!isScalar && found !== undefined && levels > below) below = levels;
    isFlat &&= isScalar;
    if (copy === undefined && (item === undefined || !Object.is(item, found))) copy = copyOf(source, keys, i);
    if (copy !== undefined && item !== undefined) copy[key] = item;
  }
  return keep(copy ?? (source as { readonly [key: string]: Json }), below + 1, !isRoot || !isFlat);
}

function copyOf(source: Record<string, unknown>, keys: readonly string[], count: number): Record<string, Json> {
  const copy: Record<string, Json> = {};
  for (let i = 0; i < count; i++) copy[keys[i]!] = source[keys[i]!] as Json;
  return copy;
}

function keep<T extends Json & object>(value: T, deep: number, isRemembered: boolean): T {
  Object.freeze(value);
  if (isRemembered) passed.set(value, deep);
  levels = deep;
  return value;
}

function nameOf(object: object): string {
  const constructor = (object as { constructor?: { name?: unknown } }).constructor;
  return typeof constructor?.name === 'string' && constructor.name !== '' ? `a ${constructor.name}` : 'an object with a prototype';
}

function notJson(path: string, found: string): LockstepError {
  return new LockstepError('NOT_JSON', `expected plain JSON at "${path}", found ${found}`);
}

/** The end of the path is enough: all of it may be long. */
function tooDeep(path: string): LockstepError {
  const place = path.slice(-SHOWN_MAX);
  return new LockstepError('NOT_JSON', `expected at most ${DEPTH_MAX} levels of arrays and objects, found more at "…${place}"`);
}

/** Equal plain values. Identity first; values that a mirror parsed twice are compared in depth. */
export function isSame(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && (a as readonly Json[]).every((item, i) => isSame(item, b[i] as Json));
  if (Array.isArray(b)) return false;
  const left = a as Readonly<Record<string, Json>>;
  const right = b as Readonly<Record<string, Json>>;
  // Without a list of their keys: a mirror compares two contexts at each step.
  for (const key in left) if (!isSame(left[key]!, right[key]!)) return false;
  for (const key in right) if (!Object.hasOwn(left, key)) return false;
  return true;
}

/** One reference token of a JSON pointer (RFC 6901). */
export function escapePointer(token: string): string {
  return token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}

export function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
