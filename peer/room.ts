// The readers of one hosted instance: who they are, and what goes to all of them in one turn, made once for all who share an encoding; each
// encoding has a room of its own at the relay. Readers are numbered as causes, so that a step names its sender in a few bytes; 0 is the
// authority, or somebody who is not in the room.

import type { Json } from '../core/json.ts';
import { isMutation } from '../core/mutation.ts';
import type { Step } from '../core/step.ts';
import { encodeNotice, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Packed } from './packed.ts';
import type { Asker } from './service.ts';
import type { Session } from './session.ts';
import type { Encoding, Notifications, PeerId, Refused, SendResult, StepDifference, WatchResult } from './wire.ts';

/** How a room reaches its members: the relay carries its frames, and admits whom we name. */
export interface RoomPort {
  admit(room: number, peer: PeerId): void;
  expel(room: number, peer: PeerId): void;
  post(room: number, message: string | Uint8Array): void;
  /** What follows leaves behind everything that was posted before. */
  barrier(): void;
  fits(message: string | Uint8Array): boolean;
  /** The packed encoding, while the link carries it. */
  readonly packed: () => Packed | undefined;
}

export interface RoomOptions {
  /** For readers in the json encoding. */
  readonly number: number;
  /** A number of its own for another encoding. */
  readonly another: () => number;
  readonly port: RoomPort;
  readonly environment: Environment;
  /** The authority's digest after a step, while that is its newest. */
  readonly digest: (seq: number) => string | undefined;
}

interface Member {
  readonly session: Session;
  /** Of the room that it hears. */
  readonly number: number;
}

/** Milliseconds without steps after which a room is told the digest. */
const QUIET_MS = 100;

export class Room {
  readonly number: number;
  readonly #port: RoomPort;
  readonly #another: () => number;
  readonly #members = new Map<PeerId, Member>();
  /** How many hear each of its rooms at the relay. */
  readonly #heard = new Map<number, number>();
  /** The room that speaks packed, once somebody wanted it. */
  #packedNumber: number | undefined;
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
    this.#another = options.another;
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

  /** Of its rooms at the relay. */
  get numbers(): readonly number[] {
    return this.#packedNumber === undefined ? [this.number] : [this.number, this.#packedNumber];
  }

  /** The number of the room that a session hears; undefined when it is no member. */
  heardBy(session: Session): number | undefined {
    const member = this.#members.get(session.remote);
    return member?.session === session ? member.number : undefined;
  }

  /** The way back to a member that sends without asking: its steps answer it, and `settled` what has none. */
  asker(session: Session): Asker | undefined {
    const room = this.heardBy(session);
    if (room === undefined) return undefined;
    const settle = (n: RequestId | null, answer: SendResult | Refused): void =>
      void session.post(encodeNotice('settled', [room, Number(n), answer]));
    return {
      hearsSteps: true,
      answer: (n, result) => settle(n, result as SendResult),
      refuse: (n, { code, message }) => settle(n, { code, message }),
    };
  }

  /** Steps published before this are not for the new member, which is at `seq`; all later ones are. */
  join(session: Session, seq: number, wanted: Encoding | undefined): Pick<WatchResult, 'room' | 'encoding' | 'who'> {
    this.#port.barrier();
    const isPacked = wanted === 'packed' && this.#port.packed() !== undefined;
    const number = isPacked ? (this.#packedNumber ??= this.#another()) : this.number;
    const before = this.#members.get(session.remote);
    before?.session.rooms.delete(this);
    if (before !== undefined && before.number !== number) this.#port.expel(before.number, session.remote);
    if (before !== undefined) this.#count(before.number, -1);
    this.#members.set(session.remote, { session, number });
    this.#count(number, 1);
    session.rooms.add(this);
    this.#publishedSeq = Math.max(this.#publishedSeq, seq);
    this.#port.admit(number, session.remote);
    let who = this.#who.get(session.remote);
    if (who === undefined) this.#who.set(session.remote, (who = this.#nextWho++));
    return { room: number, ...(isPacked ? { encoding: 'packed' } : {}), who };
  }

  #count(number: number, by: number): void {
    const count = (this.#heard.get(number) ?? 0) + by;
    if (count === 0) this.#heard.delete(number);
    else this.#heard.set(number, count);
  }

  leave(session: Session): void {
    const number = this.heardBy(session);
    if (number === undefined) return;
    session.rooms.delete(this);
    this.#members.delete(session.remote);
    this.#who.delete(session.remote);
    this.#count(number, -1);
    this.#port.expel(number, session.remote);
  }

  /** Takes a durable step for the next `publish`. @returns whether anyone will hear it. */
  add(difference: StepDifference, digest: string | undefined): boolean {
    if (this.isEmpty) return false;
    this.#waiting.push(difference);
    if (digest !== undefined) this.publish(digest);
    return true;
  }

  /** One message to everyone in an encoding, the same bytes. @param digest of the last step added. */
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
    for (const number of this.#heard.keys()) this.#postTo(number, steps, digest);
  }

  #postTo(number: number, steps: readonly StepDifference[], digest: string | undefined): void {
    const message = this.#encode(digest === undefined ? [number, steps] : [number, steps, digest]);
    if (this.#port.fits(message)) return this.#port.post(number, message);
    // One step too large for any frame: everyone comes back for a snapshot.
    if (steps.length === 1) return this.#move(number, 'epoch');
    const half = steps.length >>> 1;
    this.#postTo(number, steps.slice(0, half), undefined);
    this.#postTo(number, steps.slice(half), digest);
  }

  #encode(params: Notifications['step']): string | Uint8Array {
    const packed = params[0] === this.#packedNumber ? this.#port.packed() : undefined;
    return packed?.packStep(params) ?? encodeNotice('step', params);
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
    for (const number of this.#heard.keys()) this.#port.post(number, this.#encode([number, [], digest, this.#publishedSeq]));
  }

  moved(reason: 'deleted' | 'epoch'): void {
    for (const number of this.#heard.keys()) this.#move(number, reason);
  }

  #move(room: number, reason: 'deleted' | 'epoch'): void {
    this.#port.post(room, encodeNotice('moved', { room, reason }));
  }

  /** Everyone out. */
  close(): void {
    for (const { session } of [...this.#members.values()]) this.leave(session);
    this.#waiting = [];
    this.#quiet?.();
    this.#quiet = undefined;
  }
}

/** What a mirror needs of a step. */
export function differenceOf(step: Step, who: number): StepDifference {
  const { history, status, output, error, timers, children, ids } = step;
  const args =
    step.clocks.length > 0 && isMutation(step.cause.event.type) ? (step.cause.event as { readonly args?: Json }).args : undefined;
  // A reader takes the step for the answer to its event.
  const ignored = step.ignored === true && who > 0 && step.cause.n > 0;
  const isPlain =
    !ignored && args === undefined && history.length === 0 && timers.length === 0 && children === undefined && ids === undefined;
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
    ...(ignored ? { ignored } : {}),
    ...(args === undefined ? {} : { args }),
  };
  return [step.seq, who, step.cause.n, step.clocks, step.patch, more];
}
