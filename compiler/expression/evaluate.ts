// What an expression means, written to be read: the oracle that the bytecode of the core is compared with, and what lowered functions are
// compared through with the originals. Values are plain JSON or undefined; nothing that goes in is changed.

import { isFields } from '../../core/fields.ts';
import { callBuiltin } from './builtins.ts';
import { ELEMENTS_MAX, type Each, type Expression, type Field, type Item, type Root, type Step, type Update, type Value } from './tree.ts';
import { fault, isTruthy, numberOf, scalarText } from './values.ts';

export { ExpressionFault } from './values.ts';

/** What an expression can see. */
export interface Scope {
  readonly roots: { readonly [name in Root]?: Value };
  readonly stamp: { now(): number; random(): number; uuid(): string };
  isIn(state: string): boolean;
}

/** @throws ExpressionFault when a value is of a kind for which its operator has no rule, or a number is not finite. */
export function evaluate(expression: Expression, scope: Scope): Value {
  return new Evaluation(scope).value(expression, []);
}

/**
 * What an assignment writes: the fields of the object that the expression makes, in which, unlike in any other object, undefined takes the
 * key away. Through `let` and conditionals the object may stand at any end; an expression that is undefined writes nothing.
 * @throws ExpressionFault as evaluate() does, and when the result is no object.
 */
export function evaluateWrites(expression: Expression, scope: Scope): ReadonlyMap<string, Value> {
  return new Evaluation(scope).writes(expression, []);
}

