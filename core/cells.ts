// The context of an instance whose home is the core: one cell for each top-level key, behind its history. Made into an object when somebody
// asks, and into the same object while nothing was written; the difference a step made is read off the cells that it wrote.

import { INSTANCE_HOME, RECORD_ASSIGN, RECORD_WRITE } from '../assembly/layout.ts';
import {
  CELL_NUMBER,
  CELL_SIZE,
  HOME_OUTSIDE,
  HOME_READ,
  HOME_WRITTEN,
  TAG_NUMBER,
  TAG_UNDEFINED,
  WRITE_SIZE,
  WRITE_WAS,
  WRITES_ENTRIES,
} from '../assembly/program-layout.ts';
import { diffInto, KEY_SIZE, OPERATION_SIZE, preferReplace, sizeOf } from './diff.ts';
import { isFields } from './fields.ts';
import type { ContextMark, Json, JsonObject, Value } from './json.ts';
import type { Operation } from './patch.ts';
import { escapePointer } from './plain.ts';
import type { Values } from './values.ts';
import type { Core, CoreCells } from './wasm.ts';

const NOTHING: readonly Operation[] = Object.freeze([]);

export class Cells implements CoreCells {
  readonly names: readonly string[];
  readonly sizeBytes: number;
  readonly #core: Core;
  readonly #values: Values;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #pointers: readonly string[];
  /** Bytes from the beginning of an instance to its cells. */
  readonly #offset: number;
  /** Where the core says what a step wrote. */
  readonly #writes: number;

  constructor(core: Core, values: Values, strideBytes: number, names: readonly string[]) {
    this.#core = core;
    this.#values = values;
    this.names = names;
    this.sizeBytes = names.length * CELL_SIZE;
    this.#numbers = new Map(names.map((name, cell) => [name, cell]));
    this.#pointers = names.map((name) => `/${escapePointer(name)}`);
    this.#offset = strideBytes - this.sizeBytes;
    this.#writes = core.exports.writes();
  }

  /** HOME_READ, HOME_WRITTEN or HOME_OUTSIDE. */
  home(instance: number): number {
    return this.#core.words[(instance + INSTANCE_HOME) >>> 2]!;
  }

  setHome(instance: number, home: number): void {
    this.#core.words[(instance + INSTANCE_HOME) >>> 2] = home;
  }

  /** @param last what they were when they were read before. @returns it when they are still that. */
  read(instance: number, last: Json): Json {
    this.setHome(instance, HOME_READ);
    const made = this.#values.read(instance + this.#offset, this.names);
    return isFields(last) && isShallowSame(last, made) ? last : made;
  }

