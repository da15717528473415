// Who came and who left since observers were last told. A peer that came and left unseen is no news; one that was replaced is in
// both lists, which reads: it left, then it joined. Told once per turn, or earlier when a frame would overtake the news; of a crowd, less often.

import type { Environment } from '../peer/environment.ts';
import type { Notifications, PeerId, PeerInfo } from '../peer/wire.ts';

type Presence = Notifications['presence'];

/** Milliseconds after which the next news are no part of the same rush. */
const RUSH_MS = 10;
/** So many tellings in a rush are a crowd's: after a restart of the relay, everyone's. */
const CROWD = 16;
/** Milliseconds for which a crowd gathers: a write to each observer for each of them is most of what they cost together. */
const GATHER_MS = 5;

export class News {
  #joined = new Map<PeerId, PeerInfo>();
  #left = new Set<PeerId>();
  #isPlanned = false;
  #toldAt = 0;
  #rush = 0;

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

  /** Has them told, once: at the end of the turn, or when a crowd has gathered. */
  plan(environment: Environment, tell: () => void): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const planned = (): void => {
      this.#isPlanned = false;
      tell();
    };
    if (this.#rush < CROWD || environment.now() - this.#toldAt > RUSH_MS) environment.defer(planned);
    else environment.timer(GATHER_MS, planned);
  }

  take(now: number): Edition {
    this.#rush = now - this.#toldAt <= RUSH_MS ? this.#rush + 1 : 0;
    this.#toldAt = now;
    const edition = new Edition([...this.#joined.values()], [...this.#left]);
    this.#joined = new Map();
    this.#left = new Set();
    return edition;
  }
}

/** One batch of news as each observer is told it. */
class Edition {
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
