// What tabs need of their browser to agree on who holds the socket: locks, a channel, the page's life, a clock. The real one here; the
// simulation gives another.

import type { Link } from '../peer/link.ts';
import type { Notifications } from '../peer/wire.ts';
import type { Announcement } from './tab-messages.ts';

/** Between all tabs of an origin. */
export interface Channel {
  /** To all others, in order. */
  say(announcement: Announcement): void;
  close(): void;
}

/** What happens to a page. */
export interface PageEvents {
  /** It is seen now, or not any more. */
  sight(): void;
  /** It is about to be frozen: what it holds it should let go. */
  freeze(): void;
  resume(): void;
}

export interface TabPlatform {
  readonly isSeen: boolean;
  /** Milliseconds that only grow. */
  now(): number;
  /** @returns what cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
  /** As `navigator.locks.request`: held until what `held` returns resolves; rejects when the signal ends the wait, or another one steals it. */
  lock(name: string, options: LockOptions, held: () => void | Promise<void>): Promise<unknown>;
  channel(name: string, heard: (said: Announcement) => void): Channel;
  /** @returns what ends it. */
  watch(events: PageEvents): () => void;
  /** A socket of this tab's own. @throws LockstepError UNREACHABLE */
  dial(url: string): Promise<Link>;
  /** The group of the tabs, and a term higher than every one before. */
  nextTerm(url: string): Promise<Notifications['share']>;
}

export const browserPlatform: TabPlatform = {
  get isSeen() {
    return document.visibilityState === 'visible';
  },
  now: () => performance.now(),
  timer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  lock: (name, options, held) => navigator.locks.request(name, options, held),
  channel: (name, heard) => {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<Announcement>) => heard(data);
    return { say: (announcement) => channel.postMessage(announcement), close: () => channel.close() };
  },
  watch: ({ sight, freeze, resume }) => {
    const ended = new AbortController();
    const { signal } = ended;
    document.addEventListener('visibilitychange', sight, { signal });
    document.addEventListener('freeze', freeze, { signal });
    document.addEventListener('resume', resume, { signal });
    return () => ended.abort();
  },
  // Most tabs share one that others hold.
  dial: async (url) => (await import('./socket.ts')).dialSocket(url),
  // Only a tab that leads counts terms.
  nextTerm: async (url) => (await import('./term.ts')).nextTerm(url),
};

/** Takes a lock and keeps it. @returns what lets it go. */
export function holdLock(platform: TabPlatform, name: string): Promise<() => void> {
  return new Promise((resolve) => {
    void platform.lock(name, {}, () => new Promise<void>((release) => resolve(release)));
  });
}
