// What a page pays for: client and core over the wire. `npx vitest run test/unit/page-size.test.ts` prints what weighs what.

import { expect, test } from 'vitest';
import { bundlePage, printWeights, sizeOf, type Weight } from '../support/page-bundle.ts';

/** Bytes, gzipped, without the author's machines and XState: the client and the core before the page connects. */
const SIZE_MAX = 48 * 1024;
/** And with all that it loads after that to watch, predict and send. */
const ROAD_MAX = 59 * 1024;

test('[WEB-8] client and core of a page stay under 48 KB gzipped until it connects, under 59 KB with all that it needs to watch, predict and send', async () => {
  const bundle = await bundlePage("import { connect } from '/browser/index.ts';\nvoid connect();\n");
  console.log(printWeights(bundle));
  expect(sizeOf(bundle.files)).toBeLessThanOrEqual(SIZE_MAX);
  expect(sizeOf([...bundle.files, ...bundle.road])).toBeLessThanOrEqual(ROAD_MAX);
  const namesOf = (weights: readonly Weight[]): (string | undefined)[] => weights.map(({ name }) => /(\w+)-[^/]*$/.exec(name)?.[1]);
  expect(namesOf(bundle.road)).toEqual(expect.arrayContaining(['tabs', 'binding']));
  // The core as TypeScript, what a page needs to order instances itself or to lead other tabs, and what runs programs wait until they are needed.
  expect(namesOf(bundle.later)).toEqual(expect.arrayContaining(['dialect', 'serving', 'leader', 'programs']));
  expect(bundle.modules.map(({ name }) => name)).not.toContain('peer/host.ts');
});
