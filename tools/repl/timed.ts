// Waiting no longer than a person says.

import { LockstepError } from '../../core/errors.ts';
import type { Environment } from '../../peer/environment.ts';
import type { AnyMirror } from '../../peer/mirror.ts';
import { durationMs } from './parse.ts';

/** How long `wait` and `when` wait unless they are told otherwise. */
const WAIT_DEFAULT = '10s';

/** @throws LockstepError TIMEOUT telling what there is instead of what is wanted; BAD_PARAMS when the timeout is no duration. */
export async function timed<T>(
  environment: Environment,
  mirror: AnyMirror,
  { timeout = WAIT_DEFAULT, wanted }: { readonly timeout: string | undefined; readonly wanted: string },
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeoutMs = durationMs(timeout);
  const aborter = new AbortController();
  const cancel = environment.timer(timeoutMs, () => {
    const value = JSON.stringify(mirror.getSnapshot().value);
    aborter.abort(new LockstepError('TIMEOUT', `${mirror.id} is still ${value} after ${timeoutMs} ms, expected ${wanted}`));
  });
  try {
    return await wait(aborter.signal);
  } finally {
    cancel();
  }
}
