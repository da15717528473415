// The part of a digest that covers the context.

import { expect, test } from 'vitest';
import { contextSum, wholeSum, type HashText } from '../../core/digest.ts';
import { plain } from '../../core/plain.ts';
import type { Json } from '../../core/json.ts';
import { random, seedOf } from '../support/random.ts';
import { changed, randomJson } from '../support/random-json.ts';

/** FNV-1a in 64 bits: any good text hash will do to test the sum. */
const hash: HashText = (text) => {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) value = ((value ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return value;
};

test('[INST-5] the sum kept up to date from changes equals the sum of the whole', () => {
  const dice = random(seedOf('digest'));
  let context: Json = plain(randomJson(dice, 4), '');
  let sum = wholeSum(hash, context);
  for (let round = 0; round < 3_000; round++) {
    const after = plain(changed(dice, context, 3), '');
    sum = contextSum(hash, context, sum, after);
    expect(sum).toBe(wholeSum(hash, after));
    context = after;
  }
});

test('[INST-5] values that differ have different sums, key order makes no difference', () => {
  const sums = [{}, [], null, { a: {} }, { a: [] }, { a: null }, { a: '1' }, { a: 1 }, [1], { 0: 1 }, { a: { b: 1 } }, { 'a/b': 1 }].map(
    (value) => wholeSum(hash, value as Json),
  );
  expect(new Set(sums).size).toBe(sums.length);
  expect(wholeSum(hash, { a: 1, b: 2 })).toBe(wholeSum(hash, { b: 2, a: 1 }));
});
