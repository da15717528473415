// One that may be the next authority of an instance: a mirror that knows also who sent what, so that an event which the authority decided is
// recognised when its sender, who has heard no answer, sends it again. Asked for anew whenever the mirror comes back to its authority.
// (docs/topologies.md)

import { LockstepError } from '../core/errors.ts';
import type { Seen } from './journal.ts';
import type { Report } from './log.ts';
import { SeenEvents } from './seen.ts';
import type { Tap, Tapped } from './tap.ts';
import { continued, type Lineage } from './lineage.ts';
import type { Taken as Step } from './replica.ts';
import type { PeerId, Taken } from './wire.ts';

/** Milliseconds until an authority that could not tell is asked again. */
const RETRY_MS = 1_000;

export class Standby implements Tap {
  readonly mirror: Tapped;
  readonly #report: Report;
  #senders = new Map<number, PeerId>();
  /** What came while it was on its way. */
  #early: Step[] = [];
  #seen = new SeenEvents();
  #lineage: Lineage = [];
  #isGuarded: boolean;
  /** Questions asked; the newest one counts. */
  #asked = 0;
  /** The steps up to this one are in what was seen when it was told; undefined while that is on its way. */
  #since: number | undefined;
  /** Resolves when it is ready for the first time. */
  readonly ready: Promise<void>;
  #settle: { resolve(): void; reject(error: LockstepError): void } | undefined;

  constructor(mirror: Tapped, report: Report) {
    this.mirror = mirror;
    this.#isGuarded = mirror.isGuarded;
    this.#report = report;
    this.ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    if (mirror.isOpen) this.#ask();
  }

  get isReady(): boolean {
    return this.#since !== undefined;
  }

  #ask(): void {
    const asked = ++this.#asked;
    this.#since = undefined;
    this.#early = [];
    this.#senders = new Map();
    const { mirror } = this;
    mirror.ask('standby', { instance: mirror.id }).then(
      ({ seq, seen, senders, lineage }) => {
        if (asked !== this.#asked) return;
        this.#senders = new Map([...senders, ...this.#senders]);
        this.#seen = SeenEvents.load(seen);
        this.#lineage = lineage;
        this.#since = seq;
        for (const step of this.#early.splice(0)) this.stepped(step);
        if (this.isReady) this.#settle?.resolve();
      },
      (error: unknown) => {
        this.#report('warn', `${mirror.id} does not tell this peer who sent what: it cannot take over`, error);
        if (error instanceof LockstepError && !error.retryable) return this.#settle?.reject(error);
        // Without its authority the mirror asks by itself when it has one again.
        mirror.later(RETRY_MS, () => {
          if (asked === this.#asked && mirror.isOpen) this.#ask();
        });
      },
    );
  }

  /** A new number for a sender. */
  sender(who: number, peer: PeerId): void {
    this.#senders.set(who, peer);
  }

  stepped(step: Step): void {
    const [seq, who, n] = step.step.told;
    if (this.#since === undefined) return void this.#early.push(step);
    if (seq <= this.#since || n === 0) return;
    const peer = this.#senders.get(who);
    // An event that might be taken for a new one.
    if (peer === undefined) return this.#ask();
    this.#seen.add(peer, n, seq, !step.isIgnored);
  }

  told(_digest: string | undefined, isAnew: boolean): void {
    if (isAnew) this.#ask();
  }

  /** What was asked before was asked of another room; `told` asks anew. */
  renewed(): void {
    this.#asked++;
    this.#since = undefined;
    this.#early = [];
  }

  jumped(): void {
    this.#since = undefined;
  }

  /** What is known stays known, and what came stays for the answer that may still come: this is the moment that it is for. */
  cutOff(): void {}

  guarded(): void {
    this.#isGuarded = true;
  }

  closed(error: LockstepError): void {
    this.#asked++;
    this.#since = undefined;
    this.#settle?.reject(error);
  }

  /** The confirmed state, and what was seen up to it. @throws LockstepError UNREACHABLE when the authority has not told all of it. */
  take(epoch: number): Taken {
    const { id, record, seq, epoch: before } = this.mirror;
    if (!this.isReady) throw new LockstepError('UNREACHABLE', `the authority of ${id} has not told this peer who sent what`);
    const { machine, image } = record;
    const guarded = this.#isGuarded ? ({ isGuarded: true } as const) : {};
    return {
      ...guarded,
      instance: id,
      machine,
      image,
      epoch,
      seq,
      state: this.mirror.confirmed(),
      seen: upTo(this.#seen.save(), seq),
      lineage: continued({ epoch: before, lineage: this.#lineage }, seq),
    };
  }
}

function upTo(seen: Seen, seq: number): Seen {
  return seen.map(([peer, events]) => [peer, events.filter(([, at]) => at <= seq)]);
}
