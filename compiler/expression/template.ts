// JSON with `{ "@expr": text }` slots, as XState 6's machine JSON has it: everything but the slots means itself. `@lang` (or the machine's
// `@exprLang`) says in which language a slot is written: `lockstep` is ours, `rstmdb` that of transition lists' guards. `@code` slots hold
// functions, which are for JavaScript to run; they are refused.

import { LockstepError } from '../../core/errors.ts';
import { isFields, describe } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import { escapePointer, plain } from '../../core/plain.ts';
import { array, literal, object } from './build.ts';
import { parseGuardText } from './guard-text.ts';
import { parseExpression } from './language.ts';
import { partsOf, type Expression } from './tree.ts';

const LANGUAGES: { readonly [name: string]: (text: string, where: string) => Expression } = {
  lockstep: parseExpression,
  rstmdb: parseGuardText,
};

/** Whether a value is an expression slot. */
export const isSlot = (value: unknown): value is { readonly '@expr': string } =>
  typeof value === 'object' && value !== null && typeof (value as { '@expr'?: unknown })['@expr'] === 'string';

/**
 * The expression that makes what a template describes.                                           (EXPR-13)
 * @param where JSON pointer of the template, for errors.
 * @param language of slots that name none.
 * @throws LockstepError BAD_DEFINITION with pointer and place; NOT_JSON.
 */
export function fromTemplate(value: unknown, where: string, language = 'lockstep'): Expression {
  return build(plain(value, where), where, language);
}

/** Whether anything in a template is a slot. */
export function hasSlot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return '@expr' in value || '@code' in value || Object.values(value).some(hasSlot);
}

function build(value: Json, where: string, language: string): Expression {
  if (Array.isArray(value)) return array(value.map((item: Json, index) => ({ value: build(item, `${where}/${index}`, language) })));
  if (!isFields(value)) return literal(value);
  if ('@code' in value) throw new LockstepError('UNSUPPORTED', `${where}: @code holds a function; expected @expr`);
  if ('@expr' in value) return slot(value, where, language);
  const fields = Object.entries(value).map(([key, each]) => ({ key, value: build(each, `${where}/${escapePointer(key)}`, language) }));
  return object(fields);
}

function slot(given: { readonly [key: string]: Json }, where: string, language: string): Expression {
  const { '@expr': text, '@lang': named = language, ...others } = given;
  const [other] = Object.keys(others);
  if (other !== undefined) throw bad(where, `expected @expr and @lang alone, found '${other}' beside them`);
  if (typeof text !== 'string') throw bad(where, `@expr is a text, found ${describe(text)}`);
  const parse = typeof named === 'string' && Object.hasOwn(LANGUAGES, named) ? LANGUAGES[named] : undefined;
  if (parse === undefined) throw bad(where, `@lang is one of ${Object.keys(LANGUAGES).join(', ')}, found ${describe(named)}`);
  const expression = parse(text, where);
  if (asksForStates(expression)) throw bad(where, 'in() has no states to ask about here; use the guard xstate.stateIn');
  return expression;
}

const asksForStates = (expression: Expression): boolean =>
  expression.kind === 'in' || partsOf(expression).some(({ part }) => asksForStates(part));

const bad = (where: string, reason: string): LockstepError => new LockstepError('BAD_DEFINITION', `${where || '/'}: ${reason}`);
