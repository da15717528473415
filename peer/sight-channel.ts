// The room of those who see the same part of an instance. It is told the difference between what it saw last and what it sees now, once per
// turn, and nothing when that is the same; never an event, a sender, a clock or a name that the view does not show.

import { diff } from '../core/diff.ts';
import type { Json } from '../core/json.ts';
import type { HashText } from '../core/digest.ts';
import type { Operation } from '../core/patch.ts';
import type { Channel, RoomKey, RoomPort } from './channel.ts';
import { encodeNotice } from './codec-json.ts';
import type { Sight } from './sight.ts';
import { sightDigest } from './sighting.ts';
import type { Told } from './told.ts';
import type { MoveReason, PeerId } from './wire.ts';

export interface SightChannelOptions {
  readonly key: RoomKey;
  readonly number: number;
  readonly port: RoomPort;
  readonly hash: HashText;
  /** What its first member is answered. */
  readonly seq: number;
  readonly sight: Sight;
  /** What is seen as of the newest durable step. @throws LockstepError when the author's view fails. */
  readonly look: () => Sight;
  /** It failed: nobody can see anything. */
  readonly failed: () => void;
  /** The member behind a cause. */
  readonly isMember: (who: number) => boolean;
}

export class SightChannel implements Channel {
  readonly key: RoomKey;
  readonly members = new Set<PeerId>();
  readonly answersBySteps = false;
  number: number;
  readonly #options: SightChannelOptions;
  #sight: Sight;
  /** What the members were told last is as of this step. */
  #seq: number;
  #newestSeq: number;
  #isDigested = false;

  constructor(options: SightChannelOptions) {
    this.#options = options;
    this.key = options.key;
    this.number = options.number;
    this.#sight = options.sight;
    this.#seq = this.#newestSeq = options.seq;
  }

  publish(steps: readonly Told[], digest: string | undefined): void {
    const seq = steps.at(-1)?.difference[0] ?? this.#seq;
    if (seq <= this.#seq) return;
    let sight: Sight;
    try {
      sight = this.#options.look();
    } catch {
      return this.#options.failed(); // It was reported where the author's function is called.
    }
    this.#newestSeq = seq;
    const patch = diff(this.#sight as unknown as Json, sight as unknown as Json);
    // A member whose event did nothing that it sees still waits for the state that has it.
    const isAwaited = digest !== undefined || steps.some(({ difference: [, who] }) => this.#options.isMember(who));
    if (patch.length === 0 && !isAwaited) return;
    this.#sight = sight;
    this.#isDigested = digest !== undefined;
    this.#tell(seq, patch);
  }

  settle(): void {
    if (this.#isDigested && this.#seq === this.#newestSeq) return;
    this.#isDigested = true;
    this.#tell(this.#newestSeq, []);
  }

  #tell(seq: number, patch: readonly Operation[]): void {
    const { hash, port } = this.#options;
    const base = this.#seq;
    this.#seq = seq;
    const digest = this.#isDigested ? ([sightDigest(hash, this.#sight)] as const) : ([] as const);
    const message = encodeNotice('seen', [this.number, base, seq, patch, ...digest]);
    if (port.fits(message)) port.post(this.number, message);
    else this.moved('epoch');
  }

  moved(reason: MoveReason, peer?: PeerId): void {
    this.#options.port.post(this.number, encodeNotice('moved', { room: this.number, reason, ...(peer === undefined ? {} : { peer }) }));
  }
}
