// The configurations met so far: so many words each, numbered from 0 in the order in which they were met, and for each the one it was first
// reached from and by which event. Everything lies in typed arrays, outside the heap of objects: a configuration takes its words, 15 bytes, and
// its share of the table.

/** Configurations per page of the arrays, a power of two: arrays grow by pages, so that growing copies nothing. */
const PAGE_BITS = 10;
const PAGE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE - 1;
const TABLE_FIRST = 1 << 12;

/** Where an initial configuration comes from. */
export const NOWHERE = 0xffff_ffff;

export class Space {
  readonly wordsEach: number;
  count = 0;
  readonly #keys: Uint32Array[] = [];
  readonly #parents: Uint32Array[] = [];
  readonly #events: Uint16Array[] = [];
  readonly #hashes: Uint32Array[] = [];
  readonly #marks: Uint8Array[] = [];
  /** Open addressing, never more than half full: number + 1, or 0. */
  #table = new Uint32Array(TABLE_FIRST);
  /** Of the words that find() saw last. */
  #hash = 0;
  /** Which words of a configuration are not zero, the first `filledCount`: few, in a large chart. */
  readonly filled: Uint16Array;
  filledCount = 0;
  /** The configuration that `filled` is about. */
  #filledOf = -1;

  constructor(wordsEach: number) {
    this.wordsEach = wordsEach;
    this.filled = new Uint16Array(wordsEach);
  }

  /** @returns the number of the configuration with the words from `at` on, or -1 when it is new; add() then gives it the number `count`. */
  find(words: Uint32Array, at: number): number {
    const table = this.#table;
    const mask = table.length - 1;
    const hash = this.#hashOf(words, at);
    this.#hash = hash;
    for (let slot = hash & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const number = table[slot]! - 1;
      if (this.#hashes[number >>> PAGE_BITS]![number & PAGE_MASK] === hash && this.#isAt(number, words, at))
        return (this.#filledOf = number);
    }
    return (this.#filledOf = -1);
  }

  /** Takes in what find() has just not known. */
  add(words: Uint32Array, at: number, parent: number, event: number): void {
    const number = this.count;
    const page = number >>> PAGE_BITS;
    const index = number & PAGE_MASK;
    if (index === 0) this.#addPage();
    const keys = this.#keys[page]!;
    const to = index * this.wordsEach;
    // A new page is zero.
    const { filled, filledCount } = this;
    for (let i = 0; i < filledCount; i++) keys[to + filled[i]!] = words[at + filled[i]!]!;
    this.#filledOf = number;
    this.#parents[page]![index] = parent;
    this.#events[page]![index] = event;
    const hash = this.#hash;
    this.#hashes[page]![index] = hash;
    this.count += 1;
    if (this.count * 2 > this.#table.length) this.#growTable();
    else this.#place(this.#table, hash, number);
  }

  /** Where the words of a configuration are: from place() on in page(). */
  page(number: number): Uint32Array {
    return this.#keys[number >>> PAGE_BITS]!;
  }

  place(number: number): number {
    return (number & PAGE_MASK) * this.wordsEach;
  }

  /** Makes `filled` be about the configuration. */
  look(number: number): void {
    if (this.#filledOf === number) return;
    this.#hashOf(this.page(number), this.place(number));
    this.#filledOf = number;
  }

  /** The configuration it was first reached from, or NOWHERE. */
  parent(number: number): number {
    return this.#parents[number >>> PAGE_BITS]![number & PAGE_MASK]!;
  }

  /** What was given to add(): by which event it was first reached. */
  event(number: number): number {
    return this.#events[number >>> PAGE_BITS]![number & PAGE_MASK]!;
  }

  /** Keeps one bit with a configuration. */
  mark(number: number): void {
    this.#marks[number >>> PAGE_BITS]![number & PAGE_MASK] = 1;
  }

  isMarked(number: number): boolean {
    return this.#marks[number >>> PAGE_BITS]![number & PAGE_MASK] === 1;
  }

  #isAt(number: number, words: Uint32Array, at: number): boolean {
    const keys = this.page(number);
    const from = this.place(number);
    for (let i = 0; i < this.wordsEach; i++) if (keys[from + i] !== words[at + i]) return false;
    return true;
  }

  /** Also finds out which words are filled. Sets of states are sparse: words that are zero are passed over, others are mixed with their place. Multipliers and finalizer: MurmurHash3. */
  #hashOf(words: Uint32Array, at: number): number {
    const { filled, wordsEach } = this;
    let hash = 0;
    let count = 0;
    for (let i = 0; i < wordsEach; i++) {
      while (i + 4 <= wordsEach && (words[at + i]! | words[at + i + 1]! | words[at + i + 2]! | words[at + i + 3]!) === 0) i += 4;
      if (i === wordsEach) break;
      const word = words[at + i]! | 0;
      if (word === 0) continue;
      filled[count++] = i;
      hash = Math.imul(hash ^ word ^ Math.imul(i, 0x9e37_79b9), 0xcc9e_2d51);
      hash ^= hash >>> 15;
    }
    this.filledCount = count;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #addPage(): void {
    this.#keys.push(new Uint32Array(PAGE * this.wordsEach));
    this.#parents.push(new Uint32Array(PAGE));
    this.#events.push(new Uint16Array(PAGE));
    this.#hashes.push(new Uint32Array(PAGE));
    this.#marks.push(new Uint8Array(PAGE));
  }

  #growTable(): void {
    const table = new Uint32Array(this.#table.length * 2);
    for (let number = 0; number < this.count; number++)
      this.#place(table, this.#hashes[number >>> PAGE_BITS]![number & PAGE_MASK]!, number);
    this.#table = table;
  }

  #place(table: Uint32Array, hash: number, number: number): void {
    const mask = table.length - 1;
    let at = hash & mask;
    while (table[at] !== 0) at = (at + 1) & mask;
    table[at] = number + 1;
  }
}
