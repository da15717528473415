// Answers to hello that are kept back for a moment, because the peer asked for more with it: both leave together when that is answered, in one
// write. After a restart of the relay everyone comes at once, and a write is most of what a peer costs it then.            (RELAY-17)

import type { Environment } from '../peer/environment.ts';
import type { Frame } from '../peer/link.ts';
import type { Neighbour } from './neighbour.ts';

/** Milliseconds; a peer knows that it is connected so much later, at most. */
const HOLD_MS = 20;

export class Patience {
  readonly #environment: Environment;
  #waiting: Neighbour[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** It leaves with the next frame to this neighbour, or in a moment. */
  hold(neighbour: Neighbour, answer: Frame): void {
    neighbour.hold(answer);
    if (this.#waiting.push(neighbour) > 1) return;
    this.#environment.timer(HOLD_MS, () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const each of waiting) each.release();
    });
  }
}
