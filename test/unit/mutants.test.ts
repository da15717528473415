// The list of mutants keeps up with the core: each replaces text that its file has exactly once. Killing them is for `npm run mutants`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../tidy/source.ts';

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
}

const MUTANTS_MIN = 24;

test('[CHART-10] the text that a mutant breaks is in the core exactly once', async () => {
  const { MUTANTS } = (await import(/* @vite-ignore */ join(ROOT, 'tools/mutants/list.mjs'))) as { MUTANTS: readonly Mutant[] };
  expect(MUTANTS.length).toBeGreaterThanOrEqual(MUTANTS_MIN);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  for (const { name, file, edits } of MUTANTS) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [from, to] of edits) expect([name, text.split(from).length - 1, from === to]).toEqual([name, 1, false]);
  }
});
