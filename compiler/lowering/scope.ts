// What the names in a function mean while it is lowered.

import type { Json } from '../../core/json.ts';
import type { Expression } from '../expression/tree.ts';
import type { ES, FunctionNode } from './syntax.ts';

export type Meaning =
  /** A value: a path, a constant or a local. `isFresh`: an array or object that the function itself has made, so that it may change it. */
  | { readonly kind: 'value'; readonly value: Expression; readonly isFresh?: boolean }
  /** The arguments object of XState's functions: what it has by name. */
  | { readonly kind: 'arguments'; readonly fields: ReadonlyMap<string, Expression> }
  /** A function that is written out where it is called, with the names around it. */
  | { readonly kind: 'function'; readonly node: FunctionNode; readonly scope: Scope }
  /** What is imported: from where, and under which name there. */
  | { readonly kind: 'import'; readonly source: string; readonly name: string }
  /** All that a module exports, under one name; `id` is the module's. */
  | { readonly kind: 'namespace'; readonly id: string; find(name: string): Meaning }
  /** A name that stands for nothing that can be lowered, and why. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** The names that a function finds outside itself; undefined = not declared there, so JavaScript's own. */
export type Outside = (name: string) => Meaning | undefined;

/** Names in force, which of them the function at hand has made, and how many locals are bound. */
export class Scope {
  readonly #outside: Outside;
  readonly #names: ReadonlyMap<string, Meaning>;
  readonly #own: ReadonlySet<string>;
  readonly locals: number;

  constructor(outside: Outside, names: ReadonlyMap<string, Meaning> = new Map(), own: ReadonlySet<string> = new Set(), locals = 0) {
    this.#outside = outside;
    this.#names = names;
    this.#own = own;
    this.locals = locals;
  }

  find(name: string): Meaning | undefined {
    return this.#names.get(name) ?? this.#outside(name);
  }

  /** Whether the function at hand declares it, so that it may set it. */
  isOwn(name: string): boolean {
    return this.#own.has(name);
  }

  with(name: string, meaning: Meaning): Scope {
    return new Scope(this.#outside, new Map([...this.#names, [name, meaning]]), new Set([...this.#own, name]), this.locals);
  }

  /** More locals are bound. */
  bound(count = 1): Scope {
    return new Scope(this.#outside, this.#names, this.#own, this.locals + count);
  }

  /** Inside a function that is written out where so many locals are bound. */
  inside(locals: number): Scope {
    return new Scope(this.#outside, this.#names, new Set(), locals);
  }
}

export const value = (expression: Expression): Meaning => ({ kind: 'value', value: expression });

/** A function, and the names around it. */
export type Called = Pick<Extract<Meaning, { kind: 'function' }>, 'node' | 'scope'>;

/** Why a function cannot be lowered. */
export class Refusal extends Error {
  /** Where in the function's own text, in UTF-16 units. */
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.name = 'Refusal';
    this.at = at;
  }
}

/** The name before a dot or in brackets, when it is constant. */
export function keyOf(node: ES.MemberExpression | ES.Property | ES.AssignmentProperty): string | undefined {
  const key = node.type === 'MemberExpression' ? node.property : node.key;
  if (!node.computed && key.type === 'Identifier') return key.name;
  return key.type === 'Literal' && (typeof key.value === 'string' || typeof key.value === 'number') ? String(key.value) : undefined;
}

export const isJson = (value: unknown): value is Extract<Json, string | number | boolean | null> =>
  value === null || typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));

/** What every object has without anybody's doing. */
export const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

/** @throws Refusal for a field that is no data. */
export function inheritedRefused(name: string, at: { readonly start: number }): string {
  if (INHERITED.has(name)) throw new Refusal(at.start, `it reads '${name}', which every object has`);
  return name;
}
