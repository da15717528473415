// A server with a ledger and its page, behind a wire that counts sockets; tabs that a test closes, crashes and freezes.

import { rmSync } from 'node:fs';
import type { BrowserContext, CDPSession } from 'playwright-core';
import { MemoryJournal } from '../../peer/memory.ts';
import { serve, type ServeOptions, type Server } from '../../server/index.ts';
import { buildPage } from '../support/built-page.ts';
import { ledger, type LedgerContext } from '../support/ledger.machine.ts';
import { Tab } from './tab.ts';
import { Wire } from './wire.ts';

export class LedgerServer {
  readonly server: Server;
  readonly wire: Wire;
  readonly #directory: string;

  private constructor(server: Server, wire: Wire, directory: string) {
    this.server = server;
    this.wire = wire;
    this.#directory = directory;
  }

  /** @param page which of the ledger's pages it serves. */
  static async start(page = 'test/support/ledger-page.ts', options: ServeOptions = {}): Promise<LedgerServer> {
    const directory = await buildPage(page);
    const server = await serve({ machines: { ledger }, journal: new MemoryJournal(), pages: directory, port: 0, ...options });
    await server.create('ledger', 'ledger');
    return new LedgerServer(server, await Wire.lay(server.url), directory);
  }

  async entries(): Promise<readonly string[]> {
    const mirror = await this.server.peer.watch('ledger');
    const { entries } = mirror.getSnapshot().context as unknown as LedgerContext;
    mirror.stop();
    return entries;
  }

  async close(): Promise<void> {
    this.wire.remove();
    await this.server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What can happen to a tab. */
export const ENDINGS = ['close', 'crash', 'freeze'] as const;
export type Ending = (typeof ENDINGS)[number];

export class LedgerTab {
  readonly name: string;
  readonly tab: Tab;
  readonly #debugger: CDPSession;
  #sent = 0;

  private constructor(name: string, tab: Tab, session: CDPSession) {
    this.name = name;
    this.tab = tab;
    this.#debugger = session;
  }

  /** @param mode `&offline` keeps what is done in it. */
  static async open(context: BrowserContext, url: string, name: string, mode = ''): Promise<LedgerTab> {
    const tab = await Tab.open(context, `${url}/?name=${name}${mode}`);
    const session = await context.newCDPSession(tab.page);
    await session.send('Debugger.enable');
    return new LedgerTab(name, tab, session);
  }

  /** Adds entries of its own to the ledger, in one turn. @returns them. */
  async add(count: number): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, () => `${this.name}.${++this.#sent}`);
    await this.tab.send('ledger', ...ids.map((id) => ({ type: 'add', id })));
    return ids;
  }

  /** Whether this tab holds the socket; of tabs without a SharedWorker one does. */
  leads(): Promise<boolean> {
    return this.tab.page.evaluate(async (name) => {
      const { held = [] } = await navigator.locks.query();
      const me = held.find((lock) => lock.name === `test ${name}`)?.clientId;
      return held.some((lock) => lock.name?.startsWith('lockstep leader') === true && lock.clientId === me);
    }, this.name);
  }

  async close(): Promise<void> {
    await this.tab.page.close();
  }

  async crash(): Promise<void> {
    const crashed = new Promise((resolve) => this.tab.page.once('crash', resolve));
    // A page that crashes does not answer.
    this.#debugger.send('Page.crash' as 'Page.enable').catch(() => undefined);
    await crashed;
    await this.tab.page.close();
  }

  /** Stops its script where it is: nothing runs in it and it answers nobody, as when a browser freezes a tab without a word. */
  async freeze(): Promise<void> {
    const paused = new Promise((resolve) => this.#debugger.once('Debugger.paused', resolve));
    await this.#debugger.send('Debugger.pause');
    // It stops at the next thing it runs.
    this.tab.page.evaluate(() => undefined).catch(() => undefined);
    await paused;
  }

  async thaw(): Promise<void> {
    await this.#debugger.send('Debugger.resume');
  }

  /** What the browser says of the tab: whether anyone sees it. */
  async show(isSeen: boolean): Promise<void> {
    await this.tab.page.evaluate(
      (state) => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
        document.dispatchEvent(new Event('visibilitychange'));
      },
      isSeen ? 'visible' : 'hidden',
    );
  }

  /** What a browser says to tabs that nobody looks at before it freezes them, and after. */
  async lifecycle(event: 'freeze' | 'resume'): Promise<void> {
    await this.tab.page.evaluate((type) => document.dispatchEvent(new Event(type)), event);
  }
}
