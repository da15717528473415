// What is done in a tab survives the browser: it is killed with -9 between the write of an event and its send, after the send, and offline;
// what was done is in the ledger once, and what no longer applies is told.

import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LedgerServer, LedgerTab } from './ledger.ts';
import { holdSockets, patiently } from './tab.ts';
import { WholeBrowser } from './whole-browser.ts';

let ledger: LedgerServer;
let browser: WholeBrowser;
let lives = 0;

declare global {
  var told: readonly string[];
  var checkStore: () => Promise<readonly string[]>;
}

beforeAll(async () => {
  ledger = await LedgerServer.start();
  browser = new WholeBrowser();
});
afterAll(async () => {
  await browser?.remove();
  await ledger?.close();
});

/** The next life of the browser. */
async function start(): Promise<BrowserContext> {
  await browser.kill();
  return holdSockets(await browser.start());
}

const open = (context: BrowserContext, url = ledger.wire.url): Promise<LedgerTab> =>
  LedgerTab.open(context, url, `life${++lives}`, '&offline');

/** How many events are kept in the browser. */
function kept(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const request = indexedDB.open('lockstep.offline');
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const database = request.result;
          const here = `ws://${location.host}/`;
          const count = database
            .transaction('events')
            .objectStore('events')
            .count(IDBKeyRange.bound([here], [here, []]));
          count.onsuccess = () => {
            database.close();
            resolve(count.result);
          };
        };
      }),
  );
}

/** Waits until the ledger has these, each once, and nobody keeps anything. */
async function arrived(page: Page, ids: readonly string[]): Promise<void> {
  await expect.poll(async () => (await ledger.entries()).filter((id) => ids.includes(id)).length, patiently).toBe(ids.length);
  await expect.poll(() => kept(page), patiently).toBe(0);
  const entries = await ledger.entries();
  expect(new Set(entries).size).toBe(entries.length);
}

test('[KEEP-4] the store of browsers', async () => {
  const context = await start();
  const { tab } = await open(context);
  expect(await tab.page.evaluate(() => globalThis.checkStore())).toEqual([]);
  await browser.kill();
});

test('[KEEP-1] [KEEP-6] killed between the write and the send: the next life of the browser sends it, once', async () => {
  const first = await open(await start());
  const known = await first.add(1);
  await arrived(first.tab.page, known);
  await first.tab.page.evaluate(() => (globalThis.wire.isMute = true));
  const ids = await first.add(3);
  await expect.poll(() => kept(first.tab.page), patiently).toBe(3);
  await browser.kill();
  expect((await ledger.entries()).filter((id) => ids.includes(id))).toEqual([]);
  const second = await open(await start());
  await arrived(second.tab.page, ids);
  expect((await ledger.entries()).slice(-3)).toEqual(ids);
  await browser.kill();
});

test('[KEEP-1] killed after the send and before the answer: the event is sent again, and is there once', async () => {
  const first = await open(await start());
  // In step with the server: what a page shows first may be what it kept.
  await arrived(first.tab.page, await first.add(1));
  await first.tab.page.evaluate(() => (globalThis.wire.isDeaf = true));
  const ids = await first.add(3);
  await expect.poll(async () => (await ledger.entries()).filter((id) => ids.includes(id)).length, patiently).toBe(3);
  expect(await kept(first.tab.page)).toBe(3);
  await browser.kill();
  const second = await open(await start());
  await arrived(second.tab.page, ids);
  await browser.kill();
});

test('[KEEP-1] killed anywhere while it writes: what showed as kept arrives, nothing arrives twice', async () => {
  for (let round = 0; round < 2; round++) {
    const tab = await open(await start());
    const ids: string[] = [];
    for (let burst = 0; burst < 5; burst++) ids.push(...(await tab.add(4)));
    const count = await kept(tab.tab.page);
    await browser.kill();
    const next = await open(await start());
    await expect.poll(() => kept(next.tab.page), patiently).toBe(0);
    const entries = await ledger.entries();
    expect(new Set(entries).size).toBe(entries.length);
    // In order, and without a gap: what is missing was never written.
    const found = entries.filter((id) => ids.includes(id));
    expect(found).toEqual(ids.slice(0, found.length));
    expect(found.length).toBeGreaterThanOrEqual(count);
    await browser.kill();
  }
});

test('[KEEP-2] [KEEP-3] [KEEP-6] offline: two tabs are killed, one comes back and shows what was done; back online all of it merges, and what no longer applies is told', async () => {
  const context = await start();
  const [one, two] = [await open(context), await open(context)];
  const before = await one.add(1);
  await arrived(one.tab.page, before);
  await expect.poll(() => two.tab.holding('ledger').then(({ context: held }) => JSON.stringify(held)), patiently).toContain(before[0]);
  ledger.wire.cut();
  const mine = await one.add(2);
  const others = await two.add(2);
  await expect.poll(() => kept(one.tab.page), patiently).toBe(4);
  await browser.kill();

  // The page comes from elsewhere; its sockets still find nobody.
  ledger.wire.mendPages();
  const back = await open(await start());
  await expect.poll(() => back.tab.standing('ledger'), patiently).toEqual({ standing: 'offline', unconfirmed: 2 });
  const { context: shown } = await back.tab.holding('ledger');
  const isFirst = JSON.stringify(shown).includes(mine[0]!);
  expect((shown as { entries: string[] }).entries.slice(-3)).toEqual([...before, ...(isFirst ? mine : others)]);

  ledger.wire.mend();
  await arrived(back.tab.page, [...mine, ...others]);
  ledger.wire.cut();
  await back.tab.send('ledger', { type: 'add', id: 'too late' });
  await expect.poll(() => kept(back.tab.page), patiently).toBe(1);
  const admin = await ledger.server.peer.watch('ledger');
  await admin.submit({ type: 'close' });
  ledger.wire.mend();
  await expect
    .poll(() => back.tab.page.evaluate(() => globalThis.told.filter((each) => each.startsWith('overtaken'))), patiently)
    .toEqual(['overtaken add too late']);
  expect(await ledger.entries()).not.toContain('too late');
  await expect.poll(() => kept(back.tab.page), patiently).toBe(0);
  expect(back.tab.complaints).toEqual([]);
});
