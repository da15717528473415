// Random expressions, mostly of fitting types, so that many of them come to a value and some to a fault; and random values to run them on.

import type { Json } from '../../core/json.ts';
import type { Builtin, Expression, Field, Item } from '../../compiler/expression/tree.ts';
import type { Random } from './random.ts';

type Kind = 'number' | 'string' | 'boolean' | 'array' | 'object';
const KINDS: readonly Kind[] = ['number', 'string', 'boolean', 'array', 'object'];
const KEYS = ['a', 'b', 'count', 'items', 'name', '0', 'length', 'né'] as const;
const TEXTS = ['', 'a', 'b', 'né', '12', ' x ', 'a,b', '😀'] as const;
const NUMBERS = [0, 1, 2, 3, -1, 0.5, 1e9, 1e300, 16_777_216, -7] as const;

export function randomJson(dice: Random, depth = 2): Json {
  switch (dice.below(depth > 0 ? 7 : 5)) {
    case 0:
      return dice.pick(NUMBERS);
    case 1:
      return dice.pick(TEXTS);
    case 2:
      return dice.chance(0.5);
    case 3:
      return null;
    case 4:
      return dice.below(100);
    case 5:
      return Array.from({ length: dice.below(4) }, () => randomJson(dice, depth - 1));
    default:
      return Object.fromEntries(Array.from({ length: dice.below(4) }, () => [dice.pick(KEYS), randomJson(dice, depth - 1)]));
  }
}

const literal = (value: Json): Expression => ({ kind: 'literal', value });

export class ExpressionMaker {
  readonly #dice: Random;
  readonly #states: readonly string[];

  constructor(dice: Random, states: readonly string[]) {
    this.#dice = dice;
    this.#states = states;
  }

  /** Of any kind. @param bound locals around it. */
  any(depth: number, bound = 0): Expression {
    return this.of(this.#dice.pick(KINDS), depth, bound);
  }

  /** What an assign may write: objects of known keys at every end. */
  writes(keys: readonly string[], depth: number, bound = 0): Expression {
    const dice = this.#dice;
    switch (depth > 0 ? dice.below(5) : 3) {
      case 0:
        return {
          kind: 'conditional',
          condition: this.any(depth - 1, bound),
          then: this.writes(keys, depth - 1, bound),
          otherwise: this.writes(keys, depth - 1, bound),
        };
      case 1:
        return { kind: 'let', value: this.any(depth - 1, bound), body: this.writes(keys, depth - 1, bound + 1) };
      case 2:
        return dice.chance(0.5) ? { kind: 'undefined' } : { kind: 'root', name: 'context' };
      default: {
        const fields = Array.from({ length: 1 + dice.below(3) }, (): Field => {
          if (dice.chance(0.15)) return { spread: { kind: 'root', name: 'context' } };
          if (dice.chance(0.15) && depth > 0)
            return { spread: { kind: 'logical', operator: '&&', left: this.any(depth - 1, bound), right: this.writes(keys, 0, bound) } };
          return { key: dice.pick(keys), value: dice.chance(0.1) ? { kind: 'undefined' } : this.any(depth - 1, bound) };
        });
        return { kind: 'object', fields };
      }
    }
  }

  of(kind: Kind, depth: number, bound: number): Expression {
    const dice = this.#dice;
    // A wrong kind now and then: faults are part of the meaning.
    if (dice.chance(0.02)) return this.any(depth - 1, bound);
    if (depth <= 0) return this.#leaf(kind, bound);
    if (dice.chance(0.12)) return this.#general(kind, depth - 1, bound);
    return this[`_${kind}`](depth - 1, bound);
  }

  #leaf(kind: Kind, bound: number): Expression {
    const dice = this.#dice;
    if (bound > 0 && dice.chance(0.3)) return { kind: 'local', number: dice.below(bound) };
    if (dice.chance(0.5)) {
      const of: Expression = { kind: 'root', name: dice.pick(['context', 'event'] as const) };
      return {
        kind: 'member',
        of,
        key: { number: 'count', string: 'name', boolean: 'b', array: 'items', object: 'a' }[kind],
        optional: dice.chance(0.2),
      };
    }
    if (dice.chance(0.05)) return { kind: 'undefined' };
    switch (kind) {
      case 'number':
        return literal(dice.pick(NUMBERS));
      case 'string':
        return literal(dice.pick(TEXTS));
      case 'boolean':
        return literal(dice.chance(0.5));
      case 'array':
        return literal(Array.from({ length: dice.below(4) }, () => dice.below(5)));
      case 'object':
        return dice.chance(0.2)
          ? { kind: 'root', name: dice.pick(['context', 'event', 'params', 'input'] as const) }
          : literal({ a: dice.below(4), name: 'q' });
    }
  }

