// What expressions expect of the context, events, params and input that they read: which fields, of which kinds, compared with what. Gives
// trials inputs on which a function does something.

import type { Json } from '../../core/json.ts';
import type { Builtin, Expression, Root } from '../expression/tree.ts';

export type Kind = 'number' | 'string' | 'boolean' | 'array' | 'object';

/** Grows while expressions are looked at. */
export interface Shape {
  readonly kinds: Set<Kind>;
  /** Scalars that it is compared with. */
  readonly literals: Set<Json>;
  readonly fields: Map<string, Shape>;
  element: Shape | undefined;
}

export type RootShapes = { readonly [name in Root]: Shape };

const newShape = (...kinds: Kind[]): Shape => ({
  kinds: new Set(kinds),
  literals: new Set(),
  fields: new Map(),
  element: undefined,
});

export const newRootShapes = (): RootShapes => ({ context: newShape(), event: newShape(), params: newShape(), input: newShape() });

const FIRST_ARGUMENT: { readonly [name in Builtin]?: readonly Kind[] } = {
  floor: ['number'],
  ceil: ['number'],
  round: ['number'],
  trunc: ['number'],
  abs: ['number'],
  sign: ['number'],
  sqrt: ['number'],
  min: ['number'],
  max: ['number'],
  number: ['number'],
  toFixed: ['number'],
  trim: ['string'],
  startsWith: ['string'],
  endsWith: ['string'],
  split: ['string'],
  includes: ['array', 'string'],
  indexOf: ['array', 'string'],
  slice: ['array', 'string'],
  at: ['array'],
  join: ['array'],
  reverse: ['array'],
  isArray: ['array'],
  keys: ['object'],
  values: ['object'],
  entries: ['object'],
  has: ['object'],
};

/** Adds to `roots` what an expression shows. */
export function observe(expression: Expression, roots: RootShapes): void {
  look(expression, roots, []);
}

/** @returns the shape of the value; one that nobody else has when it is made here. */
function look(expression: Expression, roots: RootShapes, locals: readonly Shape[]): Shape {
  const at = (part: Expression, more: readonly Shape[] = []): Shape => look(part, roots, [...locals, ...more]);
  switch (expression.kind) {
    case 'literal':
    case 'undefined':
    case 'in':
      return newShape();
    case 'root':
      return roots[expression.name];
    case 'local':
      return locals[expression.number] ?? newShape();
    case 'member':
      return memberOf(at(expression.of), expression.key, at);
    case 'unary': {
      const operand = at(expression.operand);
      if (expression.operator === 'negate') operand.kinds.add('number');
      return newShape();
    }
    case 'binary':
      return binary(expression, at);
    case 'logical': {
      const left = at(expression.left);
      at(expression.right);
      return left;
    }
    case 'conditional': {
      at(expression.condition);
      const then = at(expression.then);
      at(expression.otherwise);
      return then;
    }
    case 'object':
      for (const field of expression.fields) {
        if ('spread' in field) at(field.spread).kinds.add('object');
        else {
          if (typeof field.key !== 'string') at(field.key);
          at(field.value);
        }
      }
      return newShape();
    case 'array':
      for (const item of expression.items) {
        if ('spread' in item) elementOf(at(item.spread));
        else at(item.value);
      }
      return newShape();
    case 'call':
      return call(expression.name, expression.arguments, at);
    case 'each': {
      const element = elementOf(at(expression.of));
      const body = at(expression.body, [element, newShape()]);
      if (expression.method === 'find') return element;
      const made = newShape();
      made.element = expression.method === 'filter' ? element : expression.method === 'map' ? body : newShape();
      return made;
    }
    case 'reduce': {
      const element = elementOf(at(expression.of));
      const initial = at(expression.initial);
      at(expression.body, [initial, element, newShape()]);
      return initial;
    }
    case 'let':
      return at(expression.body, [at(expression.value)]);
    case 'set':
    case 'remove':
    case 'append': {
      const of = at(expression.of);
      const place = expression.path.reduce<Shape>((shape, key) => memberOf(shape, key, at), of);
      if (expression.kind === 'append') elementOf(place);
      if (expression.kind !== 'remove') at(expression.value);
      return of;
    }
  }
}

type Look = (part: Expression) => Shape;

function memberOf(of: Shape, key: string | Expression, at: Look): Shape {
  if (key === 'length') {
    if (of.element === undefined) of.kinds.add('array').add('string');
    return newShape();
  }
  if (typeof key !== 'string') {
    at(key).kinds.add('number').add('string');
    return elementOf(of);
  }
  let field = of.fields.get(key);
  if (field === undefined) of.fields.set(key, (field = newShape()));
  return field;
}

function elementOf(of: Shape): Shape {
  of.element ??= newShape();
  return of.element;
}

function binary({ operator, left, right }: Expression & { kind: 'binary' }, at: Look): Shape {
  const [a, b] = [at(left), at(right)];
  if (operator === '===' || operator === '!==') {
    if (right.kind === 'literal') a.literals.add(right.value);
    if (left.kind === 'literal') b.literals.add(left.value);
    return newShape();
  }
  const isText = (side: Expression): boolean =>
    (side.kind === 'literal' && typeof side.value === 'string') || (side.kind === 'call' && side.name === 'string');
  const kind = operator === '+' && (isText(left) || isText(right)) ? 'string' : 'number';
  for (const side of [a, b]) side.kinds.add(kind);
  return newShape(kind);
}

function call(name: Builtin, values: readonly Expression[], at: Look): Shape {
  const shapes = values.map((each) => at(each));
  const [first, second] = shapes;
  const kinds = FIRST_ARGUMENT[name] ?? [];
  const asked = name === 'min' || name === 'max' ? shapes : first === undefined ? [] : [first];
  for (const shape of asked) if (shape.element === undefined) for (const kind of kinds) shape.kinds.add(kind);
  if (name === 'includes' && first !== undefined && values[1]?.kind === 'literal') elementOf(first).literals.add(values[1].value);
  if (name === 'has' && first !== undefined && values[1]?.kind === 'literal') memberOf(first, String(values[1].value), at);
  if (name === 'startsWith' || name === 'endsWith' || name === 'split') second?.kinds.add('string');
  return newShape();
}
