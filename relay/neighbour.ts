// One link of the relay and who is at its other end. A neighbour first greets, then is an open peer, a plain JSON-RPC socket or a
// trunk, and closes once. What a slow reader costs is bounded here: beyond `lagBytes` it loses room frames, beyond `closeBytes` the link itself.

import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { CLOSE_FLOOD, CLOSE_SLOW } from '../peer/link.ts';
import type { Frame, Link } from '../peer/link.ts';
import type { Trunk } from '../peer/trunk.ts';
import type { Encoding, PeerId, PeerInfo } from '../peer/wire.ts';
import type { Allowance } from './allowance.ts';
import type { Rest } from './rest.ts';

/** A frame for many links. The first link that encodes it for its network leaves the bytes in `prepared` for the others. */
export interface SharedFrame {
  readonly frame: Frame;
  /** Of the room that says it. */
  readonly rest?: Rest;
  prepared?: Uint8Array;
}

/** A link that can use the bytes which another link of its kind prepared; sockets can. */
export interface SharingLink extends Link {
  /** @param mayRest whether it may wait until the room's rest is over. */
  sendShared(shared: SharedFrame, mayRest: boolean): void;
}

export type Standing =
  /** `waiting`: while its hello is judged, what it said after it; a frame's worth at most. */
  | { readonly state: 'greeting'; waiting?: Frame[] }
  /** `auth`: who it is, as `authenticate` said. */
  | {
      readonly state: 'open';
      readonly info: PeerInfo;
      readonly presence: boolean;
      readonly encoding: Encoding;
      readonly auth: Json | undefined;
    }
  /** Speaks JSON-RPC without headers, to the server only. */
  | { readonly state: 'plain'; readonly info: PeerInfo }
  /** Carries the links of several peers, each a neighbour of its own. */
  | { readonly state: 'trunk'; readonly trunk: Trunk }
  | { readonly state: 'closed' };

/** What a link may say in a second. */
export interface Allowed {
  readonly frames: Allowance;
  readonly characters: Allowance;
}

/** What a link may hold that its network has not taken yet. */
export interface BufferLimits {
  /** Bytes from which on room frames are dropped: the mirror resumes by itself, and the newest state is cheaper than a queue of old ones. */
  readonly lagBytes: number;
  /** Bytes at which the link is closed with CLOSE_SLOW: answers cannot be dropped, so they must not pile up. */
  readonly closeBytes: number;
}

/** Ms after it spoke that a neighbour is told what a room says at once. */
const TALK_MS = 1_000;

export class Neighbour {
  readonly link: Link;
  /** Whether it takes binary frames; whether frames without headers. Beside its standing, because a room asks each of its members. */
  isPacked = false;
  isPlain = false;
  #standing: Standing;
  readonly #limits: BufferLimits;
  readonly #allowed: Allowed;
  readonly #sharing: SharingLink | undefined;
  /** Rooms of which it has missed a frame and was not told yet, while there are any. */
  #missed: Set<string> | undefined;
  #held: Frame | undefined;
  /** Characters of what waits while its hello is judged. */
  #kept = 0;
  #spokeAt = 0;

  constructor(link: Link, standing: Standing, limits: BufferLimits, allowed: Allowed) {
    this.link = link;
    this.#sharing = isSharing(link) ? link : undefined;
    this.#standing = standing;
    this.#limits = limits;
    this.#allowed = allowed;
  }

  get standing(): Standing {
    return this.#standing;
  }

  set standing(standing: Standing) {
    this.#standing = standing;
    this.isPacked = standing.state === 'open' && standing.encoding === 'packed';
    this.isPlain = standing.state === 'plain';
  }

