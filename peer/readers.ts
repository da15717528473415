// Those who read an instance at its authority: who watches from where on, what each of them may see and be told, who is at it, and who
// stands by to order it next. Shows only what is durable.                                                   (docs/spec/sync.md, docs/views.md)

import { assert, LockstepError } from '../core/errors.ts';
import type { Instance } from '../core/instance.ts';
import type { Json } from '../core/json.ts';
import type { StateValue } from '../core/machine.ts';
import type { InstanceState } from '../core/state.ts';
import type { Step } from '../core/step.ts';
import { Backlog, type BacklogSize, type Mark } from './backlog.ts';
import { Board } from './board.ts';
import { CatchUp, type Now } from './catch-up.ts';
import { encodeNotice, type RequestId } from './codec-json.ts';
import { differenceOf } from './difference.ts';
import type { Hosting } from './hosting.ts';
import type { Moved, Seen } from './journal.ts';
import { narrowed } from './narrowing.ts';
import type { Ordered } from './ordered.ts';
import { type Joining, Room } from './room.ts';
import type { Session } from './session.ts';
import { sizeOf } from './shape.ts';
import type { Sight } from './sight.ts';
import { sightDigest } from './sighting.ts';
import { eventOf } from './telling.ts';
import type { Tenure } from './tenure.ts';
import { type Look, type Moment, momentOf, PUBLIC } from './warden.ts';
import {
  type InstanceDescription,
  type InstanceSummary,
  LIMITS,
  type Methods,
  type PeerId,
  type SightDescription,
  type WatchResult,
} from './wire.ts';

type Asked = Omit<Methods['watch']['params'], 'instance'>;

/** An instance as it is for as long as nothing happens, for all who ask meanwhile. */
interface Present extends Now {
  readonly instance: Instance;
  readonly moment: Moment;
}

export class Readers {
  readonly room: Room;
  readonly #hosting: Hosting;
  readonly #ordered: Ordered;
  readonly #tenure: Tenure;
  readonly #board: Board;
  #backlog = new Backlog();
  #catchUp: CatchUp;
  /** Those who are told who sends what, to be the next authority if need be. */
  readonly #standbys = new Set<Session>();
  /** Of the newest durable step, while somebody's view depends on it. */
  #durable: Moment | undefined;
  /** For those who see all of it. */
  #present: Present | undefined;
  /** Readers of a part whose answer waits: what becomes durable meanwhile is seen by them. */
  #joining = 0;

