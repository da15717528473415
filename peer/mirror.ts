// A replica of an instance that another peer orders (or this one: the road is the same). Runs own events at once, as predictions over the
// confirmed state; the authority's steps confirm them or move the ground under them, and the rest is replayed. What it shows is always a
// confirmed state, or its own prediction over one. watching.ts is how it comes to be told.
// Over 400 lines because what is confirmed, what is predicted over it and what shows are one state.                      (docs/spec/sync.md)

import { Actor, NONE, type Standing, type Subscription } from '../core/actor.ts';
import { assert, LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine, StateNames } from '../core/machine.ts';
import { plain } from '../core/plain.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { InstanceState } from '../core/state.ts';
import type { ContextOf, EventOf, PatternOf } from '../core/typed.ts';
import type { InstanceRecord } from './journal.ts';
import type { Kept, KeptState } from './keeping.ts';
import { Observers } from './observers.ts';
import { Opening } from './opening.ts';
import { Replica } from './replica.ts';
import type { SightReplica } from './sight-replica.ts';
import { Sender } from './sender.ts';
import { checkOwn, type Refusal, type Unconfirmed, unconfirmed, UnconfirmedEvents } from './unconfirmed.ts';
import type { Tap, Tapped } from './tap.ts';
import type { Sights, Upstream, WatchFrom } from './upstream.ts';
import { type Watcher, Watching } from './watching.ts';
import type { Expectation, Filter, InstanceId, Methods, Notifications, Present, SendResult, ToldStep, WatchResult } from './wire.ts';

