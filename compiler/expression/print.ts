// A tree as text of our own language: what --explain shows, and what parses to the same tree again. Locals are called x0, x1, …

import { unreachable } from '../../core/errors.ts';
import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import type { Expression, Field, Item, Step } from './tree.ts';

/** How tightly a text binds; higher is tighter. */
const LEVEL = { conditional: 0, either: 1, and: 2, equality: 3, order: 4, sum: 5, product: 6, unary: 7, postfix: 8 } as const;
type Level = (typeof LEVEL)[keyof typeof LEVEL];

const LEVEL_OF: Readonly<Record<string, Level>> = {
  '??': LEVEL.either,
  '||': LEVEL.either,
  '&&': LEVEL.and,
  '===': LEVEL.equality,
  '!==': LEVEL.equality,
  '<': LEVEL.order,
  '<=': LEVEL.order,
  '>': LEVEL.order,
  '>=': LEVEL.order,
  '+': LEVEL.sum,
  '-': LEVEL.sum,
  '*': LEVEL.product,
  '/': LEVEL.product,
  '%': LEVEL.product,
};
const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

interface Printed {
  readonly text: string;
  readonly level: Level;
}

/** @param locals how many are bound around it. */
export function printExpression(expression: Expression, locals = 0): string {
  return print(expression, locals).text;
}

function print(expression: Expression, locals: number): Printed {
  const at = (part: Expression, level: Level): string => {
    const printed = print(part, locals);
    return printed.level < level ? `(${printed.text})` : printed.text;
  };
  const free = (part: Expression): string => at(part, LEVEL.conditional);
  const bound = (count: number): string[] => Array.from({ length: count }, (_, index) => `x${locals + index}`);
  const body = (part: Expression, count: number): string => print(part, locals + count).text;
  const postfix = (text: string): Printed => ({ text, level: LEVEL.postfix });
  const path = (steps: readonly Step[]): string =>
    `[${steps.map((step) => (typeof step === 'string' ? quote(step) : free(step))).join(', ')}]`;

  switch (expression.kind) {
    case 'literal':
      return literalText(expression.value);
    case 'undefined':
      return postfix('undefined');
    case 'root':
      return postfix(expression.name);
    case 'local':
      return postfix(`x${expression.number}`);
    case 'member': {
      const { key, optional } = expression;
      const of = at(expression.of, LEVEL.postfix);
      if (typeof key === 'string' && NAME.test(key)) return postfix(`${of}${optional ? '?.' : '.'}${key}`);
      return postfix(`${of}${optional ? '?.' : ''}[${typeof key === 'string' ? quote(key) : free(key)}]`);
    }
    case 'unary':
      return unaryText(expression, at);
    case 'binary':
    case 'logical': {
      const level = LEVEL_OF[expression.operator]!;
      // Left-associative; `??` and `||` do not stand beside each other without brackets.
      const isMixed = expression.left.kind === 'logical' && level === LEVEL.either && expression.left.operator !== expression.operator;
      const left = isMixed ? at(expression.left, LEVEL.and) : at(expression.left, level);
      return { text: `${left} ${expression.operator} ${at(expression.right, (level + 1) as Level)}`, level };
    }
    case 'conditional': {
      const { condition, then, otherwise } = expression;
      return { text: `${at(condition, LEVEL.either)} ? ${free(then)} : ${free(otherwise)}`, level: LEVEL.conditional };
    }
    case 'object':
      return postfix(braces(expression.fields.map((field) => fieldText(field, free))));
    case 'array':
      return postfix(
        `[${expression.items.map((item: Item) => ('spread' in item ? `...${free(item.spread)}` : free(item.value))).join(', ')}]`,
      );
    case 'call':
      return postfix(`${expression.name}(${expression.arguments.map(free).join(', ')})`);
    case 'each': {
      const { of, method, arity } = expression;
      const names = bound(arity);
      const head = arity === 1 ? names[0]! : `(${names.join(', ')})`;
      return postfix(`${at(of, LEVEL.postfix)}.${method}(${head} => ${body(expression.body, arity)})`);
    }
    case 'reduce': {
      const { of, initial, arity } = expression;
      const head = `(${bound(arity).join(', ')}) => ${body(expression.body, arity)}`;
      return postfix(`${at(of, LEVEL.postfix)}.reduce(${head}, ${free(initial)})`);
    }
    case 'let':
      // Reaches to the end of what is around it, so it stands in brackets everywhere but at the end.
      return postfix(`(let x${locals} = ${free(expression.value)}; ${body(expression.body, 1)})`);
    case 'in':
      return postfix(`in(${quote(expression.state)})`);
    case 'remove':
      return postfix(`remove(${free(expression.of)}, ${path(expression.path)})`);
    case 'set':
    case 'append':
      return postfix(`${expression.kind}(${free(expression.of)}, ${path(expression.path)}, ${free(expression.value)})`);
    default:
      return unreachable(expression);
  }
}

function unaryText({ operator, operand }: Expression & { kind: 'unary' }, at: (part: Expression, level: Level) => string): Printed {
  switch (operator) {
    case 'nullish':
      return { text: `${at(operand, LEVEL.equality)} == null`, level: LEVEL.equality };
    case 'typeof':
      return { text: `typeof ${at(operand, LEVEL.unary)}`, level: LEVEL.unary };
    case 'not':
      // What asks for presence reads better than what denies absence.
      if (operand.kind === 'unary' && operand.operator === 'nullish')
        return { text: `${at(operand.operand, LEVEL.equality)} != null`, level: LEVEL.equality };
      return { text: `!${at(operand, LEVEL.unary)}`, level: LEVEL.unary };
    case 'negate': {
      const text = at(operand, LEVEL.unary);
      return { text: /^[\d-]/.test(text) ? `-(${text})` : `-${text}`, level: LEVEL.unary };
    }
  }
}

function literalText(value: Json): Printed {
  if (typeof value === 'string') return { text: quote(value), level: LEVEL.postfix };
  // A sign, and a number that a dot would go on with, are kept apart from what follows.
  if (typeof value === 'number') return { text: String(value), level: LEVEL.unary };
  if (Array.isArray(value)) return { text: `[${value.map((item: Json) => literalText(item).text).join(', ')}]`, level: LEVEL.postfix };
  if (isFields(value)) {
    const fields = Object.entries(value).map(([key, field]) => `${keyText(key)}: ${literalText(field).text}`);
    return { text: braces(fields), level: LEVEL.postfix };
  }
  return { text: String(value), level: LEVEL.postfix };
}

function fieldText(field: Field, free: (part: Expression) => string): string {
  if ('spread' in field) return `...${free(field.spread)}`;
  return `${typeof field.key === 'string' ? keyText(field.key) : `[${free(field.key)}]`}: ${free(field.value)}`;
}

const keyText = (key: string): string => (NAME.test(key) ? key : quote(key));
const braces = (fields: readonly string[]): string => (fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`);
const quote = (text: string): string => JSON.stringify(text);
