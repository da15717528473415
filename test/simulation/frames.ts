// Reads frames as docs/PROTOCOL.md describes them, text and packed, on a socket of one peer and on a line of a shared one. Written from that
// page; imports nothing of the product. Of packed steps it reads the numbers, and of a packed event that it is one.

export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

export interface ReadFrame {
  /** Of a shared socket; '' when it is about the socket itself. */
  readonly line: string | undefined;
  readonly address: string;
  readonly messages: readonly Message[];
}

const TO_RELAY = 0;
const TO_SERVER = 1;
const TO_PEER = 2;
const TO_OWN_ROOM = 3;
const FROM_ROOM = 4;
const PEER_ROOM = 5;
const LINE = 6;
const SEEN = 0x20;
const SEEN_DIGEST = 1;
const SEEN_PATCH = 2;
const SEEN_CLOCKS = 4;
const STEP = 0x40;
const SEND = 0x80;
const STEP_DIGEST = 0x20;
const STEP_COUNT = 0x1f;
const DIGEST_SIZE = 8;
const CAUSE = 1;
const NUMBER = 2;
const PATCH = 4;
const MORE = 8;
const TICKED = 0x20;
/** A step told by its event: the upper half of its flags. */
const EVENT_UNIT = 0x10;
const EVENT = 3;
const TICKED_MANY = 7;
const REMOVE = 2;

export function readFrame(frame: string | Uint8Array): ReadFrame {
  return typeof frame === 'string' ? readText(frame) : readPacked(frame);
}

function readText(frame: string): ReadFrame {
  const end = frame.indexOf('\n');
  const address = frame.slice(0, end);
  const body = frame.slice(end + 1);
  if (address === '=') return { line: '', address: '', messages: [JSON.parse(body) as Message] };
  if (address.startsWith('=')) return { ...readText(body), line: address.slice(1) };
  return { line: undefined, address, messages: messagesIn(body) };
}

type Brief = readonly [method: string, ...params: unknown[]];

/** One message, or an array of them; those without an envelope are arrays that begin with their method. */
function messagesIn(body: string): readonly Message[] {
  const read = JSON.parse(body) as Message | Brief | readonly (Message | Brief)[];
  const all = Array.isArray(read) && typeof read[0] !== 'string' ? (read as readonly (Message | Brief)[]) : [read as Message | Brief];
  return all.map((each) => ('length' in each ? { method: each[0], params: each.slice(1) } : each));
}

function readPacked(frame: Uint8Array): ReadFrame {
  const reader = new Reader(frame);
  const head = reader.whole();
  if (head === LINE) {
    const line = String(reader.whole());
    return { ...readPacked(frame.subarray(reader.at)), line };
  }
  return { line: undefined, address: addressOf(head, reader), messages: messagesOf(reader) };
}

function addressOf(head: number, reader: Reader): string {
  if (head === TO_RELAY) return '';
  if (head === TO_SERVER) return 'server';
  if (head === TO_PEER) return reader.text();
  if (head === TO_OWN_ROOM) return `#${reader.whole()}`;
  if (head === FROM_ROOM) return `#${reader.text()}/${reader.whole()}`;
  if (head === PEER_ROOM) return `${reader.text()}#${reader.whole()}`;
  const room = Math.floor((head - LINE - 1) / 2);
  return head % 2 === 1 ? `#server/${room}` : `server#${room}`;
}

function messagesOf(reader: Reader): readonly Message[] {
  const messages: Message[] = [];
  while (!reader.isAtEnd) {
    const head = reader.byte();
    if (head === 0) messages.push(...messagesIn(reader.text()));
    else if (head < STEP) messages.push(seenOf(head, reader));
    else if (head < SEND) messages.push(stepsOf(head, reader));
    else return [...messages, { method: 'send' }];
  }
  return messages;
}

/** What a view showed, and shows now: how many operations lie between. */
function seenOf(head: number, reader: Reader): Message {
  const flags = head - SEEN;
  if ((flags & SEEN_DIGEST) !== 0) reader.skip(DIGEST_SIZE);
  const seq = reader.whole();
  const base = seq - reader.whole();
  if ((flags & SEEN_CLOCKS) !== 0) skipClocks(reader, reader.whole());
  const count = (flags & SEEN_PATCH) !== 0 ? reader.whole() : 0;
  skipOperations(reader, count);
  return { method: 'seen', params: [0, base, seq, Array.from({ length: count }, () => null)] };
}

/** The seqs of its steps; without steps the digest of a room that fell quiet. */
function stepsOf(head: number, reader: Reader): Message {
  const short = (head - STEP) & STEP_COUNT;
  const count = short === STEP_COUNT ? reader.whole() : short;
  if (((head - STEP) & STEP_DIGEST) !== 0) reader.skip(DIGEST_SIZE);
  const first = reader.whole();
  for (let i = 0; i < count; i++) skipStep(reader);
  return { method: 'step', params: [0, Array.from({ length: count }, (_, i) => [first + i])] };
}

function skipStep(reader: Reader): void {
  const flags = reader.byte();
  if ((flags & CAUSE) !== 0) reader.whole();
  if ((flags & NUMBER) !== 0) reader.whole();
  if (Math.floor(flags / EVENT_UNIT) === EVENT) return skipEvent(reader, flags);
  const short = Math.floor(flags / TICKED);
  skipClocks(reader, short === TICKED_MANY ? reader.whole() : short);
  if ((flags & PATCH) !== 0) skipOperations(reader, reader.whole());
  if ((flags & MORE) !== 0) reader.skipValue();
}

function skipClocks(reader: Reader, count: number): void {
  for (let left = count; left > 0; left--) if (reader.whole() % 2 === 1) reader.whole();
}

function skipOperations(reader: Reader, count: number): void {
  for (let left = count; left > 0; left--) {
    const operation = reader.whole();
    if (operation < REMOVE + 1) reader.text();
    if (operation % (REMOVE + 1) !== REMOVE) reader.skipValue();
  }
}

function skipEvent(reader: Reader, flags: number): void {
  if (reader.whole() === 0) reader.text();
  if ((flags & PATCH) !== 0) reader.skipValue();
  if ((flags & MORE) !== 0 && reader.whole() % 2 === 1) reader.whole();
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const next = this.#bytes[this.at++];
    if (next === undefined) throw new Error('a frame that is not as the page of the protocol says');
    return next;
  }

  skip(count: number): void {
    this.at += count;
  }

  whole(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const next = this.byte();
      value += (next & 0x7f) * unit;
      if (next < 0x80) return value;
    }
  }

  skipValue(): void {
    const value = this.whole();
    if (value % 2 === 1) this.at += Math.floor(value / 2);
  }

  text(): string {
    const size = this.whole();
    const from = this.at;
    this.at += size;
    return new TextDecoder().decode(this.#bytes.subarray(from, this.at));
  }
}
