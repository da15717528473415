// lockstep/xstate in Chromium: React's hooks over a machine and over its logic show the same, also on a page that forbids WebAssembly.

import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { buildPage } from '../support/built-page.ts';
import { launchChromium, serveDirectory, type Served } from '../support/chromium.ts';

let directory: string;
let browser: Browser;
let served: Served;

beforeAll(async () => {
  directory = await buildPage('test/support/react-page.ts');
  served = await serveDirectory(directory);
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  rmSync(directory, { recursive: true, force: true });
});

type Handle = { send(event: { type: string }): void; settled(): Promise<unknown> };

async function texts(page: Page): Promise<unknown[]> {
  return Promise.all(['plain', 'core'].map(async (id) => JSON.parse((await page.textContent(`#${id}`))!) as unknown));
}

/** Both views get the events, and then show what this gives. */
async function shows(page: Page, events: readonly string[], expected: unknown): Promise<void> {
  await page.evaluate<unknown, readonly string[]>(async (types) => {
    for (const name of ['plain', 'core']) {
      const handle = (globalThis as unknown as { readonly [name: string]: Handle })[name]!;
      await handle.settled();
      for (const type of types) handle.send({ type });
    }
  }, events);
  await expect.poll(() => texts(page), { timeout: 10_000 }).toEqual([expected, expected]);
}

/** @returns whether the page may compile WebAssembly. */
async function play(file: string): Promise<boolean> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${served.url}/${file}`);
  await page.waitForSelector('#core');
  await shows(page, [], ['idle', 0, 'loaded', 0, true, 'idle', 'active']);
  await shows(page, ['INC', 'INC'], ['idle', 2, 'loaded', 2, true, 'idle', 'active']);
  await shows(page, ['INC', 'EDIT'], ['editing', 3, 'loaded', 3, false, 'idle', 'active']);
  expect(complaints).toEqual([]);
  const isAllowed = await page.evaluate<boolean>(
    `(() => { try { return new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) !== undefined; } catch { return false; } })()`,
  );
  await page.close();
  return isAllowed;
}

test('[XSTATE-12] useMachine, useSelector, useActor and useActorRef show the same of a machine and of its logic', async () => {
  expect(await play('index.html')).toBe(true);
});

test('[XSTATE-13] where the policy forbids WebAssembly the core runs as TypeScript', async () => {
  expect(await play('strict.html')).toBe(false);
});
