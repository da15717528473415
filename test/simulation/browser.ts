// The browser of a simulated world, for tabs that share a socket: Web Locks that can be stolen, a channel between tabs, pages that are seen
// or not, frozen and crashed. The tabs' own agreement is the product's (browser/leader.ts).

import type { Channel, PageEvents, TabPlatform } from '../../browser/platform.ts';
import type { Announcement } from '../../browser/tab-messages.ts';
import type { Environment } from '../../peer/environment.ts';
import type { Link } from '../../peer/link.ts';
import type { Network } from './network.ts';

interface Request {
  readonly tab: Tab;
  readonly isShared: boolean;
  granted(): void;
  failed(): void;
}

interface Lock {
  holders: Request[];
  queue: Request[];
}

interface Listener {
  readonly tab: Tab;
  readonly name: string;
  readonly heard: (said: Announcement) => void;
}

/** What the tabs of one browser have in common. */
export class Browser {
  readonly network: Network;
  readonly #locks = new Map<string, Lock>();
  readonly listeners = new Set<Listener>();
  #term = 0;

  constructor(network: Network) {
    this.network = network;
  }

  nextTerm(): number {
    return ++this.#term;
  }

  request(name: string, request: Request, isStealing: boolean): void {
    const lock = this.#lock(name);
    if (isStealing) {
      const robbed = lock.holders;
      lock.holders = [];
      lock.queue.unshift(request);
      for (const holder of robbed) holder.failed();
    } else lock.queue.push(request);
    this.#grant(name);
  }

  /** Ends a wait, or a hold. @returns whether it was either. */
  release(name: string, request: Request): boolean {
    const lock = this.#lock(name);
    const isKnown = lock.holders.includes(request) || lock.queue.includes(request);
    lock.holders = lock.holders.filter((each) => each !== request);
    lock.queue = lock.queue.filter((each) => each !== request);
    this.#grant(name);
    return isKnown;
  }

  /** The tab's process is gone, and with it all that it held. */
  bury(tab: Tab): void {
    for (const listener of [...this.listeners]) if (listener.tab === tab) this.listeners.delete(listener);
    for (const [name, lock] of this.#locks) {
      lock.holders = lock.holders.filter((each) => each.tab !== tab);
      lock.queue = lock.queue.filter((each) => each.tab !== tab);
      this.#grant(name);
    }
  }

  #lock(name: string): Lock {
    const lock = this.#locks.get(name) ?? { holders: [], queue: [] };
    this.#locks.set(name, lock);
    return lock;
  }

  /** Strictly in the order of the queue; shared ones together. */
  #grant(name: string): void {
    const lock = this.#lock(name);
    for (let [first] = lock.queue; first !== undefined; [first] = lock.queue) {
      const isFree = lock.holders.length === 0 || (first.isShared && lock.holders.every(({ isShared }) => isShared));
      if (!isFree) return;
      lock.queue.shift();
      lock.holders.push(first);
      first.granted();
    }
  }
}

/** One tab's view of its browser. Everything that reaches it comes through its process, which may be frozen. */
export class Tab implements TabPlatform {
  readonly #name: string;
  readonly #browser: Browser;
  readonly #environment: Environment;
  #events: PageEvents | undefined;
  #isDead = false;
  #isSeen = true;

  constructor(name: string, browser: Browser, environment: Environment) {
    this.#name = name;
    this.#browser = browser;
    this.#environment = environment;
  }

  get isSeen(): boolean {
    return this.#isSeen;
  }

  now(): number {
    return this.#environment.now();
  }

  timer(delayMs: number, callback: () => void): () => void {
    return this.#environment.timer(delayMs, () => this.#run(callback));
  }

  lock(name: string, options: LockOptions, held: () => void | Promise<void>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => this.#later(() => reject(new Error('the wait for the lock was ended, or the lock was stolen')));
      const ended = (settle: () => void): void => {
        if (this.#isDead || !this.#browser.release(name, request)) return;
        this.#later(settle);
      };
      const request: Request = {
        tab: this,
        isShared: options.mode === 'shared',
        granted: () =>
          this.#later(() => {
            isGranted = true;
            Promise.resolve(held()).then(
              () => ended(() => resolve(undefined)),
              (error: Error) => ended(() => reject(error)),
            );
          }),
        failed: aborted,
      };
      let isGranted = false;
      options.signal?.addEventListener('abort', () => {
        if (!isGranted && !this.#isDead && this.#browser.release(name, request)) aborted();
      });
      this.#browser.request(name, request, options.steal === true);
    });
  }

  channel(name: string, heard: (said: Announcement) => void): Channel {
    const listener: Listener = { tab: this, name, heard };
    this.#browser.listeners.add(listener);
    return {
      say: (announcement) => {
        if (this.#isDead) return;
        for (const other of this.#browser.listeners) if (other !== listener && other.name === name) other.tab.#hear(other, announcement);
      },
      close: () => void this.#browser.listeners.delete(listener),
    };
  }

  #hear(listener: Listener, announcement: Announcement): void {
    this.#later(() => {
      if (this.#browser.listeners.has(listener)) listener.heard(announcement);
    });
  }

  watch(events: PageEvents): () => void {
    this.#events = events;
    return () => (this.#events = undefined);
  }

  dial(): Promise<Link> {
    return this.#browser.network.dial(this.#name);
  }

  nextTerm(): Promise<{ group: string; term: number }> {
    return new Promise((resolve) => this.#later(() => resolve({ group: 'tabs', term: this.#browser.nextTerm() })));
  }

  /** The person goes to another tab, or comes back. */
  show(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#later(() => this.#events?.sight());
  }

  /** The browser says so before it freezes the page. */
  warn(): void {
    this.#events?.freeze();
  }

  resume(): void {
    this.#later(() => this.#events?.resume());
  }

  die(): void {
    this.#isDead = true;
    this.#browser.bury(this);
  }

  #later(callback: () => void): void {
    this.#environment.defer(() => this.#run(callback));
  }

  #run(callback: () => void): void {
    if (!this.#isDead) callback();
  }
}
