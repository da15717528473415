// A replica of an instance that another peer orders (or this one: the road is the same). Runs own events at once, as predictions over the
// confirmed state; the authority's steps confirm them or move the ground under them, and the rest is replayed. What it shows is always a
// confirmed state, or its own prediction over one.                                           (docs/spec/sync.md)

import { Actor, type Standing, type Subscription } from '../core/actor.ts';
import { LockstepError } from '../core/errors.ts';
import { type Difference, Instance } from '../core/instance.ts';
import type { EventObject } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { diff } from '../core/patch.ts';
import { plain } from '../core/plain.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Environment } from './environment.ts';
import { backoffMs } from './backoff.ts';
import { plainJson, sizeOf } from './shape.ts';
import { type Unconfirmed, UnconfirmedEvents } from './unconfirmed.ts';
import { type DivergenceRecord, type Expectation, type InstanceId, LIMITS, type Notifications, type SendResult, type StepDifference, type WatchResult } from './wire.ts';

/** The way to the authority, as the peer provides it. */
export interface Upstream {
  readonly environment: Environment;
  /** Calls back once, and before anything that the authority sent later is handed on. */
  watch(from: { epoch: number; seq: number; digest: string } | undefined, answered: (error: LockstepError | undefined, result?: WatchResult) => void): void;
  send(event: Unconfirmed, answered: (error: LockstepError | undefined, result?: SendResult) => void): void;
  /** The machine of an image, with the author's functions where they are at hand; fetched from the authority when it is not here. */
  machine(image: string, name: string): Machine | Promise<Machine>;
  /** The mirror listens to this room from now on. */
  entered(room: number): void;
  diverged(record: Omit<DivergenceRecord, 'kind' | 'peer'>): void;
  /** Nobody holds the mirror any more, or its instance is gone. @param room to unwatch. */
  ended(room: number | undefined): void;
}

type State =
  /** A watch is under way: the first one, or one that resumes. */
  | { readonly state: 'asking'; readonly attempt: number }
  /** The image is on its way; what happens in the room meanwhile waits for it. */
  | { readonly state: 'loading'; readonly result: WatchResult; readonly steps: Notifications['step'][] }
  | { readonly state: 'watching'; readonly result: WatchResult }
  /** The authority is out of reach. */
  | { readonly state: 'waiting'; readonly cancel: () => void }
  | { readonly state: 'closed'; readonly error: LockstepError };

export interface Refusal {
  readonly event: EventObject;
  readonly error: LockstepError;
}

/** What another watch may change, so that trying is worth it. */
const MAY_COME_BACK = new Set(['UNREACHABLE', 'CLOSED', 'TIMEOUT', 'STORAGE', 'UNKNOWN_INSTANCE', 'UNKNOWN_PEER', 'INTERNAL', 'TOO_MANY']);
/** The road was cut before the authority's answer came back: the event is sent again, with its number. */
const CUT_OFF = new Set(['CLOSED', 'UNREACHABLE', 'TIMEOUT']);

export class Mirror extends Actor {
  readonly id: InstanceId;
  readonly #upstream: Upstream;
  readonly #events = new UnconfirmedEvents();
  readonly #refused = new Set<(refusal: Refusal) => void>();
  readonly #standings = new Set<(standing: Standing) => void>();
  readonly #opened: { promise: Promise<void>; resolve(): void; reject(error: LockstepError): void };
  #state: State = { state: 'waiting', cancel: () => undefined };
  #confirmed: Instance | undefined;
  /** Only where the author's functions are; equal to #confirmed when nothing is pending. */
  #predicted: Instance | undefined;
  #epoch = 0;
  #snapshot: Snapshot | undefined;
  /** The last state whose digest agreed, and what was applied since. */
  #good: DivergenceRecord['good'] | undefined;
  #sinceGood: StepDifference[] = [];
  #attempts = 0;
  #shownStanding: Standing = 'offline';
  #watchdog: (() => void) | undefined;
  #holders = 0;
  /** Whether the first watch may be refused for now and is tried again. */
  isPatient = false;

