// What is known of one instance: its steps in order, and states saved along the way to fold them from. Gaps are allowed, since a tool may come
// late or miss something; a state is given only when every step from a saved one up to it is there. An instance goes on under another epoch where
// another peer took it, or its schema has grown: its states are then those of another image, with more clocks behind the ones it had.

import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { Machine, StateValue } from '../../core/machine.ts';
import { appended } from '../../core/relational/schema.ts';
import type { InstanceState } from '../../core/state.ts';
import type { InstanceDescription } from '../../peer/wire.ts';
import { bySeq, type Entry } from './entry.ts';

/** A state is kept at least every so many steps, so that any other is at most this many folds away. */
const SAVE_EVERY = 64;

interface Saved {
  readonly epoch: number;
  readonly seq: number;
  /** What the state is a state of. */
  readonly image: string;
  readonly state: InstanceState;
}

/** The machines of images. @throws LockstepError UNKNOWN_IMAGE */
export type MachineOf = (image: string) => Machine;

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
    if (this.#savedBefore(epoch, seq) !== undefined || this.#savedAt(epoch, seq) !== undefined) return true;
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
   * @throws LockstepError STALE_SEQ naming the first step that is missing on the way; UNKNOWN_IMAGE.
   */
  stateAfter(entry: Entry, machineOf: MachineOf): Moment {
    return this.#fold(this.#position(entry), entry.record.image, machineOf);
  }

  /** Whether what came before the step can be worked out, as far as that takes no folding to tell. */
  isFoldable(entry: Entry, hasImage: (image: string) => boolean): boolean {
    const { epoch, seq } = entry.record.step;
    const saved = this.#savedBefore(epoch, seq);
    if (saved !== undefined) return hasImage(saved.image);
    const at = this.#position(entry) - 1;
    if (this.#entries[at]?.record.step.seq !== seq - 1) return false;
    const chain = this.#baseOf(at);
    if (typeof chain === 'number') return false;
    const isKnown = this.#entries.slice(chain.from, at + 1).every(({ record }) => hasImage(record.image));
    return isKnown && (chain.base === undefined || hasImage(chain.base.image));
  }

  /** The instance as it was before the step, as one of the step's image; undefined before step 1. @throws as stateAfter */
  stateBefore(entry: Entry, machineOf: MachineOf): Moment | undefined {
    const { image, step } = entry.record;
    if (step.seq === 1) return undefined;
    const at = this.#position(entry) - 1;
    if (this.#entries[at]?.record.step.seq === step.seq - 1) return this.#fold(at, image, machineOf);
    const saved = this.#savedBefore(step.epoch, step.seq);
    if (saved === undefined) throw missing(this.instance, step.seq - 1);
    return momentOf(withImage(loaded(saved, machineOf), image, machineOf));
  }

  /** What the steps up to a target came to, as an instance of an image. */
  #fold(target: number, image: string, machineOf: MachineOf): Moment {
    const chain = this.#baseOf(target);
    if (typeof chain === 'number') throw missing(this.instance, chain);
    const { base, from } = chain;
    let instance = base === undefined ? Instance.create(machineOf(this.#entries[from]!.record.image)) : loaded(base, machineOf);
    try {
      for (let i = from; i <= target; i++) {
        const { step, image: its } = this.#entries[i]!.record;
        instance = withImage(instance, its, machineOf);
        instance.apply(step);
        if (step.seq % SAVE_EVERY === 0 && i < target) this.save({ epoch: step.epoch, seq: step.seq, image: its, state: instance.save() });
      }
      return momentOf((instance = withImage(instance, image, machineOf)));
    } finally {
      instance.dispose();
    }
  }

  /** Forgets `count` steps from the beginning; what came of them stays as a state to fold the rest from, if it can be worked out. */
  dropFirst(count: number, machineOf: MachineOf): void {
    const last = this.#entries[count - 1];
    if (last === undefined) return;
    const { image, step } = last.record;
    const { epoch, seq } = step;
    const kept = this.#tryStateAfter(last, machineOf);
    this.#entries.splice(0, count);
    this.#saved = this.#saved.filter((saved) => compareSaved(saved, { epoch, seq }) > 0);
    if (kept !== undefined) this.save({ epoch, seq, image, state: kept.state });
  }

  #tryStateAfter(entry: Entry, machineOf: MachineOf): Moment | undefined {
    try {
      return this.stateAfter(entry, machineOf);
    } catch (error) {
      if (error instanceof LockstepError) return undefined;
      throw error;
    }
  }

  /** The state that the first known step continues, as its authority would describe it; undefined when that is step 1, or unknown. */
  describeBase(machines: ReadonlyMap<string, { readonly machine: Machine }>): InstanceDescription | undefined {
    const first = this.#entries[0]?.record;
    const saved = first === undefined ? undefined : this.#savedBefore(first.step.epoch, first.step.seq);
    const machine = saved === undefined ? undefined : machines.get(saved.image)?.machine;
    if (first === undefined || saved === undefined || machine === undefined) return undefined;
    const instance = loaded(saved, () => machine);
    try {
      const { status, value } = instance.snapshot();
      return { instance: this.instance, machine: first.machine, ...saved, status, value, digest: instance.digest() };
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
      const bridge = this.#savedBefore(epoch, seq);
      if (bridge !== undefined) return { base: bridge, from: i };
      if (this.#entries[i - 1]?.record.step.seq !== seq - 1) return seq - 1;
    }
    return 1;
  }

  #savedAt(epoch: number, seq: number): Saved | undefined {
    return this.#saved.find((saved) => saved.epoch === epoch && saved.seq === seq);
  }

  /** The state that a step continues: of its epoch, or, for the first known step of that, of the one that it goes on from. */
  #savedBefore(epoch: number, seq: number): Saved | undefined {
    const saved = this.#saved.findLast((each) => each.seq === seq - 1 && each.epoch <= epoch);
    if (saved === undefined || saved.epoch === epoch) return saved;
    const isFirst = this.#entries.every(({ record: { step } }) => step.epoch <= saved.epoch || step.epoch > epoch || step.seq >= seq);
    return isFirst ? saved : undefined;
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

function loaded({ image, state, seq }: Omit<Saved, 'epoch'>, machineOf: MachineOf): Instance {
  const instance = Instance.create(machineOf(image));
  try {
    instance.load(state, seq);
  } catch (error) {
    instance.dispose();
    throw error;
  }
  return instance;
}

/** The instance as one of the image that its schema has grown to; it is disposed of when that is another one. */
function withImage(instance: Instance, image: string, machineOf: MachineOf): Instance {
  if (instance.machine.hash === image) return instance;
  const { seq } = instance;
  const state = instance.save();
  const clocks = appended(instance.machine, machineOf(image), state.clocks);
  const grown = loaded({ seq, image, state: { ...state, clocks } }, machineOf);
  instance.dispose();
  return grown;
}

function momentOf(instance: Instance): Moment {
  try {
    return { seq: instance.seq, state: instance.save(), value: instance.snapshot().value };
  } finally {
    instance.dispose();
  }
}

function compareSaved(a: { readonly epoch: number; readonly seq: number }, b: { readonly epoch: number; readonly seq: number }): number {
  return a.epoch - b.epoch || a.seq - b.seq;
}

function missing(instance: string, seq: number): LockstepError {
  return new LockstepError('STALE_SEQ', `step ${seq} of ${instance} is not in this trace, so what it led to cannot be worked out`);
}
