// A tab that a test drives: what its mirrors hold, and events sent as a page's script sends them.

import { existsSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { type Browser, chromium } from 'playwright-core';
import { expect } from 'vitest';
import type { EventObject, Json } from '../../core/json.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import type { RelationalMirror } from '../../peer/relational-mirror.ts';

export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
export const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
const WAIT = { timeout: 20_000, interval: 25 };

/** What replicas must agree on. */
export interface Holding {
  readonly value: Json;
  readonly context: Json;
  readonly seq: number;
  readonly digest: string;
}

/** What the pages put where a console finds it. */
declare global {
  var lockstep: { readonly peer: Peer; readonly mirrors: Readonly<Record<string, Mirror>>; readonly face: RelationalMirror };
  /** Whether sockets of the page keep to themselves what they are to send, or what they hear. */
  var wire: { isMute: boolean; isDeaf: boolean };
}

export async function openChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`no Chromium at ${CHROMIUM}: install it, set CHROMIUM, or run npm test -- --no-browser`);
  return chromium.launch({ executablePath: CHROMIUM, args: [...CHROMIUM_ARGS] });
}

/** Pages of it have sockets that a test can stop up, by `wire`. They are the page's own: without SharedWorkers. */
export async function holdSockets(context: BrowserContext): Promise<BrowserContext> {
  await context.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'SharedWorker');
    globalThis.wire = { isMute: false, isDeaf: false };
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      if (!globalThis.wire.isMute) send.call(this, data);
    };
    Object.defineProperty(WebSocket.prototype, 'onmessage', {
      set(this: WebSocket, hear: (event: MessageEvent) => void) {
        this.addEventListener('message', (event) => {
          if (!globalThis.wire.isDeaf) hear?.(event);
        });
      },
    });
  });
  return context;
}

export class Tab {
  readonly page: Page;
  /** Exceptions and error messages of the page. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** Resolves when the page's mirrors are there. */
  static async open(context: BrowserContext, url: string): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.goto(url);
    await tab.ready();
    return tab;
  }

  async ready(): Promise<void> {
    await this.page.waitForFunction(() => globalThis.lockstep !== undefined, undefined, WAIT);
  }

  holding(instance: string): Promise<Holding> {
    return this.page.evaluate((name) => {
      const mirror = globalThis.lockstep.mirrors[name]!;
      const { value, context } = mirror.getSnapshot();
      return { value, context, seq: mirror.seq, digest: mirror.digest };
    }, instance);
  }

  /** What the page shows of it: standing, and own events without an answer. */
  standing(instance: string): Promise<{ standing: string; unconfirmed: number }> {
    return this.page.evaluate((name) => {
      const mirror = globalThis.lockstep.mirrors[name]!;
      return { standing: mirror.standing, unconfirmed: mirror.unconfirmedCount };
    }, instance);
  }

  peerId(): Promise<string | undefined> {
    return this.page.evaluate(() => globalThis.lockstep.peer.id);
  }

  /** Sends all events in one turn of the page. */
  send(instance: string, ...events: EventObject[]): Promise<void> {
    return this.page.evaluate(
      ([name, all]) => {
        for (const event of all) globalThis.lockstep.mirrors[name]!.send(event);
      },
      [instance, events] as const,
    );
  }

  /** Waits until the page shows this text in the element. */
  async shows(selector: string, text: string): Promise<void> {
    await expect.poll(() => this.page.locator(selector).innerText(), WAIT).toContain(text);
  }
}

/** Waits until nobody waits for an answer and all hold the same. @returns it. */
export async function agreed(
  instance: string,
  readers: readonly (() => Promise<Holding>)[],
  holds: (holding: Holding) => boolean = () => true,
): Promise<Holding> {
  let last: Holding | undefined;
  await expect
    .poll(
      async () => {
        const [first, ...rest] = await Promise.all(readers.map((read) => read()));
        last = first;
        return first !== undefined && holds(first) && rest.every((each) => JSON.stringify(each) === JSON.stringify(first))
          ? 'all agree'
          : JSON.stringify([first, ...rest]);
      },
      { ...WAIT, message: `replicas of ${instance}` },
    )
    .toBe('all agree');
  return last!;
}

export const patiently = WAIT;
