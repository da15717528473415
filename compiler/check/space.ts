// The configurations met so far, numbered from 0 in the order in which they were met, and for each the one it was first reached from and by
// which event. A configuration is kept as its form: {place, word} for each of its words that is not zero, because of a large chart few states
// are active at a time. Everything lies in the core's memory, where no garbage collector looks: a configuration takes its form, 16 bytes and
// its share of the table.

import { LockstepError } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';

const TABLE_FIRST = 1 << 11;
const RECORDS_FIRST = 1 << 10;

/** Of a record, in words: where its form begins, the hash of that, where it was first reached from, by which event, and its mark. */
const RECORD = 4;
const BEGIN = 0;
const HASH = 1;
const PARENT = 2;
const EVENT = 3;
const EVENT_MASK = 0xffff;
const MARK = 1 << 16;

/** Where an initial configuration comes from. */
export const NOWHERE = 0xffff_ffff;

export class Space {
  readonly wordsEach: number;
  count = 0;
  readonly #core: Core;
  /** The forms, one behind the other. */
  readonly #forms: Block;
  #end = 0;
  readonly #records: Block;
  /** Open addressing, never more than half full: number + 1, or 0. */
  #table: Block;
  /** Of the form that find() saw last, and where in the table it belongs. */
  #hash = 0;
  #slot = 0;

  /**
   * @param wordsEach of a configuration, zero or not.
   * @throws LockstepError CORE when memory is exhausted, as add() does.
   */
  constructor(core: Core, wordsEach: number) {
    this.#core = core;
    this.wordsEach = wordsEach;
    this.#forms = new Block(core, RECORDS_FIRST * 4);
    this.#records = new Block(core, RECORDS_FIRST * RECORD);
    this.#table = new Block(core, TABLE_FIRST);
    this.#table.clear();
  }

  /** @returns the number of the configuration whose form stands among the core's words, or -1 when it is new; add() then gives it the number `count`. */
  find(at: number, length: number): number {
    const { words } = this.#core;
    const hash = hashOf(words, at, length);
    const table = this.#table.at;
    const records = this.#records.at + HASH;
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (; words[table + slot] !== 0; slot = (slot + 1) & mask) {
      const number = words[table + slot]! - 1;
      if ((words[records + number * RECORD]! | 0) === hash && this.#isAt(number, at, length)) return number;
    }
    this.#hash = hash;
    this.#slot = slot;
    return -1;
  }

  /** Takes in what find() has just not known. */
  add(at: number, length: number, parent: number, event: number): void {
    const number = this.count;
    const begin = this.#end;
    this.#end = begin + length;
    if (this.#end > this.#forms.length) this.#forms.grow(this.#end);
    if ((number + 1) * RECORD > this.#records.length) this.#records.grow((number + 1) * RECORD);
    const { words } = this.#core;
    const form = this.#forms.at + begin;
    for (let i = 0; i < length; i++) words[form + i] = words[at + i]!;
    const record = this.#records.at + number * RECORD;
    words[record + BEGIN] = begin;
    words[record + HASH] = this.#hash;
    words[record + PARENT] = parent;
    words[record + EVENT] = event;
    words[this.#table.at + this.#slot] = number + 1;
    this.count = number + 1;
    if (this.count * 2 > this.#table.length) this.#growTable();
  }

  /** Where among the core's words the forms begin, until the next add(). */
  get forms(): number {
    return this.#forms.at;
  }

  /** Where behind that the form of a configuration is. */
  begin(number: number): number {
    return this.#core.words[this.#records.at + number * RECORD + BEGIN]!;
  }

  /** Where it ends. */
  end(number: number): number {
    return number + 1 === this.count ? this.#end : this.begin(number + 1);
  }

  /** All words of a configuration, zeros too. */
  whole(number: number): Uint32Array {
    const { words } = this.#core;
    const whole = new Uint32Array(this.wordsEach);
    const end = this.forms + this.end(number);
    for (let at = this.forms + this.begin(number); at < end; at += 2) whole[words[at]!] = words[at + 1]!;
    return whole;
  }

  /** Whether a bit of a configuration is set. */
  has(number: number, bit: number): boolean {
    const { words } = this.#core;
    const place = bit >>> 5;
    const end = this.forms + this.end(number);
    for (let at = this.forms + this.begin(number); at < end; at += 2)
      if (words[at] === place) return ((words[at + 1]! >>> (bit & 31)) & 1) === 1;
    return false;
  }

  /** The configuration it was first reached from, or NOWHERE. */
  parent(number: number): number {
    return this.#core.words[this.#records.at + number * RECORD + PARENT]!;
  }

  /** What was given to add(): by which event it was first reached. */
  event(number: number): number {
    return this.#core.words[this.#records.at + number * RECORD + EVENT]! & EVENT_MASK;
  }

  /** Keeps one bit with a configuration. */
  mark(number: number): void {
    this.#core.words[this.#records.at + number * RECORD + EVENT]! |= MARK;
  }

  isMarked(number: number): boolean {
    return (this.#core.words[this.#records.at + number * RECORD + EVENT]! & MARK) !== 0;
  }

  /** Gives its memory back; `count` stays. */
  dispose(): void {
    for (const block of [this.#forms, this.#records, this.#table]) block.dispose();
  }

  #isAt(number: number, at: number, length: number): boolean {
    const { words } = this.#core;
    const begin = this.begin(number);
    if (this.end(number) - begin !== length) return false;
    const form = this.forms + begin;
    for (let i = 0; i < length; i++) if (words[form + i] !== words[at + i]) return false;
    return true;
  }

  #growTable(): void {
    const larger = new Block(this.#core, this.#table.length * 2);
    larger.clear();
    this.#table.dispose();
    this.#table = larger;
    const { words } = this.#core;
    const mask = larger.length - 1;
    for (let number = 0; number < this.count; number++) {
      let slot = words[this.#records.at + number * RECORD + HASH]! & mask;
      while (words[larger.at + slot] !== 0) slot = (slot + 1) & mask;
      words[larger.at + slot] = number + 1;
    }
  }
}

/** Words of the core's memory. */
class Block {
  readonly #core: Core;
  /** Index of its first word among the core's. */
  at: number;
  length: number;

  constructor(core: Core, length: number) {
    this.#core = core;
    this.length = length;
    this.at = this.#allocate(length);
  }

  clear(): void {
    this.#core.words.fill(0, this.at, this.at + this.length);
  }

  /** Moves to where there is room for at least twice as many, and for `length`. */
  grow(length: number): void {
    const longer = Math.max(this.length * 2, length);
    const to = this.#allocate(longer);
    this.#core.words.copyWithin(to, this.at, this.at + this.length);
    this.dispose();
    this.at = to;
    this.length = longer;
  }

  dispose(): void {
    this.#core.exports.release(this.at << 2, this.length << 2);
  }

  #allocate(length: number): number {
    const pointer = this.#core.exports.allocate(length << 2);
    if (pointer < 0) throw new LockstepError('CORE', `no memory for ${length} words of configurations`);
    return pointer >>> 2;
  }
}

/** Multipliers and finalizer: MurmurHash3; the one for places is 2^32 by the golden ratio. @returns a signed word. */
function hashOf(words: Uint32Array, at: number, length: number): number {
  let hash = length;
  for (let i = at; i < at + length; i += 2) {
    hash = Math.imul(hash ^ words[i + 1]! ^ Math.imul(words[i]!, 0x9e37_79b9), 0xcc9e_2d51);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
