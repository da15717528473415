// The golden run: a million random events over the same images on every engine that a core runs on, folded into two hashes that must be
// equal everywhere. Self-contained, so that the same module runs in Node and in a page.

import { STEP_DONE } from '../../assembly/layout.ts';
import type { Core } from '../../core/wasm.ts';

export interface Golden {
  /** Of every result and every record, in order. */
  readonly rolling: string;
  /** Of the digests of all instances at the end. */
  readonly instances: string;
  /** How many events were taken, so that a run that does nothing is seen. */
  readonly taken: number;
}

const INSTANCES_PER_IMAGE = 250;

export function runGolden(core: Core, images: readonly Uint8Array[], events: number): Golden {
  const { exports } = core;
  const next = generator(20_261_124);
  core.host = { guard: () => next() & 1, action: () => 0 };
  let rolling = 0x811c9dc5 | 0;
  const fold = (word: number): void => {
    rolling = Math.imul(rolling ^ word, 0x01000193);
    rolling = (rolling << 7) | (rolling >>> 25);
  };
  const foldRecords = (): void => {
    const words = core.words;
    const from = exports.output() >>> 2;
    const to = from + exports.outputCount() * 2;
    for (let i = from; i < to; i++) fold(words[i]!);
  };
  const handles = images.map((image) => core.loadImage(image));
  const eventCounts = handles.map((handle) => core.words[(handle + 36) >>> 2]!);
  const make = (kind: number): number => {
    const instance = exports.create(handles[kind]!);
    fold(exports.start(instance, 0));
    foldRecords();
    return instance;
  };
  const instances = handles.map((_, kind) => Array.from({ length: INSTANCES_PER_IMAGE }, () => make(kind)));
  let taken = 0;
  for (let i = 0; i < events; i++) {
    const kind = next() % handles.length;
    const slot = next() % INSTANCES_PER_IMAGE;
    const pool = instances[kind]!;
    const result = exports.step(pool[slot]!, next() % eventCounts[kind]!, 0);
    fold(result);
    if (result <= 0) continue;
    taken++;
    foldRecords();
    if (result !== STEP_DONE) continue;
    exports.destroy(pool[slot]!);
    pool[slot] = make(kind);
  }
  const total = instances.flat().reduce((sum, instance, i) => sum + core.digest(instance) * BigInt(2 * i + 1), 0n);
  return {
    rolling: (rolling >>> 0).toString(16).padStart(8, '0'),
    instances: BigInt.asUintN(64, total).toString(16).padStart(16, '0'),
    taken,
  };
}

function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
