// A tab orders a ledger and keeps it; a server mirrors it and passes it on; two tabs of another browser watch, one at the server and one at
// the tab. The tab is closed, its whole browser is killed with -9 between the write and the answer and at any other moment, it is frozen, and
// it hands over: nothing that was answered is lost, nothing is there twice.     SEED=n replays a run.

import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import type { Introduction } from '../../relay/introduction.ts';
import type { MirrorOf } from '../../peer/mirror.ts';
import { ledger as machine } from '../support/ledger.machine.ts';
import { random } from '../support/random.ts';
import { LedgerServer, LedgerTab } from './ledger.ts';
import { agreed, type Holding, holdSockets, openChromium, patiently } from './tab.ts';
import { WholeBrowser } from './whole-browser.ts';

const SEED = Number(process.env['SEED'] ?? 7);
const dice = random(SEED);
/** How often the browser is killed at any moment. */
const KILLS = process.env['LONG'] === undefined ? 2 : 20;

declare global {
  /** What the page was told when somebody had its place. */
  var forks: readonly {
    readonly peer: string;
    readonly epoch: number;
    readonly lost?: readonly { readonly cause: { readonly event: Json } }[];
  }[];
  /** Why the page could not begin. */
  var failed: string | undefined;
  /** Own events by their answer. */
  var answered: Record<string, number>;
}

let ledger: LedgerServer;
/** Of the tab that orders; it is killed. */
let whole: WholeBrowser | undefined;
let others: Browser;
let opened = 0;

beforeAll(async () => {
  ledger = await LedgerServer.start('test/support/authority-page.ts', { trusts: () => true, authenticate });
  others = await openChromium();
});
afterAll(async () => {
  await whole?.remove();
  await others?.close();
  await ledger?.close();
});

/** The server's door: pages with another token stay outside. */
function authenticate({ token, name }: Introduction): Json {
  if (token !== 'a page of ours') throw new LockstepError('FORBIDDEN', `${name} shows no token of ours`);
  return { token };
}

/** A browser without a past. */
async function fresh(): Promise<BrowserContext> {
  await whole?.remove();
  whole = new WholeBrowser();
  return whole.start();
}

const openHost = (context: BrowserContext): Promise<LedgerTab> => LedgerTab.open(context, ledger.wire.url, `host${++opened}`);

/** A tab that orders the ledger `id`, and everyone who watches it: the server, a tab at the server, a tab at the tab. */
class Scene {
  readonly id: string;
  host: LedgerTab;
  readonly server: MirrorOf<typeof machine>;
  readonly atServer: LedgerTab;
  readonly atTab: LedgerTab;
  /** Everything that was added by anyone. */
  readonly added: string[] = [];

  private constructor(peer: string, host: LedgerTab, server: MirrorOf<typeof machine>, readers: readonly [LedgerTab, LedgerTab]) {
    this.id = `${peer}/ledger`;
    this.host = host;
    this.server = server;
    [this.atServer, this.atTab] = readers;
  }

  static async open(): Promise<Scene> {
    const host = await openHost(await holdSockets(await fresh()));
    const peer = (await host.tab.peerId())!;
    const { peer: middle } = ledger.server;
    const server = await middle.watch(`${peer}/ledger`, machine);
    await middle.offer(server);
    const context = await others.newContext();
    const watch = (via: string): Promise<LedgerTab> => LedgerTab.open(context, ledger.server.url, `reader${++opened}`, `&at=${peer}${via}`);
    const readers = [await watch('&via=server'), await watch('')] as const;
    return new Scene(peer, host, server, readers);
  }

  /** The tab in a new life of its browser, or of itself. */
  async reopen(context: BrowserContext): Promise<void> {
    this.host = await openHost(context);
    expect(`${await this.host.tab.peerId()}/ledger`).toBe(this.id);
  }

  get readers(): readonly LedgerTab[] {
    return [this.atServer, this.atTab];
  }

  async add(tab: LedgerTab, count = 1): Promise<readonly string[]> {
    const ids = await tab.add(count);
    this.added.push(...ids);
    return ids;
  }

  addAtServer(id: string): void {
    this.added.push(id);
    this.server.send({ type: 'add', id });
  }

  /** Everyone adds something. */
  async addAll(word: string): Promise<void> {
    for (const tab of [this.host, ...this.readers]) await this.add(tab, 2);
    this.addAtServer(`server.${word}`);
  }

  /** Waits until everyone holds the same, everything that was added once, and nobody waits. */
  async agree(): Promise<Holding> {
    const held = (holding: Holding): boolean => sorted(entriesOf(holding)) === sorted(this.added);
    const tabs = [this.host, ...this.readers];
    const found = await agreed(
      this.id,
      [
        ...tabs.map(
          ({ tab }) =>
            () =>
              tab.holding('ledger'),
        ),
        async () => this.serverHolding(),
      ],
      held,
    );
    for (const { tab } of tabs)
      await expect.poll(() => tab.standing('ledger'), patiently).toEqual({ standing: 'confirmed', unconfirmed: 0 });
    return found;
  }

