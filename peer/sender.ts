// Hands a mirror's own events to the authority: so many at a time, in order, each under its number, again when the road was cut before the
// answer came back. An answer that is overdue on a link that looks alive is reported, so that the mirror asks where it stands.

import type { LockstepError } from '../core/errors.ts';
import type { Unconfirmed, UnconfirmedEvents } from './unconfirmed.ts';
import type { Upstream } from './upstream.ts';
import { LIMITS } from './wire.ts';

export interface SenderEvents {
  /** `event.answer` is there, or the authority refused it with `error`; then it is not among the unconfirmed any more. */
  answered(event: Unconfirmed, error: LockstepError | undefined): void;
  overdue(): void;
}

/** Whether the road ended before the authority's answer came back, so that nothing is known about it. */
export function isCutOff(error: LockstepError): boolean {
  return error.code === 'CLOSED' || error.code === 'UNREACHABLE' || error.code === 'TIMEOUT';
}

export class Sender {
  readonly #unconfirmed: UnconfirmedEvents;
  readonly #upstream: Upstream;
  readonly #events: SenderEvents;
  #watchdog: (() => void) | undefined;

  constructor(unconfirmed: UnconfirmedEvents, upstream: Upstream, events: SenderEvents) {
    this.#unconfirmed = unconfirmed;
    this.#upstream = upstream;
    this.#events = events;
  }

  /** Sends what may be sent. */
  pump(): void {
    for (const event of this.#unconfirmed.take(LIMITS.unconfirmedMax, this.#upstream.environment.now())) this.#send(event);
  }

  /** A new road: what was not answered on the old one goes first, under its old numbers. (SYNC-8) */
  sendAgain(): void {
    for (const event of this.#unconfirmed.inFlight()) {
      event.sentAt = this.#upstream.environment.now();
      this.#send(event);
    }
    this.pump();
  }

  stop(): void {
    this.#watchdog?.();
    this.#watchdog = undefined;
  }

  #send(event: Unconfirmed): void {
    this.#upstream.send(event, (error, result) => {
      // Of several copies the first answer counts.
      if (event.answer !== undefined || !this.#unconfirmed.has(event)) return;
      if (error !== undefined && isCutOff(error)) return;
      if (error !== undefined) this.#unconfirmed.remove(event);
      else event.answer = result;
      this.#events.answered(event, error);
    });
    this.#watch();
  }

  #watch(): void {
    this.#watchdog ??= this.#upstream.environment.timer(LIMITS.requestTimeoutMs, () => {
      this.#watchdog = undefined;
      const [oldest] = this.#unconfirmed.inFlight();
      if (oldest === undefined) return;
      if (this.#upstream.environment.now() - oldest.sentAt >= LIMITS.requestTimeoutMs) this.#events.overdue();
      else this.#watch();
    });
  }
}
