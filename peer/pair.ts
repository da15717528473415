// Two ends of a link in one process: for a peer beside its relay, and for tests. Frames arrive in a later turn than they were sent in, in
// order, as on a socket.

import type { Environment } from './environment.ts';
import { CLOSE_NORMAL, type Frame, type Link, type LinkEvents } from './link.ts';

/** @returns the two ends; what one sends, the other receives. */
export function linkPair(environment: Environment): readonly [Link, Link] {
  const first = new PairEnd(environment);
  const second = new PairEnd(environment);
  first.other = second;
  second.other = first;
  return [first, second];
}

class PairEnd implements Link {
  other!: PairEnd;
  readonly #environment: Environment;
  #events: LinkEvents | undefined;
  /** Frames, and at the end perhaps how it closed, that have not been handed over. */
  #arriving: (Frame | { readonly code: number; readonly reason: string })[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  get bufferedBytes(): number {
    return 0;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    this.#schedule();
  }

  send(frame: Frame): void {
    if (!this.#isClosed) this.other.#arrive(frame);
  }

  close(code: number = CLOSE_NORMAL, reason = ''): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arriving = [];
    this.#arrive({ code, reason });
    this.other.#closedByOther(code, reason);
  }

  #closedByOther(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrive({ code, reason });
  }

  #arrive(item: Frame | { readonly code: number; readonly reason: string }): void {
    this.#arriving.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#events === undefined || this.#arriving.length === 0) return;
    this.#isScheduled = true;
    this.#environment.defer(() => {
      this.#isScheduled = false;
      this.#hand();
    });
  }

  #hand(): void {
    for (let item = this.#arriving.shift(); item !== undefined; item = this.#arriving.shift()) {
      if (typeof item === 'string' || item instanceof Uint8Array) this.#events?.frame(item);
      else this.#events?.closed(item.code, item.reason);
    }
  }
}
