// A tab's way to the socket where there is no SharedWorker: the tab that holds a lock leads, and holds the socket for all; the others reach
// it over a BroadcastChannel. Each leader has a term of its own, and nobody listens to an earlier one. A leader whose tab is frozen lets
// go; from one that does not answer, or that nobody sees, a tab that is seen takes the lock.                 (TAB-2, TAB-4, TAB-5)

import type { Link } from '../peer/link.ts';
import { Exchange } from './exchange.ts';
import { Lines } from './lines.ts';
import type { Channel, TabPlatform } from './platform.ts';
import { type Announcement, type FromTab, type TabId, tabLock } from './tab-messages.ts';
import type { Way, WayOptions } from './way.ts';

/** Milliseconds between two questions whether the leader is there. */
const ASK_MS = 1_000;
/** Milliseconds without an answer after which the leader is taken for frozen. */
const PATIENCE_MS = 2_000;
/** Milliseconds that a leader may be out of sight while others are in sight: a browser slows such a tab down, or freezes it. */
const HIDDEN_MS = 5_000;

interface Leading {
  readonly exchange: Exchange;
  readonly term: number;
}

export class LedWay implements Way {
  readonly #options: WayOptions;
  readonly #lock: string;
  readonly #platform: TabPlatform;
  readonly #channel: Channel;
  readonly #lines: Lines;
  readonly #silence = new AbortController();
  #cancelAsking: () => void = () => undefined;
  /** Ends our place in the queue for the lock, or our hold on it. */
  #stepBack: () => void = () => undefined;
  #leading: Leading | undefined;
  /** The term of the leader that we listen to, ourselves perhaps; 0 while there is none. */
  #term = 0;
  #heardAt: number;
  #askedAt: number;
  #hiddenAt: number | undefined;

