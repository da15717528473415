// The gate for images: what readImage takes and what it says of the rest.

import { expect, test } from 'vitest';
import * as layout from '../../assembly/layout.ts';
import { compileMachine } from '../../compiler/index.ts';
import { LockstepError } from '../../core/errors.ts';
import { readImage } from '../../core/image.ts';
import { hashText, xxh64 } from '../../core/xxh64.ts';

const image = compileMachine({
  id: 'm',
  initial: 'a',
  context: { text: 'ünï☃' },
  states: { a: { tags: ['t'], after: { 5: 'b' }, entry: 'x' }, b: { type: 'final' } },
});

/** Published vectors of XXH64 with seed 0: github.com/cespare/xxhash, xxhash_test.go; the last is one byte short of two stripes. */
const VECTORS: readonly (readonly [text: string, hash: string])[] = [
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['as', '1c330fb2d66be179'],
  ['asd', '631c37ce72a97393'],
  ['asdf', '415872f599cea71e'],
  ['Call me Ishmael. Some years ago--never mind how long precisely-', '02a2e85470d6fd96'],
];

test.each(VECTORS)('[IMAGE-2] xxh64 of %j', (text, hash) => {
  expect(hashText(xxh64(new TextEncoder().encode(text)))).toBe(hash);
});

test('[IMAGE-1] an image is read as it was written', () => {
  const header = readImage(image.bytes, xxh64, image.hash);
  expect(header.hash).toBe(image.hash);
  expect(header.symbols).toEqual(image.symbols);
  expect(header).toMatchObject({
    fuel: layout.FUEL_DEFAULT,
    semantics: 0,
    stateCount: 3,
    eventCount: 3,
    transitionCount: 2,
    historyCount: 0,
    timerCount: 1,
    raiseCount: 0,
    functionCount: 1,
  });
  expect(header.symbols.context).toEqual({ text: 'ünï☃' });
  expect(header.debug?.dialect).toBe('xstate5');
});

test('[IMAGE-1] an image whose debug names were cut off is the same image', () => {
  const size = new DataView(image.bytes.buffer).getUint32(layout.IMAGE_HASHED_SIZE, true);
  const bytes = image.bytes.slice(0, size);
  new DataView(bytes.buffer).setUint32(layout.IMAGE_SIZE, size, true);
  const header = readImage(bytes, xxh64, image.hash);
  expect(header.hash).toBe(image.hash);
  expect(header.debug).toBeUndefined();
});

test('[IMAGE-1] it may lie anywhere in a larger buffer', () => {
  const shifted = new Uint8Array(image.bytes.length + 3);
  shifted.set(image.bytes, 3);
  expect(readImage(shifted.subarray(3), xxh64).hash).toBe(image.hash);
});

test('[IMAGE-1] every cut is refused', () => {
  for (let size = 0; size < image.bytes.length; size += 7)
    expect(codeOf(() => readImage(image.bytes.subarray(0, size), xxh64))).toBe('BAD_IMAGE');
});

test('[IMAGE-1] every change of a hashed byte is refused', () => {
  const hashedSize = new DataView(image.bytes.buffer).getUint32(layout.IMAGE_HASHED_SIZE, true);
  for (let at = 0; at < hashedSize; at += 1) {
    const bytes = image.bytes.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 0x20;
    expect(
      codeOf(() => readImage(bytes, xxh64)),
      `byte ${at}`,
    ).toBe('BAD_IMAGE');
  }
});

test('[IMAGE-1] the refusal says what was expected and what was found', () => {
  expect(() => readImage(new Uint8Array(5), xxh64)).toThrow('expected at least 192 bytes, found 5');
  expect(() => readImage(image.bytes, xxh64, '00000000000000ff')).toThrow(`expected the hash 00000000000000ff, found ${image.hash}`);
  expect(() => readImage(changed(layout.IMAGE_FORMAT, 9), xxh64)).toThrow('expected format 3, found 9');
  expect(() => readImage(changed(layout.IMAGE_FUEL, 9), xxh64)).toThrow(/expected the hash [0-9a-f]{16} of its header, found [0-9a-f]{16}/);
});

test('[IMAGE-1] names that do not fit the counts are refused, whatever the hash says', () => {
  for (const count of [
    layout.IMAGE_STATE_COUNT,
    layout.IMAGE_EVENT_COUNT,
    layout.IMAGE_TIMER_COUNT,
    layout.IMAGE_FUNCTION_COUNT,
    layout.IMAGE_RAISE_COUNT,
    layout.IMAGE_HISTORY_COUNT,
  ]) {
    expect(() => readImage(rehashed(changed(count, 77)), xxh64)).toThrow('expected symbols for every number in it');
  }
  expect(() => readImage(rehashed(changed(layout.IMAGE_SYMBOLS_SIZE, 5)), xxh64)).toThrow('expected symbols as UTF-8 JSON');
  expect(() => readImage(rehashed(changed(layout.IMAGE_SYMBOLS, 0xfffffff0)), xxh64)).toThrow('expected symbols inside');
});

function changed(offset: number, value: number): Uint8Array {
  const bytes = image.bytes.slice();
  new DataView(bytes.buffer).setUint32(offset, value, true);
  return bytes;
}

function rehashed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  const hashedSize = view.getUint32(layout.IMAGE_HASHED_SIZE, true);
  view.setBigUint64(layout.IMAGE_HASH, xxh64(bytes.subarray(layout.IMAGE_SEMANTICS, hashedSize)), true);
  return bytes;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof LockstepError ? error.code : String(error);
  }
  return 'none';
}
