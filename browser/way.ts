// A tab's way to a socket that it shares. Agreement only.

import type { Link } from '../peer/link.ts';
import type { TabId } from './tab-messages.ts';

export interface Way {
  /** @throws LockstepError UNREACHABLE */
  dial(): Promise<Link>;
  /** This page needs it no more. */
  leave(): void;
}

export interface WayOptions {
  readonly tab: TabId;
  /** Of the relay. */
  readonly url: string;
  /** Whoever holds the socket is another one now: it is worth dialling at once. */
  readonly again: () => void;
}
