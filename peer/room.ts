// The readers of one hosted instance: who they are, and what goes to all of them in one turn, as one text. Readers are numbered as causes,
// so that a step names its sender in a few bytes; 0 is the authority, or somebody who is not in the room.

import type { Step } from '../core/step.ts';
import { encodeNotice } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Session } from './session.ts';
import type { PeerId, StepDifference } from './wire.ts';

/** How a room reaches its members: the relay carries its frames, and admits whom we name. */
export interface RoomPort {
  admit(room: number, peer: PeerId): void;
  expel(room: number, peer: PeerId): void;
  post(room: number, message: string): void;
  /** What follows leaves behind everything that was posted before. */
  barrier(): void;
  fits(message: string): boolean;
}

export interface RoomOptions {
  readonly number: number;
  readonly port: RoomPort;
  readonly environment: Environment;
  /** The authority's digest after a step, while that is its newest. */
  readonly digest: (seq: number) => string | undefined;
}

/** Milliseconds without steps after which a room is told the digest. */
const QUIET_MS = 100;

export class Room {
  readonly number: number;
  readonly #port: RoomPort;
  readonly #members = new Map<PeerId, Session>();
  /** Numbers of the members as causes, for as long as they are members. */
  readonly #who = new Map<PeerId, number>();
  #nextWho = 1;
  readonly #environment: Environment;
  readonly #digest: (seq: number) => string | undefined;
  #waiting: StepDifference[] = [];
  /** Seq of the last step that went out, and of the last one whose digest did. */
  #publishedSeq = 0;
  #digestSeq = 0;
  #quiet: (() => void) | undefined;
  #publishedAt = 0;

  constructor(options: RoomOptions) {
    this.number = options.number;
    this.#port = options.port;
    this.#environment = options.environment;
    this.#digest = options.digest;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  has(peer: PeerId): boolean {
    return this.#members.has(peer);
  }

  /** A member's number as a cause; 0 for the authority and for those who are not here. */
  who(peer: PeerId): number {
    return this.#who.get(peer) ?? 0;
  }

  /** Steps published before this are not for the new member, which is at `seq`; all later ones are. */
  join(session: Session, seq: number): number {
    this.#port.barrier();
    this.#members.get(session.remote)?.rooms.delete(this);
    this.#members.set(session.remote, session);
    session.rooms.add(this);
    this.#publishedSeq = Math.max(this.#publishedSeq, seq);
    this.#port.admit(this.number, session.remote);
    let who = this.#who.get(session.remote);
    if (who === undefined) this.#who.set(session.remote, (who = this.#nextWho++));
    return who;
  }

  leave(session: Session): void {
    if (this.#members.get(session.remote) !== session) return;
    session.rooms.delete(this);
    this.#members.delete(session.remote);
    this.#who.delete(session.remote);
    this.#port.expel(this.number, session.remote);
  }

  /** Takes a durable step for the next `publish`. @returns whether anyone will hear it. */
  add(difference: StepDifference, digest: string | undefined): boolean {
    if (this.isEmpty) return false;
    this.#waiting.push(difference);
    if (digest !== undefined) this.publish(digest);
    return true;
  }

  /** One message to everyone, the same text. @param digest of the last step added. */
  publish(digest?: string): void {
    const steps = this.#waiting;
    const last = steps.at(-1);
    if (last === undefined) return;
    this.#waiting = [];
    this.#publishedSeq = last[0];
    if (digest !== undefined) this.#digestSeq = last[0];
    this.#post(steps, digest);
  }

  #post(steps: readonly StepDifference[], digest: string | undefined): void {
    const message = encodeNotice('step', digest === undefined ? [this.number, steps] : [this.number, steps, digest]);
    if (this.#port.fits(message)) return this.#port.post(this.number, message);
    // One step too large for any frame: everyone comes back for a snapshot.
    if (steps.length === 1) return this.moved('epoch');
    const half = steps.length >>> 1;
    this.#post(steps.slice(0, half), undefined);
    this.#post(steps.slice(half), digest);
  }

  /** Something was published: when nothing follows for a while, everyone is told what they should have by then. (SYNC-10) */
  stirred(): void {
    if (this.isEmpty || this.#digestSeq === this.#publishedSeq) return;
    this.#publishedAt = this.#environment.now();
    this.#quiet ??= this.#environment.timer(QUIET_MS, () => this.#fellQuiet());
  }

  #fellQuiet(): void {
    this.#quiet = undefined;
    if (this.isEmpty || this.#digestSeq === this.#publishedSeq) return;
    const restMs = this.#publishedAt + QUIET_MS - this.#environment.now();
    const digest = restMs > 0 ? undefined : this.#digest(this.#publishedSeq);
    if (digest === undefined) {
      this.#quiet = this.#environment.timer(restMs > 0 ? restMs : QUIET_MS, () => this.#fellQuiet());
      return;
    }
    this.#digestSeq = this.#publishedSeq;
    this.#port.post(this.number, encodeNotice('step', [this.number, [], digest, this.#publishedSeq]));
  }

  moved(reason: 'deleted' | 'epoch'): void {
    if (!this.isEmpty) this.#port.post(this.number, encodeNotice('moved', { room: this.number, reason }));
  }

  /** Everyone out. */
  close(): void {
    for (const session of [...this.#members.values()]) this.leave(session);
    this.#waiting = [];
    this.#quiet?.();
    this.#quiet = undefined;
  }
}

/** What a mirror needs of a step. */
export function differenceOf(step: Step, who: number): StepDifference {
  const { history, status, output, error, timers, children, ids } = step;
  const isPlain = history.length === 0 && timers.length === 0 && children === undefined && ids === undefined;
  if (isPlain && status === undefined && output === undefined && error === undefined) {
    return [step.seq, who, step.cause.n, step.clocks, step.patch];
  }
  const more = {
    ...(history.length === 0 ? {} : { history }),
    ...(status === undefined ? {} : { status }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(timers.length === 0 ? {} : { timers }),
    ...(children === undefined ? {} : { children }),
    ...(ids === undefined ? {} : { ids }),
  };
  return [step.seq, who, step.cause.n, step.clocks, step.patch, more];
}
