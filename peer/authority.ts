// The one side that orders an instance's events: recognises resends, refuses what does not belong, runs each event in the core and hands
// the step to the group commit. Only what is durable is answered, broadcast and acted on; a failed commit takes the instance back to its
// journal. Same class on a server and in a browser; readers.ts has those who read it, tenure.ts whether it can be stepped at all.
// Over 400 lines because an event's whole way through it, and what becomes of it when that fails, is in one place.      (docs/spec/sync.md)

import { namedActors } from '../core/children.ts';
import { LockstepError } from '../core/errors.ts';
import type { StepOrigin } from '../core/copy.ts';
import { ELAPSED, Instance } from '../core/instance.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { Outcome } from '../core/outcome.ts';
import { plain } from '../core/plain.ts';
import { appended } from '../core/relational/schema.ts';
import { SELF, type ChildStart } from '../core/request.ts';
import type { Stamp } from '../core/stamp.ts';
import type { InstanceState } from '../core/state.ts';
import type { Step } from '../core/step.ts';
import { admit, meet } from './admission.ts';
import { Alarm } from './alarm.ts';
import { anew, GROWN } from './anew.ts';
import { Backlog, type Mark } from './backlog.ts';
import { backoffMs } from './backoff.ts';
import type { RequestId } from './codec-json.ts';
import { type Activity, activityOf, EffectQueue } from './effects.ts';
import { Family } from './family.ts';
import { HandlerFaults } from './handler-faults.ts';
import type { ChildTold } from './hosted-actors.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord, JournalEntry, Moved, Seen } from './journal.ts';
import { recordStep, type Made } from './record.ts';
import type { Recovered } from './recovery.ts';
import { Readers } from './readers.ts';
import type { Room } from './room.ts';
import type { Asker } from './service.ts';
import type { SeenEvent, SeenEvents } from './seen.ts';
import type { Session } from './session.ts';
import { sizeOf } from './shape.ts';
import { Tenure } from './tenure.ts';
import { type FromInside, Untold } from './untold.ts';
import { bland, type Moment } from './warden.ts';
import { type InstanceDescription, LIMITS, type Methods, type PeerId, type SightDescription, type Taken } from './wire.ts';

/** Whether the tail outweighs the state is asked once in so many steps. */
const WEIGH_EVERY = 256;
/** Characters of a remembered event in a checkpoint. */
const SEEN_SIZE = 20;
const NO_TIMERS: ReadonlyMap<number, number> = new Map();

/** A step that became durable, with what is needed then. */
interface Ran {
  readonly outcome: Outcome;
  readonly stamp: Stamp;
  readonly isIn: Activity;
  /** For authorizers and views, while there are any. */
  readonly moment: Moment | undefined;
  /** After it, where it is to be kept. */
  readonly state?: InstanceState | undefined;
}

/** An event on its way into the machine. */
interface Incoming {
  readonly peer: PeerId;
  readonly n: number;
  readonly event: EventObject;
  readonly origin?: StepOrigin;
  /** Who waits for an answer. */
  readonly from?: { readonly asker: Asker; readonly id: RequestId };
}

const NO_CHILDREN: ReadonlyMap<string, ChildStart> = new Map();
const INSIDE: StepOrigin = { isInternal: true };

export class Authority {
  readonly readers: Readers;
  /** Whether it can be stepped now, and else why not. */
  readonly tenure: Tenure;
  readonly #hosting: Hosting;
  readonly #alarm: Alarm;
  #record: InstanceRecord;
  /** Images that it ran before its schema grew: of its earlier steps in traces. */
  readonly #earlierImages = new Set<string>();
  #machine: Machine;
  #epoch: number;
  #seen: SeenEvents;
  readonly #effects: EffectQueue;
  readonly #faults: HandlerFaults;
  readonly #family: Family;
  readonly #untold = new Untold();
  /** It was handed over, and what an effect of its steps here still sends goes after it. */
  #wasHandedOver = false;
  /** The authority's clock at the last step: it never runs backwards. */
  #at: number;
  #tail = 0;
  #durableSeq: number;

