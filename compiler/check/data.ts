// What of a machine's context can be computed while it is explored: the keys that begin with a value and are only written by expressions over
// one another, as far as guards ask them. Everything else (what events bring, the clock, the dice, the author's own functions) is unknown.
// A key with too many values is given up: it is unknown then, and the exploration begins anew.

import { LockstepError } from '../../core/errors.ts';
import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import type { FunctionSymbol, Symbols } from '../../core/symbols.ts';
import { evaluate, evaluateWrites, ExpressionFault, type Scope } from '../expression/evaluate.ts';
import { partsOf, type Expression, type Value } from '../expression/tree.ts';
import { isTruthy } from '../expression/values.ts';

/** Different values that one key may have in one exploration. */
const VALUES_MAX = 256;

export type Expressions = ReadonlyMap<string, { readonly expression: Expression }>;

/** These keys have too many values, or what they are could not be computed. */
export class GivenUp extends Error {
  readonly keys: readonly string[];

  constructor(keys: readonly string[]) {
    super(`unknown from now on: ${keys.join(', ')}`);
    this.keys = keys;
  }
}

/** What an expression depends on. */
interface Needs {
  readonly keys: ReadonlySet<string>;
  /** It depends on something that is never known. */
  readonly isOpen: boolean;
}

interface Write {
  readonly keys: readonly string[];
  readonly needs: Needs;
}

export class Data {
  /** The keys that are computed, in order. */
  readonly keys: readonly string[];
  /** By function number: the guards that are answered from them. */
  readonly #guards = new Map<number, Expression>();
  /** Events whose type is written out though the event is computed: by the number of the function that makes it. */
  readonly raised: ReadonlyMap<number, string>;
  readonly #assigns = new Map<number, { readonly expression: Expression; readonly keys: ReadonlySet<string> }>();
  readonly #initial: readonly Value[];
  /** Valuations by number, and the number of each by its text. */
  readonly #valuations: (readonly Value[])[] = [];
  readonly #numbers = new Map<string, number>();
  /** By key: the texts of its values. */
  readonly #values: readonly Set<string>[];

