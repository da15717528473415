// Bindings in Chromium: a mirror under React, through our hooks and through those of @xstate/react, and without a framework.

import { rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryJournal } from '../../peer/memory.ts';
import { serve, type Server } from '../../server/index.ts';
import { buildPage } from '../support/built-page.ts';
import { launchChromium } from '../support/chromium.ts';
import { tally } from '../support/mirror-machine.ts';

let directory: string;
let browser: Browser;
let server: Server;

beforeAll(async () => {
  directory = await buildPage('test/support/mirror-page.ts');
  server = await serve({ machines: { tally }, port: 0, journal: new MemoryJournal(), pages: directory });
  for (const instance of ['front', 'back', 'filtered']) await server.create('tally', instance);
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

const shown = (page: Page) => (): Promise<string | null> => page.evaluate(() => document.querySelector('#shown')?.textContent ?? null);
const run = (page: Page, source: string): Promise<unknown> => page.evaluate(source);

test('[WEB-11] [WEB-12] a mirror under React: our hooks, the useSelector of @xstate/react, and select show the same', async () => {
  const [one, two] = [await browser.newPage(), await browser.newPage()];
  const complaints: string[] = [];
  for (const page of [one, two]) {
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    await page.goto(server.url);
    await expect.poll(shown(page), { timeout: 15_000 }).toBe('["resting",0,0,"confirmed"]');
  }
  await run(two, 'void pick()');
  const before = (await run(two, 'renders()')) as number;
  await run(one, `mirror.send({ type: 'COUNT' }); mirror.send({ type: 'COUNT' }); mirror.send({ type: 'REST' })`);
  for (const page of [one, two]) await expect.poll(shown(page)).toBe('["resting",2,2,"confirmed"]');
  // The component that picks words was not rendered again for what it does not show.
  expect(await run(two, 'renders()')).toBe(before);
  await run(one, `mirror.send({ type: 'SAY', word: 'well' })`);
  await expect.poll(() => two.evaluate(() => document.querySelector('#words')?.textContent)).toBe('well');
  expect(await run(two, 'renders()')).toBeGreaterThan(before);
  expect(((await run(two, 'picked()')) as string[]).at(-1)).toMatch(/→2$/);
  // Another instance: the old mirror is given back, the new one shows.
  await run(two, `setInstance('back')`);
  await expect.poll(shown(two)).toBe('["resting",0,0,"confirmed"]');
  await run(two, `setInstance('nowhere')`);
  await expect.poll(shown(two)).toBe('failed');
  expect(complaints).toEqual([]);
}, 60_000);

test('[FILTER-1] [FILTER-2] a filtered mirror in a page: one state under React, and nothing that was not asked for', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  const filtered = (): Promise<string | null> => page.evaluate(() => document.querySelector('#filtered')?.textContent ?? null);
  await expect.poll(filtered, { timeout: 15_000 }).toBe('[false,{}]');
  await run(page, `filtered.submit({ type: 'COUNT' })`);
  await expect.poll(filtered).toBe('[true,{}]');
  await run(page, `filtered.submit({ type: 'REST' })`);
  await expect.poll(filtered).toBe('[false,{}]');
  const refused = run(
    page,
    `(() => { try { return filtered.getSnapshot().matches('resting') } catch (error) { return error.message } })()`,
  );
  expect(await refused).toMatch(/"resting"/);
}, 60_000);
