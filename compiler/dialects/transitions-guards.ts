// Guards of transition lists as functions: the tree of each is cut at its `&&`, `||` and `!`, so that whoever asks (core/guards.ts, and check)
// sees a composed guard of single comparisons. Equal comparisons of one machine are one function.

import type { Json } from '../../core/json.ts';
import { isFunction, type AuthorFunction } from '../../core/source.ts';
import { evaluate, type Scope } from '../expression/evaluate.ts';
import { parseGuardText } from '../expression/guard-text.ts';
import type { Expression } from '../expression/tree.ts';

interface Asked {
  readonly context: Json;
}

/** A field and what it is compared with, as the text has them. */
const COMPARISON = /ctx\.[\p{Alphabetic}\p{N}_.]+(?:\s*(?:==|!=|>=|<=|[<>])\s*(?:"(?:[^"\\]|\\[^])*"|[^\s&|)]+))?/gu;

/** Guards see the context and nothing else. */
const stamp: Scope['stamp'] = {
  now: () => 0,
  random: () => 0,
  uuid: () => '',
};

export class GuardTexts {
  readonly #machine: string;
  readonly #comparisons = new Map<string, AuthorFunction>();

  constructor(machine: string) {
    this.#machine = machine;
  }

  /** @throws LockstepError BAD_DEFINITION with machine, path, place in the text, found and expected. */
  function(text: string, path: string): AuthorFunction {
    const tree = parseGuardText(text, `machine '${this.#machine}', ${path}`);
    const names = [...text.matchAll(COMPARISON)].map(([name]) => name);
    return this.#function(tree, names);
  }

  /** @param names of the comparisons in the order of the text; each takes its own away. */
  #function(tree: Expression, names: string[]): AuthorFunction {
    if (tree.kind === 'logical') {
      const guards = [this.#function(tree.left, names), this.#function(tree.right, names)];
      return composed(tree, guards, tree.operator === '&&' ? (answers) => answers.every(isYes) : (answers) => answers.some(isYes));
    }
    if (tree.kind === 'unary' && tree.operator === 'not')
      return composed(tree, [this.#function(tree.operand, names)], ([answer]) => !isYes(answer!));
    return this.#comparison(tree, names.shift() ?? '');
  }

  #comparison(tree: Expression, name: string): AuthorFunction {
    const key = JSON.stringify(tree);
    const known = this.#comparisons.get(key);
    if (known !== undefined) return known;
    const compare = ({ context }: Asked): boolean => Boolean(evaluate(tree, { roots: { context }, stamp, isIn: () => false }));
    const named = Object.defineProperty(Object.assign(compare, { expression: tree }), 'name', {
      value: name.replace('!=', '=='),
    }) as unknown as AuthorFunction;
    this.#comparisons.set(key, named);
    return named;
  }
}

type Answer = () => boolean;
const isYes = (answer: Answer): boolean => answer();

/** In the shape of XState's and(), or() and not(): `check` is given the guards to ask. */
function composed(
  expression: Expression,
  guards: readonly AuthorFunction[],
  decide: (answers: readonly Answer[]) => boolean,
): AuthorFunction {
  const check = (snapshot: unknown, asked: Asked, { guards: inner }: { readonly guards: readonly AuthorFunction[] }): boolean =>
    decide(inner.map((guard) => () => Boolean(isFunction(guard.check) ? guard.check(snapshot, asked, guard) : guard(asked, undefined))));
  const never = (): never => {
    throw new Error('a composed guard is asked through its check');
  };
  return Object.assign(never, { check, guards, expression }) as unknown as AuthorFunction;
}
