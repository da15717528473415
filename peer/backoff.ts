// How long to wait before trying again: full jitter, so that a crowd that lost the same thing at the same moment comes back spread out.

import type { Environment } from './environment.ts';

const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 15_000;

/** Random in [0, min(15 s, 250 ms · 2^attempt)]. @param attempt from 0. */
export function backoffMs(environment: Environment, attempt: number): number {
  return environment.random() % (Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(attempt, 16)) + 1);
}
