// What a socket is written, and when: one system call for all that a turn of the event loop says to it. A room's frames, and a client's, which say
// all that a turn made them say at once, leave as soon as the callback that is running has done its work: by then the turn's steps, or events,
// have become one frame, and waiting for another turn would only add one to its way. Where a room of many is told one thing after another, the
// writing is nearly all that it costs; a stream may therefore rest after such a write, and what comes meanwhile leaves together when that is over.
// What is written to one stream keeps its order.                                                                        (RELAY-21)

import type { Duplex } from 'node:stream';
import type { Rest } from './rest.ts';

/** Those that have something to write. */
let waiting: Outlet[] = [];
let isRushed = false;
/** The rests that begin when those have written. */
let beginning: Rest[] = [];

function flushAll(): void {
  const outlets = waiting;
  waiting = [];
  isRushed = false;
  const rests = beginning;
  beginning = [];
  for (const outlet of outlets) outlet.flush();
  for (const rest of rests) rest.begin();
}

function flushSoon(outlet: Outlet): void {
  if (waiting.push(outlet) === 1) setImmediate(flushAll);
}

function rush(): void {
  if (isRushed) return;
  isRushed = true;
  process.nextTick(flushAll);
}

/** Bytes that do not wait for the end of a rest. */
const REST_SIZE = 32_768;

// ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes up to which frames are copied together: more would cost more than writing them one by one. */
const JOIN_SIZE = 65_536;

/** What was joined last: members of a room mostly wait for the same frames. */
let joined: { readonly frames: readonly Uint8Array[]; readonly bytes: Uint8Array } = { frames: [], bytes: new Uint8Array() };

function join(frames: readonly Uint8Array[]): Uint8Array {
  if (!isJoined(frames)) joined = { frames, bytes: Buffer.concat(frames) };
  return joined.bytes;
}

function isJoined(frames: readonly Uint8Array[]): boolean {
  if (frames.length !== joined.frames.length) return false;
  for (let i = 0; i < frames.length; i++) if (frames[i] !== joined.frames[i]) return false;
  return true;
}

export class Outlet {
  readonly #stream: Duplex;
  /** What waits, in order. */
  #frames: Uint8Array[] = [];
  #size = 0;
  /** What the stream had not handed to the network when it was last looked at. */
  #unsent = 0;
  /** Whether it is among those that are flushed next, and whether it is among the sleepers of a rest. */
  #isWaiting = false;
  #isAsleep = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Bytes that the network has not taken yet. */
  get bufferedBytes(): number {
    if (this.#unsent > 0) this.#unsent = this.#stream.writableLength;
    return this.#size + this.#unsent;
  }

  /** @param bytes not to be changed afterwards. */
  write(bytes: Uint8Array): void {
    this.#frames.push(bytes);
    this.#size += bytes.byteLength;
    this.#wait();
  }

  /** The same for what does not wait for the end of the turn. @param rest of the room that says it; who is in haste does not wait for its end. */
  writeSoon(bytes: Uint8Array, rest?: Rest): void {
    if (rest?.isResting === true && !this.#isWaiting && this.#size + bytes.byteLength < REST_SIZE) return this.#sleep(bytes, rest);
    if (rest !== undefined && rest !== beginning.at(-1)) beginning.push(rest);
    this.write(bytes);
    rush();
  }

  #sleep(bytes: Uint8Array, rest: Rest): void {
    this.#frames.push(bytes);
    this.#size += bytes.byteLength;
    if (this.#isAsleep) return;
    this.#isAsleep = true;
    rest.add(this);
  }

  wake(): void {
    this.#isAsleep = false;
    this.flush();
  }

  flush(): void {
    this.#isWaiting = false;
    if (this.#size > 0) this.#writeOut(this.#frames);
  }

  #writeOut(frames: readonly Uint8Array[]): void {
    const size = this.#size;
    this.#frames = [];
    this.#size = 0;
    const stream = this.#stream;
    // A stream that ended meanwhile takes nothing any more.
    if (!stream.writable) return;
    if (frames.length === 1) stream.write(frames[0]);
    else if (size <= JOIN_SIZE) stream.write(join(frames));
    else {
      stream.cork();
      for (const frame of frames) stream.write(frame);
      stream.uncork();
    }
    this.#unsent = stream.writableLength;
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    flushSoon(this);
  }
}