  serverHolding(): Holding {
    const { value, context } = this.server.getSnapshot();
    return { value: value as Json, context: context as unknown as Json, seq: this.server.seq, digest: this.server.digest };
  }

  /** Waits until those who watch say that the tab is away. */
  async offline(): Promise<void> {
    await expect.poll(() => this.server.standing, patiently).toBe('offline');
    for (const { tab } of this.readers)
      await expect.poll(() => tab.standing('ledger').then(({ standing }) => standing), patiently).toBe('offline');
  }

  async close(): Promise<void> {
    this.server.stop();
    for (const { tab } of this.readers) await tab.page.close();
    expect([this.host, ...this.readers].flatMap(({ tab }) => tab.complaints)).toEqual([]);
  }
}

function entriesOf({ context }: Holding): readonly string[] {
  return (context as { readonly entries: readonly string[] }).entries;
}

function sorted(ids: readonly string[]): string {
  return [...ids].sort().join(' ');
}

/** Seq of the newest step of the ledger in the browser's journal. */
function written({ tab }: LedgerTab): Promise<number> {
  return tab.page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const request = indexedDB.open('lockstep.journal');
        request.onerror = () => reject(request.error!);
        request.onsuccess = () => {
          const keys = request.result.transaction('steps').objectStore('steps').getAllKeys();
          keys.onsuccess = () => {
            request.result.close();
            resolve(Math.max(...(keys.result as [string, string, number][]).map(([, , last]) => last)));
          };
        };
      }),
  );
}

test('[WEB-16] [TOPO-12] the tab is closed: others show what they have and queue; back, it goes on in the same epoch, everything once', async () => {
  const scene = await Scene.open();
  await scene.addAll('before');
  const before = await scene.agree();
  const { epoch } = scene.server;
  const context = scene.host.tab.page.context();
  await scene.host.close();
  await scene.offline();
  for (const { tab } of scene.readers) expect(entriesOf(await tab.holding('ledger'))).toEqual(entriesOf(before));
  scene.addAtServer('server.queued');
  for (const reader of scene.readers) {
    const ids = await scene.add(reader, 2);
    expect(entriesOf(await reader.tab.holding('ledger')).slice(-2)).toEqual(ids);
  }
  await scene.reopen(context);
  const after = await scene.agree();
  expect([scene.server.epoch, after.seq]).toEqual([epoch, before.seq + 5]);
  expect(entriesOf(after).slice(0, entriesOf(before).length)).toEqual(entriesOf(before));
  await scene.close();
});

test('[WEB-16] the whole browser is killed between the write and the answer: what was sent is there once, and what comes next follows it', async () => {
  const scene = await Scene.open();
  await scene.addAll('before');
  const { seq } = await scene.agree();
  const { epoch } = scene.server;
  await scene.host.tab.page.evaluate(() => void (globalThis.wire.isMute = true));
  const ids = [...(await scene.add(scene.atTab, 2)), ...(await scene.add(scene.atServer))];
  await expect.poll(() => written(scene.host), patiently).toBe(seq + ids.length);
  for (const { tab } of scene.readers) expect((await tab.standing('ledger')).unconfirmed).toBeGreaterThan(0);
  await whole!.kill();
  await scene.offline();
  await scene.reopen(await holdSockets(await whole!.start()));
  await scene.addAll('after');
  const after = await scene.agree();
  expect([scene.server.epoch, after.seq]).toEqual([epoch, seq + ids.length + 7]);
  await scene.close();
});

test(
  '[WEB-16] it is killed at any moment: what was answered stands where it was answered, and nothing is there twice',
  { timeout: 60_000 + KILLS * 20_000 },
  async () => {
    const scene = await Scene.open();
    for (const { tab } of scene.readers) await tab.page.evaluate(() => void (globalThis.answered = {}));
    for (let round = 0; round < KILLS; round++) {
      for (const [i, { tab }] of scene.readers.entries()) {
        const ids = Array.from({ length: 30 }, (_, n) => `${SEED}.${round}.${i}.${n}`);
        scene.added.push(...ids);
        // A few in each turn, so that writes and answers go on beside each other.
        await tab.page.evaluate((all) => {
          const send = (): void => {
            for (const id of all.splice(0, 3))
              globalThis.lockstep.mirrors['ledger']!.submit({ type: 'add', id }).then(
                ({ seq }) => (globalThis.answered[id] = seq),
                () => undefined, // Cut off before the answer; it is sent again, and nobody waits for it any more.
              );
            if (all.length > 0) requestAnimationFrame(send);
          };
          send();
        }, ids);
      }
      const enough = dice.below(20) + 20 * round + 1;
      const answers = (): Promise<number> => scene.atTab.tab.page.evaluate(() => Object.keys(globalThis.answered).length);
      await expect.poll(answers, { ...patiently, interval: 1 }).toBeGreaterThanOrEqual(enough);
      await whole!.kill();
      await scene.reopen(await holdSockets(await whole!.start()));
    }
    const entries = entriesOf(await scene.agree());
    for (const { tab } of scene.readers) {
      const answered = await tab.page.evaluate(() => globalThis.answered);
      // Step 1 made the ledger; each one after it added something.
      for (const [id, seq] of Object.entries(answered)) expect([id, seq]).toEqual([id, entries.indexOf(id) + 2]);
    }
    await scene.close();
  },
);

