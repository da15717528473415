// The gate for values that authors' functions hand over: what enters a context, an event or an output is plain JSON, frozen, and stays so.
// Frozen values make in-place mutation throw where it happens, and let replicas share and compare by identity.

import { LockstepError } from './errors.ts';
import type { Json } from './json.ts';

/** Objects that passed; they are frozen, so they pass for ever. */
const passed = new WeakSet<object>();

/**
 * The value as plain JSON, frozen in depth: the same object when it needs no change, else a copy. −0 becomes 0 and object properties
 * that are undefined are left out, as JSON text has neither.
 * @param path JSON pointer of `value`, for the error.
 * @throws LockstepError NOT_JSON with the path to the first thing that is not plain JSON.
 */
export function plain(value: unknown, path: string): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, String(value));
      return value === 0 ? 0 : value;
    case 'object':
      if (value === null) return null;
      if (passed.has(value)) return value as Json;
      return Array.isArray(value) ? plainArray(value, path) : plainObject(value, path);
    default:
      throw notJson(path, typeof value);
  }
}

function plainArray(array: readonly unknown[], path: string): Json {
  let copy: Json[] | undefined;
  for (let i = 0; i < array.length; i++) {
    const item = plain(array[i], `${path}/${i}`);
    if (copy !== undefined) copy[i] = item;
    else if (!Object.is(item, array[i])) {
      copy = array.slice(0, i) as Json[];
      copy[i] = item;
    }
  }
  return keep(copy ?? (array as readonly Json[]));
}

function plainObject(object: object, path: string): Json {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw notJson(path, nameOf(object));
  const source = object as Record<string, unknown>;
  const keys = Object.keys(source);
  let copy: Record<string, Json> | undefined;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key === '__proto__') throw notJson(`${path}/__proto__`, 'a key named __proto__');
    const found = source[key];
    const item = found === undefined ? undefined : plain(found, `${path}/${escapePointer(key)}`);
    if (copy === undefined && !Object.is(item, found)) copy = copyOf(source, keys, i);
    else if (copy === undefined && item === undefined) copy = copyOf(source, keys, i);
    if (copy !== undefined && item !== undefined) copy[key] = item;
  }
  return keep(copy ?? (source as { readonly [key: string]: Json }));
}

function copyOf(source: Record<string, unknown>, keys: readonly string[], count: number): Record<string, Json> {
  const copy: Record<string, Json> = {};
  for (let i = 0; i < count; i++) copy[keys[i]!] = source[keys[i]!] as Json;
  return copy;
}

function keep<T extends Json & object>(value: T): T {
  Object.freeze(value);
  passed.add(value);
  return value;
}

function nameOf(object: object): string {
  const constructor = (object as { constructor?: { name?: unknown } }).constructor;
  return typeof constructor?.name === 'string' && constructor.name !== '' ? `a ${constructor.name}` : 'an object with a prototype';
}

function notJson(path: string, found: string): LockstepError {
  return new LockstepError('NOT_JSON', `expected plain JSON at "${path}", found ${found}`);
}

/** One reference token of a JSON pointer (RFC 6901). */
export function escapePointer(token: string): string {
  return token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}
