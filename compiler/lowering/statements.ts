// A block of statements as one expression: each statement is given what follows it. A variable that is set again is a new one of its name
// from there on; a loop has no counterpart.

import { UNDEFINED } from '../expression/build.ts';
import type { Expression } from '../expression/tree.ts';
import { isPath, thrown } from './calls.ts';
import { keyOf, Refusal, value, type Meaning, type Scope } from './scope.ts';
import type { ES, Node } from './syntax.ts';

/** What statements need of expressions. */
export interface Hooks {
  expression(node: Node, scope: Scope): Expression;
  declare(pattern: ES.Pattern, of: Meaning, scope: Scope, then: (scope: Scope) => Expression): Expression;
  /** Whether the call is XState's assertEvent. */
  isAssertion(call: ES.CallExpression, scope: Scope): boolean;
}

type Statement = ES.Statement | ES.ModuleDeclaration;
/** What follows a statement, with the names in force then. */
type Rest = (scope: Scope) => Expression;

export class Statements {
  readonly #hooks: Hooks;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** The body of a function. */
  block(statements: readonly Statement[], scope: Scope): Expression {
    return this.#all(statements, scope, () => UNDEFINED);
  }

  #all(statements: readonly Statement[], scope: Scope, rest: Rest): Expression {
    const [statement, ...more] = statements;
    if (statement === undefined) return rest(scope);
    return this.#one(statement, hoisted(statements, scope), (inner) => this.#all(more, inner, rest));
  }

  #one(statement: Statement, scope: Scope, rest: Rest): Expression {
    switch (statement.type) {
      case 'ReturnStatement':
        return statement.argument == null ? UNDEFINED : this.#hooks.expression(statement.argument, scope);
      case 'VariableDeclaration':
        return this.#declarations(statement.declarations, statement, scope, rest);
      case 'IfStatement':
        return this.#branch(statement, scope, rest);
      case 'BlockStatement':
        // Names that it declares end with it; those that it sets go on.
        return this.#all(statement.body, scope, (inner) => rest(this.#left(statement.body, scope, inner)));
      case 'SwitchStatement':
        return this.#switch(statement, scope, rest);
      case 'ThrowStatement':
        return thrown();
      case 'ExpressionStatement':
        return this.#expressionStatement(statement.expression, scope, rest);
      case 'FunctionDeclaration':
      case 'EmptyStatement':
        return rest(scope);
      default:
        throw new Refusal(statement.start, `${statement.type} has no counterpart`);
    }
  }

  /** After a block: names that were there before it, as it left them. */
  #left(body: readonly Statement[], before: Scope, after: Scope): Scope {
    const own = new Set(body.flatMap(declaredNames));
    let scope = after;
    for (const name of own) scope = scope.with(name, before.find(name) ?? { kind: 'unknown', reason: `'${name}' is not declared here` });
    return scope;
  }

  #declarations(declarations: readonly ES.VariableDeclarator[], around: ES.VariableDeclaration, scope: Scope, rest: Rest): Expression {
    const [declaration, ...more] = declarations;
    if (declaration === undefined) return rest(scope);
    const next = (inner: Scope): Expression => this.#declarations(more, around, inner, rest);
    const { id, init } = declaration;
    if (around.kind === 'var') throw new Refusal(around.start, 'var; use const or let');
    if (init == null) return this.#hooks.declare(id, value(UNDEFINED), scope, next);
    if (id.type === 'Identifier' && (init.type === 'ArrowFunctionExpression' || init.type === 'FunctionExpression'))
      return next(scope.with(id.name, { kind: 'function', node: init, scope }));
    if (init.type === 'Identifier') {
      const meaning = init.name === 'undefined' ? undefined : scope.find(init.name);
      if (meaning !== undefined && meaning.kind !== 'value') return this.#hooks.declare(id, meaning, scope, next);
    }
    const made = this.#hooks.expression(init, scope);
    if (id.type === 'Identifier' && isNew(made)) return this.#hooks.declare(id, value(made), scope, (inner) => next(fresh(id.name, inner)));
    return this.#hooks.declare(id, value(made), scope, next);
  }

  #branch({ test, consequent, alternate }: ES.IfStatement, scope: Scope, rest: Rest): Expression {
    const condition = this.#hooks.expression(test, scope);
    const then = this.#one(consequent, scope, rest);
    const otherwise = alternate == null ? rest(scope) : this.#one(alternate, scope, rest);
    return { kind: 'conditional', condition, then, otherwise };
  }

  #switch({ discriminant, cases }: ES.SwitchStatement, scope: Scope, rest: Rest): Expression {
    const asked = this.#hooks.expression(discriminant, scope);
    const choose = (path: Expression, within: Scope): Expression => {
      const after = (inner: Scope): Expression =>
        rest(
          this.#left(
            cases.flatMap(({ consequent }) => consequent),
            scope,
            inner,
          ),
        );
      const from = (index: number): Expression =>
        this.#case(
          cases.slice(index).flatMap(({ consequent }) => consequent),
          within,
          after,
        );
      const byDefault = cases.findIndex(({ test }) => test == null);
      const otherwise = byDefault < 0 ? after(within) : from(byDefault);
      return cases.reduceRight<Expression>((other, { test }, index) => {
        if (test == null) return other;
        const condition: Expression = { kind: 'binary', operator: '===', left: path, right: this.#hooks.expression(test, within) };
        return { kind: 'conditional', condition, then: from(index), otherwise: other };
      }, otherwise);
    };
    if (isPath(asked)) return choose(asked, scope);
    return { kind: 'let', value: asked, body: choose({ kind: 'local', number: scope.locals }, scope.bound()) };
  }

  /** Up to a `break` at its own level; one further inside is refused as any other statement. */
  #case(statements: readonly Statement[], scope: Scope, rest: Rest): Expression {
    const [statement, ...more] = statements;
    if (statement === undefined) return rest(scope);
    if (statement.type === 'BreakStatement' && statement.label == null) return rest(scope);
    if (statement.type === 'BlockStatement') {
      return this.#case([...statement.body, ...more], scope, rest);
    }
    return this.#one(statement, hoisted(statements, scope), (inner) => this.#case(more, inner, rest));
  }

  #expressionStatement(node: ES.Expression, scope: Scope, rest: Rest): Expression {
    if (node.type === 'AssignmentExpression') return this.#set(node, scope, rest);
    if (node.type === 'UpdateExpression' && node.argument.type === 'Identifier') {
      const left = this.#hooks.expression(node.argument, scope);
      const operator = node.operator === '++' ? '+' : '-';
      return this.#rename(node.argument, { kind: 'binary', operator, left, right: { kind: 'literal', value: 1 } }, scope, rest);
    }
    if (node.type === 'Literal') return rest(scope);
    if (node.type !== 'CallExpression') throw new Refusal(node.start, 'it does something instead of making a value');
    const pushed = this.#pushed(node, scope);
    if (pushed !== undefined) return this.#change(pushed.name, pushed.value, scope, rest);
    if (this.#hooks.isAssertion(node, scope)) return this.#assertion(node, scope, rest);
    // What can be lowered does nothing but make a value, or fail.
    return { kind: 'let', value: this.#hooks.expression(node, scope), body: rest(scope.bound()) };
  }

  /** assertEvent(event, type or types): another event fails. */
  #assertion(node: ES.CallExpression, scope: Scope, rest: Rest): Expression {
    const [event, types] = node.arguments.map((argument) => this.#hooks.expression(argument, scope));
    const given = types?.kind === 'literal' ? types.value : undefined;
    const listed: readonly unknown[] = Array.isArray(given) ? given : [given];
    if (
      event === undefined ||
      listed.length === 0 ||
      !listed.every((type): type is string => typeof type === 'string' && !type.includes('*'))
    )
      throw new Refusal(node.start, 'assertEvent() of types that are not written out whole');
    const type: Expression = { kind: 'member', of: event, key: 'type', optional: false };
    const condition = listed
      .map((each): Expression => ({ kind: 'binary', operator: '===', left: type, right: { kind: 'literal', value: each } }))
      .reduce((left, right) => ({ kind: 'logical', operator: '||', left, right }));
    return { kind: 'conditional', condition, then: rest(scope), otherwise: thrown() };
  }

  /** `name = …` and `name += …` of a variable of this function. */
  #set({ left, operator, right, start }: ES.AssignmentExpression, scope: Scope, rest: Rest): Expression {
    if (left.type === 'MemberExpression' && operator === '=') {
      const { object: of, property } = left;
      if (of.type !== 'Identifier' || !this.#isFresh(of.name, scope)) throw new Refusal(start, CHANGES);
      const key = keyOf(left) ?? this.#hooks.expression(property, scope);
      const set: Expression = {
        kind: 'set',
        of: this.#hooks.expression(of, scope),
        path: [key],
        value: this.#hooks.expression(right, scope),
      };
      return this.#change(of, set, scope, rest);
    }
    if (left.type !== 'Identifier') throw new Refusal(start, CHANGES);
    const made = this.#hooks.expression(right, scope);
    if (operator === '=') return this.#rename(left, made, scope, rest);
    if (!['+=', '-=', '*=', '/=', '%='].includes(operator)) throw new Refusal(start, `the operator ${operator} has no counterpart`);
    const before = this.#hooks.expression(left, scope);
    return this.#rename(left, { kind: 'binary', operator: operator.slice(0, -1) as '+', left: before, right: made }, scope, rest);
  }

  /** `list.push(…)` of an array that the function has made. */
  #pushed({ callee, arguments: given }: ES.CallExpression, scope: Scope): { name: ES.Identifier; value: Expression } | undefined {
    if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier' || keyOf(callee) !== 'push') return undefined;
    const { object: name } = callee;
    if (!this.#isFresh(name.name, scope)) throw new Refusal(callee.start, CHANGES);
    const append = (of: Expression, item: Node): Expression => ({
      kind: 'append',
      of,
      path: [],
      value: this.#hooks.expression(item, scope),
    });
    return { name, value: given.reduce(append, this.#hooks.expression(name, scope)) };
  }

  #isFresh(name: string, scope: Scope): boolean {
    const meaning = scope.isOwn(name) ? scope.find(name) : undefined;
    return meaning?.kind === 'value' && meaning.isFresh === true;
  }

  /** What is changed in place is from there on the changed one. */
  #change(name: ES.Identifier, made: Expression, scope: Scope, rest: Rest): Expression {
    return this.#rename(name, made, scope, (inner) => rest(fresh(name.name, inner)));
  }

  #rename(name: ES.Identifier, made: Expression, scope: Scope, rest: Rest): Expression {
    if (scope.isOwn(name.name)) return this.#hooks.declare(name, value(made), scope, rest);
    throw new Refusal(name.start, `it sets '${name.name}', which is declared outside it`);
  }
}

