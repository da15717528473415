// Keeps one mirror in a store. An event is durable before it is sent; all of one turn are one write. That events are done with, and the
// state that shows it, are written together a moment later: what is written too late is only sent again, under its old number. (KEEP-1)

import type { Machine } from '../core/machine.ts';
import type { Environment } from './environment.ts';
import type { Kept, Keeping, KeptEvent, KeptState, Restorable, Store } from './keeping.ts';
import type { Report } from './log.ts';
import type { InstanceId } from './wire.ts';

/** Milliseconds between two writes of a state, at least. */
const SAVE_MS = 250;
/** Events that are done with and not forgotten yet: well below the number that an authority remembers. */
const DROPPED_MAX = 128;

export interface KeeperOptions {
  readonly instance: InstanceId;
  readonly store: Store;
  readonly environment: Environment;
  readonly report: Report;
}

export class Keeper implements Keeping {
  readonly #options: KeeperOptions;
  #added: { readonly event: KeptEvent; readonly done: () => void }[] = [];
  #dropped: number[] = [];
  #state: (() => KeptState | undefined) | undefined;
  #bytes: () => Uint8Array = () => new Uint8Array();
  #cancel: (() => void) | undefined;
  #savedAt = -Infinity;
  /** Writes leave one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  async restore(mirror: Restorable, machine: (name: string, bytes: Uint8Array) => Promise<Machine>): Promise<void> {
    const { store, instance } = this.#options;
    let kept: Kept = { events: [], newest: 0 };
    try {
      kept = await store.read(instance);
    } catch (error) {
      this.#failed('read', error);
    }
    try {
      mirror.restore(kept, kept.state && (await machine(kept.state.machine, kept.state.bytes)));
    } catch (error) {
      this.#failed('use the state of', error);
      mirror.restore({ events: kept.events, newest: kept.newest }, undefined);
    }
  }

  add(event: KeptEvent, done: () => void): void {
    this.#added.push({ event, done });
    if (this.#added.length === 1) this.#options.environment.defer(() => this.#write());
  }

  drop(numbers: readonly number[]): void {
    this.#dropped.push(...numbers);
    if (this.#dropped.length > DROPPED_MAX) this.flush();
    else this.#saveSoon();
  }

  moved(state: () => KeptState | undefined, bytes: () => Uint8Array): void {
    this.#state = state;
    this.#bytes = bytes;
    this.#saveSoon();
  }

  /** Writes what waits for its moment. Resolves when everything so far is durable, or could not be. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const dropped = this.#dropped;
    const kept = this.#state?.();
    this.#dropped = [];
    this.#state = undefined;
    if (dropped.length > 0 || kept !== undefined) {
      const state = kept === undefined ? undefined : { ...kept, bytes: this.#bytes() };
      this.#savedAt = this.#options.environment.now();
      this.#enqueue('save', (store, instance) => store.save(instance, dropped, state));
    }
    return this.#last;
  }

  #saveSoon(): void {
    if (this.#cancel !== undefined) return;
    // What comes after a quiet time is written at once.
    const { environment } = this.#options;
    const waitMs = Math.max(0, this.#savedAt + SAVE_MS - environment.now());
    this.#cancel = environment.timer(waitMs, () => void this.flush());
  }

  #write(): void {
    const added = this.#added;
    this.#added = [];
    this.#enqueue('keep events of', (store, instance) =>
      store.add(
        instance,
        added.map(({ event }) => event),
      ),
    ).then(() => {
      // Where nothing can be kept, events are sent all the same: that they were not kept has been reported.
      for (const { done } of added) done();
    });
  }

  #enqueue(what: string, work: (store: Store, instance: InstanceId) => Promise<void>): Promise<void> {
    const { store, instance } = this.#options;
    return (this.#last = this.#last.then(() => work(store, instance)).catch((error: unknown) => this.#failed(what, error)));
  }

  #failed(what: string, error: unknown): void {
    this.#options.report('warn', `the store could not ${what} ${this.#options.instance}`, error);
  }
}
