// One who follows the trace of a peer: hears its backlog, then what happens, in order and once each. When the peer is back it asks for what
// it has missed, as far as the peer keeps it.                                                                                     (SYNC-21)

import type { Session } from './session.ts';
import { readTrace } from './trace-shapes.ts';
import type { PeerId, Traced } from './wire.ts';

/** Records that are asked for when the peer is back: all that it keeps. As many are recognised when they come again. */
const MISSED_MAX = 1_024;

export class Follower {
  readonly peer: PeerId;
  readonly #heard: (record: Traced) => void;
  /** The newest records that can come again, by what names them; the oldest first. */
  readonly #known = new Set<string>();
  /** Questions without an answer: a link that was lost and is back asks while the one before may still be answered. */
  #asking = 0;
  /** What came meanwhile. */
  #early: Traced[] = [];
  /** The peer has answered once. */
  #follows = false;

  constructor(peer: PeerId, heard: (record: Traced) => void) {
    this.peer = peer;
    this.#heard = heard;
  }

  /** @throws LockstepError as the peer answered; nothing is heard then. */
  async follow(session: Session, backlog: number): Promise<void> {
    // One at least: what comes later is what has been missed when the link was lost.
    await this.#ask(session, Math.max(backlog, 1), (records) => {
      for (const record of records) if (this.#isNew(record) && backlog > 0) this.#heard(record);
    });
  }

  /** There is a new session with the peer. */
  resume(session: Session): void {
    // A peer that refuses now has become another one; there is nobody to tell.
    this.#ask(session, MISSED_MAX, (records) => {
      for (const kind of ['inspect', 'step']) this.#tell(this.#after(records.filter((record) => record.kind === kind)));
    }).catch(() => undefined);
  }

  hear(records: readonly Traced[]): void {
    if (this.#asking > 0) this.#early.push(...records);
    else this.#tell(records);
  }

  async #ask(session: Session, backlog: number, answered: (records: readonly Traced[]) => void): Promise<void> {
    this.#asking++;
    try {
      const { steps } = await session.request('trace', { on: true, backlog });
      answered(readTrace(steps));
      this.#follows = true;
    } finally {
      this.#asking--;
      if (this.#asking === 0) this.#tell(this.#early.splice(0));
    }
  }

  /** Those behind what was kept when the follower came; all of them when nothing that it knows is kept any more. */
  #after(records: readonly Traced[]): readonly Traced[] {
    return records.slice(records.findIndex((record) => this.#known.has(nameOf(record) ?? '')) + 1);
  }

  #tell(records: readonly Traced[]): void {
    if (!this.#follows) return;
    for (const record of records) if (this.#isNew(record)) this.#heard(record);
  }

  #isNew(record: Traced): boolean {
    const name = nameOf(record);
    if (name === undefined) return true;
    if (this.#known.has(name)) return false;
    this.#known.add(name);
    const [oldest] = this.#known;
    if (this.#known.size > MISSED_MAX) this.#known.delete(oldest!);
    return true;
  }
}

/** Undefined for what a peer tells once and does not keep. */
function nameOf(record: Traced): string | undefined {
  if (record.kind === 'step') return `${record.step.instance} ${record.step.epoch} ${record.step.seq}`;
  return record.kind === 'inspect' ? `${record.peer} ${record.n}` : undefined;
}