  /**
   * The cells become those of `context`. One that is no object or has a key without a cell stays outside: the instance then takes no events.
   * @param last what they are.
   */
  write(instance: number, last: Json, context: Json): void {
    const values = this.#values;
    const isWithin = isFields(context) && Object.keys(context).every((key) => this.#numbers.has(key));
    const was = this.home(instance) === HOME_OUTSIDE || !isFields(last) ? {} : last;
    const is = isWithin ? (context as JsonObject) : {};
    this.names.forEach((name, cell) => {
      const value = Object.hasOwn(is, name) ? is[name] : undefined;
      if (value === (Object.hasOwn(was, name) ? was[name] : undefined)) return;
      const at = instance + this.#offset + cell * CELL_SIZE;
      values.count(at, -1);
      values.put(at, value);
      values.count(at, 1);
    });
    values.collect();
    this.setHome(instance, isWithin ? HOME_READ : HOME_OUTSIDE);
  }

  /** What they hold is kept alive once more, or once less. */
  count(instance: number, change: 1 | -1): void {
    for (let cell = 0; cell < this.names.length; cell++) this.#values.count(instance + this.#offset + cell * CELL_SIZE, change);
  }

  // ── What a step wrote ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The difference that the last step made.
   * @param owner has the context after it; asked when several keys changed, to see whether to replace all of it.
   */
  patch(instance: number, owner: { readonly context: Json }): readonly Operation[] {
    const { words } = this.#core;
    const count = words[this.#writes >>> 2]!;
    if (count === 0) return NOTHING;
    const first = words[(this.#writes + WRITES_ENTRIES) >>> 2]!;
    return count === 1 ? this.#change(instance, words[first >>> 2]!, first) : this.#changes(instance, owner, count, first);
  }

  /** The difference of a quiet step that said itself which number it replaced. */
  replaced(instance: number, cell: number): readonly Operation[] {
    const value = this.#core.numbers[(instance + this.#offset + cell * CELL_SIZE + CELL_NUMBER) >>> 3]!;
    return [{ op: 'replace', path: this.#pointers[cell]!, value }];
  }

  #changes(instance: number, owner: { readonly context: Json }, count: number, first: number): readonly Operation[] {
    const { words } = this.#core;
    const entries: number[] = [];
    for (let i = 0; i < count; i++) entries.push(first + i * WRITE_SIZE);
    entries.sort((a, b) => words[a >>> 2]! - words[b >>> 2]!);
    const operations: Operation[] = [];
    // What goes comes first.
    for (const isRemoving of [true, false])
      for (const entry of entries) {
        const cell = words[entry >>> 2]!;
        if (!this.#isThere(instance, cell) === isRemoving)
          for (const operation of this.#change(instance, cell, entry)) operations.push(operation);
      }
    if (operations.length > 1 && !this.#isLonger(instance, sizeOf(operations, 0))) preferReplace(operations, 0, '', owner.context);
    return operations;
  }

  #isThere(instance: number, cell: number): boolean {
    return this.#core.words[(instance + this.#offset + cell * CELL_SIZE) >>> 2] !== TAG_UNDEFINED;
  }

  /** Whether replacing the whole context takes more than that, whatever is in it: its keys tell, so that it need not be made. */
  #isLonger(instance: number, size: number): boolean {
    let least = OPERATION_SIZE;
    for (let cell = 0; cell < this.names.length && least < size; cell++)
      if (this.#isThere(instance, cell)) least += this.names[cell]!.length + KEY_SIZE + 1;
    return least >= size;
  }

  #change(instance: number, cell: number, entry: number): readonly Operation[] {
    const { words, numbers } = this.#core;
    const at = instance + this.#offset + cell * CELL_SIZE;
    // The difference that is made most often.
    if (words[at >>> 2] !== TAG_NUMBER || words[(entry + WRITE_WAS) >>> 2] !== TAG_NUMBER)
      return this.#difference(this.#pointers[cell]!, entry + WRITE_WAS, at);
    const number = numbers[(at + CELL_NUMBER) >>> 3]!;
    if (number === numbers[(entry + WRITE_WAS + CELL_NUMBER) >>> 3]) return NOTHING;
    return [{ op: 'replace', path: this.#pointers[cell]!, value: number }];
  }

  /** Of two cells. */
  #difference(path: string, before: number, after: number): readonly Operation[] {
    const was = this.#values.get(before);
    const is = this.#values.get(after);
    if (was === is) return NOTHING;
    if (is === undefined) return [{ op: 'remove', path }];
    if (was === undefined) return [{ op: 'add', path, value: is }];
    if (typeof is !== 'object' || typeof was !== 'object') return [{ op: 'replace', path, value: is }];
    const operations: Operation[] = [];
    diffInto(operations, path, was, is);
    return operations;
  }

  /** The contexts that effects of the last step saw: the one before, and the one after each assign. */
  marks(before: Json, words: Uint32Array, from: number, count: number): readonly ContextMark[] {
    const values = this.#values;
    const log = this.#core.exports.log();
    const marks: ContextMark[] = [{ from: 0, context: before }];
    let now: Readonly<Record<string, Value>> = isFields(before) ? before : {};
    let isNew = false;
    for (let number = 0; number < count; number++) {
      const record = words[from + number * 2]!;
      const kind = record >>> 24;
      if (kind === RECORD_WRITE) {
        const name = this.names[record & 0xffffff]!;
        now = { ...now, [name]: values.get(log + number * CELL_SIZE) };
        isNew = true;
      } else if (isNew || kind === RECORD_ASSIGN) {
        if (isNew) marks.push({ from: number, context: this.#ordered(now) });
        isNew = false;
      }
    }
    return marks;
  }

  #ordered(fields: Readonly<Record<string, Value>>): Json {
    const made: Record<string, Json> = {};
    for (const name of this.names) if (fields[name] !== undefined) made[name] = fields[name];
    return Object.freeze(made);
  }

  isWritten(instance: number): boolean {
    return this.home(instance) === HOME_WRITTEN;
  }
}

function isShallowSame(a: JsonObject, b: JsonObject): boolean {
  for (const key in b) if (a[key] !== b[key] || !Object.hasOwn(a, key)) return false;
  for (const key in a) if (!Object.hasOwn(b, key)) return false;
  return true;
}
