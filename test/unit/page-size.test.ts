// What a page pays for: client and core over the wire. `npx vitest run test/unit/page-size.test.ts` prints what weighs what.

import { expect, test } from 'vitest';
import { bundlePage, printWeights, sizeOf } from '../support/page-bundle.ts';

/** Bytes, gzipped: the client without the author's machines and XState, and the core. */
const SIZE_MAX = 49 * 1024;

test('[WEB-8] client and core of a page that connects stay under 49 KB gzipped', async () => {
  const bundle = await bundlePage("import { connect } from '/browser/index.ts';\nvoid connect();\n");
  console.log(printWeights(bundle));
  expect(sizeOf(bundle.files)).toBeLessThanOrEqual(SIZE_MAX);
  // The core as TypeScript, what a page needs to order instances itself, and what finds functions wait until they are needed.
  expect(bundle.later.map(({ name }) => /(\w+)-[^/]*$/.exec(name)?.[1])).toEqual(expect.arrayContaining(['dialect', 'serving', 'binding']));
  expect(bundle.modules.map(({ name }) => name)).not.toContain('peer/host.ts');
});