  #general(kind: Kind, depth: number, bound: number): Expression {
    const dice = this.#dice;
    switch (dice.below(5)) {
      case 0:
        return {
          kind: 'conditional',
          condition: this.any(depth, bound),
          then: this.of(kind, depth, bound),
          otherwise: this.of(kind, depth, bound),
        };
      case 1:
        return {
          kind: 'logical',
          operator: dice.pick(['&&', '||', '??'] as const),
          left: this.any(depth, bound),
          right: this.of(kind, depth, bound),
        };
      case 2:
        return { kind: 'let', value: this.any(depth, bound), body: this.of(kind, depth, bound + 1) };
      case 3:
        return {
          kind: 'member',
          of: this.of(dice.pick(['array', 'object', 'string'] as const), depth, bound),
          key: dice.chance(0.5) ? dice.pick(KEYS) : this.of(dice.pick(['number', 'string'] as const), depth, bound),
          optional: dice.chance(0.5),
        };
      default:
        return {
          kind: 'reduce',
          of: this.of('array', depth, bound),
          initial: this.of(kind, depth, bound),
          arity: 3,
          body: this.of(kind, depth, bound + 3),
        };
    }
  }

  #call(depth: number, bound: number, calls: readonly (readonly [name: Builtin, ...kinds: Kind[]])[]): Expression {
    const [name, ...kinds] = this.#dice.pick(calls);
    return { kind: 'call', name, arguments: kinds.map((kind) => this.of(kind, depth, bound)) };
  }

  _number(depth: number, bound: number): Expression {
    const dice = this.#dice;
    const number = (): Expression => this.of('number', depth, bound);
    switch (dice.below(4)) {
      case 0:
        return this.#call(depth, bound, [
          ['floor', 'number'],
          ['ceil', 'number'],
          ['round', 'number'],
          ['trunc', 'number'],
          ['abs', 'number'],
          ['sign', 'number'],
          ['sqrt', 'number'],
          ['min', 'number', 'number'],
          ['max', 'number', 'number', 'number'],
          ['number', 'string'],
          ['indexOf', 'array', 'number'],
          ['indexOf', 'string', 'string'],
          ['now'],
          ['random'],
        ]);
      case 1:
        return { kind: 'unary', operator: 'negate', operand: number() };
      case 2:
        return {
          kind: 'each',
          method: 'findIndex',
          of: this.of('array', depth, bound),
          arity: 1,
          body: this.of('boolean', depth, bound + 1),
        };
      default:
        return { kind: 'binary', operator: dice.pick(['+', '-', '*', '/', '%'] as const), left: number(), right: number() };
    }
  }

  _string(depth: number, bound: number): Expression {
    const dice = this.#dice;
    switch (dice.below(3)) {
      case 0:
        return this.#call(depth, bound, [
          ['string', 'number'],
          ['trim', 'string'],
          ['slice', 'string', 'number'],
          ['slice', 'string', 'number', 'number'],
          ['at', 'string', 'number'],
          ['join', 'array'],
          ['join', 'array', 'string'],
          ['toFixed', 'number', 'number'],
          ['uuid'],
        ]);
      case 1:
        return { kind: 'unary', operator: 'typeof', operand: this.any(depth, bound) };
      default: {
        const [left, right] = [this.of('string', depth, bound), this.any(depth, bound)];
        return { kind: 'binary', operator: '+', ...(dice.chance(0.5) ? { left, right } : { left: right, right: left }) };
      }
    }
  }

  _boolean(depth: number, bound: number): Expression {
    const dice = this.#dice;
    switch (dice.below(7)) {
      case 0:
        return { kind: 'unary', operator: dice.pick(['not', 'nullish'] as const), operand: this.any(depth, bound) };
      case 1:
        return {
          kind: 'binary',
          operator: dice.pick(['<', '<=', '>', '>='] as const),
          left: this.of('number', depth, bound),
          right: this.of('number', depth, bound),
        };
      case 2: {
        const kind = dice.pick(['number', 'string', 'boolean'] as const);
        return {
          kind: 'binary',
          operator: dice.pick(['===', '!=='] as const),
          left: this.of(kind, depth, bound),
          right: this.of(kind, depth, bound),
        };
      }
      case 3:
        return {
          kind: 'each',
          method: dice.pick(['some', 'every'] as const),
          of: this.of('array', depth, bound),
          arity: 2,
          body: this.of('boolean', depth, bound + 2),
        };
      case 4:
        return { kind: 'in', state: dice.pick(this.#states) };
      case 5:
        return { kind: 'binary', operator: '===', left: this.any(depth, bound), right: this.any(depth, bound) };
      default:
        return this.#call(depth, bound, [
          ['isInteger', 'number'],
          ['startsWith', 'string', 'string'],
          ['endsWith', 'string', 'string'],
          ['includes', 'string', 'string'],
          ['includes', 'array', 'number'],
          ['isArray', 'array'],
          ['has', 'object', 'string'],
        ]);
    }
  }

  _array(depth: number, bound: number): Expression {
    const dice = this.#dice;
    const array = (): Expression => this.of('array', depth, bound);
    switch (dice.below(5)) {
      case 0:
        return {
          kind: 'array',
          items: Array.from({ length: dice.below(4) }, (): Item =>
            dice.chance(0.3) ? { spread: array() } : { value: this.any(depth, bound) },
          ),
        };
      case 1:
        return {
          kind: 'each',
          method: dice.pick(['map', 'filter', 'flatMap', 'find'] as const),
          of: array(),
          arity: 2,
          body: this.any(depth, bound + 2),
        };
      case 2:
        return { kind: 'append', of: array(), path: [], value: this.any(depth, bound) };
      case 3:
        return dice.chance(0.5)
          ? { kind: 'set', of: array(), path: [this.of('number', depth, bound)], value: this.any(depth, bound) }
          : { kind: 'remove', of: array(), path: [this.of('number', depth, bound)] };
      default:
        return this.#call(depth, bound, [
          ['split', 'string', 'string'],
          ['slice', 'array', 'number'],
          ['reverse', 'array'],
          ['keys', 'object'],
          ['values', 'object'],
          ['entries', 'object'],
        ]);
    }
  }

  _object(depth: number, bound: number): Expression {
    const dice = this.#dice;
    const object = (): Expression => this.of('object', depth, bound);
    switch (dice.below(3)) {
      case 0:
        return { kind: 'set', of: object(), path: [dice.pick(KEYS)], value: this.any(depth, bound) };
      case 1:
        return { kind: 'remove', of: object(), path: [dice.pick(KEYS)] };
      default: {
        const fields = Array.from({ length: dice.below(4) }, (): Field => {
          if (dice.chance(0.25)) return { spread: object() };
          const key = dice.chance(0.2) ? this.of('string', depth, bound) : dice.pick(KEYS);
          return { key, value: dice.chance(0.1) ? { kind: 'undefined' } : this.any(depth, bound) };
        });
        return { kind: 'object', fields };
      }
    }
  }
}
