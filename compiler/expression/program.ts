// Expressions to the programs of an image: tree to bytecode (assembly/program-layout, "Instruction word"). All functions of a machine's steps become
// programs, or none does: what cannot be one is told with its place. The core verifies programs when it takes the image in.
// Over 400 lines because one writer knows every kind of tree: splitting it would spread what one instruction leaves on the stack.

import * as layout from '../../assembly/layout.ts';
import * as bytecode from '../../assembly/program-layout.ts';
import { CALLS } from '../../core/calls.ts';
import { assert } from '../../core/errors.ts';
import { isFields } from '../../core/fields.ts';
import type { Json } from '../../core/json.ts';
import type { FunctionSymbol, Symbols } from '../../core/symbols.ts';
import { Records } from '../writer.ts';
import { boundBy, type Each, type Expression, type Field, type Member, type Step } from './tree.ts';

/** A function of the author's, as an expression. */
export interface Lowered {
  /** Of an assign or the maker of a context: what is written, as evaluateWrites() has it. Of all else its value. */
  readonly expression: Expression;
  /** What the root `params` stands for. */
  readonly params?: Expression;
}

/** By `loweredKey` of the function's symbol, which is its path but where one place starts and stops an actor. */
export type LoweredFunctions = ReadonlyMap<string, Lowered>;

export interface ProgramTables {
  readonly programs: Records;
  readonly code: readonly number[];
  readonly constants: Records;
  readonly cellCount: number;
  /** Zero, or one more than the number of the function that makes the context. */
  readonly contextFunction: number;
  readonly symbols: { readonly cells: readonly string[]; readonly constants: readonly Json[] };
}

/** Why a machine's context cannot live in the core. */
export interface Obstacle {
  readonly function: FunctionSymbol;
  readonly reason: string;
}

class Unlowerable extends Error {}

/** Beside the operation's own: room for the cells that callbacks and merges use behind the top. */
const STACK_ROOM = 2;
const INTEGER_MAX = 0xffffff;

const BINARY = {
  '+': bytecode.OP_ADD,
  '-': bytecode.OP_SUBTRACT,
  '*': bytecode.OP_MULTIPLY,
  '/': bytecode.OP_DIVIDE,
  '%': bytecode.OP_REMAINDER,
  '<': bytecode.OP_LESS,
  '<=': bytecode.OP_LESS_EQUAL,
  '>': bytecode.OP_GREATER,
  '>=': bytecode.OP_GREATER_EQUAL,
  '===': bytecode.OP_EQUAL,
  '!==': bytecode.OP_UNEQUAL,
} as const;
const LOGICAL = { '&&': bytecode.OP_AND, '||': bytecode.OP_OR, '??': bytecode.OP_COALESCE } as const;
const EACH = {
  map: bytecode.OP_MAP,
  flatMap: bytecode.OP_FLAT_MAP,
  filter: bytecode.OP_FILTER,
  find: bytecode.OP_FIND,
  findIndex: bytecode.OP_FIND_INDEX,
  some: bytecode.OP_SOME,
  every: bytecode.OP_EVERY,
} as const;
const UPDATE = { set: bytecode.OP_SET, remove: bytecode.OP_REMOVE, append: bytecode.OP_APPEND } as const;

export const loweredKey = ({ kind, path }: FunctionSymbol): string => (kind === 'stop' ? `${path}#stop` : path);

/** Functions whose program writes cells. */
const writes = ({ kind }: FunctionSymbol): boolean => kind === 'assign' || kind === 'context';

/**
 * The programs of a machine.
 * @param symbols without cells and constants.
 * @returns the tables, or what stands in the way.
 */
export function programTables(symbols: Symbols, lowered: LoweredFunctions): ProgramTables | readonly Obstacle[] {
  const obstacles: Obstacle[] = [];
  const attempt = (symbol: FunctionSymbol, act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Unlowerable)) throw error;
      obstacles.push({ function: symbol, reason: error.message });
    }
  };
  const cells = cellNames(symbols, lowered, attempt);
  const writer = new ProgramWriter(symbols, cells);
  symbols.functions.forEach((symbol, fn) => {
    if (symbol.kind === 'effect') return;
    attempt(symbol, () => {
      const found = lowered.get(loweredKey(symbol));
      if (found === undefined) throw new Unlowerable(`${symbol.kind} is run by the author's own function`);
      writer.function(fn, symbol, found);
    });
  });
  return obstacles.length > 0 ? obstacles : writer.tables();
}

