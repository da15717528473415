// What a page pays for: client and core over the wire. `npx vitest run test/unit/page-size.test.ts` prints what weighs what.

import { expect, test } from 'vitest';
import { bundlePage, printWeights, sizeOf, type Weight } from '../support/page-bundle.ts';

/** Bytes, gzipped, without the author's machines and XState: client and core of a page that connects, watches, predicts and sends. */
const SIZE_MAX = 43 * 1024;
/** And with what comes beside the first dial: its share of a socket, and the packed encoding. */
const DIAL_MAX = 49 * 1024;
/** And with what finds and runs the author's functions. */
const FUNCTIONS_MAX = 61 * 1024;

test('[WEB-8] client and core of a page that connects, watches, predicts and sends stay under 43 KB gzipped, under 49 KB with what comes beside the first dial, under 61 KB with what runs functions', async () => {
  const bundle = await bundlePage("import { connect } from '/browser/index.ts';\nvoid connect();\n");
  console.log(printWeights(bundle));
  expect(sizeOf(bundle.files)).toBeLessThanOrEqual(SIZE_MAX);
  expect(sizeOf([...bundle.files, ...bundle.beside])).toBeLessThanOrEqual(DIAL_MAX);
  expect(sizeOf([...bundle.files, ...bundle.beside, ...bundle.functions])).toBeLessThanOrEqual(FUNCTIONS_MAX);
  const namesOf = (weights: readonly Weight[]): (string | undefined)[] => weights.map(({ name }) => /(\w+)-[^/]*$/.exec(name)?.[1]);
  expect(namesOf(bundle.beside)).toContain('tabs');
  expect(namesOf(bundle.functions)).toEqual(expect.arrayContaining(['binding', 'instance']));
  // The core as TypeScript, what a page needs to order instances itself or to lead other tabs, and what runs programs wait until they are needed.
  expect(namesOf(bundle.later)).toEqual(expect.arrayContaining(['dialect', 'serving', 'leader', 'programs']));
  expect(bundle.modules.map(({ name }) => name)).not.toContain('peer/host.ts');
});
