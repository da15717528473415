// What is known of one instance: its steps in order, and states saved along the way to fold them from. Gaps are allowed, since a tool may come
// late or miss something; a state is given only when every step from a saved one up to it is there.

import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { Machine, StateValue } from '../../core/machine.ts';
import type { InstanceState } from '../../core/state.ts';
import type { InstanceDescription } from '../../peer/wire.ts';
import { bySeq, type Entry } from './entry.ts';

/** A state is kept at least every so many steps, so that any other is at most this many folds away. */
export const SAVE_EVERY = 64;

interface Saved {
  readonly epoch: number;
  readonly seq: number;
  readonly state: InstanceState;
}

/** An instance after one of its steps. */
export interface Moment {
  readonly seq: number;
  readonly state: InstanceState;
  readonly value: StateValue;
}

export class History {
  readonly instance: string;
  readonly #entries: Entry[] = [];
  /** Ascending by epoch and seq. */
  #saved: Saved[] = [];

  constructor(instance: string) {
    this.instance = instance;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** @returns the step that follows it among those known, or null when this one was known already. */
  insert(entry: Entry): Entry | undefined | null {
    const at = this.#position(entry);
    const found = this.#entries[at];
    if (found !== undefined && bySeq(found, entry) === 0) return null;
    this.#entries.splice(at, 0, entry);
    return found;
  }

  /** The step before it, if that is known. */
  before(entry: Entry): Entry | undefined {
    return this.#entries[this.#position(entry) - 1];
  }

  after(entry: Entry): Entry | undefined {
    return this.#entries[this.#position(entry) + 1];
  }

  /** Whether the step before this one is here, or the state that it left. */
  isRooted(epoch: number, seq: number): boolean {
    if (this.#savedAt(epoch, seq - 1) !== undefined || this.#savedAt(epoch, seq) !== undefined) return true;
    const at = this.#entries.findLastIndex(
      ({ record }) => record.step.epoch < epoch || (record.step.epoch === epoch && record.step.seq < seq),
    );
    return this.#entries[at]?.record.step.seq === seq - 1;
  }

  /** Keeps a state to fold from: what an authority answered to `get`, or a result of folding. */
  save(saved: Saved): void {
    const at = this.#saved.findIndex((each) => compareSaved(each, saved) >= 0);
    if (at >= 0 && compareSaved(this.#saved[at]!, saved) === 0) return;
    this.#saved.splice(at < 0 ? this.#saved.length : at, 0, saved);
  }

  /**
   * The instance as it was after the step.
   * @throws LockstepError STALE_SEQ naming the first step that is missing on the way.
   */
  stateAfter(entry: Entry, machine: Machine): Moment {
    const target = this.#position(entry);
    const chain = this.#baseOf(target);
    if (typeof chain === 'number') throw missing(this.instance, chain);
    const { base } = chain;
    const instance = Instance.create(machine);
    try {
      if (base !== undefined) instance.load(base.state, base.seq);
      for (let i = chain.from; i <= target; i++) {
        const { step } = this.#entries[i]!.record;
        instance.apply(step);
        if (step.seq % SAVE_EVERY === 0 && i < target) this.save({ epoch: step.epoch, seq: step.seq, state: instance.save() });
      }
      return { seq: instance.seq, state: instance.save(), value: instance.snapshot().value };
    } finally {
      instance.dispose();
    }
  }

  /** Whether what came before the step can be worked out, as far as that takes no folding to tell. */
  isFoldable(entry: Entry): boolean {
    const { epoch, seq } = entry.record.step;
    if (this.#savedAt(epoch, seq - 1) !== undefined) return true;
    const before = this.before(entry);
    return before !== undefined && before.record.step.seq === seq - 1 && typeof this.#baseOf(this.#position(before)) !== 'number';
  }

  /** The instance as it was before the step; undefined before step 1. */
  stateBefore(entry: Entry, machine: Machine): Moment | undefined {
    if (entry.record.step.seq === 1) return undefined;
    const before = this.before(entry);
    if (before !== undefined && before.record.step.seq === entry.record.step.seq - 1) return this.stateAfter(before, machine);
    const saved = this.#savedAt(entry.record.step.epoch, entry.record.step.seq - 1);
    if (saved === undefined) throw missing(this.instance, entry.record.step.seq - 1);
    const instance = Instance.create(machine);
    try {
      instance.load(saved.state, saved.seq);
      return { seq: saved.seq, state: saved.state, value: instance.snapshot().value };
    } finally {
      instance.dispose();
    }
  }

  /** Forgets `count` steps from the beginning; what came of them stays as a state to fold the rest from, if it can be worked out. */
  dropFirst(count: number, machine: Machine | undefined): void {
    const last = this.#entries[count - 1];
    if (last === undefined) return;
    const { epoch, seq } = last.record.step;
    const kept = machine === undefined ? undefined : this.#tryStateAfter(last, machine);
    this.#entries.splice(0, count);
    this.#saved = this.#saved.filter((saved) => compareSaved(saved, { epoch, seq }) > 0);
    if (kept !== undefined) this.save({ epoch, seq, state: kept.state });
  }

  #tryStateAfter(entry: Entry, machine: Machine): Moment | undefined {
    try {
      return this.stateAfter(entry, machine);
    } catch (error) {
      if (error instanceof LockstepError) return undefined;
      throw error;
    }
  }

  /** The state that the first known step continues, as its authority would describe it; undefined when that is step 1, or unknown. */
  describeBase(machine: Machine): InstanceDescription | undefined {
    const first = this.#entries[0]?.record;
    const saved = first === undefined ? undefined : this.#savedAt(first.step.epoch, first.step.seq - 1);
    if (first === undefined || saved === undefined) return undefined;
    const instance = Instance.create(machine);
    try {
      instance.load(saved.state, saved.seq);
      const { status, value } = instance.snapshot();
      const { epoch, seq, state } = saved;
      return {
        instance: this.instance,
        machine: first.machine,
        image: first.image,
        epoch,
        seq,
        status,
        value,
        state,
        digest: instance.digest(),
      };
    } finally {
      instance.dispose();
    }
  }

  /** From where to fold: the nearest saved state that all steps up to the target continue, or step 1; else the seq of the step that is missing. */
  #baseOf(target: number): { readonly base: Saved | undefined; readonly from: number } | number {
    for (let i = target; i >= 0; i--) {
      const { epoch, seq } = this.#entries[i]!.record.step;
      const saved = this.#savedAt(epoch, seq);
      if (saved !== undefined) return { base: saved, from: i + 1 };
      if (seq === 1) return { base: undefined, from: i };
      const bridge = this.#savedAt(epoch, seq - 1);
      if (bridge !== undefined) return { base: bridge, from: i };
      if (this.#entries[i - 1]?.record.step.seq !== seq - 1) return seq - 1;
    }
    return 1;
  }

  #savedAt(epoch: number, seq: number): Saved | undefined {
    return this.#saved.find((saved) => saved.epoch === epoch && saved.seq === seq);
  }

  /** Index of the first entry that is not before this one. */
  #position(entry: Entry): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bySeq(this.#entries[middle]!, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compareSaved(a: { readonly epoch: number; readonly seq: number }, b: { readonly epoch: number; readonly seq: number }): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

function missing(instance: string, seq: number): LockstepError {
  return new LockstepError('STALE_SEQ', `step ${seq} of ${instance} is not in this trace, so what it led to cannot be worked out`);
}
