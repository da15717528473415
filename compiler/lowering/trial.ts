// A lowered function beside its original, on random inputs: what they make must be the same, or both must fail. The expression may fail
// where JavaScript converts a value that is not of the kind it should be; it may never make another one.

import { isSame, plain } from '../../core/plain.ts';
import { now, random, uuid } from '../../core/chance.ts';
import { enterStamp, leaveStamp } from '../../core/stamp.ts';
import { evaluate, evaluateWrites, ExpressionFault, type Scope } from '../expression/evaluate.ts';
import type { Expression, Root, Value } from '../expression/tree.ts';
import { dice, type Dice } from './dice.ts';
import { randomInput } from './input.ts';
import type { RootShapes } from './shape.ts';

/** What counts of a result: whether it is true, the value, or the fields that it writes. */
export type Reading = 'truth' | 'value' | 'writes';

export interface Trial {
  readonly expression: Expression;
  readonly reading: Reading;
  /** Calls the original. */
  call(roots: { readonly [name in Root]?: Value }, isIn: (state: string) => boolean): unknown;
}

export interface Samples {
  readonly shapes: RootShapes;
  /** Contexts that the machine can have. */
  readonly contexts: readonly Value[];
  /** Types of its events. */
  readonly events: readonly string[];
}

const RUNS = 250;
/** Runs in which both must have made a value. */
const AGREED_MIN = 25;
/** More of these and nothing was learned. */
const RUNS_MAX = 2000;
const SEED_MAX = 0x20_0000_0000_0000;

/** @returns undefined when they agree, else why not. */
export function disagreement(trial: Trial, samples: Samples, seed: number): string | undefined {
  const chance = dice(seed);
  let agreed = 0;
  for (let run = 0; run < RUNS || (agreed < AGREED_MIN && run < RUNS_MAX); run += 1) {
    const roots = randomRoots(chance, samples);
    const states = new Map<string, boolean>();
    const isIn = (state: string): boolean => {
      const known = states.get(state) ?? chance.chance(0.5);
      states.set(state, known);
      return known;
    };
    const stamp = { now: 1_700_000_000_000 + chance.below(1000), seed: chance.below(0x7fff_ffff), salt: 'trial' } as const;
    const original = outcome(stamp, () => trial.call(roots, isIn), trial.reading);
    const lowered = outcome(stamp, () => ours(trial, { roots, isIn, stamp: { now, random, uuid } }), trial.reading);
    if (lowered.kind === 'failed') continue;
    if (original.kind === 'failed')
      return `on ${shown(roots)} it fails (${original.reason}), lowered it makes ${JSON.stringify(lowered.value)}`;
    if (!isSame(original.value, lowered.value))
      return `on ${shown(roots)} it makes ${JSON.stringify(original.value)}, lowered ${JSON.stringify(lowered.value)}`;
    agreed += 1;
  }
  return agreed >= AGREED_MIN ? undefined : `only ${agreed} of ${RUNS_MAX} random inputs let it come to a value`;
}

/** A number of its own for each function. */
export function seedOf(text: string): number {
  let seed = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) seed = Math.imul(seed ^ text.charCodeAt(index), 0x01000193);
  return seed % SEED_MAX;
}

function ours({ expression, reading }: Trial, scope: Scope): unknown {
  return reading === 'writes' ? Object.fromEntries(evaluateWrites(expression, scope)) : evaluate(expression, scope);
}

type Outcome = { readonly kind: 'made'; readonly value: ReturnType<typeof plain> } | { readonly kind: 'failed'; readonly reason: string };

/** What a function came to, as JSON in an array: undefined is no element. */
function outcome(stamp: Parameters<typeof enterStamp>[0], call: () => unknown, reading: Reading): Outcome {
  enterStamp(stamp);
  try {
    const made = call();
    if (reading === 'truth') return { kind: 'made', value: Boolean(made) };
    if (reading === 'value') return { kind: 'made', value: made === undefined ? [] : [plain(made, '')] };
    return { kind: 'made', value: writesOf(made) };
  } catch (error) {
    // Whatever an author's function throws on inputs that make no sense is an answer.
    if (error instanceof ExpressionFault) return { kind: 'failed', reason: error.message };
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    leaveStamp();
  }
}

/** Each key with its value in an array, so that a key taken away differs from one not written. */
function writesOf(made: unknown): ReturnType<typeof plain> {
  if (made === undefined || made === null) return {};
  const entries = Object.entries(made).map(([key, value]) => [key, value === undefined ? [] : [plain(value, key)]] as const);
  return plain(Object.fromEntries(entries), '');
}

function randomRoots(chance: Dice, { shapes, contexts, events }: Samples): { [name in Root]?: Value } {
  const context = randomInput(chance, shapes.context, chance.pick(contexts));
  const event = { ...(randomInput(chance, shapes.event, {}) as object) } as { type?: unknown };
  if (typeof event.type !== 'string') event.type = chance.pick(events);
  return frozen({
    context: typeof context === 'object' && context !== null && !Array.isArray(context) ? context : {},
    event: event as Value,
    params: randomInput(chance, shapes.params, undefined),
    input: randomInput(chance, shapes.input, undefined),
  });
}

/** What an author's function changes in place must not go unnoticed: that throws. */
function frozen(roots: { [name in Root]?: Value }): { [name in Root]?: Value } {
  return Object.fromEntries(Object.entries(roots).map(([name, value]) => [name, value === undefined ? undefined : plain(value, name)]));
}

function shown(roots: { readonly [name in Root]?: Value }): string {
  const text = JSON.stringify(roots);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
