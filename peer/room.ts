// The readers of one hosted instance: who they are, and what goes to all of them in one turn, made once for all who share a room at the relay
// (channel.ts). How its steps name their senders is sender-numbers.ts.

import type { HashText } from '../core/digest.ts';
import { LockstepError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { ALL, type Channel, keyText, PLAIN, type RoomKey, type RoomPort, StepChannel } from './channel.ts';
import { encodeBrief, encodeNotice, type RequestId } from './codec-json.ts';
import type { Environment } from './environment.ts';
import type { Asker, Load } from './service.ts';
import type { Session } from './session.ts';
import { SenderNumbers } from './sender-numbers.ts';
import { SightChannel } from './sight-channel.ts';
import type { Sight } from './sight.ts';
import type { Told } from './told.ts';
import type { Look, Moment } from './warden.ts';
import type { SightPast } from './sight-past.ts';
import {
  type Encoding,
  LIMITS,
  type Mode,
  type MoveReason,
  type PeerId,
  type Refused,
  type Seeing,
  type SendResult,
  type WatchResult,
} from './wire.ts';

export interface RoomOptions {
  /** Of the room that tells everything in json. */
  readonly number: number;
  /** A number for another room. */
  readonly another: () => number;
  /** A number is not used any more. */
  readonly dropped: (number: number) => void;
  readonly port: RoomPort;
  readonly environment: Environment;
  /** The authority's digest after a step, while that is its newest. */
  readonly digest: (seq: number) => string | undefined;
  readonly hash: HashText;
  /** The instance as of its newest durable step; for members with a partial view. */
  readonly durable: () => Moment;
  /** A sender has a number from now on. */
  readonly named?: (who: number, peer: PeerId) => void;
}

/** A new member: from where on, in which room, and how it looks at the instance. */
export interface Joining {
  readonly seq: number;
  readonly key: Omit<RoomKey, 'view'>;
  readonly look: Look;
  /** What it is answered, when that is not everything. */
  readonly sight: Sight | undefined;
}

/** Those whom the authorizers cannot tell apart. */
interface Looking {
  readonly look: Look;
  readonly peers: Set<PeerId>;
}

/** Views without readers whose past is kept: the one left longest ago is forgotten first. */
const LEFT_MAX = 256;

/** One who hears the room. What it sends without asking is answered by the steps, and by `settled` where there are none. */
class Member implements Asker {
  readonly session: Session;
  readonly look: Look;
  /** The room that it hears. */
  readonly channel: Channel;

  constructor(session: Session, look: Look, channel: Channel) {
    this.session = session;
    this.look = look;
    this.channel = channel;
  }

  get load(): Load {
    return this.session.load;
  }

  get hearsSteps(): boolean {
    return this.channel.answersBySteps;
  }

  answer(n: RequestId, result: unknown): void {
    this.#settle(n, result as SendResult);
  }

  refuse(n: RequestId | null, { code, message }: LockstepError): void {
    this.#settle(n, { code, message });
  }

  #settle(n: RequestId | null, answer: SendResult | Refused): void {
    const { key, number } = this.channel;
    this.session.post((key.mode === 'brief' ? encodeBrief : encodeNotice)('settled', [number, Number(n), answer]));
  }
}

/** Milliseconds without steps after which a room is told the digest. */
const QUIET_MS = 100;

export class Room {
  readonly #options: RoomOptions;
  readonly #port: RoomPort;
  readonly #members = new Map<PeerId, Member>();
  /** Its rooms at the relay, by their keys. Whoever asks again for what was there before gets the same room. */
  readonly #channels = new Map<string, Channel>();
  /** What `heard` has found, until somebody comes or goes. */
  #withMembers: readonly Channel[] | undefined;
  /** What partial views were told in which nobody is any more: who comes back goes on from there. */
  readonly #left = new Map<string, SightPast>();
  /** Members that may lose the sight of it, by the key of their look. */
  readonly #lookings = new Map<string, Looking>();
  /** As causes of its steps. */
  readonly senders: SenderNumbers;
  #waiting: Told[] = [];
  /** Seq of the last step that went out, and of the one after which everyone was told what they should have. */
  #publishedSeq = 0;
  #quietSeq = 0;
  #quiet: (() => void) | undefined;
  #publishedAt = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#port = options.port;
    this.senders = new SenderNumbers({ isMember: (peer) => this.has(peer), named: options.named });
    this.#channels.set(keyText(PLAIN), new StepChannel(PLAIN, options.number, options.port));
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  has(peer: PeerId): boolean {
    return this.#members.has(peer);
  }

  /** Of its rooms at the relay. */
  get numbers(): readonly number[] {
    return [...this.#channels.values()].map(({ number }) => number);
  }

  #member(session: Session): Member | undefined {
    const member = this.#members.get(session.remote);
    return member?.session === session ? member : undefined;
  }

