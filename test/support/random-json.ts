// Random plain JSON values, and random small changes to them that share what they do not touch.

import type { Json } from '../../core/json.ts';
import type { Random } from './random.ts';

const KEYS = ['a', 'b', 'c/d', 'e~f', '', '0', 'items', 'ü'];

export function randomJson(random: Random, depth: number): Json {
  const kind = random.below(depth > 0 ? 8 : 5);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.below(1000) - 500;
  if (kind === 3) return random.below(1000) / 7;
  if (kind === 4) return random.pick(['', 'x', 'true', '12', '\u{1F600}', 'long text '.repeat(3)]);
  if (kind < 7) return randomObject(random, depth - 1);
  return Array.from({ length: random.below(5) }, () => randomJson(random, depth - 1));
}

export function randomObject(random: Random, depth: number): { readonly [key: string]: Json } {
  const object: Record<string, Json> = {};
  for (let count = random.below(5); count > 0; count--) object[random.pick(KEYS)] = randomJson(random, depth);
  return object;
}

export function changed(random: Random, value: Json, depth: number): Json {
  if (typeof value !== 'object' || value === null || random.chance(0.2)) return randomJson(random, depth);
  if (Array.isArray(value)) return changedArray(random, value as readonly Json[], depth);
  const copy: Record<string, Json> = { ...(value as Record<string, Json>) };
  const key = random.pick([...Object.keys(copy), random.pick(KEYS)]);
  if (random.chance(0.3)) delete copy[key];
  else copy[key] = changed(random, copy[key] ?? null, depth - 1);
  return copy;
}

function changedArray(random: Random, array: readonly Json[], depth: number): Json {
  const copy = array.slice();
  const at = random.below(copy.length + 1);
  const kind = random.below(3);
  if (kind === 0) copy.splice(at, 0, randomJson(random, depth - 1));
  else if (kind === 1) copy.splice(at, 1 + random.below(2));
  else if (at < copy.length) copy[at] = changed(random, copy[at]!, depth - 1);
  return copy;
}
