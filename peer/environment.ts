// Everything that a peer takes from the outside world. Node, browsers and the simulator each pass their own; nothing in core/ or peer/
// reads a clock, rolls a die or starts a timer by itself.

export interface Environment {
  /** Milliseconds since the epoch. */
  now(): number;
  /** An integer in [0, 2^53). */
  random(): number;
  /**
   * Runs `callback` once, at the end of the current turn of the event loop.
   * @param isHasty whether it may run before that, when what runs now has done its work.
   */
  defer(callback: () => void, isHasty?: boolean): void;
  /** Runs `callback` once after `delayMs`. @returns a function that cancels it. */
  timer(delayMs: number, callback: () => void): () => void;
}
