// Hands a mirror's own events to the authority: so many at a time, in order, each under its number, again when the road was cut before the
// answer came back. An answer that is overdue on a link that looks alive is reported, so that the mirror asks where it stands.

import { LockstepError } from '../core/errors.ts';
import type { Unconfirmed, UnconfirmedEvents } from './unconfirmed.ts';
import type { Environment } from './environment.ts';
import { LIMITS, type SendResult } from './wire.ts';

export interface SenderEvents {
  /** `event.answer` is there, or the authority refused it with `error`; then it is not among the unconfirmed any more. */
  answered(event: Unconfirmed, error: LockstepError | undefined): void;
  overdue(): void;
  /** @returns why it cannot be sent. */
  send(event: Unconfirmed): LockstepError | undefined;
}

/** Whether the road ended before the authority's answer came back, so that nothing is known about it. */
export function isCutOff(error: LockstepError): boolean {
  return error.code === 'CLOSED' || error.code === 'UNREACHABLE' || error.code === 'TIMEOUT';
}

export class Sender {
  readonly #unconfirmed: UnconfirmedEvents;
  readonly #environment: Environment;
  readonly #events: SenderEvents;
  #watchdog: (() => void) | undefined;

  constructor(unconfirmed: UnconfirmedEvents, environment: Environment, events: SenderEvents) {
    this.#unconfirmed = unconfirmed;
    this.#environment = environment;
    this.#events = events;
  }

  /** Sends what may be sent. */
  pump(): void {
    for (const event of this.#unconfirmed.take(LIMITS.unconfirmedMax, this.#environment.now())) this.#send(event);
  }

  /** A new road: what was not answered on the old one goes first, under its old numbers. (SYNC-8) */
  sendAgain(): void {
    for (const event of this.#unconfirmed.inFlight()) {
      event.sentAt = this.#environment.now();
      this.#send(event);
    }
    this.pump();
  }

  stop(): void {
    this.#watchdog?.();
    this.#watchdog = undefined;
  }

  #send(event: Unconfirmed): void {
    const error = this.#events.send(event);
    this.#watch();
    if (error !== undefined && !isCutOff(error)) this.settled(event.n, error);
  }

  /** The authority's own word about an event; of several the first one counts. */
  settled(n: number, answer: SendResult | LockstepError): void {
    const event = this.#unconfirmed.inFlight().find((each) => each.n === n);
    if (event === undefined) return;
    if (!(answer instanceof LockstepError)) event.answer = answer;
    else this.#unconfirmed.remove(event);
    this.#events.answered(event, answer instanceof LockstepError ? answer : undefined);
  }

  #watch(): void {
    this.#watchdog ??= this.#environment.timer(LIMITS.requestTimeoutMs, () => {
      this.#watchdog = undefined;
      const [oldest] = this.#unconfirmed.inFlight();
      if (oldest === undefined) return;
      if (this.#environment.now() - oldest.sentAt >= LIMITS.requestTimeoutMs) this.#events.overdue();
      else this.#watch();
    });
  }
}
