// The core's memory: blocks, images and instances taken and given back in random order, each filled to its last byte and looked at again.

import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { dialectCore, testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';

interface Held {
  readonly pointer: number;
  readonly bytes: Uint8Array;
  release(): void;
}

/** Rings of different sizes: images that differ by a few bytes. */
const images = Array.from({ length: 40 }, (_, count) => {
  const states = Object.fromEntries(
    Array.from({ length: count + 1 }, (_state, index) => [`s${index}`, { on: { NEXT: `s${(index + 1) % (count + 1)}` } }]),
  );
  return compileMachine({ id: 'ring', initial: 's0', states }).bytes;
});

test.each([
  ['WebAssembly', () => testCore('debug')],
  ['TypeScript', async () => dialectCore()],
])('[CORE-10] what is given back is handed out again only where it fits: %s', async (_, make) => {
  const dice = random(seedOf('heap'));
  const core = await make();
  const { exports } = core;
  const held: Held[] = [];
  const check = ({ pointer, bytes }: Held): void => {
    expect(Buffer.compare(core.bytes.subarray(pointer, pointer + bytes.length), bytes), `${bytes.length} bytes at ${pointer}`).toBe(0);
  };
  const takeBlock = (): Held => {
    const size = dice.pick([1, 8, dice.below(300), dice.below(5_000), 4_096, 8_192, 8_200, 16_384]) + 1;
    const pointer = exports.allocate(size);
    const bytes = new Uint8Array(size).fill(dice.below(256));
    core.bytes.set(bytes, pointer);
    return { pointer, bytes, release: () => exports.release(pointer, size) };
  };
  const takeImage = (): Held => {
    const image = dice.pick(images);
    const pointer = core.loadImage(image);
    const instance = exports.create(pointer);
    // The core writes its own findings into what it takes in.
    const bytes = core.bytes.slice(pointer, pointer + image.length);
    return {
      pointer,
      bytes,
      release: () => {
        exports.destroy(instance);
        expect(exports.unload(pointer)).toBe(0);
      },
    };
  };
  for (let round = 0; round < 6_000; round += 1) {
    if (held.length < 40 && dice.chance(0.55)) held.push(dice.chance(0.5) ? takeBlock() : takeImage());
    else {
      const [one] = held.splice(dice.below(held.length || 1), 1);
      if (one === undefined) continue;
      check(one);
      one.release();
    }
  }
  for (const each of held) check(each);
});
