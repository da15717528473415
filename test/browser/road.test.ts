// The whole road in real browsers: two tabs, a server that can be killed, the REPL at the end of a pipe, and a wire that can be cut.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { ReplProcess } from './repl-process.ts';
import { screenshot } from './screenshots.ts';
import { ServerProcess } from './server-process.ts';
import { agreed, type Holding, openChromium, patiently, Tab } from './tab.ts';
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
  const compiles = (): Promise<boolean> =>
    WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])).then(
      () => true,
      () => false,
    );
  expect([await strict.page.evaluate(compiles), await other.page.evaluate(compiles)]).toEqual([false, true]);
  await strict.send('front', { type: 'unlock' }, { type: 'close' }, { type: 'open', by: 'strict' });
  await agreed('front', both(strict, other), ({ value }) => value === 'open');
  await other.send('front', { type: 'close', by: 'other' });
  await agreed('front', both(strict, other), ({ value }) => value === 'closed');
  wire.remove();
  for (const each of [strict, other]) await each.page.context().close();
});

/** foo and bar as either kind of machine: where the page is, what tells foo to speak, what a tab's bar is called and shows of what it said. */
const KINDS = [
  {
    kind: 'statecharts',
    page: '/foo-bar/',
    says: 'send foo say {"text":"good evening"}',
    bar: 'bar',
    shows: 'hello from one',
    shot: 'foo-bar',
  },
  {
    kind: 'relational machines',
    page: '/foo-bar/?machines=relational',
    says: 'add relational-foo Msg {"text":"good evening","from":"foo"}',
    bar: 'relational-bar',
    shows: '"active":["Msg","Start","SubmitMsg"]',
    shot: 'foo-bar-relational',
  },
] as const;

test.each(KINDS)(
  '[WEB-7] foo and bar ($kind) talk both ways in two browsers, over one socket per browser; an empty message is refused',
  async ({ page, says, bar, shows, shot }) => {
    const wire = await Wire.lay(server.url);
    const [one, two] = [await tab(wire.url, page), await tab(server.url, page)];
    expect(wire.socketCount).toBe(1);
    await one.page.fill('#text', 'hello from one');
    await one.page.press('#text', 'Enter');
    await one.shows('#bar-log', 'hello from one');
    await two.shows('#foo-log', 'hello from one');
    const before = await one.holding('bar');
    await one.page.fill('#text', '   ');
    await one.page.press('#text', 'Enter');
    await one.shows('#said', 'refuses an empty message');
    const isAsBefore = ({ value, context }: Holding): boolean =>
      JSON.stringify([value, context]) === JSON.stringify([before.value, before.context]);
    await agreed('bar', [() => one.holding('bar')], isAsBefore);
    const repl = new ReplProcess(server.url);
    expect(await repl.run(says)).toMatchObject({ ok: true });
    await one.shows('#bar-log', 'good evening');
    await two.shows('#bar-log', 'good evening');
    // Through the relay into a tab: the REPL reads that tab's own machine.
    const id = await one.peerId();
    expect(JSON.stringify(await repl.run(`inspect ${id}/${bar}`))).toContain(shows);
    await repl.end();
    await screenshot(one.page, shot);
    await two.page.setViewportSize({ width: 390, height: 844 });
    await screenshot(two.page, `${shot}-phone`);
    expect([...one.complaints, ...two.complaints]).toEqual([]);
    wire.remove();
    for (const each of [one, two]) await each.page.context().close();
  },
);

test('[REL-37] in a page waits on a relational machine outlive a cut wire and a killed server, and nothing said meanwhile is lost or doubled', async () => {
  const wire = await Wire.lay(server.url);
  const [cut, other] = [await tab(wire.url, '/foo-bar/?machines=relational'), await tab(server.url, '/foo-bar/?machines=relational')];
  const heard = (): Promise<string[]> =>
    other.page
      .locator('#foo-log li')
      .evaluateAll((rows) => rows.map((row) => row.lastChild?.textContent ?? '').filter((text) => /^word/.test(text)));
  await cut.page.evaluate(() => {
    const { face } = globalThis.lockstep;
    const over: string[] = [];
    Object.assign(globalThis, { over });
    const note = (name: string) => (): unknown => over.push(name);
    void face.whenArgs('Msg', { text: 'word 9' }).then(note('args'));
    void face.when(['Bored', 'Heartbeat']).then(note('when'));
    void face.whenTicks('Heartbeat', 1).then(note('ticks'));
    face.stateSignal('Heartbeat').addEventListener('abort', note('signal'));
  });
  const say = async (tabOf: Tab, text: string): Promise<void> => {
    await tabOf.page.fill('#text', text);
    await tabOf.page.press('#text', 'Enter');
    await tabOf.shows('#bar-log', text);
  };
  await say(cut, 'word 1');
  wire.cut();
  await expect.poll(() => cut.standing('foo').then(({ standing }) => standing), patiently).toBe('offline');
  await say(cut, 'word 2');
  await say(cut, 'word 3');
  wire.mend();
  await expect.poll(heard, patiently).toEqual(['word 1', 'word 2', 'word 3']);
  await server.kill();
  await say(cut, 'word 4');
  await server.start();
  await expect.poll(heard, patiently).toEqual(['word 1', 'word 2', 'word 3', 'word 4']);
  await say(other, 'word 9');
  const repl = new ReplProcess(server.url);
  expect(await repl.run('add relational-foo Bored,Heartbeat')).toMatchObject({ ok: true, outcome: 'executed' });
  await repl.end();
  const over = (): Promise<string[]> => cut.page.evaluate(() => [...(globalThis as unknown as { over: string[] }).over].sort());
  await expect.poll(over, patiently).toEqual(['args', 'signal', 'ticks', 'when']);
  wire.remove();
  for (const each of [cut, other]) await each.page.context().close();
});

test('[TOOL-18] the viewer shows mutations: what handlers said, what moved, and the states lit', async () => {
  // The viewer first: it knows the steps from there on, and the server has been killed before.
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(`${server.url}/trace/`);
  await expect.poll(() => page.locator('.row').count(), patiently).toBeGreaterThan(0);
  const repl = new ReplProcess(server.url);
  await repl.run('add relational-foo Msg {"text":"in the viewer","from":"me"}');
  await repl.run('add relational-foo Msg {"text":"  ","from":"me"}');
  await repl.end();
  const row = (text: string): ReturnType<typeof page.locator> => page.locator('.row', { hasText: text });
  // foo may say hello meanwhile.
  const [made, cancelled] = [row('add Msg').filter({ hasNotText: 'ignored' }), row('add Msg').filter({ hasText: 'ignored' })];
  await expect.poll(() => cancelled.count(), patiently).toBeGreaterThan(0);
  await cancelled.last().click();
  const card = page.locator('[data-card=why]');
  await expect.poll(() => card.innerText(), patiently).toMatch(/MsgEnter\s+said no/);
  expect(await page.locator('.taken').innerText()).toBe('cancelled: add Msg');
  await made.last().click();
  await expect.poll(() => card.innerText(), patiently).toMatch(/MsgEnter[^]*\+Msg[^]*handler MsgState/);
  expect(await page.locator('[data-state=Msg][data-active=true]').count()).toBe(1);
  await screenshot(page, 'trace-relational');
  await page.close();
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
