// The two instances behind a mirror: the confirmed one, which is the authority's at some seq, and the predicted one, while that is ahead of it
// by own events. Also remembers the last state whose digest agreed, so that a divergence can be told with all that led to it.

import { type Difference, InstanceCopy } from '../core/copy.ts';
import { assert, LockstepError } from '../core/errors.ts';
import type { Instance } from '../core/instance.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { isSame } from '../core/plain.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Stamp } from '../core/stamp.ts';
import type { InstanceState } from '../core/state.ts';
import type { Made } from './record.ts';
import { isEvent, runOf } from './told.ts';
import type { DivergenceRecord, StepDifference, StepEvent, ToldStep } from './wire.ts';

/** A step that is in the confirmed state now. */
export interface Taken {
  readonly isIgnored: boolean;
  /** Of a mutation, when it was made and brought any. */
  readonly args: Json | undefined;
  /**
   * As it was told, and what came of running it here, unless nobody is told of that: while nothing has come after it, toldOf makes of it what
   * others are told.
   */
  readonly step: { readonly told: StepDifference } | { readonly told: StepEvent; readonly made: Made | undefined };
}

/** What makes instances that run everything: core/instance.ts, which pages load when they need it. */
export type Instances = typeof Instance;

export class Replica {
  readonly machine: Machine;
  readonly #instances: () => Instances | undefined;
  #confirmed: Instance | InstanceCopy;
  /** Made for the first own event: most mirrors only watch. */
  #predicted: Instance | InstanceCopy | undefined;
  /** Whether own events are ahead of #confirmed; else #predicted says nothing. */
  #isAhead = false;
  /** Of the confirmed state, when it was asked for: after a restart of the relay all mirrors are asked again, and nothing has changed. */
  #digest: string | undefined;
  #good: DivergenceRecord['good'] | undefined;
  #sinceGood: ToldStep[] = [];

  /**
   * @param instances asked where a copy is not enough: for machines that need it, and to tell others of steps that are made here.
   * @throws LockstepError CORE when memory is exhausted.
   */
  constructor(machine: Machine, instances: () => Instances | undefined) {
    this.machine = machine;
    this.#instances = instances;
    this.#confirmed = this.#create();
  }

