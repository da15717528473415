// How figures are taken: contenders run in turns, each turn is charged by the CPU time of the process, and what is reported is the median
// over the rounds, ratios round by round. The machine's speed may drift; the ratios hold.

export interface Contender {
  readonly name: string;
  /** Does `operations` operations. */
  run(operations: number): void;
}

export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly against: Readonly<Record<string, { readonly value: number; readonly ratio: number }>>;
  /** Peers that would be here if they were installed. */
  readonly absent?: readonly string[];
}

export interface Effort {
  readonly rounds: number;
  /** CPU ms that one turn of a contender should take. */
  readonly turnMs: number;
  /** CPU ms that a contender runs before anything counts: the engine recompiles what it finds hot several times. */
  readonly warmMs: number;
}

export const QUICK: Effort = { rounds: 5, turnMs: 30, warmMs: 200 };
export const FULL: Effort = { rounds: 15, turnMs: 150, warmMs: 600 };

/** CPU seconds, all threads of this process. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU seconds that so many operations take. */
function secondsOf(contender: Contender, operations: number): number {
  const began = cpuSeconds();
  contender.run(operations);
  return cpuSeconds() - began;
}

/** Warms the contender up. @returns as many operations as a turn needs: one can take half a second. */
function calibrate(contender: Contender, { turnMs, warmMs }: Effort): number {
  let operations = 1;
  for (let spentMs = 0; ;) {
    const ms = secondsOf(contender, operations) * 1000;
    spentMs += ms;
    if (ms >= turnMs / 2) {
      operations = Math.max(1, Math.round((operations * turnMs) / ms));
      if (spentMs >= warmMs) return operations;
    } else operations *= 2;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Operations per CPU second of ours and the peers. */
export function compare(
  name: string,
  ours: Contender,
  peers: readonly Contender[],
  effort: Effort,
  unit = 'operations per CPU second',
): Row {
  const all = [ours, ...peers].map((contender) => ({ contender, operations: calibrate(contender, effort), rates: [] as number[] }));
  for (let round = 0; round < effort.rounds; round++) {
    for (const entry of all) entry.rates.push(entry.operations / secondsOf(entry.contender, entry.operations));
  }
  const own = all[0]!.rates;
  const against = all
    .slice(1)
    .map(
      ({ contender, rates }) =>
        [contender.name, { value: median(rates), ratio: median(rates.map((rate, round) => own[round]! / rate)) }] as const,
    );
  return { name, unit, ours: median(own), against: Object.fromEntries(against) };
}
