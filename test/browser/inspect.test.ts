// A plain XState program in the trace viewer, in Chromium, beside a real server with the examples. Screenshots: test/screenshots/inspect-*.png.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../support/xstate-program.ts';
import { screenshot } from './screenshots.ts';
import { serveDirectory } from '../support/chromium.ts';
import { CLI, ServerProcess } from './server-process.ts';
import { openChromium, patiently, Tab } from './tab.ts';

const DOORBELL = fileURLToPath(new URL('../support/doorbell.mjs', import.meta.url));

let server: ServerProcess;
let browser: Browser;
let context: BrowserContext;
let viewer: Page;
let program: ChildProcess;
let directory: string;
const complaints: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'lockstep-inspect-'));
  server = await new ServerProcess({ FOO_BORED_MS: '600000', FOO_HELLO_MS: '500000' }).start();
  browser = await openChromium();
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true });
  viewer = await openViewer();
});

afterAll(async () => {
  program?.kill();
  await browser?.close();
  await server?.remove();
  rmSync(directory, { recursive: true, force: true });
});

async function openViewer(): Promise<Page> {
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${server.url}/trace`);
  await page.waitForSelector('#status.on');
  return page;
}

function send(...events: string[]): void {
  program.stdin!.write(events.map((event) => `${event}\n`).join(''));
}

/** The row of an event of an actor. */
function row(event: string, actor: string, page = viewer) {
  return page
    .locator('.row', { has: page.locator('.event', { hasText: new RegExp(`^${event}$`) }) })
    .filter({ has: page.locator('.where', { hasText: actor }) });
}

/** Ids of the states that are lit. */
function lit(page = viewer): Promise<string[]> {
  return page
    .locator('[data-active=true]')
    .evaluateAll((elements) => elements.map((element) => (element as HTMLElement).dataset['state']!));
}

function changed(page = viewer): Promise<string[]> {
  return page.locator('[data-card=context] .diff div:not(.same)').allInnerTexts();
}

test('[INSPECT-12] a plain XState program appears live beside our own peers, with its actors as lanes', async () => {
  const door = await Tab.open(context, `${server.url}/door`);
  program = spawn(process.execPath, [DOORBELL, `${server.url.replace('http', 'ws')}/inspect`], { stdio: ['pipe', 'ignore', 'inherit'] });
  await viewer.bringToFront();
  await expect.poll(() => row('xstate.init', 'door x:0').count(), patiently).toBe(1);
  send('KNOCK');
  await expect.poll(() => row('done ask', 'door x:0').count(), patiently).toBe(1);
  await door.send('front', { type: 'open', by: 'Ann' });
  await expect.poll(() => row('open', 'front #2').count(), patiently).toBe(1);
  send('CLOSE', 'KNOCK');
  await expect.poll(() => row('RING', 'bell x:1').count(), patiently).toBe(2);
  const lanes = await viewer.locator('.lane-name').allInnerTexts();
  expect(lanes).toEqual(expect.arrayContaining(['server', 'front', 'door (XState)', 'door x:0', 'bell x:1', 'ask x:2']));
});

test('[INSPECT-12] selecting and stepping shows cause, value, context before and after', async () => {
  await row('done ask', 'door x:0').first().click();
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.open', 'door.open.wide']);
  expect(await changed()).toEqual(['−  who: null', '+  who: "a friend"']);
  expect(await viewer.locator('[data-card=cause]').innerText()).toContain('ask x:2, in');
  expect(await viewer.locator('[data-card=why]').innerText()).toContain('not why');
  await screenshot(viewer, 'inspect-program');
  await viewer.keyboard.press('Shift+ArrowLeft');
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.asking']);
  expect(await changed()).toEqual(['−  visits: 0', '+  visits: 1']);
  await viewer.keyboard.press('Shift+ArrowRight');
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.open', 'door.open.wide']);
  await row('RING', 'bell x:1').first().click();
  await expect.poll(() => lit(), patiently).toEqual(['bell', 'bell.ringing']);
  await viewer.locator('[data-card=cause] .jump').click();
  await expect.poll(() => viewer.locator('.row[aria-selected=true] .event').innerText(), patiently).toBe('KNOCK');
  expect(await viewer.locator('.row[aria-selected=true] .where').innerText()).toContain('door x:0');
});

test('[INSPECT-12] the filter knows actors; another viewer that comes later sees the same', async () => {
  const bell = await viewer.locator('#filter-instance option', { hasText: 'bell x:1' }).getAttribute('value');
  await viewer.selectOption('#filter-instance', bell!);
  await expect.poll(() => viewer.locator('.row').count(), patiently).toBeGreaterThanOrEqual(3);
  expect(await viewer.locator('.row .where').allInnerTexts()).toEqual(
    expect.arrayContaining([expect.stringContaining('bell x:1') as string]),
  );
  await viewer.selectOption('#filter-instance', '');
  send('bye');
  const later = await openViewer();
  await expect.poll(() => row('done ask', 'door x:0', later).count(), patiently).toBe(2);
  await row('done ask', 'door x:0', later).first().click();
  await expect.poll(() => lit(later), patiently).toEqual(['door', 'door.open', 'door.open.wide']);
  await later.emulateMedia({ colorScheme: 'dark' });
  await screenshot(later, 'inspect-program-dark');
  await later.close();
});

/** Stands in for Stately's page, which is not on this machine: says that it is there, and keeps what it is handed. */
const INSPECTOR = `<!doctype html><title>inspector</title><script>
  globalThis.heard = [];
  addEventListener('message', ({ data }) => heard.push(data.type + ' ' + data.sessionId));
  setTimeout(() => parent.postMessage({ type: '@statelyai.connected' }, '*'), 100);
</script>`;

test('[INSPECT-5] lockstep inspect as a process: its page hands an inspector what a server does', async () => {
  writeFileSync(path.join(directory, 'index.html'), INSPECTOR);
  const inspector = await serveDirectory(directory);
  const command = spawn(process.execPath, [CLI, 'inspect', server.url, '--port', '0', '--inspector', `${inspector.url}/index.html`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  command.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    await expect.poll(() => said, patiently).toMatch(/inspector at http:\S+[^]*attached/);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(/inspector at (http:\S+)/.exec(said)![1]!);
    const heard = (): Promise<string[]> => page.frames()[1]!.evaluate(() => (globalThis as unknown as { readonly heard: string[] }).heard);
    await expect
      .poll(heard, patiently)
      .toEqual(expect.arrayContaining(['@xstate.actor #server', '@xstate.actor front', '@xstate.snapshot front']));
    await page.close();
  } finally {
    const ended = new Promise((resolve) => command.once('exit', resolve));
    command.kill('SIGTERM');
    expect(await ended).toBe(0);
    await inspector.close();
  }
});

test('[INSPECT-11] a file of bare messages is shown after import', async () => {
  const file = path.join(directory, 'messages.jsonl');
  writeFileSync(file, (await runProgram()).map((message) => JSON.stringify(message)).join('\n'));
  const page = await openViewer();
  await page.click('#clear');
  await page.setInputFiles('#file', file);
  await expect.poll(() => row('CLOSE', 'door x:0', page).count(), patiently).toBe(1);
  await row('CLOSE', 'door x:0', page).click();
  await expect.poll(() => lit(page), patiently).toEqual(['door', 'door.closed']);
  await page.close();
  expect(complaints).toEqual([]);
});
