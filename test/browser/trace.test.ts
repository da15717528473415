// The trace viewer in Chromium, beside a real server with the examples and two tabs that use them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { assign, raise, setup } from 'xstate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TraceModel } from '../../tools/trace/model.ts';
import { testCore } from '../support/core.ts';
import { Recorder } from '../support/recorder.ts';
import { screenshot } from './screenshots.ts';
import { ServerProcess } from './server-process.ts';
import { openChromium, patiently, Tab } from './tab.ts';

/** More than any list that is drawn whole could take. */
const MANY = 5_000;

let server: ServerProcess;
let browser: Browser;
let context: BrowserContext;
let viewer: Page;
let door: Tab;
let directory: string;
const complaints: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'lockstep-trace-'));
  server = await new ServerProcess({ FOO_BORED_MS: '600000', FOO_HELLO_MS: '500000' }).start();
  browser = await openChromium();
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true });
  viewer = await openViewer(context, `${server.url}/trace`);
  door = await Tab.open(context, `${server.url}/door`);
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
  rmSync(directory, { recursive: true, force: true });
});

async function openViewer(at: BrowserContext, url: string): Promise<Page> {
  const page = await at.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  await page.waitForSelector('#status.on');
  return page;
}

/** The rows in sight: event, instance and seq. */
function rows(page: Page = viewer): Promise<string[]> {
  return page.locator('.row').evaluateAll((elements) =>
    elements
      .map((element) => ({
        top: Number.parseInt((element as HTMLElement).style.top),
        text: `${element.querySelector('.event')!.textContent} ${element.querySelector('.where')!.textContent}`,
      }))
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text),
  );
}

function selected(page: Page = viewer): Promise<string | null> {
  return page.locator('.row[aria-selected=true] .where').textContent();
}

/** Ids of the states that are lit. */
function lit(page: Page = viewer): Promise<string[]> {
  return page
    .locator('[data-active=true]')
    .evaluateAll((elements) => elements.map((element) => (element as HTMLElement).dataset['state']!));
}

async function shows(text: string, page: Page = viewer): Promise<void> {
  await expect.poll(() => rows(page), patiently).toContain(text);
}

/** The lines of the context that the step changed. */
function changed(page: Page = viewer): Promise<string[]> {
  return page.locator('[data-card=context] .diff div:not(.same)').allInnerTexts();
}

