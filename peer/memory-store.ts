// A store in memory, for tests and for peers whose process outlives them. What one peer writes is done when the turn is over.

import type { Kept, KeptEvent, KeptState, Store } from './keeping.ts';
import type { InstanceId } from './wire.ts';

type State = KeptState & { readonly bytes: Uint8Array };

export class MemoryStore implements Store {
  readonly #events = new Map<InstanceId, KeptEvent[]>();
  readonly #newest = new Map<InstanceId, number>();
  readonly #states: Map<InstanceId, State>;

  /** @param other a peer that shares its states with this one. */
  constructor(other?: MemoryStore) {
    this.#states = other === undefined ? new Map() : other.#states;
  }

  async read(instance: InstanceId): Promise<Kept> {
    const state = this.#states.get(instance);
    const events = [...(this.#events.get(instance) ?? [])];
    const newest = this.#newest.get(instance) ?? 0;
    return state === undefined ? { events, newest } : { state, events, newest };
  }

  async add(instance: InstanceId, events: readonly KeptEvent[]): Promise<void> {
    this.#events.set(instance, [...(this.#events.get(instance) ?? []), ...events]);
    this.#newest.set(instance, Math.max(this.#newest.get(instance) ?? 0, ...events.map(({ n }) => n)));
  }

  async save(instance: InstanceId, dropped: readonly number[], state?: State): Promise<void> {
    const events = this.#events.get(instance) ?? [];
    this.#events.set(
      instance,
      events.filter(({ n }) => !dropped.includes(n)),
    );
    if (state !== undefined) this.#states.set(instance, state);
  }
}
