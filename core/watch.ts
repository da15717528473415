// Finds, in development, functions of a definition that depend on more than their arguments: they read a clock, roll dice, use mathematics
// that engines round differently, or change what they were given. Such a function gives another answer on the next replica. It is told once.
// While a watched function runs, four globals are replaced by stand-ins that pass everything on; in production nothing is watched.

import type { BoundFunction, BoundFunctions } from './functions.ts';
import { functionName, type FunctionKind, type Symbols } from './symbols.ts';

/** A function that is not a function of its arguments alone. */
export interface Impurity {
  /** The definition's id. */
  readonly machine: string;
  /** JSON pointer into the definition's config. */
  readonly path: string;
  readonly kind: FunctionKind;
  /** The author's name for it, if it has one. */
  readonly name?: string;
  /** What it used first, as in `Math.sin()`; CHANGE when it changed its arguments. */
  readonly uses: string;
}

/** Hears of each impure function once, with a sentence for people. */
export type FoundImpurity = (impurity: Impurity, message: string) => void;

/** Wraps the functions of a machine that is loaded. */
export interface Watcher {
  watch(functions: BoundFunctions, symbols: Symbols): BoundFunctions;
}

/** Where the globals are: `globalThis`, given by whoever knows the platform. */
export type Scope = object;

export const CHANGE = 'a change of its arguments';

/** Every engine gives the same bits for these; the standard leaves the others to the engine. */
const EXACT: ReadonlySet<string | symbol> = new Set(
  'abs ceil clz32 f16round floor fround imul max min round sign sqrt sumPrecise trunc'.split(' '),
);

/** What V8, SpiderMonkey and JavaScriptCore say when something frozen is to be changed. */
const FROZEN =
  /read[ -]?only|not extensible|non-extensible|Cannot (?:add|delete|define|redefine) property|can't (?:define|delete|redefine)|non-configurable|Unable to delete/i;

export class Watch implements Watcher {
  readonly #scope: Record<string, unknown>;
  readonly #found: FoundImpurity;
  /** Functions that were told, by machine and path. */
  readonly #told = new Set<string>();
  /** By what they stand for: a test may put a clock of its own into the scope. */
  readonly #standIns = new WeakMap<object, object>();
  /** What the function that runs used; undefined while none does. */
  #uses: string[] | undefined;

  /** @param found is called when the function has run and the globals are back. */
  constructor(scope: Scope, found: FoundImpurity) {
    this.#scope = scope as Record<string, unknown>;
    this.#found = found;
  }

  /** The same functions, watched; effects are left alone: they run once, at the authority, and may do as they like. (DET-1) */
  watch(functions: BoundFunctions, symbols: Symbols): BoundFunctions {
    return functions.map((bound, fn) => {
      if (bound.kind === 'effect') return bound;
      const { path, kind, name } = symbols.functions[fn]!;
      const impurity = { machine: symbols.id, path, kind, ...(name === undefined ? {} : { name }) };
      return wrapped(bound, (call) => this.#run(impurity, call));
    });
  }

  #run(about: Omit<Impurity, 'uses'>, call: () => unknown): unknown {
    const key = `${about.machine} ${about.path}`;
    // A function that is called inside another one is part of it.
    if (this.#uses !== undefined || this.#told.has(key)) return call();
    const uses: string[] = (this.#uses = []);
    const restore = NAMES.map((name) => this.#replace(name));
    try {
      return call();
    } catch (error) {
      if (error instanceof TypeError && FROZEN.test(error.message)) uses.push(CHANGE);
      throw error;
    } finally {
      for (const undo of restore) undo();
      this.#uses = undefined;
      const [first] = uses;
      if (first !== undefined) {
        this.#told.add(key);
        const impurity = { ...about, uses: first };
        this.#found(impurity, describe(impurity));
      }
    }
  }

  /** Puts a stand-in in the place of a global. @returns what puts it back. */
  #replace(name: Name): () => void {
    const scope = this.#scope;
    const found = Object.getOwnPropertyDescriptor(scope, name);
    const real = scope[name];
    if ((typeof real !== 'object' && typeof real !== 'function') || real === null || found?.configurable === false) return () => undefined;
    let standIn = this.#standIns.get(real);
    if (standIn === undefined) this.#standIns.set(real, (standIn = this.#standIn(name, real)));
    Object.defineProperty(scope, name, { value: standIn, configurable: true, writable: true, enumerable: found?.enumerable ?? false });
    return () => {
      if (found === undefined) delete scope[name];
      else Object.defineProperty(scope, name, found);
    };
  }

  #standIn(name: Name, real: object): object {
    const used = (what: string): void => void this.#uses?.push(what);
    return new Proxy(real, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function' || key === 'prototype' || key === 'constructor') return value;
        return (...args: unknown[]): unknown => {
          if (IMPURE[name](key)) used(`${name}.${String(key)}()`);
          return Reflect.apply(value, target, args);
        };
      },
      // Only a clock is called itself: `Date()` is the time of the day, `new Date(2020, 1)` is not.
      apply: (target, _self, args) => {
        used(`${name}()`);
        return Reflect.apply(target as () => unknown, undefined, args);
      },
      construct: (target, args, made) => {
        if (args.length === 0) used(`new ${name}()`);
        return Reflect.construct(
          target as new () => object,
          args,
          made === this.#standIns.get(target) ? (target as new () => object) : made,
        ) as object;
      },
    });
  }
}

const NAMES = ['Date', 'Math', 'performance', 'crypto'] as const;
type Name = (typeof NAMES)[number];

/** Which methods of each answer differently from replica to replica. */
const IMPURE: { readonly [name in Name]: (key: string | symbol) => boolean } = {
  Date: (key) => key === 'now',
  Math: (key) => !EXACT.has(key),
  performance: (key) => key === 'now',
  crypto: (key) => key === 'randomUUID' || key === 'getRandomValues',
};

function wrapped<T extends BoundFunction>(bound: T, run: (call: () => unknown) => unknown): T {
  const { call } = bound as { readonly call: (...args: readonly unknown[]) => unknown };
  return { ...bound, call: (...args: readonly unknown[]) => run(() => call(...args)) };
}

/** For people: what, where, and what to use instead. */
function describe({ machine, path, kind, name, uses }: Impurity): string {
  const what = functionName({ functions: [{ kind, path, ...(name === undefined ? {} : { name }) }] }, 0);
  return `machine '${machine}', ${what}: ${uses}. ${adviceOn(uses)}`;
}

function adviceOn(uses: string): string {
  if (uses === CHANGE) return 'Contexts and events are frozen; return what is new';
  if (uses.includes('random') || uses.includes('Random'))
    return "Each replica gets another answer; random() and uuid() of 'lockstep' come with the event";
  if (uses.startsWith('Math'))
    return 'Engines round it differently; use exact functions, or let an effect compute it and send it as an event';
  return "Each replica gets another answer; now() of 'lockstep' comes with the event";
}
