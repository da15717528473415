// The configurations met so far, numbered from 0 in the order in which they were met, and for each the one it was first reached from and by
// which event. A configuration is kept as its form: {place, word} for each of its words that is not zero, because of a large chart few states
// are active at a time. Everything lies in typed arrays, outside the heap of objects: a configuration takes its form, 16 bytes and its share of
// the table.

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
  /** The forms, one behind the other: of a configuration from begin() to end(). A larger array takes the place of one that is full. */
  forms: Uint32Array;
  #end = 0;
  #records = new Uint32Array(RECORDS_FIRST * RECORD);
  /** Open addressing, never more than half full: number + 1, or 0. */
  #table = new Uint32Array(TABLE_FIRST);
  /** Of the form that find() saw last, and where in the table it belongs. */
  #hash = 0;
  #slot = 0;

  /** @param wordsEach of a configuration, zero or not. */
  constructor(wordsEach: number) {
    this.wordsEach = wordsEach;
    this.forms = new Uint32Array(RECORDS_FIRST * 4);
  }

  /** @returns the number of the configuration whose form is there, or -1 when it is new; add() then gives it the number `count`. */
  find(words: Uint32Array, at: number, length: number): number {
    const hash = hashOf(words, at, length);
    const table = this.#table;
    const mask = table.length - 1;
    let slot = hash & mask;
    for (; table[slot] !== 0; slot = (slot + 1) & mask) {
      const number = table[slot]! - 1;
      if (this.#records[number * RECORD + HASH] === hash && this.#isAt(number, words, at, length)) return number;
    }
    this.#hash = hash;
    this.#slot = slot;
    return -1;
  }

  /** Takes in what find() has just not known. */
  add(words: Uint32Array, at: number, length: number, parent: number, event: number): void {
    const begin = this.#end;
    const end = begin + length;
    if (end > this.forms.length) this.forms = twiceAsLong(this.forms, end);
    const { forms } = this;
    for (let i = 0; i < length; i++) forms[begin + i] = words[at + i]!;
    this.#end = end;
    const number = this.count;
    const record = number * RECORD;
    if (record === this.#records.length) this.#records = twiceAsLong(this.#records, record + RECORD);
    const records = this.#records;
    records[record + BEGIN] = begin;
    records[record + HASH] = this.#hash;
    records[record + PARENT] = parent;
    records[record + EVENT] = event;
    this.count = number + 1;
    this.#table[this.#slot] = number + 1;
    if (this.count * 2 > this.#table.length) this.#growTable();
  }

  begin(number: number): number {
    return this.#records[number * RECORD + BEGIN]!;
  }

  end(number: number): number {
    return number + 1 === this.count ? this.#end : this.begin(number + 1);
  }

  /** All words of a configuration, zeros too. */
  whole(number: number): Uint32Array {
    const whole = new Uint32Array(this.wordsEach);
    for (let at = this.begin(number); at < this.end(number); at += 2) whole[this.forms[at]!] = this.forms[at + 1]!;
    return whole;
  }

  /** Whether a bit of a configuration is set. */
  has(number: number, bit: number): boolean {
    const { forms } = this;
    const place = bit >>> 5;
    for (let at = this.begin(number); at < this.end(number); at += 2)
      if (forms[at] === place) return ((forms[at + 1]! >>> (bit & 31)) & 1) === 1;
    return false;
  }

  /** The configuration it was first reached from, or NOWHERE. */
  parent(number: number): number {
    return this.#records[number * RECORD + PARENT]!;
  }

  /** What was given to add(): by which event it was first reached. */
  event(number: number): number {
    return this.#records[number * RECORD + EVENT]! & EVENT_MASK;
  }

  /** Keeps one bit with a configuration. */
  mark(number: number): void {
    this.#records[number * RECORD + EVENT]! |= MARK;
  }

  isMarked(number: number): boolean {
    return (this.#records[number * RECORD + EVENT]! & MARK) !== 0;
  }

  #isAt(number: number, words: Uint32Array, at: number, length: number): boolean {
    const { forms } = this;
    const begin = this.begin(number);
    if (this.end(number) - begin !== length) return false;
    for (let i = 0; i < length; i++) if (forms[begin + i] !== words[at + i]) return false;
    return true;
  }

  #growTable(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let number = 0; number < this.count; number++) {
      let slot = this.#records[number * RECORD + HASH]! & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = number + 1;
    }
    this.#table = table;
  }
}

/** Multipliers and finalizer: MurmurHash3; the one for places is 2^32 by the golden ratio. */
function hashOf(words: Uint32Array, at: number, length: number): number {
  let hash = length;
  for (let i = at; i < at + length; i += 2) {
    hash = Math.imul(hash ^ words[i + 1]! ^ Math.imul(words[i]!, 0x9e37_79b9), 0xcc9e_2d51);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** @returns a copy of at least twice the length that has room for `length`. */
function twiceAsLong(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(Math.max(array.length * 2, length));
  longer.set(array);
  return longer;
}
