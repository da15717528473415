// What a socket is written, and when: one system call for all that a turn of the event loop says to it. A room's frames, and a client's, which say
// all that a turn made them say at once, leave as soon as the callback that is running has done its work: by then the turn's steps, or events,
// have become one frame, and waiting for another turn would only add one to its way. Where a room of many is told one thing after another, the
// writing is nearly all that it costs; a stream may therefore rest after such a write, and what comes meanwhile leaves together when that is over.
// What is written to one stream keeps its order.                                                                        (RELAY-21)

import type { Duplex } from 'node:stream';
import type { Rest } from './rest.ts';

/** Those that have something to write. */
let waiting: Outlet[] = [];
/** Whether they do so at the end of the turn, and whether sooner. */
let isPlanned = false;
let isRushed = false;
/** The rests that begin when those have written. */
let beginning: Rest[] = [];

function flushPlanned(): void {
  isPlanned = false;
  flushAll();
}

function flushAll(): void {
  const outlets = waiting;
  waiting = [];
  isRushed = false;
  const rests = beginning;
  beginning = [];
  for (const outlet of outlets) outlet.flush();
  for (const rest of rests) rest.begin();
}

function plan(): void {
  if (isPlanned || isRushed) return;
  isPlanned = true;
  setImmediate(flushPlanned);
}

function rush(): void {
  if (isRushed) return;
  isRushed = true;
  process.nextTick(flushAll);
}

/** Bytes that do not wait for the end of a rest. */
const REST_SIZE = 32_768;

// ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of an outlet that has nothing to write; never written to. */
const NONE: Uint8Array[] = [];

/** Bytes up to which frames are copied together: more would cost more than writing them one by one. */
const JOIN_SIZE = 65_536;

/** What was joined last: members of a room mostly wait for the same frames. Frames are added to a list, and never taken out. */
let joined: { readonly frames: readonly Uint8Array[]; readonly count: number; readonly bytes: Uint8Array } = {
  frames: [],
  count: 0,
  bytes: new Uint8Array(),
};

function join(frames: readonly Uint8Array[]): Uint8Array {
  if (!isJoined(frames)) joined = { frames, count: frames.length, bytes: Buffer.concat(frames) };
  return joined.bytes;
}

function isJoined(frames: readonly Uint8Array[]): boolean {
  if (frames.length !== joined.count) return false;
  if (frames === joined.frames) return true;
  for (let i = 0; i < frames.length; i++) if (frames[i] !== joined.frames[i]) return false;
  return true;
}

export class Outlet {
  readonly #stream: Duplex;
  /** What waits, in order: frames of its own, mostly one, or, as long as it hears nothing else, a part of what is said in a rest. */
  #first: Uint8Array | undefined;
  #others: Uint8Array[] = NONE;
  #sharedFrom = 0;
  #sharedUntil = 0;
  #size = 0;
  /** What the stream had not handed to the network when it was last looked at. */
  #unsent = 0;
  /** Whether it is among those that are flushed next. */
  #isWaiting = false;
  /** The rest that wakes it. */
  #rest: Rest | undefined;

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
    this.#wait(bytes);
    plan();
  }

  /**
   * The same for what does not wait for the end of the turn.
   * @param bytes others are told the same ones. @param rest of the room that says it; who is in haste does not wait for its end.
   */
  writeSoon(bytes: Uint8Array, rest?: Rest): void {
    if (rest?.isResting === true && !this.#isWaiting && this.#size + bytes.byteLength < REST_SIZE) return this.#sleep(bytes, rest);
    if (rest !== undefined && rest !== beginning.at(-1)) beginning.push(rest);
    this.#wait(bytes);
    rush();
  }

  #wait(bytes: Uint8Array): void {
    this.#push(bytes);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    waiting.push(this);
  }

  #sleep(bytes: Uint8Array, rest: Rest): void {
    if (this.#rest === undefined) {
      this.#rest = rest;
      rest.add(this);
    }
    if (this.#rest === rest && this.#first === undefined) {
      const place = rest.say(bytes);
      if (!this.#isSharing) this.#sharedFrom = this.#sharedUntil = place;
      // It may not have been told everything.
      if (place === this.#sharedUntil) {
        this.#sharedUntil++;
        this.#size += bytes.byteLength;
        return;
      }
    }
    this.#push(bytes);
  }

  get #isSharing(): boolean {
    return this.#sharedUntil > this.#sharedFrom;
  }

  #push(bytes: Uint8Array): void {
    if (this.#isSharing) [this.#first, ...this.#others] = this.#unshare();
    if (this.#first === undefined) this.#first = bytes;
    else if (this.#others === NONE) this.#others = [bytes];
    else this.#others.push(bytes);
    this.#size += bytes.byteLength;
  }

  #unshare(): readonly Uint8Array[] {
    const shared = this.#rest!.said(this.#sharedFrom, this.#sharedUntil);
    this.#sharedFrom = this.#sharedUntil = 0;
    return shared;
  }

  wake(): void {
    this.flush();
    this.#rest = undefined;
  }

  flush(): void {
    this.#isWaiting = false;
    if (this.#size === 0) return;
    if (this.#isSharing) return this.#writeOut(this.#unshare());
    const first = this.#first!;
    const others = this.#others;
    this.#first = undefined;
    this.#others = NONE;
    if (others !== NONE) return this.#writeOut([first, ...others]);
    this.#size = 0;
    this.#write(first);
  }

  #writeOut(frames: readonly Uint8Array[]): void {
    const size = this.#size;
    this.#size = 0;
    if (frames.length === 1) this.#write(frames[0]!);
    else if (size <= JOIN_SIZE) this.#write(join(frames));
    else {
      this.#stream.cork();
      for (const frame of frames) this.#write(frame);
      this.#stream.uncork();
      this.#unsent = this.#stream.writableLength;
    }
  }

  /** A stream that ended meanwhile takes nothing any more. */
  #write(bytes: Uint8Array): void {
    if (!this.#stream.writable) return;
    this.#stream.write(bytes);
    this.#unsent = this.#stream.writableLength;
  }
}
