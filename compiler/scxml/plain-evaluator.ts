// The evaluator that needs no engine: our own expressions over plain values. It takes the documents whose expressions all parse
// (expression.ts) and that have no scripts; for those it gives what ECMAScript gives. Runs anywhere, and cannot run long.

import type { Json, JsonObject } from '../../core/json.ts';
import type { Content, Payload, ScxmlDocument, Value, Word } from './document.ts';
import { EvaluationError, type DataEnvironment, type DataSession, type EventFields, type Evaluator } from './evaluator.ts';
import { isVariableName, parseExpression, parseLocation, type BinaryOperator, type Expression } from './expression.ts';
import { allStates } from './functions.ts';

/** An evaluator for documents that ask for no more than our own expressions.                          (SCXML-17) */
export function plainEvaluator(): Evaluator {
  return { datamodels: ['ecmascript', 'null'], takes, open: (environment) => new PlainSession(environment) };
}

// ── Documents ────────────────────────────────────────────────────────────────────────────────────────────────────

function takes({ root, scripts }: ScxmlDocument): boolean {
  if (scripts.length > 0) return false;
  return allStates(root).every(({ data, entry, exit, initial, children, transitions, invokes, doneData }) => {
    const histories = children.flatMap((child) => (child.kind === 'history' && child.initial !== undefined ? [child.initial.content] : []));
    const blocks = [
      ...entry,
      ...exit,
      ...(initial === undefined ? [] : [initial.content]),
      ...histories,
      ...transitions.map(({ content }) => content),
    ];
    return (
      data.every(({ id, value }) => isVariableName(id) && isValue(value)) &&
      blocks.every(({ content }) => content.every(isContent)) &&
      transitions.every(({ condition }) => isExpression(condition)) &&
      (doneData === undefined || isPayload(doneData.payload)) &&
      invokes.every(
        (invoke) =>
          isPayload(invoke) &&
          [invoke.type, invoke.source].every(isWord) &&
          isPlace(invoke.idLocation) &&
          (invoke.finalize ?? []).every(isContent),
      )
    );
  });
}

const isExpression = (text: string | undefined): boolean => text === undefined || parseExpression(text) !== undefined;

const isPlace = (text: string | undefined): boolean => text === undefined || parseLocation(text) !== undefined;

const isWord = (word: Word | undefined): boolean => word === undefined || 'text' in word || isExpression(word.expression);