  /** The way back to a member. */
  asker(session: Session): Asker | undefined {
    return this.#member(session);
  }

  /** Whether a member sees everything. */
  seesAll(peer: PeerId): boolean {
    return this.#members.get(peer)?.look.isWhole === true;
  }

  /** How a member looks at it. */
  lookOf(peer: PeerId): Look | undefined {
    return this.#members.get(peer)?.look;
  }

  /** Whether somebody sees a part of it: then the snapshot of each step is needed. */
  get hasSights(): boolean {
    for (const { key, members } of this.#channels.values()) if (key.view !== ALL && members.size > 0) return true;
    return false;
  }

  /** @throws LockstepError TOO_MANY for one who watches as much as it may, and not this. */
  mustHavePlace({ rooms, remote }: Session): void {
    if (rooms.size < LIMITS.watchMax || this.has(remote)) return;
    throw new LockstepError('TOO_MANY', `${remote} watches ${rooms.size} instances here, at most ${LIMITS.watchMax} are allowed`);
  }

  /** Steps published before this are not for the new member, which is at `seq`; all later ones are. */
  join(session: Session, joining: Joining): Pick<WatchResult, 'room' | 'encoding' | 'mode' | 'who'> {
    const { remote } = session;
    const { seq, look } = joining;
    const channel = this.#channel(joining);
    channel.flush?.();
    this.#port.barrier();
    const before = this.#members.get(remote);
    before?.session.rooms.delete(this);
    if (before !== undefined) this.#quit(before, channel);
    this.#members.set(remote, new Member(session, look, channel));
    if (before !== undefined && before.session !== session) this.senders.forget(before.session);
    channel.members.add(remote);
    this.#withMembers = undefined;
    if (look.isGuarded) this.#lookings.set(look.key, { look, peers: (this.#lookings.get(look.key)?.peers ?? new Set()).add(remote) });
    session.rooms.add(this);
    this.#publishedSeq = Math.max(this.#publishedSeq, seq);
    this.#port.admit(channel.number, remote);
    const who = this.senders.give(remote);
    const { encoding, mode } = channel.key;
    const entered: { room: number; who: number; encoding?: Encoding; mode?: Mode } = { room: channel.number, who };
    if (encoding !== 'json') entered.encoding = encoding;
    if (mode !== 'steps') entered.mode = mode;
    return entered;
  }

  /** One that a member passes the room on to: steps that come after this name it. @returns its number as a cause. */
  enroll(session: Session, peer: PeerId): number {
    this.#port.barrier();
    return this.senders.enroll(session, peer);
  }

  /** The room of a key; in json where packed cannot be had. */
  #channel({ seq, key: { encoding, mode }, look, sight }: Joining): Channel {
    const isJson = encoding === 'packed' && this.#port.packed() === undefined;
    const key: RoomKey = { view: look.view, encoding: isJson ? 'json' : encoding, mode };
    const text = keyText(key);
    const there = this.#channels.get(text);
    if (there !== undefined) return there;
    const number = this.#options.another();
    const channel: Channel =
      sight === undefined ? new StepChannel(key, number, this.#port) : this.#sightChannel({ key, number, look, seq, sight });
    this.#channels.set(text, channel);
    return channel;
  }

  /** What has changed in what a member sees since it saw it last; undefined when that is not known any more. */
  changeSince(
    session: Session,
    { seq, digest }: { readonly seq: number; readonly digest: string },
  ): Pick<Seeing, 'patch' | 'clocks'> | undefined {
    return this.#member(session)?.channel.changeSince?.(seq, digest);
  }

  #sightChannel(at: { key: RoomKey; number: number; look: Look; seq: number; sight: Sight }): SightChannel {
    const { durable, hash, environment } = this.#options;
    const text = keyText(at.key);
    const past = this.#left.get(text);
    this.#left.delete(text);
    const channel: SightChannel = new SightChannel({
      ...at,
      past,
      hash,
      port: this.#port,
      environment,
      narrow: at.look.narrow,
      look: () => at.look.sight(durable()),
      failed: () => this.#revoke([...channel.members]),
      isMember: (who) => [...channel.members].some((peer) => this.senders.of(peer) === who),
    });
    return channel;
  }

  /** Out of the room that it is in, and out of those who are asked for; unless it goes on there. */
  #quit({ session, channel, look }: Member, next?: Channel): void {
    const { remote } = session;
    const looking = this.#lookings.get(look.key);
    looking?.peers.delete(remote);
    if (looking?.peers.size === 0) this.#lookings.delete(look.key);
    if (channel === next) return;
    channel.members.delete(remote);
    this.#withMembers = undefined;
    this.#port.expel(channel.number, remote);
    // Of a view made for one reader, nobody else will ever have need.
    if (channel.key.view === ALL || channel.members.size > 0) return;
    const text = keyText(channel.key);
    this.#channels.delete(text);
    this.#options.dropped(channel.number);
    if (channel.past === undefined) return;
    this.#left.set(text, channel.past);
    const [oldest] = this.#left.keys();
    if (this.#left.size > LEFT_MAX && oldest !== undefined) this.#left.delete(oldest);
  }

