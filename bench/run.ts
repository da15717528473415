// `npm run bench -- NAME [--quick]`: runs one bench, or all, each in a process of its own; prints a table and writes bench/results.json. A
// ratio says how many times better ours is than the peer, or which part of a physical limit it reaches.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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

const RESULTS = 'bench/results.json';

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
  const options = words.filter((word) => word.startsWith('--'));
  const named = words.filter((word) => !word.startsWith('--'));
  const [name, ...others] = named.length > 0 ? named : [...BENCHES.keys()];
  if (name === undefined || others.length > 0) return each(named.length > 0 ? named : [...BENCHES.keys()], options);
  const rows = await (await bench(name)).run(options.includes('--quick') ? QUICK : FULL);
  print(rows);
  write(rows);
  process.exit(0);
}

/** What one leaves behind in a process, compiled code and memory, would count for the next. A bench that fails takes no other one with it. */
function each(names: readonly string[], options: readonly string[]): void {
  const rows: Row[] = [];
  for (const name of names) {
    const { status } = spawnSync(process.execPath, [...process.execArgv, process.argv[1]!, name, ...options], { stdio: 'inherit' });
    if (status === 0) rows.push(...(JSON.parse(readFileSync(RESULTS, 'utf8')) as Row[]));
    else {
      console.error(`bench ${name} failed`);
      process.exitCode = 1;
    }
  }
  write(rows);
}

function write(rows: readonly Row[]): void {
  writeFileSync(RESULTS, `${JSON.stringify(rows, null, 2)}\n`);
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
