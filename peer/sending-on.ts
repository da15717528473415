// What effects send to their instance when that has been handed over: by a mirror, so that it arrives once, over whatever link. What the next
// authority refuses for now, because its journal could not be written for instance, is sent again in a while; the events of one instance
// keep their order.                                                                                                               (TOPO-15)

import { LockstepError } from '../core/errors.ts';
import type { EventObject } from '../core/json.ts';
import { backoffMs } from './backoff.ts';
import type { Environment } from './environment.ts';
import type { Report } from './log.ts';
import { type InstanceId, LIMITS } from './wire.ts';

/** Times that an event is tried: about two minutes in all. */
const TRIES_MAX = 20;

/** A mirror of an instance, as far as it is needed here. */
export interface Onward {
  submit(event: EventObject): Promise<unknown>;
  stop(): void;
}

export interface SendingOnOptions {
  readonly environment: Environment;
  readonly report: Report;
  /** A mirror of what another peer orders, once there is one. @throws LockstepError why there will be none. */
  watch(instance: InstanceId): Promise<Onward>;
}

export class SendingOn {
  readonly #options: SendingOnOptions;
  /** What is still to be sent, of each instance in order. */
  readonly #waiting = new Map<InstanceId, EventObject[]>();
  /** Ends the pauses. */
  readonly #wakes = new Set<() => void>();
  #isClosed = false;

  constructor(options: SendingOnOptions) {
    this.#options = options;
  }

  send(instance: InstanceId, event: EventObject): void {
    if (this.#isClosed) return;
    const waiting = this.#waiting.get(instance);
    if (waiting === undefined) {
      this.#waiting.set(instance, [event]);
      void this.#sendAll(instance);
    } else if (waiting.length < LIMITS.queueMax) waiting.push(event);
    else this.#giveUp(instance, event, new LockstepError('TOO_MANY', `${waiting.length} events wait to be sent to ${instance}`));
  }

  close(): void {
    this.#isClosed = true;
    for (const wake of this.#wakes) wake();
  }

  async #sendAll(instance: InstanceId): Promise<void> {
    const waiting = this.#waiting.get(instance)!;
    for (let event = waiting[0]; event !== undefined; event = waiting[0]) {
      await this.#sendOne(instance, event);
      waiting.shift();
    }
    this.#waiting.delete(instance);
  }

  async #sendOne(instance: InstanceId, event: EventObject): Promise<void> {
    for (let tries = 1; !this.#isClosed; tries++) {
      try {
        const mirror = await this.#options.watch(instance);
        await mirror.submit(event).finally(() => mirror.stop());
        return;
      } catch (error) {
        if (tries === TRIES_MAX || !isForNow(error)) return this.#giveUp(instance, event, error);
        await this.#pause(tries);
      }
    }
  }

  #pause(tries: number): Promise<void> {
    const { environment } = this.#options;
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakes.delete(wake);
        cancel();
        resolve();
      };
      const cancel = environment.timer(backoffMs(environment, tries), wake);
      this.#wakes.add(wake);
    });
  }

  #giveUp(instance: InstanceId, event: EventObject, error: unknown): void {
    if (this.#isClosed) return;
    this.#options.report('warn', `"${event.type}" of an effect has not reached ${instance}, which was handed over`, error);
  }
}

/** Nothing was done about it, and something may be: STALE is what an event is told that was refused before, when the answer was lost. */
function isForNow(error: unknown): boolean {
  return error instanceof LockstepError && error.code !== 'CLOSED' && (error.retryable || error.code === 'STALE');
}
