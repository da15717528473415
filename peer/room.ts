// The readers of one hosted instance: who they are, and what goes to all of them in one turn, made once for all who share a room at the relay
// (channel.ts). Readers are numbered as causes, so that a step names its sender in a few bytes; 0 is the authority, or somebody who is not
// in the room.

import type { Machine } from '../core/machine.ts';
import { toldArgs } from '../core/relational/told.ts';
import type { Step } from '../core/step.ts';
import { type Channel, keyText, PLAIN, type RoomKey, type RoomPort, StepChannel } from './channel.ts';
import { encodeNotice, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Asker } from './service.ts';
import type { Session } from './session.ts';
import type { Notifications, PeerId, Refused, SendResult, StepDifference, WatchResult } from './wire.ts';

export interface RoomOptions {
  /** Of the room that tells everything in json. */
  readonly number: number;
  /** A number for another room. */
  readonly another: () => number;
  readonly port: RoomPort;
  readonly environment: Environment;
  /** The authority's digest after a step, while that is its newest. */
  readonly digest: (seq: number) => string | undefined;
}

interface Member {
  readonly session: Session;
  /** The room that it hears. */
  readonly channel: Channel;
}

/** Milliseconds without steps after which a room is told the digest. */
const QUIET_MS = 100;

export class Room {
  readonly #port: RoomPort;
  readonly #another: () => number;
  readonly #members = new Map<PeerId, Member>();
  /** Its rooms at the relay, by their keys. Whoever asks again for what was there before gets the same room. */
  readonly #channels = new Map<string, Channel>();
  /** Numbers of the members as causes, for as long as they are members. */
  readonly #who = new Map<PeerId, number>();
  #nextWho = 1;
  /** Those behind a member that passes the room on; they have numbers as causes for as long as it is one. */
  readonly #behind = new Map<Session, Set<PeerId>>();
  readonly #environment: Environment;
  readonly #digest: (seq: number) => string | undefined;
  #waiting: StepDifference[] = [];
  /** Seq of the last step that went out, and of the last one whose digest did. */
  #publishedSeq = 0;
  #digestSeq = 0;
  #quiet: (() => void) | undefined;
  #publishedAt = 0;

  constructor(options: RoomOptions) {
    this.#port = options.port;
    this.#another = options.another;
    this.#environment = options.environment;
    this.#digest = options.digest;
    this.#channels.set(keyText(PLAIN), new StepChannel(PLAIN, options.number, options.port));
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
    return [...this.#channels.values()].map(({ number }) => number);
  }

  /** The number of the room that a session hears; undefined when it is no member. */
  heardBy(session: Session): number | undefined {
    return this.#channelOf(session)?.number;
  }

  #channelOf(session: Session): Channel | undefined {
    const member = this.#members.get(session.remote);
    return member?.session === session ? member.channel : undefined;
  }

  /** The way back to a member that sends without asking: its steps answer it, and `settled` what has none. */
  asker(session: Session): Asker | undefined {
    const channel = this.#channelOf(session);
    if (channel === undefined) return undefined;
    const settle = (n: RequestId | null, answer: SendResult | Refused): void =>
      void session.post(encodeNotice('settled', [channel.number, Number(n), answer]));
    return {
      ...(channel.answersBySteps ? { hearsSteps: true } : {}),
      answer: (n, result) => settle(n, result as SendResult),
      refuse: (n, { code, message }) => settle(n, { code, message }),
    };
  }

  /** Steps published before this are not for the new member, which is at `seq`; all later ones are. */
  join(session: Session, seq: number, wanted: RoomKey): Pick<WatchResult, 'room' | 'encoding' | 'who'> {
    this.#port.barrier();
    const channel = this.#channel(wanted);
    const before = this.#members.get(session.remote);
    before?.session.rooms.delete(this);
    if (before !== undefined && before.channel !== channel) this.#quit(before);
    this.#members.set(session.remote, { session, channel });
    if (before !== undefined && before.session !== session) this.#forget(before.session);
    channel.members.add(session.remote);
    session.rooms.add(this);
    this.#publishedSeq = Math.max(this.#publishedSeq, seq);
    this.#port.admit(channel.number, session.remote);
    const who = this.#number(session.remote);
    const { encoding } = channel.key;
    return { room: channel.number, ...(encoding === 'json' ? {} : { encoding }), who };
  }

