// The whole road in real browsers: two tabs, a server that can be killed, the REPL at the end of a pipe, and a wire that can be cut.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { ReplProcess } from './repl-process.ts';
import { screenshot } from './screenshots.ts';
import { ServerProcess } from './server-process.ts';
import { agreed, openChromium, patiently, Tab } from './tab.ts';
import { Wire } from './wire.ts';

const PAGES = fileURLToPath(new URL('../../build/pages/', import.meta.url));
let browser: Browser;
let server: ServerProcess;

beforeAll(async () => {
  browser = await openChromium();
  server = await new ServerProcess({ FOO_BORED_MS: '2500', FOO_HELLO_MS: '1000' }).start();
});
afterAll(async () => {
  await browser?.close();
  await server?.kill();
});

const tab = async (url: string, path: string): Promise<Tab> =>
  Tab.open(await browser.newContext({ viewport: { width: 1100, height: 800 } }), `${url}${path}`);
const both = (one: Tab, two: Tab): (() => ReturnType<Tab['holding']>)[] => [() => one.holding('front'), () => two.holding('front')];

test('[WEB-2] [WEB-3] two tabs, the server and the REPL stay in step, whoever moves', async () => {
  const repl = new ReplProcess(server.url);
  const [one, two] = [await tab(server.url, '/door/'), await tab(server.url, '/door/')];
  await one.send('front', { type: 'open', by: 'one' });
  await agreed('front', both(one, two), ({ value }) => value === 'open');
  expect(await repl.run('wait front open 5s')).toMatchObject({ ok: true });
  expect(await repl.run('send front close {"by":"repl"}')).toMatchObject({ ok: true });
  const closed = await agreed('front', both(one, two), ({ value }) => value === 'closed');
  expect(closed.context).toMatchObject({ by: 'repl' });
  expect(JSON.stringify(await repl.run('inspect front'))).toContain(closed.digest);
  // The server moves by itself: foo's boredom reaches a page and the REPL.
  const listener = await tab(server.url, '/foo-bar/');
  await expect.poll(() => listener.holding('foo').then(({ value }) => value), patiently).toBe('bored');
  expect(await repl.run('wait foo bored 5s')).toMatchObject({ ok: true });
  // Everybody at once, for a while.
  for (let round = 0; round < 10; round++) {
    await Promise.all([
      one.send('front', { type: 'open', by: 'one' }, { type: 'close', by: 'one' }),
      two.send('front', { type: 'lock', by: 'two' }, { type: 'unlock', by: 'two' }),
      repl.run('send front open {"by":"repl"}'),
    ]);
  }
  const settled = await agreed('front', both(one, two));
  await expect.poll(async () => JSON.stringify(await repl.run('inspect front')), patiently).toContain(settled.digest);
  await screenshot(one.page, 'door-tab-one');
  await screenshot(two.page, 'door-tab-two');
  expect([...one.complaints, ...two.complaints, ...listener.complaints]).toEqual([]);
  expect(await repl.end()).toBe(0);
  for (const each of [one, two, listener]) await each.page.context().close();
});

test('[WEB-4] a tab that is cut off keeps what was done, and nothing is lost or doubled when it is back', async () => {
  const wire = await Wire.lay(server.url);
  const [cut, other] = [await tab(wire.url, '/door/'), await tab(server.url, '/door/')];
  const start = await agreed('front', both(cut, other));
  await other.send('front', { type: 'unlock' }, { type: 'close' });
  const { context } = await agreed('front', both(cut, other), ({ value }) => value === 'closed');
  const opened = (context as { opened: number }).opened;
  for (let round = 1; round <= 3; round++) {
    await cut.send('front', { type: 'open', by: 'cut' });
    wire.cut();
    await expect.poll(() => cut.standing('front').then(({ standing }) => standing), patiently).toBe('offline');
    await cut.send('front', { type: 'close', by: 'cut' }, { type: 'open', by: 'cut' }, { type: 'close', by: 'cut' });
    if (round === 1) await screenshot(cut.page, 'door-offline');
    wire.mend();
    await agreed('front', both(cut, other), ({ context: held }) => (held as { opened: number }).opened === opened + 2 * round);
    expect((await cut.standing('front')).unconfirmed).toBe(0);
  }
  expect(start.seq).toBeGreaterThan(0);
  expect(cut.complaints).toEqual([]);
  wire.remove();
  for (const each of [cut, other]) await each.page.context().close();
});

