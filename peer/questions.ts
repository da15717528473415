// The questions of one peer to all others: their numbers, and those that any link of the peer they went to may answer, as they named none.
// One that was given up, because that peer was not there or left, may reach its next link all the same, whose answer has let this peer into
// a room: it must hear of that to leave it.                                                                        (TOPO-14)

import type { LockstepError } from '../core/errors.ts';
import type { RequestId } from './codec-json.ts';
import type { PeerId } from './wire.ts';

/** Kept at once, the newest: a peer lets nobody into more of its rooms (`watchMax`), and what so many have followed has arrived or never will. */
export const LATE_MAX = 1_000;

/** Called with what came back, or with why nothing will. */
export type Answered = (error: LockstepError | undefined, result: unknown) => void;

export class Questions {
  /** The number of the next one: no two of one link have the same, whomever they are for. */
  next = 1;
  readonly #late = new Map<RequestId, { readonly remote: PeerId; readonly answered: Answered }>();

  /** A question was asked that may be answered after it was given up. */
  keep(id: RequestId, remote: PeerId, answered: Answered): void {
    this.#late.set(id, { remote, answered });
    if (this.#late.size <= LATE_MAX) return;
    const [oldest] = this.#late.keys();
    this.#late.delete(oldest!);
  }

  /** It is answered: whoever asked, if it is one of those. */
  take(id: RequestId, remote: PeerId): Answered | undefined {
    const late = this.#late.get(id);
    if (late?.remote !== remote) return undefined;
    this.#late.delete(id);
    return late.answered;
  }

  /** The link that they were asked on has ended. */
  clear(): void {
    this.#late.clear();
  }
}
