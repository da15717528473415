// What the core leaves of the steps of an exploration in its own memory: which states were entered and which transitions taken, of which a copy
// is kept when it is done; and of the last step the form of where it ended (space.ts).

import { assert } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';

export class Cover {
  readonly #core: Core;
  /** Where the two sets are, one behind the other. */
  readonly #at: number;
  readonly #stateBytes: number;
  readonly #transitionBytes: number;
  readonly #formBytes: number;
  #kept = new Uint32Array(0);

  /** @param formLength words of the longest form. */
  constructor(core: Core, stateCount: number, transitionCount: number, formLength: number) {
    this.#core = core;
    this.#stateBytes = bytesFor(stateCount);
    this.#transitionBytes = bytesFor(transitionCount);
    this.#formBytes = (formLength + 1) << 2;
    this.#at = core.exports.allocate(this.#sizeBytes);
    assert(this.#at > 0, 'a core that took an image has room for a bit by state and transition, and a configuration');
    core.words.fill(0, this.#at >>> 2, (this.#at + this.#sizeBytes) >>> 2);
  }

  get #sizeBytes(): number {
    return this.#stateBytes + this.#transitionBytes + this.#formBytes;
  }

  get #form(): number {
    return this.#at + this.#stateBytes + this.#transitionBytes;
  }

  /** Where among the core's words the form of the last step begins. */
  get formAt(): number {
    return (this.#form >>> 2) + 1;
  }

  /** From now on the core marks what steps with COVER meet here. */
  attach(): void {
    this.#core.exports.cover(this.#at, this.#stateBytes, this.#transitionBytes, this.#formBytes);
  }

  /** What was marked so far is what isEntered() and isTaken() say. */
  keep(): void {
    this.#kept = this.#core.words.slice(this.#at >>> 2, this.#form >>> 2);
  }

  isEntered(state: number): boolean {
    return ((this.#kept[state >>> 5]! >>> (state & 31)) & 1) === 1;
  }

  isTaken(transition: number): boolean {
    return ((this.#kept[(this.#stateBytes >>> 2) + (transition >>> 5)]! >>> (transition & 31)) & 1) === 1;
  }

  /** Gives its memory back. */
  dispose(): void {
    this.#core.exports.release(this.#at, this.#sizeBytes);
  }
}

/** Of a bit for each of so many, in blocks of 8. */
function bytesFor(count: number): number {
  return ((count + 63) >>> 6) << 3;
}