test('[WEB-1] [WEB-6] the server is killed and started again: nothing is lost, tabs resume by themselves, a reloaded tab is the same peer', async () => {
  const [one, two] = [await tab(server.url, '/door/'), await tab(server.url, '/door/')];
  await one.send('front', { type: 'unlock' }, { type: 'close' }, { type: 'lock', by: 'before' });
  const before = await agreed('front', both(one, two), ({ value }) => value === 'locked');
  await server.kill();
  await one.send('front', { type: 'unlock', by: 'meanwhile' });
  await server.start();
  const after = await agreed('front', both(one, two), ({ value, seq }) => value === 'closed' && seq > before.seq);
  expect(after.context).toMatchObject({ by: 'meanwhile' });
  expect(after.seq).toBe(before.seq + 1);
  const id = await one.peerId();
  expect(await two.peerId()).not.toBe(id);
  await one.page.reload();
  await one.ready();
  expect(await one.peerId()).toBe(id);
  for (const each of [one, two]) await each.page.context().close();
});

test('[WEB-5] a page whose policy forbids WebAssembly runs the TypeScript core, in step with the others', async () => {
  const wire = await Wire.lay(
    server.url,
    "default-src 'self'; script-src 'self'; connect-src 'self' ws:; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
  );
  const [strict, other] = [await tab(wire.url, '/door/'), await tab(server.url, '/door/')];
  await strict.send('front', { type: 'unlock' }, { type: 'close' }, { type: 'open', by: 'strict' });
  await agreed('front', both(strict, other), ({ value }) => value === 'open');
  await other.send('front', { type: 'close', by: 'other' });
  await agreed('front', both(strict, other), ({ value }) => value === 'closed');
  wire.remove();
  for (const each of [strict, other]) await each.page.context().close();
});

test('[WEB-7] foo and bar talk both ways in two browsers, over one socket per browser; an empty message is refused', async () => {
  const wire = await Wire.lay(server.url);
  const [one, two] = [await tab(wire.url, '/foo-bar/'), await tab(server.url, '/foo-bar/')];
  expect(wire.socketCount).toBe(1);
  await one.page.fill('#text', 'hello from one');
  await one.page.press('#text', 'Enter');
  await one.shows('#bar-log', 'hello from one');
  await two.shows('#foo-log', 'hello from one');
  const before = await one.holding('bar');
  await one.page.fill('#text', '   ');
  await one.page.press('#text', 'Enter');
  await one.shows('#said', 'refuses an empty message');
  await agreed('bar', [() => one.holding('bar')], ({ context }) => JSON.stringify(context) === JSON.stringify(before.context));
  const repl = new ReplProcess(server.url);
  expect(await repl.run('send foo say {"text":"good evening"}')).toMatchObject({ ok: true });
  await one.shows('#bar-log', 'good evening');
  await two.shows('#bar-log', 'good evening');
  // Through the relay into a tab: the REPL reads that tab's own machine.
  const id = await one.peerId();
  expect(JSON.stringify(await repl.run(`inspect ${id}/bar`))).toContain('hello from one');
  await repl.end();
  await screenshot(one.page, 'foo-bar');
  await two.page.setViewportSize({ width: 390, height: 844 });
  await screenshot(two.page, 'foo-bar-phone');
  wire.remove();
  for (const each of [one, two]) await each.page.context().close();
});

/** A sentence that only the compiler has. */
const COMPILER = 'its default target';

test('[WEB-8] the pages hold no compiler', async () => {
  const assets = join(PAGES, 'assets');
  const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'));
  for (const name of scripts) expect(readFileSync(join(assets, name), 'utf8').includes(COMPILER), name).toBe(false);
  const product = fileURLToPath(new URL('../../build/dist/', import.meta.url));
  expect(readdirSync(product).some((name) => name.endsWith('.js') && readFileSync(join(product, name), 'utf8').includes(COMPILER))).toBe(
    true,
  );
  const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
  await page.goto(server.url);
  await expect.poll(() => page.textContent('#standing'), patiently).toBe('up');
  await screenshot(page, 'index');
  await page.close();
});
