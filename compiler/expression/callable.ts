// An expression as a function in XState's shape, so that it can stand wherever an author's function can. It carries its tree: lowering takes
// that, and nothing has to be read back from text.

import { now, random, uuid } from '../../core/chance.ts';
import { evaluate, evaluateWrites } from './evaluate.ts';
import type { Expression, Root, Value } from './tree.ts';

/** Arguments as XState gives them; params come second. */
type Call<Result> = ((given: { readonly [name in Root]?: Value }, params?: Value) => Result) & { readonly expression: Expression };

const stamp = { now, random, uuid };

function scope(given: { readonly [name in Root]?: Value }, params: Value): Parameters<typeof evaluate>[1] {
  const { context, event, input } = given;
  // Which states are active is not among an author's arguments; sources of such functions refuse in().
  return { roots: { context, event, input, params }, stamp, isIn: () => false };
}

/** A guard, delay, output, input or event. */
export function callable(expression: Expression): Call<Value> {
  return Object.assign((given: { readonly [name in Root]?: Value }, params?: Value) => evaluate(expression, scope(given, params)), {
    expression,
  });
}

/** What an assign or a context makes: an object with the fields that are written, undefined ones included. */
export function writer(expression: Expression): Call<{ readonly [field: string]: Value }> {
  const write = (given: { readonly [name in Root]?: Value }, params?: Value) =>
    Object.fromEntries(evaluateWrites(expression, scope(given, params)));
  return Object.assign(write, { expression });
}
