// Who is at an instance right now, and what each of them says of itself: a cursor, a name. Nothing of it is kept, ordered or acknowledged; of
// what one says the newest counts; the relay drops it before anything else. The authority tells what it hears; a source of other mirrors
// passes on what is said above it.                                                                   (docs/topologies.md, TOPO-11, TOPO-13)

import type { Json } from '../core/json.ts';
import type { RoomPort } from './channel.ts';
import { encodeNotice } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Session } from './session.ts';
import type { InstanceId, Methods, PeerId, Present } from './wire.ts';

/** Milliseconds between two messages to the room, at least. */
const SPEAK_MS = 50;

export interface BoardOptions {
  readonly instance: InstanceId;
  readonly environment: Environment;
  readonly port: RoomPort;
  /** A number for its room. */
  readonly number: () => number;
  /** Whether a peer may watch the instance now. */
  readonly isReader: (peer: PeerId) => boolean;
  /** Somebody here says something, or nothing more: null. What everyone is to hear of it comes back by `tell`. */
  readonly said: (peer: PeerId, data: Json) => boolean | Promise<boolean>;
}

export class Board {
  readonly #options: BoardOptions;
  /** Those who attend, with the peers that each speaks for: itself, and those behind it. */
  readonly #speakers = new Map<Session, Set<PeerId>>();
  readonly #present = new Map<PeerId, Json>();
  #room: number | undefined;
  /** What the room has not been told. */
  #news = new Map<PeerId, Json>();
  #cancel: (() => void) | undefined;
  #spokenAt = -Infinity;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  /** Admits a reader. @returns who is here already. */
  attend(session: Session): Methods['attend']['result'] {
    const { port, number } = this.#options;
    this.#room ??= number();
    port.barrier();
    if (!this.#speakers.has(session)) this.#speakers.set(session, new Set());
    session.rooms.add(this);
    port.admit(this.#room, session.remote, true);
    return { present: [...this.#present] };
  }

  /** @param peer the one at the other end, or one behind it. @returns whether it attends. */
  here(session: Session, peer: PeerId, data: Json): boolean | Promise<boolean> {
    const speaksFor = this.#speakers.get(session);
    if (speaksFor === undefined) return false;
    if (data === null) speaksFor.delete(peer);
    else speaksFor.add(peer);
    return this.#options.said(peer, data);
  }

  leave(session: Session): void {
    const speaksFor = this.#speakers.get(session);
    if (speaksFor === undefined) return;
    this.#speakers.delete(session);
    session.rooms.delete(this);
    if (this.#room !== undefined) this.#options.port.expel(this.#room, session.remote);
    for (const peer of speaksFor) {
      const isBack = [...this.#speakers.values()].some((others) => others.has(peer));
      // Where nobody is to be told, nobody needs to be.
      if (!isBack) void Promise.resolve(this.#options.said(peer, null)).catch(() => undefined);
    }
  }

  close(): void {
    for (const session of [...this.#speakers.keys()]) this.leave(session);
    this.#cancel?.();
    this.#cancel = undefined;
    this.#news.clear();
    this.#present.clear();
  }

  /** Everyone here is to hear it. */
  tell(peer: PeerId, data: Json): void {
    if (data === null) this.#present.delete(peer);
    else this.#present.set(peer, data);
    this.#news.set(peer, data);
    const { environment } = this.#options;
    const waitMs = Math.max(0, this.#spokenAt + SPEAK_MS - environment.now());
    this.#cancel ??= environment.timer(waitMs, () => this.#speak());
  }

  #speak(): void {
    const { environment, port, instance, isReader } = this.#options;
    for (const session of [...this.#speakers.keys()]) if (!isReader(session.remote)) this.leave(session);
    this.#cancel = undefined;
    this.#spokenAt = environment.now();
    const present: Present = [...this.#news];
    this.#news = new Map();
    const message = encodeNotice('present', [instance, present]);
    if (this.#room !== undefined && this.#speakers.size > 0 && port.fits(message)) port.post(this.#room, message);
  }
}
