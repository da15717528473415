// One socket for all tabs of an origin at a relay. Through a SharedWorker where there is one, else through the tab that leads (leader.ts).
// Each tab stays a peer of its own, and its links end and begin as others do; nothing above them knows.                   (TAB-1)

import type { Link } from '../peer/link.ts';
import { browserPlatform, holdLock } from './platform.ts';
import { SharedWay } from './shared.ts';
import { tabLock } from './tab-messages.ts';
import type { Way, WayOptions } from './way.ts';

/**
 * This page's way to the socket that it shares with others at `url`.
 * @param again whoever holds the socket is another one now: it is worth dialling at once.
 * @returns undefined where tabs cannot find each other: an origin that is not secure, or an old browser.
 */
export async function shareSocket(url: string, again: () => void): Promise<Way | undefined> {
  if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') return undefined;
  const tab = crypto.randomUUID();
  return new Tabs({ tab, url, again }, await holdLock(browserPlatform, tabLock(tab)));
}

class Tabs implements Way {
  #way: Way | Promise<Way>;
  readonly #url: string;
  readonly #release: () => void;

  constructor(options: WayOptions, release: () => void) {
    this.#url = options.url;
    this.#release = release;
    // Most browsers have a SharedWorker: what it takes to lead without is loaded where there is none.
    const lead = async (): Promise<Way> => new (await import('./leader.ts')).LedWay(options, browserPlatform);
    if (typeof SharedWorker === 'undefined') this.#way = lead();
    else this.#way = new SharedWay(options, () => (this.#way = lead()));
  }

  async dial(): Promise<Link> {
    const way = await Promise.resolve(this.#way).catch(() => undefined);
    return way === undefined ? browserPlatform.dial(this.#url) : way.dial();
  }

  leave(): void {
    const left = Promise.resolve(this.#way).then((way) => way.leave());
    void left.catch(() => undefined).finally(this.#release); // What could not be loaded holds nothing.
  }
}
