// The newest durable steps of an instance as mirrors need them, so that one that comes back gets what it missed and no more. Gapless;
// bounded by count.

import type { Told } from './told.ts';

/** At least this many steps are kept; up to twice as many before the older half goes. */
const KEPT_MIN = 1_024;

export class Backlog {
  #steps: Told[] = [];
  /** Digests recorded on the way, by seq. */
  readonly #digests = new Map<number, string>();

  /** @param digest after this step, when it was recorded. */
  add(step: Told, digest: string | undefined): void {
    if (this.#steps.push(step) >= KEPT_MIN * 2) {
      this.#steps = this.#steps.slice(-KEPT_MIN);
      const first = this.#steps[0]!.difference[0];
      for (const seq of this.#digests.keys()) if (seq < first) this.#digests.delete(seq);
    }
    if (digest !== undefined) this.#digests.set(step.difference[0], digest);
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
}