class Evaluation {
  readonly #scope: Scope;
  #elements = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  writes(expression: Expression, locals: readonly Value[]): ReadonlyMap<string, Value> {
    switch (expression.kind) {
      case 'object':
        return this.#fields(expression.fields, locals);
      case 'conditional': {
        const { condition, then, otherwise } = expression;
        return this.writes(isTruthy(this.value(condition, locals)) ? then : otherwise, locals);
      }
      case 'let':
        return this.writes(expression.body, [...locals, this.value(expression.value, locals)]);
      default: {
        const made = this.value(expression, locals);
        if (made === undefined) return new Map();
        if (isFields(made)) return new Map(Object.entries(made));
        throw fault('an assignment', 'an object', made);
      }
    }
  }

  value(expression: Expression, locals: readonly Value[]): Value {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'undefined':
        return undefined;
      case 'root':
        return this.#scope.roots[expression.name];
      case 'local':
        return locals[expression.number];
      case 'member': {
        const of = this.value(expression.of, locals);
        if (expression.optional && (of === undefined || of === null)) return undefined;
        return member(of, this.#key(expression.key, locals));
      }
      case 'unary':
        return unary(expression.operator, this.value(expression.operand, locals));
      case 'binary':
        return binary(expression.operator, this.value(expression.left, locals), this.value(expression.right, locals));
      case 'logical': {
        const left = this.value(expression.left, locals);
        const isDecided =
          expression.operator === '??' ? left !== undefined && left !== null : isTruthy(left) === (expression.operator === '||');
        return isDecided ? left : this.value(expression.right, locals);
      }
      case 'conditional':
        return this.value(isTruthy(this.value(expression.condition, locals)) ? expression.then : expression.otherwise, locals);
      case 'object':
        return objectOf(this.#fields(expression.fields, locals));
      case 'array':
        return this.#array(expression.items, locals);
      case 'call': {
        const { name } = expression;
        if (name === 'now' || name === 'random' || name === 'uuid') return this.#scope.stamp[name]();
        return callBuiltin(
          name,
          expression.arguments.map((argument) => this.value(argument, locals)),
        );
      }
      case 'each':
        return this.#each(expression, locals);
      case 'reduce': {
        const { of, initial, arity, body } = expression;
        const elements = this.#elementsOf(of, locals, 'reduce');
        let result = this.value(initial, locals);
        elements.forEach((element, index) => {
          result = this.value(body, [...locals, result, element, ...(arity === 3 ? [index] : [])]);
        });
        return result;
      }
      case 'let':
        return this.value(expression.body, [...locals, this.value(expression.value, locals)]);
      case 'in':
        return this.#scope.isIn(expression.state);
      case 'set':
      case 'remove':
      case 'append':
        return this.#update(expression, locals);
    }
  }

  #key(key: string | Expression, locals: readonly Value[]): string | number {
    if (typeof key === 'string') return key;
    const value = this.value(key, locals);
    if (typeof value === 'string' || typeof value === 'number') return value;
    throw fault('a key', 'a string or a number', value);
  }

  // ── Construction ───────────────────────────────────────────────────────────────────────────────────────────────

  #fields(fields: readonly Field[], locals: readonly Value[]): Map<string, Value> {
    const made = new Map<string, Value>();
    for (const field of fields) {
      if (!('spread' in field)) {
        const key = String(this.#key(field.key, locals));
        made.set(fieldName(key), this.value(field.value, locals));
        continue;
      }
      const spread = this.value(field.spread, locals);
      if (typeof spread === 'string' ? spread !== '' : Array.isArray(spread)) throw fault('...', 'an object', spread);
      if (spread !== undefined && isFields(spread)) for (const [key, value] of Object.entries(spread)) made.set(key, value);
    }
    return made;
  }

  #array(items: readonly Item[], locals: readonly Value[]): Value {
    return items.flatMap((item) => {
      const value = this.value('spread' in item ? item.spread : item.value, locals);
      if (!('spread' in item)) return [element(value)];
      if (Array.isArray(value)) return value as Value[];
      throw fault('... in an array', 'an array', value);
    }) as Value;
  }

  // ── Loops ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #each({ method, of, arity, body }: Each, locals: readonly Value[]): Value {
    const elements = this.#elementsOf(of, locals, method);
    const call = (element: Value, index: number): Value => this.value(body, [...locals, element, ...(arity === 2 ? [index] : [])]);
    switch (method) {
      case 'map':
        return elements.map((each, index) => element(call(each, index))) as Value;
      case 'flatMap':
        return elements.flatMap((each, index) => element(call(each, index))) as Value;
      case 'filter':
        return elements.filter((each, index) => isTruthy(call(each, index))) as Value;
      case 'find':
        return elements.find((each, index) => isTruthy(call(each, index)));
      case 'findIndex':
        return elements.findIndex((each, index) => isTruthy(call(each, index)));
      case 'some':
        return elements.some((each, index) => isTruthy(call(each, index)));
      case 'every':
        return elements.every((each, index) => isTruthy(call(each, index)));
    }
  }

  #elementsOf(of: Expression, locals: readonly Value[], method: string): readonly Value[] {
    const value = this.value(of, locals);
    if (!Array.isArray(value)) throw fault(method, 'an array', value);
    this.#elements += value.length;
    if (this.#elements > ELEMENTS_MAX) throw fault(method, `at most ${ELEMENTS_MAX} elements in all`, value);
    return value as Value[];
  }

  // ── Updates ────────────────────────────────────────────────────────────────────────────────────────────────────

  #update(update: Update, locals: readonly Value[]): Value {
    const of = this.value(update.of, locals);
    const path = update.path.map((step: Step) => this.#key(step, locals));
    if (update.kind === 'remove') return changed(of, path, removed);
    const value = this.value(update.value, locals);
    if (update.kind === 'set') return changed(of, path, (parent, key) => withField(parent, key, value));
    return replaced(of, path, (found) => {
      if (Array.isArray(found)) return [...(found as Value[]), element(value)] as Value;
      throw fault('append', 'an array', found);
    });
  }
}

// ── Operators ────────────────────────────────────────────────────────────────────────────────────────────────────────

