// The numbers under which the steps of one room name their senders in a few bytes: of its members, of those behind a member that passes the room
// on, and of the newest others. 0 is the authority, or somebody who has no number. None is given twice.

import type { Session } from './session.ts';
import { LIMITS, type PeerId, type SenderNumber } from './wire.ts';

/** Senders outside the room that keep a number: the one named longest ago is forgotten first. */
const NAMED_MAX = 1_024;
/** Those behind one member that keep a number: as many as it may let into rooms of its own. They leave without a word.          (TOPO-17) */
const BEHIND_MAX = LIMITS.memberMax;

interface SenderNumbersOptions {
  readonly isMember: (peer: PeerId) => boolean;
  /** A sender has a number from now on. */
  readonly named: ((who: number, peer: PeerId) => void) | undefined;
}

export class SenderNumbers {
  readonly #options: SenderNumbersOptions;
  readonly #numbers = new Map<PeerId, number>();
  /** Those behind a member that passes the room on; they keep their numbers for as long as it is one. */
  readonly #behind = new Map<Session, Set<PeerId>>();
  readonly #outside: PeerId[] = [];
  #next = 1;

  constructor(options: SenderNumbersOptions) {
    this.#options = options;
  }

  of(peer: PeerId): number {
    return this.#numbers.get(peer) ?? 0;
  }

  all(): readonly SenderNumber[] {
    return [...this.#numbers].map(([peer, who]) => [who, peer]);
  }

  /** Of a member. */
  give(peer: PeerId): number {
    let who = this.#numbers.get(peer);
    if (who === undefined) {
      this.#numbers.set(peer, (who = this.#next++));
      this.#options.named?.(who, peer);
    }
    return who;
  }

  /** Of one that a member passes the room on to. */
  enroll(session: Session, peer: PeerId): number {
    const behind = this.#behind.get(session) ?? new Set();
    // The newest is last.
    behind.delete(peer);
    this.#behind.set(session, behind.add(peer));
    const [oldest] = behind.size > BEHIND_MAX ? behind : [];
    if (oldest !== undefined && behind.delete(oldest) && !this.#isThere(oldest)) this.#numbers.delete(oldest);
    return this.give(peer);
  }

  isBehind(session: Session, peer: PeerId): boolean {
    return this.#behind.get(session)?.has(peer) === true;
  }

  /** Steps name this sender, though it may not be here. */
  name(peer: PeerId): void {
    if (this.#numbers.has(peer)) return;
    this.give(peer);
    this.#outside.push(peer);
    const forgotten = this.#outside.length > NAMED_MAX ? this.#outside.shift() : undefined;
    if (forgotten !== undefined && !this.#isThere(forgotten)) this.#numbers.delete(forgotten);
  }

  /** A member has left: its number is forgotten, and those of all behind it, unless they are here by another way. */
  forget(session: Session): void {
    const behind = this.#behind.get(session) ?? [];
    this.#behind.delete(session);
    for (const peer of [session.remote, ...behind]) if (!this.#isThere(peer)) this.#numbers.delete(peer);
  }

  #isThere(peer: PeerId): boolean {
    return this.#options.isMember(peer) || [...this.#behind.values()].some((behind) => behind.has(peer));
  }
}
