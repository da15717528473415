// One room of an instance at the relay: its number, who is in it, and what they are told. An instance has a room for each key that somebody
// asked for; every member of a room hears the same bytes, so every member may see every byte in it.

import { encodeBrief, encodeNotice } from './codec-json.ts';
import type { Packed } from './packed.ts';
import type { SightPast } from './sight-past.ts';
import { inMode } from './telling.ts';
import type { Told } from './told.ts';
import type { Encoding, Mode, MoveReason, Notifications, PeerId, Seeing } from './wire.ts';

/** How a room reaches its members: the relay carries its frames, and admits whom we name. */
export interface RoomPort {
  /** @param mayLose whether the room loses frames before any other does. */
  admit(room: number, peer: PeerId, mayLose?: boolean): void;
  expel(room: number, peer: PeerId): void;
  post(room: number, message: string | Uint8Array): void;
  /** What follows leaves behind everything that was posted before. */
  barrier(): void;
  fits(message: string | Uint8Array): boolean;
  /** The packed encoding, while the link carries it. */
  readonly packed: () => Packed | undefined;
}

/** What tells the rooms of one instance apart. */
export interface RoomKey {
  /** What of the instance is seen: `ALL`, or a view, with the reader where its view is made for it alone. */
  readonly view: string;
  readonly encoding: Encoding;
  /** How its steps are told. */
  readonly mode: Mode;
}

/** The view of those who may see everything. */
export const ALL = 'all';
/** Who said nothing else gets this. */
export const PLAIN: RoomKey = { view: ALL, encoding: 'json', mode: 'steps' };

/** The same text for the same key. */
export function keyText({ view, encoding, mode }: RoomKey): string {
  return `${encoding} ${mode} ${view}`;
}

export interface Channel {
  readonly key: RoomKey;
  number: number;
  readonly members: Set<PeerId>;
  /** Whether a step in it answers the event of a member; the others are answered one by one. */
  readonly answersBySteps: boolean;
  /** A step is durable, and is what shows now; it is told with `publish`. */
  add?(told: Told): void;
  /** Tells at once what it would tell later. */
  flush?(): void;
  /** What has changed in what is seen since then, for who proves by its digest what it saw; undefined when that is not known. */
  changeSince?(seq: number, digest: string): Pick<Seeing, 'patch' | 'clocks'> | undefined;
  /** What was told, of a part. */
  readonly past?: SightPast;
  /** What became durable. @param digest of the whole instance after the last of `steps`. */
  publish(steps: readonly Told[], digest: string | undefined): void;
  /** Nothing follows for a while: what everyone should have by then. */
  settle(digest: string, seq: number): void;
  /** @param peer who orders it now. */
  moved(reason: MoveReason, peer?: PeerId): void;
}

/** Tells every step, as its mode has it. */
export class StepChannel implements Channel {
  readonly key: RoomKey;
  number: number;
  readonly members = new Set<PeerId>();
  readonly answersBySteps = true;
  readonly #port: RoomPort;

  constructor(key: RoomKey, number: number, port: RoomPort) {
    this.key = key;
    this.number = number;
    this.#port = port;
  }

  publish(steps: readonly Told[], digest: string | undefined): void {
    const told = inMode(steps, this.key.mode);
    const message = this.#encode(digest === undefined ? [this.number, told] : [this.number, told, digest]);
    if (this.#port.fits(message)) return this.#port.post(this.number, message);
    // One step too large for any frame: everyone comes back for a snapshot.
    if (steps.length === 1) return this.moved('epoch');
    const half = steps.length >>> 1;
    this.publish(steps.slice(0, half), undefined);
    this.publish(steps.slice(half), digest);
  }

  settle(digest: string, seq: number): void {
    this.#port.post(this.number, this.#encode([this.number, [], digest, seq]));
  }

  #encode(params: Notifications['step']): string | Uint8Array {
    const packed = this.key.encoding === 'packed' ? this.#port.packed() : undefined;
    return packed?.packStep(params) ?? (this.key.mode === 'brief' ? encodeBrief : encodeNotice)('step', params);
  }

  moved(reason: MoveReason, peer?: PeerId): void {
    this.#port.post(this.number, encodeNotice('moved', { room: this.number, reason, ...(peer === undefined ? {} : { peer }) }));
  }
}
