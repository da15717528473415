// What journals have in common: the order that a write must keep; a run, which is consecutive steps of one instance and epoch as one text;
// the words that the checksum of a record is over.                                                  (docs/journal.md draws the text)

import { LockstepError } from '../core/errors.ts';
import type { EventObject } from '../core/json.ts';
import type { InstanceState } from '../core/state.ts';
import type { Step } from '../core/step.ts';
import type { Checkpoint, JournalEntry, Seen } from './journal.ts';
import type { InstanceId, PeerId } from './wire.ts';

/** Steps before a checkpoint that stay readable, at least: what somebody who looks back first asks for. */
export const HISTORY_COUNT = 256;

/** What most steps do not have; left out where it is empty. */
type More = {
  readonly [Field in Exclude<keyof Step, 'instance' | 'epoch' | 'seq' | 'at' | 'cause' | 'clocks' | 'patch' | 'host'>]?:
    Step[Field] | undefined;
};

/** A step without what its run says already: half the text of the record, and written in half the time. */
type PackedStep = readonly [
  at: number,
  peer: string,
  n: number,
  event: Step['cause']['event'],
  seed: number,
  clocks: Step['clocks'],
  patch: Step['patch'],
  host: Step['host'],
  more?: More,
];

/** Which steps a text has. */
export interface Span {
  readonly epoch: number;
  /** Seq of its first and its last step. */
  readonly first: number;
  readonly last: number;
}

/** @param steps gapless, of one instance and epoch, not empty. @returns JSON: a list of `PackedStep`. */
export function packSteps(steps: readonly Step[]): string {
  return JSON.stringify(steps.map(pack));
}

/** @param body these words, not others: its checksum was right. @throws LockstepError CORRUPT when there are more or fewer steps. */
export function unpackSteps(instance: InstanceId, { epoch, first, last }: Span, body: string): Step[] {
  const packed = JSON.parse(body) as readonly PackedStep[];
  if (packed.length !== last - first + 1)
    throw new LockstepError('CORRUPT', `${namedSpan(instance, { first, last })}: ${packed.length} are there`);
  return packed.map((each, i) => unpack(instance, epoch, first + i, each));
}

/** @returns JSON: `[state, seen]`; where there is a giver `[state, seen, giver, untold, givenFrom]`, as far as there is any of these. */
export function packCheckpoint({ state, seen, giver, untold, givenFrom }: Checkpoint): string {
  const from = givenFrom === undefined ? [] : [givenFrom];
  const given = giver === undefined ? [] : untold === undefined && givenFrom === undefined ? [giver] : [giver, untold ?? [], ...from];
  return JSON.stringify([state, seen, ...given]);
}

/** @param body these words, not others: its checksum was right. */
export function unpackCheckpoint(place: Pick<Checkpoint, 'instance' | 'epoch' | 'seq'>, body: string): Checkpoint {
  const [state, seen, giver, untold = [], givenFrom] = JSON.parse(body) as [InstanceState, Seen, PeerId?, EventObject[]?, number?];
  if (giver === undefined) return { ...place, state, seen };
  return { ...place, state, seen, giver, ...(givenFrom === undefined ? {} : { givenFrom }), ...(untold.length === 0 ? {} : { untold }) };
}

/** For people. */
export function namedSpan(instance: InstanceId, { first, last }: Pick<Span, 'first' | 'last'>): string {
  return first === last ? `step ${first} of ${instance}` : `steps ${first} to ${last} of ${instance}`;
}

/** @throws LockstepError CORRUPT when one of the steps from `first` on is not there. */
export function assertGapless(instance: InstanceId, first: number, steps: readonly Step[]): void {
  const index = steps.findIndex((step, i) => step.seq !== first + i);
  if (index >= 0)
    throw new LockstepError(
      'CORRUPT',
      `step ${first + index} of ${instance} is missing in the journal, the next one is ${String(steps[index]?.seq)}`,
    );
}

/**
 * All of a write or none: what cannot be kept is refused before anything is.
 * @param newest the seq of an instance's newest step in the journal; undefined when it is not there.
 * @returns the same after the write, of the instances in it. @throws LockstepError STORAGE
 */
export function follow(
  entries: readonly JournalEntry[],
  newest: (instance: InstanceId) => number | undefined,
): ReadonlyMap<InstanceId, number | undefined> {
  const next = new Map<InstanceId, number | undefined>();
  const last = (instance: InstanceId): number | undefined => (next.has(instance) ? next.get(instance) : newest(instance));
  for (const entry of entries) {
    if (entry.kind === 'create') {
      const { instance } = entry.record;
      if (last(instance) !== undefined) throw new LockstepError('STORAGE', `instance ${instance} is in the journal already`);
      next.set(instance, entry.step.seq);
    } else if (entry.kind === 'step') {
      const { instance, seq } = entry.step;
      const before = last(instance);
      if (before === undefined || seq !== before + 1)
        throw new LockstepError('STORAGE', `step ${seq} of ${instance} does not follow ${String(before ?? 'anything')}`);
      next.set(instance, seq);
    } else if (entry.kind === 'checkpoint') {
      const { instance, seq } = entry.checkpoint;
      const before = last(instance);
      if (before === undefined || seq > before)
        throw new LockstepError('STORAGE', `a checkpoint of ${instance} at ${seq}, which the journal has not`);
    } else if (entry.kind === 'delete') {
      next.set(entry.instance, undefined);
    } else if (entry.kind === 'moved') {
      next.set(entry.moved.instance, undefined);
    }
  }
  return next;
}

/** What the checksum of a record is over: the place where it stands as well as its words, so that a record in the wrong place is as wrong. */
export function placed(name: string, epoch: number, seq: number, body: string): string {
  return `${name}\n${epoch}\n${seq}\n${body}`;
}

/** @throws LockstepError CORRUPT, which names `what`. */
export function verify(found: number, expected: number, what: string): void {
  if (found !== expected)
    throw new LockstepError('CORRUPT', `${what}: the checksum in the journal is ${found}, that of the words is ${expected}`);
}

function pack(step: Step): PackedStep {
  const { at, cause, clocks, patch, host } = step;
  const { peer, n, event, seed } = cause;
  const more = moreOf(step);
  return more === undefined ? [at, peer, n, event, seed, clocks, patch, host] : [at, peer, n, event, seed, clocks, patch, host, more];
}

function moreOf({ ignored, history, status, output, error, timers, children, ids, effects, digest }: Step): More | undefined {
  const hasLists = history.length > 0 || timers.length > 0 || effects.length > 0 || children !== undefined;
  const hasEnd = status !== undefined || output !== undefined || error !== undefined;
  if (!hasLists && !hasEnd && ignored === undefined && ids === undefined && digest === undefined) return undefined;
  return {
    ignored,
    history: history.length === 0 ? undefined : history,
    status,
    output,
    error,
    timers: timers.length === 0 ? undefined : timers,
    children,
    ids,
    effects: effects.length === 0 ? undefined : effects,
    digest,
  };
}

function unpack(instance: InstanceId, epoch: number, seq: number, [at, peer, n, event, seed, clocks, patch, host, more]: PackedStep): Step {
  return {
    instance,
    epoch,
    seq,
    at,
    cause: { peer, n, event, seed },
    clocks,
    history: [],
    patch,
    host,
    timers: [],
    effects: [],
    ...more,
  } as Step;
}
