// The room of those who see the same part of an instance. It is told the difference between what it saw last and what it sees now, and
// nothing when that is the same; never an event, a sender, a clock or a name that the view does not show. A view is told once per turn; a
// filter step by step, or merged over the time that it names.                                             (docs/views.md, docs/filters.md)

import { diff } from '../core/diff.ts';
import type { Json } from '../core/json.ts';
import type { HashText } from '../core/digest.ts';
import type { Channel, RoomKey, RoomPort } from './channel.ts';
import { encodeBrief, encodeNotice } from './codec-json.ts';
import type { Environment } from './environment.ts';
import { packSeen } from './packed-seen.ts';
import type { Sight } from './sight.ts';
import { type Difference, SightPast } from './sight-past.ts';
import { sightDigest } from './sighting.ts';
import type { Told } from './told.ts';
import type { Look } from './warden.ts';
import type { MoveReason, PeerId, Notifications, Seeing } from './wire.ts';

export interface SightChannelOptions {
  readonly key: RoomKey;
  readonly number: number;
  readonly port: RoomPort;
  readonly environment: Environment;
  readonly hash: HashText;
  readonly narrow: Look['narrow'];
  /** What was told under the same key before everyone left. */
  readonly past: SightPast | undefined;
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
  readonly past: SightPast;
  number: number;
  readonly #options: SightChannelOptions;
  /** What the members were told last, or are to be told with the next `publish`. */
  #sight: Sight;
  /** It is as of this step. */
  #seq: number;
  #newestSeq: number;
  #isDigested = false;
  /** A member's event did nothing that it sees; it still waits for the state that has it. */
  #isAwaited = false;
  /** The next difference comes with a digest. */
  #isDigestDue = false;
  /** Step by step: what the next `publish` tells. */
  #untold: Difference[] = [];
  /** Merged over time: when it told last, and what ends the wait for the next time. */
  #toldAt = -Infinity;
  #wait: (() => void) | undefined;

  constructor(options: SightChannelOptions) {
    this.#options = options;
    this.key = options.key;
    this.number = options.number;
    this.#sight = options.sight;
    this.#seq = this.#newestSeq = options.seq;
    const { hash, narrow } = options;
    this.past = options.past ?? new SightPast({ hash, states: narrow?.states, isShallow: narrow?.isShallow === true });
    this.past.begin(options.seq, options.sight);
  }

  add(told: Told): void {
    const { narrow, isMember } = this.#options;
    const [seq, who] = told.difference;
    if (seq <= this.#newestSeq) return;
    this.#newestSeq = seq;
    this.#isAwaited ||= isMember(who);
    if (narrow !== undefined && narrow.every === undefined) this.#look();
  }

  publish(_steps: readonly Told[], digest: string | undefined): void {
    if (digest !== undefined) this.#isAwaited = this.#isDigestDue = true;
    const every = this.#options.narrow?.every ?? 0;
    if (every > 0) this.#publishLater(every);
    else this.flush();
  }

  /** The first difference at once, the next ones not before their time. */
  #publishLater(every: number): void {
    if (this.#wait !== undefined || this.#newestSeq === this.#seq) return;
    const { environment } = this.#options;
    const restMs = this.#toldAt + every - environment.now();
    if (restMs <= 0) return this.flush();
    this.#wait = environment.timer(restMs, () => this.flush());
  }

  changeSince(seq: number, digest: string): Pick<Seeing, 'patch' | 'clocks'> | undefined {
    const before = this.past.at(seq, digest);
    if (before === undefined) return undefined;
    const clocks = ticksBetween(before.clocks, this.#sight.clocks, this.#options.narrow?.isShallow === true);
    return { patch: diff(unclocked(before), unclocked(this.#sight)), ...(clocks.length === 0 ? {} : { clocks }) };
  }

  /** Also before somebody joins, who has what is shown now: what is told next builds on it. */
  flush(): void {
    this.#wait?.();
    this.#wait = undefined;
    this.#look();
    const untold = this.#untold;
    if (untold.length === 0) return;
    this.#untold = [];
    this.#toldAt = this.#options.environment.now();
    untold.forEach((difference, i) => this.#tell(difference, this.#isDigestDue && i === untold.length - 1));
    this.#isDigestDue = false;
  }

  /** Takes in what is seen now, as one difference. */
  #look(): void {
    if (this.#newestSeq === this.#seq || this.members.size === 0) return;
    const { look, failed, narrow } = this.#options;
    let sight: Sight;
    try {
      sight = look();
    } catch {
      return failed(); // It was reported where the author's function is called.
    }
    const patch = diff(unclocked(this.#sight), unclocked(sight));
    const clocks = ticksBetween(this.#sight.clocks, sight.clocks, narrow?.isShallow === true);
    if (patch.length === 0 && clocks.length === 0 && !this.#isAwaited) return;
    this.#isAwaited = false;
    const difference: Difference = [this.#seq, this.#newestSeq, patch, clocks];
    this.#untold.push(difference);
    this.past.add(difference, sight);
    this.#sight = sight;
    this.#seq = this.#newestSeq;
  }

  settle(): void {
    if (this.#wait !== undefined) {
      // What is on its way says it.
      this.#isAwaited = this.#isDigestDue = true;
      return;
    }
    if (this.#isDigested && this.#seq === this.#newestSeq) return;
    const base = this.#seq;
    this.#seq = this.#newestSeq;
    this.#tell([base, this.#seq, [], []], true);
  }

  #tell([base, seq, patch, clocks]: Difference, isDigested: boolean): void {
    const { hash, port } = this.#options;
    this.#isDigested = isDigested;
    const digest = isDigested ? sightDigest(hash, this.#sight) : undefined;
    const params: Notifications['seen'] =
      clocks.length > 0
        ? [this.number, base, seq, patch, digest ?? null, clocks]
        : digest === undefined
          ? [this.number, base, seq, patch]
          : [this.number, base, seq, patch, digest];
    const message = this.#encode(params);
    if (port.fits(message)) port.post(this.number, message);
    else this.moved('epoch');
  }

  #encode(params: Notifications['seen']): string | Uint8Array {
    const packed = this.key.encoding === 'packed' ? this.#options.port.packed() : undefined;
    if (packed !== undefined) return packSeen(packed, params);
    return (this.key.mode === 'brief' ? encodeBrief : encodeNotice)('seen', params);
  }

  moved(reason: MoveReason, peer?: PeerId): void {
    this.#options.port.post(this.number, encodeNotice('moved', { room: this.number, reason, ...(peer === undefined ? {} : { peer }) }));
  }
}

function unclocked({ clocks: _clocks, ...rest }: Sight): Json {
  return rest as unknown as Json;
}

/** place, ticks to add, … ascending by place. Of a shallow clock one tick is the other of its two states. */
function ticksBetween(before: readonly number[] = [], after: readonly number[] = [], isShallow: boolean): readonly number[] {
  return after.flatMap((tick, place) => {
    const was = before[place]!;
    return tick === was ? [] : [place, isShallow ? 1 : tick - was];
  });
}
