// The whole of an instance between two steps, as plain JSON: what a snapshot in the journal, the answer to `watch` and a checkpoint hold.

import type { Json } from './json.ts';
import type { ChildStart } from './request.ts';
import type { DelayedEvent, Status } from './step.ts';

export interface InstanceState {
  readonly status: Status;
  /** Ticks by state number; odd = active. */
  readonly clocks: readonly number[];
  /** [history number, states remembered], only those that remember any. */
  readonly history: readonly (readonly [history: number, states: readonly number[]])[];
  readonly context: Json;
  /** [timer number, due in ms since the epoch, what it sends when it is none of the image's], ascending by timer. */
  readonly timers: readonly (readonly [timer: number, due: number, send?: DelayedEvent])[];
  /** Actors that were started and not stopped, in that order. */
  readonly children?: readonly (ChildStart & { readonly ended?: true })[];
  /** How many ids it has made for children and delayed events. */
  readonly ids?: number;
  readonly output?: Json;
  readonly error?: string;
}