  leave(session: Session): void {
    const member = this.#members.get(session.remote);
    if (member?.session !== session) return;
    session.rooms.delete(this);
    this.#members.delete(session.remote);
    this.#quit(member);
    this.senders.forget(session);
  }

  // ── Who may not see it any more ────────────────────────────────────────────────────────────────────────────────

  /**
   * Asks again, once for all whom the authorizers cannot tell apart, as of a step that is about to be added: who may not see it gets what
   * was before it, and nothing of it.                                                                                       (VIEW-4)
   */
  recheck(snapshot: Snapshot): void {
    const revoked: PeerId[] = [];
    for (const { look, peers } of this.#lookings.values()) if (!look.mayRead(snapshot)) revoked.push(...peers);
    if (revoked.length === 0) return;
    this.publish();
    for (const peer of revoked) this.#members.get(peer)?.channel.flush?.();
    this.#revoke(revoked);
  }

  /** Those who stay go on in a room of another number: the one that the others knew is never spoken in again. */
  #revoke(peers: readonly PeerId[]): void {
    const left = new Set<Channel>();
    this.#port.barrier();
    for (const peer of peers) {
      const member = this.#members.get(peer);
      if (member === undefined) continue;
      const { session, channel } = member;
      this.leave(session);
      left.add(channel);
      session.post(encodeNotice('moved', { room: channel.number, reason: 'revoked' }));
    }
    for (const channel of left) if (channel.members.size > 0) this.#renumber(channel);
  }

  /** There are authorizers now: members who were never asked for watch again. */
  admitAnew(): void {
    const unasked = [...this.#members.values()].filter(({ look }) => !look.isGuarded && !look.isOwn);
    if (unasked.length === 0) return;
    this.publish();
    for (const { session, channel } of unasked) {
      this.leave(session);
      session.post(encodeNotice('moved', { room: channel.number, reason: 'epoch' }));
    }
  }

  #renumber(channel: Channel): void {
    const { number: room } = channel;
    this.#port.barrier();
    const to = this.#options.another();
    this.#port.post(room, encodeNotice('moved', { room, reason: 'room', to }));
    this.#port.barrier();
    for (const peer of channel.members) {
      this.#port.expel(room, peer);
      this.#port.admit(to, peer);
    }
    channel.number = to;
    this.#options.dropped(room);
  }

  /** Takes a durable step for the next `publish`. @returns whether anyone will hear it. */
  add(told: Told, digest: string | undefined): boolean {
    if (this.isEmpty) return false;
    this.#waiting.push(told);
    for (const channel of this.#heard()) channel.add?.(told);
    if (digest !== undefined) this.publish(digest);
    return true;
  }

  /** One message to everyone in a room, the same bytes. @param digest of the last step added. */
  publish(digest?: string): void {
    const steps = this.#waiting;
    const last = steps.at(-1);
    if (last === undefined) return;
    this.#waiting = [];
    [this.#publishedSeq] = last.difference;
    for (const channel of this.#heard()) channel.publish(steps, digest);
  }

  /** The rooms that have members. */
  #heard(): readonly Channel[] {
    return (this.#withMembers ??= [...this.#channels.values()].filter(({ members }) => members.size > 0));
  }

  /**
   * Something was published: when nothing follows for a while, everyone is told what they should have by then, also when a digest came with
   * the last step: the frame that had it may be the one that was lost.                                              (SYNC-10) */
  stirred(): void {
    if (this.isEmpty || this.#quietSeq === this.#publishedSeq) return;
    this.#publishedAt = this.#options.environment.now();
    this.#quiet ??= this.#options.environment.timer(QUIET_MS, () => this.#fellQuiet());
  }

  #fellQuiet(): void {
    this.#quiet = undefined;
    if (this.isEmpty || this.#quietSeq === this.#publishedSeq) return;
    const restMs = this.#publishedAt + QUIET_MS - this.#options.environment.now();
    const digest = restMs > 0 ? undefined : this.#options.digest(this.#publishedSeq);
    if (digest === undefined) {
      this.#quiet = this.#options.environment.timer(restMs > 0 ? restMs : QUIET_MS, () => this.#fellQuiet());
      return;
    }
    this.#quietSeq = this.#publishedSeq;
    for (const channel of this.#heard()) channel.settle(digest, this.#publishedSeq);
  }

  /** @param peer who orders it now. */
  moved(reason: MoveReason, peer?: PeerId): void {
    for (const channel of this.#heard()) {
      channel.flush?.();
      channel.moved(reason, peer);
    }
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
