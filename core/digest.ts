// The part of a digest that covers the context: the sum, modulo 2^64, of hash(pointer, canonical leaf) over all leaves. A sum, so that it
// follows a change by subtracting what went and adding what came, and costs the change. In the hashed pointer an array index is led by a
// control character instead of the slash, so that [x] and {"0": x} differ.

import type { Json } from './json.ts';
import { escapePointer } from './plain.ts';

/** xxh64 of the UTF-8 text, seed 0. */
export type HashText = (text: string) => bigint;

const KEY = '/';
const INDEX = '\u0001';
const MASK = 0xffff_ffff_ffff_ffffn;

/** The sum for `after`, given the sum for `before`. Subtrees that are the same object are not looked into. */
export function contextSum(hash: HashText, before: Json, sum: bigint, after: Json): bigint {
  return (sum + change(hash, '', before, after)) & MASK;
}

/** The sum for a whole context. */
export function wholeSum(hash: HashText, context: Json): bigint {
  return leaves(hash, '', context) & MASK;
}

function change(hash: HashText, path: string, before: Json, after: Json): bigint {
  if (before === after) return 0n;
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) {
    return leaves(hash, path, after) - leaves(hash, path, before);
  }
  let sum = 0n;
  const old = before as Readonly<Record<string, Json>>;
  const now = after as Readonly<Record<string, Json>>;
  const lead = Array.isArray(before) ? INDEX : KEY;
  for (const key of Object.keys(old)) {
    const inner = path + lead + escapePointer(key);
    sum += Object.hasOwn(now, key) ? change(hash, inner, old[key]!, now[key]!) : -leaves(hash, inner, old[key]!);
  }
  for (const key of Object.keys(now)) {
    if (!Object.hasOwn(old, key)) sum += leaves(hash, path + lead + escapePointer(key), now[key]!);
  }
  return sum;
}

function leaves(hash: HashText, path: string, value: Json): bigint {
  if (!isBranch(value)) return hash(`${path}\u0000${JSON.stringify(value)}`);
  let sum = 0n;
  const lead = Array.isArray(value) ? INDEX : KEY;
  for (const [key, inner] of Object.entries(value)) sum += leaves(hash, path + lead + escapePointer(key), inner as Json);
  return sum;
}

/** A container with something in it; empty ones are leaves, so that {} and [] and nothing at all differ. */
function isBranch(value: Json): value is readonly Json[] | { readonly [key: string]: Json } {
  if (typeof value !== 'object' || value === null) return false;
  for (const key in value) if (Object.hasOwn(value, key)) return true;
  return false;
}
