// Differences between two JSON values as RFC 6902 patches, and their application with structural sharing. The only door to
// fast-json-patch, which applies single operations; finding small differences is our own business.

import jsonPatch, { type Operation as AnyOperation } from 'fast-json-patch';
import { LockstepError } from './errors.ts';
import type { Json } from './json.ts';
import { escapePointer, plain } from './plain.ts';

export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: Json }
  | { readonly op: 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

const NOTHING: readonly Operation[] = Object.freeze([]);

/**
 * The operations that turn `before` into `after`. Subtrees that are the same object are not looked into, so the cost is that of the change.
 * A container whose operations would be longer than its new value is replaced whole.
 */
export function diff(before: Json, after: Json): readonly Operation[] {
  if (before === after) return NOTHING;
  const operations: Operation[] = [];
  diffInto(operations, '', before, after);
  return operations;
}

function diffInto(operations: Operation[], path: string, before: Json, after: Json): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    const start = operations.length;
    diffArray(operations, path, before as readonly Json[], after as readonly Json[]);
    preferReplace(operations, start, path, after);
  } else if (isObject(before) && isObject(after)) {
    const start = operations.length;
    diffObject(operations, path, before, after);
    preferReplace(operations, start, path, after);
  } else {
    operations.push({ op: 'replace', path, value: after });
  }
}

function diffObject(
  operations: Operation[],
  path: string,
  before: Readonly<Record<string, Json>>,
  after: Readonly<Record<string, Json>>,
): void {
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key)) operations.push({ op: 'remove', path: `${path}/${escapePointer(key)}` });
  }
  for (const key of Object.keys(after)) {
    const value = after[key]!;
    if (!Object.hasOwn(before, key)) operations.push({ op: 'add', path: `${path}/${escapePointer(key)}`, value });
    else if (before[key] !== value) diffInto(operations, `${path}/${escapePointer(key)}`, before[key]!, value);
  }
}

/** Trims what is equal at both ends, then edits the middle: item by item where the lengths agree, else by removing and adding. */
function diffArray(operations: Operation[], path: string, before: readonly Json[], after: readonly Json[]): void {
  let head = 0;
  const shorter = Math.min(before.length, after.length);
  while (head < shorter && isSame(before[head]!, after[head]!)) head++;
  let tail = 0;
  while (tail < shorter - head && isSame(before[before.length - 1 - tail]!, after[after.length - 1 - tail]!)) tail++;
  const removed = before.length - head - tail;
  const added = after.length - head - tail;
  const common = Math.min(removed, added);
  for (let i = 0; i < common; i++) diffInto(operations, `${path}/${head + i}`, before[head + i]!, after[head + i]!);
  for (let i = removed - 1; i >= common; i--) operations.push({ op: 'remove', path: `${path}/${head + i}` });
  for (let i = common; i < added; i++) operations.push({ op: 'add', path: `${path}/${head + i}`, value: after[head + i]! });
}

/** Replaces the operations since `start` by one, when that is shorter. */
function preferReplace(operations: Operation[], start: number, path: string, after: Json): void {
  if (operations.length - start < 2) return;
  let size = 0;
  for (let i = start; i < operations.length; i++) {
    const operation = operations[i]!;
    size += 26 + operation.path.length + (operation.op === 'remove' ? 0 : sizeWithin(operation.value, Infinity));
  }
  const whole = 26 + path.length;
  if (whole + sizeWithin(after, size - whole) >= size) return;
  operations.length = start;
  operations.push({ op: 'replace', path, value: after });
}

/** About the length of the JSON text; stops counting above `limit`. */
function sizeWithin(value: Json, limit: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return String(value).length;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) {
      size += 1 + sizeWithin(item, limit - size);
      if (size > limit) return size;
    }
    return size;
  }
  for (const [key, item] of Object.entries(value)) {
    size += key.length + 4 + sizeWithin(item, limit - size);
    if (size > limit) return size;
  }
  return size;
}

/** Identity first; values that a mirror parsed twice are compared in depth. */
function isSame(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && (a as readonly Json[]).every((item, i) => isSame(item, b[i] as Json));
  if (Array.isArray(b)) return false;
  const left = a as Readonly<Record<string, Json>>;
  const right = b as Readonly<Record<string, Json>>;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && isSame(left[key]!, right[key]!));
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The document after the patch, frozen in depth; shares every subtree that the patch does not touch with `document`, which stays as it was.
 * @throws LockstepError BAD_PARAMS when an operation does not apply.
 */
export function applyPatch(document: Json, patch: readonly Operation[]): Json {
  let result = document;
  for (const operation of patch) result = applyOne(result, operation);
  return result;
}

function applyOne(document: Json, operation: Operation): Json {
  const value = operation.op === 'remove' ? undefined : plain(operation.value, operation.path);
  if (operation.path === '' && value !== undefined) return value;
  const root = copyAlong(document, operation.path);
  try {
    const applied = jsonPatch.applyOperation(root, (value === undefined ? operation : { ...operation, value }) as AnyOperation, true, true)
      .newDocument as Json;
    return plain(applied, '');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    throw new LockstepError('BAD_PARAMS', `patch operation ${operation.op} at "${operation.path}" does not apply: ${reason}`, {
      cause: error,
    });
  }
}

/** Shallow copies of the containers on the way to `pointer`, the last one included. */
function copyAlong(document: Json, pointer: string): Json {
  const tokens = pointer.split('/').slice(1, -1);
  const root = shallowCopy(document);
  let container: Json = root;
  for (const token of tokens) {
    if (typeof container !== 'object' || container === null) break;
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const holder = container as unknown as Record<string, Json>;
    if (!Object.hasOwn(holder, key)) break;
    const child: Json = shallowCopy(holder[key]!);
    holder[key] = child;
    container = child;
  }
  return root;
}

function shallowCopy(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).slice();
  if (isObject(value)) return { ...value };
  return value;
}
