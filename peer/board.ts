// Who is at an instance right now, and what each of them says of itself: a cursor, a name. Nothing of it is kept, ordered or acknowledged; of
// what one says the newest counts; the relay drops it before anything else. (docs/topologies.md, TOPO-11)

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
}

export class Board {
  readonly #options: BoardOptions;
  readonly #said = new Map<Session, Json>();
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
    if (!this.#said.has(session)) this.#said.set(session, null);
    session.rooms.add(this);
    port.admit(this.#room, session.remote, true);
    return { present: [...this.#said].flatMap(([{ remote }, data]) => (data === null ? [] : [[remote, data] as const])) };
  }

  /** @returns whether it attends. */
  here(session: Session, data: Json): boolean {
    if (!this.#said.has(session)) return false;
    this.#said.set(session, data);
    this.#tell(session.remote, data);
    return true;
  }

  leave(session: Session): void {
    if (!this.#said.has(session)) return;
    const wasHere = this.#said.get(session) !== null;
    this.#said.delete(session);
    session.rooms.delete(this);
    if (this.#room !== undefined) this.#options.port.expel(this.#room, session.remote);
    const isBack = [...this.#said.keys()].some(({ remote }) => remote === session.remote);
    if (wasHere && !isBack) this.#tell(session.remote, null);
  }

  close(): void {
    for (const session of [...this.#said.keys()]) this.leave(session);
    this.#cancel?.();
  }

  #tell(peer: PeerId, data: Json): void {
    this.#news.set(peer, data);
    const { environment } = this.#options;
    const waitMs = Math.max(0, this.#spokenAt + SPEAK_MS - environment.now());
    this.#cancel ??= environment.timer(waitMs, () => this.#speak());
  }

  #speak(): void {
    const { environment, port, instance, isReader } = this.#options;
    for (const session of [...this.#said.keys()]) if (!isReader(session.remote)) this.leave(session);
    this.#cancel = undefined;
    this.#spokenAt = environment.now();
    const present: Present = [...this.#news];
    this.#news = new Map();
    const message = encodeNotice('present', [instance, present]);
    if (this.#room !== undefined && this.#said.size > 0 && port.fits(message)) port.post(this.#room, message);
  }
}
