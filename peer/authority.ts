// The one side that orders an instance's events: recognises resends, refuses what does not belong, runs each event in the core and hands
// the step to the group commit. Only what is durable is answered, broadcast and acted on; a failed commit takes the instance back to its
// journal. Same class on a server and in a browser. From top to bottom it is the road of an event: how one comes in, its step, what happens
// when that is durable. What it orders is ordered.ts, whether that can be stepped at all tenure.ts, who reads it readers.ts, its actors and
// its parent family.ts, how it goes on under another schema or at another peer passage.ts.                     (docs/spec/sync.md)

import { LockstepError } from '../core/errors.ts';
import type { StepOrigin } from '../core/copy.ts';
import { ELAPSED, type Instance } from '../core/instance.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import { plain } from '../core/plain.ts';
import { SELF } from '../core/request.ts';
import type { Step } from '../core/step.ts';
import { admit, meet } from './admission.ts';
import { Alarm } from './alarm.ts';
import type { Mark } from './backlog.ts';
import type { RequestId } from './codec-json.ts';
import { EffectQueue } from './effects.ts';
import { Family } from './family.ts';
import { HandlerFaults } from './handler-faults.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord, JournalEntry, Seen } from './journal.ts';
import { Ordered } from './ordered.ts';
import { Passage } from './passage.ts';
import { type Awaiting, type MadeFor, Ran, type Settling } from './ran.ts';
import { recordStep } from './record.ts';
import type { Recovered } from './recovery.ts';
import { Readers } from './readers.ts';
import type { Room } from './room.ts';
import type { Asker } from './service.ts';
import type { SeenEvent } from './seen.ts';
import { Tenure } from './tenure.ts';
import { type FromInside, Untold } from './untold.ts';
import { bland } from './warden.ts';
import { type Expectation, LIMITS, type Methods, type PeerId } from './wire.ts';

const NO_TIMERS: ReadonlyMap<number, number> = new Map();
const INSIDE: StepOrigin = { isInternal: true };

export interface AuthorityOptions {
  readonly record: InstanceRecord;
  /** The number of its first room. */
  readonly room: number;
  /** What the journal holds, or a fresh instance whose first step is yet to be made by `create`. */
  readonly recovered: Recovered;
  /** Durable ones that readers may have missed. */
  readonly steps: readonly Step[];
  /** The state before `steps`, unless these begin with the first. */
  readonly base?: Mark | undefined;
}

/** An event on its way into the machine. */
interface Incoming {
  readonly peer: PeerId;
  /** 0 for the authority's own. */
  readonly n: number;
  readonly event: EventObject;
  readonly origin?: StepOrigin;
  readonly from?: Awaiting;
  /** Called when its step cannot become durable. */
  readonly lost?: () => void;
}