export type { Refusal } from './unconfirmed.ts';

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
  /** Whether it is to hear of each step that was missed, and not only of what they came to; it is unless it says no. */
  needsSteps?(): boolean;
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
  /** Like #taps a list that is replaced: mostly it is empty, and one that is never written to for all mirrors. */
  #listeners: readonly MirrorListener[] = NONE;
  readonly #sender: Sender;
  readonly #opening: Opening;
  readonly #watching: Watching;
  #replica: Replica | SightReplica | undefined;
  #epoch = 0;
  #snapshot: Snapshot<TContext, TPattern> | undefined;
  #shownStanding: Standing = 'offline';
  /** The name of its machine at the authority. */
  #machineName = '';
  #holders = 0;
  #taps: readonly Tap[] = NONE;
  readonly #presents = new Set<(present: Present) => void>();
  /** As asked for; undefined for what the authority shows unasked. */
  readonly view: string | undefined;
  /** What of that it is told; undefined for all of it. */
  readonly filter: Filter | undefined;

  /** Use Peer.watch. @param isPatient whether the first watch may be refused for now and is tried again. */
  constructor(
    id: InstanceId,
    upstream: Upstream,
    {
      view,
      filter,
      isPatient = false,
    }: { readonly view?: string | undefined; readonly filter?: Filter | undefined; readonly isPatient?: boolean } = {},
  ) {
    super();
    this.id = id;
    this.view = view;
    this.filter = filter;
    this.#upstream = upstream;
    this.#refusals = new Observers(`refusals of ${id}`, upstream.report);
    this.#overtaken = new Observers(`what overtook events of ${id}`, upstream.report);
    this.#standings = new Observers(`the standing of ${id}`, upstream.report);
    this.#sender = new Sender(this.#events, upstream.environment, {
      answered: (event, error) => this.#answered(event, error),
      overdue: () => this.missed(),
      send: (event) => this.#send(event),
    });
    // What was kept of it comes first.
    this.#watching = new Watching(this.#watcher(), upstream, { isPatient, isHeld: upstream.keeping !== undefined });
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
    const { answer } = this.#watching;
    return answer?.isGuarded === true || answer?.seen !== undefined;
  }

  get standing(): Standing {
    if (this.#watching.told === undefined) return 'offline';
    return this.#events.hasPending && this.#replica?.predicts === true ? 'predicted' : 'confirmed';
  }

  /** Ticks by number in `states`, of what it shows; 0 is the root. @throws LockstepError UNSUPPORTED where the view shows none. */
  get clocks(): readonly number[] {
    return this.#present().clocks;
  }

  /** The states that it knows of: all of its machine, or what its filter shows. @throws LockstepError UNSUPPORTED where the view shows no clocks. */
  get states(): StateNames {
    const replica = this.#present();
    return replica.machine ?? replica.states;
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
    if (this.#watching.error !== undefined) throw this.#watching.error;
    const checked = plain(event as unknown as Json, '') as unknown as EventObject;
    const replica = this.#present();
    return replica.predicts ? replica.can(checked) : this.#upstream.ask('can', { instance: this.id, event: checked });
  }

  /** For other faces of it: each move, also those after which the snapshot is the same. */
  onMove(listener: MirrorListener): Subscription {
    this.#listeners = [...this.#listeners, listener];
    return { unsubscribe: () => void (this.#listeners = this.#listeners.filter((each) => each !== listener)) };
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
    if (this.#watching.error !== undefined) throw this.#watching.error;
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
    if (this.#events.count > 0 && this.#watching.told !== undefined) this.#sender.pump();
  }

  #answered(event: Unconfirmed, error: LockstepError | undefined): void {
    if (this.#watching.error !== undefined) return;
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
    const { told } = this.#watching;
    return told === undefined ? new LockstepError('CLOSED', 'cut off') : this.#upstream.send(event, told, this.#present().machine);
  }

  // ── For the peer ───────────────────────────────────────────────────────────────────────────────────────────────

  hold(): this {
    this.#holders++;
    return this;
  }

  /** What was kept of it shows until the authority says more, own events included; those are sent when there is a road. (KEEP-2) */
  restore({ state, events, newest }: Kept, machine: Machine | undefined): void {
    const replica = state === undefined || machine === undefined ? undefined : new Replica(machine, this.#upstream.instances);
    if (state !== undefined) replica?.load(state.seq, state.state);
    this.#watching.release();
    if (this.#watching.error !== undefined) return replica?.dispose();
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
    this.#taps = [...this.#taps, tap];
    return () => void (this.#taps = this.#taps.filter((each) => each !== tap));
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
    return this.#watching.told !== undefined;
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

  /** How its watching tells it. */
  #watcher(): Watcher {
    const epoch = (): number => this.#epoch;
    return {
      id: this.id,
      get epoch() {
        return epoch();
      },
      have: () => this.#have(),
      machineOf: (image) => (this.#replica?.machine?.hash === image ? this.#replica.machine : undefined),
      entered: (result, kept) => this.#enter(result, kept),
      stepped: (notice) => this.stepped(notice),
      changed: () => this.#tellStanding(),
      cutOff: () => {
        for (const tap of this.#taps) tap.cutOff();
      },
      close: (error) => this.close(error),
    };
  }

  #have(): WatchFrom {
    const replica = this.#replica;
    if (replica === undefined) return undefined;
    const from = { epoch: this.#epoch, seq: replica.seq, digest: replica.digest() };
    const needsSteps = this.#taps.length > 0 || this.#listeners.some((each) => each.needsSteps?.() !== false);
    return needsSteps && replica.machine ? from : { ...from, merged: true };
  }

  /** The road to the authority may be open (again): asks for what is missing. */
  resume(): void {
    this.#watching.ask(true);
  }

  /** The session with the authority ended. @param retries whether to try again by itself; else the peer calls `resume`. */
  cutOff(retries: boolean): void {
    this.#watching.cutOff(retries);
  }

  /** The authority is not connected: tries again by itself. */
  lostAuthority(): void {
    this.#watching.lost();
  }

  stepped(notice: Notifications['step']): void {
    const { told } = this.#watching;
    if (told === undefined) this.#watching.early(notice);
    else this.#step(notice, told.who);
  }

  /** The authority's own word about an event of ours. */
  settled(n: number, answer: SendResult | LockstepError): void {
    this.#sender.settled(n, answer);
  }

  /** Frames of the room, or an answer, were lost on the way to us. */
  missed(): void {
    if (this.#watching.told !== undefined) this.resume();
  }

  /** What a partial view shows has changed. */
  seen(notice: Notifications['seen']): void {
    const replica = this.#replica;
    if (this.#watching.told === undefined) return this.#watching.skipped();
    if (replica === undefined || replica instanceof Replica) return;
    const [, base, seq, patch, digest, clocks] = notice;
    try {
      if (replica.apply(base, seq, patch, clocks)) this.#told(replica, {});
    } catch {
      return this.#watching.ask(true); // A gap, or something that does not fit what we have: the digest in the question says which.
    }
    // No history is kept that could be told: what the view shows now is all that is wanted.
    if (digest && replica.seq === seq && replica.digest() !== digest) return this.#watching.ask(false);
    this.#advanced();
    this.#pump();
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
        return to === undefined ? this.resume() : this.#watching.renumber(to);
      case 'epoch':
        return this.resume();
      case 'offline':
        this.#upstream.stalled();
        return this.lostAuthority();
    }
  }

  /** Ends it: own events that are not answered are refused with `error`. */
  close(error: LockstepError): void {
    if (this.#watching.error !== undefined) return;
    if (this.#replica !== undefined) this.getSnapshot();
    this.#watching.close(error);
    this.#sender.stop();
    this.#upstream.ended();
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

  /** @param kept the machine, or what keeps a partial view. */
  #enter(result: WatchResult, kept: Machine | Sights): void {
    // Another history: what was answered about the one before is all that will ever be known of it.
    if (result.epoch !== this.#epoch) this.#settle(Infinity);
    this.#epoch = result.epoch;
    this.#machineName = result.machine;
    for (const tap of this.#taps) tap.renewed();
    try {
      if ('SightReplica' in kept) this.#look(result, kept);
      else {
        const replica = this.#take(result, kept);
        if ((result.snapshot ?? result.merged) !== undefined) for (const tap of this.#taps) tap.jumped();
        const divergence = replica.compare(result.digest);
        if (divergence !== undefined) this.#diverged(divergence, result.snapshot === undefined);
      }
      this.#events.appliedUpTo(result.last);
      if (this.isGuarded) for (const tap of this.#taps) tap.guarded();
    } catch (error) {
      // Steps that cannot be made here: what we have is not what they began with.
      const built = result.steps ?? result.merged ?? result.seen?.patch;
      if (built && this.#replica) return this.#watching.ask(false);
      return this.close(error as LockstepError);
    }
    this.#advanced();
    this.#opening.open();
    if (this.#watching.told === undefined) return;
    for (const tap of this.#taps) tap.told(result.digest, true);
    this.#sender.sendAgain();
  }

  /** What a partial view shows, unless it is what we have. */
  #look({ seen, digest }: WatchResult, { SightReplica }: Sights): void {
    const before = this.#replica;
    const { hashText: hash } = this.#upstream.core;
    const replica = SightReplica.after(before instanceof Replica ? undefined : before, seen!, { hash, filter: this.filter, digest });
    if (replica !== before) before?.dispose();
    this.#replica = replica;
    this.#told(replica, {});
  }

  /** The snapshot, or what was missed. */
  #take({ snapshot, steps = [], merged, who }: WatchResult, machine: Machine): Replica {
    if (snapshot !== undefined) {
      if (!(this.#replica instanceof Replica) || this.#replica.machine !== machine) {
        this.#replica?.dispose();
        this.#replica = new Replica(machine, this.#upstream.instances);
      }
      this.#replica.load(snapshot.seq, snapshot.state);
      this.#told(this.#replica, {});
    }
    const replica = this.#replica;
    if (!(replica instanceof Replica))
      throw new LockstepError('BAD_PARAMS', `the answer to watch has neither a snapshot nor a past of ${this.id} to build on`);
    for (const step of steps) this.#apply(replica, step, who);
    if (merged === undefined) return replica;
    replica.merge(merged);
    this.#told(replica, {});
    return replica;
  }

  #step([, steps, digest, digestSeq = steps.at(-1)?.[0]]: Notifications['step'], who: number): void {
    const replica = this.#replica;
    if (!(replica instanceof Replica)) return;
    try {
      for (const step of steps) if (step[0] > replica.seq) this.#apply(replica, step, who);
    } catch (error) {
      // A gap resumes from what we have; a step that does not fit means that what we have is not what the authority has.
      return this.#watching.ask(error instanceof LockstepError && error.code === 'STALE_SEQ');
    }
    if (digestSeq !== undefined && digestSeq > replica.seq) return this.resume();
    const divergence = digest === undefined || digestSeq !== replica.seq ? undefined : replica.compare(digest);
    if (divergence !== undefined) this.#diverged(divergence, true);
    else if (steps.length > 0) this.#advanced();
    if (steps.length > 0 && this.#watching.told !== undefined) for (const tap of this.#taps) tap.told(digest, false);
    this.#pump();
  }

  #apply(replica: Replica, step: ToldStep, who: number): void {
    const [seq, sender, n] = step;
    const taken = replica.apply(step, `${this.id}/${this.#epoch}/${seq}`, this.#taps.length > 0);
    for (const tap of this.#taps) tap.stepped(taken);
    if (sender === who && n > 0) this.#events.applied(n, [taken.isIgnored ? 'ignored' : 'stepped', seq]);
    if (this.#listeners.length === 0) return;
    const own = sender === who ? this.#events.event(n) : undefined;
    this.#told(replica, own === undefined ? { args: taken.args } : { own, args: (own as { readonly args?: Json }).args });
  }

  #told(replica: Replica | SightReplica, cause: Heard): void {
    const clocks = this.#listeners.length > 0 && replica.confirmedClocks;
    if (!clocks) return;
    for (const listener of this.#listeners) listener.confirmed(clocks, cause, !this.#events.hasPending);
  }

  /** Reports, asks for a snapshot, carries on. (SYNC-10) */
  #diverged(divergence: NonNullable<ReturnType<Replica['compare']>>, asks: boolean): void {
    this.#upstream.diverged({ instance: this.id, ...divergence }, this.isGuarded);
    if (asks) this.#watching.ask(false);
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
    if (this.#replica?.status !== 'active') this.finish();
  }

  #rebase(): void {
    this.#replica?.rebase(this.#events.pending, this.#snapshot?.context as Json | undefined);
    if (this.#replica !== undefined) this.#changed();
  }

  /** Tells observers, unless what shows is the same. */
  #changed(): void {
    if (this.#listeners.length > 0 && this.#replica?.confirmedClocks) for (const listener of this.#listeners) listener.shown(this.clocks);
    const before = this.#snapshot;
    const after = this.#shown();
    if (
      before?.status === after.status &&
      before.context === after.context &&
      before.value === after.value &&
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
    throw new LockstepError('CLOSED', `the mirror of ${this.id} has no state ${this.#watching.error === undefined ? 'yet' : 'any more'}`);
  }
}