test('[TOOL-11] steps of the server and of a tab appear as they happen, with their causes', async () => {
  await shows('xstate.init front #1');
  await door.send('front', { type: 'open', by: 'Ann' });
  await shows('open front #2');
  const fooBar = await Tab.open(context, `${server.url}/foo-bar`);
  const bar = await fooBar.page.evaluate(() => Object.values(globalThis.lockstep.mirrors).find(({ id }) => id.includes('/'))!.id);
  await fooBar.page.evaluate(
    (id) =>
      Object.values(globalThis.lockstep.mirrors)
        .find((mirror) => mirror.id === id)!
        .send({ type: 'say', text: 'hello there' }),
    bar,
  );
  const name = `${await fooBar.page.evaluate(() => globalThis.lockstep.peer.peers().find(({ peer }) => peer === globalThis.lockstep.peer.id)!.name)}/bar`;
  await shows(`say ${name} #2`);
  await expect.poll(async () => (await rows()).some((row) => /^message foo #\d+$/.test(row)), patiently).toBe(true);
  const peers = await viewer.locator('.lane-name.peer').allInnerTexts();
  expect(peers).toEqual(expect.arrayContaining(['server', name.split('/')[0]]));
  expect(await viewer.locator('.lane-name.instance').allInnerTexts()).toEqual(expect.arrayContaining(['front', 'foo', 'bar']));
  // The message that foo heard was sent by the tab, and because of the step of bar.
  await viewer.bringToFront();
  await viewer
    .locator('.row', { hasText: /^message/ })
    .last()
    .click();
  await expect.poll(() => viewer.locator('[data-card=cause] dd').first().innerText(), patiently).toBe('message');
  expect(await viewer.locator('[data-card=cause]').innerText()).toContain(name.split('/')[0]);
  await viewer.locator('[data-card=cause] .jump').click();
  await expect.poll(() => selected(), patiently).toBe(`${name} #2`);
});

test('[TOOL-12] stepping back lights the earlier configuration and shows what changed', async () => {
  await door.send('front', { type: 'close', by: 'Bob' }, { type: 'unlock' }, { type: 'lock', by: 'Ann' });
  await shows('lock front #5');
  await viewer.locator('.row', { hasText: 'lock' }).filter({ hasText: 'front #5' }).click();
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.locked']);
  await expect.poll(() => changed(), patiently).toEqual(['−  by: "Bob"', '+  by: "Ann"']);
  expect(await viewer.locator('.taken').innerText()).toBe('closed —lock→ locked');
  expect(
    await viewer.locator('.state.gone').evaluateAll((elements) => elements.map((element) => (element as HTMLElement).dataset['state'])),
  ).toEqual(['door.closed']);

  await viewer.keyboard.press('Shift+ArrowLeft');
  await expect.poll(() => selected(), patiently).toBe('front #4');
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.closed']);
  await expect.poll(() => changed(), patiently).toEqual([]);
  expect(await viewer.locator('.taken').innerText()).toContain('ignored');
  expect(await viewer.locator('[data-card=why]').innerText()).toContain('no active state listens to it');

  await viewer.click('#previous-own');
  await expect.poll(() => selected(), patiently).toBe('front #3');
  await viewer.keyboard.press('Shift+ArrowUp');
  await expect.poll(() => selected(), patiently).toBe('front #2');
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.open']);
  await expect.poll(() => changed(), patiently).toEqual(['−  opened: 0', '+  opened: 1', '−  by: "nobody"', '+  by: "Ann"']);
  expect(await viewer.locator('[data-card=clocks] tr.changed').allInnerTexts()).toEqual([
    expect.stringMatching(/closed\s+1\s+2\s+\+1/),
    expect.stringMatching(/open\s+0\s+1\s+\+1/),
  ]);
  await viewer.keyboard.press('Shift+ArrowRight');
  await expect.poll(() => selected(), patiently).toBe('front #3');
  await viewer.keyboard.press('Home');
  await expect.poll(() => viewer.locator('#first').isDisabled(), patiently).toBe(true);
});

test('[TOOL-19] later steps are compared with the one that was selected when comparing began', async () => {
  await viewer.locator('.row', { hasText: 'front #2' }).click();
  await viewer.keyboard.press('c');
  await viewer.keyboard.press('Shift+ArrowRight');
  await viewer.keyboard.press('Shift+ArrowRight');
  await viewer.keyboard.press('Shift+ArrowRight');
  await expect.poll(() => selected(), patiently).toBe('front #5');
  await expect.poll(() => viewer.locator('[data-card=compared]').innerText(), patiently).toMatch(/3 steps, .*since\s+front #2/is);
  expect(await changed()).toEqual([]);
  expect(await viewer.locator('[data-card=clocks] tr.changed').allInnerTexts()).toEqual([
    expect.stringMatching(/closed\s+2\s+4\s+\+2/),
    expect.stringMatching(/open\s+1\s+2\s+\+1/),
    expect.stringMatching(/locked\s+0\s+1\s+\+1/),
  ]);
  await screenshot(viewer, 'trace-compared');
  // Nothing to compare with before it, and nothing at another instance.
  await viewer.keyboard.press('Home');
  await expect.poll(() => viewer.locator('[data-card=compared]').count(), patiently).toBe(0);
  expect(await viewer.locator('#compare').getAttribute('aria-pressed')).toBe('true');
  await viewer.click('#compare');
  await expect.poll(() => viewer.locator('#compare').getAttribute('aria-pressed'), patiently).toBe('false');
});

test('[TOOL-12] an address leads to its step', async () => {
  await viewer.locator('.row', { hasText: 'front #3' }).click();
  await expect.poll(() => decodeURIComponent(new URL(viewer.url()).hash), patiently).toMatch(/front@\d+#3$/);
  const other = await openViewer(context, viewer.url());
  await expect.poll(() => other.locator('.row[aria-selected=true]').count(), patiently).toBe(1);
  await expect.poll(() => selected(other), patiently).toBe('front #3');
  await expect.poll(() => lit(other), patiently).toEqual(['door', 'door.closed']);
  // One that leads to nothing says so, and stays; one of a server that is none does too.
  await other.goto(`${new URL(viewer.url()).origin}/trace/#step=front@1%2399`);
  await other.reload();
  await expect.poll(() => other.locator('#chart').innerText(), patiently).toContain('The step that the address names is not here');
  expect(decodeURIComponent(new URL(other.url()).hash)).toBe('#step=front@1#99');
  await other.goto(`${new URL(viewer.url()).origin}/trace/?server=nowhere`);
  await expect.poll(() => other.locator('#status').innerText(), patiently).toContain('no server at nowhere');
  await other.close();
});

test('[TOOL-13] what arrives while a person looks elsewhere is counted and moves nothing', async () => {
  await viewer.bringToFront();
  await expect.poll(() => selected(), patiently).toBe('front #3');
  await door.send('front', { type: 'unlock', by: 'Eve' });
  await expect.poll(() => viewer.locator('#news').innerText(), patiently).toMatch(/^\d+ new step/);
  await expect.poll(() => selected(), patiently).toBe('front #3');
  expect(await viewer.locator('#live').getAttribute('aria-pressed')).toBe('false');
  await viewer.click('#news');
  await expect.poll(() => selected(), patiently).toBe('front #6');
  await expect.poll(() => viewer.locator('#live').getAttribute('aria-pressed'), patiently).toBe('true');
});

test('[TOOL-10] the filter narrows the list to a peer, an instance, an event or a text', async () => {
  await viewer.selectOption('#filter-instance', 'front');
  await expect.poll(async () => (await rows()).every((row) => row.includes('front #')), patiently).toBe(true);
  await viewer.selectOption('#filter-event', 'open');
  await expect.poll(() => rows(), patiently).toEqual(['open front #2']);
  await viewer.selectOption('#filter-event', '');
  await viewer.selectOption('#filter-instance', '');
  await viewer.keyboard.press('Escape');
  await viewer.locator('body').click({ position: { x: 640, y: 5 } });
  await viewer.keyboard.press('/');
  await viewer.keyboard.type('"eve"');
  await expect.poll(() => rows(), patiently).toEqual(['unlock front #6']);
  await viewer.fill('#filter-text', 'nobody did this');
  await expect.poll(() => viewer.locator('#empty:visible').allInnerTexts(), patiently).toEqual(['No step passes the filter.']);
  // The address tells the filter too, whatever is selected, and of two peers with one name which is which.
  expect(await viewer.evaluate(() => location.hash)).toContain('text=nobody+did+this');
  const names = await viewer.locator('#filter-peer option').allInnerTexts();
  expect(new Set(names).size).toBe(names.length);
  await viewer.fill('#filter-text', '');
  await expect.poll(async () => (await rows()).length, patiently).toBeGreaterThan(5);
});

test('[TOOL-15] what is exported shows the same after import', async () => {
  const before = await viewer.locator('#count').innerText();
  const [download] = await Promise.all([viewer.waitForEvent('download'), viewer.click('#export')]);
  const file = path.join(directory, 'trace.jsonl');
  await download.saveAs(file);
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe('{"kind":"lockstep-trace","format":1}');
  const other = await openViewer(context, `${server.url}/trace`);
  await other.click('#clear');
  await other.setInputFiles('#file', file);
  await expect.poll(async () => (await other.locator('#count').innerText()).split('/').at(-1), patiently).toBe(before.split('/').at(-1));
  await expect.poll(async () => (await rows(other)).at(-1), patiently).toBe('unlock front #6');
  writeFileSync(file, 'not a trace\n');
  await other.setInputFiles('#file', file);
  await expect.poll(() => other.locator('#toast').innerText(), patiently).toContain('MALFORMED');
  await other.close();
});

test('[TOOL-11] a server that was killed and started again is followed again', async () => {
  await server.kill();
  await expect.poll(() => viewer.locator('#status').innerText(), patiently).toContain('no link');
  await server.start();
  await expect.poll(() => viewer.locator('#status').innerText(), patiently).toContain('peer');
  await door.send('front', { type: 'open', by: 'Zoe' });
  await shows('open front #7');
  await viewer.locator('.row', { hasText: 'front #7' }).click();
  await expect.poll(() => lit(), patiently).toEqual(['door', 'door.open']);
  await expect.poll(() => changed(), patiently).toContain('+  by: "Zoe"');
});

test('screenshots of the live page', async () => {
  await viewer.keyboard.press('End');
  await viewer.locator('.row', { hasText: 'message' }).first().click();
  await screenshot(viewer, 'trace-live');
  await viewer.emulateMedia({ colorScheme: 'dark' });
  await screenshot(viewer, 'trace-live-dark');
  await viewer.emulateMedia({ colorScheme: 'light' });
  expect(complaints).toEqual([]);
});

/** A workshop with regions, guards, history, timers and raised events: enough to see whether the chart can be read. */
const workshop = setup({
  types: {} as {
    context: { jobs: { id: number; name: string; done: boolean }[]; operator: string | null; failures: number };
    events: { type: string; name?: string };
  },
  guards: {
    hasJob: ({ context }) => context.jobs.some(({ done }) => !done),
    isNamed: ({ event }) => (event.name ?? '') !== '',
    isTired: ({ context }) => context.failures >= 3,
  },
  actions: {
    add: assign({ jobs: ({ context, event }) => [...context.jobs, { id: context.jobs.length + 1, name: event.name ?? '?', done: false }] }),
    finish: assign({
      jobs: ({ context }) =>
        context.jobs.map((job, i) => (i === context.jobs.findIndex(({ done }) => !done) ? { ...job, done: true } : job)),
    }),
    sign: assign({ operator: ({ event }) => event.name ?? null }),
    fail: assign({ failures: ({ context }) => context.failures + 1 }),
    print: () => undefined,
    ring: () => undefined,
  },
}).createMachine({
  id: 'workshop',
  type: 'parallel',
  context: { jobs: [], operator: null, failures: 0 },
  on: { ADD: { guard: 'isNamed', actions: 'add' } },
  states: {
    press: {
      initial: 'idle',
      states: {
        idle: { tags: ['quiet'], on: { START: { guard: 'hasJob', target: 'running' } } },
        running: {
          initial: 'heating',
          entry: 'ring',
          on: { STOP: 'idle', JAM: { target: 'broken', actions: ['fail', 'ring'] } },
          states: {
            heating: { after: { 800: 'stamping' } },
            stamping: { on: { DONE: { target: 'cooling', actions: ['finish', raise({ type: 'PRINT' })] } } },
            cooling: { after: { 400: 'heating' } },
            back: { type: 'history' },
          },
        },
        broken: { always: { guard: 'isTired', target: 'scrapped' }, on: { FIX: 'running.back' } },
        scrapped: { type: 'final' },
      },
    },
    door: { initial: 'closed', states: { closed: { on: { OPEN: 'open' } }, open: { on: { CLOSE: 'closed' } } } },
    shift: {
      initial: 'free',
      states: {
        free: { on: { SIGN_IN: { guard: 'isNamed', target: 'manned', actions: 'sign' } } },
        manned: { on: { SIGN_OUT: 'free', PRINT: { actions: 'print' } } },
      },
    },
  },
});

/** A long trace of two workshops and a divergence, as a file. */
async function longTrace(count: number): Promise<string> {
  const core = await testCore();
  const model = new TraceModel(core);
  for (const [peer, name, kind] of [
    ['srv', 'server', 'server'],
    ['tab1', 'Ann', 'browser'],
    ['tab2', 'Bob', 'browser'],
  ] as const)
    model.addPeer({ peer, name, kind, hosts: kind === 'server', eval: false });
  const at = Date.UTC(2026, 0, 2, 9);
  const shops = ['north', 'south'].map((instance, i) => new Recorder(core, workshop, { instance, peer: 'srv', at: at + i }));
  const script = [
    'SIGN_IN',
    'ADD',
    'ADD',
    'OPEN',
    'CLOSE',
    'START',
    'xstate.after.800.workshop.press.running.heating',
    'DONE',
    'ADD',
    'ADD',
    'JAM',
    'START',
    'FIX',
    'STOP',
    'SIGN_OUT',
    'SIGN_IN',
    'START',
  ];
  for (let n = 1; n <= count - 2; n++) {
    const type = script[Math.floor(n / 2) % script.length]!;
    const isTimer = type.startsWith('xstate.');
    const from = isTimer ? { peer: 'srv', n: 0 } : { peer: n % 3 === 0 ? 'tab2' : 'tab1', n };
    const shop = shops[n % 2]!;
    if (shop.describe().status !== 'active') break;
    shop.step(isTimer ? { type } : { type, name: n % 7 === 0 ? '' : ['Ann', 'Bob', 'hinge', 'bolt'][n % 4]! }, from, at + n * 137);
  }
  model.addImage(shops[0]!.image);
  for (const record of shops.flatMap(({ records }) => records)) model.add(record);
  const good = { seq: 6, state: model.view(model.find('north@1#6')!).after.state };
  model.add({
    kind: 'divergence',
    peer: 'tab2',
    instance: 'north',
    image: shops[0]!.machine.hash,
    seq: 9,
    ours: '3c0f9a1e55d2b770',
    theirs: '8e11c2ad90f4e6b3',
    good,
    steps: [[7, 1, 3, [2, 1, 3, 1], [{ op: 'replace', path: '/operator', value: 'Ann' }]]],
  });
  return model.export();
}

/** A viewer that shows nothing but such a trace. */
async function openLongTrace(count: number): Promise<Page> {
  const page = await openViewer(context, `${server.url}/trace`);
  const file = path.join(directory, `${count}.jsonl`);
  writeFileSync(file, await longTrace(count));
  await page.click('#clear');
  await page.setInputFiles('#file', file);
  await expect.poll(() => page.locator('#count').innerText(), patiently).toContain(`${count} steps`);
  return page;
}

test('[TOOL-14] thousands of steps scroll, and only those in sight are in the page', async () => {
  const page = await openLongTrace(60);
  const toggle = new Recorder(await testCore(), workshop, { instance: 'east', peer: 'srv', at: Date.UTC(2026, 0, 2, 10) });
  for (let n = 1; n < MANY; n++) toggle.step({ type: n % 2 === 0 ? 'CLOSE' : 'OPEN' }, { peer: 'tab1', n }, Date.UTC(2026, 0, 2, 10) + n);
  const model = new TraceModel(await testCore());
  model.addImage(toggle.image);
  for (const record of toggle.records) model.add(record);
  const file = path.join(directory, 'long.jsonl');
  writeFileSync(file, model.export());
  await page.setInputFiles('#file', file);
  await expect.poll(() => page.locator('#count').innerText(), patiently).toContain(`${MANY + 60} steps`);
  expect(await page.locator('.row').count()).toBeLessThan(60);
  for (const part of [0.25, 0.5, 1]) {
    await page.locator('#list').evaluate((list, where) => (list.scrollTop = list.scrollHeight * where), part);
    await expect.poll(() => rows(page).then((all) => all.length), patiently).toBeGreaterThan(8);
    expect(await page.locator('.row').count()).toBeLessThan(60);
  }
  await expect.poll(async () => (await rows(page)).at(-1), patiently).toMatch(new RegExp(`east #${MANY}$`));
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => selected(page), patiently).toBe(`east #${MANY - 1}`);
  await page.close();
});

test('[TOOL-12] an address that somebody changes counts, also while the page is being drawn', async () => {
  const page = await openLongTrace(60);
  for (const id of ['north@1#7', 'north@1#12', 'north@1#3']) {
    // What is drawn in between tells its own address.
    await page.evaluate((step) => {
      location.hash = `#step=${encodeURIComponent(step)}`;
      history.replaceState(null, '', '#text=other');
    }, id);
    await expect.poll(() => page.locator('.row[aria-selected=true]').getAttribute('data-id'), patiently).toBe(id);
  }
  await page.close();
});

test('screenshots of a rich chart, a divergence, and a phone', async () => {
  const page = await openLongTrace(60);
  await page.locator('#list').evaluate((list) => (list.scrollTop = 0));
  const find = async (text: string): Promise<void> => {
    await page.evaluate((id) => (location.hash = `#step=${encodeURIComponent(id)}`), text);
    await expect.poll(() => page.locator('.row[aria-selected=true]').getAttribute('data-id'), patiently).toBe(text);
  };
  await find('north@1#7');
  await screenshot(page, 'trace-chart');
  await page.emulateMedia({ colorScheme: 'dark' });
  await find('north@1#12');
  await screenshot(page, 'trace-chart-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.locator('.row.divergence').click();
  await expect.poll(() => page.locator('.card.bad').innerText(), patiently).toContain('8e11c2ad90f4e6b3');
  await screenshot(page, 'trace-divergence');
  await page.setViewportSize({ width: 390, height: 844 });
  await find('north@1#7');
  await screenshot(page, 'trace-phone-steps');
  await page.click('.tabs button[data-panel=chart]');
  await screenshot(page, 'trace-phone-state');
  await page.click('.tabs button[data-panel=detail]');
  await screenshot(page, 'trace-phone-details');
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.close();
  expect(complaints).toEqual([]);
});