function member(of: Value, key: string | number): Value {
  if (of === undefined || of === null) throw fault(`.${key}`, 'an object or an array', of);
  if (typeof of === 'string' || Array.isArray(of)) {
    if (key === 'length') return of.length;
    const index = indexOf(key);
    return index === undefined ? undefined : (of[index] as Value);
  }
  return isFields(of) && Object.hasOwn(of, key) ? of[key] : undefined;
}

/** The index that a key names as JavaScript has it: '1' does, '01' does not. */
function indexOf(key: string | number): number | undefined {
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && String(index) === String(key) ? index : undefined;
}

function unary(operator: (Expression & { kind: 'unary' })['operator'], operand: Value): Value {
  switch (operator) {
    case 'not':
      return !isTruthy(operand);
    case 'negate':
      return finite('-', -numberOf(operand, '-'));
    case 'typeof':
      return operand === null ? 'object' : typeof operand;
    case 'nullish':
      return operand === undefined || operand === null;
  }
}

function binary(operator: (Expression & { kind: 'binary' })['operator'], left: Value, right: Value): Value {
  if (operator === '===' || operator === '!==') return equals(left, right, operator) === (operator === '===');
  if (operator === '+' && (typeof left === 'string' || typeof right === 'string')) return scalarText(left, '+') + scalarText(right, '+');
  const [a, b] = [numberOf(left, operator), numberOf(right, operator)];
  switch (operator) {
    case '+':
      return finite(operator, a + b);
    case '-':
      return finite(operator, a - b);
    case '*':
      return finite(operator, a * b);
    case '/':
      return finite(operator, a / b);
    case '%':
      return finite(operator, a % b);
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

/** Whether two arrays or objects are one is a question that replicas can answer differently. */
function equals(left: Value, right: Value, operator: string): boolean {
  if (typeof left === 'object' && left !== null && typeof right === 'object' && right !== null) {
    throw fault(operator, 'at most one array or object', left);
  }
  return left === right;
}

/** −0 becomes 0, as JSON has it. */
function finite(operator: string, result: number): number {
  if (Number.isFinite(result)) return result === 0 ? 0 : result;
  throw fault(operator, 'a finite result', undefined, String(result));
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function element(value: Value): Value {
  if (value === undefined) throw fault('an array', 'elements', undefined);
  return value;
}

function fieldName(key: string): string {
  if (key === '__proto__') throw fault('an object', 'a field of another name', key);
  return key;
}

const objectOf = (fields: ReadonlyMap<string, Value>): Value =>
  Object.fromEntries([...fields].filter(([, value]) => value !== undefined)) as Value;

type Change = (parent: Value, key: string | number) => Value;

/** `of` with what holds the last step of the path changed; an empty path has no such place. */
function changed(of: Value, path: readonly (string | number)[], change: Change): Value {
  const last = path.at(-1);
  if (last === undefined) throw fault('an update', 'a path', of);
  return replaced(of, path.slice(0, -1), (parent) => change(parent, last));
}

function replaced(of: Value, path: readonly (string | number)[], change: (found: Value) => Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return change(of);
  return withField(of, key, replaced(member(of, key), rest, change));
}

function withField(parent: Value, key: string | number, value: Value): Value {
  if (Array.isArray(parent)) {
    const index = indexOf(key);
    if (index === undefined || index > parent.length) throw fault('an update', `an index up to ${parent.length}`, key);
    const copy = [...(parent as Value[])];
    copy[index] = element(value);
    return copy as Value;
  }
  if (parent === undefined || !isFields(parent)) throw fault('an update', 'an object or an array', parent);
  return objectOf(new Map<string, Value>([...Object.entries(parent), [fieldName(String(key)), value]]));
}

function removed(parent: Value, key: string | number): Value {
  if (Array.isArray(parent)) return (parent as Value[]).filter((_, index) => index !== indexOf(key)) as Value;
  if (parent === undefined || !isFields(parent)) throw fault('remove', 'an object or an array', parent);
  return objectOf(new Map(Object.entries(parent).filter(([each]) => each !== String(key))));
}
