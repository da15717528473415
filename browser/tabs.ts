// One socket for all tabs of an origin at a relay. Through a SharedWorker where there is one, else through the tab that leads (leader.ts).
// Each tab stays a peer of its own, and its links end and begin as others do; nothing above them knows.                   (TAB-1)

import type { Link } from '../peer/link.ts';
import { LedWay } from './leader.ts';
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
  #way: Way;
  readonly #release: () => void;

  constructor(options: WayOptions, release: () => void) {
    this.#release = release;
    const lead = (): Way => new LedWay(options, browserPlatform);
    if (typeof SharedWorker === 'undefined') this.#way = lead();
    else this.#way = new SharedWay(options, () => (this.#way = lead()));
  }

  dial(): Promise<Link> {
    return this.#way.dial();
  }

  leave(): void {
    this.#way.leave();
    this.#release();
  }
}
