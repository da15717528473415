// What a tab and the exchange that holds the socket say to each other, over a port of a SharedWorker or over a BroadcastChannel. Both ends
// are of one build and one origin, so nothing here is checked. A tab numbers its lines from 1 on. No logic.

import type { ErrorCode } from '../core/errors.ts';
import type { Frame } from '../peer/link.ts';

export type TabId = string;

export type FromTab =
  | { readonly kind: 'dial'; readonly line: number }
  | { readonly kind: 'frame'; readonly line: number; readonly frame: Frame }
  | { readonly kind: 'close'; readonly line: number; readonly code: number; readonly reason: string }
  /** So much of what was sent on this line has been handled. */
  | { readonly kind: 'took'; readonly line: number; readonly size: number };

export type ToTab =
  | { readonly kind: 'dialled'; readonly line: number }
  | { readonly kind: 'failed'; readonly line: number; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'frame'; readonly line: number; readonly frame: Frame }
  | { readonly kind: 'closed'; readonly line: number; readonly code: number; readonly reason: string };

/** To a SharedWorker: what it is for, and who is at the other end of the port; then as above. */
export type ToWorker = { readonly kind: 'join'; readonly tab: TabId; readonly url: string } | FromTab;
/** From a SharedWorker: the lock that it holds for as long as it lives; then as above. */
export type FromWorker = { readonly kind: 'welcome'; readonly lock: string } | ToTab;

/** On the channel of tabs without a SharedWorker. `term` is that of the leader who is meant, or who speaks. */
export type Announcement =
  | { readonly kind: 'to-leader'; readonly from: TabId; readonly term: number; readonly message: FromTab }
  | { readonly kind: 'to-tab'; readonly to: TabId; readonly term: number; readonly message: ToTab }
  /** Is anyone the leader? */
  | { readonly kind: 'who' }
  | { readonly kind: 'lead'; readonly term: number }
  /** The leader lets go by itself. */
  | { readonly kind: 'gone'; readonly term: number }
  | { readonly kind: 'ping'; readonly from: TabId; readonly term: number }
  /** `hiddenMs`: how long nobody has seen the leader's tab. */
  | { readonly kind: 'pong'; readonly to: TabId; readonly term: number; readonly hiddenMs: number };

/** The lock that a tab holds while it lives: who gets it knows that the tab is gone. */
export function tabLock(tab: TabId): string {
  return `lockstep tab ${tab}`;
}
