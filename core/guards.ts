// Guards as XState evaluates them: inline, named, standing for others, composed by and(), or(), not() and stateIn(). Found once, asked often.

import { LockstepError } from './errors.ts';
import type { FunctionArguments } from './functions.ts';
import type { Json } from './json.ts';
import { describe } from './fields.ts';
import { isComposedGuard, isFunction, own, paramsOf, referenceName } from './source.ts';
import type { AuthorFunction, Source } from './source.ts';

/** Alias chains of named guards end here; a longer one is a circle. */
const ALIAS_MAX = 32;

export class Guards {
  readonly #implementations: Source['implementations'];

  constructor(implementations: Source['implementations']) {
    this.#implementations = implementations;
  }

  /**
   * @param guard what the config holds, or what `check` of enqueueActions was given.
   * @param missing makes the error for a name that nothing implements.
   */
  find(guard: unknown, missing: (reason: string) => LockstepError, aliases: number = ALIAS_MAX): (args: FunctionArguments) => boolean {
    if (isFunction(guard)) {
      if (isComposedGuard(guard)) return this.#composed(guard);
      return ({ context, event }) => Boolean(guard({ context, event }, undefined));
    }
    const name = referenceName(guard);
    const named = name === undefined ? undefined : own(this.#implementations.guards, name);
    if (named === undefined || aliases === 0) throw missing(`no guard named ${describe(name ?? guard)}`);
    if (!isFunction(named)) return this.find(named, missing, aliases - 1);
    if (isComposedGuard(named)) return this.#composed(named);
    return ({ context, event }) => {
      const author = { context, event };
      return Boolean(named(author, paramsOf(guard, author)));
    };
  }

  /** XState's own evaluation, over a snapshot that answers only what they ask. */
  #composed(guard: AuthorFunction): (args: FunctionArguments) => boolean {
    const { check } = guard;
    if (!isFunction(check)) throw new LockstepError('BAD_DEFINITION', 'a composed guard without a check');
    const active = {};
    const implementations = this.#implementations;
    return (args) => {
      const getStateNodeById = (id: string): object => (args.isIn(id) ? active : {});
      const snapshot = {
        context: args.context,
        machine: { implementations, getStateNodeById },
        _nodes: [active],
        matches: (value: Json) => args.isIn(value),
      };
      return Boolean(check(snapshot, { context: args.context, event: args.event }, guard));
    };
  }
}
