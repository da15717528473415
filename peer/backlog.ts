// The newest durable steps of an instance as mirrors need them, so that one that comes back gets what it missed and no more. Gapless;
// bounded by count. Now and then the whole state is kept beside them: from there the state after any of them is found again.

import type { InstanceState } from '../core/state.ts';
import type { Told } from './told.ts';

/** Steps from one state that is kept to the next. */
const MARK_EVERY = 256;

/** A state that is kept. */
export interface Mark {
  readonly seq: number;
  readonly state: InstanceState;
}

/** How to come to the state after a step. */
export interface Way {
  /** Undefined: from nothing, by the first step. */
  readonly mark: Mark | undefined;
  readonly steps: readonly Told[];
}

/** How much is kept. */
export interface BacklogSize {
  readonly steps: number;
  readonly digests: number;
  readonly marks: number;
}

export class Backlog {
  /** At least this many steps are kept; up to twice as many before the older half goes. */
  static readonly keptMin: number = 1_024;
  #steps: Told[] = [];
  /** Digests recorded on the way, by seq. */
  readonly #digests = new Map<number, string>();
  #marks: Mark[] = [];

  /** Whether the state after this step is to be kept. */
  static isMarked(seq: number): boolean {
    return seq % MARK_EVERY === 0;
  }

  get size(): BacklogSize {
    return { steps: this.#steps.length, digests: this.#digests.size, marks: this.#marks.length };
  }

  /** @param digest after this step, when it was recorded. */
  add(step: Told, digest: string | undefined): void {
    if (this.#steps.push(step) >= Backlog.keptMin * 2) {
      this.#steps = this.#steps.slice(-Backlog.keptMin);
      const first = this.#steps[0]!.difference[0];
      for (const seq of this.#digests.keys()) if (seq < first) this.#digests.delete(seq);
      this.#marks = this.#marks.filter(({ seq }) => seq + 1 >= first);
    }
    if (digest !== undefined) this.#digests.set(step.difference[0], digest);
  }

  /** The state before the next step that is added. */
  mark(mark: Mark): void {
    this.#marks.push(mark);
  }

  /** The digest after a step, when it is known. */
  digest(seq: number): string | undefined {
    return this.#digests.get(seq);
  }

  /** The steps after `seq`; undefined when some of them are not kept. */
  after(seq: number, to: number): readonly Told[] | undefined {
    if (seq === to) return [];
    const first = this.#steps[0]?.difference[0];
    if (seq > to || first === undefined || seq + 1 < first) return undefined;
    return this.#steps.slice(seq + 1 - first, to + 1 - first);
  }

  /** To the state after a step; undefined when what it takes is not kept. */
  wayTo(seq: number): Way | undefined {
    const mark = this.#marks.findLast((each) => each.seq <= seq);
    const steps = this.after(mark?.seq ?? 0, seq);
    return steps === undefined ? undefined : { mark, steps };
  }
}
