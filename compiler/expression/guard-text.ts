// Guards of transition lists, as rstmdb writes them: `ctx.a.b >= 3 && !(ctx.c == "x" || ctx.d)`. A field and at most one literal; missing
// fields are null, order is of numbers, equality within one type. Their meaning is spelled out in trees, so nothing in them can fault.
// Stricter than rstmdb where that is lax: nothing may follow a complete guard, and `trueish` is not `true`.

import { LockstepError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { literal, member, shallow } from './build.ts';
import type { BinaryOperator, Expression } from './tree.ts';

const TOKEN =
  /\s*(?:(\|\||&&|==|!=|>=|<=|[!<>()])|(ctx\.[\p{Alphabetic}\p{N}_.]+)|("(?:[^"\\]|\\[^])*")|(-?\d*(?:\.\d*)?)(?![\p{Alphabetic}\p{N}_.])|([\p{Alphabetic}_][\p{Alphabetic}\p{N}_]*))/uy;
const WORDS: Readonly<Record<string, Json>> = { true: true, false: false, null: null };
/** Numbers closer than this are equal: the distance of 1 from the next number. From 2 on, no two are that close. */
const NEAR = 2 ** -52;
const NESTING_MAX = 32;

type Token = { readonly kind: 'sign' | 'field' | 'string' | 'number' | 'word' | 'end'; readonly text: string; readonly at: number };

/**
 * The tree of a guard.                                                                           (EXPR-7)
 * @throws LockstepError BAD_DEFINITION with place, found and expected.
 */
export function parseGuardText(text: string, where = 'guard'): Expression {
  return shallow(new Parser(text, where).whole(), where);
}

class Parser {
  readonly #text: string;
  readonly #where: string;
  #token: Token = { kind: 'end', text: '', at: 0 };
  #end = 0;
  #nesting = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
    this.#next();
  }

  whole(): Expression {
    const guard = this.#either();
    if (this.#token.kind !== 'end') throw this.#unexpected("'&&', '||' or the end");
    return guard;
  }

  #next(): Token {
    const before = this.#token;
    TOKEN.lastIndex = this.#end;
    const match = TOKEN.exec(this.#text);
    const [whole = '', sign, field, string, number, word] = match ?? [];
    const text = sign ?? field ?? string ?? number ?? word ?? '';
    const at = this.#end + whole.length - text.length;
    if (text === '') {
      const rest = this.#text.slice(this.#end);
      const place = this.#end + rest.length - rest.trimStart().length;
      this.#token = { kind: 'end', text: '', at: place };
      if (place < this.#text.length) throw this.#unexpected('a field, a value or an operator');
      return before;
    }
    const kind = sign !== undefined ? 'sign' : field !== undefined ? 'field' : string !== undefined ? 'string' : number ? 'number' : 'word';
    this.#end += whole.length;
    this.#token = { kind, text, at };
    return before;
  }

  #is(kind: Token['kind']): boolean {
    return this.#token.kind === kind;
  }

  #take(sign: string): boolean {
    if (this.#token.kind !== 'sign' || this.#token.text !== sign) return false;
    this.#next();
    return true;
  }

  #unexpected(expected: string): LockstepError {
    const rest = this.#text.slice(this.#token.at, this.#token.at + 20);
    const found = rest === '' ? 'the end' : `'${rest}'`;
    return new LockstepError('BAD_DEFINITION', `${this.#where}, at ${this.#token.at}: expected ${expected}, found ${found}`);
  }

  #either(): Expression {
    let left = this.#both();
    while (this.#take('||')) left = { kind: 'logical', operator: '||', left, right: this.#both() };
    return left;
  }

  #both(): Expression {
    let left = this.#unary();
    while (this.#take('&&')) left = { kind: 'logical', operator: '&&', left, right: this.#unary() };
    return left;
  }

  #unary(): Expression {
    this.#nesting += 1;
    if (this.#nesting > NESTING_MAX) throw this.#unexpected(`at most ${NESTING_MAX} levels`);
    const guard = this.#take('!') ? not(this.#unary()) : this.#primary();
    this.#nesting -= 1;
    return guard;
  }

  #primary(): Expression {
    if (this.#take('(')) {
      const inside = this.#either();
      if (!this.#take(')')) throw this.#unexpected("')'");
      return inside;
    }
    if (!this.#is('field')) throw this.#unexpected("'!', '(' or a field like ctx.name");
    const field = this.#field();
    const { kind, text } = this.#token;
    if (kind !== 'sign' || !['==', '!=', '>=', '<=', '>', '<'].includes(text)) return truthy(field);
    this.#next();
    if (text === '==' || text === '!=') {
      const equal = equals(field, this.#value());
      return text === '==' ? equal : not(equal);
    }
    if (!this.#is('number')) throw this.#unexpected('a number');
    return ordered(field, text as BinaryOperator, this.#number());
  }

  /** Missing fields, and whatever is looked for in something that is no object, are null. */
  #field(): Expression {
    const { text, at } = this.#token;
    const [first = '', ...names] = text.split('.').slice(1);
    if (names.length >= NESTING_MAX)
      throw new LockstepError('BAD_DEFINITION', `${this.#where}, at ${at}: expected at most ${NESTING_MAX} names`);
    this.#next();
    return names.reduce(fieldOfObject, member({ kind: 'root', name: 'context' }, first));
  }

  #value(): Json {
    const { kind, text } = this.#token;
    if (kind === 'number') return this.#number();
    if (kind === 'word' && Object.hasOwn(WORDS, text)) {
      this.#next();
      return WORDS[text]!;
    }
    if (kind !== 'string') throw this.#unexpected('true, false, null, a "string" or a number');
    this.#next();
    // A backslash keeps the next character from ending the string; both stay.
    return text.slice(1, -1);
  }

  #number(): number {
    const value = Number(this.#token.text);
    if (!/\d/.test(this.#token.text) || !Number.isFinite(value)) throw this.#unexpected('a number that is finite');
    this.#next();
    return value === 0 ? 0 : value;
  }
}

const binary = (operator: BinaryOperator, left: Expression, right: Expression): Expression => ({ kind: 'binary', operator, left, right });
const both = (left: Expression, right: Expression): Expression => ({ kind: 'logical', operator: '&&', left, right });
const not = (operand: Expression): Expression => ({ kind: 'unary', operator: 'not', operand });
const choice = (condition: Expression, then: Expression, otherwise: Expression): Expression => ({
  kind: 'conditional',
  condition,
  then,
  otherwise,
});
const isOf = (of: Expression, type: string): Expression => binary('===', { kind: 'unary', operator: 'typeof', operand: of }, literal(type));
const isArray = (of: Expression): Expression => ({ kind: 'call', name: 'isArray', arguments: [of] });

/** A guard binds one value at a time, never inside a body. */
const BOUND: Expression = { kind: 'local', number: 0 };
const bind = (value: Expression, body: Expression): Expression => ({ kind: 'let', value, body });

function fieldOfObject(of: Expression, name: string): Expression {
  return bind(of, choice(both(isOf(BOUND, 'object'), not(isArray(BOUND))), member(BOUND, name, true), literal(null)));
}

/** Empty arrays and objects are false. */
function truthy(field: Expression): Expression {
  const size = member(choice(isArray(BOUND), BOUND, { kind: 'call', name: 'keys', arguments: [BOUND] }), 'length');
  return bind(field, choice(both(isOf(BOUND, 'object'), BOUND), binary('!==', size, literal(0)), not(not(BOUND))));
}

function equals(field: Expression, value: Json): Expression {
  if (value === null) return { kind: 'unary', operator: 'nullish', operand: field };
  if (typeof value !== 'number' || Math.abs(value) >= 2) return binary('===', field, literal(value));
  const distance: Expression = { kind: 'call', name: 'abs', arguments: [binary('-', BOUND, literal(value))] };
  const isSmall = both(binary('>', BOUND, literal(-4)), binary('<', BOUND, literal(4)));
  return bind(field, both(both(isOf(BOUND, 'number'), isSmall), binary('<', distance, literal(NEAR))));
}

function ordered(field: Expression, operator: BinaryOperator, value: number): Expression {
  return bind(field, both(isOf(BOUND, 'number'), binary(operator, BOUND, literal(value))));
}
