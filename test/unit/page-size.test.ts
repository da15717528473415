// What a page pays for: client and core over the wire. `npx vitest run test/unit/page-size.test.ts` prints what weighs what.

import { expect, test } from 'vitest';
import { bundlePage, printWeights, sizeOf, type Weight } from '../support/page-bundle.ts';

/** Bytes, gzipped, without the author's machines and XState: a page that connects by a socket of its own, watches, predicts and sends. */
const SIZE_MAX = 40 * 1024;
/** The same by its share of a socket and in the packed encoding, which is what a page does unless it says otherwise. */
const USUAL_MAX = 45 * 1024;
/** And with what finds and runs the author's functions. */
const FUNCTIONS_MAX = 57.5 * 1024;

test('[WEB-8] client and core of a page that connects, watches, predicts and sends stay under 40 KB gzipped, under 45 KB sharing a socket and packed, under 57.5 KB with what runs functions', async () => {
  const bundle = await bundlePage("import { connect } from '/browser/index.ts';\nvoid connect();\n");
  console.log(printWeights(bundle));
  const { files, alone, usual, functions } = bundle;
  expect(sizeOf([...files, ...alone])).toBeLessThanOrEqual(SIZE_MAX);
  expect(sizeOf([...files, ...usual])).toBeLessThanOrEqual(USUAL_MAX);
  expect(sizeOf([...files, ...usual, ...functions])).toBeLessThanOrEqual(FUNCTIONS_MAX);
  const namesOf = (weights: readonly Weight[]): (string | undefined)[] => weights.map(({ name }) => /([\w-]+)-.{8}\.js$/.exec(name)?.[1]);
  expect(namesOf(alone)).toContain('socket');
  expect(namesOf(usual)).toEqual(expect.arrayContaining(['tabs', 'codec-packed']));
  expect(namesOf(functions)).toEqual(expect.arrayContaining(['binding', 'instance']));
  // The core as TypeScript, what a page needs to order instances itself or to lead other tabs, and what runs programs wait until they are needed.
  expect(namesOf(bundle.later)).toEqual(expect.arrayContaining(['dialect', 'serving', 'leader', 'programs']));
  expect(bundle.modules.map(({ name }) => name)).not.toContain('peer/host.ts');
});
