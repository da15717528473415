// What must happen to each of many within the same time, or else: one timer for all who wait, because nearly all are in time, and after a restart
// of the relay everyone comes at once.

import type { Environment } from '../peer/environment.ts';

export class Deadlines<Item> {
  readonly #environment: Environment;
  readonly #delayMs: number;
  readonly #missed: (item: Item) => void;
  /** When each is late, in that order. */
  readonly #due = new Map<Item, number>();
  /** While somebody waits. */
  #cancel: (() => void) | undefined;

  /** @param missed hears of each that is late. */
  constructor(environment: Environment, delayMs: number, missed: (item: Item) => void) {
    this.#environment = environment;
    this.#delayMs = delayMs;
    this.#missed = missed;
  }

  /** Its time begins. */
  add(item: Item): void {
    this.#due.set(item, this.#environment.now() + this.#delayMs);
    if (this.#cancel === undefined) this.#wait(this.#delayMs);
  }

  /** It is in time, or gone. */
  delete(item: Item): void {
    this.#due.delete(item);
    if (this.#due.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(delayMs: number): void {
    this.#cancel = this.#environment.timer(delayMs, () => this.#look());
  }

  #look(): void {
    this.#cancel = undefined;
    const now = this.#environment.now();
    const late: Item[] = [];
    for (const [item, due] of this.#due) {
      if (due > now) {
        this.#wait(due - now);
        break;
      }
      late.push(item);
      this.#due.delete(item);
    }
    for (const item of late) this.#missed(item);
  }
}