  /**
   * @param mayWrite whether a function may change the context: one that is not lowered may then change all of it.
   * @param unknown keys that are given up.
   */
  constructor(symbols: Symbols, expressions: Expressions, mayWrite: (symbol: FunctionSymbol) => boolean, unknown: ReadonlySet<string>) {
    const context = initialContext(symbols, expressions);
    const writes = writesOf(symbols, expressions, mayWrite);
    const known = context === undefined || writes === undefined ? new Set<string>() : knownKeys(Object.keys(context), writes, unknown);
    const asked = new Set<string>();
    symbols.functions.forEach(({ kind, path }, fn) => {
      const found = kind === 'guard' ? expressions.get(path) : undefined;
      if (found === undefined) return;
      const needs = needsOf(found.expression);
      // What asks nothing stands for a guard that is not there.
      if (needs.isOpen || needs.keys.size === 0 || !isWithin(needs.keys, known)) return;
      this.#guards.set(fn, found.expression);
      for (const key of needs.keys) asked.add(key);
    });
    for (let before = -1; before !== asked.size;) {
      before = asked.size;
      for (const { keys, needs } of writes ?? []) if (keys.some((key) => asked.has(key))) for (const key of needs.keys) asked.add(key);
    }
    this.keys = [...asked];
    symbols.functions.forEach(({ kind, path }, fn) => {
      const found = kind === 'assign' ? expressions.get(path) : undefined;
      if (found !== undefined) this.#assigns.set(fn, { expression: found.expression, keys: asked });
    });
    this.raised = new Map(
      symbols.functions.flatMap(({ kind, path }, fn) => {
        const found = kind === 'raise' ? expressions.get(path) : undefined;
        const type = found === undefined ? undefined : typeOf(found.expression);
        return type === undefined ? [] : [[fn, type] as const];
      }),
    );
    this.#initial = this.keys.map((key) => (context !== undefined && Object.hasOwn(context, key) ? context[key] : undefined));
    this.#values = this.keys.map(() => new Set());
    this.number(this.#initial);
  }

  /** Guards that are answered exactly. */
  get guardCount(): number {
    return this.#guards.size;
  }

  isExact(fn: number): boolean {
    return this.#guards.has(fn);
  }

  /** With number 0 every machine begins. */
  valuation(number: number): readonly Value[] {
    return this.#valuations[number]!;
  }

  /** @throws GivenUp when a key has too many values. */
  number(valuation: readonly Value[]): number {
    const text = JSON.stringify(valuation.map((value) => (value === undefined ? [] : [value])));
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    valuation.forEach((value, index) => {
      const values = this.#values[index]!;
      if (values.add(JSON.stringify(value) ?? '').size > VALUES_MAX) throw new GivenUp([this.keys[index]!]);
    });
    this.#numbers.set(text, this.#valuations.length);
    return this.#valuations.push(valuation) - 1;
  }

  /** @returns undefined when it cannot be told after all: a value is of a kind that the expression has no rule for. */
  answer(fn: number, valuation: readonly Value[], isIn: (state: string) => boolean): boolean | undefined {
    try {
      return isTruthy(evaluate(this.#guards.get(fn)!, this.#scope(valuation, isIn)));
    } catch (error) {
      if (error instanceof ExpressionFault) return undefined;
      throw error;
    }
  }

  /** What an assign makes of a valuation. @throws GivenUp when it cannot be told. */
  assign(fn: number, valuation: readonly Value[], isIn: (state: string) => boolean): readonly Value[] {
    const assign = this.#assigns.get(fn);
    if (assign === undefined || this.keys.length === 0) return valuation;
    const fields = fieldsOf(assign.expression);
    const touched = fields === undefined ? keysWritten(assign.expression) : fields.map(({ key }) => key);
    if (!touched.some((key) => this.keys.includes(key))) return valuation;
    const scope = this.#scope(valuation, isIn);
    try {
      const written =
        fields === undefined
          ? evaluateWrites(assign.expression, scope)
          : new Map(fields.filter(({ key }) => this.keys.includes(key)).map(({ key, value }) => [key, evaluate(value, scope)]));
      return this.keys.map((key, index) => (written.has(key) ? written.get(key) : valuation[index]));
    } catch (error) {
      if (error instanceof ExpressionFault) throw new GivenUp(touched);
      throw error;
    }
  }

  #scope(valuation: readonly Value[], isIn: (state: string) => boolean): Scope {
    const context: Record<string, Json> = {};
    this.keys.forEach((key, index) => {
      const value = valuation[index];
      if (value !== undefined) context[key] = value;
    });
    return { roots: { context }, stamp: NO_STAMP, isIn };
  }
}

const unknown = (): never => {
  throw new LockstepError('EXPECTATION', 'nothing that asks the stamp of an event is computed');
};
const NO_STAMP: Scope['stamp'] = { now: unknown, random: unknown, uuid: unknown };

/** The context that every instance begins with, undefined when that depends on its input or on the author's own function. */
function initialContext(
  { context, contextFunction, functions }: Symbols,
  expressions: Expressions,
): { readonly [key: string]: Value } | undefined {
  if (contextFunction === undefined) return context !== undefined && isFields(context) ? context : {};
  const found = expressions.get(functions[contextFunction]!.path);
  if (found === undefined || needsOf(found.expression).isOpen) return undefined;
  try {
    return Object.fromEntries(evaluateWrites(found.expression, { roots: {}, stamp: NO_STAMP, isIn: () => false }));
  } catch (error) {
    if (error instanceof ExpressionFault) return undefined;
    throw error;
  }
}

/** All that steps write; undefined when some function may write anything. */
function writesOf(
  { functions }: Symbols,
  expressions: Expressions,
  mayWrite: (symbol: FunctionSymbol) => boolean,
): readonly Write[] | undefined {
  const writes: Write[] = [];
  for (const symbol of functions) {
    if (!mayWrite(symbol)) continue;
    const its = writesOfOne(symbol, expressions);
    if (its === undefined) return undefined;
    writes.push(...its);
  }
  return writes;
}

function writesOfOne({ kind, path }: FunctionSymbol, expressions: Expressions): readonly Write[] | undefined {
  const found = kind === 'assign' ? expressions.get(path) : undefined;
  if (found === undefined) return undefined;
  const fields = fieldsOf(found.expression);
  if (fields !== undefined) return fields.map(({ key, value }) => ({ keys: [key], needs: needsOf(value) }));
  try {
    return [{ keys: keysWritten(found.expression), needs: needsOf(found.expression) }];
  } catch (error) {
    if (error instanceof GivenUp) return undefined;
    throw error;
  }
}

/** The type of an event, when the expression that makes it says so in so many words. */
function typeOf(expression: Expression): string | undefined {
  if (expression.kind === 'literal') {
    const type = isFields(expression.value) ? expression.value['type'] : undefined;
    return typeof type === 'string' ? type : undefined;
  }
  if (expression.kind !== 'object') return undefined;
  let type: string | undefined;
  for (const field of expression.fields) {
    if ('spread' in field || typeof field.key !== 'string') return undefined;
    if (field.key !== 'type') continue;
    if (field.value.kind !== 'literal' || typeof field.value.value !== 'string') return undefined;
    type = field.value.value;
  }
  return type;
}

/** The fields of an object that is written out, without the context itself in front; undefined for anything else. */
function fieldsOf(expression: Expression): readonly { readonly key: string; readonly value: Expression }[] | undefined {
  if (expression.kind !== 'object') return undefined;
  const fields: { key: string; value: Expression }[] = [];
  for (const [index, field] of expression.fields.entries()) {
    if ('spread' in field) {
      if (index > 0 || field.spread.kind !== 'root' || field.spread.name !== 'context') return undefined;
    } else if (typeof field.key !== 'string') return undefined;
    else fields.push({ key: field.key, value: field.value });
  }
  return fields;
}

/** The keys that an assign may write. @throws GivenUp when that cannot be told. */
function keysWritten(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'undefined':
      return [];
    case 'literal':
      return isFields(expression.value) ? Object.keys(expression.value) : [];
    case 'conditional':
      return [...keysWritten(expression.then), ...keysWritten(expression.otherwise)];
    case 'let':
      return keysWritten(expression.body);
    default: {
      const fields = fieldsOf(expression);
      if (fields === undefined) throw new GivenUp([]);
      return fields.map(({ key }) => key);
    }
  }
}

/** Keys are unknown that are written with something unknown; what is left is known. */
function knownKeys(first: readonly string[], writes: readonly Write[], unknown: ReadonlySet<string>): Set<string> {
  const known = new Set([...first, ...writes.flatMap(({ keys }) => keys)].filter((key) => !unknown.has(key)));
  for (let before = -1; before !== known.size;) {
    before = known.size;
    for (const { keys, needs } of writes) if (needs.isOpen || !isWithin(needs.keys, known)) for (const key of keys) known.delete(key);
  }
  return known;
}

function isWithin(keys: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  for (const key of keys) if (!all.has(key)) return false;
  return true;
}

function needsOf(expression: Expression): Needs {
  const keys = new Set<string>();
  let isOpen = false;
  const visit = (part: Expression): void => {
    if (part.kind === 'member' && part.of.kind === 'root' && part.of.name === 'context' && typeof part.key === 'string') {
      keys.add(part.key);
      return;
    }
    // A context as a whole has keys that nobody knows of.
    if (part.kind === 'root') isOpen = true;
    if (part.kind === 'call' && Object.hasOwn(NO_STAMP, part.name)) isOpen = true;
    for (const { part: inner } of partsOf(part)) visit(inner);
  };
  visit(expression);
  return { keys, isOpen };
}