/** The keys of the context: those it begins with in the author's order, then those that only assigns bring. */
function cellNames(symbols: Symbols, lowered: LoweredFunctions, attempt: (symbol: FunctionSymbol, act: () => void) => void): string[] {
  const { context = {} } = symbols;
  const first = isFields(context) ? Object.keys(context) : [];
  const later = new Set<string>();
  for (const symbol of symbols.functions) {
    const found = lowered.get(symbol.path);
    if (found === undefined || !writes(symbol)) continue;
    attempt(symbol, () => {
      for (const key of keysOf(found.expression)) later.add(key);
    });
  }
  return [...new Set([...first, ...[...later].sort((a, b) => (a < b ? -1 : 1))])];
}

/** The fields that what an assign is given can have. @throws Unlowerable when that cannot be told. */
function keysOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'undefined':
      return [];
    case 'literal':
      return isFields(expression.value) ? Object.keys(expression.value) : [];
    case 'root':
      if (expression.name === 'context') return [];
      break;
    case 'object':
      return expression.fields.flatMap((field) => {
        if ('spread' in field) return keysOf(field.spread);
        if (typeof field.key === 'string') return [field.key];
        throw new Unlowerable('a key of the context is computed');
      });
    case 'conditional':
      return [...keysOf(expression.then), ...keysOf(expression.otherwise)];
    case 'let':
      return keysOf(expression.body);
    case 'logical':
      // What is false has no fields.
      return [...(expression.operator === '&&' ? [] : keysOf(expression.left)), ...keysOf(expression.right)];
  }
  throw new Unlowerable('the keys of the context that it writes cannot be told');
}

/** An instruction whose argument is not known yet. */
interface Jump {
  readonly at: number;
}

/** One program that is being written. */
interface Draft {
  readonly code: number[];
  depth: number;
  /** Added to the numbers of locals: the first one may hold the params. */
  readonly base: number;
  readonly hasParams: boolean;
  readonly isContext: boolean;
}

class ProgramWriter {
  readonly #symbols: Symbols;
  readonly #cells: readonly string[];
  readonly #cellNumbers: ReadonlyMap<string, number>;
  readonly #constants: Json[] = [];
  readonly #constantNumbers = new Map<string, number>();
  /** By program number: functions first. */
  readonly #programs: (readonly number[])[];
  #draft: Draft = { code: [], depth: 0, base: 0, hasParams: false, isContext: false };

  constructor(symbols: Symbols, cells: readonly string[]) {
    this.#symbols = symbols;
    this.#cells = cells;
    this.#cellNumbers = new Map(cells.map((name, cell) => [name, cell]));
    this.#programs = symbols.functions.map(() => []);
    if (cells.length > bytecode.CELL_MAX)
      throw new Unlowerable(`the context has ${cells.length} keys, an instance has ${bytecode.CELL_MAX} cells`);
    if (cells.includes('__proto__')) throw new Unlowerable('the context has a key named __proto__');
  }

  function(fn: number, symbol: FunctionSymbol, { expression, params }: Lowered): void {
    const hasParams = params !== undefined;
    this.#draft = { code: [], depth: 0, base: hasParams ? 1 : 0, hasParams, isContext: symbol.kind === 'context' };
    if (params !== undefined) {
      this.#value(params, 0);
      this.#emit(bytecode.OP_BIND, 0, -1);
    }
    if (writes(symbol)) {
      this.#writes(expression, 0);
      this.#emit(bytecode.OP_LITERAL, bytecode.TAG_UNDEFINED, 1);
    } else this.#value(expression, 0);
    this.#programs[fn] = this.#finish();
  }

