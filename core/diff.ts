// The difference between two JSON values as an RFC 6902 patch, found by identity: frozen values that share what did not change.

import { isFields } from './fields.ts';
import type { Json } from './json.ts';
import type { Operation } from './patch.ts';
import { escapePointer, isSame } from './plain.ts';

const NOTHING: readonly Operation[] = Object.freeze([]);
/** Characters around the path and the value of an operation, and around the name of a key. */
export const OPERATION_SIZE = 26;
export const KEY_SIZE = 4;

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

/** The same for a part of a document, into a list. */
export function diffInto(operations: Operation[], path: string, before: Json, after: Json): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    const start = operations.length;
    diffArray(operations, path, before as readonly Json[], after as readonly Json[]);
    preferReplace(operations, start, path, after);
  } else if (isFields(before) && isFields(after)) {
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
export function preferReplace(operations: Operation[], start: number, path: string, after: Json): void {
  if (operations.length - start < 2) return;
  const size = sizeOf(operations, start);
  const whole = OPERATION_SIZE + path.length;
  if (whole + sizeWithin(after, size - whole) >= size) return;
  operations.length = start;
  operations.push({ op: 'replace', path, value: after });
}

/** About the length of the JSON text of the operations since `start`. */
export function sizeOf(operations: readonly Operation[], start: number): number {
  let size = 0;
  for (let i = start; i < operations.length; i++) {
    const operation = operations[i]!;
    size += OPERATION_SIZE + operation.path.length + (operation.op === 'remove' ? 0 : sizeWithin(operation.value, Infinity));
  }
  return size;
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
  for (const key of Object.keys(value)) {
    size += key.length + KEY_SIZE + sizeWithin((value as Readonly<Record<string, Json>>)[key]!, limit - size);
    if (size > limit) return size;
  }
  return size;
}
