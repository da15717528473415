// Our own expressions, from text: the part of JavaScript's that has a meaning here, and functions for what JavaScript does by mutation.
// docs/expressions.md has the grammar. What does not parse is refused with the place in the text, what stands there and what could.

import { LockstepError } from '../../core/errors.ts';
import { array, isNothing, literal, member, object, shallow, template, UNDEFINED } from './build.ts';
import { lex, type Token } from './lexer.ts';
import {
  BUILTINS,
  EACH_METHODS,
  ROOTS,
  type BinaryOperator,
  type Builtin,
  type EachMethod,
  type Expression,
  type Field,
  type Item,
  type LogicalOperator,
  type Root,
} from './tree.ts';

/** Builtins that may also be written behind what they are called on: `list.includes(1)`. */
export const METHODS: ReadonlySet<string> = new Set<Builtin>([
  'trim',
  'startsWith',
  'endsWith',
  'split',
  'includes',
  'indexOf',
  'slice',
  'at',
  'join',
  'reverse',
  'toFixed',
]);

/** Levels of precedence, loosest first. */
const LEVELS = [['??', '||'], ['&&'], ['===', '!==', '==', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']] as const;
const WORDS: ReadonlyMap<string, Expression> = new Map([
  ['true', literal(true)],
  ['false', literal(false)],
  ['null', literal(null)],
  ['undefined', UNDEFINED],
]);
/** Nesting of the text, brackets that the tree does not show included. */
const NESTING_MAX = 256;

/**
 * The tree of an expression.                                                                     (EXPR-5)
 * @param where names the place in errors: a JSON pointer, a name.
 * @throws LockstepError BAD_DEFINITION with place, found and expected.
 */
export function parseExpression(text: string, where = 'expression'): Expression {
  return shallow(new Parser(text, where).whole(), where);
}

class Parser {
  readonly #text: string;
  readonly #where: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
    this.#tokens = lex(text, (at, expected) => this.#error(at, expected));
  }

  whole(): Expression {
    const expression = this.#expression([]);
    if (this.#token.kind !== 'end') throw this.#unexpected('an operator or the end');
    return expression;
  }

  // ── Tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #next(): Token {
    const token = this.#token;
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  #has(sign: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === 'sign' && token.text === sign;
  }

  #take(sign: string): boolean {
    if (!this.#has(sign)) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#unexpected(`'${sign}'`);
  }

  #name(what: string): string {
    if (this.#token.kind !== 'name') throw this.#unexpected(what);
    return this.#next().text;
  }

  #unexpected(expected: string): LockstepError {
    return this.#error(this.#token.at, expected);
  }

  #error(at: number, expected: string): LockstepError {
    const rest = this.#text.slice(at).split('\n')[0]!;
    const found = rest === '' ? 'the end' : `'${rest.length > 20 ? `${rest.slice(0, 20)}…` : rest}'`;
    return new LockstepError('BAD_DEFINITION', `${this.#where}, at ${at}: expected ${expected}, found ${found}`);
  }

  #nested<T>(parse: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > NESTING_MAX) throw this.#unexpected(`at most ${NESTING_MAX} levels`);
    const result = parse();
    this.#nesting -= 1;
    return result;
  }

  // ── Operators ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param names of the locals, by number. */
  #expression(names: readonly string[]): Expression {
    return this.#nested(() => {
      if (this.#token.kind === 'name' && this.#token.text === 'let') return this.#let(names);
      const condition = this.#binary(0, names);
      if (!this.#take('?')) return condition;
      const then = this.#expression(names);
      this.#expect(':');
      return { kind: 'conditional', condition, then, otherwise: this.#expression(names) };
    });
  }

  #let(names: readonly string[]): Expression {
    this.#next();
    const name = this.#newName();
    this.#expect('=');
    const value = this.#expression(names);
    this.#expect(';');
    return { kind: 'let', value, body: this.#expression([...names, name]) };
  }

  #newName(): string {
    const at = this.#at;
    const name = this.#name('a name');
    if (!ROOTS.some((root) => root === name) && !WORDS.has(name) && name !== 'let' && name !== 'typeof') return name;
    this.#at = at;
    throw this.#unexpected('a name of its own');
  }

  #binary(level: number, names: readonly string[]): Expression {
    const operators: readonly string[] | undefined = LEVELS[level];
    if (operators === undefined) return this.#unary(names);
    let left = this.#binary(level + 1, names);
    let first: string | undefined;
    for (;;) {
      const operator = operators.find((sign) => this.#has(sign));
      if (operator === undefined) return left;
      if (level === 0 && first !== undefined && first !== operator) throw this.#unexpected(`brackets around '${first}'`);
      first = operator;
      this.#next();
      left = joined(operator, left, this.#binary(level + 1, names));
    }
  }

  #unary(names: readonly string[]): Expression {
    return this.#nested(() => {
      if (this.#take('!')) return { kind: 'unary', operator: 'not', operand: this.#unary(names) };
      if (this.#take('-')) {
        // A number with its sign is a literal.
        if (this.#token.kind === 'number') return literal(-Number(this.#next().text) || 0);
        return { kind: 'unary', operator: 'negate', operand: this.#unary(names) };
      }
      if (this.#token.kind === 'name' && this.#token.text === 'typeof') {
        this.#next();
        return { kind: 'unary', operator: 'typeof', operand: this.#unary(names) };
      }
      return this.#postfix(this.#primary(names), names);
    });
  }

  // ── Fields and calls ───────────────────────────────────────────────────────────────────────────────────────────

  #postfix(start: Expression, names: readonly string[]): Expression {
    let of = start;
    for (;;) {
      const optional = this.#take('?.');
      if (this.#take('[')) {
        of = member(of, this.#expression(names), optional);
        this.#expect(']');
      } else if (optional) of = member(of, this.#name('a field'), true);
      else if (!this.#take('.')) return of;
      else of = this.#field(of, names);
    }
  }

  #field(of: Expression, names: readonly string[]): Expression {
    const at = this.#at;
    const name = this.#name('a field');
    if (!this.#take('(')) return member(of, name);
    if (EACH_METHODS.some((method) => method === name)) return this.#each(name as EachMethod, of, names);
    if (name === 'reduce') return this.#reduce(of, names);
    if (METHODS.has(name)) return this.#call(name as Builtin, [of, ...this.#list(')', () => this.#expression(names))], at);
    this.#at = at;
    throw this.#unexpected('a method that can be called');
  }

  #each(method: EachMethod, of: Expression, names: readonly string[]): Expression {
    const bound = this.#parameters(1, 2);
    const body = this.#expression([...names, ...bound]);
    this.#expect(')');
    return { kind: 'each', method, of, arity: bound.length === 1 ? 1 : 2, body };
  }

  /** The names come first in the text, the initial value last; its own locals are those around. */
  #reduce(of: Expression, names: readonly string[]): Expression {
    const bound = this.#parameters(2, 3);
    const body = this.#expression([...names, ...bound]);
    this.#expect(',');
    const initial = this.#expression(names);
    this.#expect(')');
    return { kind: 'reduce', of, initial, arity: bound.length === 2 ? 2 : 3, body };
  }

  #parameters(least: number, most: number): readonly string[] {
    const at = this.#at;
    const bound = this.#take('(') ? this.#list(')', () => this.#newName()) : [this.#newName()];
    if (bound.length < least || bound.length > most) {
      this.#at = at;
      throw this.#unexpected(`${least} or ${most} names`);
    }
    this.#expect('=>');
    return bound;
  }

  #call(name: Builtin, values: readonly Expression[], at: number): Expression {
    const [least, most] = BUILTINS[name];
    if (values.length >= least && values.length <= most) return { kind: 'call', name, arguments: values };
    this.#at = at;
    throw this.#unexpected(`${least === most ? least : `${least} to ${most}`} arguments of ${name}()`);
  }

  // ── Primary ────────────────────────────────────────────────────────────────────────────────────────────────────

  #primary(names: readonly string[]): Expression {
    const token = this.#token;
    switch (token.kind) {
      case 'number':
        this.#next();
        return literal(Number(token.text));
      case 'string':
        this.#next();
        return literal(token.text);
      case 'template':
        this.#next();
        return template(
          token.texts,
          token.sources.map((source) => this.#inside(source.text, source.at, names)),
        );
      case 'name':
        return this.#named(names);
      case 'sign':
        if (this.#take('(')) {
          const inside = this.#expression(names);
          this.#expect(')');
          return inside;
        }
        if (this.#take('[')) return array(this.#list(']', () => this.#item(names)));
        if (this.#take('{')) return object(this.#list('}', () => this.#objectField(names)));
        throw this.#unexpected('a value');
      case 'end':
        throw this.#unexpected('a value');
    }
  }

  /** What stands in `${…}`. */
  #inside(text: string, at: number, names: readonly string[]): Expression {
    return this.#nested(() => {
      const parser = new Parser(text, `${this.#where}, in the template at ${at}`);
      parser.#nesting = this.#nesting;
      const inside = parser.#expression(names);
      if (parser.#token.kind !== 'end') throw parser.#unexpected("'}'");
      return inside;
    });
  }

  #named(names: readonly string[]): Expression {
    const at = this.#at;
    const { text: name } = this.#next();
    if (this.#take('(')) return this.#function(name, at, names);
    const local = names.lastIndexOf(name);
    if (local >= 0) return { kind: 'local', number: local };
    const word = WORDS.get(name) ?? (ROOTS.some((root) => root === name) ? { kind: 'root' as const, name: name as Root } : undefined);
    if (word !== undefined) return word;
    this.#at = at;
    throw this.#unexpected(`one of ${[...ROOTS, ...WORDS.keys(), ...names].join(', ')}`);
  }

  #function(name: string, at: number, names: readonly string[]): Expression {
    switch (name) {
      case 'in': {
        const state = this.#token;
        if (state.kind !== 'string') throw this.#unexpected('the id of a state in quotes');
        this.#next();
        this.#expect(')');
        return { kind: 'in', state: state.text };
      }
      case 'set':
      case 'append':
      case 'remove': {
        const of = this.#expression(names);
        this.#expect(',');
        this.#expect('[');
        const path = this.#list(']', () => this.#step(names));
        if (name === 'remove') {
          this.#expect(')');
          return { kind: name, of, path };
        }
        this.#expect(',');
        const value = this.#expression(names);
        this.#expect(')');
        return { kind: name, of, path, value };
      }
      default:
        if (Object.hasOwn(BUILTINS, name))
          return this.#call(
            name as Builtin,
            this.#list(')', () => this.#expression(names)),
            at,
          );
        this.#at = at;
        throw this.#unexpected('a function that can be called');
    }
  }

  #step(names: readonly string[]): string | Expression {
    const step = this.#expression(names);
    return step.kind === 'literal' && typeof step.value === 'string' ? step.value : step;
  }

  #item(names: readonly string[]): Item {
    return this.#take('...') ? { spread: this.#expression(names) } : { value: this.#expression(names) };
  }

  #objectField(names: readonly string[]): Field {
    if (this.#take('...')) return { spread: this.#expression(names) };
    const token = this.#token;
    let key: string | Expression;
    if (this.#take('[')) {
      key = this.#expression(names);
      this.#expect(']');
    } else if (token.kind === 'name' || token.kind === 'string') key = this.#next().text;
    else if (token.kind === 'number') key = String(Number(this.#next().text));
    else throw this.#unexpected('a field');
    this.#expect(':');
    return { key, value: this.#expression(names) };
  }

  #list<T>(end: string, item: () => T): readonly T[] {
    const items: T[] = [];
    while (!this.#take(end)) {
      items.push(item());
      if (this.#take(end)) break;
      if (!this.#take(',')) throw this.#unexpected(`',' or '${end}'`);
    }
    return items;
  }
}

/** `==` coerces nothing; beside null or undefined it asks for either, as in JavaScript. */
function joined(operator: string, left: Expression, right: Expression): Expression {
  switch (operator) {
    case '&&':
    case '||':
    case '??':
      return { kind: 'logical', operator: operator satisfies LogicalOperator, left, right };
    case '==':
    case '!=': {
      const asked = isNothing(right) ? left : isNothing(left) ? right : undefined;
      if (asked === undefined) return { kind: 'binary', operator: `${operator}=`, left, right };
      const nullish: Expression = { kind: 'unary', operator: 'nullish', operand: asked };
      return operator === '==' ? nullish : { kind: 'unary', operator: 'not', operand: nullish };
    }
    default:
      return { kind: 'binary', operator: operator as BinaryOperator, left, right };
  }
}
