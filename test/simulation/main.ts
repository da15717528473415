// The command line of the simulation: one seed with its trace, many seeds, or many seeds with a planted mistake. (docs/simulation.md)

import { parseArgs } from 'node:util';
import { foundBy, once } from './seeds.ts';
import { type Feature, FEATURES } from './simulation.ts';

/** Characters of a line of the trace. */
const LINE_MAX = 400;

/** @returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      from: { type: 'string' },
      plant: { type: 'string' },
      without: { type: 'string', multiple: true },
    },
  });
  const first = Number(values.seed ?? values.from ?? Math.floor(Math.random() * 0x3fff_ffff));
  const count = Number(values.seeds ?? 1);
  if (![first, count].every(Number.isSafeInteger)) throw new Error('--seed, --seeds and --from take a whole number');
  const without = (values.without ?? []).map(readFeature);
  if (values.plant !== undefined) return plant(values.plant, first, count);
  if (values.seeds === undefined) return replay(first, without);
  let failures = 0;
  for (let seed = first; seed < first + count; seed++) {
    const [failure] = (await once(seed, without)).failures;
    if (failure === undefined) continue;
    failures++;
    console.log(`seed ${seed}: ${failure}`);
  }
  console.log(`${count} seeds, ${failures} failures`);
  return failures === 0 ? 0 : 1;
}

async function replay(seed: number, without: readonly Feature[]): Promise<number> {
  const { trace, failures, events } = await once(seed, without);
  for (const line of trace) console.log(line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}…` : line);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`seed ${seed}: ${events} events, ${failures.length} failures`);
  return failures.length === 0 ? 0 : 1;
}

async function plant(name: string, first: number, count: number): Promise<number> {
  const found = await foundBy(name, first, count);
  console.log(found === undefined ? `${name}: not found by ${count} seeds` : `${name}: found by seed ${found.seed}: ${found.failure}`);
  return found === undefined ? 1 : 0;
}

function readFeature(name: string): Feature {
  const feature = FEATURES.find((each) => each === name);
  if (feature === undefined) throw new Error(`--without takes ${FEATURES.join(', ')}, found ${name}`);
  return feature;
}
