// The strings and trees behind the cells of a core: immutable JSON values under handles, counted by the cells of instances that hold them.
// Equal strings that are alive have one handle, so that the core compares handles. What a step makes and no cell keeps is let go one step
// later, when nobody can read its records any more. Answers what programs ask about the inside of a value (assembly/layout, OP_HOST).

import * as bytecode from '../assembly/program-layout.ts';
import { call, fault, keyOf, numberOf, operate, update } from './calls.ts';
import { ExpressionFault } from './errors.ts';
import { isFields } from './fields.ts';
import type { Json, Value } from './json.ts';
import { plain } from './plain.ts';
import type { CoreValues, Memory, ValueHost } from './wasm.ts';

/** Values that one tree may have inside, characters by the sixteen; and the same that one step may build. */
const WEIGHT_MAX = 1_000_000;
const WORK_MAX = 8_000_000;
const CHARACTERS = 16;

const FAULTS = [
  `more than ${bytecode.ELEMENTS_MAX} elements in one step`,
  'an object has a field that this context has no place for',
  'only an assign writes',
];

const weights = new WeakMap<object, number>();

export class Values implements CoreValues {
  readonly #core: Memory;
  readonly #slots: (Json | undefined)[] = [undefined, ''];
  readonly #counts: number[] = [0, 1];
  /** The step in which it was made, met again or let go. */
  readonly #ages: number[] = [0, 0];
  readonly #strings = new Map([['', bytecode.HANDLE_EMPTY]]);
  readonly #free: number[] = [];
  /** Handles that may have no cell. */
  #loose: number[] = [];
  #step = 0;
  #work = 0;
  /** Arrays and objects begun and not finished. */
  #open: (Json[] | Map<string, Json>)[] = [];

  constructor(core: Memory) {
    this.#core = core;
  }

  /** Strings and trees that are kept at the moment. */
  get size(): number {
    return this.#slots.length - 2 - this.#free.length;
  }

  // ── Cells ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param at address of a cell. */
  get(at: number): Value {
    const { words } = this.#core;
    switch (words[at >>> 2]) {
      case bytecode.TAG_UNDEFINED:
        return undefined;
      case bytecode.TAG_NULL:
        return null;
      case bytecode.TAG_FALSE:
        return false;
      case bytecode.TAG_TRUE:
        return true;
      case bytecode.TAG_NUMBER:
        return this.#core.numbers[(at + bytecode.CELL_NUMBER) >>> 3]!;
      default:
        return this.#slots[words[(at + bytecode.CELL_HANDLE) >>> 2]!]!;
    }
  }

  /** Writes a value into a cell that keeps nothing alive. */
  put(at: number, value: Value): void {
    const { words, numbers } = this.#core;
    let tag = bytecode.TAG_UNDEFINED;
    let handle = 0;
    let number = 0;
    if (typeof value === 'number') {
      tag = bytecode.TAG_NUMBER;
      if (!Number.isFinite(value)) throw fault('a number', 'a finite one', value);
      number = value === 0 ? 0 : value;
    } else if (typeof value === 'string') {
      tag = bytecode.TAG_STRING;
      handle = this.#handleOf(value);
    } else if (value === null) tag = bytecode.TAG_NULL;
    else if (typeof value === 'boolean') tag = value ? bytecode.TAG_TRUE : bytecode.TAG_FALSE;
    else if (value !== undefined) {
      tag = bytecode.TAG_TREE;
      handle = this.#add(value);
    }
    words[at >>> 2] = tag;
    words[(at + bytecode.CELL_HANDLE) >>> 2] = handle;
    numbers[(at + bytecode.CELL_NUMBER) >>> 3] = number;
  }

  /** Makes a cell of an instance keep what is in it alive, or no longer. */
  count(at: number, change: 1 | -1): void {
    const { words } = this.#core;
    if (words[at >>> 2]! >= bytecode.TAG_STRING) this.#count(words[(at + bytecode.CELL_HANDLE) >>> 2]!, change);
  }

  /** A value that stays. @returns its handle. */
  keep(value: Json): number {
    const handle = typeof value === 'string' ? this.#handleOf(value) : this.#add(value);
    this.#count(handle, 1);
    return handle;
  }

