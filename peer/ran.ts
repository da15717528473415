// A step on its way into the journal, with what is needed when that is decided: the instance may be further by then. One object for each step,
// told to whoever ordered it.

import type { LockstepError } from '../core/errors.ts';
import type { InstanceState } from '../core/state.ts';
import type { Step } from '../core/step.ts';
import { Backlog } from './backlog.ts';
import type { RequestId } from './codec-json.ts';
import type { Commit } from './commit.ts';
import { type Activity, activityOf } from './effects.ts';
import type { JournalEntry } from './journal.ts';
import type { Made } from './record.ts';
import type { Asker } from './service.ts';
import type { Moment } from './warden.ts';

/** Who waits for an answer, and to what. */
export interface Awaiting {
  readonly asker: Asker;
  readonly id: RequestId;
}

/** Hears what became of steps. */
export interface Settling {
  durable(ran: Ran): void;
  failed(ran: Ran, error: LockstepError): void;
}

/** What was made, and for whom. */
export interface MadeFor extends Made {
  readonly from?: Awaiting | undefined;
  /** Called when it cannot become durable. */
  readonly lost?: (() => void) | undefined;
}

export class Ran implements Commit {
  readonly made: MadeFor;
  readonly step: Step;
  readonly entries: readonly JournalEntry[];
  /** After it, for authorizers and views, while there are any. */
  readonly moment: Moment | undefined;
  readonly isIn: Activity;
  /** After it, where it is to be kept. */
  readonly state: InstanceState | undefined;
  readonly #settling: Settling;

  /** To be made before the instance takes another step. */
  constructor(settling: Settling, made: MadeFor, step: Step, entries: readonly JournalEntry[], moment: Moment | undefined) {
    this.made = made;
    this.step = step;
    this.entries = entries;
    this.moment = moment;
    this.isIn = activityOf(made.instance);
    this.state = Backlog.isMarked(step.seq) ? made.instance.save() : undefined;
    this.#settling = settling;
  }

  durable(): void {
    this.#settling.durable(this);
  }

  failed(error: LockstepError): void {
    this.#settling.failed(this, error);
  }
}
