// The value of an expression that is written out: literals, signs, templates, arithmetic, arrays and objects of such, and other constants.

import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import { isJson, keyOf } from './scope.ts';
import type { ES, Node } from './syntax.ts';

/** @param named the value of a constant; undefined when it is none. @returns undefined when it is not written out. */
export function constantValue(node: Node, named: (name: string) => Json | undefined): Json | undefined {
  const of = (inner: Node): Json | undefined => constantValue(inner, named);
  const syntax = node as ES.Expression;
  switch (syntax.type) {
    case 'Literal':
      return isJson(syntax.value) ? syntax.value : undefined;
    case 'Identifier':
      return named(syntax.name);
    case 'ParenthesizedExpression':
      return of(syntax.expression);
    case 'TemplateLiteral':
      return templateValue(syntax, of);
    case 'UnaryExpression': {
      const operand = of(syntax.argument);
      return syntax.operator === '-' && typeof operand === 'number' ? -operand || 0 : undefined;
    }
    case 'BinaryExpression':
      return binaryValue(syntax, of);
    case 'ArrayExpression':
      return all(syntax.elements.map((each) => (each === null || each.type === 'SpreadElement' ? undefined : of(each))));
    case 'ObjectExpression':
      return objectValue(syntax, of);
    case 'MemberExpression': {
      const [owner, key] = [of(syntax.object), keyOf(syntax)];
      if (owner === undefined || !isFields(owner) || key === undefined || !Object.hasOwn(owner, key)) return undefined;
      return owner[key];
    }
    case 'CallExpression': {
      // Object.freeze() makes of a constant the same constant.
      const [argument] = syntax.arguments;
      const isFreeze =
        syntax.callee.type === 'MemberExpression' &&
        syntax.callee.object.type === 'Identifier' &&
        syntax.callee.object.name === 'Object' &&
        keyOf(syntax.callee) === 'freeze';
      return isFreeze && argument !== undefined ? of(argument) : undefined;
    }
    default:
      return undefined;
  }
}

type Of = (node: Node) => Json | undefined;

function templateValue({ quasis, expressions }: ES.TemplateLiteral, of: Of): Json | undefined {
  const values = expressions.map(of);
  if (!values.every((each) => typeof each === 'string' || typeof each === 'number')) return undefined;
  return quasis.map(({ value: { cooked } }, index) => `${cooked ?? ''}${values[index] ?? ''}`).join('');
}

function binaryValue({ operator, left, right }: ES.BinaryExpression, of: Of): Json | undefined {
  const [a, b] = [of(left as Node), of(right)];
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') return a + b;
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  const result = { '+': a + b, '-': a - b, '*': a * b, '/': a / b, '%': a % b }[operator as '+'] as number | undefined;
  return result !== undefined && Number.isFinite(result) ? result || 0 : undefined;
}

function objectValue({ properties }: ES.ObjectExpression, of: Of): Json | undefined {
  const entries = properties.map((property): readonly [string, Json] | undefined => {
    if (property.type === 'SpreadElement' || property.kind !== 'init' || property.method) return undefined;
    const [key, value] = [keyOf(property), of(property.value)];
    return key === undefined || key === '__proto__' || value === undefined ? undefined : [key, value];
  });
  const known = all(entries);
  return known && Object.fromEntries(known);
}

function all<T>(values: readonly (T | undefined)[]): T[] | undefined {
  return values.every((each) => each !== undefined) ? (values as T[]) : undefined;
}
