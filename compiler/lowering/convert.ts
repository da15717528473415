// A function's syntax as an expression. What it says is kept exactly, or it is refused with the place and the reason. Statements become
// expressions by carrying what follows them along: `if (a) return b; rest` is `a ? b : rest`, and a variable that is set again is another one.

import { array, isNothing, literal, member, object, template, UNDEFINED } from '../expression/build.ts';
import type { BinaryOperator, Expression, Field, Item } from '../expression/tree.ts';
import { entry, GLOBAL_CALLS, GLOBAL_VALUES, not, REFUSED_GLOBALS, REFUSED_METHODS, STAMP_CALLS, UNORDERED_CALLS } from './calls.ts';
import { Methods } from './methods.ts';
import { Patterns } from './patterns.ts';
import { inheritedRefused, INHERITED, isJson, keyOf, Refusal, value, type Called, type Meaning, type Scope } from './scope.ts';
import { Statements } from './statements.ts';
import { isFunctionNode, type ES, type FunctionNode, type Node } from './syntax.ts';

/** Functions written out inside each other; more is recursion. */
const CALLS_MAX = 12;
/** Nodes of syntax that one function may come to, what is written out in it and what stands in two branches counted again. */
const NODES_MAX = 4000;

const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '<', '<=', '>', '>=', '===', '!==']);

/** How its parameters are understood. */
export type Parameters = readonly Meaning[];

/** @throws Refusal with the place in the function's text and the reason. */
export function convertFunction(node: FunctionNode, parameters: Parameters, scope: Scope): Expression {
  return new Converter().call(node, parameters, scope, node);
}

