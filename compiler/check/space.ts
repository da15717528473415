// The configurations met so far: so many words each, numbered from 0 in the order in which they were met, and for each the one it was first
// reached from and by which event. Everything lies in typed arrays, outside the heap of objects: a configuration takes its words and 16 bytes.

/** Configurations per page of the arrays, a power of two: arrays grow by pages, so that growing copies nothing. */
const PAGE_BITS = 16;
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
  /** Open addressing, never more than half full: number + 1, or 0. */
  #table = new Uint32Array(TABLE_FIRST);

  constructor(wordsEach: number) {
    this.wordsEach = wordsEach;
  }

  /** @returns the number of the configuration with these words, or -1 when it is new; add() then gives it the number `count`. */
  find(words: Uint32Array): number {
    const table = this.#table;
    const mask = table.length - 1;
    const hash = hashOf(words);
    for (let at = hash & mask; table[at] !== 0; at = (at + 1) & mask) {
      const number = table[at]! - 1;
      if (this.#hashes[number >>> PAGE_BITS]![number & PAGE_MASK] === hash && this.#isAt(number, words)) return number;
    }
    return -1;
  }

  /** Takes in what find() did not know. */
  add(words: Uint32Array, parent: number, event: number): void {
    const number = this.count;
    const page = number >>> PAGE_BITS;
    const index = number & PAGE_MASK;
    if (index === 0) this.#addPage();
    this.#keys[page]!.set(words, index * this.wordsEach);
    this.#parents[page]![index] = parent;
    this.#events[page]![index] = event;
    const hash = hashOf(words);
    this.#hashes[page]![index] = hash;
    this.count += 1;
    if (this.count * 2 > this.#table.length) this.#growTable();
    else this.#place(this.#table, hash, number);
  }

  /** Copies the words of a configuration to `to`. */
  read(number: number, to: Uint32Array): void {
    const keys = this.#keys[number >>> PAGE_BITS]!;
    const from = (number & PAGE_MASK) * this.wordsEach;
    for (let i = 0; i < this.wordsEach; i++) to[i] = keys[from + i]!;
  }

  /** The configuration it was first reached from, or NOWHERE. */
  parent(number: number): number {
    return this.#parents[number >>> PAGE_BITS]![number & PAGE_MASK]!;
  }

  /** The number of the event by which it was first reached. */
  event(number: number): number {
    return this.#events[number >>> PAGE_BITS]![number & PAGE_MASK]!;
  }

  #isAt(number: number, words: Uint32Array): boolean {
    const keys = this.#keys[number >>> PAGE_BITS]!;
    const from = (number & PAGE_MASK) * this.wordsEach;
    for (let i = 0; i < this.wordsEach; i++) if (keys[from + i] !== words[i]) return false;
    return true;
  }

  #addPage(): void {
    this.#keys.push(new Uint32Array(PAGE * this.wordsEach));
    this.#parents.push(new Uint32Array(PAGE));
    this.#events.push(new Uint16Array(PAGE));
    this.#hashes.push(new Uint32Array(PAGE));
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

/** The word-wise mixing of MurmurHash3 (Austin Appleby, public domain), finalizer included: neighbours lie far apart. */
function hashOf(words: Uint32Array): number {
  let hash = 0x9e37_79b9;
  for (let i = 0; i < words.length; i++) {
    let word = Math.imul(words[i]!, 0xcc9e_2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b87_3593);
    hash ^= word;
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
