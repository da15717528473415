// A run: consecutive steps of one instance and epoch, as one text with one checksum. A write has one of each instance that moved in it;
// `merge` makes longer ones of many. A run that is not what was written stays that way wherever it is moved to.
// (docs/journal.md draws the text)

import { LockstepError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { InstanceId } from '../../peer/wire.ts';
import { checksum, verify } from './checksum.ts';

export interface Run {
  readonly epoch: number;
  /** Seq of its first and its last step. */
  readonly first: number;
  readonly last: number;
  /** JSON: a list of `PackedStep`. */
  readonly body: string;
  /** The bits in which the checksum that it had differs from that of its words: 0 when it is what was written. */
  readonly wrong: number;
}

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

/** Steps of a merged run, at least; what one flipped bit can take with it. */
const MERGED_COUNT = 64;

/** @param steps gapless, of one instance and epoch, not empty. */
export function runOf(steps: readonly Step[]): Run {
  const { epoch, seq: first } = steps[0]!;
  return { epoch, first, last: first + steps.length - 1, body: JSON.stringify(steps.map(pack)), wrong: 0 };
}

/** A run as it was read. @param found the checksum beside it. */
export function readRun(instance: InstanceId, row: Omit<Run, 'wrong'>, found: number): Run {
  const { epoch, first, last, body } = row;
  return { epoch, first, last, body, wrong: (found ^ checksum(instance, epoch, first, body)) >>> 0 };
}

/** The checksum that belongs beside it: a wrong one for a run that was wrong. */
export function sumOf(instance: InstanceId, { epoch, first, body, wrong }: Run): number {
  return (checksum(instance, epoch, first, body) ^ wrong) >>> 0;
}

/** @throws LockstepError CORRUPT when it is not what was written. */
export function stepsOf(instance: InstanceId, run: Run): Step[] {
  const { epoch, first, last, body } = run;
  const what = first === last ? `step ${first} of ${instance}` : `steps ${first} to ${last} of ${instance}`;
  verify(sumOf(instance, run), checksum(instance, epoch, first, body), what);
  // The checksum is the gate: these are the words that we wrote.
  const packed = JSON.parse(body) as readonly PackedStep[];
  if (packed.length !== last - first + 1) throw new LockstepError('CORRUPT', `${what}: ${packed.length} are there`);
  return packed.map((each, i) => unpack(instance, epoch, first + i, each));
}

/** Fewer and longer runs with the same steps. */
export function merge(runs: readonly Run[]): Run[] {
  const merged: Run[] = [];
  let group: Run[] = [];
  const close = (): void => {
    if (group.length > 0) merged.push(join(group));
    group = [];
  };
  for (const run of runs) {
    const before = group.at(-1);
    if (before !== undefined && !isContinued(before, run)) close();
    group.push(run);
    if (run.last - group[0]!.first + 1 >= MERGED_COUNT) close();
  }
  close();
  return merged;
}

function isContinued(run: Run, next: Run): boolean {
  return run.epoch === next.epoch && run.last + 1 === next.first && run.wrong === 0 && next.wrong === 0;
}

function join(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined || runs.length === 1) return first!;
  const body = `[${runs.map((run) => run.body.slice(1, -1)).join(',')}]`;
  return { epoch: first.epoch, first: first.first, last: runs.at(-1)!.last, body, wrong: 0 };
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
