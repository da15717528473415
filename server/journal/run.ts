// Runs (peer/journal-record.ts) with their checksums, as rows have them. A write has one of each instance that moved in it; `merge` makes longer ones
// of many. A run that is not what was written stays that way wherever it is moved to.

import type { Step } from '../../core/step.ts';
import { namedSpan, packSteps, type Span, unpackSteps, verify } from '../../peer/journal-record.ts';
import type { InstanceId } from '../../peer/wire.ts';
import { checksum } from './checksum.ts';

export interface Run extends Span {
  readonly body: string;
  /** The bits in which the checksum that it had differs from that of its words: 0 when it is what was written. */
  readonly wrong: number;
}

/** Steps of a merged run, at least; what one flipped bit can take with it. */
const MERGED_COUNT = 64;

/** @param steps gapless, of one instance and epoch, not empty. */
export function runOf(steps: readonly Step[]): Run {
  const { epoch, seq: first } = steps[0]!;
  return { epoch, first, last: first + steps.length - 1, body: packSteps(steps), wrong: 0 };
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
  const { epoch, first, body } = run;
  verify(sumOf(instance, run), checksum(instance, epoch, first, body), namedSpan(instance, run));
  return unpackSteps(instance, run, body);
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
