// Those who are to be told of something, each until it unsubscribes.

import type { Subscription } from '../core/actor.ts';
import type { Report } from './log.ts';

export class Observers<T> {
  readonly #observers = new Set<(news: T) => void>();
  readonly #what: string;
  readonly #report: Report;

  /** @param what they observe, for the report of one that throws. */
  constructor(what: string, report: Report) {
    this.#what = what;
    this.#report = report;
  }

  add(observer: (news: T) => void): Subscription {
    this.#observers.add(observer);
    return { unsubscribe: () => void this.#observers.delete(observer) };
  }

  /** Who comes or goes meanwhile does so after this. What one throws is reported, and the others are told. */
  tell(news: T): void {
    if (this.#observers.size === 0) return;
    for (const observer of [...this.#observers]) {
      try {
        observer(news);
      } catch (error) {
        this.#report('error', `an observer of ${this.#what} threw`, error);
      }
    }
  }
}