  /**
   * @param recovered what the journal holds, or a fresh instance whose first step is yet to be made by `create`.
   * @param base the state before `steps`, unless these begin with the first.
   * @param steps durable ones that readers may have missed.
   */
  constructor(
    hosting: Hosting,
    options: {
      readonly record: InstanceRecord;
      readonly room: number;
      readonly recovered: Recovered;
      readonly steps: readonly Step[];
      readonly base?: Mark | undefined;
    },
  ) {
    const { instance, epoch, seen, at } = options.recovered;
    this.#hosting = hosting;
    this.#record = options.record;
    this.#machine = instance.machine;
    const record = (): InstanceRecord => this.#record;
    const machine = (): Machine => this.#machine;
    this.readers = new Readers(
      {
        get record() {
          return record();
        },
        get machine() {
          return machine();
        },
        epoch: () => this.#epoch,
        seen: () => this.#seen,
        running: () => this.tenure.running(),
        digestAt: (seq) => this.#digestAt(seq),
        known: (error) => this.#known(error),
      },
      hosting,
      options.room,
    );
    const { instance: id } = this.record;
    const send = (event: EventObject): void => this.#hear({ event, by: 'effect' });
    this.#family = new Family({ hosting, record: this.record, machine, tell: (event) => this.tell(event) });
    this.#faults = new HandlerFaults({ machine, environment: hosting.environment, tell: send });
    this.#effects = new EffectQueue({
      environment: hosting.environment,
      machine,
      children: this.#family.children,
      owner: {
        self: this.machine.isRelational ? this.#family.relationalSelf(send) : { id, send },
        system: namedActors(
          () => this.tenure.instance?.children ?? NO_CHILDREN,
          (child, event) => this.#family.children.send(child, event),
        ),
      },
      failed: (effect, error, place) => {
        hosting.report('error', `effect "${effect.name}" of ${id} failed`, error);
        this.#faults.failed(effect, error, place);
      },
    });
    this.tenure = new Tenure(
      {
        get record() {
          return record();
        },
        get machine() {
          return machine();
        },
        suspended: () => this.#alarm.cancel(),
        resumed: () => {
          this.#alarm.arm();
          this.#family.run();
          for (const from of this.#untold.take()) this.#hear(from);
        },
        reread: ({ epoch, seen }, steps) => {
          this.#epoch = epoch;
          this.#seen = seen;
          this.#tail = steps;
        },
        known: (error) => this.#known(error),
      },
      hosting,
      instance,
    );
    this.#epoch = epoch;
    this.#seen = seen;
    this.#at = at;
    this.#durableSeq = instance.seq;
    if (instance.seq > 0) this.readers.recheck(this.readers.momentOf(instance));
    this.#tail = options.steps.length;
    const base =
      options.base ?? (options.steps.length === 0 && instance.seq > 0 ? { seq: instance.seq, state: instance.save() } : undefined);
    if (base !== undefined) this.readers.mark(base);
    for (const step of options.steps) this.readers.add(step);
    this.#alarm = new Alarm(
      hosting.environment,
      () => this.tenure.instance?.timers ?? NO_TIMERS,
      (timer) => this.#fire(timer),
    );
    if (instance.seq > 0) this.#alarm.arm();
  }

  get record(): InstanceRecord {
    return this.#record;
  }

  get machine(): Machine {
    return this.#machine;
  }

  /** Whether it runs an image, or has run it here. */
  hasRun(image: string): boolean {
    return image === this.#record.image || this.#earlierImages.has(image);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get room(): Room {
    return this.readers.room;
  }

  /** The event numbers that it remembers. */
  get seen(): Seen {
    return this.#seen.save();
  }

  /** Of the newest step, durable or not. @throws LockstepError while it is not running. */
  get seq(): number {
    return this.tenure.running().seq;
  }

  // ── Events ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs step 1 and hands it to the journal.
   * @param entries what must be durable with it, before it.
   * @throws LockstepError HOST_THREW, NOT_JSON, FUEL …: nothing is written then.
   */
  create(
    input: Json | undefined,
    entries: readonly JournalEntry[],
    told: { durable(seq: number): void; failed(error: LockstepError): void },
  ): void {
    const instance = this.tenure.running();
    const stamp = this.#stamp(1);
    const outcome = instance.start(input, stamp);
    const isIn = activityOf(instance);
    const event: EventObject = input === undefined ? { type: 'xstate.init' } : { type: 'xstate.init', input };
    const made = { instance, outcome, stamp, peer: this.#hosting.self, n: 0, event };
    const step = recordStep(made, { id: this.record.instance, epoch: this.#epoch });
    const moment = this.readers.momentOf(instance);
    this.#hosting.committer.add({
      entries: [...entries, { kind: 'create', record: this.record, step }],
      durable: () => {
        this.#durable(step, { outcome, stamp, isIn, moment });
        told.durable(step.seq);
      },
      failed: (error) => {
        this.close(error);
        told.failed(error);
      },
    });
  }

  /**
   * One event from a peer; `asker` gets [outcome, seq] once it is durable, or why not, with nothing changed. Who may not write is refused
   * before anything is looked at, and who does not see everything is told no more than a code.        (SYNC-1, SYNC-3, SYNC-4, VIEW-5, VIEW-6)
   */
  submit(asker: Asker, id: RequestId, peer: PeerId, params: Methods['send']['params']): void {
    if (this.tenure.isHeld) return this.tenure.wait(asker, id, () => this.submit(asker, id, peer, params));
    const [, n, sent, expect] = params;
    try {
      const seen = this.#seen.find(peer, n);
      // What is durable is answered even while the journal is being read again: a refusal would be a lie.
      if (seen !== undefined && seen !== 'stale' && seen[1] <= this.#durableSeq && !this.tenure.isGone)
        return this.#answerAgain(asker, id, seen);
      const instance = this.tenure.running();
      const event = plain(sent, '') as unknown as EventObject;
      const { sends } = asker.load;
      if (sends >= LIMITS.sendMax)
        throw new LockstepError('TOO_MANY', `${sends} events of ${peer} wait for their answer here, at most ${LIMITS.sendMax} may`);
      if (!this.#hosting.warden.maySend(this.record, peer, event, instance))
        throw new LockstepError('FORBIDDEN', `${this.record.instance} takes no such event from this writer`);
      if (seen === 'stale')
        throw new LockstepError('STALE', `event ${n} of ${peer} comes after a newer one of the same peer and is not remembered`);
      if (seen !== undefined) return this.#answerAgain(asker, id, seen);
      admit(event);
      if (expect !== undefined) meet(this.record.instance, { seq: instance.seq, value: () => this.readers.valueFor(peer) }, expect);
      this.#faults.admit(event);
      this.#run(instance, { peer, n, event, from: { asker, id } });
    } catch (error) {
      const known = this.#known(error);
      // Whoever hears the room sends again where the instance goes.
      if (known.code === 'FENCED' && asker.hearsSteps === true) return;
      const refusal = this.readers.tellsAll(peer) ? known : bland(known);
      this.#whenDurable(asker, id, () => asker.refuse(id, refusal));
    }
  }

  /** A resend: its step is durable, or on its way. A later write that fails does not undo it. */
  #answerAgain(asker: Asker, id: RequestId, [, seq, stepped]: SeenEvent): void {
    const answer = (): void => asker.answer(id, [stepped ? 'stepped' : 'ignored', seq]);
    const failed = (error: LockstepError): void => (seq <= this.#durableSeq ? answer() : asker.refuse(id, error));
    this.#hosting.committer.add({ entries: [], durable: answer, failed });
  }

  /** An event of one of its actors, or of the instance that started it. */
  tell(event: EventObject): void {
    this.#hear({ event, by: 'actor' });
  }

  /** An event from inside: it waits out a failed commit and a hand-over, and is dropped when the machine has ended. */
  #hear({ event: sent, by }: FromInside): void {
    const { self } = this.#hosting;
    try {
      const event = plain(sent, '') as unknown as EventObject;
      const wait = (): void => this.#untold.add({ event, by });
      if (this.tenure.isGone) return by === 'effect' && this.#wasHandedOver ? this.#hosting.sendOn(this.record.instance, event) : undefined;
      const { instance } = this.tenure;
      if (instance === undefined) return wait();
      if (instance.status === 'active') this.#run(instance, { peer: self, n: 0, event, origin: INSIDE }, wait);
    } catch (error) {
      this.#hosting.report('error', `"${sent.type}" from inside ${this.record.instance} was refused`, error);
    }
  }

  /** It was handed over to this peer with these, which effects of its steps sent there. */
  takeUp(untold: readonly EventObject[]): void {
    for (const event of untold) this.#hear({ event, by: 'effect' });
  }

  /** A timer is due: an event of the authority's own, or one that goes to somebody else. */
  #fire(timer: number): void {
    const { instance } = this.tenure;
    if (instance === undefined) return;
    const delayed = instance.delayed(timer);
    try {
      if (delayed !== undefined && delayed.to !== SELF) return this.#elapse(instance, timer);
      const event = delayed?.event ?? { type: this.machine.symbols.timers[timer]! };
      this.#run(instance, { peer: this.#hosting.self, n: 0, event, origin: { timer, isInternal: true } });
    } catch (error) {
      this.#alarm.drop(timer, instance.timers.get(timer));
      this.#hosting.report('error', `timer ${timer} of ${this.record.instance} was refused`, error);
    }
  }

  #elapse(instance: Instance, timer: number): void {
    const stamp = this.#stamp(instance.seq + 1);
    const outcome = instance.elapse(timer);
    this.#commit({ instance, outcome, stamp, peer: this.#hosting.self, n: 0, event: { type: ELAPSED, timer } });
  }

  #run(instance: Instance, { peer, n, event, origin, from }: Incoming, failed?: () => void): void {
    const stamp = this.#stamp(instance.seq + 1);
    const outcome = instance.step(event, stamp, origin);
    if (n > 0) this.#seen.add(peer, n, instance.seq, outcome.taken);
    this.#commit({ instance, outcome, stamp, peer, n, event }, from, failed);
  }

  #commit(made: Made, from?: Incoming['from'], failed?: () => void): void {
    const { outcome, stamp, instance } = made;
    const step = recordStep(made, { id: this.record.instance, epoch: this.#epoch });
    const isIn = activityOf(instance);
    const moment = this.readers.momentOf(instance);
    const state = Backlog.isMarked(step.seq) ? instance.save() : undefined;
    const load = from?.asker.load;
    if (load !== undefined) load.sends++;
    this.#hosting.committer.add({
      entries: this.#entries(instance, step),
      durable: () => {
        if (load !== undefined) load.sends--;
        const who = this.#durable(step, { outcome, stamp, isIn, moment, state });
        if (from?.asker.hearsSteps !== true || who === 0) from?.asker.answer(from.id, [outcome.taken ? 'stepped' : 'ignored', step.seq]);
      },
      failed: (error) => {
        if (load !== undefined) load.sends--;
        from?.asker.refuse(from.id, error);
        failed?.();
        this.tenure.reload();
      },
    });
  }

  #stamp(seq: number): Stamp {
    const { environment } = this.#hosting;
    this.#at = Math.max(this.#at, environment.now());
    return { now: this.#at, seed: environment.random(), salt: `${this.record.instance}/${this.#epoch}/${seq}` };
  }

  /** The step, and with it a checkpoint when the steps since the last one outweigh the state. */
  #entries(instance: Instance, step: Step): readonly JournalEntry[] {
    this.#tail++;
    if (this.#tail % WEIGH_EVERY !== 0) return [{ kind: 'step', step }];
    const tailSize = JSON.stringify(step).length * this.#tail;
    const state = instance.save();
    if (tailSize < sizeOf(state as unknown as Json, tailSize) + this.#seen.count * SEEN_SIZE) return [{ kind: 'step', step }];
    const seen = this.#seen.saved();
    const checkpoint = {
      instance: this.record.instance,
      epoch: this.#epoch,
      seq: step.seq,
      state,
      get seen() {
        return seen();
      },
    };
    this.#tail = 0;
    return [
      { kind: 'step', step },
      { kind: 'checkpoint', checkpoint },
    ];
  }

  // ── When it is durable ─────────────────────────────────────────────────────────────────────────────────────────

  /** @returns the sender's number in the room. */
  #durable(step: Step, { outcome, stamp, isIn, moment, state }: Ran): number {
    const { self } = this.#hosting;
    this.tenure.written();
    this.readers.recheck(moment);
    this.#durableSeq = step.seq;
    const who = this.readers.add(step, outcome.asked, state);
    this.#effects.add(outcome, stamp, isIn);
    // A child that was stopped while its step was being written has nothing more to say.
    const { present } = this.tenure;
    if (present !== undefined && this.#family.hears) this.#family.stepped(step, { snapshot: () => dataOf(present), isIn });
    this.#hosting.traced(
      { kind: 'step', peer: self, machine: this.record.machine, image: this.record.image, step },
      this.readers.mayTrace(moment),
    );
    this.#hosting.touched(this);
    return who;
  }

  /** Broadcasts what became durable in this batch and arms the timers it asked for. */
  afterBatch(): void {
    const isRunning = this.tenure.instance !== undefined;
    if (!isRunning && !this.tenure.isHeld) return;
    this.room.publish();
    if (isRunning) this.#alarm.arm();
    this.room.stirred();
  }

  /** It is the child of another instance here. What it has come to already is told at once. */
  adopt(told: ChildTold): void {
    this.#family.adopt(told);
    const { present } = this.tenure;
    if (present?.status === 'done') told.done(present.output);
    else if (present?.status === 'error') told.failed({ name: 'Error', message: present.error ?? 'failed' });
    else if (present !== undefined) this.#family.tellState(activityOf(present));
  }

  /** It was invoked, and nothing has happened since: a relational machine is told to start. */
  begin(input: Json | undefined): void {
    const event = this.#family.begins(input);
    if (event !== undefined && this.tenure.instance?.seq === 1) this.tell(event);
  }

  /** It came back from the journal: so do its actors, machines from their own journal, others from their input. */
  restartChildren(): void {
    const { instance } = this.tenure;
    if (instance?.status !== 'active') return;
    for (const child of instance.children.values()) if (child.ended !== true) this.#family.restart(child);
    this.#family.resume(activityOf(instance));
  }

  /** Runs the effects of durable steps, when everyone has been told. Actors of one that may go elsewhere wait until it stays. (SYNC-15, TOPO-16) */
  runEffects(): void {
    this.#effects.run();
    if (this.tenure.instance !== undefined) this.#family.run();
  }

  /** The digest after `seq`, while that is the newest step. */
  #digestAt(seq: number): string | undefined {
    const { instance } = this.tenure;
    return instance?.seq === seq ? instance.digest() : undefined;
  }

  // ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @throws as Readers.watch */
  watch(session: Session, id: RequestId, params: Omit<Methods['watch']['params'], 'instance'>): void {
    if (this.tenure.isHeld) return this.tenure.wait(session, id, () => this.watch(session, id, params));
    this.readers.watch(session, id, params);
  }

  /** @throws as Readers.vouch */
  vouch(session: Session, peer: PeerId): Promise<Methods['vouch']['result']> {
    return this.readers.vouch(session, peer);
  }

  isBehind(session: Session, peer: PeerId): boolean {
    return this.readers.isBehind(session, peer);
  }

  /** @throws as Readers.attend */
  attend(session: Session): Methods['attend']['result'] {
    return this.readers.attend(session);
  }

  here(session: Session, peer: PeerId, data: Json): boolean | Promise<boolean> {
    return this.readers.here(session, peer, data);
  }

  /** @throws as Readers.describe */
  describe(peer: PeerId, view?: string): InstanceDescription | SightDescription {
    return this.readers.describe(peer, view);
  }

  /** Whether a peer may write this now, delete it, or give it the schema that its machine has now. */
  allows(peer: PeerId, event: EventObject | 'delete' | 'grow'): boolean {
    const instance = this.tenure.running();
    const { warden } = this.#hosting;
    if (event === 'grow') return warden.mayGrow(this.record, peer, instance);
    return event === 'delete' ? warden.mayDelete(this.record, peer, instance) : warden.maySend(this.record, peer, event, instance);
  }

  /** @throws LockstepError NOT_RUNNING, BAD_PARAMS, and HOST_THREW when a guard or a negotiation handler throws. */
  can(peer: PeerId, asked: EventObject): boolean {
    const event = plain(asked, '') as unknown as EventObject;
    const { instance } = this.record;
    if (!this.allows(peer, event)) throw new LockstepError('FORBIDDEN', `${instance} takes no such event from this writer`);
    try {
      return this.tenure.running().can(event);
    } catch (error) {
      const known = this.#known(error);
      throw this.readers.tellsAll(peer) ? known : bland(known);
    }
  }

  /** Calls `act` when everything until now is durable; the asker is refused when it never will be. */
  #whenDurable(asker: Asker, id: RequestId, act: () => void): void {
    this.#hosting.committer.add({ entries: [], durable: act, failed: (error) => asker.refuse(id, error) });
  }

  // ── Another schema ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Goes on with a schema that has grown, under a new epoch; what comes meanwhile waits. Resolves when that is durable and readers were told
   * to ask anew.                                                                                                           (REL-39)
   * @throws LockstepError as `appended`; MISSING_FUNCTION, NOT_RUNNING, STORAGE: it goes on as it was.
   */
  async grow(machine: Machine, epoch: number): Promise<void> {
    if (!machine.canRun)
      throw new LockstepError('MISSING_FUNCTION', `the functions of machine "${this.record.machine}" are not here to go on with`);
    await this.tenure.hold();
    const instance = this.tenure.held();
    const grown = Instance.create(machine);
    const record: InstanceRecord = { ...this.record, image: machine.hash };
    try {
      const saved = instance.save();
      const state = { ...saved, clocks: appended(this.machine, machine, saved.clocks) };
      grown.load(state, instance.seq);
      const { committer, self } = this.#hosting;
      const checkpoint = { instance: record.instance, epoch, seq: instance.seq, state, seen: this.#seen.save() };
      const event = { type: GROWN, epoch: this.#epoch };
      const entries = anew({ record, bytes: machine.bytes, checkpoint, digest: grown.digest(), event, at: this.#at, self });
      await new Promise<void>((durable, failed) => committer.add({ entries, durable, failed }));
      this.tenure.held();
    } catch (error) {
      grown.dispose();
      if (!this.tenure.isHalted) this.tenure.keepOn();
      throw error;
    }
    instance.dispose();
    this.#earlierImages.add(this.#record.image);
    this.#record = record;
    this.#machine = machine;
    this.tenure.replace(grown);
    this.#epoch = epoch;
    this.#tail = 0;
    this.#family.run();
    this.#family.grown(activityOf(grown));
    this.readers.recheck(this.readers.momentOf(grown));
    this.readers.renew({ seq: grown.seq, state: grown.save() });
    this.tenure.keepOn();
  }

  // ── The next authority ─────────────────────────────────────────────────────────────────────────────────────────

  /** Everything of it, once it is durable; from here on what comes waits, until its tenure keeps on or it has moved. @throws LockstepError UNSUPPORTED, NOT_RUNNING, STORAGE */
  async hand(): Promise<Omit<Taken, 'lineage'>> {
    if (this.#family.isChild || this.#family.hasHosted(this.tenure.running()))
      throw new LockstepError('UNSUPPORTED', `${this.record.instance} belongs to a family of instances, which stay together`);
    await this.tenure.hold();
    const instance = this.tenure.held();
    const { seq } = instance;
    const guarded = this.#hosting.warden.guards(this.record.machine) ? ({ isGuarded: true } as const) : {};
    const untold = this.#untold.hand();
    const sent = untold.length === 0 ? {} : { untold };
    return { ...this.record, epoch: this.#epoch, seq, state: instance.save(), seen: this.readers.seenUpTo(seq), ...sent, ...guarded };
  }

  /** Another peer orders it now: when the journal knows, readers are told, and those who asked are to ask there. @param gone is called first. */
  moveTo(moved: Moved, gone: () => void): Promise<void> {
    const error = new LockstepError('FENCED', `${moved.instance} is ordered by ${moved.peer} now, in epoch ${moved.epoch}`);
    const { committer, environment, report } = this.#hosting;
    return new Promise((resolve) => {
      const ended = (): void => {
        const refuse = this.tenure.end(error);
        this.#family.children.close();
        gone();
        this.readers.leave('owner', moved);
        refuse();
        this.#sendOn();
        resolve();
      };
      // Until the journal knows, this peer would order it again after a restart.
      const write = (failures: number): void => {
        const failed = (problem: LockstepError): void => {
          report('error', `the journal does not know yet that ${moved.instance} is ordered by ${moved.peer}`, problem);
          environment.timer(backoffMs(environment, failures), () => write(failures + 1));
        };
        committer.add({ entries: [{ kind: 'moved', moved }], durable: ended, failed });
      };
      write(0);
    });
  }

  /** Whoever gave way does not know whether the step of an effect is in the other history. */
  #sendOn(): void {
    this.#wasHandedOver = !this.tenure.isHalted;
    const late = this.#untold.takeLate();
    if (this.#wasHandedOver) for (const event of late) this.#hosting.sendOn(this.record.instance, event);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Deletes it: from now on it is unknown; readers are told when that is durable. */
  delete(told: { durable(): void; failed(error: LockstepError): void }): void {
    const instance = this.tenure.leave(new LockstepError('UNKNOWN_INSTANCE', `instance ${this.record.instance} was deleted`));
    this.#family.children.stopAll();
    this.#hosting.committer.add({
      entries: [{ kind: 'delete', instance: this.record.instance }],
      durable: () => {
        this.readers.leave('deleted');
        instance.dispose();
        told.durable();
      },
      failed: (error) => {
        instance.dispose();
        this.tenure.stay();
        told.failed(error);
      },
    });
  }

  /** Ends it here; what is in the journal stays. @param error for whoever asks from now on. */
  close(error: LockstepError): void {
    const refuse = this.tenure.end(error);
    this.#family.children.close();
    this.readers.close();
    refuse();
  }

  #known(error: unknown): LockstepError {
    if (error instanceof LockstepError) return error;
    this.#hosting.report('error', `instance ${this.record.instance}`, error);
    return new LockstepError('INTERNAL', `a fault of the authority of ${this.record.instance}; its log has it`);
  }
}

/** What a parent that asked for snapshots hears. */
function dataOf(instance: Instance): Json {
  const { status, value, context, output } = instance.snapshot();
  return { status, value, context, ...(output === undefined ? {} : { output }) };
}