  /** Use Peer.watch. */
  constructor(id: InstanceId, upstream: Upstream) {
    super();
    this.id = id;
    this.#upstream = upstream;
    let resolve!: () => void;
    let reject!: (error: LockstepError) => void;
    const promise = new Promise<void>((accept, refuse) => ((resolve = accept), (reject = refuse)));
    promise.catch(() => undefined);
    this.#opened = { promise, resolve, reject };
  }

  // ── For its users ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when there is a first snapshot. @throws LockstepError why there will be none. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get seq(): number {
    return this.#confirmed?.seq ?? 0;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get machine(): Machine {
    return this.#instance().machine;
  }

  get standing(): Standing {
    if (this.#state.state !== 'watching') return 'offline';
    return this.#predicted !== undefined && this.#events.hasPending ? 'predicted' : 'confirmed';
  }

  /** Own events that the authority has not answered. */
  get unconfirmedCount(): number {
    return this.#events.count;
  }

  getSnapshot(): Snapshot {
    return (this.#snapshot ??= this.#instance().snapshot());
  }

  tick(state: string): number {
    return this.#instance().tick(state);
  }

  /**
   * Shows what the event does, and hands it to the authority. A later refusal goes to `onRefused`.
   * @throws LockstepError as `submit`, when it is refused on the spot.
   */
  send(event: EventObject): void {
    this.#add(event, undefined, () => undefined, (error) => {
      for (const observer of [...this.#refused]) observer({ event, error });
    });
  }

  /**
   * As `send`, and tells what became of it: where in the order it stands, and whether the machine ignored it.
   * @throws LockstepError UNKNOWN_EVENT, FORBIDDEN, NOT_RUNNING, NOT_JSON, TOO_LARGE, TOO_MANY on the spot; later whatever the
   *   authority refuses it with. Nothing changed then.
   */
  submit(event: EventObject, expect?: Expectation): Promise<{ outcome: SendResult[0]; seq: number }> {
    return new Promise((resolve, reject) => this.#add(event, expect, ([outcome, seq]) => resolve({ outcome, seq }), reject));
  }

  /** Events of `send` that the authority refused; their effect on the snapshot is undone. */
  onRefused(observer: (refusal: Refusal) => void): Subscription {
    this.#refused.add(observer);
    return { unsubscribe: () => void this.#refused.delete(observer) };
  }

  /** Each change of `standing`. */
  onStanding(observer: (standing: Standing) => void): Subscription {
    this.#standings.add(observer);
    return { unsubscribe: () => void this.#standings.delete(observer) };
  }

  /** One user less; the last one ends it. Its snapshot stays. */
  stop(): void {
    this.#holders--;
    if (this.#holders <= 0) this.close(new LockstepError('CLOSED', `the mirror of ${this.id} was stopped`));
  }

  // ── Own events ─────────────────────────────────────────────────────────────────────────────────────────────────

  #add(event: EventObject, expect: Expectation | undefined, resolve: (result: SendResult) => void, reject: (error: LockstepError) => void): void {
    const checked = this.#check(event);
    const { environment } = this.#upstream;
    const stamp = { now: environment.now(), seed: environment.random(), salt: `${this.id}/${this.#epoch}/${this.seq + this.#events.count + 1}` };
    this.#events.add({ event: checked, expect, stamp, n: 0, sentAt: 0, isApplied: false, answer: undefined, resolve, reject });
    if (this.#predict(checked, stamp)) this.#changed();
    this.#pump();
    this.#tellStanding();
  }

  /** What no authority would take is refused here, before it shows. */
  #check(event: EventObject): EventObject {
    if (this.#state.state === 'closed') throw this.#state.error;
    const { machine, status } = this.#confirmed ?? this.#instance();
    if (typeof event.type !== 'string') throw new LockstepError('BAD_PARAMS', 'an event needs a type, a string');
    if (event.type.startsWith('xstate.')) throw new LockstepError('FORBIDDEN', `"${event.type}": events that begin with xstate. are made by the authority alone`);
    if (machine.eventNumber(event.type) === 0) throw new LockstepError('UNKNOWN_EVENT', `machine ${machine.symbols.id} has no transition for an event of type "${event.type}"`);
    if (status !== 'active') throw new LockstepError('NOT_RUNNING', `${this.id} has status ${status ?? 'not started'}, expected active`);
    if (this.#events.count >= LIMITS.queueMax) throw new LockstepError('TOO_MANY', `${this.#events.count} events of ${this.id} wait for their answer, at most ${LIMITS.queueMax} may`);
    const checked = plain(event, '');
    const problem = plainJson(checked);
    if (problem !== undefined) throw new LockstepError('NOT_JSON', `event "${event.type}": ${problem}`);
    if (sizeOf(checked, LIMITS.eventSize) > LIMITS.eventSize) throw new LockstepError('TOO_LARGE', `an event of type "${event.type}" is over ${LIMITS.eventSize} characters`);
    return checked as unknown as EventObject;
  }

  /** @returns whether the prediction moved. One that throws here may still be right at the authority. */
  #predict(event: EventObject, stamp: Unconfirmed['stamp']): boolean {
    try {
      return this.#predicted?.step(event, stamp).taken ?? false;
    } catch {
      return false;
    }
  }

  #pump(): void {
    if (this.#state.state !== 'watching') return;
    for (const event of this.#events.take(LIMITS.unconfirmedMax, this.#upstream.environment.now())) this.#dispatch(event);
  }

  #dispatch(event: Unconfirmed): void {
    this.#upstream.send(event, (error, result) => this.#answered(event, error, result));
    this.#watch();
  }

  #answered(event: Unconfirmed, error: LockstepError | undefined, result: SendResult | undefined): void {
    if (this.#state.state === 'closed' || event.answer !== undefined) return;
    if (error !== undefined && CUT_OFF.has(error.code)) return;
    if (error !== undefined) {
      this.#events.remove(event);
      if (!event.isApplied) this.#rebase();
      event.reject(error);
    } else {
      event.answer = result;
      if (result !== undefined && result[1] <= this.seq && !event.isApplied) {
        event.isApplied = true;
        this.#rebase();
      }
      this.#settle();
    }
    this.#pump();
    this.#tellStanding();
  }

  #settle(): void {
    for (const { answer, resolve } of this.#events.settled(this.seq)) if (answer !== undefined) resolve(answer);
  }

  /** An answer that is overdue on a link that looks alive: asks where we are, and sends again. */
  #watch(): void {
    this.#watchdog ??= this.#upstream.environment.timer(LIMITS.requestTimeoutMs, () => {
      this.#watchdog = undefined;
      const [oldest] = this.#events.inFlight();
      if (oldest === undefined || this.#state.state !== 'watching') return;
      if (this.#upstream.environment.now() - oldest.sentAt >= LIMITS.requestTimeoutMs) this.resume();
      else this.#watch();
    });
  }

  // ── For the peer ───────────────────────────────────────────────────────────────────────────────────────────────

  hold(): this {
    this.#holders++;
    return this;
  }

  /** The road to the authority may be open (again): asks for what is missing. */
  resume(): void {
    this.#ask(true);
  }

  #ask(withHistory: boolean): void {
    if (this.#state.state === 'closed') return;
    if (this.#state.state === 'waiting') this.#state.cancel();
    const attempt = ++this.#attempts;
    this.#state = { state: 'asking', attempt };
    this.#tellStanding();
    const isCurrent = (): boolean => this.#state.state === 'asking' && this.#state.attempt === attempt;
    const cancel = this.#upstream.environment.timer(LIMITS.requestTimeoutMs, () => {
      if (isCurrent()) this.#refusedWatch(new LockstepError('TIMEOUT', `the authority of ${this.id} did not answer`));
    });
    const confirmed = this.#confirmed;
    const from = confirmed === undefined || !withHistory ? undefined : { epoch: this.#epoch, seq: confirmed.seq, digest: confirmed.digest() };
    this.#upstream.watch(from, (error, result) => {
      cancel();
      if (!isCurrent()) return;
      if (error !== undefined) this.#refusedWatch(error);
      else if (result !== undefined) this.#load(result);
    });
  }

  #refusedWatch(error: LockstepError): void {
    if (this.#confirmed === undefined && !this.isPatient && error.code !== 'CLOSED') return this.close(error);
    if (!MAY_COME_BACK.has(error.code)) return this.close(error);
    this.cutOff(true);
  }

  /** The session with the authority ended. @param retries whether to try again by itself; else the peer calls `resume`. */
  cutOff(retries: boolean): void {
    if (this.#state.state === 'closed') return;
    if (this.#state.state === 'waiting') this.#state.cancel();
    const { environment } = this.#upstream;
    const cancel = retries ? environment.timer(backoffMs(environment, this.#attempts), () => this.resume()) : (): void => undefined;
    this.#state = { state: 'waiting', cancel };
    this.#tellStanding();
  }

  /** The authority is not connected: tries again by itself. */
  lostAuthority(): void {
    if (this.#state.state === 'watching' || this.#state.state === 'loading') this.cutOff(true);
  }

  stepped(notice: Notifications['step']): void {
    if (this.#state.state === 'loading') this.#state.steps.push(notice);
    if (this.#state.state === 'watching') this.#step(notice, this.#state.result);
  }

  /** Frames of the room were lost on the way to us. */
  missed(): void {
    if (this.#state.state === 'watching') this.resume();
  }

  moved(reason: 'deleted' | 'epoch'): void {
    if (reason === 'deleted') this.close(new LockstepError('UNKNOWN_INSTANCE', `${this.id} was deleted`));
    else this.resume();
  }

  /** Ends it: own events that are not answered are refused with `error`. */
  close(error: LockstepError): void {
    const state = this.#state;
    if (state.state === 'closed') return;
    if (state.state === 'waiting') state.cancel();
    if (this.#confirmed !== undefined) this.getSnapshot();
    this.#state = { state: 'closed', error };
    this.#watchdog?.();
    this.#upstream.ended(state.state === 'watching' || state.state === 'loading' ? state.result.room : undefined);
    this.#dispose();
    for (const event of this.#events.clear()) event.reject(error);
    this.#opened.reject(error);
    this.#tellStanding();
    this.finish(error.code === 'CLOSED' ? undefined : error);
  }

  // ── Taking in ──────────────────────────────────────────────────────────────────────────────────────────────────

  #load(result: WatchResult): void {
    this.#upstream.entered(result.room);
    if (this.#confirmed?.machine.hash === result.image) return this.#enter(result, this.#confirmed.machine);
    const state: State = { state: 'loading', result, steps: [] };
    this.#state = state;
    const loaded = (machine: Machine): void => {
      if (this.#state !== state) return;
      this.#enter(result, machine);
      for (const notice of state.steps) this.stepped(notice);
    };
    const failed = (error: unknown): void => {
      if (this.#state !== state) return;
      if (error instanceof LockstepError && CUT_OFF.has(error.code)) this.#refusedWatch(error);
      else this.close(error instanceof LockstepError ? error : new LockstepError('BAD_IMAGE', String(error), { cause: error }));
    };
    try {
      const machine = this.#upstream.machine(result.image, result.machine);
      if (machine instanceof Promise) machine.then(loaded, failed);
      else loaded(machine);
    } catch (error) {
      failed(error);
    }
  }

  #enter(result: WatchResult, machine: Machine): void {
    this.#state = { state: 'watching', result };
    this.#attempts = 0;
    this.#epoch = result.epoch;
    try {
      if (result.snapshot !== undefined) this.#takeSnapshot(machine, result.snapshot);
      for (const step of result.steps ?? []) this.#apply(step, result);
    } catch (error) {
      return this.close(error as LockstepError);
    }
    const confirmed = this.#confirmed;
    if (confirmed === undefined) return this.close(new LockstepError('BAD_PARAMS', `the answer to watch has neither a snapshot nor a past of ${this.id} to build on`));
    this.#events.appliedUpTo(result.last);
    const digest = confirmed.digest();
    if (digest === result.digest) this.#agreed(confirmed);
    else this.#diverged(confirmed, digest, result.digest, result.snapshot === undefined);
    this.#advanced();
    this.#opened.resolve();
    if (this.#state.state !== 'watching') return;
    for (const event of this.#events.inFlight()) {
      event.sentAt = this.#upstream.environment.now();
      this.#dispatch(event);
    }
    this.#pump();
  }

  #takeSnapshot(machine: Machine, { seq, state }: NonNullable<WatchResult['snapshot']>): void {
    if (this.#confirmed?.machine !== machine) {
      this.#dispose();
      this.#confirmed = Instance.create(machine);
      if (machine.functions !== undefined) this.#predicted = Instance.create(machine);
    }
    this.#confirmed.load(state, seq);
    this.#good = undefined;
    this.#sinceGood = [];
  }

  #step([, steps, digest, seq]: Notifications['step'], result: WatchResult): void {
    const confirmed = this.#confirmed;
    if (confirmed === undefined) return;
    try {
      for (const step of steps) if (step[0] > confirmed.seq) this.#apply(step, result);
    } catch (error) {
      // A gap resumes from what we have; a step that does not fit means that what we have is not what the authority has.
      this.#ask(error instanceof LockstepError && error.code === 'STALE_SEQ');
      return;
    }
    const digestSeq = seq ?? steps.at(-1)?.[0];
    if (digest !== undefined && digestSeq === confirmed.seq) {
      const ours = confirmed.digest();
      if (ours === digest) this.#agreed(confirmed);
      else return this.#diverged(confirmed, ours, digest, true);
    } else if (digestSeq !== undefined && digestSeq > confirmed.seq) return this.resume();
    if (steps.length > 0) this.#advanced();
  }

  #apply(step: StepDifference, { who }: WatchResult): void {
    const [seq, sender, n, clocks, patch, more] = step;
    const difference: Difference = more === undefined ? { seq, clocks, patch } : { ...more, seq, clocks, patch };
    this.#confirmed?.apply(difference);
    this.#sinceGood.push(step);
    if (sender === who && n > 0) this.#events.applied(n);
  }

  #agreed(confirmed: Instance): void {
    this.#good = { seq: confirmed.seq, state: confirmed.save() };
    this.#sinceGood = [];
  }

  /** Reports, asks for a snapshot, carries on. (SYNC-10) */
  #diverged(confirmed: Instance, ours: string, theirs: string, asks: boolean): void {
    const { seq } = confirmed;
    const good = this.#good ?? { seq, state: confirmed.save() };
    this.#upstream.diverged({ instance: this.id, image: confirmed.machine.hash, seq, ours, theirs, good, steps: this.#sinceGood });
    if (asks) this.#ask(false);
  }

  // ── Showing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The confirmed state moved. */
  #advanced(): void {
    this.#settle();
    this.#rebase();
    this.#tellStanding();
    if (this.#confirmed?.status !== 'active') this.finish();
  }

  /** Replays what is pending over the confirmed state. (SYNC-6) */
  #rebase(): void {
    const confirmed = this.#confirmed;
    if (confirmed === undefined) return;
    const shown = this.#snapshot?.context;
    if (this.#predicted !== undefined) {
      this.#predicted.copyFrom(confirmed);
      for (const { event, stamp } of this.#events.pending) this.#predict(event, stamp);
    }
    const instance = this.#predicted ?? confirmed;
    // What was predicted right keeps its identity, so that nobody draws it again.
    if (shown !== undefined && shown !== instance.context && diff(shown, instance.context).length === 0) {
      if (confirmed.context === instance.context) confirmed.context = shown;
      instance.context = shown;
    }
    this.#changed();
  }

  /** Tells observers, unless what shows is the same. */
  #changed(): void {
    const before = this.#snapshot;
    const after = this.#instance().snapshot();
    if (before !== undefined && before.value === after.value && before.context === after.context && before.status === after.status && before.output === after.output) return;
    this.#snapshot = after;
    this.notify();
  }

  #tellStanding(): void {
    const standing = this.standing;
    if (standing === this.#shownStanding) return;
    this.#shownStanding = standing;
    for (const observer of [...this.#standings]) observer(standing);
  }

  #instance(): Instance {
    const instance = this.#predicted ?? this.#confirmed;
    if (instance === undefined) throw new LockstepError('CLOSED', `the mirror of ${this.id} has no state ${this.#state.state === 'closed' ? 'any more' : 'yet'}`);
    return instance;
  }

  #dispose(): void {
    this.#predicted?.dispose();
    this.#confirmed?.dispose();
    this.#predicted = undefined;
    this.#confirmed = undefined;
  }
}
