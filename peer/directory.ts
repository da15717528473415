// Who is connected to the relay, as far as this peer was told, and which of them is the server.

import type { Subscription } from '../core/actor.ts';
import type { Json } from '../core/json.ts';
import type { Report } from './log.ts';
import { Observers } from './observers.ts';
import type { HelloResult, Notifications, PeerId, PeerInfo } from './wire.ts';

export interface Presence {
  readonly joined: readonly PeerInfo[];
  readonly left: readonly PeerId[];
}

export class Directory {
  readonly #peers = new Map<PeerId, PeerInfo>();
  readonly #observers: Observers<Presence>;
  #server: PeerId | null = null;

  constructor(report: Report) {
    this.#observers = new Observers('presence', report);
  }

  /** Where unqualified instance names live; null while no server is here. */
  get server(): PeerId | null {
    return this.#server;
  }

  list(): readonly PeerInfo[] {
    return [...this.#peers.values()];
  }

  /** Who a peer is, as the relay says to a server. */
  auth(peer: PeerId): Json | undefined {
    return this.#peers.get(peer)?.auth;
  }

  /** The link of a peer, as the relay counts them. */
  session(peer: PeerId): number | undefined {
    return this.#peers.get(peer)?.session;
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer);
  }

  /** A new link: everything that was known is replaced. */
  reset(hello: HelloResult): void {
    const left = [...this.#peers.keys()].filter((peer) => !hello.peers.some((info) => info.peer === peer));
    const joined = hello.peers.filter((info) => !this.#peers.has(info.peer));
    this.#peers.clear();
    for (const info of hello.peers) this.#peers.set(info.peer, info);
    this.#server = hello.server;
    this.#tell({ joined, left });
  }

  change({ joined, left }: Notifications['presence']): void {
    for (const peer of left) {
      this.#peers.delete(peer);
      if (peer === this.#server) this.#server = null;
    }
    for (const info of joined) {
      this.#peers.set(info.peer, info);
      if (info.kind === 'server') this.#server = info.peer;
    }
    this.#tell({ joined, left });
  }

  observe(observer: (presence: Presence) => void): Subscription {
    return this.#observers.add(observer);
  }

  #tell(presence: Presence): void {
    if (presence.joined.length + presence.left.length > 0) this.#observers.tell(presence);
  }
}
