// Those who are to be told of something, each until it unsubscribes.

import type { Subscription } from '../core/actor.ts';

export class Observers<T> {
  readonly #observers = new Set<(news: T) => void>();

  add(observer: (news: T) => void): Subscription {
    this.#observers.add(observer);
    return { unsubscribe: () => void this.#observers.delete(observer) };
  }

  /** Who comes or goes meanwhile does so after this. */
  tell(news: T): void {
    for (const observer of [...this.#observers]) observer(news);
  }
}
