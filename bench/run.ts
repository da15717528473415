// `npm run bench -- NAME [--quick]`: runs one bench, or all; prints a table and writes bench/results.json. A ratio says how many times better
// ours is than the peer, or which part of a physical limit it reaches.

import { writeFileSync } from 'node:fs';
import { FULL, QUICK, type Effort, type Row } from './measure.ts';

/** What a file bench/NAME.bench.ts exports. */
interface Bench {
  run(effort: Effort): Promise<Row[]>;
  /** What a process of its own does for it; it was started with `--child NAME ARGUMENT…`. */
  child?(words: readonly string[]): Promise<void>;
}

const BENCHES = new Map(
  Object.entries(import.meta.glob<Bench>('./*.bench.ts')).map(
    ([file, load]) => [file.slice('./'.length, -'.bench.ts'.length), load] as const,
  ),
);

const words = process.argv.slice(2);
if (words[0] === '--child') await (await bench(words[1] ?? '')).child?.(words.slice(2));
else await main();

async function bench(name: string): Promise<Bench> {
  const load = BENCHES.get(name);
  if (load !== undefined) return load();
  console.error(`no bench named "${name}"; there are ${[...BENCHES.keys()].join(', ')}`);
  process.exit(2);
}

async function main(): Promise<void> {
  const effort = words.includes('--quick') ? QUICK : FULL;
  const names = words.filter((word) => !word.startsWith('--'));
  const rows: Row[] = [];
  for (const name of names.length > 0 ? names : BENCHES.keys()) rows.push(...(await (await bench(name)).run(effort)));
  print(rows);
  writeFileSync('bench/results.json', `${JSON.stringify(rows, null, 2)}\n`);
  process.exit(0);
}

function print(rows: readonly Row[]): void {
  const table = rows.flatMap(({ name, unit, ours, against }) =>
    Object.entries(against).map(([peer, { value, ratio }]) => ({
      row: name,
      unit,
      ours: figure(ours),
      peer,
      theirs: figure(value),
      ratio: figure(ratio),
    })),
  );
  for (const { row, unit, ours, peer, theirs, ratio } of table) {
    console.log(`${row.padEnd(20)}${ours.padStart(12)} ${unit}, ${peer}: ${theirs}, ratio ${ratio}`);
  }
  for (const { name, absent = [] } of rows)
    for (const peer of absent) console.log(`${name.padEnd(20)}not measured: ${peer}, not installed`);
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}
