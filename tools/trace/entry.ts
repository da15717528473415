// One recorded step with its place among all others. The record of a step of ours never changes; that of a plain XState program is made
// of two messages, and changes once, when the second comes. Where an entry stands changes when earlier ones arrive late.

import type { InspectMessage, InspectRecord, InspectSnapshot } from '../../peer/inspect/protocol.ts';
import type { TraceRecord } from '../../peer/wire.ts';
import type { DefinitionChart } from './definition-chart.ts';

export interface Entry {
  /** `instance@epoch#seq`: unique, and what a deep link holds. */
  readonly id: string;
  record: TraceRecord;
  /** Characters of the record as JSON: what the memory bound counts. */
  size: number;
  /** ms since the epoch: the step's `at`, or its predecessor's moment when the clock of its authority went back. */
  moment: number;
  /** Position on the merged timeline, from 0. */
  index: number;
  /** The step of another instance whose effect most probably sent this one's event; see Timeline. */
  source: Entry | undefined;
  /** What a plain XState program told; undefined on steps of ours. */
  readonly told?: Told;
}

/** A record whose message was read. */
export type ToldRecord = InspectRecord<InspectMessage>;

/** What an entry of a program has that no step of ours has. */
export interface Told {
  readonly actor: ToldActor;
  /** The actor after it; undefined until the program says so, and for ever when the event ended in an exception. */
  after: Known | undefined;
  /** The entry before it in the whole program. */
  previous: Entry | undefined;
  /** What the sender was doing when it sent the event; undefined when that was no actor, or is not known. */
  source: Entry | undefined;
  readonly sourceId: string | undefined;
  readonly records: ToldRecord[];
}

export interface Known {
  readonly snapshot: InspectSnapshot;
  /** By state number of the chart: how often it was seen to become active or inactive. */
  readonly clocks: readonly number[];
}

export interface ToldActor {
  readonly sessionId: string;
  /** `program/session`: what its lane is called by. */
  readonly instance: string;
  name: string;
  parentId: string | undefined;
  chart: DefinitionChart;
  readonly entries: Entry[];
  /** Those that no snapshot came for. */
  pending: Entry[];
  /** What it was before the first of `entries`, if that is known. */
  base: Known | undefined;
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

/** The step that made the instance, or started the actor. */
export function isCreation({ record }: Entry): boolean {
  return record.step.cause.event.type === 'xstate.init';
}
