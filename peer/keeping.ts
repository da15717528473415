// What a mirror has kept for it beyond the life of its process: its unconfirmed events under their numbers, and the last confirmed state to
// show them over. Agreement only; keeper.ts keeps it in a store.                                              (docs/spec/offline.md)

import type { EventObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { Stamp } from '../core/stamp.ts';
import type { InstanceState } from '../core/state.ts';
import type { Expectation, InstanceId } from './wire.ts';

/** An own event under its number, as it was when it was sent. */
export interface KeptEvent {
  readonly n: number;
  readonly event: EventObject;
  readonly expect?: Expectation;
  readonly stamp: Stamp;
}

/** A confirmed state. */
export interface KeptState {
  readonly machine: string;
  /** The hash of its image. */
  readonly image: string;
  readonly epoch: number;
  readonly seq: number;
  readonly state: InstanceState;
}

/** What there is of one instance when a mirror begins. */
export interface Kept {
  readonly state?: KeptState & { readonly bytes: Uint8Array };
  /** Ascending by number. */
  readonly events: readonly KeptEvent[];
  /** The newest number that this peer ever gave to an event of the instance. */
  readonly newest: number;
}

/** A mirror that begins. */
export interface Restorable {
  restore(kept: Kept, machine: Machine | undefined): void;
}

export interface Keeping {
  /** Gives a mirror what was kept of it. Never rejects. @param machine of a kept image, with the functions at hand. */
  restore(mirror: Restorable, machine: (name: string, bytes: Uint8Array) => Promise<Machine>): Promise<void>;
  /** @param done called when the event is durable, or when it cannot be: it may be sent then, and not before. */
  add(event: KeptEvent, done: () => void): void;
  /** The authority has decided these, and the confirmed state knows: nobody needs them any more. */
  drop(numbers: readonly number[]): void;
  /** The confirmed state moved. @param state asked for now and then. */
  moved(state: () => KeptState | undefined, bytes: () => Uint8Array): void;
}

/** For the mirror of an instance. */
export type Keep = (instance: InstanceId) => Keeping;

/**
 * Where one peer's mirrors are kept. What is written is durable when its promise resolves; contract: test/contracts/store.ts. States and
 * images are shared by all peers that use the place; events and their numbers belong to the peer alone.
 */
export interface Store {
  read(instance: InstanceId): Promise<Kept>;
  /** @throws when there is no room. */
  add(instance: InstanceId, events: readonly KeptEvent[]): Promise<void>;
  /** Forgets events and replaces the state, both or neither. */
  save(instance: InstanceId, dropped: readonly number[], state?: KeptState & { readonly bytes: Uint8Array }): Promise<void>;
}
