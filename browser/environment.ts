// Clock, dice and timers of a tab. One flush per turn: a message to ourselves comes after every microtask of the turn and, unlike a
// timer, is not slowed down when the tab is hidden.

import type { Environment } from '../peer/environment.ts';

/** Bits of a random number above its low word; 32 + 21 = 53. */
const HIGH_BITS = 0x1f_ffff;
/** Milliseconds; a browser takes a longer delay for none at all. */
const DELAY_MAX_MS = 0x7fff_ffff;

export function browserEnvironment(): Environment {
  const { port1, port2 } = new MessageChannel();
  const deferred: (() => void)[] = [];
  port1.onmessage = () => deferred.shift()?.();
  return {
    now: () => Date.now(),
    random: () => {
      const words = crypto.getRandomValues(new Uint32Array(2));
      return (words[0]! & HIGH_BITS) * 0x1_0000_0000 + words[1]!;
    },
    defer: (callback) => {
      deferred.push(callback);
      port2.postMessage(null);
    },
    timer: (delayMs, callback) => {
      const timer = setTimeout(callback, Math.min(delayMs, DELAY_MAX_MS));
      return () => clearTimeout(timer);
    },
  };
}
