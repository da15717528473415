// Brings an instance back from its journal: the checkpoint, then every step folded in. None of the author's code runs. Digests that were
// recorded on the way must come out the same; otherwise the record or the fold is wrong, and nobody may build on it.

import { LockstepError } from '../core/errors.ts';
import { Instance } from '../core/instance.ts';
import type { Machine } from '../core/machine.ts';
import type { Step } from '../core/step.ts';
import type { StoredInstance } from './journal.ts';
import { SeenEvents } from './seen.ts';

export interface Recovered {
  readonly instance: Instance;
  readonly epoch: number;
  readonly seen: SeenEvents;
  /** The authority's clock at the last step; 0 when only a checkpoint is left. */
  readonly at: number;
}

/**
 * @param machine the one whose image the instance is pinned to.
 * @throws LockstepError CORRUPT when steps are missing, do not fit the image, or do not have their digest; CORE.
 */
export function recover(machine: Machine, stored: StoredInstance): Recovered {
  const { checkpoint, record, steps } = stored;
  const instance = Instance.create(machine);
  try {
    if (checkpoint !== undefined) instance.load(checkpoint.state, checkpoint.seq);
    const seen = SeenEvents.load(checkpoint?.seen ?? []);
    for (const step of steps) fold(instance, step, seen);
    const epoch = steps.at(-1)?.epoch ?? checkpoint?.epoch;
    if (epoch === undefined || instance.seq === 0)
      throw new LockstepError('CORRUPT', `instance ${record.instance} has neither a checkpoint nor a first step`);
    return { instance, epoch, seen, at: steps.at(-1)?.at ?? 0 };
  } catch (error) {
    instance.dispose();
    if (error instanceof LockstepError && error.code !== 'BAD_PARAMS' && error.code !== 'STALE_SEQ') throw error;
    throw new LockstepError(
      'CORRUPT',
      `instance ${record.instance} cannot be folded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

function fold(instance: Instance, step: Step, seen: SeenEvents): void {
  instance.apply(step);
  if (step.cause.n > 0) seen.add(step.cause.peer, step.cause.n, step.seq, step.ignored !== true);
  if (step.digest === undefined) return;
  const digest = instance.digest();
  if (digest !== step.digest) {
    throw new LockstepError('CORRUPT', `step ${step.seq} of ${step.instance} folds to digest ${digest}, its record says ${step.digest}`);
  }
}
