// The core beside the statechart libraries of JavaScript, on the same charts with the same events; each row in a process of its own. Guards and
// assigns are functions of JavaScript everywhere, effects nobody's.

import { inChild } from './child.ts';
import { million, toggleBatch } from './core/batch.ts';
import { bytes } from './core/bytes.ts';
import { relational } from './core/relational.ts';
import { lowered, patch44 } from './core/lowered.ts';
import { digest, snapshot } from './core/state.ts';
import { steps } from './core/steps.ts';
import { APP34, FLAT1000, TOGGLE, TRAFFIC, TREE1111 } from './machines.ts';
import { FULL, QUICK, type Effort, type Row } from './measure.ts';

const ROWS: Readonly<Record<string, (effort: Effort) => Promise<Row[]> | Row[]>> = {
  toggle: (effort) => steps('core/toggle', TOGGLE, effort),
  lowered,
  patch44,
  traffic: (effort) => steps('core/traffic', TRAFFIC, effort),
  app34: (effort) => steps('core/app34', APP34, effort),
  flat1000: (effort) => steps('core/flat1000', FLAT1000, effort),
  tree1111: (effort) => steps('core/tree1111', TREE1111, effort),
  'toggle-batch': toggleBatch,
  million,
  snapshot,
  digest,
  bytes,
  relational,
};

export function run(effort: Effort): Promise<Row[]> {
  return Promise.resolve(Object.keys(ROWS).flatMap((name) => inChild(['core', name, effort === FULL ? 'full' : 'quick']) as Row[]));
}

/** Prints the rows of one name. */
export async function child([name, effort]: readonly string[]): Promise<void> {
  const rows = await ROWS[name ?? '']?.(effort === 'full' ? FULL : QUICK);
  if (rows === undefined) throw new Error(`no row of the core is named ${name}`);
  console.log(JSON.stringify(rows));
}
