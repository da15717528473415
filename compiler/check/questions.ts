// What the guards of a machine come down to: questions that only data can answer, put together by and(), or(), not() and stateIn(). Guards
// that are the same function, or the same name with the same params, are one question, so that they never contradict one another.

import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { unescapePointer } from '../../core/plain.ts';
import { describe, isFields } from '../../core/fields.ts';
import { isComposedGuard, isFunction, own, readSource, referenceName, type AuthorFunction, type Source } from '../../core/source.ts';
import type { FunctionSymbol } from '../../core/symbols.ts';
import { isRelational } from '../dialects/relational.ts';

/** A question that is answered both ways. */
export interface Question {
  /** As a person calls it: the author's name with its params, or where the function stands. */
  readonly name: string;
  /** JSON pointer to the first guard that asks it. */
  readonly path: string;
}

export interface Answers {
  /** The answer to the question with this number. */
  ask(question: number): boolean;
  isIn(state: Json): boolean;
}

export type Condition = (answers: Answers) => boolean;

/** Names may stand for other names; a longer chain is a circle, which the compiler refuses. */
const ALIAS_MAX = 32;

export class Questions {
  readonly list: Question[] = [];
  readonly #source: Source;
  readonly #numbers = new Map<unknown, number>();
  readonly #isRelational: boolean;

  constructor(source: unknown) {
    this.#isRelational = isRelational(source);
    this.#source = readSource(source);
  }

  /** What the guard function of an image asks. */
  condition(symbol: FunctionSymbol): Condition {
    const guard = at(this.#source, symbol.path);
    // Of a route: whether the event names it, and its own guard. A handler of a relational machine is no guard of others.
    if (symbol.path.endsWith('/route') || this.#isRelational) return this.#question(symbol.path, symbol.path, symbol.path);
    return this.#read(guard, symbol.path, ALIAS_MAX);
  }

  #read(guard: unknown, path: string, aliases: number): Condition {
    if (isComposedGuard(guard) && isFunction(guard)) return this.#composed(guard, path, aliases);
    if (isFunction(guard)) return this.#question(guard, guard.name === 'guard' ? path : guard.name || path, path);
    const name = referenceName(guard);
    if (name === undefined) throw new LockstepError('BAD_DEFINITION', `${path}: expected a guard, found ${describe(guard)}`);
    const named = own(this.#source.implementations.guards, name);
    const standsForMore = named !== undefined && (!isFunction(named) || isComposedGuard(named));
    if (standsForMore && aliases > 0) return this.#read(named, path, aliases - 1);
    const params = isFields(guard) ? guard.params : undefined;
    if (params === undefined) return this.#question(`name ${name}`, name, path);
    // Params that a function makes are as little known as the answer.
    if (isFunction(params)) return this.#question(guard, name, path);
    const text = `${name} ${JSON.stringify(params)}`;
    return this.#question(`name ${text}`, text, path);
  }

  /** XState's own check says what to make of the guards inside. */
  #composed(guard: AuthorFunction, path: string, aliases: number): Condition {
    const { check, guards, stateValue } = guard;
    if (stateValue !== undefined) return ({ isIn }) => isIn(stateValue as Json);
    if (!isFunction(check) || !Array.isArray(guards)) return this.#question(guard, path, path);
    const inner = guards.map((each: unknown, index) => this.#read(each, `${path}/${index}`, aliases));
    return (answers) => {
      const machine = { implementations: { guards: {} } };
      return Boolean(check({ machine }, {}, { guards: inner.map((condition) => () => condition(answers)) }));
    };
  }

  #question(key: unknown, name: string, path: string): Condition {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.list.push({ name, path }) - 1;
      this.#numbers.set(key, number);
    }
    const its = number;
    return (answers) => answers.ask(its);
  }
}

/** What a config holds at a JSON pointer. */
export function at({ config }: Source, path: string): unknown {
  let found: unknown = config;
  for (const key of path.split('/').slice(1).map(unescapePointer)) {
    if ((!isFields(found) && !Array.isArray(found)) || !Object.hasOwn(found, key)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}
