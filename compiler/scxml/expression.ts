// Our own expressions: the part of ECMAScript's that needs no engine, parsed into trees. Literals, variables, fields, arithmetic, comparisons,
// logic, `typeof` and In(); no calls, no functions, nothing inherited. What does not parse here is not refused, it is left to an engine.

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null | undefined }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'field'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [name: string, value: Expression])[] }
  | { readonly kind: 'unary'; readonly operator: '!' | '-' | '+' | 'typeof'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'choice'; readonly condition: Expression; readonly then: Expression; readonly otherwise: Expression }
  | { readonly kind: 'in'; readonly state: Expression };

/** Levels of precedence, loosest first. */
const OPERATORS = [['||'], ['&&'], ['==', '!=', '===', '!=='], ['<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']] as const;
export type BinaryOperator = (typeof OPERATORS)[number][number];

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|([A-Za-z_$][\w$]*)|('(?:[^'\\\n]|\\[\\'"nt])*'|"(?:[^"\\\n]|\\[\\'"nt])*")|(===|!==|==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()[\]{}]))/y;
const RESERVED = new Set(
  (
    'break case catch class const continue debugger default delete do else enum export extends finally for function if implements import in ' +
    'instanceof interface let new package private protected public return static super switch this throw try typeof var void while with yield await NaN ' +
    'Infinity globalThis eval arguments'
  ).split(' '),
);
const CONSTANTS: ReadonlyMap<string, boolean | null | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
]);
/** What an engine has without anybody's doing. */
const GLOBALS = new Set(
  (
    'AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError FinalizationRegistry ' +
    'Float16Array Float32Array Float64Array Function Int16Array Int32Array Int8Array Iterator JSON Map Math Number Object Promise Proxy RangeError ' +
    'ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array ' +
    'Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent escape isFinite isNaN parseFloat parseInt ' +
    'unescape queueMicrotask performance navigator console print InternalError DOMException'
  ).split(' '),
);
/** Levels of nesting. */
const DEPTH_MAX = 100;

/** Names that objects, arrays and strings have without anybody's doing. */
const isInherited = (name: string): boolean => [Object.prototype, Array.prototype, String.prototype].some((prototype) => name in prototype);

/** The tree of an expression; undefined when it is more than our own can do. */
export function parseExpression(text: string): Expression | undefined {
  try {
    return new Parser(text.replace(/[\s;]+$/, '')).whole();
  } catch (error) {
    if (error === BEYOND) return undefined;
    throw error;
  }
}

/** A variable, or fields of one, that can be written to: its names. */
export function parseLocation(text: string): readonly string[] | undefined {
  const names: string[] = [];
  let place = parseExpression(text);
  for (; place?.kind === 'field'; place = place.of) names.unshift(place.name);
  if (place?.kind !== 'variable' || names.includes('length')) return undefined;
  return [place.name, ...names];
}

/** Whether a loop can have a variable of this name. */
export const isVariableName = (text: string): boolean => /^[A-Za-z_$][\w$]*$/.test(text) && !RESERVED.has(text) && !CONSTANTS.has(text);

const BEYOND = Symbol('beyond our own expressions');

type Token = { readonly kind: 'number' | 'name' | 'string' | 'sign' | 'end'; readonly text: string };