  tables(): ProgramTables {
    const programs = new Records(this.#programs.length, bytecode.PROGRAM_SIZE);
    const code: number[] = [];
    const places = new Map<string, number>();
    this.#programs.forEach((words, program) => {
      const key = words.join();
      const place = places.get(key) ?? code.length;
      if (place === code.length) code.push(...words);
      places.set(key, place);
      programs.u32(program, bytecode.PROGRAM_START, place);
      programs.u32(program, bytecode.PROGRAM_LENGTH, words.length);
    });
    const constants = new Records(this.#constants.length, bytecode.CELL_SIZE);
    this.#constants.forEach((constant, number) => {
      constants.u32(number, bytecode.CELL_TAG, tagOf(constant));
      if (typeof constant === 'number') constants.f64(number, bytecode.CELL_NUMBER, constant);
    });
    const { contextFunction } = this.#symbols;
    return {
      programs,
      code,
      constants,
      cellCount: this.#cells.length,
      contextFunction: contextFunction === undefined ? 0 : contextFunction + 1,
      symbols: { cells: this.#cells, constants: this.#constants },
    };
  }

  // ── Instructions ───────────────────────────────────────────────────────────────────────────────────────────────

  /** @param change of the stack's depth. */
  #emit(operation: number, argument: number, change: number): void {
    assert(argument >= 0 && argument <= INTEGER_MAX, 'an argument has 24 bits');
    const draft = this.#draft;
    draft.code.push((operation | (argument << 8)) >>> 0);
    draft.depth += change;
    if (draft.depth > bytecode.STACK_MAX - STACK_ROOM) throw new Unlowerable('it has too many parts inside one another');
  }

  #jump(operation: number, change: number): Jump {
    this.#emit(operation, 0, change);
    return { at: this.#draft.code.length - 1 };
  }

  /** The jump comes here. */
  #land({ at }: Jump): void {
    const { code } = this.#draft;
    code[at] = (code[at]! | ((code.length - at - 1) << 8)) >>> 0;
  }

  #finish(): readonly number[] {
    assert(this.#draft.depth === 1, 'a program leaves one cell');
    return this.#draft.code;
  }

  #constant(value: Json): number {
    const key = JSON.stringify(value);
    const known = this.#constantNumbers.get(key);
    if (known !== undefined) return known;
    this.#constantNumbers.set(key, this.#constants.length);
    return this.#constants.push(value) - 1;
  }

  #local(number: number): number {
    if (number + 3 > bytecode.LOCAL_MAX) throw new Unlowerable('it binds too many names');
    return number;
  }

  #literal(value: Json): void {
    if (value === null) this.#emit(bytecode.OP_LITERAL, bytecode.TAG_NULL, 1);
    else if (typeof value === 'boolean') this.#emit(bytecode.OP_LITERAL, value ? bytecode.TAG_TRUE : bytecode.TAG_FALSE, 1);
    else if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= INTEGER_MAX)
      this.#emit(bytecode.OP_INTEGER, value, 1);
    else this.#emit(bytecode.OP_CONSTANT, this.#constant(value), 1);
  }

  // ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param bound locals around it. */
  #value(expression: Expression, bound: number): void {
    switch (expression.kind) {
      case 'literal':
        return this.#literal(expression.value);
      case 'undefined':
        return this.#emit(bytecode.OP_LITERAL, bytecode.TAG_UNDEFINED, 1);
      case 'root':
        return this.#root(expression.name);
      case 'local':
        return this.#emit(bytecode.OP_LOCAL, this.#local(this.#draft.base + expression.number), 1);
      case 'member':
        return this.#member(expression, bound);
      case 'unary':
        this.#value(expression.operand, bound);
        switch (expression.operator) {
          case 'not':
            return this.#emit(bytecode.OP_NOT, 0, 0);
          case 'negate':
            return this.#emit(bytecode.OP_NEGATE, 0, 0);
          case 'nullish':
            return this.#emit(bytecode.OP_NULLISH, 0, 0);
          case 'typeof':
            return this.#call('typeof', 1);
        }
        break;
      case 'binary':
        this.#value(expression.left, bound);
        this.#value(expression.right, bound);
        return this.#emit(BINARY[expression.operator], 0, -1);
      case 'logical': {
        this.#value(expression.left, bound);
        const decided = this.#jump(LOGICAL[expression.operator], -1);
        this.#value(expression.right, bound);
        return this.#land(decided);
      }
      case 'conditional':
        return this.#branch(
          expression.condition,
          bound,
          () => this.#value(expression.then, bound),
          () => this.#value(expression.otherwise, bound),
        );
      case 'object':
        this.#emit(bytecode.OP_OBJECT, 0, 0);
        for (const field of expression.fields) this.#field(field, bound);
        return this.#emit(bytecode.OP_FINISH, 0, 1);
      case 'array':
        this.#emit(bytecode.OP_LIST, 0, 0);
        for (const item of expression.items) {
          this.#value('spread' in item ? item.spread : item.value, bound);
          this.#emit('spread' in item ? bytecode.OP_ITEMS : bytecode.OP_ITEM, 0, -1);
        }
        return this.#emit(bytecode.OP_FINISH, 0, 1);
      case 'call':
        for (const argument of expression.arguments) this.#value(argument, bound);
        return this.#call(expression.name, expression.arguments.length);
      case 'each':
        this.#value(expression.of, bound);
        return this.#callback(EACH[expression.method], expression, bound, 0);
      case 'reduce':
        this.#value(expression.of, bound);
        this.#value(expression.initial, bound);
        return this.#callback(bytecode.OP_REDUCE, expression, bound, -1);
      case 'let':
        this.#bind(expression.value, bound);
        return this.#value(expression.body, bound + 1);
      case 'in':
        return this.#emit(bytecode.OP_IN, this.#state(expression.state), 1);
      case 'set':
      case 'remove':
      case 'append': {
        this.#value(expression.of, bound);
        for (const step of expression.path) this.#key(step, bound);
        const steps = expression.path.length;
        if (steps > bytecode.PATH_MAX) throw new Unlowerable(`a path has ${steps} steps`);
        if (expression.kind !== 'remove') this.#value(expression.value, bound);
        return this.#emit(UPDATE[expression.kind], steps, -steps - (expression.kind === 'remove' ? 0 : 1));
      }
    }
  }

  #root(name: (Expression & { kind: 'root' })['name']): void {
    const { hasParams, isContext } = this.#draft;
    if (name === 'params' && hasParams) return this.#emit(bytecode.OP_LOCAL, 0, 1);
    if (name === 'input' && isContext) return this.#emit(bytecode.OP_ROOT, bytecode.ROOT_INPUT, 1);
    if ((name === 'event' || name === 'context') && !isContext)
      return this.#emit(bytecode.OP_ROOT, name === 'event' ? bytecode.ROOT_EVENT : bytecode.ROOT_CONTEXT, 1);
    return this.#emit(bytecode.OP_LITERAL, bytecode.TAG_UNDEFINED, 1);
  }

  #member({ of, key, optional }: Member, bound: number): void {
    if (of.kind === 'root' && typeof key === 'string' && !this.#draft.isContext) {
      if (of.name === 'context') {
        const cell = this.#cellNumbers.get(key);
        return cell === undefined ? this.#emit(bytecode.OP_LITERAL, bytecode.TAG_UNDEFINED, 1) : this.#emit(bytecode.OP_CELL, cell, 1);
      }
      if (of.name === 'event') return this.#emit(bytecode.OP_FIELD, this.#constant(key), 1);
    }
    this.#value(of, bound);
    const missing = optional ? this.#jump(bytecode.OP_OPTIONAL, 0) : undefined;
    if (typeof key === 'string') this.#emit(bytecode.OP_MEMBER, this.#constant(key), 0);
    else {
      this.#value(key, bound);
      this.#emit(bytecode.OP_INDEX, 0, -1);
    }
    if (missing !== undefined) this.#land(missing);
  }

  #field(field: Field, bound: number): void {
    if ('spread' in field) {
      this.#value(field.spread, bound);
      return this.#emit(bytecode.OP_PUT_ALL, 0, -1);
    }
    if (typeof field.key === 'string') {
      this.#value(field.value, bound);
      return this.#emit(bytecode.OP_PUT, this.#constant(field.key), -1);
    }
    this.#value(field.key, bound);
    this.#value(field.value, bound);
    return this.#emit(bytecode.OP_PUT_KEY, 0, -2);
  }

  #key(step: Step, bound: number): void {
    if (typeof step === 'string') this.#literal(step);
    else this.#value(step, bound);
  }

  #call(name: string, count: number): void {
    const number = CALLS.indexOf(name);
    assert(number >= 0 && count <= bytecode.CALL_ARGUMENTS_MAX, 'the tree knows no other function');
    this.#emit(bytecode.OP_CALL, number | (count << 8), 1 - count);
  }

  #state(id: string): number {
    const name = id.startsWith('#') ? id.slice(1) : id;
    const number = this.#symbols.states.findIndex((state) => state.id === name);
    if (number < 0) throw new Unlowerable(`no state has the id '${name}'`);
    return number;
  }

  /** Both ways leave the stack alike. */
  #branch(condition: Expression, bound: number, then: () => void, otherwise: () => void): void {
    this.#value(condition, bound);
    const toOtherwise = this.#jump(bytecode.OP_JUMP_FALSE, -1);
    const { depth } = this.#draft;
    then();
    const toEnd = this.#jump(bytecode.OP_JUMP, 0);
    this.#draft.depth = depth;
    this.#land(toOtherwise);
    otherwise();
    this.#land(toEnd);
  }

  #bind(value: Expression, bound: number): void {
    this.#value(value, bound);
    this.#emit(bytecode.OP_BIND, this.#local(this.#draft.base + bound), -1);
  }

  /** A program of its own; its number is above that of what it is in. */
  #callback(operation: number, expression: Each | (Expression & { kind: 'reduce' }), bound: number, change: number): void {
    const outer = this.#draft;
    const number = this.#programs.push([]) - 1;
    if (number > layout.NONE16) throw new Unlowerable('the machine has too many callbacks');
    const local = this.#local(outer.base + bound);
    this.#draft = { ...outer, code: [], depth: 0 };
    this.#value(expression.body, bound + boundBy(expression));
    this.#programs[number] = this.#finish();
    this.#draft = outer;
    this.#emit(operation, number | (local << 16), change);
  }

  // ── Writes ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Writes the fields of what the expression is; all of them are there before the first is written. */
  #writes(expression: Expression, bound: number): void {
    switch (expression.kind) {
      case 'undefined':
        return;
      case 'root':
        // The context itself: nothing changes.
        if (expression.name === 'context' && !this.#draft.isContext) return;
        break;
      case 'conditional':
        return this.#branch(
          expression.condition,
          bound,
          () => this.#writes(expression.then, bound),
          () => this.#writes(expression.otherwise, bound),
        );
      case 'let':
        this.#bind(expression.value, bound);
        return this.#writes(expression.body, bound + 1);
      case 'object':
        return this.#writeFields(expression.fields, bound);
      case 'literal':
        if (!isFields(expression.value)) break;
        return this.#writeFields(
          Object.entries(expression.value).map(([key, value]) => ({ key, value: { kind: 'literal', value } })),
          bound,
        );
    }
    this.#value(expression, bound);
    this.#emit(bytecode.OP_MERGE, 0, -1);
  }

  #writeFields(fields: readonly Field[], bound: number): void {
    const made: (string | undefined)[] = [];
    for (const field of fields) {
      // The context itself at the beginning changes nothing; behind others it takes them back, as far as it has those keys.
      if (made.length === 0 && 'spread' in field && field.spread.kind === 'root' && field.spread.name === 'context') continue;
      if ('spread' in field) this.#value({ kind: 'object', fields: [field] }, bound);
      else this.#value(field.value, bound);
      made.push('spread' in field ? undefined : (field.key as string));
    }
    if (made.includes(undefined)) return this.#writeInOrder(made, bound);
    const written = new Set<string>();
    for (const key of (made as string[]).reverse()) {
      if (written.has(key)) this.#emit(bytecode.OP_DROP, 0, -1);
      else this.#emit(bytecode.OP_WRITE, this.#cellNumbers.get(key)!, -1);
      written.add(key);
    }
  }

  /** With spreads among them they are put aside first: what comes later wins. */
  #writeInOrder(made: readonly (string | undefined)[], bound: number): void {
    const first = this.#draft.base + bound;
    for (let i = made.length - 1; i >= 0; i--) this.#emit(bytecode.OP_BIND, this.#local(first + i), -1);
    made.forEach((key, i) => {
      this.#emit(bytecode.OP_LOCAL, first + i, 1);
      if (key === undefined) this.#emit(bytecode.OP_MERGE, 0, -1);
      else this.#emit(bytecode.OP_WRITE, this.#cellNumbers.get(key)!, -1);
    });
  }
}

function tagOf(constant: Json): number {
  if (typeof constant === 'number') return bytecode.TAG_NUMBER;
  return typeof constant === 'string' ? bytecode.TAG_STRING : bytecode.TAG_TREE;
}
