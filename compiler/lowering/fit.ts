// Expressions of functions fitted to their place: with what a reference gives as params, and without what an assign need not write.

import { member, object, UNDEFINED } from '../expression/build.ts';
import { partsOf, type Expression, type Field, type Item, type Step } from '../expression/tree.ts';

/** `expression` with the root `params` standing for `params`. */
export function withParams(expression: Expression, params: Expression): Expression {
  if (!mentions(expression)) return expression;
  if (params.kind === 'literal' || params.kind === 'undefined') return replaced(expression, params, 0);
  return { kind: 'let', value: params, body: replaced(expression, { kind: 'local', number: 0 }, 1) };
}

function mentions(expression: Expression): boolean {
  return (expression.kind === 'root' && expression.name === 'params') || partsOf(expression).some(({ part }) => mentions(part));
}

/** @param shift how many locals are bound around what was the whole. */
function replaced(expression: Expression, params: Expression, shift: number): Expression {
  const of = (part: Expression): Expression => replaced(part, params, shift);
  const key = (step: Step): Step => (typeof step === 'string' ? step : of(step));
  switch (expression.kind) {
    case 'root':
      return expression.name === 'params' ? params : expression;
    case 'local':
      return { ...expression, number: expression.number + shift };
    case 'literal':
    case 'undefined':
    case 'in':
      return expression;
    case 'member':
      return member(of(expression.of), key(expression.key), expression.optional);
    case 'unary':
      return { ...expression, operand: of(expression.operand) };
    case 'binary':
      return { ...expression, left: of(expression.left), right: of(expression.right) };
    case 'logical':
      return { ...expression, left: of(expression.left), right: of(expression.right) };
    case 'conditional':
      return { ...expression, condition: of(expression.condition), then: of(expression.then), otherwise: of(expression.otherwise) };
    case 'object':
      return {
        ...expression,
        fields: expression.fields.map((field): Field =>
          'spread' in field ? { spread: of(field.spread) } : { key: key(field.key), value: of(field.value) },
        ),
      };
    case 'array':
      return {
        ...expression,
        items: expression.items.map((item): Item => ('spread' in item ? { spread: of(item.spread) } : { value: of(item.value) })),
      };
    case 'call':
      return { ...expression, arguments: expression.arguments.map(of) };
    case 'each':
      return { ...expression, of: of(expression.of), body: of(expression.body) };
    case 'reduce':
      return { ...expression, of: of(expression.of), initial: of(expression.initial), body: of(expression.body) };
    case 'let':
      return { ...expression, value: of(expression.value), body: of(expression.body) };
    case 'remove':
      return { ...expression, of: of(expression.of), path: expression.path.map(key) };
    case 'set':
    case 'append':
      return { ...expression, of: of(expression.of), path: expression.path.map(key), value: of(expression.value) };
  }
}

/** `{ ...context, a: 1 }` writes `a`: what is spread of the context first is what is there already. */
export function withoutWhole(expression: Expression): Expression {
  switch (expression.kind) {
    case 'object': {
      const [first, ...rest] = expression.fields;
      const isWhole = first !== undefined && 'spread' in first && first.spread.kind === 'root' && first.spread.name === 'context';
      return isWhole ? object(rest) : expression;
    }
    case 'conditional':
      return { ...expression, then: withoutWhole(expression.then), otherwise: withoutWhole(expression.otherwise) };
    case 'let':
      return { ...expression, body: withoutWhole(expression.body) };
    default:
      return expression.kind === 'root' && expression.name === 'context' ? UNDEFINED : expression;
  }
}
