// How much a link may say: so many of something in a second, and two seconds' worth at once after a rest. A bucket that fills with time.

/** Seconds whose worth may come at once: a peer that was away, or a page that wakes up, has something to catch up on. */
const BURST_S = 2;

export class Allowance {
  readonly perSecond: number;
  readonly #most: number;
  #left: number;
  #at: number;

  /** @param now ms since the epoch. */
  constructor(perSecond: number, now: number) {
    this.perSecond = perSecond;
    this.#most = perSecond * BURST_S;
    this.#left = this.#most;
    this.#at = now;
  }

  /** @returns false when it is more than may be said now; nothing is taken then. */
  take(size: number, now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + (Math.max(0, now - this.#at) * this.perSecond) / 1_000);
    this.#at = now;
    if (size > this.#left) return false;
    this.#left -= size;
    return true;
  }
}
