// Instances that are ordered here although they are at home elsewhere, by their homes: a home that comes is told of its own, and nobody walks
// over all that is ordered here for each peer that does.                                                           (TOPO-9)

import type { Authority } from './authority.ts';
import { ownerOf } from './identity.ts';
import type { PeerId } from './wire.ts';

export class Guests {
  /** null for the server. */
  readonly #byHome = new Map<PeerId | null, Set<Authority>>();

  add(guest: Authority): void {
    const home = ownerOf(guest.record.instance);
    const guests = this.#byHome.get(home) ?? new Set();
    this.#byHome.set(home, guests.add(guest));
  }

  delete(guest: Authority): void {
    const home = ownerOf(guest.record.instance);
    const guests = this.#byHome.get(home);
    guests?.delete(guest);
    if (guests?.size === 0) this.#byHome.delete(home);
  }

  /** @param server who the server is. @returns those of one home. */
  of(home: PeerId, server: PeerId | undefined): readonly Authority[] {
    return [home, ...(home === server ? [null] : [])].flatMap((each) => [...(this.#byHome.get(each) ?? [])]);
  }

  all(): readonly Authority[] {
    return [...this.#byHome.values()].flatMap((guests) => [...guests]);
  }
}