export class Authority {
  readonly readers: Readers;
  /** Whether it can be stepped now, and else why not. */
  readonly tenure: Tenure;
  /** Its actors, and the instance that started it. */
  readonly family: Family;
  /** To another schema, or to another peer. */
  readonly passage: Passage;
  readonly #hosting: Hosting;
  readonly #ordered: Ordered;
  readonly #alarm: Alarm;
  readonly #effects: EffectQueue;
  readonly #faults: HandlerFaults;
  readonly #untold: Untold;
  /** Of its steps, but the first. */
  readonly #settling: Settling = {
    durable: (ran) => this.#settled(ran),
    failed: (ran, error) => this.#lost(ran, error),
  };
  #durableSeq: number;

  constructor(hosting: Hosting, { record, room, recovered, steps, base }: AuthorityOptions) {
    const { environment } = hosting;
    const { instance } = recovered;
    const send = (event: EventObject): void => this.#hear({ event, by: 'effect' });
    this.#hosting = hosting;
    const ordered = (this.#ordered = new Ordered(hosting, record, recovered, steps.length));
    const stepping = { suspended: (): void => this.#alarm.cancel(), resumed: (): void => this.#resume() };
    const tenure = (this.tenure = new Tenure(hosting, ordered, instance, stepping));
    const readers = (this.readers = new Readers(hosting, ordered, tenure, room));
    const family = (this.family = new Family({ hosting, ordered, tenure, tell: (event) => this.tell(event) }));
    const untold = (this.#untold = new Untold((event) => hosting.sendOn(record.instance, event)));
    this.passage = new Passage({ hosting, ordered, tenure, readers, family, untold });
    this.#faults = new HandlerFaults({ hosting, ordered, tell: send });
    this.#effects = new EffectQueue({
      environment,
      ordered,
      children: family.children,
      owner: family.effectOwner(send),
      failed: (...what) => this.#faults.failed(...what),
    });
    const timersOf = (): ReadonlyMap<number, number> => tenure.instance?.timers ?? NO_TIMERS;
    this.#alarm = new Alarm(environment, timersOf, (timer) => this.#fire(timer));
    this.#durableSeq = instance.seq;
    readers.begin(instance, steps, base);
    if (instance.seq > 0) this.#alarm.arm();
  }

  get record(): InstanceRecord {
    return this.#ordered.record;
  }

  get machine(): Machine {
    return this.#ordered.machine;
  }

  get epoch(): number {
    return this.#ordered.epoch;
  }

  /** The event numbers that it remembers. */
  get seen(): Seen {
    return this.#ordered.seen.save();
  }

  get room(): Room {
    return this.readers.room;
  }

  /** Of the newest step, durable or not. @throws LockstepError while it is not running. */
  get seq(): number {
    return this.tenure.running().seq;
  }

  // ── The beginning ──────────────────────────────────────────────────────────────────────────────────────────────

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
    const stamp = this.#ordered.stamp(1);
    const outcome = instance.start(input, stamp);
    const event: EventObject = input === undefined ? { type: 'xstate.init' } : { type: 'xstate.init', input };
    const made: MadeFor = { instance, outcome, stamp, peer: this.#hosting.self, n: 0, event };
    const step = recordStep(made, this.record.instance, this.epoch);
    const settling: Settling = {
      durable: (ran) => {
        this.#durable(ran);
        told.durable(step.seq);
      },
      failed: (_, error) => {
        this.close(error);
        told.failed(error);
      },
    };
    const written: readonly JournalEntry[] = [...entries, { kind: 'create', record: this.record, step }];
    this.#hosting.committer.add(new Ran(settling, made, step, written, this.readers.momentOf(instance)));
  }

  // ── An event comes in ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * One event from a peer; `asker` gets [outcome, seq] once it is durable, or why not, with nothing changed. Who may not write is refused
   * before anything is looked at, and who does not see everything is told no more than a code.        (SYNC-1, SYNC-3, SYNC-4, VIEW-5, VIEW-6)
   */
  submit(asker: Asker, id: RequestId, peer: PeerId, params: Methods['send']['params']): void {
    if (this.tenure.isHeld) return this.#submitLater(asker, id, peer, params);
    const [, n, sent, expect] = params;
    try {
      const seen = this.#ordered.seen.find(peer, n);
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
      if (expect !== undefined) this.#meet(instance, peer, expect);
      this.#faults.admit(event);
      this.#run(instance, { peer, n, event, from: { asker, id } });
    } catch (error) {
      this.#refuse(asker, id, peer, error);
    }
  }

  /** @throws LockstepError when the instance is not as a writer expects it to be. */
  #meet({ seq }: Instance, peer: PeerId, expect: Expectation): void {
    meet(this.record.instance, { seq, value: () => this.readers.valueFor(peer) }, expect);
  }

  #submitLater(asker: Asker, id: RequestId, peer: PeerId, params: Methods['send']['params']): void {
    this.tenure.wait(asker, id, () => this.submit(asker, id, peer, params));
  }

  #refuse(asker: Asker, id: RequestId, peer: PeerId, error: unknown): void {
    const known = this.#ordered.known(error);
    // Whoever hears the room sends again where the instance goes.
    if (known.code === 'FENCED' && asker.hearsSteps === true) return;
    const refusal = this.readers.tellsAll(peer) ? known : bland(known);
    const refuse = (): void => asker.refuse(id, refusal);
    // What it was measured by may still be on its way into the journal.
    this.#hosting.committer.add({ entries: [], durable: refuse, failed: (failure) => asker.refuse(id, failure) });
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

  /** It was handed over to this peer with these, which effects of its steps sent there. */
  takeUp(untold: readonly EventObject[]): void {
    for (const event of untold) this.#hear({ event, by: 'effect' });
  }

  /** An event from inside: it waits out a failed commit and a hand-over, and is dropped when the machine has ended. */
  #hear({ event: sent, by }: FromInside): void {
    const { self, report } = this.#hosting;
    try {
      const from: FromInside = { event: plain(sent, '') as unknown as EventObject, by };
      const wait = (): void => this.#untold.add(from);
      if (this.tenure.isGone) return this.#untold.late(from);
      const { instance } = this.tenure;
      if (instance === undefined) return wait();
      if (instance.status === 'active') this.#run(instance, { peer: self, n: 0, event: from.event, origin: INSIDE, lost: wait });
    } catch (error) {
      report('error', `"${sent.type}" from inside ${this.record.instance} was refused`, error);
    }
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

  /** It can be stepped again: it was read from its journal, or stays here. */
  #resume(): void {
    this.#alarm.arm();
    this.family.run();
    for (const from of this.#untold.take()) this.#hear(from);
  }

  // ── Its step ───────────────────────────────────────────────────────────────────────────────────────────────────

  #run(instance: Instance, { peer, n, event, origin, from, lost }: Incoming): void {
    const stamp = this.#ordered.stamp(instance.seq + 1);
    const outcome = instance.step(event, stamp, origin);
    if (n > 0) this.#ordered.seen.add(peer, n, instance.seq, outcome.taken);
    this.#commit({ instance, outcome, stamp, peer, n, event, from, lost });
  }

  /** An event that leaves when its time has come. */
  #elapse(instance: Instance, timer: number): void {
    const stamp = this.#ordered.stamp(instance.seq + 1);
    const outcome = instance.elapse(timer);
    this.#commit({ instance, outcome, stamp, peer: this.#hosting.self, n: 0, event: { type: ELAPSED, timer } });
  }

  #commit(made: MadeFor): void {
    const { instance, from } = made;
    const step = recordStep(made, this.record.instance, this.epoch);
    if (from !== undefined) from.asker.load.sends++;
    const entries = this.#ordered.entries(step, instance);
    this.#hosting.committer.add(new Ran(this.#settling, made, step, entries, this.readers.momentOf(instance)));
  }

  #lost({ made: { from, lost } }: Ran, error: LockstepError): void {
    if (from !== undefined) from.asker.load.sends--;
    from?.asker.refuse(from.id, error);
    lost?.();
    this.tenure.reload();
  }

  // ── When it is durable ─────────────────────────────────────────────────────────────────────────────────────────

  #settled(ran: Ran): void {
    const { step } = ran;
    const { from, outcome } = ran.made;
    if (from !== undefined) from.asker.load.sends--;
    const who = this.#durable(ran);
    // Whoever hears the room finds its answer in the step.
    if (from?.asker.hearsSteps !== true || who === 0) from?.asker.answer(from.id, [outcome.taken ? 'stepped' : 'ignored', step.seq]);
  }

  /** @returns the sender's number in the room. */
  #durable({ step, made: { outcome, stamp }, isIn, moment, state }: Ran): number {
    const { self } = this.#hosting;
    const { machine, image } = this.record;
    this.tenure.written();
    this.readers.recheck(moment);
    this.#durableSeq = step.seq;
    const who = this.readers.add(step, outcome.asked, state);
    this.#effects.add(outcome, stamp, isIn);
    this.family.stepped(step, isIn);
    this.#hosting.traced({ kind: 'step', peer: self, machine, image, step }, this.readers.mayTrace(moment));
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

  /** Runs the effects of durable steps, when everyone has been told. Actors of one that may go elsewhere wait until it stays. (SYNC-15, TOPO-16) */
  runEffects(): void {
    this.#effects.run();
    if (this.tenure.instance !== undefined) this.family.run();
  }

  // ── What would be taken ────────────────────────────────────────────────────────────────────────────────────────

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
      const known = this.#ordered.known(error);
      throw this.readers.tellsAll(peer) ? known : bland(known);
    }
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Deletes it: from now on it is unknown; readers are told when that is durable. */
  delete(told: { durable(): void; failed(error: LockstepError): void }): void {
    const instance = this.tenure.leave(new LockstepError('UNKNOWN_INSTANCE', `instance ${this.record.instance} was deleted`));
    this.family.children.stopAll();
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
    this.family.children.close();
    this.readers.close();
    refuse();
  }
}
