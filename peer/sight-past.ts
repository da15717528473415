// What the room of a partial view was told before: from that comes what a reader saw who comes back, and one difference to what is seen now.
// Bounded by count; now and then the whole document is kept, and what was told leads from there to any other.

import type { HashText } from '../core/digest.ts';
import type { Operation } from '../core/patch.ts';
import type { Sight } from './sight.ts';
import { SightReplica } from './sight-replica.ts';

/** At least so many differences are kept; up to twice as many before the older half goes. */
const KEPT_MIN = 512;
/** Differences from one document that is kept to the next. */
const MARK_EVERY = 64;

/** What the members of a room are told, after `base`. */
export type Difference = readonly [base: number, seq: number, patch: readonly Operation[], clocks: readonly number[]];
/** A document, or what led from the one before to the one as of `seq`. */
type Entry = { readonly seq: number; readonly sight: Sight } | { readonly seq: number; readonly told: Difference };

export interface SightPastOptions {
  readonly hash: HashText;
  readonly states: readonly string[] | undefined;
  readonly isShallow: boolean;
}

export class SightPast {
  readonly #options: SightPastOptions;
  #entries: Entry[] = [];
  #unmarked = 0;

  constructor(options: SightPastOptions) {
    this.#options = options;
  }

  /** It is seen as of then, whatever was before. */
  begin(seq: number, sight: Sight): void {
    this.#unmarked = 0;
    this.#add({ seq, sight });
  }

  /** @param sight what it led to. */
  add(told: Difference, sight: Sight): void {
    const [, seq] = told;
    if (++this.#unmarked < MARK_EVERY) this.#add({ seq, told });
    else this.begin(seq, sight);
  }

  #add(entry: Entry): void {
    if (this.#entries.push(entry) >= KEPT_MIN * 2) this.#entries = this.#entries.slice(-KEPT_MIN);
  }

  /** What was seen as of a step by who proves it by its digest; undefined when that is not known any more. */
  at(seq: number, digest: string): Sight | undefined {
    const last = this.#entries.findLastIndex((entry) => entry.seq <= seq);
    const first = this.#entries.findLastIndex((entry, i) => i <= last && 'sight' in entry);
    const mark = this.#entries[first];
    if (mark === undefined || !('sight' in mark)) return undefined;
    const { hash, states, isShallow } = this.#options;
    const replica = new SightReplica(hash, states === undefined ? mark : { ...mark, states }, isShallow ? { clocks: 'shallow' } : {});
    for (const entry of this.#entries.slice(first + 1, last + 1)) {
      if (!('told' in entry)) continue;
      // From what was before: where nothing changed its members were told of later steps as well.
      const [, seen, patch, clocks] = entry.told;
      replica.apply(replica.seq, seen, patch, clocks);
    }
    return replica.digest() === digest ? replica.sight : undefined;
  }
}
