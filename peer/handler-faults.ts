// What becomes of a relational machine at its authority when a final handler of it throws, or does not end in time: states are taken back,
// Exception comes, and behind a handler that was given up no mutation is taken for a moment. What any effect throws is reported.
// (docs/relational.md)

import { LockstepError } from '../core/errors.ts';
import type { EventObject } from '../core/json.ts';
import { EXCEPTION_EVENT, isMutation, mutation } from '../core/mutation.ts';
import type { Effect } from '../core/outcome.ts';
import { takenBack } from '../core/relational/finals.ts';
import { Backoff, errorArgs, GivenUp, HANDLER_TIMEOUT_STATE } from '../core/relational/limit.ts';
import type { EffectPlace } from './effects.ts';
import type { Hosting } from './hosting.ts';
import type { Ordered } from './ordered.ts';

export class HandlerFaults {
  readonly #hosting: Hosting;
  readonly #ordered: Ordered;
  readonly #tell: (event: EventObject) => void;
  readonly #backoff: Backoff;

  /** @param tell makes an event of the authority's own. */
  constructor(options: { readonly hosting: Hosting; readonly ordered: Ordered; readonly tell: (event: EventObject) => void }) {
    this.#hosting = options.hosting;
    this.#ordered = options.ordered;
    this.#tell = options.tell;
    this.#backoff = new Backoff(options.hosting.environment);
  }

  /** Of actions of statecharts no more comes than the report. */
  failed({ name, event }: Effect, error: unknown, { outcome, index }: EffectPlace): void {
    const { record, machine } = this.#ordered;
    this.#hosting.report('error', `effect "${name}" of ${record.instance} failed`, error);
    // What the handlers of an exception throw brings no other one.
    if (machine.isRelational && event.type !== EXCEPTION_EVENT)
      this.#tell({ type: EXCEPTION_EVENT, states: takenBack(machine, outcome, index), args: errorArgs(error) } as EventObject);
    if (!(error instanceof GivenUp)) return;
    if (machine.symbols.states.some(({ key }) => key === HANDLER_TIMEOUT_STATE))
      this.#tell(mutation('add', [HANDLER_TIMEOUT_STATE, 'Exception'], errorArgs(error)));
    this.#backoff.begin();
  }

  /** @throws LockstepError BACKING_OFF for a mutation while the machine rests. */
  admit({ type }: EventObject): void {
    const { restMs } = this.#backoff;
    if (restMs === 0 || !isMutation(type) || type === EXCEPTION_EVENT) return;
    throw new LockstepError(
      'BACKING_OFF',
      `a final handler of ${this.#ordered.machine.symbols.id} did not end in time: mutations are taken again in ${restMs} ms`,
    );
  }
}
