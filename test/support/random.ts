// Seeded randomness for tests: a seed printed in a failure, given back as SEED=n, repeats the run.

export interface Random {
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export function random(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  return {
    below: (bound) => next() % bound,
    chance: (probability) => next() / 0x1_0000_0000 < probability,
    pick: (items) => items[next() % items.length]!,
  };
}

/** The seed of this run: SEED from the environment, else a fresh one, printed so that the run can be repeated. */
export function seedOf(what: string): number {
  const given = process.env['SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(given);
  console.info(`${what}: SEED=${seed}`);
  return seed;
}
