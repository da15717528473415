// The event numbers that an instance remembers, with their outcome: what makes resending harmless. Bounded by LIMITS.seenWindow events of
// each of LIMITS.seenPeerMax peers; a peer that is forgotten altogether is the one that was silent longest.

import type { Seen } from './journal.ts';
import { LIMITS, type PeerId } from './wire.ts';

export type SeenEvent = readonly [n: number, seq: number, stepped: boolean];

export class SeenEvents {
  /** Peers in the order of their last event; each one's events ascending by n. */
  readonly #peers = new Map<PeerId, SeenEvent[]>();

  static load(seen: Seen): SeenEvents {
    const events = new SeenEvents();
    for (const [peer, list] of seen) events.#peers.set(peer, [...list]);
    return events;
  }

  save(): Seen {
    return [...this.#peers].map(([peer, events]) => [peer, [...events]]);
  }

  /**
   * What became of an event number: its outcome; 'stale' when it is older than the peer's newest and not remembered, because it was
   * refused or is out of the window; undefined when it is new.
   */
  find(peer: PeerId, n: number): SeenEvent | 'stale' | undefined {
    const events = this.#peers.get(peer);
    const newest = events?.at(-1);
    if (events === undefined || newest === undefined || n > newest[0]) return undefined;
    return events.findLast((event) => event[0] === n) ?? 'stale';
  }

  /** @param n greater than every number of this peer before. */
  add(peer: PeerId, n: number, seq: number, stepped: boolean): void {
    const events = this.#peers.get(peer) ?? [];
    events.push([n, seq, stepped]);
    if (events.length >= LIMITS.seenWindow * 2) events.splice(0, events.length - LIMITS.seenWindow);
    this.#peers.delete(peer);
    this.#peers.set(peer, events);
    if (this.#peers.size <= LIMITS.seenPeerMax) return;
    const [silent] = this.#peers.keys();
    if (silent !== undefined) this.#peers.delete(silent);
  }

  /** The newest number of a peer whose step is `seq` or earlier; 0 when there is none. */
  lastUpTo(peer: PeerId, seq: number): number {
    return this.#peers.get(peer)?.findLast((event) => event[1] <= seq)?.[0] ?? 0;
  }
}
