// Makes a failing example smaller until no smaller variant fails: greedy, deterministic, and bounded by a number of tries.

const TRIES_MAX = 4_000;

export interface Shrinking<T> {
  /** Variants that are smaller by some measure, the boldest first, so that it ends. */
  smaller(example: T): Iterable<T>;
  /** Whether a variant still shows what was found. */
  fails(example: T): boolean;
}

/** @returns the example itself when nothing smaller fails. */
export function shrink<T>(example: T, { smaller, fails }: Shrinking<T>): T {
  let smallest = example;
  let tries = 0;
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    // What did not help before rarely helps after the next cut, so a round goes on where the last cut was found; the last round tries all.
    for (let skipped = 0; ;) {
      const found = firstFailing(smaller(smallest), skipped, (variant) => (tries += 1) <= TRIES_MAX && fails(variant));
      if (found === undefined) break;
      smallest = found.variant;
      skipped = found.index;
      hasShrunk = true;
    }
  }
  return smallest;
}

function firstFailing<T>(
  variants: Iterable<T>,
  skipped: number,
  fails: (variant: T) => boolean,
): { variant: T; index: number } | undefined {
  let index = -1;
  for (const variant of variants) {
    index += 1;
    if (index >= skipped && fails(variant)) return { variant, index };
  }
  return undefined;
}

/** The list without its halves, quarters, … single items, the last ones first. */
export function* shorter<T>(list: readonly T[]): Generator<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = list.length; end > 0; end -= size) yield [...list.slice(0, Math.max(0, end - size)), ...list.slice(end)];
  }
}
