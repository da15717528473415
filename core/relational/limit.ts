// How long a final handler may take, what is told of one that failed, and the rest that a machine takes when one of them never ended.

import { LockstepError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { LocalEnvironment } from '../local.ts';

/** A handler that has not ended by then is given up. */
export const HANDLER_DEADLINE_MS = 10_000;
/** For how long mutations are cancelled when one was given up. */
const HANDLER_BACKOFF_MS = 3_000;
/** Added with Exception when a handler was given up, where a machine has it. */
export const HANDLER_TIMEOUT_STATE = 'ErrHandlerTimeout';

/** A handler that did not end in time. */
export class GivenUp extends LockstepError {
  constructor(id: string, ms: number) {
    super('TIMEOUT', `a final handler of ${id} took longer than ${ms} ms`);
  }
}

type Timing = Pick<LocalEnvironment, 'now' | 'timer'>;

/** The promise, or a rejection with TIMEOUT when it takes longer than a handler may. */
export function limited(
  answer: PromiseLike<unknown>,
  { environment, ms, id }: { readonly environment: Pick<Timing, 'timer'>; readonly ms: number; readonly id: string },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = environment.timer(ms, () => reject(new GivenUp(id, ms)));
    answer.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}

/** A rest from mutations. */
export class Backoff {
  readonly #environment: Pick<Timing, 'now'>;
  readonly #ms: number;
  #until = -Infinity;

  constructor(environment: Pick<Timing, 'now'>, ms = HANDLER_BACKOFF_MS) {
    this.#environment = environment;
    this.#ms = ms;
  }

  begin(): void {
    this.#until = this.#environment.now() + this.#ms;
  }

  /** Milliseconds that it still lasts; 0 when there is none. */
  get restMs(): number {
    return Math.max(0, this.#until - this.#environment.now());
  }
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** What handlers of Exception are told. */
export function errorArgs(error: unknown): Json {
  return error instanceof Error ? { error: error.message, name: error.name } : { error: String(error) };
}
