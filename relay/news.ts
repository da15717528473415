// Who came and who left since observers were last told. A peer that came and left unseen is no news; one that was replaced is in
// both lists, which reads: it left, then it joined. Told once per turn, or earlier when a frame would overtake the news.

import type { Notifications, PeerId, PeerInfo } from '../peer/wire.ts';

type Presence = Notifications['presence'];

export class News {
  #joined = new Map<PeerId, PeerInfo>();
  #left = new Set<PeerId>();
  #isFlushPlanned = false;

  joined(info: PeerInfo): void {
    this.#joined.set(info.peer, info);
  }

  left(peer: PeerId): void {
    // If it joined unseen, then observers know either nothing of it or an earlier session that is in `left` already.
    if (!this.#joined.delete(peer)) this.#left.add(peer);
  }

  /** Whether observers are still to be told that it came. */
  isJoining(peer: PeerId): boolean {
    return this.#joined.has(peer);
  }

  /** Whether there is anything of this peer. */
  isOf(peer: PeerId): boolean {
    return this.#joined.has(peer) || this.#left.has(peer);
  }

  get isEmpty(): boolean {
    return this.#joined.size === 0 && this.#left.size === 0;
  }

  /** @returns true for the one caller that is to plan the next flush. */
  claimFlush(): boolean {
    if (this.#isFlushPlanned) return false;
    this.#isFlushPlanned = true;
    return true;
  }

  releaseFlush(): void {
    this.#isFlushPlanned = false;
  }

  take(): Edition {
    const edition = new Edition([...this.#joined.values()], [...this.#left]);
    this.#joined = new Map();
    this.#left = new Set();
    return edition;
  }
}

/** One batch of news as each observer is told it. */
export class Edition {
  readonly #joined: readonly PeerInfo[];
  readonly #left: readonly PeerId[];

  constructor(joined: readonly PeerInfo[], left: readonly PeerId[]) {
    this.#joined = joined;
    this.#left = left;
  }

  /** Whether it has anything of this peer. */
  isOf(peer: PeerId): boolean {
    return this.#left.includes(peer) || this.#joined.some((info) => info.peer === peer);
  }

  /**
   * @param observer does not hear of itself.
   * @param only if given, the one peer that this observer cares about.
   * @returns undefined when there is nothing to tell.
   */
  for(observer: PeerId, only?: PeerId): Presence | undefined {
    const isNews = (peer: PeerId): boolean => peer !== observer && (only === undefined || peer === only);
    const joined = this.#joined.filter((info) => isNews(info.peer));
    const left = this.#left.filter(isNews);
    return joined.length === 0 && left.length === 0 ? undefined : { joined, left };
  }
}
