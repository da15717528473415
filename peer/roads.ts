// Where a mirror may hear its instance: at the peers that were named as sources, in order of preference, and then at whoever orders it.
// Each of them tells the same history, so a mirror changes its road and goes on from its own `seq`.            (docs/topologies.md)

import type { PeerId } from './wire.ts';

export class Roads {
  readonly #sources: readonly PeerId[];
  readonly #authority: () => PeerId | undefined;
  #at = 0;
  /** Whom the newest question went to; undefined before the first one. */
  asked: PeerId | undefined;
  /** The rooms that let the mirror in, by source: it listens to one of them, and leaves the others. */
  readonly admitted = new Map<PeerId, number>();

  /** @param authority whoever orders the instance; undefined while there is nobody. */
  constructor(sources: readonly PeerId[], authority: () => PeerId | undefined) {
    this.#sources = sources;
    this.#authority = authority;
  }

  /** How many there are. */
  get count(): number {
    return this.#sources.length + 1;
  }

  /** The peer at which to watch now. */
  get address(): PeerId | undefined {
    return this.#sources[this.#at] ?? this.#authority();
  }

  /** This one leads nowhere: the next one; after the authority the first again. */
  next(): void {
    this.#at = (this.#at + 1) % this.count;
  }

  /** A peer has come. @returns whether it is worth asking: it is where the mirror is, or better than that. */
  prefers(peer: PeerId): boolean {
    const better = this.#sources.indexOf(peer);
    if (better >= 0 && better < this.#at) this.#at = better;
    return this.address === peer;
  }
}