class Converter {
  readonly #statements = new Statements({
    expression: (node, scope) => this.#expression(node, scope),
    declare: (pattern, of, scope, then) => this.#patterns.declare(pattern, of, scope, then),
    isAssertion: (call, scope) => {
      const meaning = this.#named(plainCallee(call.callee), scope);
      return meaning?.kind === 'import' && meaning.name === 'assertEvent' && /^xstate(\/|$)/.test(meaning.source);
    },
  });
  readonly #patterns = new Patterns({
    expression: (node, scope) => this.#expression(node, scope),
    fieldOf: (of, name, at) => this.#fieldOf(of, name, at),
  });
  readonly #methods = new Methods({
    expression: (node, scope) => this.#expression(node, scope),
    called: (node, scope) => this.#called(node, scope),
    isGlobal: (node, scope, name) => this.#global(node, scope) === name,
    inline: (called, parameters, scope, at) => this.#inline(called, parameters, scope, at),
    path: (of, scope, then) => this.#patterns.path(of, scope, then),
    arguments: (nodes, scope) => this.#arguments(nodes, scope),
  });
  #calls = 0;
  #nodes = 0;

  /** A function's body with its parameters bound. */
  call(node: FunctionNode, parameters: Parameters, scope: Scope, at: Node): Expression {
    if (node.async || node.generator === true) throw new Refusal(at.start, 'it is asynchronous or a generator');
    this.#calls += 1;
    if (this.#calls > CALLS_MAX) throw new Refusal(at.start, 'it calls itself, or functions nest too deep');
    const made = this.#parameters(node.params, parameters, scope, (inner) =>
      node.body.type === 'BlockStatement' ? this.#statements.block(node.body.body, inner) : this.#expression(node.body, inner),
    );
    this.#calls -= 1;
    return made;
  }

  #parameters(patterns: readonly ES.Pattern[], meanings: Parameters, scope: Scope, then: (scope: Scope) => Expression): Expression {
    const [pattern, ...rest] = patterns;
    if (pattern === undefined) return then(scope);
    if (pattern.type === 'RestElement') throw new Refusal(pattern.start, 'rest parameters');
    return this.#patterns.declare(pattern, meanings[0] ?? value(UNDEFINED), scope, (inner) =>
      this.#parameters(rest, meanings.slice(1), inner, then),
    );
  }

  // ── Names ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the arguments object, or a namespace, has under a name. */
  #fieldOf(of: Meaning, name: string, at: Node): Meaning {
    if (of.kind === 'namespace') return of.find(name);
    if (of.kind === 'arguments') {
      const field = of.fields.get(name);
      return field === undefined ? { kind: 'unknown', reason: `it uses '${name}', which is no data` } : value(field);
    }
    throw new Refusal(at.start, of.kind === 'unknown' ? of.reason : `it takes '${name}' of a function`);
  }

  #meaning(node: ES.Identifier, scope: Scope): Meaning | undefined {
    return node.name === 'undefined' ? value(UNDEFINED) : scope.find(node.name);
  }

  /** A dotted name of JavaScript's own, like `Math.floor`; undefined when it is declared, or no such name. */
  #global(node: Node, scope: Scope): string | undefined {
    if (node.type === 'Identifier') {
      const { name } = node as ES.Identifier;
      return this.#meaning(node as ES.Identifier, scope) === undefined ? name : undefined;
    }
    if (node.type !== 'MemberExpression') return undefined;
    const { object: of } = node as ES.MemberExpression;
    const name = keyOf(node as ES.MemberExpression);
    const owner = of.type === 'Identifier' ? this.#global(of, scope) : undefined;
    return owner === undefined || name === undefined ? undefined : `${owner}.${name}`;
  }

  // ── Expressions ────────────────────────────────────────────────────────────────────────────────────────────────

  #expression(node: Node, scope: Scope): Expression {
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX) throw new Refusal(node.start, `it comes to more than ${NODES_MAX} nodes`);
    const syntax = node as ES.Expression;
    switch (syntax.type) {
      case 'Literal':
        if (isJson(syntax.value)) return literal(syntax.value);
        throw new Refusal(node.start, 'a literal that is no JSON');
      case 'TemplateLiteral':
        return template(
          syntax.quasis.map(({ value: { cooked } }) => cooked ?? ''),
          syntax.expressions.map((each) => this.#expression(each, scope)),
        );
      case 'Identifier':
        return this.#identifier(syntax, scope);
      case 'ParenthesizedExpression':
        return this.#expression(syntax.expression, scope);
      case 'UnaryExpression':
        return this.#unary(syntax, scope);
      case 'BinaryExpression':
        return this.#binary(syntax, scope);
      case 'LogicalExpression': {
        const { operator, left, right } = syntax;
        return { kind: 'logical', operator, left: this.#expression(left, scope), right: this.#expression(right, scope) };
      }
      case 'ConditionalExpression': {
        const { test, consequent, alternate } = syntax;
        const [condition, then, otherwise] = [test, consequent, alternate].map((each) => this.#expression(each, scope)) as [
          Expression,
          Expression,
          Expression,
        ];
        return { kind: 'conditional', condition, then, otherwise };
      }
      case 'ObjectExpression':
        return object(syntax.properties.map((property) => this.#property(property, scope)));
      case 'ArrayExpression':
        return array(syntax.elements.map((element) => this.#item(element, syntax, scope)));
      case 'ChainExpression':
        return this.#chain(syntax.expression, scope, (whole) => whole);
      case 'MemberExpression':
        return this.#chain(syntax, scope, (whole) => whole);
      case 'CallExpression':
        return this.#chain(syntax, scope, (whole) => whole);
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
        throw new Refusal(node.start, 'it makes a function');
      case 'AssignmentExpression':
      case 'UpdateExpression':
        throw new Refusal(node.start, 'it changes something instead of making a new value');
      case 'AwaitExpression':
        throw new Refusal(node.start, 'it is asynchronous');
      case 'NewExpression': {
        const name = this.#global(syntax.callee, scope) ?? 'a class';
        throw new Refusal(node.start, entry(REFUSED_GLOBALS, name) ?? `it makes an instance of ${name}, which is no JSON`);
      }
      default:
        throw new Refusal(node.start, `${syntax.type} has no counterpart`);
    }
  }

  #identifier(node: ES.Identifier, scope: Scope): Expression {
    const meaning = this.#meaning(node, scope);
    if (meaning?.kind === 'value') return meaning.value;
    throw new Refusal(node.start, this.#whyNoValue(meaning, node.name));
  }

  #whyNoValue(meaning: Meaning | undefined, name: string): string {
    switch (meaning?.kind) {
      case undefined:
        return entry(REFUSED_GLOBALS, name) ?? `it reads '${name}', which is declared outside it and not proven constant`;
      case 'unknown':
        return meaning.reason;
      case 'arguments':
        return 'it passes the arguments of the function on as a whole';
      case 'function':
        return `it uses the function '${name}' as a value`;
      default:
        return `it reads '${name}', which is imported`;
    }
  }

  #unary({ operator, argument, start }: ES.UnaryExpression, scope: Scope): Expression {
    switch (operator) {
      case '!':
        return not(this.#expression(argument, scope));
      case '-': {
        const operand = this.#expression(argument, scope);
        if (operand.kind === 'literal' && typeof operand.value === 'number') return literal(-operand.value || 0);
        return { kind: 'unary', operator: 'negate', operand };
      }
      case '+':
        return { kind: 'call', name: 'number', arguments: [this.#expression(argument, scope)] };
      case 'typeof':
        return { kind: 'unary', operator: 'typeof', operand: this.#expression(argument, scope) };
      case 'void':
        return UNDEFINED;
      default:
        throw new Refusal(start, `the operator ${operator} has no counterpart`);
    }
  }

  #binary({ operator, left, right, start }: ES.BinaryExpression, scope: Scope): Expression {
    if (operator === 'in') {
      const key = this.#expression(left, scope);
      if (key.kind === 'literal' && INHERITED.has(String(key.value))) throw new Refusal(start, 'it asks for what every object has');
      return { kind: 'call', name: 'has', arguments: [this.#expression(right, scope), key] };
    }
    const [a, b] = [this.#expression(left, scope), this.#expression(right, scope)];
    if (operator === '==' || operator === '!=') {
      const asked = isNothing(b) ? a : isNothing(a) ? b : undefined;
      if (asked === undefined) throw new Refusal(start, `${operator} converts its sides; use ${operator}=`);
      const nullish: Expression = { kind: 'unary', operator: 'nullish', operand: asked };
      return operator === '==' ? nullish : not(nullish);
    }
    if (!ARITHMETIC.has(operator)) throw new Refusal(start, `the operator ${operator} has no counterpart`);
    const isText = (side: Expression): boolean => side.kind === 'literal' && typeof side.value === 'string';
    if (/^[<>]/.test(operator) && (isText(a) || isText(b))) throw new Refusal(start, 'the order of strings has no counterpart');
    return { kind: 'binary', operator: operator as BinaryOperator, left: a, right: b };
  }

  #property(property: ES.Property | ES.SpreadElement, scope: Scope): Field {
    if (property.type === 'SpreadElement') return { spread: this.#expression(property.argument, scope) };
    if (property.kind !== 'init' || property.method || isFunctionNode(property.value))
      throw new Refusal(property.start, 'it makes a function');
    const name = keyOf(property);
    if (name === '__proto__') throw new Refusal(property.start, 'a key named __proto__');
    return { key: name ?? this.#expression(property.key, scope), value: this.#expression(property.value, scope) };
  }

  #item(element: ES.Expression | ES.SpreadElement | null, around: Node, scope: Scope): Item {
    if (element === null) throw new Refusal(around.start, 'an array with a hole');
    if (element.type === 'SpreadElement') return { spread: this.#expression(element.argument, scope) };
    return { value: this.#expression(element, scope) };
  }

  // ── Fields and calls ───────────────────────────────────────────────────────────────────────────────────────────

  /** One link of a chain, and what `use` makes of it; where `?.` finds nothing, all of that is left out. */
  #chain(node: Node, scope: Scope, use: (of: Expression, scope: Scope) => Expression): Expression {
    if (node.type === 'MemberExpression') return this.#memberLink(node as ES.MemberExpression, scope, use);
    if (node.type === 'CallExpression') return this.#callLink(node as ES.CallExpression, scope, use);
    return use(this.#expression(node, scope), scope);
  }

  #memberLink(node: ES.MemberExpression, scope: Scope, use: (of: Expression, scope: Scope) => Expression): Expression {
    const global = this.#global(node, scope);
    if (global !== undefined) {
      const known = entry(GLOBAL_VALUES, global);
      if (known !== undefined) return use(known, scope);
      throw new Refusal(
        node.start,
        entry(REFUSED_GLOBALS, global) ?? `it reads '${global}', which is declared outside it and not proven constant`,
      );
    }
    const field = this.#argumentField(node, scope);
    if (field !== undefined) {
      if (field.kind === 'value') return use(field.value, scope);
      throw new Refusal(node.start, this.#whyNoValue(field, keyOf(node) ?? ''));
    }
    if (node.object.type === 'Super' || node.property.type === 'PrivateIdentifier') throw new Refusal(node.start, 'it is part of a class');
    const name = keyOf(node);
    const count = this.#countOfKeys(node, scope);
    if (count !== undefined) return use(count, scope);
    return this.#optional(node, scope, (of, inner) =>
      use(member(of, name === undefined ? this.#expression(node.property, inner) : inheritedRefused(name, node)), inner),
    );
  }

  /** The object of a link; when the link is optional, `then` is only for one that is there. */
  #optional(node: ES.MemberExpression, scope: Scope, then: (of: Expression, scope: Scope) => Expression): Expression {
    return this.#chain(node.object, scope, (of, inner) => {
      if (!node.optional) return then(of, inner);
      return this.#patterns.path(of, inner, (path, within) => {
        const made = then(path, within);
        if (made.kind === 'member' && made.of === path) return { ...made, optional: true };
        return { kind: 'conditional', condition: { kind: 'unary', operator: 'nullish', operand: path }, then: UNDEFINED, otherwise: made };
      });
    });
  }

  /** `args.context`, or a name of an imported namespace. */
  #argumentField(node: ES.MemberExpression, scope: Scope): Meaning | undefined {
    if (node.object.type !== 'Identifier') return undefined;
    const of = this.#meaning(node.object, scope);
    if (of === undefined || of.kind === 'value') return undefined;
    const name = keyOf(node);
    if (name === undefined) throw new Refusal(node.start, 'a computed key of what is no data');
    return this.#fieldOf(of, name, node);
  }

  /** Of how many keys, no order matters. */
  #countOfKeys(node: ES.MemberExpression, scope: Scope): Expression | undefined {
    if (keyOf(node) !== 'length' || node.object.type !== 'CallExpression') return undefined;
    const list = this.#unordered(node.object, scope);
    return list && member(list, 'length');
  }

  #unordered(node: ES.CallExpression, scope: Scope): Expression | undefined {
    const call = entry(UNORDERED_CALLS, this.#global(node.callee, scope));
    return call?.(this.#arguments(node.arguments, scope));
  }

  #callLink(node: ES.CallExpression, scope: Scope, use: (of: Expression, scope: Scope) => Expression): Expression {
    const { callee } = node;
    if (node.optional) throw new Refusal(node.start, 'an optional call');
    const direct = this.#directCall(node, scope);
    if (direct !== undefined) return use(direct, scope);
    if (callee.type !== 'MemberExpression') throw new Refusal(node.start, 'it calls something that is not known');
    const method = keyOf(callee);
    if (method === undefined) throw new Refusal(node.start, 'it calls a method whose name is computed');
    const refused = entry(REFUSED_METHODS, method);
    if (refused !== undefined) throw new Refusal(node.start, refused);
    const list = callee.object.type === 'CallExpression' ? this.#unordered(callee.object, scope) : undefined;
    if (list !== undefined) {
      if (!['some', 'every', 'includes'].includes(method)) throw new Refusal(node.start, 'it depends on the order of keys');
      return use(this.#methods.call(method, list, node, scope), scope);
    }
    return this.#optional(callee, scope, (of, inner) => use(this.#methods.call(method, of, node, inner), inner));
  }

  /** The function that an expression stands for. */
  #called(node: Node, scope: Scope): Called | undefined {
    if (isFunctionNode(node)) return { node, scope };
    if (node.type === 'ParenthesizedExpression') return this.#called((node as ES.ParenthesizedExpression).expression, scope);
    const meaning = this.#named(node, scope);
    return meaning?.kind === 'function' ? meaning : undefined;
  }

  /** What a name, or a name of a namespace, stands for. */
  #named(node: Node, scope: Scope): Meaning | undefined {
    if (node.type === 'Identifier') return this.#meaning(node as ES.Identifier, scope);
    return node.type === 'MemberExpression' ? this.#argumentField(node as ES.MemberExpression, scope) : undefined;
  }

  #inline(called: Called, parameters: Parameters, scope: Scope, at: Node): Expression {
    return this.call(called.node, parameters, called.scope.inside(scope.locals), at);
  }

  /** Calls of names: functions written out, JavaScript's own, lockstep's. */
  #directCall(node: ES.CallExpression, scope: Scope): Expression | undefined {
    const callee = plainCallee(node.callee);
    const called = this.#called(callee, scope);
    if (called !== undefined) return this.#writtenOut(called, node, scope);
    const global = this.#global(callee, scope);
    if (global !== undefined) {
      const call = entry(GLOBAL_CALLS, global);
      const made = call?.(this.#arguments(node.arguments, scope));
      if (made !== undefined) return made;
      if (Object.hasOwn(UNORDERED_CALLS, global)) throw new Refusal(node.start, `${global}() depends on the order of keys`);
      throw new Refusal(node.start, entry(REFUSED_GLOBALS, global) ?? `it calls '${global}', which is declared outside it and not known`);
    }
    const meaning = this.#named(callee, scope);
    if (meaning === undefined || meaning.kind === 'value') return undefined;
    if (meaning.kind === 'import' && meaning.source === 'lockstep' && STAMP_CALLS.has(meaning.name))
      return { kind: 'call', name: meaning.name as 'now', arguments: [] };
    if (meaning.kind === 'import') throw new Refusal(node.start, `it calls '${meaning.name}', which is imported from '${meaning.source}'`);
    throw new Refusal(node.start, this.#whyNoValue(meaning, ''));
  }

  /** Arguments are evaluated where the call stands, in their order. */
  #writtenOut(called: Called, node: ES.CallExpression, scope: Scope): Expression {
    return this.#bindArguments(node.arguments, [], scope, (paths, inner) => this.#inline(called, paths.map(value), inner, node));
  }

  #bindArguments(
    nodes: ES.CallExpression['arguments'],
    paths: readonly Expression[],
    scope: Scope,
    then: (paths: readonly Expression[], scope: Scope) => Expression,
  ): Expression {
    const [node, ...rest] = nodes;
    if (node === undefined) return then(paths, scope);
    if (node.type === 'SpreadElement') throw new Refusal(node.start, 'arguments that are spread');
    return this.#patterns.path(this.#expression(node, scope), scope, (path, inner) =>
      this.#bindArguments(rest, [...paths, path], inner, then),
    );
  }

  #arguments(nodes: ES.CallExpression['arguments'], scope: Scope): Expression[] {
    return nodes.map((node) => {
      if (node.type === 'SpreadElement') throw new Refusal(node.start, 'arguments that are spread');
      return this.#expression(node, scope);
    });
  }
}

/** Bundlers write `(0, name)(…)` for a call without a receiver. */
function plainCallee(node: Node): Node {
  if (node.type !== 'SequenceExpression') return node;
  const { expressions } = node as ES.SequenceExpression;
  const [first, last] = expressions;
  return expressions.length === 2 && first?.type === 'Literal' && last !== undefined ? last : node;
}
