// Methods of strings and arrays, and the callbacks that some of them take.

import { literal, member } from '../expression/build.ts';
import type { Each, Expression } from '../expression/tree.ts';
import { EACH_CALLS, entry, isPath, METHOD_CALLS, thrown } from './calls.ts';
import { keyOf, Refusal, value, type Called, type Meaning, type Scope } from './scope.ts';
import type { ES, Node } from './syntax.ts';

/** What methods need of expressions. */
export interface Hooks {
  expression(node: Node, scope: Scope): Expression;
  arguments(nodes: ES.CallExpression['arguments'], scope: Scope): readonly Expression[];
  /** The function that an expression stands for. */
  called(node: Node, scope: Scope): Called | undefined;
  isGlobal(node: Node, scope: Scope, name: string): boolean;
  /** A function written out with its parameters. */
  inline(called: Called, parameters: readonly Meaning[], scope: Scope, at: Node): Expression;
  path(of: Expression, scope: Scope, then: (path: Expression, scope: Scope) => Expression): Expression;
}

export class Methods {
  readonly #hooks: Hooks;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  call(method: string, of: Expression, node: ES.CallExpression, scope: Scope): Expression {
    if (EACH_CALLS.has(method)) return this.#each(method as Each['method'], of, node, scope);
    if (method === 'reduce') return this.#reduce(of, node, scope);
    if (method === 'flat' && node.arguments.length === 0) {
      return { kind: 'each', method: 'flatMap', of, arity: 1, body: { kind: 'local', number: scope.locals } };
    }
    if (method === 'concat') return this.#concat(of, node, scope);
    const made = entry(METHOD_CALLS, method)?.([of, ...this.#hooks.arguments(node.arguments, scope)]);
    if (made === undefined) throw new Refusal(node.start, `the method ${method}() has no counterpart`);
    return made;
  }

  #concat(of: Expression, node: ES.CallExpression, scope: Scope): Expression {
    const values = this.#hooks.arguments(node.arguments, scope);
    if (!values.every((each) => isPath(each) || each.kind === 'array' || each.kind === 'literal'))
      throw new Refusal(node.start, 'concat() of what has to be worked out first');
    return METHOD_CALLS['concat']!([of, ...values])!;
  }

  /** A callback over the elements of `of`. */
  #each(method: Each['method'], of: Expression, node: ES.CallExpression, scope: Scope): Expression {
    const { meaning, arity } = this.#callback(node, scope, 3);
    const wanted = arity === 1 ? 1 : 2;
    const inner = scope.bound(wanted);
    const locals = [0, 1].slice(0, wanted).map((index) => value({ kind: 'local', number: scope.locals + index }));
    const body = meaning === 'truth' ? { kind: 'local' as const, number: scope.locals } : this.#hooks.inline(meaning, locals, inner, node);
    return { kind: 'each', method, of, arity: wanted, body };
  }

  #reduce(of: Expression, node: ES.CallExpression, scope: Scope): Expression {
    const { meaning, arity } = this.#callback(node, scope, 3);
    const initial = node.arguments[1];
    if (meaning === 'truth' || initial?.type === 'SpreadElement') throw new Refusal(node.start, 'reduce() by what is not written out');
    if (initial === undefined) return this.#reduceFromFirst(of, meaning, node, scope);
    const wanted = arity === 3 ? 3 : 2;
    const locals = [0, 1, 2].slice(0, wanted).map((index) => value({ kind: 'local', number: scope.locals + index }));
    const body = this.#hooks.inline(meaning, locals, scope.bound(wanted), node);
    return { kind: 'reduce', of, initial: this.#hooks.expression(initial, scope), arity: wanted, body };
  }

  /** Without a value to begin with, the first element is one, and an array without elements is an error. */
  #reduceFromFirst(of: Expression, meaning: Called, node: ES.CallExpression, scope: Scope): Expression {
    if (meaning.node.params.length > 2) throw new Refusal(node.start, 'a callback that counts from the second element');
    return this.#hooks.path(of, scope, (path, inner) => {
      const locals = [0, 1].map((index) => value({ kind: 'local', number: inner.locals + index }));
      const rest: Expression = { kind: 'call', name: 'slice', arguments: [path, literal(1)] };
      const body = this.#hooks.inline(meaning, locals, inner.bound(2), node);
      const folded: Expression = { kind: 'reduce', of: rest, initial: member(path, literal(0)), arity: 2, body };
      const condition: Expression = { kind: 'binary', operator: '===', left: member(path, 'length'), right: literal(0) };
      return { kind: 'conditional', condition, then: thrown(), otherwise: folded };
    });
  }

  #callback(node: ES.CallExpression, scope: Scope, most: number): { meaning: Called | 'truth'; arity: number } {
    const [callback] = node.arguments;
    if (callback !== undefined && this.#hooks.isGlobal(callback, scope, 'Boolean')) return { meaning: 'truth', arity: 1 };
    const meaning = callback && this.#hooks.called(callback, scope);
    if (meaning === undefined) throw new Refusal(node.start, 'a callback that is not written out');
    const arity = meaning.node.params.length;
    if (arity > most || (arity === 3 && most === 3 && keyOf(node.callee as ES.MemberExpression) !== 'reduce'))
      throw new Refusal(node.start, 'a callback that takes the array itself');
    return { meaning, arity };
  }
}