  /** @param room its number. */
  constructor(hosting: Hosting, ordered: Ordered, tenure: Tenure, room: number) {
    const { record, machine } = ordered;
    const { instance } = record;
    this.#hosting = hosting;
    this.#ordered = ordered;
    this.#tenure = tenure;
    this.#catchUp = new CatchUp(machine, this.#backlog);
    this.room = new Room({
      number: room,
      another: () => hosting.another(instance),
      dropped: (number) => hosting.dropped(number),
      hash: machine.core.hashText,
      durable: () => {
        assert(this.#durable !== undefined, 'it is kept while somebody has a partial view');
        return this.#durable;
      },
      port: hosting.rooms,
      environment: hosting.environment,
      digest: (seq) => this.#digestAt(seq),
      named: (who, peer) => this.#tellStandbys(who, peer),
    });
    this.#board = new Board({
      instance,
      environment: hosting.environment,
      port: hosting.rooms,
      number: () => hosting.another(instance),
      isReader: (peer) => this.room.lookOf(peer) !== undefined,
      said: (peer, data) => {
        this.#board.tell(peer, data);
        return true;
      },
    });
  }

  /**
   * The instance as it is, and those of its durable steps that readers may have missed.
   * @param base the state before `steps`, unless these begin with the first.
   */
  begin(instance: Instance, steps: readonly Step[], base: Mark | undefined): void {
    const isNew = instance.seq === 0;
    if (!isNew) this.recheck(this.momentOf(instance));
    if (base !== undefined) this.#backlog.mark(base);
    else if (!isNew && steps.length === 0) this.#backlog.mark({ seq: instance.seq, state: instance.save() });
    for (const step of steps) this.add(step);
  }

  get #isGuarded(): boolean {
    return this.#hosting.warden.guards(this.#ordered.record.machine);
  }

  // ── Watching ───────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Answers with the state as of now once it is durable, and admits the session to the room from exactly there.      (SYNC-9)
   * @throws LockstepError TOO_MANY; FORBIDDEN when the reader has no such view, also later when its authorizer says no.
   */
  watch(session: Session, id: RequestId, asked: Asked): void {
    if (this.#tenure.isHeld) return this.#tenure.wait(session, id, () => this.watch(session, id, asked));
    const { from, encoding = 'json', mode = 'steps', view, filter } = asked;
    const { record } = this.#ordered;
    const instance = this.#tenure.running();
    const full = this.#hosting.warden.look(record, session.remote, view);
    const look = filter === undefined ? full : narrowed(full, filter, this.#ordered.machine);
    this.room.mustHavePlace(session);
    const { seq } = instance;
    const whole = look.isWhole ? this.#presentOf(instance) : undefined;
    const moment = whole?.moment ?? momentOf(instance);
    if (whole === undefined) this.#joining++;
    const decided = (): void => {
      if (whole === undefined) this.#joining--;
    };
    const durable = (): void => {
      decided();
      if (!session.isOpen) return;
      try {
        if (!look.mayRead(moment.snapshot)) throw new LockstepError('FORBIDDEN', `${record.instance} is not for this reader`);
        this.#hosting.answers.admit(session);
        this.room.publish();
        this.#durable = moment;
        const at = { seq, key: { encoding, mode }, look };
        if (whole === undefined) return this.#admitSight(session, id, { ...at, sight: look.sight(moment) }, from);
        const result = this.#admit(session, { ...at, sight: undefined }, { image: record.image, digest: whole.digest });
        const epoch = this.#ordered.epoch;
        const ways = this.#catchUp.ways(from, epoch === whole.epoch ? whole : { ...whole, epoch }, mode);
        this.#hosting.answers.add(session, ways.answer(session, id, result));
      } catch (error) {
        session.refuse(id, this.#ordered.known(error));
      }
    };
    const failed = (error: LockstepError): void => {
      decided();
      session.refuse(id, error);
    };
    this.#hosting.committer.add({ entries: [], durable, failed });
  }

  #presentOf(instance: Instance): Present {
    const { seq } = instance;
    const epoch = this.#ordered.epoch;
    const known = this.#present;
    if (known?.instance === instance && known.seq === seq && known.epoch === epoch) return known;
    return (this.#present = { instance, epoch, seq, moment: momentOf(instance), state: instance.save(), digest: instance.digest() });
  }

  /** A reader with a partial view: what it shows, unless the reader has it; and nothing else. */
  #admitSight(session: Session, id: RequestId, at: Joining & { readonly sight: Sight }, from: Asked['from']): void {
    const { seq, sight } = at;
    const digest = sightDigest(this.#ordered.machine.core.hashText, sight);
    const result = this.#admit(session, at, { image: '', digest });
    const isSameHistory = from?.epoch === this.#ordered.epoch && from.seq <= seq;
    if (isSameHistory && from.digest === digest) return session.answer(id, { ...result, seen: { seq } });
    const states = at.look.narrow?.states;
    const names = states === undefined ? {} : { states, ...(this.#ordered.machine.isRelational ? ({ isRelational: true } as const) : {}) };
    const whole = { seq, sight, ...names };
    const change = isSameHistory && from.merged === true ? this.room.changeSince(session, from) : undefined;
    const seen = change !== undefined && isShorter({ seq, ...change }, whole) ? { seq, ...change } : whole;
    this.#hosting.answers.add(session, sizeOf(seen as unknown as Json, LIMITS.frameSize));
    session.answer(id, { ...result, seen });
  }

  #admit(session: Session, at: Joining, { image, digest }: Pick<WatchResult, 'image' | 'digest'>): WatchResult {
    const { machine } = this.#ordered.record;
    const last = this.#ordered.seen.lastUpTo(session.remote, at.seq);
    const result = { ...this.room.join(session, at), machine, image, epoch: this.#ordered.epoch, digest, last };
    return this.#isGuarded ? { ...result, isGuarded: true } : result;
  }

  /** Another history begins: what was told of the one before is told no more, and everyone asks anew. */
  renew(begins: Mark): void {
    this.room.publish();
    this.#backlog = new Backlog();
    this.#backlog.mark(begins);
    this.#catchUp = new CatchUp(this.#ordered.machine, this.#backlog);
    this.room.moved('epoch');
  }

  // ── Reading once ───────────────────────────────────────────────────────────────────────────────────────────────

  /** As a peer sees it. @throws LockstepError FORBIDDEN */
  summary(peer: PeerId): InstanceSummary {
    const { look, moment } = this.#lookedAt(peer, undefined);
    return this.#summary(look.isWhole ? moment.snapshot : look.sight(moment), look.isWhole);
  }

  #summary({ status, value }: Pick<Sight, 'status' | 'value'>, isWhole: boolean): InstanceSummary {
    const { record } = this.#ordered;
    const { seq } = this.#tenure.running();
    return { ...record, image: isWhole ? record.image : '', epoch: this.#ordered.epoch, seq, status, value };
  }

  /** @param view as in `watch`. @throws LockstepError FORBIDDEN */
  describe(peer: PeerId, view?: string): InstanceDescription | SightDescription {
    const instance = this.#tenure.running();
    const { look, moment } = this.#lookedAt(peer, view);
    if (look.isWhole) return { ...this.#summary(moment.snapshot, true), state: instance.save(), digest: instance.digest() };
    const sight = look.sight(moment);
    return { ...this.#summary(sight, false), view: view ?? PUBLIC, sight, digest: sightDigest(this.#ordered.machine.core.hashText, sight) };
  }

  #lookedAt(peer: PeerId, view: string | undefined): { readonly look: Look; readonly moment: Moment } {
    const { record } = this.#ordered;
    const moment = momentOf(this.#tenure.running());
    const look = this.#hosting.warden.look(record, peer, view);
    if (!look.mayRead(moment.snapshot)) throw new LockstepError('FORBIDDEN', `${record.instance} is not for this reader`);
    return { look, moment };
  }

  /** Whether a peer may be told what is wrong in words. */
  tellsAll(peer: PeerId): boolean {
    return !this.#isGuarded || this.#hosting.warden.isOwn(peer) || this.room.seesAll(peer);
  }

  /** How much of the past is kept for those who come back. */
  get past(): BacklogSize {
    return this.#backlog.size;
  }

  /** Whether a peer may have an image: this instance runs it, or has run it, and the peer sees everything, or could if it asked for it. */
  mayHaveImage(image: string, peer: PeerId): boolean {
    if (!this.#ordered.hasRun(image)) return false;
    if (!this.#isGuarded || this.room.seesAll(peer)) return true;
    return this.#durable !== undefined && this.#hosting.warden.seesAll(this.#ordered.record, peer, this.#durable.snapshot);
  }

  /** The state value that a writer may have expectations of: the one that it sees. @throws LockstepError FORBIDDEN */
  valueFor(peer: PeerId): StateValue {
    const moment = momentOf(this.#tenure.running());
    if (this.tellsAll(peer)) return moment.snapshot.value;
    const look = this.room.lookOf(peer);
    if (look === undefined) throw new LockstepError('FORBIDDEN', 'who sees no state has none to expect');
    return look.value(moment) as StateValue;
  }

  /** The digest after `seq`, while that is the newest step. */
  #digestAt(seq: number): string | undefined {
    const { instance } = this.#tenure;
    return instance?.seq === seq ? instance.digest() : undefined;
  }

  // ── Steps ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What authorizers and views are asked about when the step is durable, and the instance may be further; nothing while nobody asks. */
  momentOf(instance: Instance): Moment | undefined {
    return this.#isGuarded || this.room.hasSights || this.#joining > 0 ? momentOf(instance) : undefined;
  }

  /**
   * A step is durable.
   * @param asked what it asked of its stamp; not known of steps from the journal, which are told by their differences.
   * @param state after it, where `marks` said that it is to be kept.
   * @returns the sender's number in the room.
   */
  add(step: Step, asked?: number, state?: InstanceState): number {
    const { machine } = this.#ordered;
    const { peer, n } = step.cause;
    this.#present = undefined;
    // Named when it is told, not when it came: who sent it may have left while it was written, and who stands by may have come.
    if (n > 0 && this.#standbys.size > 0) this.room.senders.name(peer);
    const who = this.room.senders.of(peer);
    const told = { difference: differenceOf(step, who, machine), event: eventOf(step, who, machine, asked) };
    this.#backlog.add(told, step.digest);
    if (state !== undefined) this.#backlog.mark({ seq: step.seq, state });
    this.room.add(told, step.digest);
    return who;
  }

  /** What is durable now; who may not see it any more is sent away before the step is told. */
  recheck(moment: Moment | undefined): void {
    if (moment === undefined) return;
    this.room.recheck(moment.snapshot);
    this.#durable = moment;
  }

  /** Who may see a step in a trace; undefined for everyone. @param moment after it. */
  mayTrace(moment: Moment | undefined): ((peer: PeerId) => boolean) | undefined {
    if (!this.#isGuarded || moment === undefined) return undefined;
    const { snapshot } = moment;
    const { record } = this.#ordered;
    const { warden } = this.#hosting;
    // Then, and now: what it may not see any more it is not told of the past either.
    return (peer) => warden.seesAll(record, peer, snapshot) && warden.seesAll(record, peer, this.#durable?.snapshot ?? snapshot);
  }

  // ── Peers that pass it on, or may order it next ────────────────────────────────────────────────────────────────

  /**
   * A member that passes the room on speaks for a reader behind it: from the next step on that one has a number here.
   * @throws LockstepError FORBIDDEN when not everyone may read here: nothing of it is passed on. UNREACHABLE when it is no member, which one that
   *   the relay found too slow may not have heard yet.
   */
  vouch(session: Session, peer: PeerId): Promise<Methods['vouch']['result']> {
    const { record } = this.#ordered;
    const { seq } = this.#tenure.running();
    if (this.#isGuarded) throw new LockstepError('FORBIDDEN', `${record.instance} is not for everyone, so it is not passed on`);
    return this.#whenDurable(() => {
      if (!this.room.has(session.remote)) throw new LockstepError('UNREACHABLE', `${session.remote} does not watch ${record.instance}`);
      return { who: this.room.enroll(session, peer), last: this.#ordered.seen.lastUpTo(peer, seq), seq };
    });
  }

  isBehind(session: Session, peer: PeerId): boolean {
    return this.room.senders.isBehind(session, peer) && !this.#isGuarded;
  }

  /** A member that may be the next authority is told who sent what, and from now on who sends. */
  standby(session: Session): Promise<Omit<Methods['standby']['result'], 'lineage'>> {
    const { seq } = this.#tenure.running();
    return this.#whenDurable(() => {
      if (this.room.lookOf(session.remote)?.isWhole !== true)
        throw new LockstepError('BAD_REQUEST', `${session.remote} does not watch all of ${this.#ordered.record.instance}`);
      this.#standbys.add(session);
      return { seq, seen: this.seenUpTo(seq), senders: this.room.senders.all() };
    });
  }

  #tellStandbys(who: number, peer: PeerId): void {
    for (const session of this.#standbys) {
      if (session.isOpen) session.post(encodeNotice('sender', [this.#ordered.record.instance, who, peer]));
      else this.#standbys.delete(session);
    }
    // Before the step that has it as its cause.
    this.#hosting.rooms.barrier();
  }

  /** What a resend may be recognised by: no peer has more events on their way. */
  seenUpTo(seq: number): Seen {
    return this.#ordered.seen.save().map(([peer, events]) => [peer, events.filter(([, at]) => at <= seq).slice(-LIMITS.unconfirmedMax)]);
  }

  // ── Presence ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Who is at the instance, for one of its readers. @throws LockstepError FORBIDDEN for one who does not watch it. */
  attend(session: Session): Methods['attend']['result'] {
    this.#tenure.running();
    if (this.room.lookOf(session.remote) === undefined)
      throw new LockstepError('FORBIDDEN', `${session.remote} does not watch ${this.#ordered.record.instance}`);
    return this.#board.attend(session);
  }

  /** @param peer the reader, or one behind it. @returns whether it attends. */
  here(session: Session, peer: PeerId, data: Json): boolean | Promise<boolean> {
    return this.room.lookOf(session.remote) !== undefined && this.#board.here(session, peer, data);
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells what is still to be told, and why nothing comes any more. */
  leave(reason: 'deleted' | 'owner', moved?: Moved): void {
    this.room.publish();
    this.room.moved(reason, moved?.peer);
    this.close();
  }

  close(): void {
    this.room.close();
    this.#board.close();
  }

  #whenDurable<T>(read: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const durable = (): void => {
        try {
          resolve(read());
        } catch (error) {
          reject(error as LockstepError);
        }
      };
      this.#hosting.committer.add({ entries: [], durable, failed: reject });
    });
  }
}

function isShorter(change: object, whole: object): boolean {
  const size = sizeOf(whole as Json, LIMITS.frameSize);
  return sizeOf(change as Json, size) < size;
}