test('[WEB-18] the tab hands over to the server, is loaded again, and takes it back: all follow, nothing is lost or there twice', async () => {
  const scene = await Scene.open();
  const { peer: server } = ledger.server;
  await scene.addAll('before');
  await scene.agree();
  const { epoch } = scene.server;
  await scene.host.tab.page.evaluate((id) => globalThis.lockstep.peer.handOver(id, 'server'), scene.id);
  await scene.addAll('at the server');
  await scene.agree();
  expect(scene.server.epoch).toBeGreaterThan(epoch);
  // Its journal knows where it went.
  await scene.host.tab.page.reload();
  await scene.host.tab.ready();
  await scene.addAll('loaded again');
  await scene.agree();
  const between = scene.server.epoch;
  await server.handOver(scene.id, scene.id.split('/')[0]!);
  await scene.addAll('back');
  const { seq } = await scene.agree();
  expect(scene.server.epoch).toBeGreaterThan(between);
  expect(await written(scene.host)).toBe(seq);
  await scene.close();
});

test('[WEB-18] a server that stands by takes over while the tab is frozen; when it thaws it gives way, and is told what is lost', async () => {
  const scene = await Scene.open();
  const { peer: server } = ledger.server;
  await server.standBy(scene.server);
  await scene.addAll('before');
  await scene.agree();
  const { epoch } = scene.server;
  // What it writes from here on reaches nobody, as if it was frozen before that left.
  await scene.host.tab.page.evaluate(() => void (globalThis.wire.isMute = true));
  const [lost] = await scene.host.add(1);
  await expect.poll(() => scene.host.tab.standing('ledger'), patiently).toEqual({ standing: 'confirmed', unconfirmed: 0 });
  await scene.host.freeze();
  await server.takeOver(scene.id);
  await scene.add(scene.atServer, 2);
  scene.addAtServer('server.took over');
  await expect.poll(() => sorted(entriesOf(scene.serverHolding())), patiently).toBe(sorted(scene.added));
  // Whoever watches at the tab alone waits for it.
  await scene.add(scene.atTab, 2);
  await scene.host.thaw();
  await scene.host.tab.page.evaluate(() => void (globalThis.wire.isMute = false));
  ledger.wire.cut();
  ledger.wire.mend();
  await expect.poll(() => scene.host.tab.page.evaluate(() => globalThis.forks.length), patiently).toBe(1);
  const [fork] = await scene.host.tab.page.evaluate(() => globalThis.forks);
  expect({ ...fork, lost: fork?.lost?.map(({ cause }) => cause.event) }).toEqual({
    instance: scene.id,
    peer: 'server',
    epoch: scene.server.epoch,
    lost: [{ type: 'add', id: lost }],
  });
  expect(scene.server.epoch).toBeGreaterThan(epoch);
  await scene.add(scene.host);
  await scene.agree();
  await scene.close();
});

test('[KEEP-7] two tabs of a browser each keep what they order; killed with it, each is taken up by one that comes back', async () => {
  const context = await fresh();
  const hold = async (host: LedgerTab): Promise<readonly [string | undefined, Json]> => [
    await host.tab.peerId(),
    (await host.tab.holding('ledger')).context,
  ];
  const hosts = [await openHost(context), await openHost(context)];
  for (const [i, host] of hosts.entries()) {
    await host.add(i + 1);
    await expect.poll(() => host.tab.standing('ledger').then(({ unconfirmed }) => unconfirmed), patiently).toBe(0);
  }
  const before = await Promise.all(hosts.map(hold));
  expect(new Set(before.map(([peer]) => peer)).size).toBe(2);
  await whole!.kill();
  const again = await whole!.start();
  const back = [await openHost(again), await openHost(again)];
  await expect
    .poll(async () => (await Promise.all(back.map(hold))).map((each) => JSON.stringify(each)).sort(), patiently)
    .toEqual(before.map((each) => JSON.stringify(each)).sort());
});

test('[VIEW-7] a page shows its token, and one that the server does not take is told FORBIDDEN', async () => {
  const page = await (await others.newContext()).newPage();
  await page.goto(`${ledger.server.url}/?token=stolen`);
  await page.waitForFunction(() => globalThis.failed !== undefined);
  expect(await page.evaluate(() => globalThis.failed)).toBe('FORBIDDEN');
});