  constructor(options: WayOptions, platform: TabPlatform) {
    this.#options = options;
    this.#platform = platform;
    this.#heardAt = this.#askedAt = platform.now();
    this.#lock = `lockstep leader ${options.url}`;
    this.#lines = new Lines((message) => this.#post(message), platform);
    this.#channel = platform.channel(`lockstep ${options.url}`, (said) => this.#hear(said));
    this.#look();
    const unwatch = platform.watch({ sight: () => this.#look(), freeze: () => this.#stepBack(), resume: () => this.#stand() });
    this.#silence.signal.addEventListener('abort', unwatch);
    this.#askOften();
    this.#say({ kind: 'who' });
    this.#stand();
  }

  dial(): Promise<Link> {
    return this.#lines.dial();
  }

  leave(): void {
    this.#silence.abort();
    this.#cancelAsking();
    this.#stepBack();
    this.#lines.fail('this page left');
    this.#channel.close();
  }

  // ── Leading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for the lock, or takes it from whoever has it. */
  #stand(steal = false): void {
    this.#stepBack();
    const queue = new AbortController();
    const held = new Promise<void>((release) => {
      this.#stepBack = () => {
        queue.abort();
        release();
      };
    });
    const lead = async (): Promise<void> => {
      const share = await this.#platform.nextTerm(this.#options.url);
      if (queue.signal.aborted) return;
      const leading = this.#lead(share);
      await held;
      this.#retire(leading);
    };
    this.#platform.lock(this.#lock, steal ? { steal } : { signal: queue.signal }, lead).catch(() => {
      // Left the queue by ourselves; or somebody has taken the lock, and we queue up behind.
      if (!queue.signal.aborted) this.#deposed();
    });
  }

  #lead(share: Awaited<ReturnType<TabPlatform['nextTerm']>>): Leading {
    const leading = { term: share.term, exchange: new Exchange({ dial: () => this.#platform.dial(this.#options.url), share }) };
    leading.exchange.join(this.#options.tab, (message) => this.#lines.receive(message));
    this.#leading = leading;
    this.#say({ kind: 'lead', term: share.term });
    this.#follow(share.term);
    return leading;
  }

  #deposed(): void {
    if (this.#leading !== undefined) this.#retire(this.#leading);
    this.#stand();
    this.#say({ kind: 'who' });
  }

  #retire(leading: Leading): void {
    if (this.#leading !== leading) return;
    this.#leading = undefined;
    this.#term = 0;
    leading.exchange.close();
    this.#lines.end('this tab does not hold the socket any more');
    if (!this.#silence.signal.aborted) this.#say({ kind: 'gone', term: leading.term });
  }

  #serve(from: TabId, message: FromTab): void {
    const { exchange, term } = this.#leading!;
    if (!exchange.has(from)) {
      exchange.join(from, (answer) => this.#say({ kind: 'to-tab', to: from, term, message: answer }));
      // Shared: an earlier leader may be waiting for the same, and be frozen.
      void this.#platform.lock(tabLock(from), { mode: 'shared' }, () => exchange.leave(from));
    }
    exchange.receive(from, message);
  }

  // ── Following ──────────────────────────────────────────────────────────────────────────────────────────────────

  #post(message: FromTab): void {
    if (this.#leading !== undefined) this.#leading.exchange.receive(this.#options.tab, message);
    else if (this.#term > 0) this.#say({ kind: 'to-leader', from: this.#options.tab, term: this.#term, message });
  }

  #hear(said: Announcement): void {
    if (this.#leading !== undefined) this.#answer(said, this.#leading);
    if ((said.kind === 'pong' || said.kind === 'to-tab') && said.term === this.#term) this.#heardAt = this.#platform.now();
    switch (said.kind) {
      case 'lead':
        if (said.term > this.#term) this.#follow(said.term);
        return;
      case 'gone':
        if (said.term !== this.#term || this.#leading !== undefined) return;
        this.#term = 0;
        return this.#lines.end('the tab that held the socket let it go');
      case 'to-tab':
        if (said.to === this.#options.tab && said.term === this.#term) this.#lines.receive(said.message);
        return;
      case 'pong':
        if (said.to === this.#options.tab && said.term === this.#term && said.hiddenMs > HIDDEN_MS && this.#isSeen) this.#stand(true);
        return;
      case 'who':
      case 'ping':
      case 'to-leader':
        return;
    }
  }

  #answer(said: Announcement, { term }: Leading): void {
    if (said.kind === 'who' || ((said.kind === 'to-leader' || said.kind === 'ping') && said.term < term)) this.#say({ kind: 'lead', term });
    else if (said.kind === 'to-leader' && said.term === term) this.#serve(said.from, said.message);
    else if (said.kind === 'ping' && said.term === term) {
      const hiddenMs = this.#hiddenAt === undefined ? 0 : this.#platform.now() - this.#hiddenAt;
      this.#say({ kind: 'pong', to: said.from, term, hiddenMs });
    }
  }

  #follow(term: number): void {
    // A later leader than ourselves: the loss of the lock is on its way to us.
    if (this.#leading !== undefined && this.#leading.term < term) this.#retire(this.#leading);
    this.#term = term;
    this.#heardAt = this.#platform.now();
    this.#lines.renew();
    this.#options.again();
  }

  #askOften(): void {
    this.#cancelAsking = this.#platform.timer(ASK_MS, () => {
      this.#askOften();
      this.#ask();
    });
  }

  /** Whether the leader is there. Only who is seen asks, and only when it has something to ask for. */
  #ask(): void {
    const now = this.#platform.now();
    const hasSlept = now - this.#askedAt > 2 * ASK_MS;
    this.#askedAt = now;
    if (this.#leading !== undefined || !this.#isSeen || this.#lines.isIdle || hasSlept) this.#heardAt = now;
    if (this.#leading !== undefined || !this.#isSeen) return;
    if (now - this.#heardAt > PATIENCE_MS) {
      this.#heardAt = now;
      return this.#stand(true);
    }
    this.#say({ kind: 'ping', from: this.#options.tab, term: this.#term });
  }

  #look(): void {
    this.#hiddenAt = this.#isSeen ? undefined : this.#platform.now();
  }

  get #isSeen(): boolean {
    return this.#platform.isSeen;
  }

  #say(announcement: Announcement): void {
    this.#channel.say(announcement);
  }
}
