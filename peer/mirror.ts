// A replica of an instance that another peer orders (or this one: the road is the same). Runs own events at once, as predictions over the
// confirmed state; the authority's steps confirm them or move the ground under them, and the rest is replayed. What it shows is always a
// confirmed state, or its own prediction over one. Over 400 lines because asking, taking in and showing are one state. (docs/spec/sync.md)

import { Actor, type Standing, type Subscription } from '../core/actor.ts';
import { assert, LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { plain } from '../core/plain.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { InstanceState } from '../core/state.ts';
import type { ContextOf, EventOf, PatternOf } from '../core/typed.ts';
import { backoffMs } from './backoff.ts';
import type { InstanceRecord } from './journal.ts';
import type { Kept, KeptState } from './keeping.ts';
import { Observers } from './observers.ts';
import { Opening } from './opening.ts';
import { Replica } from './replica.ts';
import type { SightReplica } from './sight-replica.ts';
import { isCutOff, Sender } from './sender.ts';
import { checkOwn, type Refusal, type Unconfirmed, unconfirmed, UnconfirmedEvents } from './unconfirmed.ts';
import type { Tap, Tapped } from './tap.ts';
import type { Sights, Upstream } from './upstream.ts';
import { LIMITS } from './wire.ts';
import type { Expectation, InstanceId, Methods, Notifications, Present, SendResult, ToldStep, WatchResult } from './wire.ts';

export type { Refusal } from './unconfirmed.ts';

type State =
  /** A watch is under way: the first one, or one that resumes. */
  | { readonly state: 'asking'; readonly attempt: number }
  /** The image is on its way; what happens in the room meanwhile waits for it. */
  | { readonly state: 'loading'; result: WatchResult; readonly steps: Notifications['step'][] }
  | { readonly state: 'watching'; result: WatchResult }
  /** The authority is out of reach. */
  | { readonly state: 'waiting'; readonly cancel: () => void }
  | { readonly state: 'closed'; readonly error: LockstepError };

/** What another watch may change, so that trying is worth it. */
const MAY_COME_BACK = new Set([
  'UNREACHABLE',
  'CLOSED',
  'TIMEOUT',
  'STORAGE',
  'UNKNOWN_INSTANCE',
  'UNKNOWN_PEER',
  'INTERNAL',
  'TOO_MANY',
  'FENCED',
]);

/** What a mirror knows of the event behind a confirmed step. */
export interface Heard {
  /** Sent through this mirror. */
  readonly own?: EventObject;
  readonly args?: Json | undefined;
}

/** Hears how a mirror moves. */
export interface MirrorListener {
  /**
   * One more confirmed step, or a snapshot in the place of many.
   * @param cause the event as far as it is known here: one's own, or the public args of somebody else's mutation; nothing of a snapshot.
   * @param isShown whether it is what shows: nothing of one's own is ahead of it.
   */
  confirmed(clocks: readonly number[], cause: Heard, isShown: boolean): void;
  /** What shows may be something else. */
  shown(clocks: readonly number[]): void;
}

/** A mirror of whatever machine. */
export type AnyMirror = Mirror<unknown, { readonly type: string }, never>;

/** A mirror of an instance whose machine has this type. */
export type MirrorOf<TMachine> = Mirror<ContextOf<TMachine>, EventOf<TMachine>, PatternOf<TMachine>>;

export class Mirror<TContext = Json, TEvent extends { readonly type: string } = EventObject, TPattern = Json>
  extends Actor<TContext, TEvent, TPattern>
  implements Tapped
{
  readonly id: InstanceId;
  readonly #upstream: Upstream;
  readonly #events = new UnconfirmedEvents();
  readonly #refusals: Observers<Refusal>;
  readonly #overtaken: Observers<EventObject>;
  readonly #standings: Observers<Standing>;
  readonly #listeners = new Set<MirrorListener>();
  readonly #sender: Sender;
  readonly #opening: Opening;
  #state: State = { state: 'waiting', cancel: () => undefined };
  #replica: Replica | SightReplica | undefined;
  #epoch = 0;
  #snapshot: Snapshot<TContext, TPattern> | undefined;
  #attempts = 0;
  #shownStanding: Standing = 'offline';
  /** The name of its machine at the authority. */
  #machineName = '';
  /** What was kept of it is on its way; it asks for nothing until then. */
  #isRestoring: boolean;
  #holders = 0;
  readonly #taps = new Set<Tap>();
  readonly #presents = new Set<(present: Present) => void>();
  /** Whether the first watch may be refused for now and is tried again. */
  isPatient = false;

  /** As asked for; undefined for what the authority shows unasked. */
  readonly view: string | undefined;

  /** Use Peer.watch. */
  constructor(id: InstanceId, upstream: Upstream, view?: string) {
    super();
    this.id = id;
    this.view = view;
    this.#upstream = upstream;
    this.#refusals = new Observers(`refusals of ${id}`, upstream.report);
    this.#overtaken = new Observers(`what overtook events of ${id}`, upstream.report);
    this.#standings = new Observers(`the standing of ${id}`, upstream.report);
    this.#sender = new Sender(this.#events, upstream.environment, {
      answered: (event, error) => this.#answered(event, error),
      overdue: () => this.missed(),
      send: (event) => this.#send(event),
    });
    this.#isRestoring = upstream.keeping !== undefined;
    this.#opening = new Opening(upstream.environment, () => this.#replica !== undefined);
  }

  // ── For its users ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when there is a first snapshot. @throws LockstepError why there will be none. */
  get opened(): Promise<void> {
    return this.#opening.wait(Infinity);
  }

  get seq(): number {
    return this.#replica?.seq ?? 0;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** @throws LockstepError UNSUPPORTED with a partial view: its reader is sent no image. */
  get machine(): Machine {
    const { machine } = this.#present();
    if (machine === undefined) throw new LockstepError('UNSUPPORTED', `a partial view of ${this.id} comes without its machine`);
    return machine;
  }

  /** 16 hex digits over the confirmed state, as far as the view shows it: mirrors of equal `seq` and view agree on them. */
  get digest(): string {
    return this.#present().digest();
  }

  /** Whether there are readers who may not see what it shows. */
  get isGuarded(): boolean {
    const state = this.#state;
    return (
      (state.state === 'watching' || state.state === 'loading') && (state.result.isGuarded === true || state.result.seen !== undefined)
    );
  }

  get standing(): Standing {
    if (this.#state.state !== 'watching') return 'offline';
    return this.#replica?.predicts === true && this.#events.hasPending ? 'predicted' : 'confirmed';
  }

  /** Ticks by state number, of what it shows; 0 is the root. */
  get clocks(): readonly number[] {
    return this.#present().clocks;
  }

  /** Own events that the authority has not answered. */
  get unconfirmedCount(): number {
    return this.#events.count;
  }

  getSnapshot(): Snapshot<TContext, TPattern> {
    return (this.#snapshot ??= this.#shown());
  }

  /** The types are what its user says of the machine; the bytes know none. */
  #shown(): Snapshot<TContext, TPattern> {
    return this.#present().snapshot() as unknown as Snapshot<TContext, TPattern>;
  }

  tick(state: string): number {
    return this.#present().tick(state);
  }

  /**
   * Shows what the event does, and hands it to the authority. A later refusal goes to `onRefused`.
   * @throws LockstepError as `submit`, when it is refused on the spot.
   */
  send(event: TEvent): void {
    const refused = (error: LockstepError): void => this.#refusals.tell({ event: event as unknown as EventObject, error });
    this.#add(event, undefined, () => undefined, refused);
  }

  /**
   * As `send`, and tells what became of it: where in the order it stands, and whether the machine ignored it.
   * @throws LockstepError UNKNOWN_EVENT, FORBIDDEN, NOT_RUNNING, NOT_JSON, TOO_LARGE, TOO_MANY on the spot; later whatever the
   *   authority refuses it with. Nothing changed then.
   */
  submit(event: TEvent, expect?: Expectation): Promise<{ outcome: SendResult[0]; seq: number }> {
    return new Promise((resolve, reject) => this.#add(event, expect, ([outcome, seq]) => resolve({ outcome, seq }), reject));
  }

  /**
   * Whether the event would do something: answered here over what shows where the author's functions are at hand, else by the authority.
   * @throws LockstepError BAD_PARAMS for a mutation of no states, HOST_THREW when a guard throws; UNREACHABLE, CLOSED, TIMEOUT without an answer.
   */
  async can(event: TEvent): Promise<boolean> {
    if (this.#state.state === 'closed') throw this.#state.error;
    const checked = plain(event as unknown as Json, '') as unknown as EventObject;
    const replica = this.#present();
    return replica.predicts ? replica.can(checked) : this.#upstream.ask('can', { instance: this.id, event: checked });
  }

  /** For other faces of it: each move, also those after which the snapshot is the same. */
  onMove(listener: MirrorListener): Subscription {
    this.#listeners.add(listener);
    return { unsubscribe: () => void this.#listeners.delete(listener) };
  }

  /** Events of `send` that the authority refused; their effect on the snapshot is undone. */
  onRefused(observer: (refusal: Refusal) => void): Subscription {
    return this.#refusals.add(observer);
  }

  /** Own events that did something here, and nothing when their turn came: what others did first has overtaken them.   (KEEP-3) */
  onOvertaken(observer: (event: EventObject) => void): Subscription {
    return this.#overtaken.add(observer);
  }

  /** Each change of `standing`. */
  onStanding(observer: (standing: Standing) => void): Subscription {
    return this.#standings.add(observer);
  }

  /** One user less; the last one ends it. Its snapshot stays. */
  stop(): void {
    if (--this.#holders <= 0) this.close(new LockstepError('CLOSED', `the mirror of ${this.id} was stopped`));
  }

  // ── Own events ─────────────────────────────────────────────────────────────────────────────────────────────────

  #add(
    event: TEvent,
    expect: Expectation | undefined,
    resolve: (result: SendResult) => void,
    reject: (error: LockstepError) => void,
  ): void {
    if (this.#state.state === 'closed') throw this.#state.error;
    const checked = checkOwn(event as unknown as EventObject, { id: this.id, replica: this.#present(), waiting: this.#events.count });
    const { environment } = this.#upstream;
    const stamp = {
      now: environment.now(),
      seed: environment.random(),
      salt: `${this.id}/${this.#epoch}/${this.seq + this.#events.count + 1}`,
    };
    const { keeping } = this.#upstream;
    const n = keeping === undefined ? 0 : this.#events.number();
    const own = unconfirmed({ event: checked, expect, stamp, n, isHeld: n > 0, resolve, reject });
    this.#events.add(own);
    keeping?.add({ n, event: checked, ...(expect === undefined ? {} : { expect }), stamp }, () => {
      own.isHeld = false;
      this.#pump();
    });
    this.heard(checked as unknown as TEvent);
    own.isShown = this.#replica?.predict(checked, stamp) === true;
    if (own.isShown) this.#changed();
    this.#pump();
    this.#tellStanding();
  }

  #pump(): void {
    if (this.#state.state === 'watching') this.#sender.pump();
  }

  #answered(event: Unconfirmed, error: LockstepError | undefined): void {
    if (this.#state.state === 'closed') return;
    const isNew = !event.isApplied;
    if (event.answer !== undefined && event.answer[1] <= this.seq) event.isApplied = true;
    if (isNew && (error !== undefined || event.isApplied)) this.#rebase();
    if (error !== undefined) {
      event.reject(error);
      this.#upstream.keeping?.drop([event.n]);
    }
    this.#settle(this.seq);
    this.#pump();
    this.#tellStanding();
  }

  /** Answered, or in the confirmed state by other means. */
  #settle(seq: number): void {
    const settled = this.#events.settled(seq);
    for (const { answer, resolve, isShown, event } of settled) {
      if (answer === undefined) continue;
      resolve(answer);
      if (isShown && answer[0] === 'ignored') this.#overtaken.tell(event);
    }
    if (settled.length > 0) this.#upstream.keeping?.drop(settled.map(({ n }) => n));
  }

  #send(event: Unconfirmed): LockstepError | undefined {
    if (this.#state.state === 'watching') return this.#upstream.send(event, this.#state.result, this.#present().machine);
    return new LockstepError('CLOSED', 'cut off');
  }

  // ── For the peer ───────────────────────────────────────────────────────────────────────────────────────────────

  hold(): this {
    this.#holders++;
    return this;
  }

  /** What was kept of it shows until the authority says more, own events included; those are sent when there is a road. (KEEP-2) */
  restore({ state, events, newest }: Kept, machine: Machine | undefined): void {
    const replica = state === undefined || machine === undefined ? undefined : new Replica(machine);
    if (state !== undefined) replica?.load(state.seq, state.state);
    this.#isRestoring = false;
    if (this.#state.state === 'closed') return replica?.dispose();
    this.#events.begin(newest);
    for (const { n, event, expect, stamp } of events) {
      const reject = (error: LockstepError): void => this.#refusals.tell({ event, error });
      this.#events.add(unconfirmed({ n, event, expect, stamp, isHeld: false, resolve: () => undefined, reject }));
    }
    if (state === undefined || replica === undefined) return;
    this.#replica = replica;
    this.#epoch = state.epoch;
    this.#machineName = state.machine;
    this.#rebase();
    this.#opening.open();
  }

  // ── For the one who passes it on ───────────────────────────────────────────────────────────────────────────────

  /** @returns what ends it. */
  tap(tap: Tap): () => void {
    this.#taps.add(tap);
    return () => void this.#taps.delete(tap);
  }

  /** What peers at the instance say of themselves, for those who attend (presence.ts). */
  onPresent(observer: (present: Present) => void): Subscription {
    this.#presents.add(observer);
    return { unsubscribe: () => void this.#presents.delete(observer) };
  }

  present(present: Present): void {
    for (const observer of this.#presents) observer(present);
  }

  later(delayMs: number, act: () => void): void {
    this.#upstream.environment.timer(delayMs, act);
  }

  get isOpen(): boolean {
    return this.#state.state === 'watching';
  }

  get record(): InstanceRecord {
    return { instance: this.id, machine: this.#machineName, image: this.machine.hash };
  }

  confirmed(): InstanceState {
    const replica = this.#present();
    assert(replica instanceof Replica, 'what is passed on is whole');
    return replica.save();
  }

  ask<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    return this.#upstream.ask(method, params);
  }

  #kept(): KeptState | undefined {
    const replica = this.#replica;
    // Of a partial view nothing is kept: what it may show may be another when it is back.
    if (!(replica instanceof Replica)) return undefined;
    return { machine: this.#machineName, image: replica.machine.hash, epoch: this.#epoch, seq: replica.seq, state: replica.save() };
  }

  /** The road to the authority may be open (again): asks for what is missing. */
  resume(): void {
    this.#ask(true);
  }

  #ask(withHistory: boolean): void {
    if (this.#state.state === 'closed' || this.#isRestoring) return;
    if (this.#state.state === 'waiting') this.#state.cancel();
    const attempt = ++this.#attempts;
    this.#state = { state: 'asking', attempt };
    this.#tellStanding();
    const isCurrent = (): boolean => this.#state.state === 'asking' && this.#state.attempt === attempt;
    const cancel = this.#upstream.environment.timer(LIMITS.requestTimeoutMs, () => {
      if (!isCurrent()) return;
      this.#upstream.stalled();
      this.#refusedWatch(new LockstepError('TIMEOUT', `the authority of ${this.id} did not answer`));
    });
    const replica = this.#replica;
    const from = replica === undefined || !withHistory ? undefined : { epoch: this.#epoch, seq: replica.seq, digest: replica.digest() };
    this.#upstream.watch(from, (error, result) => {
      cancel();
      if (!isCurrent()) return;
      if (error !== undefined) this.#refusedWatch(error);
      else if (result !== undefined) this.#load(result);
    });
  }

  #refusedWatch(error: LockstepError): void {
    if (this.#replica === undefined && !this.isPatient && error.code !== 'CLOSED') return this.close(error);
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
    for (const tap of this.#taps) tap.cutOff();
  }

  /** The authority is not connected: tries again by itself. */
  lostAuthority(): void {
    if (this.#state.state === 'watching' || this.#state.state === 'loading') this.cutOff(true);
  }

  stepped(notice: Notifications['step']): void {
    if (this.#state.state === 'loading') this.#state.steps.push(notice);
    if (this.#state.state === 'watching') this.#step(notice, this.#state.result);
  }

  /** The authority's own word about an event of ours. */
  settled(n: number, answer: SendResult | LockstepError): void {
    this.#sender.settled(n, answer);
  }

  /** Frames of the room, or an answer, were lost on the way to us. */
  missed(): void {
    if (this.#state.state === 'watching') this.resume();
  }

  /** What a partial view shows has changed. */
  seen(notice: Notifications['seen']): void {
    const replica = this.#replica;
    if (this.#state.state !== 'watching' || replica === undefined || replica instanceof Replica) return;
    const [, base, seq, patch, digest] = notice;
    try {
      replica.apply(base, seq, patch);
    } catch {
      return this.#ask(true); // A gap, or something that does not fit what we have: the digest in the question says which.
    }
    // No history is kept that could be told: what the view shows now is all that is wanted.
    if (digest !== undefined && replica.seq === seq && replica.digest() !== digest) return this.#ask(false);
    this.#advanced();
    if (this.#state.state === 'watching') this.#sender.pump();
  }

  moved({ reason, to, peer }: Notifications['moved']): void {
    switch (reason) {
      case 'owner':
        if (peer !== undefined) this.#upstream.located(peer);
        return this.resume();
      case 'deleted':
        return this.close(new LockstepError('UNKNOWN_INSTANCE', `${this.id} was deleted`));
      case 'revoked':
        return this.close(new LockstepError('FORBIDDEN', `${this.id} is not for this reader any more`));
      case 'room':
        return to === undefined ? this.resume() : this.#renumber(to);
      case 'epoch':
        return this.resume();
      case 'offline':
        this.#upstream.stalled();
        return this.lostAuthority();
    }
  }

  /** The room goes on under another number. */
  #renumber(room: number): void {
    const state = this.#state;
    if (state.state !== 'watching' && state.state !== 'loading') return;
    state.result = { ...state.result, room };
    this.#upstream.entered(room);
  }

  /** Ends it: own events that are not answered are refused with `error`. */
  close(error: LockstepError): void {
    const state = this.#state;
    if (state.state === 'closed') return;
    if (state.state === 'waiting') state.cancel();
    if (this.#replica !== undefined) this.getSnapshot();
    this.#state = { state: 'closed', error };
    this.#sender.stop();
    this.#upstream.ended(state.state === 'watching' || state.state === 'loading' ? state.result.room : undefined);
    this.#replica?.dispose();
    this.#replica = undefined;
    const events = this.#events.clear();
    // A mirror that is stopped, or whose peer is closed, goes on in another life.
    if (error.code !== 'CLOSED') this.#upstream.keeping?.drop(events.map(({ n }) => n));
    // Who may not see it any more cannot see either what became of an event that was on its way.
    const unanswered =
      error.code === 'FORBIDDEN' ? new LockstepError('CLOSED', `${error.message}; what became of its events is not known`) : error;
    for (const event of events) event.reject(unanswered);
    this.#opening.fail(error);
    this.#tellStanding();
    for (const tap of this.#taps) tap.closed(error);
    this.finish(error.code === 'CLOSED' ? undefined : error);
  }

  // ── Taking in ──────────────────────────────────────────────────────────────────────────────────────────────────

  #load(result: WatchResult): void {
    // It has been ordered elsewhere since, by one that this mirror has heard.                                            (TOPO-7)
    if (result.epoch < this.#epoch) {
      this.#upstream.stalled();
      return this.#refusedWatch(
        new LockstepError('FENCED', `${this.id} was in epoch ${this.#epoch}, and this source is in ${result.epoch}`),
      );
    }
    this.#upstream.entered(result.room);
    if (result.seen !== undefined) return this.#loadSight(result);
    if (this.#replica?.machine !== undefined && this.#replica.machine.hash === result.image)
      return this.#enter(result, this.#replica.machine);
    const state: State = { state: 'loading', result, steps: [] };
    this.#state = state;
    const loaded = (machine: Machine): void => {
      if (this.#state !== state) return;
      this.#enter(result, machine);
      for (const notice of state.steps) this.stepped(notice);
    };
    const failed = (error: unknown): void => {
      if (this.#state !== state) return;
      if (error instanceof LockstepError && isCutOff(error)) this.#refusedWatch(error);
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

  /** With a partial view: what keeps one may have to be brought in first. */
  #loadSight(result: WatchResult): void {
    const sights = this.#upstream.sights();
    if (!(sights instanceof Promise)) return this.#enter(result, sights);
    const state: State = { state: 'loading', result, steps: [] };
    this.#state = state;
    sights.then(
      // What was told meanwhile is not kept: the view is asked for again.
      (loaded) => {
        if (this.#state !== state) return;
        this.#enter(state.result, loaded);
        this.missed();
      },
      (error: unknown) => {
        if (this.#state === state)
          this.#refusedWatch(new LockstepError('INTERNAL', 'this peer cannot load what keeps a view', { cause: error }));
      },
    );
  }

  /** @param kept the machine, or what keeps a partial view. */
  #enter(result: WatchResult, kept: Machine | Sights): void {
    this.#state = { state: 'watching', result };
    this.#attempts = 0;
    // Another history: what was answered about the one before is all that will ever be known of it.
    if (result.epoch !== this.#epoch) this.#settle(Infinity);
    this.#epoch = result.epoch;
    this.#machineName = result.machine;
    for (const tap of this.#taps) tap.renewed();
    try {
      if ('SightReplica' in kept) {
        this.#look(result, kept);
        this.#events.appliedUpTo(result.last);
      } else {
        const replica = this.#take(result, kept);
        if (result.snapshot !== undefined) for (const tap of this.#taps) tap.jumped();
        this.#events.appliedUpTo(result.last);
        const divergence = replica.compare(result.digest);
        if (divergence !== undefined) this.#diverged(divergence, result.snapshot === undefined);
      }
      if (this.isGuarded) for (const tap of this.#taps) tap.guarded();
    } catch (error) {
      // Steps that cannot be made here: what we have is not what they began with.
      if (result.steps !== undefined && this.#replica !== undefined) return this.#ask(false);
      return this.close(error as LockstepError);
    }
    this.#advanced();
    this.#opening.open();
    if (this.#state.state !== 'watching') return;
    for (const tap of this.#taps) tap.told(result.digest, true);
    this.#sender.sendAgain();
  }

  /** What a partial view shows, unless it is what we have. */
  #look({ seen, digest }: WatchResult, sights: Sights): void {
    let replica = this.#replica instanceof Replica ? undefined : this.#replica;
    if (seen?.sight !== undefined) {
      this.#replica?.dispose();
      this.#replica = replica = new sights.SightReplica(this.#upstream.core.hashText, seen.seq, seen.sight);
    } else if (replica !== undefined && seen !== undefined) replica.seq = seen.seq;
    if (replica?.digest() !== digest)
      throw new LockstepError('BAD_PARAMS', `the answer to watch does not show what a view of ${this.id} has the digest of`);
  }

  /** The snapshot, or the steps that were missed. */
  #take({ snapshot, steps = [], who }: WatchResult, machine: Machine): Replica {
    if (snapshot !== undefined) {
      if (!(this.#replica instanceof Replica) || this.#replica.machine !== machine) {
        this.#replica?.dispose();
        this.#replica = new Replica(machine);
      }
      this.#replica.load(snapshot.seq, snapshot.state);
      this.#told(this.#replica, {});
    }
    const replica = this.#replica;
    if (!(replica instanceof Replica))
      throw new LockstepError('BAD_PARAMS', `the answer to watch has neither a snapshot nor a past of ${this.id} to build on`);
    for (const step of steps) this.#apply(replica, step, who);
    return replica;
  }

  #step([, steps, digest, digestSeq = steps.at(-1)?.[0]]: Notifications['step'], { who }: WatchResult): void {
    const replica = this.#replica;
    if (!(replica instanceof Replica)) return;
    try {
      for (const step of steps) if (step[0] > replica.seq) this.#apply(replica, step, who);
    } catch (error) {
      // A gap resumes from what we have; a step that does not fit means that what we have is not what the authority has.
      return this.#ask(error instanceof LockstepError && error.code === 'STALE_SEQ');
    }
    if (digestSeq !== undefined && digestSeq > replica.seq) return this.resume();
    const divergence = digest === undefined || digestSeq !== replica.seq ? undefined : replica.compare(digest);
    if (divergence !== undefined) this.#diverged(divergence, true);
    else if (steps.length > 0) this.#advanced();
    if (this.#state.state !== 'watching') return;
    if (steps.length > 0) for (const tap of this.#taps) tap.told(digest, false);
    this.#sender.pump();
  }

  #apply(replica: Replica, step: ToldStep, who: number): void {
    const taken = replica.apply(step, `${this.id}/${this.#epoch}/${step[0]}`);
    if (this.#taps.size > 0) for (const tap of this.#taps) tap.stepped(taken.told());
    const own = this.#listeners.size > 0 && step[1] === who ? this.#events.event(step[2]) : undefined;
    if (step[1] === who && step[2] > 0) this.#events.applied(step[2], [taken.isIgnored ? 'ignored' : 'stepped', step[0]]);
    this.#told(replica, own === undefined ? { args: taken.args } : { own, args: (own as { readonly args?: Json }).args });
  }

  #told(replica: Replica, cause: Heard): void {
    if (this.#listeners.size === 0) return;
    const { clocks } = replica.save();
    for (const listener of this.#listeners) listener.confirmed(clocks, cause, !this.#events.hasPending);
  }

  /** Reports, asks for a snapshot, carries on. (SYNC-10) */
  #diverged(divergence: NonNullable<ReturnType<Replica['compare']>>, asks: boolean): void {
    this.#upstream.diverged({ instance: this.id, ...divergence }, this.isGuarded);
    if (asks) this.#ask(false);
  }

  // ── Showing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The confirmed state moved. */
  #advanced(): void {
    this.#settle(this.seq);
    this.#rebase();
    this.#tellStanding();
    this.#upstream.keeping?.moved(
      () => this.#kept(),
      () => this.machine.bytes,
    );
    if (this.#replica !== undefined && this.#replica.status !== 'active') this.finish();
  }

  #rebase(): void {
    this.#replica?.rebase(this.#events.pending, this.#snapshot?.context as Json | undefined);
    if (this.#replica !== undefined) this.#changed();
  }

  /** Tells observers, unless what shows is the same. */
  #changed(): void {
    if (this.#listeners.size > 0 && this.#replica instanceof Replica) for (const listener of this.#listeners) listener.shown(this.clocks);
    const before = this.#snapshot;
    const after = this.#shown();
    if (
      before !== undefined &&
      before.value === after.value &&
      before.context === after.context &&
      before.status === after.status &&
      before.output === after.output
    )
      return;
    this.#snapshot = after;
    try {
      this.notify();
    } catch (error) {
      this.#upstream.report('error', `an observer of ${this.id} threw`, error);
    }
  }

  #tellStanding(): void {
    const standing = this.standing;
    if (standing === this.#shownStanding) return;
    this.#shownStanding = standing;
    this.#standings.tell(standing);
  }

  #present(): Replica | SightReplica {
    if (this.#replica !== undefined) return this.#replica;
    throw new LockstepError('CLOSED', `the mirror of ${this.id} has no state ${this.#state.state === 'closed' ? 'any more' : 'yet'}`);
  }
}
