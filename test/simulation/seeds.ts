// Runs many seeds one after the other, each in a world of its own.

import type { Core } from '../../core/wasm.ts';
import { testCore } from '../support/core.ts';
import { PLANTS } from './plants.ts';
import { type Feature, type Result, simulate } from './simulation.ts';

/** Worlds per core: images stay loaded for as long as a core lives. */
const WORLDS_PER_CORE = 50;

let core: Core | undefined;
let worlds = 0;

/** @param without what its worlds did not have yet when the seed was found. */
export async function once(seed: number, without: readonly Feature[] = []): Promise<Result> {
  if (core === undefined || worlds++ % WORLDS_PER_CORE === 0) core = await testCore();
  return simulate(seed, core, without);
}

/** The first failure of each seed in [first, first + count), with what replays it. */
export async function failuresOf(first: number, count: number): Promise<readonly string[]> {
  const failed: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const [failure] = (await once(seed)).failures;
    if (failure !== undefined) failed.push(`npm run simulate -- --seed ${seed}: ${failure}`);
  }
  return failed;
}

/** @returns the first seed that finds the plant, with what it found; undefined when none does. */
export async function foundBy(plant: string, first: number, count: number): Promise<{ seed: number; failure: string } | undefined> {
  const apply = PLANTS[plant];
  if (apply === undefined) throw new Error(`no plant ${plant}; there are ${Object.keys(PLANTS).join(', ')}`);
  const restore = apply();
  try {
    for (let seed = first; seed < first + count; seed++) {
      const [failure] = (await once(seed)).failures;
      if (failure !== undefined) return { seed, failure };
    }
    return undefined;
  } finally {
    restore();
  }
}
