// Contexts that a machine's own factory makes, for trials of its other functions.

import type { Json } from '../../core/json.ts';
import { evaluateWrites, ExpressionFault } from '../expression/evaluate.ts';
import type { Expression, Value } from '../expression/tree.ts';
import { dice } from './dice.ts';
import { randomInput } from './input.ts';
import type { Samples } from './trial.ts';

const FACTORY_RUNS = 12;

/** Contexts as the machine's factory makes them. */
export function madeContexts(factory: Expression, { shapes }: Pick<Samples, 'shapes'>): Value[] {
  const chance = dice(1);
  const made: Value[] = [];
  for (let run = 0; run < FACTORY_RUNS; run += 1) {
    const input = randomInput(chance, shapes.input, undefined);
    const stamp = { now: () => 1_700_000_000_000, random: () => 0.5, uuid: () => 'uuid' };
    try {
      const writes = evaluateWrites(factory, { roots: { input }, stamp, isIn: () => false });
      made.push(Object.fromEntries([...writes].filter(([, each]) => each !== undefined)) as Json);
    } catch (error) {
      if (!(error instanceof ExpressionFault)) throw error;
    }
  }
  return made.length > 0 ? made : [{}];
}
