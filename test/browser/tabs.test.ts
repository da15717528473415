// Tabs that share a socket, in Chromium: whoever holds it is closed, crashed and frozen, and every event of the others is in the ledger
// once. Everything runs twice: with SharedWorkers, and in a browser that has none.     SEED=n ROUNDS=n replay a run.

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LedgerContext } from '../support/ledger.machine.ts';
import { random } from '../support/random.ts';
import { ENDINGS, LedgerServer, LedgerTab } from './ledger.ts';
import { agreed, openChromium, patiently } from './tab.ts';

const SEED = Number(process.env['SEED'] ?? 7);
/** Hand-overs of each kind of browser. */
const ROUNDS = Number(process.env['ROUNDS'] ?? (process.env['LONG'] === undefined ? 9 : 200));
const TABS = 4;
const dice = random(SEED);
let browser: Browser;
let ledger: LedgerServer;

beforeAll(async () => {
  browser = await openChromium();
  ledger = await LedgerServer.start();
});
afterAll(async () => {
  await browser?.close();
  await ledger?.close();
});

describe.each(['SharedWorker', 'leader'] as const)('%s', (kind) => {
  let context: BrowserContext;
  let opened = 0;
  beforeAll(async () => {
    context = await browser.newContext();
    if (kind === 'leader') await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker'));
  });
  afterAll(async () => context?.close());

  const open = (): Promise<LedgerTab> => LedgerTab.open(context, ledger.wire.url, `${kind}${++opened}`);

  test('[TAB-1] tabs share one socket and are peers of their own', async () => {
    const tabs = await Promise.all(Array.from({ length: TABS }, open));
    const ids = await Promise.all(tabs.map(({ tab }) => tab.peerId()));
    expect(new Set(ids).size).toBe(TABS);
    expect(ledger.wire.socketCount).toBe(1);
    const sent = await Promise.all(tabs.map((tab) => tab.add(3)));
    await expect.poll(() => ledger.entries(), patiently).toEqual(expect.arrayContaining(sent.flat()));
    await expect.poll(() => tabs[0]!.tab.page.evaluate(() => globalThis.lockstep.peer.peers().length), patiently).toBe(TABS + 1);
    expect(tabs.flatMap(({ tab }) => tab.complaints)).toEqual([]);
    await Promise.all(tabs.map((tab) => tab.close()));
    await expect.poll(() => ledger.server.peer.peers().length, patiently).toBe(1);
    await expect.poll(() => ledger.wire.socketCount, patiently).toBe(0);
  });

  /** Whose end moves the socket: the tab that leads; where a worker has it, any tab. */
  async function victimOf(tabs: readonly LedgerTab[]): Promise<LedgerTab> {
    if (kind === 'SharedWorker') return dice.pick(tabs);
    let leader: LedgerTab | undefined;
    await expect
      .poll(async () => {
        const leads = await Promise.all(tabs.map((tab) => tab.leads()));
        leader = tabs[leads.indexOf(true)];
        return leader !== undefined;
      }, patiently)
      .toBe(true);
    return leader!;
  }

  /** The worker ends as when its process dies: without a word. */
  async function killWorker(): Promise<void> {
    const session = await browser.newBrowserCDPSession();
    const { targetInfos } = await session.send('Target.getTargets');
    const worker = targetInfos.find(({ type }) => type === 'shared_worker');
    expect(worker, 'a SharedWorker').toBeDefined();
    await session.send('Target.closeTarget', { targetId: worker!.targetId });
    await session.detach();
  }

  test(
    `[TAB-4] ${ROUNDS} hand-overs: closed, crashed and frozen while everyone writes, nothing of the others is lost, and nothing doubled`,
    async () => {
      let tabs = await Promise.all(Array.from({ length: TABS }, open));
      const mustHave: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const ending = ENDINGS[round % ENDINGS.length]!;
        const victim = await victimOf(tabs);
        const others = tabs.filter((tab) => tab !== victim);
        const sent = await Promise.all(others.map((tab) => tab.add(2)));
        // On its way when it happens: whether it arrives is open, but not twice.
        const last = await victim.add(2);
        if (kind === 'SharedWorker' && ending === 'crash') await killWorker();
        else await victim[ending]();
        sent.push(...(await Promise.all(others.map((tab) => tab.add(2)))));
        mustHave.push(...sent.flat());
        await expect
          .poll(() => ledger.entries(), { ...patiently, message: `round ${round}: ${ending}` })
          .toEqual(expect.arrayContaining(sent.flat()));
        if (ending === 'freeze') {
          await victim.thaw();
          mustHave.push(...last, ...(await victim.add(1)));
        } else if (ending === 'crash' && kind === 'SharedWorker') mustHave.push(...last);
        else tabs = [...others, await open()];
      }
      const entries = await settled(tabs);
      const mine = entries.filter((id) => id.startsWith(kind));
      expect(new Set(mine).size).toBe(mine.length);
      expect(mustHave.filter((id) => !mine.includes(id))).toEqual([]);
      expect(ledger.wire.socketCount).toBe(1);
      expect(tabs.flatMap(({ tab }) => tab.complaints)).toEqual([]);
      await Promise.all(tabs.map((tab) => tab.close()));
    },
    ROUNDS * 20_000,
  );

  if (kind === 'leader')
    test('[TAB-5] a leader out of sight gives way to a tab in sight; one that is told to freeze lets go', async () => {
      const [first, second] = [await open(), await open()];
      await expect.poll(() => first.leads(), patiently).toBe(true);
      await first.show(false);
      await expect.poll(() => second.leads(), patiently).toBe(true);
      const sent = [...(await first.add(2)), ...(await second.add(2))];
      await expect.poll(() => ledger.entries(), patiently).toEqual(expect.arrayContaining(sent));
      // In sight again, and nothing is wrong with the other: it stays as it is.
      await first.show(true);
      await second.lifecycle('freeze');
      await expect.poll(() => first.leads(), patiently).toBe(true);
      sent.push(...(await first.add(2)));
      await expect.poll(() => ledger.entries(), patiently).toEqual(expect.arrayContaining(sent));
      await second.lifecycle('resume');
      sent.push(...(await second.add(2)));
      await expect.poll(() => ledger.entries(), patiently).toEqual(expect.arrayContaining(sent));
      expect(await second.leads()).toBe(false);
      expect(ledger.wire.socketCount).toBe(1);
      await Promise.all([first.close(), second.close()]);
    });

  /** When nobody waits for an answer and all hold the same. */
  async function settled(tabs: readonly LedgerTab[]): Promise<readonly string[]> {
    await expect
      .poll(() => Promise.all(tabs.map(async ({ tab }) => (await tab.standing('ledger')).unconfirmed)), patiently)
      .toEqual(tabs.map(() => 0));
    const { context: held } = await agreed(
      'ledger',
      tabs.map(
        ({ tab }) =>
          () =>
            tab.holding('ledger'),
      ),
    );
    return (held as unknown as LedgerContext).entries;
  }
});
