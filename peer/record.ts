// Makes the step record of what the core just did. Journal, wire and trace all get this one.

import type { Instance } from '../core/instance.ts';
import type { EventObject } from '../core/json.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Stamp } from '../core/stamp.ts';
import { DIGEST_EVERY, type Step } from '../core/step.ts';
import type { InstanceId, PeerId } from './wire.ts';

export interface Made {
  readonly id: InstanceId;
  readonly epoch: number;
  /** After the step. */
  readonly instance: Instance;
  readonly outcome: Outcome;
  readonly stamp: Stamp;
  readonly peer: PeerId;
  readonly n: number;
  readonly event: EventObject;
}

export function recordStep({ id, epoch, instance, outcome, stamp, peer, n, event }: Made): Step {
  const { seq } = instance;
  const { status, output, error, effects, children, ids } = outcome;
  return {
    instance: id,
    epoch,
    seq,
    at: stamp.now,
    cause: { peer, n, event, seed: stamp.seed },
    ...(outcome.taken ? {} : { ignored: true as const }),
    clocks: outcome.clocks,
    history: outcome.history,
    ...(status === undefined ? {} : { status }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    patch: outcome.patch,
    host: outcome.host,
    timers: outcome.timers,
    ...(children.length === 0 ? {} : { children }),
    ...(ids === undefined ? {} : { ids }),
    effects: effects.map(({ fn, name }) => ({ fn, name })),
    ...(seq === 1 || seq % DIGEST_EVERY === 0 ? { digest: instance.digest() } : {}),
  };
}
