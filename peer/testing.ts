// The public test kit: a world whose clock, dice and turns are the test's own, and links that can be recorded and cut. Everything that
// runs in it runs the same again.

import { LockstepError } from '../core/errors.ts';
import type { Environment } from './environment.ts';
import { CLOSE_GOING_AWAY, type Dial, type Frame, type Link, type LinkEvents } from './link.ts';
import { linkPair } from './pair.ts';

export { linkPair } from './pair.ts';
export { MemoryJournal } from './memory.ts';

/** Promise reactions between two looks at whether anything is left to do: more than any chain of ours has. */
const REACTIONS = 64;

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class TestEnvironment implements Environment {
  #now: number;
  #random: number;
  #deferred: (() => void)[] = [];
  readonly #timers = new Set<Timer>();
  #order = 0;

  constructor(options: { readonly now?: number; readonly seed?: number } = {}) {
    this.#now = options.now ?? 1_000_000;
    this.#random = options.seed ?? 1;
  }

  now(): number {
    return this.#now;
  }

  /** A 32-bit mixer, twice: even enough for tests, and the same everywhere. */
  random(): number {
    return this.#draw() * 0x20_0000 + (this.#draw() >>> 11);
  }

  #draw(): number {
    this.#random = (this.#random + 0x9e3779b9) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  timer(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Runs turns until nothing is left to do at this moment. */
  async settle(): Promise<void> {
    for (;;) {
      for (let i = 0; i < REACTIONS; i++) await undefined;
      const turn = this.#deferred;
      this.#deferred = [];
      for (const callback of turn) callback();
      if (turn.length > 0) continue;
      const due = this.#next(this.#now);
      if (due === undefined) return;
      this.#timers.delete(due);
      due.callback();
    }
  }

  /** Runs what the current turn left for its end, and the promises that follow from it. */
  async turn(): Promise<void> {
    for (let i = 0; i < REACTIONS; i++) await undefined;
    const turn = this.#deferred;
    this.#deferred = [];
    for (const callback of turn) callback();
  }

  /** Lets time pass: every timer runs at its own moment, and everything that follows from it before the next one. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      await this.settle();
    }
    this.#now = end;
  }

  #next(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order)))
        first = timer;
    }
    return first;
  }
}

/** The way from one peer to the relay of a test: counts as a network that the test can cut and mend. */
export class TestNetwork {
  readonly #environment: Environment;
  readonly #attach: (link: Link) => void;
  readonly #record: ((line: string) => void) | undefined;
  readonly #links = new Set<Link>();
  isUp = true;

  /** @param attach takes the relay's end of each new link. @param record gets each frame as a line, `> to …` or `< from …`. */
  constructor(options: {
    readonly environment: Environment;
    readonly attach: (link: Link) => void;
    readonly record?: (line: string) => void;
  }) {
    this.#environment = options.environment;
    this.#attach = options.attach;
    this.#record = options.record;
  }

  readonly dial: Dial = async () => {
    if (!this.isUp) throw new LockstepError('UNREACHABLE', 'the test has cut the network');
    const [near, far] = linkPair(this.#environment);
    this.#links.add(near);
    this.#attach(far);
    return this.#record === undefined ? near : new RecordedLink(near, this.#record);
  };

  /** Both ends see their links close; dialling fails until `mend`. */
  cut(): void {
    this.isUp = false;
    for (const link of this.#links) link.close(CLOSE_GOING_AWAY, 'the test has cut the network');
    this.#links.clear();
  }

  mend(): void {
    this.isUp = true;
  }
}

class RecordedLink implements Link {
  readonly #link: Link;
  readonly #record: (line: string) => void;

  constructor(link: Link, record: (line: string) => void) {
    this.#link = link;
    this.#record = record;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  open(events: LinkEvents): void {
    this.#link.open({
      frame: (frame) => {
        this.#record(`< from ${described(frame)}`);
        events.frame(frame);
      },
      closed: (code, reason) => {
        this.#record(`< closed ${code} ${reason}`.trimEnd());
        events.closed(code, reason);
      },
    });
  }

  send(frame: Frame): void {
    this.#record(`> to ${described(frame)}`);
    this.#link.send(frame);
  }

  close(code: number, reason: string): void {
    this.#record(`> close ${code} ${reason}`.trimEnd());
    this.#link.close(code, reason);
  }
}

function described(frame: Frame): string {
  if (typeof frame !== 'string') return `? ${frame.byteLength} bytes`;
  const end = frame.indexOf('\n');
  return `${frame.slice(0, end) || 'the relay'}: ${frame.slice(end + 1)}`;
}
