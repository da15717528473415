// Where the browser tests put what they see: build/screenshots, beside everything else that a run leaves behind. Those of the repository
// (test/screenshots), which show people how the pages look, are written only when somebody asks for it: SCREENSHOTS=keep npm test

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIRECTORY = join(ROOT, process.env['SCREENSHOTS'] === 'keep' ? 'test/screenshots' : 'build/screenshots');

/** Writes `<name>.png`: the part of the page that is in sight, with everything where it glides to. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(DIRECTORY, `${name}.png`), animations: 'disabled' });
}
