// One who follows the trace of a peer: hears its backlog, then what happens, in order, and asks again when the peer comes back.

import type { Session } from './session.ts';
import { readTrace } from './trace-shapes.ts';
import type { PeerId, Traced } from './wire.ts';

export class Follower {
  readonly peer: PeerId;
  readonly #heard: (record: Traced) => void;
  /** What came while the backlog was on its way. */
  #early: Traced[] | undefined;

  constructor(peer: PeerId, heard: (record: Traced) => void) {
    this.peer = peer;
    this.#heard = heard;
  }

  /** @throws LockstepError as the peer answered. */
  async follow(session: Session, backlog: number): Promise<void> {
    this.#early = [];
    const answer = await session.request('trace', { on: true, backlog });
    const steps = readTrace(answer.steps);
    const early = this.#early;
    this.#early = undefined;
    // For one who followed already, the frames that were under way before the answer are in the backlog too.
    const told = new Set(steps.map((record) => JSON.stringify(record)));
    for (const record of steps) this.#heard(record);
    for (const record of early) if (!told.has(JSON.stringify(record))) this.#heard(record);
  }

  /** There is a new session with the peer. */
  resume(session: Session): void {
    // A peer that refuses now has become another one; there is nobody to tell.
    this.follow(session, 0).catch(() => undefined);
  }

  hear(records: readonly Traced[]): void {
    if (this.#early !== undefined) this.#early.push(...records);
    else for (const record of records) this.#heard(record);
  }
}