/** XML is for engines to show; what a resource holds is not known before it is fetched. */
function isValue(value: Value | undefined): boolean {
  if (value === undefined) return true;
  if (value.kind === 'expression') return isExpression(value.text);
  if (value.kind === 'text') return !/^\s*[<[{(]|^\s*function\b/.test(value.text) || isJson(value.text);
  return false;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Then it may be an expression, which an engine reads.
    return false;
  }
}

function isPayload({ namelist, parameters, content }: Payload): boolean {
  const isDocument = content?.kind === 'element' && content.element.name === 'scxml';
  return (
    namelist.every(isPlace) &&
    parameters.every(({ expression, isLocation }) => isExpression(expression) && (!isLocation || isPlace(expression))) &&
    (isDocument || isValue(content))
  );
}

function isContent(content: Content): boolean {
  switch (content.kind) {
    case 'raise':
      return true;
    case 'if':
      return content.branches.every(({ condition, content: inside }) => isExpression(condition) && inside.every(isContent));
    case 'foreach':
      return isExpression(content.array) && [content.item, content.index ?? 'i'].every(isVariableName) && content.content.every(isContent);
    case 'log':
      return content.expression === '' || isExpression(content.expression);
    case 'assign':
      return isPlace(content.location) && isValue(content.value);
    case 'script':
      return false;
    case 'cancel':
      return isWord(content.id);
    case 'send':
      return (
        [content.event, content.target, content.type, content.delay].every(isWord) && isPlace(content.idLocation) && isPayload(content)
      );
  }
}

// ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** A value inside a session: what JSON can say, and undefined, NaN and infinities. Shared by reference, as in ECMAScript. */
type Inner = undefined | null | boolean | number | string | Inner[] | { [key: string]: Inner };

const copy = (value: Json | undefined): Inner => jsonOf(value as Inner) as Inner;

/** Parts of one value, and of one that becomes text. */
const PARTS_MAX = 100_000;
const COERCED_MAX = 10_000;
const DEPTH_MAX = 200;
/** Characters. */
const TEXT_MAX = 1_000_000;

class PlainSession implements DataSession {
  readonly #environment: DataEnvironment;
  readonly #variables = new Map<string, Inner>();
  readonly #system = new Map<string, Inner>();
  readonly #parsed = new Map<string, Expression>();
  #event: string | undefined;

  constructor(environment: DataEnvironment) {
    this.#environment = environment;
    const { sessionId, name, processors } = environment;
    const shown = copy(processors);
    if (typeof shown === 'object' && shown !== null) Object.freeze(shown);
    for (const [key, value] of [
      ['_sessionid', sessionId],
      ['_name', name],
      ['_ioprocessors', shown],
      ['_event', undefined],
    ] as const)
      this.#system.set(key, value);
  }

  declare(id: string): void {
    if (!this.#variables.has(id)) this.#variables.set(id, undefined);
  }

  setEvent(event: EventFields | undefined): void {
    const json = event === undefined ? undefined : JSON.stringify(event);
    if (json === this.#event) return;
    this.#event = json;
    const { name, type, sendid, origin, origintype, invokeid, data } = event ?? {};
    const fields = { name, type, sendid, origin, origintype, invokeid, data: copy(data) };
    this.#system.set('_event', event === undefined ? undefined : Object.freeze(fields));
  }

  condition(expression: string): boolean {
    return Boolean(this.#value(expression));
  }

  evaluate(expression: string): Json | undefined {
    return jsonOf(this.#value(expression));
  }

  assign(location: string, expression: string): void {
    this.#write(location, () => this.#value(expression));
  }

  assignJson(location: string, value: Json | undefined): void {
    this.#write(location, () => copy(value));
  }

  run(): void {
    throw new EvaluationError('our own expressions have no scripts');
  }

  forEach(loop: { readonly array: string; readonly item: string; readonly index: string | undefined }, body: () => void): void {
    const array = this.#value(loop.array);
    if (!Array.isArray(array)) throw new EvaluationError('TypeError: the value to go through is no array');
    const names = [loop.item, ...(loop.index === undefined ? [] : [loop.index])];
    for (const name of names)
      if (!isVariableName(name) || this.#system.has(name)) throw new EvaluationError(`'${name}' is no name of a variable`);
    for (const [index, item] of [...array].entries()) {
      this.#variables.set(loop.item, item);
      if (loop.index !== undefined) this.#variables.set(loop.index, index);
      body();
    }
  }

  read(): JsonObject {
    const data: Record<string, Json> = {};
    for (const [key, value] of this.#variables) {
      try {
        const json = jsonOf(value);
        if (json !== undefined) data[key] = json;
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error;
        // A circle: it stays in the session.
      }
    }
    return data;
  }

  write(data: JsonObject): void {
    for (const key of this.#variables.keys()) this.#variables.set(key, undefined);
    for (const [key, value] of Object.entries(data)) this.#variables.set(key, copy(value));
  }

  dispose(): void {
    this.#variables.clear();
  }

  // ── Evaluation ─────────────────────────────────────────────────────────────────────────────────────────────────

  #value(text: string): Inner {
    let expression = this.#parsed.get(text);
    if (expression === undefined) {
      expression = parseExpression(text);
      if (expression === undefined) throw new EvaluationError(`'${text}' is more than our own expressions`);
      this.#parsed.set(text, expression);
    }
    return this.#evaluate(expression);
  }

  #evaluate(expression: Expression): Inner {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'variable':
        return this.#variable(expression.name);
      case 'field':
        return fieldOf(this.#evaluate(expression.of), expression.name);
      case 'array':
        return expression.items.map((item) => this.#evaluate(item));
      case 'object':
        return Object.fromEntries(expression.fields.map(([name, value]) => [name, this.#evaluate(value)]));
      case 'unary':
        return this.#unary(expression.operator, expression.operand);
      case 'binary':
        return this.#binary(expression.operator, expression.left, expression.right);
      case 'choice':
        return this.#evaluate(this.#evaluate(expression.condition) ? expression.then : expression.otherwise);
      case 'in':
        return this.#environment.isIn(textOf(this.#evaluate(expression.state)));
    }
  }

  #variable(name: string): Inner {
    if (this.#system.has(name)) return this.#system.get(name);
    if (this.#variables.has(name)) return this.#variables.get(name);
    throw new EvaluationError(`ReferenceError: '${name}' is not defined`);
  }

  #unary(operator: '!' | '-' | '+' | 'typeof', operand: Expression): Inner {
    if (operator === 'typeof') {
      const isUnknown = operand.kind === 'variable' && !this.#system.has(operand.name) && !this.#variables.has(operand.name);
      return isUnknown ? 'undefined' : typeof this.#evaluate(operand);
    }
    const value = this.#evaluate(operand);
    if (operator === '!') return !value;
    checkText(value);
    return operator === '-' ? -(value as number) : Number(value);
  }

  #binary(operator: BinaryOperator, leftOperand: Expression, rightOperand: Expression): Inner {
    const left = this.#evaluate(leftOperand);
    if (operator === '&&') return left ? this.#evaluate(rightOperand) : left;
    if (operator === '||') return left ? left : this.#evaluate(rightOperand);
    const right = this.#evaluate(rightOperand);
    if (operator !== '===' && operator !== '!==') for (const operand of [left, right]) checkText(operand);
    const result = OPERATIONS[operator](left as never, right as never);
    if (typeof result === 'string' && result.length > TEXT_MAX)
      throw new EvaluationError(`RangeError: a text of ${result.length} characters`);
    return result;
  }

  #write(location: string, value: () => Inner): void {
    const [name, ...fields] = parseLocation(location) ?? [];
    const last = fields.pop();
    if (name === undefined) throw new EvaluationError(`'${location}' is no location`);
    if (last === undefined) {
      if (this.#system.has(name)) throw new EvaluationError(`TypeError: ${name} cannot be written`);
      const given = value();
      if (!this.#variables.has(name)) throw new EvaluationError(`ReferenceError: '${name}' is not defined`);
      this.#variables.set(name, given);
      return;
    }
    const holder = fields.reduce<Inner>((of, field) => fieldOf(of, field), this.#variable(name));
    const given = value();
    if (typeof holder !== 'object' || holder === null || Object.isFrozen(holder))
      throw new EvaluationError(`TypeError: ${location} cannot be written`);
    (holder as Record<string, Inner>)[last] = given;
  }
}

/**
 * A value as plain JSON. Values may hold one another many times over, or in circles.
 * @throws EvaluationError when it has more parts than PARTS_MAX, or nests deeper than DEPTH_MAX.
 */
function jsonOf(value: Inner): Json | undefined {
  let left = PARTS_MAX;
  const visit = (inner: Inner, depth: number): Json | undefined => {
    left -= 1;
    if (left < 0 || depth > DEPTH_MAX) throw new EvaluationError('RangeError: the value is too large, or a circle');
    if (typeof inner === 'number') return Number.isFinite(inner) ? inner + 0 : null;
    if (typeof inner !== 'object' || inner === null) return inner;
    if (Array.isArray(inner)) return inner.map((item) => visit(item, depth + 1) ?? null);
    const fields: Record<string, Json> = {};
    for (const [key, item] of Object.entries(inner)) {
      const json = visit(item, depth + 1);
      if (json !== undefined) fields[key] = json;
    }
    return fields;
  };
  return visit(value, 0);
}

function textOf(value: Inner): string {
  checkText(value);
  return String(value);
}

/** Lists become text item by item: one that holds another many times over would become a long one. */
function checkText(value: Inner): void {
  let left = COERCED_MAX;
  const visit = (inner: Inner, depth: number): void => {
    if (!Array.isArray(inner)) return;
    left -= inner.length;
    if (left < 0 || depth > DEPTH_MAX) throw new EvaluationError('RangeError: the list is too large to be text, or a circle');
    for (const item of inner) visit(item, depth + 1);
  };
  visit(value, 0);
}

/** An own field; of a string its length and characters. */
function fieldOf(value: Inner, name: string): Inner {
  if (value === undefined || value === null) throw new EvaluationError(`TypeError: cannot read property '${name}' of ${String(value)}`);
  const holder = Object(value) as Record<string, Inner>;
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** ECMAScript's own operators: values are ordinary values here. */
const OPERATIONS: Readonly<Record<Exclude<BinaryOperator, '&&' | '||'>, (a: number, b: number) => Inner>> = {
  '==': (a, b) => a == b,
  '!=': (a, b) => a != b,
  '===': (a, b) => a === b,
  '!==': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};