  /** Takes a frame from what the link may say. @returns false when that was too much: it is closed then. */
  mayHand(frame: Frame, now: number): boolean {
    this.#spokeAt = now;
    // The server speaks for everyone.
    if (this.standing.state === 'open' && this.standing.info.kind === 'server') return true;
    const { frames, characters } = this.#allowed;
    const exceeded = !frames.take(1, now) ? `${frames.perSecond} frames` : undefined;
    const most = exceeded ?? (characters.take(frame.length, now) ? undefined : `${characters.perSecond} characters`);
    if (most !== undefined) this.link.close(CLOSE_FLOOD, `TOO_MANY: a connection says at most ${most} in a second`);
    return most === undefined;
  }

  /** What it says while its hello is judged waits. @returns why it is not the time to say it. */
  keep(frame: Frame, address: string, sizeMax: number): LockstepError | undefined {
    const waiting = this.standing.state === 'greeting' ? this.standing.waiting : undefined;
    if (waiting === undefined)
      return new LockstepError('BAD_REQUEST', `the first frame of a peer is hello, found one for ${JSON.stringify(address.slice(0, 40))}`);
    waiting.push(frame);
    this.#kept += frame.length;
    if (this.#kept <= sizeMax) return undefined;
    return new LockstepError('TOO_LARGE', `before hello is answered a peer says at most ${sizeMax} characters`);
  }

  /** Keeps a frame back, until the next one or `release`. */
  hold(frame: Frame): void {
    this.#held = frame;
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.link.send(held);
  }

  /** The link, on which what is sent waits to be read as everything else does.                                        (RELAY-27) */
  get bounded(): Link {
    const { link } = this;
    return {
      open: (events) => link.open(events),
      close: (code, reason) => link.close(code, reason),
      send: (frame) => this.send(frame),
      get bufferedBytes() {
        return link.bufferedBytes;
      },
    };
  }

  /** Whether a frame is one that it takes. @param of its name, and whether the server says it. @returns why not. */
  refusal(body: Frame, of: { readonly name: PeerId; readonly isServers: boolean }): LockstepError | undefined {
    // Without headers it takes whatever comes for the server's.                                                        (RELAY-25)
    if (this.isPlain && !of.isServers)
      return new LockstepError('FORBIDDEN', `${of.name} is a socket without headers, which hears the server alone`);
    if (typeof body === 'string' || this.isPacked) return undefined;
    return new LockstepError('MALFORMED', `a binary frame of ${body.length} bytes for ${of.name}, which takes text`);
  }

  send(frame: Frame): void {
    this.release();
    if (this.link.bufferedBytes >= this.#limits.closeBytes) {
      this.link.close(CLOSE_SLOW, `more than ${this.#limits.closeBytes} bytes wait to be read`);
      return;
    }
    this.link.send(frame);
  }

  /**
   * What was dropped may have said that the room goes on with another history, or not at all: until the reader knows that something is
   * missing it hears no more of that room.                                                                              (RELAY-20)
   * @returns false when the frame was dropped because the reader lags.
   */
  sendRoom(address: string, shared: SharedFrame, now: number): boolean {
    if (this.link.bufferedBytes >= this.#limits.lagBytes || this.#missed?.has(address) === true) {
      (this.#missed ??= new Set()).add(address);
      return false;
    }
    this.release();
    if (this.#sharing !== undefined) this.#sharing.sendShared(shared, now - this.#spokeAt >= TALK_MS);
    else this.link.send(shared.frame);
    return true;
  }

  /** The rooms of which it has missed a frame: it is told of them now. */
  takeMissed(): readonly string[] {
    const missed = [...(this.#missed ?? [])];
    this.#missed = undefined;
    return missed;
  }

  /** Whether it takes what is sent slower than it comes: long before it lags. */
  get isBehind(): boolean {
    return this.link.bufferedBytes >= this.#limits.lagBytes / 8;
  }

  /** Whether a lagging reader has caught up enough to be told what it missed. */
  get hasDrained(): boolean {
    return this.link.bufferedBytes <= this.#limits.lagBytes / 4;
  }
}

function isSharing(link: Link): link is SharingLink {
  return 'sendShared' in link;
}
