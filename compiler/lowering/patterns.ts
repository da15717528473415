// Patterns: what a parameter or a declaration binds its names to. A value that can be written out again stands where its name does; any
// other becomes a local.

import { literal, member, UNDEFINED } from '../expression/build.ts';
import type { Expression } from '../expression/tree.ts';
import { isPath } from './calls.ts';
import { inheritedRefused, keyOf, Refusal, value, type Meaning, type Scope } from './scope.ts';
import type { ES, Node } from './syntax.ts';

/** What patterns need of expressions. */
export interface Hooks {
  expression(node: Node, scope: Scope): Expression;
  /** What the arguments object of a function has under a name. */
  fieldOf(of: Meaning, name: string, at: Node): Meaning;
}

export class Patterns {
  readonly #hooks: Hooks;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Binds the names of a pattern and goes on with what sees them. */
  declare(pattern: ES.Pattern, of: Meaning, scope: Scope, then: (scope: Scope) => Expression): Expression {
    switch (pattern.type) {
      case 'Identifier':
        if (of.kind !== 'value' || isPath(of.value)) return then(scope.with(pattern.name, of));
        return {
          kind: 'let',
          value: of.value,
          body: then(scope.bound().with(pattern.name, value({ kind: 'local', number: scope.locals }))),
        };
      case 'AssignmentPattern': {
        if (of.kind !== 'value') throw new Refusal(pattern.start, 'a default for the arguments of a function that XState calls');
        return this.path(of.value, scope, (path, inner) => {
          const condition: Expression = { kind: 'binary', operator: '===', left: path, right: UNDEFINED };
          const byDefault = this.#hooks.expression(pattern.right, inner);
          const chosen: Expression = { kind: 'conditional', condition, then: byDefault, otherwise: path };
          return this.declare(pattern.left, value(path.kind === 'undefined' ? byDefault : chosen), inner, then);
        });
      }
      case 'ObjectPattern':
        return this.#declareFields(pattern, of, scope, then);
      case 'ArrayPattern': {
        if (of.kind !== 'value') throw new Refusal(pattern.start, 'an array pattern for the arguments of a function that XState calls');
        // What is no array fails here, whichever elements are asked for.
        return this.path({ kind: 'array', items: [{ spread: of.value }] }, scope, (path, inner) =>
          this.#declareItems(pattern.elements, 0, path, inner, then),
        );
      }
      default:
        throw new Refusal(pattern.start, 'a pattern that is not a name, an object or an array');
    }
  }

  #declareFields(pattern: ES.ObjectPattern, of: Meaning, scope: Scope, then: (scope: Scope) => Expression): Expression {
    if (of.kind !== 'value') return this.#declareArguments(pattern, of, scope, then);
    return this.path(of.value, scope, (path, inner) => {
      const names: string[] = [];
      const next = (properties: readonly (ES.AssignmentProperty | ES.RestElement)[], within: Scope): Expression => {
        const [property, ...rest] = properties;
        if (property === undefined) return then(within);
        if (property.type === 'RestElement') {
          const left = names.reduce<Expression>((from, name) => ({ kind: 'remove', of: from, path: [name] }), path);
          return this.declare(property.argument, value(left), within, (more) => next(rest, more));
        }
        const name = keyOf(property);
        if (name === undefined) throw new Refusal(property.start, 'a computed key in a pattern');
        names.push(name);
        return this.declare(property.value, value(member(path, inheritedRefused(name, property))), within, (more) => next(rest, more));
      };
      return next(pattern.properties, inner);
    });
  }

  #declareArguments(pattern: ES.ObjectPattern, of: Meaning, scope: Scope, then: (scope: Scope) => Expression): Expression {
    const [property, ...rest] = pattern.properties;
    if (property === undefined) return then(scope);
    const name = property.type === 'Property' ? keyOf(property) : undefined;
    if (property.type !== 'Property' || name === undefined) throw new Refusal(property.start, 'the arguments of the function as a whole');
    return this.declare(property.value, this.#hooks.fieldOf(of, name, property), scope, (inner) =>
      this.#declareFields({ ...pattern, properties: rest }, of, inner, then),
    );
  }

  #declareItems(
    items: readonly (ES.Pattern | null)[],
    index: number,
    path: Expression,
    scope: Scope,
    then: (scope: Scope) => Expression,
  ): Expression {
    const [item, ...rest] = items;
    if (item === undefined) return then(scope);
    const next = (inner: Scope): Expression => this.#declareItems(rest, index + 1, path, inner, then);
    if (item === null) return next(scope);
    if (item.type !== 'RestElement') return this.declare(item, value(member(path, literal(index))), scope, next);
    return this.declare(item.argument, value({ kind: 'call', name: 'slice', arguments: [path, literal(index)] }), scope, next);
  }

  /** An expression that can be written more than once: itself, or a local that has its value. */
  path(of: Expression, scope: Scope, then: (path: Expression, scope: Scope) => Expression): Expression {
    if (isPath(of)) return then(of, scope);
    return { kind: 'let', value: of, body: then({ kind: 'local', number: scope.locals }, scope.bound()) };
  }
}