const CHANGES = 'it changes something that it has not made';

/** Arrays and objects that nobody else has. */
function isNew(made: Expression): boolean {
  switch (made.kind) {
    case 'array':
    case 'object':
    case 'each':
      return made.kind !== 'each' || made.method === 'map' || made.method === 'filter' || made.method === 'flatMap';
    case 'literal':
      return typeof made.value === 'object' && made.value !== null;
    case 'call':
      return made.name === 'slice' || made.name === 'reverse';
    default:
      return false;
  }
}

function fresh(name: string, scope: Scope): Scope {
  const meaning = scope.find(name);
  return meaning?.kind === 'value' ? scope.with(name, { ...meaning, isFresh: true }) : scope;
}

/** Function declarations are there from the beginning of their block. */
function hoisted(statements: readonly Statement[], scope: Scope): Scope {
  let inner = scope;
  for (const statement of statements) {
    if (statement.type !== 'FunctionDeclaration') continue;
    const meaning: Meaning = {
      kind: 'function',
      node: statement,
      // They see each other, and themselves.
      get scope() {
        return inner;
      },
    };
    inner = inner.with(statement.id.name, meaning);
  }
  return inner;
}

function declaredNames(statement: Statement): string[] {
  if (statement.type === 'FunctionDeclaration') return [statement.id.name];
  return statement.type === 'VariableDeclaration' ? statement.declarations.flatMap(({ id }) => patternNames(id)) : [];
}

export function patternNames(pattern: ES.Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'AssignmentPattern':
      return patternNames(pattern.left);
    case 'RestElement':
      return patternNames(pattern.argument);
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : patternNames(element)));
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => patternNames(property.type === 'RestElement' ? property.argument : property.value));
    default:
      return [];
  }
}
