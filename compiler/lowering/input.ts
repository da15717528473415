// Random inputs for trials: like a value that is known, where one is, and of the shape that expressions expect, where none is. Seldom
// something else altogether.

import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import type { Value } from '../expression/tree.ts';
import type { Dice } from './dice.ts';
import type { Kind, Shape } from './shape.ts';

const NUMBERS = [0, 1, 2, 3, 5, 10, -1, 0.5, 18, 100, 1000] as const;
const TEXTS = ['', 'a', 'b', 'c', '1', '12', ' a ', 'two words', '😀'] as const;
const WILD: readonly Value[] = [undefined, null, 0, 1, '', 'a', true, false, [], {}, [1, 'a'], { a: 1 }];
const WILD_CHANCE = 0.04;
const DEPTH_MAX = 8;

/** @param sample something that it was once. */
export function randomInput(dice: Dice, shape: Shape | undefined, sample: Value, depth = 0): Value {
  if (depth > 0 && dice.chance(WILD_CHANCE)) return dice.pick(WILD);
  if (depth > DEPTH_MAX) return null;
  const literals = [...(shape?.literals ?? [])];
  if (literals.length > 0 && dice.chance(0.5)) return dice.pick(literals);
  if (isEmpty(sample) ? dice.chance(0.15) : dice.chance(0.95)) return like(dice, shape, sample, depth);
  return expected(dice, shape, sample, depth);
}

const isEmpty = (sample: Value): boolean => sample === undefined || sample === null;

function like(dice: Dice, shape: Shape | undefined, sample: Value, depth: number): Value {
  switch (typeof sample) {
    case 'number':
      return dice.pick([sample, sample, sample + 1, sample - 1, ...NUMBERS]);
    case 'string':
      return dice.pick([sample, sample, ...TEXTS]);
    case 'boolean':
      return dice.chance(0.5);
    case 'undefined':
      return undefined;
    case 'object': {
      if (sample === null) return null;
      return isFields(sample) ? objectLike(dice, shape, sample, depth) : arrayLike(dice, shape, sample as readonly Json[], depth);
    }
  }
}

function arrayLike(dice: Dice, shape: Shape | undefined, sample: readonly Json[], depth: number): Value {
  const count = sample.length > 0 && dice.chance(0.6) ? sample.length : dice.below(5);
  return Array.from({ length: count }, (_, index) => {
    const one = sample.length === 0 ? undefined : dice.chance(0.5) ? sample[index % sample.length] : dice.pick(sample);
    return randomInput(dice, shape?.element, one, depth + 1) ?? null;
  });
}

function objectLike(dice: Dice, shape: Shape | undefined, sample: { readonly [key: string]: Json }, depth: number): Value {
  const keys = [...new Set([...Object.keys(sample), ...(shape?.fields.keys() ?? [])])];
  if (shape?.element !== undefined) keys.push(...TEXTS.slice(1, 4));
  return fields(dice, keys, (key) => randomInput(dice, shape?.fields.get(key) ?? shape?.element, sample[key], depth + 1));
}

function fields(dice: Dice, keys: readonly string[], make: (key: string) => Value): Value {
  const made = keys.map((key) => [key, dice.chance(0.97) ? make(key) : undefined] as const);
  return Object.fromEntries(made.filter(([, value]) => value !== undefined)) as Json;
}

/** What fits all that is known of it. */
function expected(dice: Dice, shape: Shape | undefined, sample: Value, depth: number): Value {
  const kinds = [...(shape?.kinds ?? [])];
  if (shape?.element !== undefined) kinds.push('array', 'array');
  if (shape !== undefined && shape.fields.size > 0) kinds.push('object', 'object', 'object');
  if (kinds.length === 0 && sample !== undefined) return like(dice, shape, sample, depth);
  const kind: Kind =
    kinds.length > 0 ? dice.pick(kinds) : dice.pick(['number', 'string', 'boolean', 'string', 'number', 'object', 'array']);
  switch (kind) {
    case 'number':
      return dice.pick(NUMBERS);
    case 'string':
      return dice.pick(TEXTS);
    case 'boolean':
      return dice.chance(0.5);
    case 'array':
      return arrayLike(dice, shape, [], depth);
    case 'object':
      return objectLike(dice, shape, {}, depth);
  }
}