class Parser {
  readonly #text: string;
  #at = 0;
  #token: Token = { kind: 'end', text: '' };
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#next();
  }

  whole(): Expression {
    const expression = this.#choice();
    if (this.#token.kind !== 'end') throw BEYOND;
    return expression;
  }

  #next(): Token {
    const before = this.#token;
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text);
    if (match === null) {
      if (this.#text.slice(this.#at).trim() !== '') throw BEYOND;
      this.#token = { kind: 'end', text: '' };
    } else {
      const [, number, name, string, sign] = match;
      this.#at = TOKEN.lastIndex;
      if (number !== undefined) this.#token = { kind: 'number', text: number };
      else if (name !== undefined) this.#token = { kind: 'name', text: name };
      else if (string !== undefined) this.#token = { kind: 'string', text: string };
      else this.#token = { kind: 'sign', text: sign ?? '' };
    }
    return before;
  }

  #has(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign;
  }

  #take(sign: string): boolean {
    if (!this.#has(sign)) return false;
    this.#next();
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw BEYOND;
  }

  #choice(): Expression {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw BEYOND;
    const condition = this.#binary(0);
    this.#depth -= 1;
    if (!this.#take('?')) return condition;
    const then = this.#choice();
    this.#expect(':');
    return { kind: 'choice', condition, then, otherwise: this.#choice() };
  }

  #binary(level: number): Expression {
    const operators = OPERATORS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = operators.find((sign) => this.#has(sign));
      if (operator === undefined) return left;
      this.#next();
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Expression {
    const { kind, text } = this.#token;
    const isOperator = (kind === 'sign' && (text === '!' || text === '-' || text === '+')) || (kind === 'name' && text === 'typeof');
    if (!isOperator) return this.#fields(this.#primary());
    this.#next();
    // Twice the same sign would be an operator that we do not have.
    if (kind === 'sign' && text !== '!' && this.#has(text)) throw BEYOND;
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw BEYOND;
    const operand = this.#unary();
    this.#depth -= 1;
    return { kind: 'unary', operator: text as '!' | '-' | '+' | 'typeof', operand };
  }

  #fields(start: Expression): Expression {
    let of = start;
    for (;;) {
      if (this.#take('.')) of = { kind: 'field', of, name: this.#fieldName('name') };
      else if (this.#take('[')) {
        of = { kind: 'field', of, name: this.#fieldName('string', 'number') };
        this.#expect(']');
      } else if (this.#has('(')) throw BEYOND;
      else return of;
    }
  }

  /** Nothing inherited but `length`. */
  #fieldName(...kinds: readonly Token['kind'][]): string {
    const { kind, text } = this.#next();
    if (!kinds.includes(kind)) throw BEYOND;
    const name = kind === 'string' ? unquoted(text) : kind === 'number' ? String(Number(text)) : text;
    if (name !== 'length' && isInherited(name)) throw BEYOND;
    return name;
  }

  #primary(): Expression {
    const { kind, text } = this.#next();
    if (kind === 'number') {
      if (/^0\d/.test(text)) throw BEYOND;
      return { kind: 'literal', value: Number(text) };
    }
    if (kind === 'string') return { kind: 'literal', value: unquoted(text) };
    if (kind === 'name') return this.#named(text);
    if (kind === 'sign' && text === '(') {
      const inside = this.#choice();
      this.#expect(')');
      return inside;
    }
    if (kind === 'sign' && text === '[') return { kind: 'array', items: this.#list(']', () => this.#choice()) };
    if (kind === 'sign' && text === '{') return { kind: 'object', fields: this.#list('}', () => this.#property()) };
    throw BEYOND;
  }

  #named(name: string): Expression {
    if (CONSTANTS.has(name)) return { kind: 'literal', value: CONSTANTS.get(name) };
    if (RESERVED.has(name) || isInherited(name) || GLOBALS.has(name)) throw BEYOND;
    if (name !== 'In') return { kind: 'variable', name };
    this.#expect('(');
    const state = this.#choice();
    this.#expect(')');
    return { kind: 'in', state };
  }

  #property(): readonly [string, Expression] {
    const { kind, text } = this.#next();
    if (kind !== 'name' && kind !== 'string') throw BEYOND;
    const name = kind === 'string' ? unquoted(text) : text;
    if (isInherited(name)) throw BEYOND;
    this.#expect(':');
    return [name, this.#choice()];
  }

  #list<T>(end: string, item: () => T): readonly T[] {
    const items: T[] = [];
    while (!this.#take(end)) {
      items.push(item());
      if (this.#take(end)) break;
      this.#expect(',');
    }
    return items;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t' };

const unquoted = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
