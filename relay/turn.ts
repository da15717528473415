// One system call per socket and turn of the event loop. What is to be written to a stream waits until the turn ends; when it is a room's, or a
// client's, which says all that a turn made it say at once, it and all else that waits leaves as soon as the callback that is running has done
// its work: by then the turn's steps, or events, have become one frame, and waiting for another turn would only add one to its way.

import type { Duplex } from 'node:stream';

/** Those that have something to write, or hold what others write. */
let waiting: Outlet[] = [];
let isRushed = false;

function flushAll(): void {
  const outlets = waiting;
  waiting = [];
  isRushed = false;
  for (const outlet of outlets) outlet.flush();
}

function flushSoon(outlet: Outlet): void {
  if (waiting.push(outlet) === 1) setImmediate(flushAll);
}

function rush(): void {
  if (isRushed) return;
  isRushed = true;
  process.nextTick(flushAll);
}

export class Outlet {
  readonly #stream: Duplex;
  /** What waits, in order. Nearly always it is one frame: an array for it would be most of what a frame costs here. */
  #first: Uint8Array | undefined;
  #others: Uint8Array[] | undefined;
  #size = 0;
  /** Whether it is among those that wait. */
  #isWaiting = false;
  #isHeld = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Bytes that the network has not taken yet. */
  get bufferedBytes(): number {
    return this.#size + this.#stream.writableLength;
  }

  /** @param bytes not to be changed afterwards. */
  write(bytes: Uint8Array): void {
    if (this.#first === undefined) this.#first = bytes;
    else (this.#others ??= []).push(bytes);
    this.#size += bytes.byteLength;
    this.#wait();
  }

  /** The same for what many streams are written in this turn. */
  writeShared(bytes: Uint8Array): void {
    this.write(bytes);
    rush();
  }

  /** What somebody else writes to the stream until the callback that is running has done its work leaves together. */
  hold(): void {
    if (!this.#isHeld) this.#stream.cork();
    this.#isHeld = true;
    this.#wait();
    rush();
  }

  flush(): void {
    this.#isWaiting = false;
    if (this.#first !== undefined) this.#writeOut(this.#first, this.#others);
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#stream.uncork();
  }

  #writeOut(first: Uint8Array, others: readonly Uint8Array[] | undefined): void {
    this.#first = undefined;
    this.#others = undefined;
    this.#size = 0;
    // A stream that ended meanwhile takes nothing any more.
    if (!this.#stream.writable) return;
    if (others !== undefined) this.#stream.cork();
    this.#stream.write(first);
    if (others === undefined) return;
    for (const other of others) this.#stream.write(other);
    this.#stream.uncork();
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    flushSoon(this);
  }
}
