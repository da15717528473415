// How much one connection is answered in one turn: a short question may have a long answer, and a frame has room for thousands of them. What a
// relay would close the link over is not even made; whoever asked asks again.                                                (SYNC-43)

import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import type { Environment } from './environment.ts';
import { sizeOf } from './shape.ts';
import { LIMITS, type PeerId } from './wire.ts';

/** Characters in one turn: as much as a relay lets wait for one reader. */
export const ANSWERS_MAX = 4 * LIMITS.frameSize;
/** Characters of an answer that nobody needs to wait with: it may say that something was done. */
const SHORT_MAX = 1_024;

/** Who is answered. `load` is the connection's. */
interface Asking {
  readonly load: object;
  readonly remote?: PeerId;
}

export class Answers {
  readonly #environment: Environment;
  /** What was answered in this turn, by connection. */
  readonly #told = new Map<object, number>();
  /** What was counted when it was made: it is answered later. */
  readonly #counted = new WeakSet<object>();
  /** The program of this peer may ask as much as it wants. */
  readonly #self: () => PeerId | undefined;

  constructor(environment: Environment, self: () => PeerId | undefined) {
    this.#environment = environment;
    this.#self = self;
  }

  /** @throws LockstepError TOO_MANY when this is all for this turn. */
  admit({ load }: Asking): void {
    if ((this.#told.get(load) ?? 0) < ANSWERS_MAX) return;
    throw new LockstepError('TOO_MANY', `one connection is answered at most ${ANSWERS_MAX} characters in one turn; ask again`);
  }

  /** It is about to be answered so many characters. */
  add({ load, remote }: Asking, size: number): void {
    if (remote !== undefined && remote === this.#self()) return;
    if (this.#told.size === 0) this.#environment.defer(() => this.#told.clear());
    this.#told.set(load, (this.#told.get(load) ?? 0) + size);
  }

  /** It is about to be answered this. @returns that. @throws LockstepError TOO_MANY when it is not. */
  take<Result>(asking: Asking, result: Result): Result {
    if (typeof result === 'object' && result !== null) {
      if (this.#counted.has(result)) return result;
      this.#counted.add(result);
    }
    const size = sizeOf(result as Json, LIMITS.frameSize);
    if (size > SHORT_MAX) this.admit(asking);
    this.add(asking, size);
    return result;
  }
}
