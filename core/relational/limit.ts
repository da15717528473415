// How long a final handler may take, and what is told of one that failed.

import { LockstepError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { LocalEnvironment } from '../local.ts';

/** The promise, or a rejection with TIMEOUT when it takes longer than a handler may. */
export function limited(
  answer: PromiseLike<unknown>,
  { environment, ms, id }: { readonly environment: LocalEnvironment; readonly ms: number; readonly id: string },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = environment.timer(ms, () => reject(new LockstepError('TIMEOUT', `a final handler of ${id} took longer than ${ms} ms`)));
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

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** What handlers of Exception are told. */
export function errorArgs(error: unknown): Json {
  return error instanceof Error ? { error: error.message, name: error.name } : { error: String(error) };
}
