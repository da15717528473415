// Makes the step record of what the core just did. Journal, wire and trace all get this one.

import type { Instance } from '../core/instance.ts';
import type { EventObject } from '../core/json.ts';
import { FN_NONE, type Outcome } from '../core/outcome.ts';
import type { Stamp } from '../core/stamp.ts';
import { DIGEST_EVERY, type Step } from '../core/step.ts';
import type { InstanceId, PeerId } from './wire.ts';

export interface Made {
  /** After the step. */
  readonly instance: Instance;
  readonly outcome: Outcome;
  readonly stamp: Stamp;
  readonly peer: PeerId;
  readonly n: number;
  readonly event: EventObject;
}

/** Written before it is handed out: spreading what most steps do not have costs more than the rest of the record. */
type Draft = { -readonly [Field in keyof Step]: Step[Field] };

const NO_EFFECTS: Step['effects'] = Object.freeze([]);

export function recordStep({ instance, outcome, stamp, peer, n, event }: Made, id: InstanceId, epoch: number): Step {
  const { seq } = instance;
  const { status, output, error, effects, children, ids } = outcome;
  const step: Draft = {
    instance: id,
    epoch,
    seq,
    at: stamp.now,
    cause: { peer, n, event, seed: stamp.seed },
    clocks: outcome.clocks,
    history: outcome.history,
    patch: outcome.patch,
    host: outcome.host,
    timers: outcome.timers,
    effects: effects.length === 0 ? NO_EFFECTS : effects.filter(isNamed).map(({ fn, name }) => ({ fn, name })),
  };
  if (!outcome.taken) step.ignored = true;
  if (status !== undefined) step.status = status;
  if (output !== undefined) step.output = output;
  if (error !== undefined) step.error = error;
  if (children.length > 0) step.children = children;
  if (ids !== undefined) step.ids = ids;
  if (seq === 1 || seq % DIGEST_EVERY === 0) step.digest = instance.digest();
  return step;
}

/** An event that leaves when its time has come was asked for by an earlier step, which names the function. */
function isNamed({ fn }: { readonly fn: number }): boolean {
  return fn !== FN_NONE;
}
