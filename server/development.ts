// Whether this program is being developed, and what a peer gets then. The only place of Node's that asks NODE_ENV.

import { Watch } from '../core/watch.ts';
import type { PeerOptions } from '../peer/options.ts';

/** @param wanted what the program said; otherwise NODE_ENV decides, and only `production` is none. */
export function watching(wanted: boolean | undefined): Pick<PeerOptions, 'development'> {
  const isDevelopment = wanted ?? process.env['NODE_ENV'] !== 'production';
  return isDevelopment ? { development: (found) => new Watch(globalThis, found) } : {};
}
