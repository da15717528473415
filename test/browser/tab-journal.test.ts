// The journal of a tab, in Chromium: it keeps the contract, notices damage, and says by code when there is no room or a newer version is
// there.     SEED=n replays a run.

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { random } from '../support/random.ts';
import { LedgerServer, LedgerTab } from './ledger.ts';
import { openChromium, patiently } from './tab.ts';
import { WholeBrowser } from './whole-browser.ts';

const SEED = Number(process.env['SEED'] ?? 7);
/** Bytes that an origin may keep. */
const ROOM = 512 * 1_024;
/** Characters of an event that takes a good part of it. */
const PAGE = 40_000;
const PAGES_MAX = 30;
const dice = random(SEED);
let ledger: LedgerServer;
let browser: Browser;

declare global {
  var checkJournal: () => Promise<readonly string[]>;
  var checkDamage: () => Promise<Readonly<Record<string, string>>>;
  var failed: string | undefined;
}

beforeAll(async () => {
  ledger = await LedgerServer.start('test/support/authority-page.ts');
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await ledger?.close();
});

const open = (context: BrowserContext, name: string): Promise<LedgerTab> => LedgerTab.open(context, ledger.server.url, name);

/** What comes of an event of the tab: its seq, or the code. */
const add = ({ tab }: LedgerTab, id: string): Promise<number | string> =>
  tab.page.evaluate(
    (id) =>
      globalThis.lockstep.mirrors['ledger']!.submit({ type: 'add', id }).then(
        ({ seq }) => seq,
        (error: { code: string }) => error.code,
      ),
    id,
  );

test('[JOURNAL-13] the journal of tabs keeps the contract', async () => {
  const context = await browser.newContext();
  const { tab } = await open(context, 'contract');
  expect(await tab.page.evaluate(() => globalThis.checkJournal())).toEqual([]);
  await context.close();
});

test('[JOURNAL-13] a record of which anything is changed is CORRUPT', async () => {
  const context = await browser.newContext();
  const { tab } = await open(context, 'damage');
  const { undamaged, ...damaged } = await tab.page.evaluate(() => globalThis.checkDamage());
  expect(undamaged).toBe('nothing was noticed');
  expect(Object.keys(damaged).length).toBeGreaterThan(15);
  expect(Object.entries(damaged).filter(([, code]) => code !== 'CORRUPT')).toEqual([]);
  await context.close();
});

test('[JOURNAL-13] an instance with a step that is not what was written is not brought back, and the page is told CORRUPT', async () => {
  const context = await browser.newContext();
  const host = await open(context, 'corrupt');
  expect(await add(host, 'right')).toBe(2);
  await host.tab.page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open('lockstep.journal');
        request.onsuccess = () => {
          const transaction = request.result.transaction('steps', 'readwrite');
          const cursors = transaction.objectStore('steps').openCursor(null, 'prev');
          cursors.onsuccess = () => {
            const cursor = cursors.result!;
            const row = cursor.value as { readonly body: string };
            cursor.update({ ...row, body: row.body.replace('right', 'wrong') });
          };
          transaction.oncomplete = () => {
            request.result.close();
            resolve();
          };
        };
      }),
  );
  await host.tab.page.reload();
  await host.tab.page.waitForFunction(() => globalThis.failed !== undefined);
  expect(await host.tab.page.evaluate(() => globalThis.failed)).toBe('CORRUPT');
  await context.close();
});

test('[WEB-17] when there is no room an event is refused with STORAGE, and the tab goes on from what it kept', async () => {
  // Only a profile on disk takes a quota.
  const whole = new WholeBrowser();
  const context = await whole.start();
  const devtools = await context.newCDPSession(await context.newPage());
  const { origin } = new URL(ledger.server.url);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: ROOM });
  const full = await open(context, 'full');
  const kept: string[] = [];
  let come: number | string = 0;
  for (let i = 0; come !== 'STORAGE' && i < PAGES_MAX; i++) {
    // Of no two pages anything is the same: browsers compress what they keep.
    const page = Array.from({ length: PAGE }, () => dice.below(36).toString(36)).join('');
    come = await add(full, page);
    if (typeof come === 'number') kept.push(page);
  }
  expect([come, kept.length > 0]).toEqual(['STORAGE', true]);
  const entries = (): Promise<unknown> => full.tab.holding('ledger').then(({ context: held }) => (held as { entries: unknown }).entries);
  await expect.poll(entries, patiently).toEqual(kept);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await add(full, 'after')).toBe(kept.length + 2);
  await full.tab.page.reload();
  await full.tab.ready();
  await expect.poll(entries, patiently).toEqual([...kept, 'after']);
  await whole.remove();
});

test('[WEB-17] when a newer version of the page has the database events are refused with STORAGE, and a page of this version does not begin', async () => {
  const context = await browser.newContext();
  const old = await open(context, 'old');
  expect(await add(old, 'before')).toBe(2);
  await old.tab.page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('lockstep.journal', 2);
        request.onsuccess = () => resolve(request.result.close());
        request.onerror = () => reject(request.error!);
      }),
  );
  expect(await add(old, 'after')).toBe('STORAGE');
  await old.tab.page.reload();
  await old.tab.page.waitForFunction(() => globalThis.failed !== undefined);
  expect(await old.tab.page.evaluate(() => globalThis.failed)).toBe('STORAGE');
  await context.close();
});
