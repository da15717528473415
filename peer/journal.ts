// The journal: the ordered, durable steps of instances. One contract suite (test/contracts/journal.ts) holds every implementation to this.

import type { EventObject } from '../core/json.ts';
import type { InstanceState } from '../core/state.ts';
import type { Step } from '../core/step.ts';
import type { InstanceId, PeerId, Seen } from './wire.ts';

export type { Seen } from './wire.ts';

export interface InstanceRecord {
  readonly instance: InstanceId;
  readonly machine: string;
  /** Hash of the image that it runs. */
  readonly image: string;
}

/** An instance after its step `seq`; the steps up to it are no longer needed to recover. */
export interface Checkpoint {
  readonly instance: InstanceId;
  readonly epoch: number;
  readonly seq: number;
  readonly state: InstanceState;
  readonly seen: Seen;
  /** It was handed over by this peer, which has not said yet that it is to be ordered here. */
  readonly giver?: PeerId;
  /** Which history of it that peer ordered. */
  readonly givenFrom?: number;
  /** What it is to take first when that peer has said so. */
  readonly untold?: readonly EventObject[];
}

export type JournalEntry =
  | { readonly kind: 'image'; readonly hash: string; readonly bytes: Uint8Array }
  /** What a machine name means from now on. */
  | { readonly kind: 'machine'; readonly machine: string; readonly image: string }
  | { readonly kind: 'create'; readonly record: InstanceRecord; readonly step: Step }
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'delete'; readonly instance: InstanceId }
  /** Another peer orders it now: what there was of it goes, and this is remembered until it is created here again. */
  | { readonly kind: 'moved'; readonly moved: Moved };

export interface Moved {
  readonly instance: InstanceId;
  readonly peer: PeerId;
  readonly epoch: number;
}

export interface StoredInstance {
  readonly record: InstanceRecord;
  readonly checkpoint?: Checkpoint;
  /** The steps after the checkpoint, gapless. */
  readonly steps: readonly Step[];
}

export interface Journal {
  /** What an acknowledged write survives. */
  readonly survives: 'nothing' | 'process' | 'power';
  /**
   * Writes all entries or none, in order, after every earlier write. Resolves when they are durable.
   * @throws LockstepError STORAGE; nothing of this write is then kept.
   */
  write(entries: readonly JournalEntry[]): Promise<void>;
  /** @throws LockstepError CORRUPT when a record does not have its checksum. */
  read(instance: InstanceId): Promise<StoredInstance | undefined>;
  /** Steps with seq in [from, to], also those before the checkpoint while they are kept. */
  steps(instance: InstanceId, from: number, to: number): Promise<readonly Step[]>;
  /** Ascending by instance, starting after `after`. */
  list(options: { readonly after?: string; readonly limit: number; readonly machine?: string }): Promise<readonly InstanceRecord[]>;
  machines(): Promise<readonly { readonly machine: string; readonly image: string }[]>;
  /** The instances that another peer orders now, ascending. */
  moved(): Promise<readonly Moved[]>;
  image(hash: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}
