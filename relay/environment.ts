// The outside world of a relay or a peer that runs in Node.

import { getRandomValues } from 'node:crypto';
import type { Environment } from '../peer/environment.ts';

export const nodeEnvironment: Environment = {
  now: () => Date.now(),
  random: drawInteger,
  defer: (callback) => {
    setImmediate(callback);
  },
  timer: startTimer,
};

/** The same for a peer that is a client: what it says need not wait for the sockets of others. */
export const clientEnvironment: Environment = {
  ...nodeEnvironment,
  defer: (callback, isHasty) => {
    if (isHasty === true) process.nextTick(callback);
    else setImmediate(callback);
  },
};

/** Random words drawn in advance: one call into the operating system for many dice. */
const pool = new Uint32Array(2_048);
let drawn = pool.length;

/** 53 random bits: 21 and 32. */
function drawInteger(): number {
  if (drawn + 2 > pool.length) {
    getRandomValues(pool);
    drawn = 0;
  }
  const high = pool[drawn] ?? 0;
  const low = pool[drawn + 1] ?? 0;
  drawn += 2;
  return (high >>> 11) * 2 ** 32 + low;
}

/** setTimeout fires at once for delays over 2^31 - 1 ms; a longer one is walked in stages. */
const STAGE_MS_MAX = 2 ** 31 - 1;

function startTimer(delayMs: number, callback: () => void): () => void {
  let remainingMs = Math.max(0, delayMs);
  let handle: NodeJS.Timeout;
  const walk = (): void => {
    const stageMs = Math.min(remainingMs, STAGE_MS_MAX);
    remainingMs -= stageMs;
    handle = setTimeout(remainingMs > 0 ? walk : callback, stageMs);
  };
  walk();
  return () => {
    clearTimeout(handle);
  };
}
