// Mutations that wait for their turn on a relational machine that runs here: first in, first out; what is prepended goes before all of them.
// The tick of the queue counts the turns of what was not prepended, from 1; a mutation that has to wait is told the tick of its turn.

import type { Json } from '../json.ts';
import type { Mutation } from '../mutation.ts';

export type QueueItem =
  | { readonly kind: 'mutation'; readonly mutation: Mutation; readonly tick: number; readonly signal?: AbortSignal | undefined }
  /** States to be taken back, and why. */
  | { readonly kind: 'exception'; readonly states: readonly string[]; readonly args: Json }
  | { readonly kind: 'eval'; readonly run: () => void };

export class MutationQueue {
  readonly #items: QueueItem[] = [];
  /** Of the turn taken last. */
  tick = 1;
  /** Of the turn that was over last. */
  done = 1;
  #waiting = 0;

  /** A turn that did not have to wait. */
  pass(): void {
    this.tick += 1;
    this.done = this.tick;
  }

  get length(): number {
    return this.#items.length;
  }

  /** @returns the tick of its turn. */
  push(mutation: Mutation, signal?: AbortSignal): number {
    this.#waiting += 1;
    const tick = this.tick + this.#waiting;
    this.#items.push({ kind: 'mutation', mutation, tick, signal });
    return tick;
  }

  prepend(item: Exclude<QueueItem, { readonly kind: 'mutation' }>): void {
    this.#items.unshift(item);
  }

  remove(item: QueueItem): void {
    const index = this.#items.indexOf(item);
    if (index >= 0) this.#items.splice(index, 1);
  }

  take(): QueueItem | undefined {
    const item = this.#items.shift();
    if (item?.kind === 'mutation') {
      this.#waiting -= 1;
      this.tick = item.tick;
    }
    return item;
  }

  /** Takes all mutations off; each has had its turn by that. What was prepended stays. @returns those that waited, in order. */
  drop(): readonly { readonly tick: number }[] {
    const dropped = this.#items.flatMap((item) => (item.kind === 'mutation' ? [item] : []));
    for (const item of dropped) this.remove(item);
    this.#waiting = 0;
    this.tick = dropped.at(-1)?.tick ?? this.tick;
    return dropped;
  }

  /** Whether one of this type with exactly these states, and no args, waits. */
  hasSame({ type, states }: Mutation): boolean {
    const called = new Set(states);
    return this.#items.some(
      (item) =>
        item.kind === 'mutation' &&
        item.mutation.type === type &&
        item.mutation.args === undefined &&
        new Set(item.mutation.states).size === called.size &&
        item.mutation.states.every((state) => called.has(state)),
    );
  }

  /** The mutations that wait, in order. */
  get mutations(): readonly Mutation[] {
    return this.#items.flatMap((item) => (item.kind === 'mutation' ? [item.mutation] : []));
  }
}