  #create(): Instance | InstanceCopy {
    return this.machine.needsInstance ? this.#instance() : InstanceCopy.create(this.machine);
  }

  #instance(): Instance {
    const instances = this.#instances();
    assert(instances !== undefined, 'they are prepared for the machine, or this peer serves');
    return instances.create(this.machine);
  }

  get seq(): number {
    return this.#confirmed.seq;
  }

  /** Of the confirmed state. */
  get status(): InstanceCopy['status'] {
    return this.#confirmed.status;
  }

  /** Only where the author's functions are, or none is needed. */
  get predicts(): boolean {
    return this.machine.canRun;
  }

  /** What a mirror shows. */
  get shown(): InstanceCopy {
    return this.#isAhead ? this.#predicted! : this.#confirmed;
  }

  digest(): string {
    return (this.#digest ??= this.#confirmed.digest());
  }

  /** Of what shows. */
  snapshot(): Snapshot {
    return this.shown.snapshot();
  }

  /** Ticks by state number, of what shows; 0 is the root. */
  get clocks(): readonly number[] {
    return this.shown.save().clocks;
  }

  /** Of the confirmed state. */
  get confirmedClocks(): readonly number[] {
    return this.#confirmed.save().clocks;
  }

  tick(state: string): number {
    return this.shown.tick(state);
  }

  /** @throws LockstepError as Instance.can */
  can(event: EventObject): boolean {
    return this.shown.can(event);
  }

  /** The confirmed state. */
  save(): InstanceState {
    return this.#confirmed.save();
  }

  /** Becomes the authority's state at `seq`. @throws LockstepError BAD_PARAMS when it does not fit the image. */
  load(seq: number, state: InstanceState): void {
    this.#confirmed.load(state, seq);
    this.#jumped();
  }

  /**
   * @param salt of its stamp, when it is told by its event. @param isTold whether others are told of it.
   * @throws LockstepError STALE_SEQ when a step is missing, BAD_PARAMS when it does not fit; nothing changed then. (SYNC-2)
   */
  apply(step: ToldStep, salt: string, isTold = true): Taken {
    this.#digest = undefined;
    const taken = isEvent(step) ? this.#run(step, salt, isTold) : this.#fold(step);
    this.#sinceGood.push(step);
    return taken;
  }

  /** Makes the step again. (SYNC-35) @throws LockstepError whatever it ends in here, which it did not at the authority. */
  #run(told: StepEvent, salt: string, isTold: boolean): Taken {
    const { machine } = this;
    const [seq, , n] = told;
    if (seq !== this.seq + 1) throw new LockstepError('STALE_SEQ', `have ${this.seq}, got ${seq}`);
    const { event, stamp, origin } = runOf(machine, told, salt);
    // Most mirrors want the state that it leads to, and nothing of how.
    if (!isTold && machine.isQuiet && (origin === undefined || !machine.needsInstance)) {
      const isTaken = this.#confirmed.run(event, stamp, origin);
      if (machine.isQuiet) return { isIgnored: !isTaken, args: undefined, step: { told, made: undefined } };
    }
    const instance = this.#teller();
    const outcome = instance.step(event, stamp, origin);
    return {
      isIgnored: !outcome.taken,
      args: undefined,
      step: { told, made: { instance, outcome, stamp, peer: '', n, event } },
    };
  }

  /** The confirmed instance as one that tells what came of its steps. */
  #teller(): Instance {
    if ('step' in this.#confirmed) return this.#confirmed;
    const teller = this.#instance();
    teller.copyFrom(this.#confirmed);
    this.#confirmed.dispose();
    return (this.#confirmed = teller);
  }

  #fold(step: StepDifference): Taken {
    const [seq, , , clocks, patch, more] = step;
    const difference: Difference = more === undefined ? { seq, clocks, patch } : { ...more, seq, clocks, patch };
    this.#confirmed.apply(difference);
    return { isIgnored: more?.ignored === true, args: more?.args, step: { told: step } };
  }

  /** Takes in what stands for many steps: what it is told by then is where a divergence would begin. (SYNC-40) @throws LockstepError BAD_PARAMS */
  merge([seq, , , clocks, patch, more]: StepDifference): void {
    this.#confirmed.apply({ ...more, seq, clocks, patch }, this.seq);
    this.#jumped();
  }

  /** Single steps did not lead here. */
  #jumped(): void {
    this.#digest = undefined;
    this.#good = undefined;
    this.#sinceGood = [];
  }

  /** Compares with the authority's digest of the confirmed state. @returns what to report when they differ. (SYNC-10) */
  compare(theirs: string): Pick<DivergenceRecord, 'image' | 'seq' | 'ours' | 'theirs' | 'good' | 'steps'> | undefined {
    const ours = this.digest();
    const { seq } = this;
    if (ours !== theirs)
      return {
        image: this.machine.hash,
        seq,
        ours,
        theirs,
        good: this.#good ?? { seq, state: this.#confirmed.save() },
        steps: this.#sinceGood,
      };
    if (this.#good?.seq !== seq) this.#good = { seq, state: this.#confirmed.save() };
    this.#sinceGood = [];
    return undefined;
  }

  /** @returns whether the prediction moved. An event that throws here may still be right at the authority. */
  predict(event: EventObject, stamp: Stamp): boolean {
    if (!this.predicts) return false;
    try {
      const { predicted } = this;
      return 'step' in predicted ? predicted.step(event, stamp).taken : predicted.run(event, stamp);
    } catch {
      return false;
    }
  }

  /** What own events run on. */
  get predicted(): Instance | InstanceCopy {
    const predicted = (this.#predicted ??= this.#create());
    if (!this.#isAhead) predicted.copyFrom(this.#confirmed);
    this.#isAhead = true;
    return predicted;
  }

  /**
   * The confirmed state, and what is pending over it again.                                   (SYNC-6)
   * @param shown the context that is on show: it stays the same object when it was right, so that nobody draws it again.
   */
  rebase(pending: readonly { readonly event: EventObject; readonly stamp: Stamp; isShown: boolean }[], shown: Json | undefined): void {
    const confirmed = this.#confirmed;
    this.#isAhead = false;
    for (const each of pending) if (this.predict(each.event, each.stamp)) each.isShown = true;
    const instance = this.shown;
    if (shown === undefined || shown === instance.context || !isSame(shown, instance.context)) return;
    if (confirmed.context === instance.context) confirmed.context = shown;
    instance.context = shown;
  }

  dispose(): void {
    this.#predicted?.dispose();
    this.#confirmed.dispose();
  }
}
