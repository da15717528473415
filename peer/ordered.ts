// What an authority orders: an instance by its name, the image that it runs, the epoch of its history, the event numbers that it remembers
// and the clock of its steps. One object that the authority, its tenure and those who read there share; the running copy is its tenure's. All
// of it is in each checkpoint, so here it is decided when the journal gets one.                                       (docs/journal.md)

import { LockstepError } from '../core/errors.ts';
import type { Instance } from '../core/instance.ts';
import type { Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { Stamp } from '../core/stamp.ts';
import type { Step } from '../core/step.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord, JournalEntry } from './journal.ts';
import type { Recovered } from './recovery.ts';
import type { SeenEvents } from './seen.ts';
import { sizeOf } from './shape.ts';
import type { InstanceId } from './wire.ts';

/** Whether the tail outweighs the state is asked once in so many steps. */
const WEIGH_EVERY = 256;
/** Characters of a remembered event in a checkpoint. */
const SEEN_SIZE = 20;

/** Of a step here. Its salt is made when somebody asks for it: hardly any step does. */
class OwnStamp implements Stamp {
  readonly now: number;
  readonly seed: number;
  readonly #instance: InstanceId;
  readonly #epoch: number;
  readonly #seq: number;

  constructor({ now, seed }: Omit<Stamp, 'salt'>, { instance, epoch, seq }: Pick<Step, 'instance' | 'epoch' | 'seq'>) {
    this.now = now;
    this.seed = seed;
    this.#instance = instance;
    this.#epoch = epoch;
    this.#seq = seq;
  }

  get salt(): string {
    return `${this.#instance}/${this.#epoch}/${this.#seq}`;
  }
}

export class Ordered {
  readonly #hosting: Hosting;
  #record: InstanceRecord;
  #machine: Machine;
  #epoch: number;
  #seen: SeenEvents;
  /** The authority's clock at the last step: it never runs backwards. */
  #at: number;
  /** Steps in the journal behind the last checkpoint. */
  #tail: number;
  /** Images that it ran before its schema grew: of its earlier steps in traces. */
  readonly #earlierImages = new Set<string>();

  /** @param tail how many steps of it the journal has behind its checkpoint. */
  constructor(hosting: Hosting, record: InstanceRecord, { instance, epoch, seen, at }: Recovered, tail: number) {
    this.#hosting = hosting;
    this.#record = record;
    this.#machine = instance.machine;
    this.#epoch = epoch;
    this.#seen = seen;
    this.#at = at;
    this.#tail = tail;
  }

  get record(): InstanceRecord {
    return this.#record;
  }

  get machine(): Machine {
    return this.#machine;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get seen(): SeenEvents {
    return this.#seen;
  }

  /** The authority's clock. */
  get at(): number {
    return this.#at;
  }

  /** Whether it runs an image, or has run it here. */
  hasRun(image: string): boolean {
    return image === this.#record.image || this.#earlierImages.has(image);
  }

  /** It was read from its journal again: what was not durable is forgotten. */
  reread({ epoch, seen }: Recovered, tail: number): void {
    this.#epoch = epoch;
    this.#seen = seen;
    this.#tail = tail;
  }

  /** Another history of it begins with a checkpoint in the journal, and another image. */
  renew(record: InstanceRecord, machine: Machine, epoch: number): void {
    this.#earlierImages.add(this.#record.image);
    this.#record = record;
    this.#machine = machine;
    this.#epoch = epoch;
    this.#tail = 0;
  }

  /** For its next step, which will be `seq`. */
  stamp(seq: number): Stamp {
    const { environment } = this.#hosting;
    this.#at = Math.max(this.#at, environment.now());
    const drawn = { now: this.#at, seed: environment.random() };
    return new OwnStamp(drawn, { instance: this.#record.instance, epoch: this.#epoch, seq });
  }

  /** The step, and with it a checkpoint when the steps since the last one outweigh the state. @param instance after it. */
  entries(step: Step, instance: Instance): readonly JournalEntry[] {
    this.#tail++;
    if (this.#tail % WEIGH_EVERY !== 0) return [{ kind: 'step', step }];
    const tailSize = JSON.stringify(step).length * this.#tail;
    const state = instance.save();
    if (tailSize < sizeOf(state as unknown as Json, tailSize) + this.#seen.count * SEEN_SIZE) return [{ kind: 'step', step }];
    const seen = this.#seen.saved();
    const checkpoint = {
      instance: this.#record.instance,
      epoch: this.#epoch,
      seq: step.seq,
      state,
      get seen() {
        return seen();
      },
    };
    this.#tail = 0;
    return [
      { kind: 'step', step },
      { kind: 'checkpoint', checkpoint },
    ];
  }

  /** What to tell of whatever was thrown: a fault of ours is for the log alone. */
  known(error: unknown): LockstepError {
    if (error instanceof LockstepError) return error;
    this.#hosting.report('error', `instance ${this.#record.instance}`, error);
    return new LockstepError('INTERNAL', `a fault of the authority of ${this.#record.instance}; its log has it`);
  }
}
