// The golden run on the engines that Node has. test/browser/golden.test.ts runs the same in Chromium. UPDATE=1 writes the expected hashes anew.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDialectCore } from '../../core/dialect.ts';
import { Core } from '../../core/wasm.ts';
import { testCore } from '../support/core.ts';
import { goldenImages } from '../support/golden-images.ts';
import { runGolden } from '../support/golden.ts';

const EVENTS = 1_000_000;
const vector = new URL('../vectors/golden.json', import.meta.url);

test.each([
  ['the release build', () => testCore('release')],
  ['the small build', () => testCore('small')],
  ['the debug build', () => testCore('debug')],
  ['the TypeScript dialect', async () => Core.fromExports(createDialectCore)],
])('[CORE-2] a million random events end in the same hashes on %s', async (name, make) => {
  const found = runGolden(await make(), goldenImages, EVENTS);
  if (process.env['UPDATE'] !== undefined && name === 'the release build') writeFileSync(vector, `${JSON.stringify(found, null, 2)}\n`);
  expect(found).toEqual(JSON.parse(readFileSync(vector, 'utf8')));
  expect(found.taken).toBeGreaterThan(EVENTS / 4);
});