  #count(handle: number, change: number): void {
    if ((this.#counts[handle]! += change) > 0) return;
    this.#ages[handle] = this.#step;
    this.#loose.push(handle);
  }

  #handleOf(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) {
      this.#ages[known] = this.#step;
      return known;
    }
    const handle = this.#add(text);
    this.#strings.set(text, handle);
    return handle;
  }

  #add(value: Json): number {
    const handle = this.#free.pop() ?? this.#slots.length;
    this.#slots[handle] = value;
    this.#counts[handle] = 0;
    this.#ages[handle] = this.#step;
    this.#loose.push(handle);
    return handle;
  }

  /** Lets go of what has had no cell since the step before. To be called when nobody will read that one's records. */
  collect(): void {
    const loose: number[] = [];
    for (const handle of this.#loose) {
      const value = this.#slots[handle];
      if (value === undefined || this.#counts[handle]! > 0) continue;
      if (this.#ages[handle]! >= this.#step) {
        loose.push(handle);
        continue;
      }
      if (typeof value === 'string') this.#strings.delete(value);
      this.#slots[handle] = undefined;
      this.#free.push(handle);
    }
    this.#loose = loose;
    this.#step += 1;
    this.#work = 0;
    if (this.#open.length > 0) this.#open = [];
  }

  /** A step ended: counts what its cells hold now and held before. */
  #end(cells: number, writes: number): number {
    if (writes !== 0) {
      const { words } = this.#core;
      const first = words[(writes + bytecode.WRITES_ENTRIES) >>> 2]!;
      const end = first + words[writes >>> 2]! * bytecode.WRITE_SIZE;
      for (let entry = first; entry < end; entry += bytecode.WRITE_SIZE) {
        const was = entry + bytecode.WRITE_WAS;
        const is = cells + words[entry >>> 2]! * bytecode.CELL_SIZE;
        if (words[was >>> 2] === words[is >>> 2] && words[(was >>> 2) + 1] === words[(is >>> 2) + 1]) continue;
        this.count(is, 1);
        this.count(was, -1);
      }
    }
    this.collect();
    return 0;
  }

  // ── Questions of programs ──────────────────────────────────────────────────────────────────────────────────────

  /** @returns below zero never; throws ExpressionFault, or what the gate for plain JSON throws. */
  ask(operation: number, at: number, argument: number, handle: number, host: ValueHost): number {
    switch (operation) {
      case bytecode.VALUE_END:
        return this.#end(at, argument);
      case bytecode.VALUE_RESULT:
        return host.result(argument, this.get(at));
      case bytecode.VALUE_FAULT:
        throw new ExpressionFault(FAULTS[argument]!);
      case bytecode.VALUE_LENGTH:
        return this.#arrayAt(at, 'a callback').length;
      case bytecode.VALUE_ELEMENT:
        this.put(at + bytecode.CELL_SIZE, this.#arrayAt(at, 'a callback')[argument]);
        return 0;
      case bytecode.VALUE_FIELDS: {
        const fields = this.get(at);
        if (fields === undefined) return 0;
        return Object.keys(objectOf(fields, 'an assign')).length;
      }
      case bytecode.VALUE_NAMED: {
        const fields = objectOf(this.get(at), 'an assign');
        const name = host.cells()[argument]!;
        if (!Object.hasOwn(fields, name)) return 0;
        this.put(at + bytecode.CELL_SIZE, fields[name]);
        return 1;
      }
      case bytecode.OP_FIELD: {
        const key = this.#slots[handle] as string;
        const event = host.eventOf(argument);
        const found = Object.hasOwn(event, key) ? event[key] : undefined;
        this.put(at, found === undefined ? undefined : plain(found, `/${key}`));
        return 0;
      }
      case bytecode.OP_MEMBER:
        this.put(at, keyOf(this.get(at), this.#slots[handle] as string));
        return 0;
      default:
        return this.#build(operation, at, argument, handle, host);
    }
  }

  #build(operation: number, at: number, argument: number, handle: number, host: ValueHost): number {
    switch (operation) {
      case bytecode.OP_ROOT: {
        if (argument === bytecode.ROOT_CONTEXT) this.put(at, this.read(handle, host.cells()));
        else {
          const found = argument === bytecode.ROOT_INPUT ? host.input() : host.eventOf(handle);
          this.put(at, found === undefined ? undefined : plain(found, ''));
        }
        return 0;
      }
      case bytecode.OP_LIST:
        this.#open.push([]);
        return 0;
      case bytecode.OP_OBJECT:
        this.#open.push(new Map());
        return 0;
      case bytecode.OP_ITEM:
      case bytecode.OP_ITEMS:
      case bytecode.OP_FLAT:
        this.#addItem(operation, this.get(at));
        return 0;
      case bytecode.OP_PUT:
        this.#addField(this.#slots[handle] as string, this.get(at));
        return 0;
      case bytecode.OP_PUT_KEY:
        this.#addField(String(keyText(this.get(at))), this.get(at + bytecode.CELL_SIZE));
        return 0;
      case bytecode.OP_PUT_ALL: {
        const spread = this.get(at);
        if (typeof spread === 'string' ? spread !== '' : Array.isArray(spread)) throw fault('...', 'an object', spread);
        if (isFields(spread)) for (const key of Object.keys(spread)) this.#addField(key, spread[key]);
        return 0;
      }
      case bytecode.OP_FINISH: {
        const made = this.#open.pop();
        if (made === undefined) throw new ExpressionFault('nothing was begun');
        this.#made(at, Array.isArray(made) ? made : Object.fromEntries(made));
        return 0;
      }
      case bytecode.OP_CALL: {
        const values = this.#cells(at, argument >>> 8);
        for (const value of values) this.#charge(value);
        this.#made(at, call(argument & 0xff, values));
        return 0;
      }
      case bytecode.OP_INDEX:
        this.put(at, keyOf(this.get(at), keyText(this.get(at + bytecode.CELL_SIZE))));
        return 0;
      case bytecode.OP_NEGATE:
        this.put(at, -numberOf(this.get(at), '-'));
        return 0;
      case bytecode.OP_SET:
      case bytecode.OP_REMOVE:
      case bytecode.OP_APPEND: {
        const [of, ...keys] = this.#cells(at, argument + 1);
        const path = keys.map(keyText);
        const value = operation === bytecode.OP_REMOVE ? undefined : this.get(at + (argument + 1) * bytecode.CELL_SIZE);
        this.#made(at, update(operation, of, path, value));
        return 0;
      }
      default:
        this.#made(at, operate(operation, this.get(at), this.get(at + bytecode.CELL_SIZE)));
        return 0;
    }
  }

  /** The object of an instance's cells. */
  read(cells: number, names: readonly string[]): { readonly [key: string]: Json } {
    const made: Record<string, Json> = {};
    for (let i = 0; i < names.length; i++) {
      const value = this.get(cells + i * bytecode.CELL_SIZE);
      if (value !== undefined) made[names[i]!] = value;
    }
    return Object.freeze(made);
  }

  #cells(at: number, count: number): Value[] {
    const values: Value[] = [];
    for (let i = 0; i < count; i++) values.push(this.get(at + i * bytecode.CELL_SIZE));
    return values;
  }

  #arrayAt(at: number, what: string): readonly Json[] {
    const value = this.get(at);
    if (Array.isArray(value)) return value as readonly Json[];
    throw fault(what, 'an array', value);
  }

  /** Adds to the array begun last. */
  #addItem(operation: number, value: Value): void {
    const list = this.#open.at(-1);
    if (!Array.isArray(list)) throw new ExpressionFault('no array was begun');
    if (Array.isArray(value) && operation !== bytecode.OP_ITEM) {
      this.#charge(value as Json);
      for (const item of value as readonly Json[]) list.push(item);
    } else if (operation === bytecode.OP_ITEMS) throw fault('... in an array', 'an array', value);
    else if (value === undefined) throw fault('an array', 'elements', value);
    else list.push(value);
  }

  #addField(key: string, value: Value): void {
    const fields = this.#open.at(-1);
    if (!(fields instanceof Map)) throw new ExpressionFault('no object was begun');
    if (key === '__proto__') throw fault('an object', 'a field of another name', key);
    if (value === undefined) fields.delete(key);
    else fields.set(key, value);
  }

  /** A value that a program made enters: plain, and of a size that ends. */
  #made(at: number, value: Value): void {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'string') {
        this.#charge(value);
        if (value.length > WEIGHT_MAX) throw fault('a string', `at most ${WEIGHT_MAX} characters`, undefined, `${value.length}`);
      }
      this.put(at, value);
      return;
    }
    this.#charge(value);
    if (weightOf(value) > WEIGHT_MAX) throw fault('a value', `at most ${WEIGHT_MAX} values inside`, undefined, 'more');
    this.put(at, plain(value, ''));
  }

  #charge(value: Value): void {
    if (typeof value === 'string') this.#work += 1 + value.length / CHARACTERS;
    else if (Array.isArray(value)) this.#work += 1 + value.length;
    else this.#work += 1;
    if (this.#work > WORK_MAX) throw new ExpressionFault(`more than ${WORK_MAX} values made in one step`);
  }
}

function objectOf(value: Value, what: string): { readonly [key: string]: Json } {
  if (isFields(value)) return value;
  throw fault(what, 'an object', value);
}

function keyText(value: Value): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw fault('a key', 'a string or a number', value);
}

/** Values inside, each as often as it is there. Remembered: parts are shared, and a tree of shared parts can be larger than any memory. */
function weightOf(value: Json): number {
  if (typeof value === 'string') return 1 + value.length / CHARACTERS;
  if (typeof value !== 'object' || value === null) return 1;
  const known = weights.get(value);
  if (known !== undefined) return known;
  let weight = 1;
  for (const part of Array.isArray(value) ? (value as readonly Json[]) : Object.values(value)) weight += weightOf(part as Json);
  weights.set(value, weight);
  return weight;
}
