// The golden run in Chromium: the page gets the release build and the TypeScript dialect, and must find the hashes that Node found.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { dialect } from '../../tools/bootstrap/dialect.ts';
import { launchChromium, serveDirectory, type Served } from '../support/chromium.ts';
import { goldenImages } from '../support/golden-images.ts';
import type { Golden } from '../support/golden.ts';

const EVENTS = 1_000_000;
const directory = mkdtempSync(join(tmpdir(), 'lockstep-golden-'));
let browser: Browser;
let served: Served;

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [dialect()],
    build: {
      outDir: directory,
      emptyOutDir: true,
      lib: { entry: fileURLToPath(new URL('../support/golden-page.ts', import.meta.url)), formats: ['es'], fileName: 'golden' },
    },
  });
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>golden</title><script type="module" src="/golden.js"></script>');
  served = await serveDirectory(directory, { '/core.wasm': fileURLToPath(new URL('../../build/core.wasm', import.meta.url)) });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  rmSync(directory, { recursive: true, force: true });
});

test.each(['wasm', 'typescript'] as const)('[CORE-2] a million random events end in the same hashes in Chromium, %s', async (engine) => {
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
});
