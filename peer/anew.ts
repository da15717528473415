// How an instance begins anew in a journal, at the seq where it stands: under another authority, or with another image. What the journal had
// of it before goes, because its steps are another epoch's, and may be another image's; in one write, so that a crash leaves one of the two.

import type { EventObject } from '../core/json.ts';
import type { Step } from '../core/step.ts';
import type { Checkpoint, InstanceRecord, JournalEntry } from './journal.ts';
import type { PeerId } from './wire.ts';

/** The causes of first records: it was taken from another peer, or its schema has grown. */
export const TAKEN = 'xstate.taken';
export const GROWN = 'xstate.grown';

export interface Anew {
  readonly record: InstanceRecord;
  /** The image that the record names. */
  readonly bytes: Uint8Array;
  readonly checkpoint: Checkpoint;
  /** Of the checkpoint's state. */
  readonly digest: string;
  /** TAKEN or GROWN, and what is to be known of it. */
  readonly event: EventObject;
  /** The authority's clock. */
  readonly at: number;
  readonly self: PeerId;
}

export function anew({ record, bytes, checkpoint, digest, event, at, self }: Anew): readonly JournalEntry[] {
  const { instance } = record;
  const { epoch, seq } = checkpoint;
  const nothing = { clocks: [], history: [], patch: [], host: [], timers: [], effects: [] };
  // It changed nothing, and stands where the part before it ends.
  const step: Step = { instance, epoch, seq, at, cause: { peer: self, n: 0, event, seed: 0 }, ignored: true, ...nothing, digest };
  return [
    { kind: 'image', hash: record.image, bytes },
    { kind: 'delete', instance },
    { kind: 'create', record, step },
    { kind: 'checkpoint', checkpoint },
  ];
}
