// Random expressions, for whoever reads, prints, compiles or evaluates them. Most evaluate to something: operands mostly have the kind
// that their operator wants.

import { array, literal, member, object, UNDEFINED } from '../../compiler/expression/build.ts';
import {
  BINARY_OPERATORS,
  BUILTINS,
  EACH_METHODS,
  LOGICAL_OPERATORS,
  ROOTS,
  UNARY_OPERATORS,
  type Builtin,
  type Expression,
  type Field,
  type Item,
} from '../../compiler/expression/tree.ts';
import type { Json } from '../../core/json.ts';
import type { Random } from '../support/random.ts';

export const KEYS = ['a', 'b', 'list', 'text', 'user', 'a key', '0', 'über'] as const;
const TEXTS = ['', 'a', 'b', 'two words', '"quoted"', "it's", '\n\t\\', '`${x}`', 'ä€😀', '12'] as const;
const NUMBERS = [0, 1, 2, -1, 0.5, 1e21, 1e-7, -3.25, 100] as const;

export function randomJson(dice: Random, depth: number): Json {
  const kind = dice.below(depth > 0 ? 7 : 5);
  if (kind <= 1) return dice.pick(NUMBERS);
  if (kind === 2) return dice.pick(TEXTS);
  if (kind === 3) return dice.chance(0.5);
  if (kind === 4) return null;
  const count = dice.below(4);
  if (kind === 5) return Array.from({ length: count }, () => randomJson(dice, depth - 1));
  return Object.fromEntries(Array.from({ length: count }, () => [dice.pick(KEYS), randomJson(dice, depth - 1)]));
}

/** @param locals how many are bound. */
export function randomTree(dice: Random, depth: number, locals = 0): Expression {
  const inner = (more = 0): Expression => randomTree(dice, depth - 1, locals + more);
  const leaf = depth <= 0 || dice.chance(0.15);
  if (leaf) return randomLeaf(dice, locals);
  const key = (): string | Expression => (dice.chance(0.7) ? dice.pick(KEYS) : inner());
  switch (dice.below(14)) {
    case 0:
    case 1:
      return member(inner(), key(), dice.chance(0.3));
    case 2:
      return { kind: 'unary', operator: dice.pick(UNARY_OPERATORS), operand: inner() };
    case 3:
    case 4:
      return { kind: 'binary', operator: dice.pick(BINARY_OPERATORS), left: inner(), right: inner() };
    case 5:
      return { kind: 'logical', operator: dice.pick(LOGICAL_OPERATORS), left: inner(), right: inner() };
    case 6:
      return { kind: 'conditional', condition: inner(), then: inner(), otherwise: inner() };
    case 7:
      return object(times<Field>(dice, 3, () => (dice.chance(0.25) ? { spread: inner() } : { key: key(), value: inner() })));
    case 8:
      return array(times<Item>(dice, 3, () => (dice.chance(0.25) ? { spread: inner() } : { value: inner() })));
    case 9: {
      const name = dice.pick(Object.keys(BUILTINS) as Builtin[]);
      const [least, most] = BUILTINS[name];
      return { kind: 'call', name, arguments: Array.from({ length: least + dice.below(Math.min(most - least, 2) + 1) }, () => inner()) };
    }
    case 10: {
      const arity = dice.chance(0.5) ? 1 : 2;
      return { kind: 'each', method: dice.pick(EACH_METHODS), of: listOf(dice, inner), arity, body: inner(arity) };
    }
    case 11: {
      const arity = dice.chance(0.5) ? 2 : 3;
      return { kind: 'reduce', of: listOf(dice, inner), initial: inner(), arity, body: inner(arity) };
    }
    case 12:
      return { kind: 'let', value: inner(), body: inner(1) };
    default: {
      const path = times(dice, 2, key).map((step) => (typeof step === 'string' ? step : stepOf(step)));
      const kind = dice.pick(['set', 'append', 'remove'] as const);
      return kind === 'remove' ? { kind, of: inner(), path } : { kind, of: inner(), path, value: inner() };
    }
  }
}

const listOf = (dice: Random, inner: () => Expression): Expression =>
  dice.chance(0.6) ? array([{ value: inner() }, { value: inner() }]) : inner();

/** Constant steps are plain keys. */
const stepOf = (step: Expression): string | Expression => (step.kind === 'literal' && typeof step.value === 'string' ? step.value : step);

function times<T>(dice: Random, most: number, make: () => T): T[] {
  return Array.from({ length: dice.below(most + 1) }, make);
}

function randomLeaf(dice: Random, locals: number): Expression {
  if (locals > 0 && dice.chance(0.4)) return { kind: 'local', number: dice.below(locals) };
  switch (dice.below(6)) {
    case 0:
      return UNDEFINED;
    case 1:
      return { kind: 'in', state: dice.pick(['m', 'm.a', 'm.b']) };
    case 2:
      return literal(randomJson(dice, 1));
    case 3:
      return { kind: 'root', name: dice.pick(ROOTS) };
    default:
      return member({ kind: 'root', name: dice.chance(0.7) ? 'context' : 'event' }, dice.pick(KEYS));
  }
}
