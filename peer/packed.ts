// The packed encoding as what uses it knows it: given to a peer, because a page loads it beside its first dial and not before.

import type * as codec from './codec-packed.ts';

export type Packed = typeof codec;
/** Brings it in. */
export type BringPacked = () => Packed | Promise<Packed>;
