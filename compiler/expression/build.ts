// Makes trees in their one form: what is all literal is a literal, so that equal expressions are equal trees whoever made them.

import { LockstepError } from '../../core/errors.ts';
import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import { DEPTH_MAX, depthOf, type Expression, type Field, type Item } from './tree.ts';

export const UNDEFINED: Expression = { kind: 'undefined' };
export const literal = (value: Json): Expression => ({ kind: 'literal', value });

/** Whether it is written as undefined or null. */
export const isNothing = (expression: Expression): boolean =>
  expression.kind === 'undefined' || (expression.kind === 'literal' && expression.value === null);

/** A constant field of a literal is its value. */
export function member(of: Expression, key: string | Expression, optional = false): Expression {
  const name = typeof key !== 'string' && key.kind === 'literal' && typeof key.value === 'string' ? key.value : key;
  if (of.kind === 'literal' && isFields(of.value) && typeof name === 'string' && Object.hasOwn(of.value, name))
    return literal(of.value[name]!);
  return { kind: 'member', of, key: name, optional };
}

/** Spreads of what is written out become its fields; the last of equal constant fields stays when nothing unknown stands between. */
export function object(fields: readonly Field[]): Expression {
  const flat = fields.flatMap(spreadFields).map(constantKey);
  if (!flat.every(isLiteralField)) return { kind: 'object', fields: flat };
  return literal(Object.fromEntries(flat.map(({ key, value }) => [key, value.value])));
}

export function array(items: readonly Item[]): Expression {
  const flat = items.flatMap((item) => ('spread' in item && item.spread.kind === 'array' ? item.spread.items : [item]));
  const isLiteral = (item: Item): item is { value: { kind: 'literal'; value: Json } } => 'value' in item && item.value.kind === 'literal';
  return flat.every(isLiteral) ? literal(flat.map(({ value }) => value.value)) : { kind: 'array', items: flat };
}

/** Text pieces and values between them, joined. */
export function template(texts: readonly string[], values: readonly Expression[]): Expression {
  const parts = texts.flatMap((text, index) => [
    ...(text === '' ? [] : [literal(text)]),
    ...(index < values.length ? [printed(values[index]!)] : []),
  ]);
  return parts.length === 0 ? literal('') : parts.reduce((left, right) => ({ kind: 'binary', operator: '+', left, right }));
}

/** @throws LockstepError BAD_DEFINITION when the tree is deeper than any evaluator takes. */
export function shallow(expression: Expression, what: string): Expression {
  if (depthOf(expression) <= DEPTH_MAX) return expression;
  throw new LockstepError('BAD_DEFINITION', `${what}: expected at most ${DEPTH_MAX} levels, found ${depthOf(expression)}`);
}

function spreadFields(field: Field): readonly Field[] {
  if (!('spread' in field)) return [field];
  if (field.spread.kind === 'object') return field.spread.fields;
  if (field.spread.kind !== 'literal' || !isFields(field.spread.value)) return [field];
  return Object.entries(field.spread.value).map(([key, value]) => ({ key, value: literal(value) }));
}

function constantKey(field: Field): Field {
  if ('spread' in field || typeof field.key === 'string' || field.key.kind !== 'literal') return field;
  const { value } = field.key;
  return typeof value === 'string' || typeof value === 'number' ? { key: String(value), value: field.value } : field;
}

const isLiteralField = (field: Field): field is { key: string; value: { kind: 'literal'; value: Json } } =>
  'value' in field && typeof field.key === 'string' && field.key !== '__proto__' && field.value.kind === 'literal';

function printed(value: Expression): Expression {
  const isText = value.kind === 'literal' && typeof value.value === 'string';
  return isText ? value : { kind: 'call', name: 'string', arguments: [value] };
}
