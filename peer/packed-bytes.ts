// The bytes that the packed encoding is made of: whole numbers in as few bytes as they need (LEB128), texts, values, and the header that
// says where a binary frame goes. Reading is a gate: whatever is not exactly what writing makes is MALFORMED.   (docs/PROTOCOL.md, Packed)

import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Half of a surrogate pair has no UTF-8. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;
/** Above it a number is not exact any more, or cannot be doubled. */
const WHOLE_MAX = 2 ** 52;

/** Characters of a text that is written one by one: handing it to the encoder costs more. */
const SHORT_MAX = 64;

function isShortAscii(text: string): boolean {
  if (text.length > SHORT_MAX) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

/** Bytes; what needs more gets memory of its own. */
const SPARE_SIZE = 1_024;
/** What writers write into, lent to one at a time: memory for each would cost more than most messages. */
let spare: Uint8Array | undefined;

function borrow(): Uint8Array {
  const bytes = spare ?? new Uint8Array(SPARE_SIZE);
  spare = undefined;
  return bytes;
}

export class ByteWriter {
  #bytes = borrow();
  #size = 0;
  /** Whether everything that was written can be read back as it was. */
  isFaithful = true;

  byte(value: number): void {
    this.#grow(1);
    this.#bytes[this.#size++] = value;
  }

  /** A whole number from 0 on: seven bits in a byte, the lowest first; the top bit says that more follow. */
  whole(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  text(text: string): void {
    if (isShortAscii(text)) {
      this.whole(text.length);
      return this.#ascii(text);
    }
    if (LONE_SURROGATE.test(text)) this.isFaithful = false;
    const bytes = encoder.encode(text);
    this.whole(bytes.length);
    this.raw(bytes);
  }

  /** Twice a whole number, or twice the size of the JSON text that follows and one more. */
  value(value: Json): void {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < WHOLE_MAX) return this.whole(value * 2);
    const text = JSON.stringify(value);
    if (isShortAscii(text)) {
      this.whole(text.length * 2 + 1);
      return this.#ascii(text);
    }
    const bytes = encoder.encode(text);
    this.whole(bytes.length * 2 + 1);
    this.raw(bytes);
  }

  #ascii(text: string): void {
    this.#grow(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#size++] = text.charCodeAt(i);
  }

  /** All of it, once: nothing is written after that. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#size);
    if (this.#bytes.length === SPARE_SIZE) spare = this.#bytes;
    return taken;
  }

  #grow(by: number): void {
    if (this.#size + by <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + by));
    larger.set(this.#bytes.subarray(0, this.#size));
    if (this.#bytes.length === SPARE_SIZE) spare = this.#bytes;
    this.#bytes = larger;
  }
}

/** @throws LockstepError MALFORMED from every method, when the bytes are not what it reads. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.malformed('a byte, found the end');
    this.#at++;
    return byte;
  }

  whole(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw this.malformed('a whole number up to 2^53 - 1, found more');
      if (byte >= 0x80) continue;
      if (byte === 0 && scale > 1) throw this.malformed('a number in as few bytes as it needs, found more');
      return value;
    }
  }

  raw(size: number): Uint8Array {
    const left = this.#bytes.length - this.#at;
    if (size > left) throw this.malformed(`${size} bytes, found ${left}`);
    return this.#bytes.subarray(this.#at, (this.#at += size));
  }

  text(size: number = this.whole()): string {
    const short = size <= SHORT_MAX ? this.#ascii(size) : undefined;
    if (short !== undefined) return short;
    try {
      return decoder.decode(this.raw(size));
    } catch (error) {
      throw error instanceof LockstepError ? error : this.malformed('UTF-8, found something else');
    }
  }

  /** A short text of nothing but ASCII, without the decoder; undefined, and nothing is read, when it is another. */
  #ascii(size: number): string | undefined {
    const end = this.#at + size;
    if (end > this.#bytes.length) return undefined;
    let text = '';
    for (let at = this.#at; at < end; at++) {
      const byte = this.#bytes[at]!;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    this.#at = end;
    return text;
  }

  value(): unknown {
    const head = this.whole();
    return head % 2 === 0 ? head / 2 : this.json((head - 1) / 2);
  }

  json(size: number): unknown {
    const text = this.text(size);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw this.malformed('JSON, found something else');
    }
  }

  malformed(what: string): LockstepError {
    return new LockstepError('MALFORMED', `byte ${this.#at} of a packed frame: expected ${what}`);
  }
}

// ── Headers ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What instances without an owner in their name live at. */
const SERVER = 'server';
const NAME_MAX = 64;

/** First numbers of a header; from ROOM_FIRST on it is the whole header: a room of the server, doubled, and whether it is a peer that speaks in it. */
const RELAY = 0;
const TO_SERVER = 1;
const PEER = 2;
const OWN_ROOM = 3;
const ROOM = 4;
const IN_ROOM = 5;
const LINE = 6;
const ROOM_FIRST = 7;

/** Addresses of the server's first rooms: a text that is made anew is hashed anew wherever it is looked up. */
const ROOMS_MAX = 64;
const rooms: string[] = [];

/** @param address "" the relay, `peer`, `#room`, `#peer/room`, `peer#room`: that peer, about a room of its own (from a relay: of the reader's), or `=line` of a shared socket. */
export function writeAddress(writer: ByteWriter, address: string): void {
  const hash = address.indexOf('#');
  if (address === '') return writer.whole(RELAY);
  if (address === SERVER) return writer.whole(TO_SERVER);
  if (address.startsWith('=')) {
    writer.whole(LINE);
    return writer.whole(Number(address.slice(1)));
  }
  if (hash < 0) {
    writer.whole(PEER);
    return writer.text(address);
  }
  const slash = address.indexOf('/');
  const room = Number(address.slice(Math.max(hash, slash) + 1));
  if (hash === 0 && slash < 0) {
    writer.whole(OWN_ROOM);
    return writer.whole(room);
  }
  const peer = hash > 0 ? address.slice(0, hash) : address.slice(1, slash);
  if (peer === SERVER) return writer.whole(ROOM_FIRST + room * 2 + (hash > 0 ? 1 : 0));
  writer.whole(hash > 0 ? IN_ROOM : ROOM);
  writer.text(peer);
  writer.whole(room);
}

/** @throws LockstepError MALFORMED */
export function readAddress(reader: ByteReader): string {
  const head = reader.whole();
  if (head >= ROOM_FIRST) {
    const room = Math.floor((head - ROOM_FIRST) / 2);
    if ((head - ROOM_FIRST) % 2 !== 0) return `${SERVER}#${room}`;
    return room < ROOMS_MAX ? (rooms[room] ??= `#${SERVER}/${room}`) : `#${SERVER}/${room}`;
  }
  if (head === RELAY) return '';
  if (head === TO_SERVER) return SERVER;
  if (head === LINE) return `=${reader.whole()}`;
  if (head === OWN_ROOM) return `#${reader.whole()}`;
  const size = reader.whole();
  if (size === 0 || size > NAME_MAX) throw reader.malformed(`a peer's name of 1 to ${NAME_MAX} bytes, found ${size}`);
  const peer = reader.text(size);
  if (!/^[\w-]+$/.test(peer) || peer === SERVER) throw reader.malformed('the name of a peer, found something else');
  if (head === PEER) return peer;
  return head === ROOM ? `#${peer}/${reader.whole()}` : `${peer}#${reader.whole()}`;
}
