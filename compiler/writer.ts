// Lays the tables of an image out as bytes. Knows assembly/layout, nothing of statecharts. docs/IMAGE.md has the offsets for people.
// Lists, masks and starts are words that are stored once each: equal sequences share a place.

import * as layout from '../assembly/layout.ts';
import { hashText, xxh64 } from '../core/xxh64.ts';
import { assert } from '../core/errors.ts';

/** u32 words; `intern` returns where a sequence begins. */
export class Words {
  readonly #words: number[];
  readonly #places = new Map<string, number>();

  constructor(initial: readonly number[] = []) {
    this.#words = [...initial];
  }

  get values(): readonly number[] {
    return this.#words;
  }

  intern(words: readonly number[]): number {
    const key = words.join(',');
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.#words.length;
    this.#words.push(...words);
    this.#places.set(key, place);
    return place;
  }
}

/** Records of one fixed size: fields are written at their layout offsets. */
export class Records {
  readonly count: number;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(count: number, size: number) {
    this.count = count;
    this.size = size;
    this.bytes = new Uint8Array(count * size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(index: number, offset: number, value: number): void {
    assert(value >= 0 && value <= 0xff, 'a u8 field fits');
    this.#view.setUint8(index * this.size + offset, value);
  }

  u16(index: number, offset: number, value: number): void {
    assert(value >= 0 && value <= 0xffff, 'a u16 field fits');
    this.#view.setUint16(index * this.size + offset, value, true);
  }

  f64(index: number, offset: number, value: number): void {
    this.#view.setFloat64(index * this.size + offset, value, true);
  }

  u32(index: number, offset: number, value: number): void {
    this.#view.setUint32(index * this.size + offset, value >>> 0, true);
  }
}

/** Of a relational machine. */
export interface RelationTables {
  /** By state number. */
  readonly records: Records;
  /** Word index of the order of its states. */
  readonly order: number;
  readonly exception: number;
}

export interface ImageTables {
  readonly semantics: number;
  readonly fuel: number;
  readonly functionCount: number;
  readonly states: Records;
  readonly events: Records;
  readonly transitions: Records;
  readonly histories: Records;
  readonly timers: Records;
  readonly raises: Records;
  readonly relations?: RelationTables;
  readonly lists: readonly number[];
  readonly select: readonly number[];
  readonly candidates: readonly number[];
  readonly programs: Records;
  readonly code: readonly number[];
  readonly constants: Records;
  readonly cellCount: number;
  /** Zero, or one more than the number of the function whose program makes the context. */
  readonly contextFunction: number;
  /** UTF-8. */
  readonly symbols: Uint8Array;
  readonly debug: Uint8Array;
}

/** @returns the bytes of the image and its hash, 16 hex digits, high word first. */
export function writeImage(tables: ImageTables): { bytes: Uint8Array; hash: string } {
  const sections = placeSections(tables);
  const bytes = new Uint8Array(sections.size);
  for (const { place, content } of sections.parts) bytes.set(content, place);

  const view = new DataView(bytes.buffer);
  const put = (offset: number, value: number): void => {
    view.setUint32(offset, value >>> 0, true);
  };
  put(layout.IMAGE_MAGIC, layout.MAGIC);
  put(layout.IMAGE_FORMAT, layout.FORMAT);
  put(layout.IMAGE_SIZE, sections.size);
  put(layout.IMAGE_HASHED_SIZE, sections.hashedSize);
  put(layout.IMAGE_SEMANTICS, tables.semantics);
  put(layout.IMAGE_FUEL, tables.fuel);
  put(layout.IMAGE_STATE_COUNT, tables.states.count);
  put(layout.IMAGE_EVENT_COUNT, tables.events.count - 1);
  put(layout.IMAGE_TRANSITION_COUNT, tables.transitions.count);
  put(layout.IMAGE_HISTORY_COUNT, tables.histories.count);
  put(layout.IMAGE_TIMER_COUNT, tables.timers.count);
  put(layout.IMAGE_RAISE_COUNT, tables.raises.count);
  put(layout.IMAGE_FUNCTION_COUNT, tables.functionCount);
  put(layout.IMAGE_LISTS_COUNT, tables.lists.length);
  put(layout.IMAGE_SELECT_COUNT, tables.select.length);
  put(layout.IMAGE_CANDIDATE_COUNT, tables.candidates.length);
  put(layout.IMAGE_PROGRAM_COUNT, tables.programs.count);
  put(layout.IMAGE_CODE_COUNT, tables.code.length);
  put(layout.IMAGE_CONSTANT_COUNT, tables.constants.count);
  put(layout.IMAGE_CELL_COUNT, tables.cellCount);
  put(layout.IMAGE_CONTEXT_FUNCTION, tables.contextFunction);
  put(layout.IMAGE_SYMBOLS_SIZE, tables.symbols.length);
  for (const { header, place } of sections.parts) put(header, place);
  if (tables.relations !== undefined) {
    put(layout.IMAGE_RELATION_ORDER, tables.relations.order);
    put(layout.IMAGE_RELATION_EXCEPTION, tables.relations.exception);
  }

  const hash = xxh64(bytes.subarray(layout.IMAGE_SEMANTICS, sections.hashedSize));
  view.setBigUint64(layout.IMAGE_HASH, hash, true);
  return { bytes, hash: hashText(hash) };
}

interface Part {
  /** Where in the header its offset is written. */
  readonly header: number;
  readonly place: number;
  readonly content: Uint8Array;
}

/** The debug section is all that lies behind hashedSize: its size stands nowhere in the hashed bytes, so it can be cut off or rewritten. */
function placeSections(tables: ImageTables): { parts: readonly Part[]; hashedSize: number; size: number } {
  const parts: Part[] = [];
  let end = layout.HEADER_SIZE;
  const add = (header: number, content: Uint8Array): void => {
    parts.push({ header, place: end, content });
    end = align(end + content.length);
  };
  add(layout.IMAGE_STATES, tables.states.bytes);
  add(layout.IMAGE_EVENTS, tables.events.bytes);
  add(layout.IMAGE_TRANSITIONS, tables.transitions.bytes);
  add(layout.IMAGE_HISTORIES, tables.histories.bytes);
  add(layout.IMAGE_TIMERS, tables.timers.bytes);
  add(layout.IMAGE_RAISES, tables.raises.bytes);
  if (tables.relations !== undefined) add(layout.IMAGE_RELATIONS, tables.relations.records.bytes);
  add(layout.IMAGE_LISTS, wordBytes(tables.lists));
  add(layout.IMAGE_SELECT, wordBytes(tables.select));
  add(layout.IMAGE_CANDIDATES, wordBytes(tables.candidates));
  add(layout.IMAGE_PROGRAMS, tables.programs.bytes);
  add(layout.IMAGE_CODE, wordBytes(tables.code));
  add(layout.IMAGE_CONSTANTS, tables.constants.bytes);
  add(layout.IMAGE_SYMBOLS, tables.symbols);
  const hashedSize = end;
  add(layout.IMAGE_DEBUG, padded(tables.debug));
  return { parts, hashedSize, size: end };
}

const align = (offset: number): number => Math.ceil(offset / 8) * 8;

/** JSON takes trailing spaces, so the section can fill whole 8-byte units. */
function padded(json: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(json.length)).fill(0x20);
  bytes.set(json);
  return bytes;
}

function wordBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setUint32(index * 4, word >>> 0, true);
  });
  return bytes;
}
