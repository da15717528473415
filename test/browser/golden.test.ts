// The golden run in Chromium: the page gets the whole core, the small one and the TypeScript dialect, and must find the hashes that Node found.

import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { buildPage } from '../support/built-page.ts';
import { launchChromium, serveDirectory, type Served } from '../support/chromium.ts';
import { goldenImages } from '../support/golden-images.ts';
import type { Golden } from '../support/golden.ts';

const EVENTS = 1_000_000;
let directory: string;
let browser: Browser;
let served: Served;

beforeAll(async () => {
  directory = await buildPage('test/support/golden-page.ts');
  const built = (name: string): string => fileURLToPath(new URL(`../../build/${name}`, import.meta.url));
  served = await serveDirectory(directory, { '/core.wasm': built('core.wasm'), '/core.small.wasm': built('core.small.wasm') });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  rmSync(directory, { recursive: true, force: true });
});

test.each(['core.wasm', 'core.small.wasm', 'typescript'] as const)(
  '[CORE-2] a million random events end in the same hashes in Chromium, %s',
  async (engine) => {
    const page = await browser.newPage();
    await page.goto(`${served.url}/index.html`);
    await page.waitForFunction('typeof golden === "function"');
    const images = goldenImages.map((image) => Buffer.from(image).toString('base64'));
    const found = await page.evaluate<Golden, [string, string[], number]>(
      ([which, bytes, events]) => (globalThis as unknown as { golden(...args: unknown[]): Promise<Golden> }).golden(which, bytes, events),
      [engine, images, EVENTS],
    );
    expect(found).toEqual(JSON.parse(readFileSync(new URL('../vectors/golden.json', import.meta.url), 'utf8')));
    await page.close();
  },
);
