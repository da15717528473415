// The event numbers that an instance remembers, with their outcome: what makes resending harmless. Bounded by LIMITS.seenWindow events of
// each of LIMITS.seenPeerMax peers; a peer that is forgotten altogether is the one that was silent longest.

import type { Seen } from './journal.ts';
import { LIMITS, type PeerId } from './wire.ts';

export type SeenEvent = readonly [n: number, seq: number, stepped: boolean];

/** Numbers per event in a list: n, seq, and 1 when it stepped. Flat, because so many small arrays would keep the collector busy. */
const WIDTH = 3;

export class SeenEvents {
  /** Peers in the order of their last event; each one's events ascending by n. Lists are added to, and replaced when they are too long. */
  readonly #peers = new Map<PeerId, number[]>();
  /** The last of them. */
  #latest: PeerId | undefined;

  static load(seen: Seen): SeenEvents {
    const events = new SeenEvents();
    for (const [peer, list] of seen) {
      events.#peers.set(
        peer,
        list.flatMap(([n, seq, stepped]) => [n, seq, stepped ? 1 : 0]),
      );
      events.#latest = peer;
    }
    return events;
  }

  /** How many events are remembered. */
  get count(): number {
    let numbers = 0;
    for (const list of this.#peers.values()) numbers += list.length;
    return numbers / WIDTH;
  }

  save(): Seen {
    return this.saved()();
  }

  /** What is remembered now, for who may never ask: most checkpoints are followed by the next one, and read by nobody. */
  saved(): () => Seen {
    const peers = [...this.#peers].map(([peer, list]) => ({ peer, list, end: list.length }));
    return () =>
      peers.map(({ peer, list, end }) => {
        const events: SeenEvent[] = [];
        for (let at = 0; at < end; at += WIDTH) events.push(eventAt(list, at));
        return [peer, events];
      });
  }

  /**
   * What became of an event number: its outcome; 'stale' when it is older than the peer's newest and not remembered, because it was
   * refused or is out of the window; undefined when it is new.
   */
  find(peer: PeerId, n: number): SeenEvent | 'stale' | undefined {
    const list = this.#peers.get(peer);
    if (list === undefined || list.length === 0 || n > list[list.length - WIDTH]!) return undefined;
    for (let at = list.length - WIDTH; at >= 0; at -= WIDTH) if (list[at] === n) return eventAt(list, at);
    return 'stale';
  }

  /** @param n greater than every number of this peer before. */
  add(peer: PeerId, n: number, seq: number, stepped: boolean): void {
    let list = this.#peers.get(peer) ?? [];
    list.push(n, seq, stepped ? 1 : 0);
    if (list.length >= LIMITS.seenWindow * 2 * WIDTH) {
      list = list.slice(list.length - LIMITS.seenWindow * WIDTH);
      this.#peers.set(peer, list);
    }
    if (peer === this.#latest) return;
    this.#latest = peer;
    this.#peers.delete(peer);
    this.#peers.set(peer, list);
    if (this.#peers.size <= LIMITS.seenPeerMax) return;
    const [silent] = this.#peers.keys();
    if (silent !== undefined) this.#peers.delete(silent);
  }

  /** The newest number of a peer whose step is `seq` or earlier; 0 when there is none. */
  lastUpTo(peer: PeerId, seq: number): number {
    const list = this.#peers.get(peer) ?? [];
    for (let at = list.length - WIDTH; at >= 0; at -= WIDTH) if (list[at + 1]! <= seq) return list[at]!;
    return 0;
  }
}

function eventAt(list: readonly number[], at: number): SeenEvent {
  return [list[at]!, list[at + 1]!, list[at + 2] === 1];
}
