// Who is at an instance, for a program: says something of its own user, and hears of the others. Lossy on purpose: the newest counts, and on a
// slow line updates are left out. Entry `lockstep`: `new Presence(mirror)`. (docs/topologies.md)

import type { Subscription } from '../core/actor.ts';
import { LockstepError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { plain } from '../core/plain.ts';
import type { AnyMirror } from './mirror.ts';
import { LIMITS, type PeerId, type Present } from './wire.ts';

/** Milliseconds between two updates of one's own, at least. */
const SAY_MS = 50;

export class Presence {
  readonly #mirror: AnyMirror;
  readonly #present = new Map<PeerId, Json>();
  readonly #observers = new Set<(present: ReadonlyMap<PeerId, Json>) => void>();
  readonly #subscriptions: readonly Subscription[];
  #own: Json = null;
  /** What the authority was last told. */
  #told: Json = null;
  #isAttending = false;
  #isBusy = false;
  #isClosed = false;

  /** @param mirror stays its holder's to stop. */
  constructor(mirror: AnyMirror) {
    this.#mirror = mirror;
    this.#subscriptions = [
      mirror.onPresent((present) => this.#heard(present)),
      mirror.onStanding((standing) => (standing === 'offline' ? this.#lost() : this.#attend())),
    ];
    if (mirror.standing !== 'offline') this.#attend();
  }

  /** By peer, this one included; what they said last. Empty while the mirror is offline. */
  get present(): ReadonlyMap<PeerId, Json> {
    return this.#present;
  }

  /**
   * What the others are to see of this peer, until it says something else, leaves, or says null.
   * @throws LockstepError NOT_JSON; TOO_LARGE for more than `presenceSize` characters.
   */
  set(data: Json): void {
    const checked = plain(data, '');
    const size = JSON.stringify(checked).length;
    if (size > LIMITS.presenceSize)
      throw new LockstepError('TOO_LARGE', `presence of ${size} characters, at most ${LIMITS.presenceSize} are told`);
    this.#own = checked;
    this.#say();
  }

  subscribe(observer: (present: ReadonlyMap<PeerId, Json>) => void): Subscription {
    this.#observers.add(observer);
    return { unsubscribe: () => void this.#observers.delete(observer) };
  }

  /** Leaves. */
  close(): void {
    if (this.#isClosed) return;
    this.set(null);
    this.#isClosed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#observers.clear();
  }

  #attend(): void {
    if (this.#isAttending || this.#isClosed) return;
    this.#isAttending = true;
    this.#mirror.ask('attend', { instance: this.#mirror.id }).then(
      ({ present }) => {
        this.#present.clear();
        this.#told = null;
        this.#heard(present);
        this.#say();
      },
      () => (this.#isAttending = false), // Tried again when the mirror comes back.
    );
  }

  #lost(): void {
    this.#isAttending = false;
    this.#present.clear();
    this.#tell();
  }

  /** One at a time, and not too often: what is said meanwhile is the next one, the newest of it. */
  #say(): void {
    if (!this.#isAttending || this.#isBusy || this.#own === this.#told) return;
    this.#isBusy = true;
    const data = this.#own;
    const next = (): void => {
      this.#isBusy = false;
      this.#say();
    };
    const said = this.#mirror.ask('here', { instance: this.#mirror.id, data });
    said.then(
      () => {
        this.#told = data;
        this.#mirror.later(SAY_MS, next);
      },
      () => (this.#isBusy = false),
    );
  }

  #heard(present: Present): void {
    for (const [peer, data] of present) {
      if (data === null) this.#present.delete(peer);
      else this.#present.set(peer, data);
    }
    this.#tell();
  }

  #tell(): void {
    for (const observer of this.#observers) observer(this.#present);
  }
}
