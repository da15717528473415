// The rules about single values that every part of an expression shares: what is true, what is a number, what prints.

import { describe } from '../../core/fields.ts';
import type { Value } from './tree.ts';

/** An operator met a value for which it has no rule. The step that evaluates the expression is undone, or its instance fails. */
export class ExpressionFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ExpressionFault';
  }
}

export function fault(what: string, expected: string, value: Value, found = describe(value)): ExpressionFault {
  return new ExpressionFault(`${what}: expected ${expected}, found ${found}`);
}

export function isTruthy(value: Value): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

export function numberOf(value: Value, what: string): number {
  if (typeof value === 'number') return value;
  throw fault(what, 'a number', value);
}

export function stringOf(value: Value, what: string): string {
  if (typeof value === 'string') return value;
  throw fault(what, 'a string', value);
}

export const isScalar = (value: Value): value is string | number | boolean | null | undefined =>
  typeof value !== 'object' || value === null;

/** How a scalar prints in a template. */
export function scalarText(value: Value, what: string): string {
  if (isScalar(value)) return String(value);
  throw fault(what, 'a scalar', value);
}
