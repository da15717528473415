// lockstep/browser as it is shipped, in a page that nobody bundled, under the policy that our own server sends.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MemoryJournal } from '../../peer/memory.ts';
import { serve, type Server } from '../../server/index.ts';
import { launchChromium } from '../support/chromium.ts';
import { createMachine } from 'xstate';
import { tally } from '../support/mirror-machine.ts';

const SHIPPED = fileURLToPath(new URL('../../build/browser', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'lockstep-unbundled-'));
/** Its events ask for no functions and no timers. */
const lamp = createMachine({
  id: 'lamp',
  initial: 'off',
  states: { off: { on: { TURN: 'on' } }, on: { on: { TURN: 'off' } } },
});
let browser: Browser;
let server: Server;

beforeAll(async () => {
  cpSync(SHIPPED, join(directory, 'lockstep'), { recursive: true });
  writeFileSync(
    join(directory, 'page.js'),
    `import { connect } from '/lockstep/browser.js';
     const peer = await connect({ name: 'unbundled' });
     const mirror = await peer.watch('front');
     await mirror.submit({ type: 'COUNT' });
     document.body.textContent = JSON.stringify(mirror.getSnapshot().context);`,
  );
  writeFileSync(
    join(directory, 'index.html'),
    '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
  );
  writeFileSync(
    join(directory, 'small.js'),
    `import { connect } from '/lockstep/browser.js';
     const peer = await connect({ name: 'small', sharesSocket: false, encoding: 'json' });
     const mirror = await peer.watch('lamp');
     mirror.send({ type: 'TURN' });
     const predicted = mirror.getSnapshot().value;
     await mirror.submit({ type: 'TURN' });
     document.body.textContent = JSON.stringify([predicted, mirror.getSnapshot().value]);`,
  );
  writeFileSync(
    join(directory, 'small.html'),
    '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/small.js"></script>',
  );
  server = await serve({ machines: { tally, lamp }, port: 0, journal: new MemoryJournal(), pages: directory });
  await server.create('tally', 'front');
  await server.create('lamp', 'lamp');
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

test('[WEB-15] a page that nobody bundled connects under the strictest policy: scripts, worker and core are files of this origin', async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(server.url);
  await expect.poll(() => page.textContent('body'), { timeout: 10_000 }).toBe('{"count":1,"words":[]}');
  const loaded = await page.evaluate<string[]>(`performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)`);
  expect(loaded).toContain('/lockstep/core.small.wasm');
  expect(complaints).toEqual([]);
});

test('[WEB-8] a page that connects by a socket of its own, watches, predicts and sends loads client, core and socket, and nothing else', async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/small.html`);
  await expect.poll(() => page.textContent('body'), { timeout: 10_000 }).toBe('["on","off"]');
  const loaded = await page.evaluate<string[]>(`performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)`);
  const names = loaded.map((path) => path.replace(/-.{8}\.js$/, '.js')).sort();
  expect(names).toEqual([
    '/lockstep/arrivals.js',
    '/lockstep/browser.js',
    '/lockstep/client.js',
    '/lockstep/core.small.wasm',
    '/lockstep/socket.js',
    '/small.js',
  ]);
});
