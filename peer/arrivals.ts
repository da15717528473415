// What arrives on a link: kept until somebody listens, told in order, and its end once. Links differ in where frames come from; this part of
// their contract is the same for all (peer/link.ts).

import type { Frame, LinkEvents } from './link.ts';

export class Arrivals {
  #events: LinkEvents | undefined;
  /** Frames that came before anyone listened. */
  #early: Frame[] = [];
  #isStopped = false;
  #end: { readonly code: number; readonly reason: string } | undefined;

  /** Nothing more will be told but the end: this side or the other has closed the link. */
  get isClosed(): boolean {
    return this.#isStopped || this.#end !== undefined;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    const early = this.#early;
    this.#early = [];
    for (const frame of early) if (!this.#isStopped) events.frame(frame);
    if (this.#end !== undefined) events.closed(this.#end.code, this.#end.reason);
  }

  frame(frame: Frame): void {
    if (this.isClosed) return;
    if (this.#events === undefined) this.#early.push(frame);
    else this.#events.frame(frame);
  }

  /** This side closes: frames that nobody has heard yet are left out. `end` follows, in a later turn. */
  stop(): void {
    this.#isStopped = true;
    this.#early = [];
  }

  /** How it ended; the first one counts. */
  end(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, reason };
    this.#events?.closed(code, reason);
  }
}
