// Those who wait for something to be open (a peer's link, a mirror's first state): told once, when it is, when it is refused, or when
// their time is up.

import { LockstepError } from '../core/errors.ts';
import type { Environment } from './environment.ts';

export class Opening {
  readonly #environment: Environment;
  readonly #isOpen: () => boolean;
  #waiting = new Set<(error: LockstepError | undefined) => void>();
  /** Why it will never be open. */
  #failed: LockstepError | undefined;

  constructor(environment: Environment, isOpen: () => boolean) {
    this.#environment = environment;
    this.#isOpen = isOpen;
  }

  /** @throws LockstepError UNREACHABLE when the time is up; why it was refused; why it ended. */
  wait(timeoutMs: number): Promise<void> {
    if (this.#isOpen()) return Promise.resolve();
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      const told = (error: LockstepError | undefined): void => {
        cancel();
        if (error === undefined) resolve();
        else reject(error);
      };
      const expire = (): void => {
        this.#waiting.delete(told);
        reject(new LockstepError('UNREACHABLE', `nobody answered within ${timeoutMs} ms`));
      };
      const cancel = timeoutMs === Infinity ? (): void => undefined : this.#environment.timer(timeoutMs, expire);
      this.#waiting.add(told);
    });
  }

  open(): void {
    this.#tell(undefined);
  }

  /** Those who wait now are told; who asks later waits for the next attempt. */
  refuse(error: LockstepError): void {
    this.#tell(error);
  }

  /** It will not be open any more. */
  fail(error: LockstepError): void {
    this.#failed = error;
    this.#tell(error);
  }

  #tell(error: LockstepError | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const told of waiting) told(error);
  }
}
