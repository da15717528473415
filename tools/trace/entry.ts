// One recorded step with its place among all others. The record never changes; where it stands does, when earlier ones arrive late.

import type { TraceRecord } from '../../peer/wire.ts';

export interface Entry {
  /** `instance@epoch#seq`: unique, and what a deep link holds. */
  readonly id: string;
  readonly record: TraceRecord;
  /** Characters of the record as JSON: what the memory bound counts. */
  readonly size: number;
  /** ms since the epoch: the step's `at`, or its predecessor's moment when the clock of its authority went back. */
  moment: number;
  /** Position on the merged timeline, from 0. */
  index: number;
  /** The step of another instance whose effect most probably sent this one's event; see Timeline. */
  source: Entry | undefined;
}

export function entryId(instance: string, epoch: number, seq: number): string {
  return `${instance}@${epoch}#${seq}`;
}

export function createEntry(record: TraceRecord): Entry {
  const { instance, epoch, seq, at } = record.step;
  return { id: entryId(instance, epoch, seq), record, size: JSON.stringify(record).length, moment: at, index: -1, source: undefined };
}

/** Order of the steps of one instance. */
export function bySeq(a: Entry, b: Entry): number {
  return a.record.step.epoch - b.record.step.epoch || a.record.step.seq - b.record.step.seq;
}
