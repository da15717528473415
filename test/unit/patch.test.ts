// Differences of contexts: what they turn into what, how small they are, what they share. fast-json-patch is what they are held against.

import jsonPatch, { type Operation as AnyOperation } from 'fast-json-patch';
import { expect, test } from 'vitest';
import { diff } from '../../core/diff.ts';
import { applyPatch } from '../../core/patch.ts';
import { LockstepError } from '../../core/errors.ts';
import { plain } from '../../core/plain.ts';
import type { Json } from '../../core/json.ts';
import { random, seedOf } from '../support/random.ts';
import { changed, randomJson, randomObject } from '../support/random-json.ts';

test('[INST-1] a difference applied to the old value gives the new one, for random changes', () => {
  const dice = random(seedOf('patch'));
  for (let round = 0; round < 3_000; round++) {
    const before = plain(randomJson(dice, 4), '');
    let after: Json = before;
    for (let edits = 1 + dice.below(3); edits > 0; edits--) after = plain(changed(dice, after, 3), '');
    const patch = diff(before, after);
    expect(applyPatch(before, patch)).toEqual(after);
    expect(applyPatch(before, JSON.parse(JSON.stringify(patch)))).toEqual(after);
    expect(jsonPatch.applyPatch(structuredClone(before), structuredClone(patch) as AnyOperation[], true).newDocument).toEqual(after);
  }
});

test('[INST-3] any operation at any place does what fast-json-patch does with it, or both refuse', () => {
  const dice = random(seedOf('patch places'));
  // Without '' and '01', which the library takes for indices and RFC 6901 does not.
  const keys = ['a', 'b', 'c~1d', 'e~0f', '0', '1', '3', '-', 'items', '__proto__', 'length'];
  let applied = 0;
  for (let round = 0; round < 5_000; round++) {
    const before = plain(randomObject(dice, 3), '');
    const path = Array.from({ length: 1 + dice.below(3) }, () => `/${dice.pick(keys)}`).join('');
    const op = dice.pick(['add', 'replace', 'remove'] as const);
    const operation = op === 'remove' ? { op, path } : { op, path, value: plain(randomJson(dice, 2), '') };
    const outcome = (apply: () => unknown): unknown => {
      try {
        return apply();
      } catch {
        return 'refused';
      }
    };
    const theirs = outcome(() => jsonPatch.applyPatch(structuredClone(before), [operation] as AnyOperation[], true).newDocument);
    expect(
      outcome(() => applyPatch(before, [operation])),
      JSON.stringify({ before, operation }),
    ).toEqual(theirs);
    if (theirs !== 'refused') applied++;
  }
  expect(applied).toBeGreaterThan(300);
});

test('[INST-1] a difference is never longer than replacing everything', () => {
  const dice = random(seedOf('patch size'));
  for (let round = 0; round < 2_000; round++) {
    const before = plain(randomJson(dice, 4), '');
    const after = plain(randomJson(dice, 4), '');
    const size = JSON.stringify(diff(before, after)).length;
    const whole = JSON.stringify([{ op: 'replace', path: '', value: after }]).length;
    expect(size).toBeLessThanOrEqual(whole + 40);
  }
});

test.each<[string, Json, Json, unknown]>([
  ['nothing', { a: 1 }, { a: 1 }, []],
  ['a key', { a: 1, b: 2 }, { a: 1, b: 3 }, [{ op: 'replace', path: '/b', value: 3 }]],
  ['a key gone', { a: 1, b: [1, 2, 3, 4] }, { b: [1, 2, 3, 4] }, [{ op: 'remove', path: '/a' }]],
  ['an escaped key', { 'a/b': { 'c~d': 1, e: 1 } }, { 'a/b': { 'c~d': 2, e: 1 } }, [{ op: 'replace', path: '/a~1b/c~0d', value: 2 }]],
  ['a type', { a: [1] }, { a: { 0: 1 } }, [{ op: 'replace', path: '/a', value: { 0: 1 } }]],
])('[INST-1] the smallest difference of %s', (_, before, after, patch) => {
  expect(diff(before, after)).toEqual(patch);
});

test('[INST-2] a prepended item is one operation, whatever the length of the list', () => {
  const items = Array.from({ length: 200 }, (_, i) => ({ id: i, text: `item ${i}` }));
  const parsedAgain = JSON.parse(JSON.stringify(items)) as Json[];
  expect(diff({ items }, { items: [{ id: -1 }, ...parsedAgain] })).toEqual([{ op: 'add', path: '/items/0', value: { id: -1 } }]);
  expect(diff({ items }, { items: items.slice(1) })).toEqual([{ op: 'remove', path: '/items/0' }]);
});

test('[INST-2] a container whose edits would be longer is replaced', () => {
  const before = Array.from({ length: 20 }, (_, i) => i);
  expect(diff({ before }, { before: before.toReversed() })).toEqual([{ op: 'replace', path: '/before', value: before.toReversed() }]);
});

test('[INST-3] applying shares what it does not touch and leaves the document as it was', () => {
  const document = plain({ left: { deep: [1, 2] }, right: { n: 1 } }, '') as { left: Json; right: Json };
  const text = JSON.stringify(document);
  const result = applyPatch(document, [{ op: 'replace', path: '/right/n', value: 2 }]) as { left: Json; right: Json };
  expect(result.left).toBe(document.left);
  expect(result.right).toEqual({ n: 2 });
  expect(JSON.stringify(document)).toBe(text);
  expect(Object.isFrozen(result.right)).toBe(true);
});

test.each([
  [{ op: 'replace', path: '/missing', value: 1 }],
  [{ op: 'remove', path: '/a/7' }],
  [{ op: 'add', path: '/a/9', value: 1 }],
  [{ op: 'add', path: '/__proto__/x', value: 1 }],
  [{ op: 'replace', path: 'a', value: 1 }],
  [{ op: 'add', path: '/a/b/c', value: 1 }],
  [{ op: 'add', path: '/a/', value: 1 }],
  [{ op: 'replace', path: '/a/01', value: 1 }],
  [{ op: 'replace', path: '/a/length', value: 1 }],
  [{ op: 'remove', path: '' }],
] as const)('[INST-3] an operation that does not apply is refused: %j', (operation) => {
  const document = plain({ a: [1, 2] }, '');
  expect(() => applyPatch(document, [operation])).toThrow(LockstepError);
  expect(document).toEqual({ a: [1, 2] });
});