  #number(peer: PeerId): number {
    let who = this.#who.get(peer);
    if (who === undefined) this.#who.set(peer, (who = this.#nextWho++));
    return who;
  }

  /** One that a member passes the room on to: steps that come after this name it. @returns its number as a cause. */
  enroll(session: Session, peer: PeerId): number {
    this.#port.barrier();
    const behind = this.#behind.get(session) ?? new Set();
    this.#behind.set(session, behind.add(peer));
    return this.#number(peer);
  }

  isBehind(session: Session, peer: PeerId): boolean {
    return this.#behind.get(session)?.has(peer) === true;
  }

  /** It is in the room, itself or behind somebody who is. */
  #isThere(peer: PeerId): boolean {
    return this.#members.has(peer) || [...this.#behind.values()].some((behind) => behind.has(peer));
  }

  /** The room of a key; in json where packed cannot be had. */
  #channel(wanted: RoomKey): Channel {
    const key: RoomKey = wanted.encoding === 'packed' && this.#port.packed() === undefined ? { ...wanted, encoding: 'json' } : wanted;
    const text = keyText(key);
    let channel = this.#channels.get(text);
    if (channel === undefined) this.#channels.set(text, (channel = new StepChannel(key, this.#another(), this.#port)));
    return channel;
  }

  #quit({ session, channel }: Member): void {
    channel.members.delete(session.remote);
    this.#port.expel(channel.number, session.remote);
  }

  leave(session: Session): void {
    const member = this.#members.get(session.remote);
    if (member?.session !== session) return;
    session.rooms.delete(this);
    this.#members.delete(session.remote);
    this.#quit(member);
    this.#forget(session);
  }

  /** Its number, and those of all behind it, unless they are here by another way. */
  #forget(session: Session): void {
    const behind = this.#behind.get(session) ?? [];
    this.#behind.delete(session);
    for (const peer of [session.remote, ...behind]) if (!this.#isThere(peer)) this.#who.delete(peer);
  }

  /** Takes a durable step for the next `publish`. @returns whether anyone will hear it. */
  add(difference: StepDifference, digest: string | undefined): boolean {
    if (this.isEmpty) return false;
    this.#waiting.push(difference);
    if (digest !== undefined) this.publish(digest);
    return true;
  }

  /** One message to everyone in a room, the same bytes. @param digest of the last step added. */
  publish(digest?: string): void {
    const steps = this.#waiting;
    const last = steps.at(-1);
    if (last === undefined) return;
    this.#waiting = [];
    this.#publishedSeq = last[0];
    if (digest !== undefined) this.#digestSeq = last[0];
    for (const channel of this.#heard()) channel.publish(steps, digest);
  }

  /** The rooms that have members. */
  *#heard(): Iterable<Channel> {
    for (const channel of this.#channels.values()) if (channel.members.size > 0) yield channel;
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
    for (const channel of this.#heard()) channel.settle(digest, this.#publishedSeq);
  }

  moved(reason: Notifications['moved']['reason']): void {
    for (const channel of this.#heard()) channel.moved(reason);
  }

  /** Everyone out. */
  close(): void {
    this.#port.barrier();
    for (const { session } of [...this.#members.values()]) this.leave(session);
    this.#waiting = [];
    this.#quiet?.();
    this.#quiet = undefined;
  }
}

/** What a mirror needs of a step. */
export function differenceOf(step: Step, who: number, machine: Machine): StepDifference {
  const { history, status, output, error, timers, children, ids } = step;
  const args = machine.isRelational && step.clocks.length > 0 ? toldArgs(machine, step.cause.event) : undefined;
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
