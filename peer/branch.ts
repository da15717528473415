// A mirror as the source of other mirrors: tells those who watch here what its own source told it, under the same epoch, seq and digest, and
// passes their events up under their own names and numbers, so that they may change to another source at any time. Nothing is decided here.
// While the mirror does not hear its own source, neither do they: they are sent away and may come back.        (docs/topologies.md)

import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { Machine } from '../core/machine.ts';
import type { Subscription } from '../core/actor.ts';
import { Backlog, type BacklogSize } from './backlog.ts';
import { Board } from './board.ts';
import { CatchUp } from './catch-up.ts';
import { ALL, PLAIN } from './channel.ts';
import type { RequestId } from './codec-json.ts';
import { toldOf } from './difference.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord } from './journal.ts';
import type { Taken } from './replica.ts';
import { Room } from './room.ts';
import { isCutOff } from './sender.ts';
import type { Asker } from './service.ts';
import type { Session } from './session.ts';
import type { Tap, Tapped } from './tap.ts';
import type { Told } from './told.ts';
import { OPEN } from './warden.ts';
import { type InstanceDescription, LIMITS, type Methods, type PeerId, type StepEvent, type WatchResult } from './wire.ts';

type Asked = Omit<Methods['watch']['params'], 'instance'>;

export interface BranchOptions {
  readonly hosting: Hosting;
  readonly mirror: Tapped;
  readonly room: number;
  /** Who may watch here. */
  readonly admits: (peer: PeerId) => boolean;
  /** The mirror is closed, and the branch with it. */
  readonly ended: () => void;
}

export class Branch implements Tap {
  readonly room: Room;
  readonly #mirror: Tapped;
  readonly #hosting: Hosting;
  readonly #admits: (peer: PeerId) => boolean;
  readonly #ended: () => void;
  readonly #board: Board;
  readonly #presents: Subscription;
  /** The question who is there, while the source above is heard. */
  #attending: Promise<void> | undefined;
  /** How often the mirror came to a source: what was asked of one says nothing of another. */
  #source = 0;
  #backlog: Backlog;
  #catchUp: CatchUp;
  /** By their numbers in the room above. */
  readonly #behind = new Map<number, PeerId>();
  /** The newest number of its events in the confirmed state, of each reader that the source above knows. */
  readonly #vouched = new Map<PeerId, number>();
  /** The newest event number under each number in the room above that has no name here, or has it not yet. */
  readonly #nameless = new Map<number, number>();
  /** Those who asked while the mirror did not hear its source, or is not as far as its source was. */
  #waiting = new Map<Session, { readonly seq: number; readonly act: () => void }>();

  constructor({ hosting, mirror, room, admits, ended }: BranchOptions) {
    this.#mirror = mirror;
    this.#hosting = hosting;
    this.#admits = admits;
    this.#ended = ended;
    this.#backlog = this.#begun();
    this.#catchUp = new CatchUp(mirror.machine, this.#backlog);
    this.room = new Room({
      number: room,
      another: () => hosting.another(mirror.id),
      port: hosting.rooms,
      environment: hosting.environment,
      dropped: (number) => hosting.dropped(number),
      digest: (seq) => (mirror.isOpen && mirror.seq === seq ? mirror.digest : undefined),
      hash: mirror.machine.core.hashText,
      durable: () => {
        throw new Error('what is passed on is passed on whole');
      },
    });
    this.#board = new Board({
      instance: mirror.id,
      environment: hosting.environment,
      port: hosting.rooms,
      number: () => hosting.another(mirror.id),
      isReader: (peer) => this.room.has(peer),
      said: (peer, data) => this.#mirror.ask('here', { instance: mirror.id, data, of: peer }),
    });
    this.#presents = mirror.onPresent((present) => {
      for (const [peer, data] of present) this.#board.tell(peer, data);
    });
  }

  get record(): InstanceRecord {
    return this.#mirror.record;
  }

  get machine(): Machine {
    return this.#mirror.machine;
  }

  // ── Those who watch here ───────────────────────────────────────────────────────────────────────────────────────

  /** Answers with the confirmed state, once the source above knows the reader, and admits it from exactly there. */
  watch(session: Session, id: RequestId, asked: Asked): void {
    if (asked.view !== undefined && asked.view !== ALL)
      throw new LockstepError('FORBIDDEN', `${this.#mirror.id} is passed on whole, without its views`);
    if (asked.filter !== undefined)
      throw new LockstepError('UNSUPPORTED', `${this.#mirror.id} is passed on whole; its authority knows filters`);
    this.#mustAdmit(session.remote);
    this.room.mustHavePlace(session);
    this.#whenAt(0, session, () => {
      const source = this.#source;
      const admit = (): void => {
        try {
          // What the source above said of the reader was of a room that the mirror is not in any more.
          if (source === this.#source) this.#admit(session, id, asked);
          else this.watch(session, id, asked);
        } catch (error) {
          session.refuse(id, error as LockstepError);
        }
      };
      this.#vouch(session).then(
        (seq) => this.#whenAt(seq, session, admit),
        (error: unknown) => session.refuse(id, error as LockstepError),
      );
    });
  }

  #mustAdmit(peer: PeerId): void {
    if (!this.#admits(peer)) throw new LockstepError('FORBIDDEN', `${this.#mirror.id} is not passed on to ${peer}`);
  }

  /** @returns the seq from which on the source above names the reader. */
  async #vouch(session: Session): Promise<number> {
    const { remote: peer } = session;
    try {
      const { who, last, seq } = await this.#mirror.ask('vouch', { instance: this.#mirror.id, peer });
      this.#knows({ who, last }, peer);
      return seq;
    } catch (error) {
      // A source that does not take our word lets those behind us read; what they send is refused.
      if (error instanceof LockstepError && error.code === 'FORBIDDEN') return 0;
      throw error;
    }
  }

  /** Steps that came with the answer are its as well. */
  #knows({ who, last }: { readonly who: number; readonly last: number }, peer: PeerId): void {
    this.#behind.set(who, peer);
    this.#vouched.delete(peer);
    this.#vouched.set(peer, Math.max(last, this.#nameless.get(who) ?? 0));
    forgetOldest(this.#behind);
    forgetOldest(this.#vouched);
  }

  #admit(session: Session, id: RequestId, { from, encoding = 'json', mode = 'steps' }: Asked): void {
    const { seq, epoch, digest, record } = this.#mirror;
    this.#hosting.answers.admit(session);
    this.room.publish();
    const joined = this.room.join(session, {
      seq,
      key: { ...PLAIN, encoding, mode },
      look: OPEN,
      sight: undefined,
    });
    const { machine, image } = record;
    const result: WatchResult = { ...joined, machine, image, epoch, digest, last: this.#vouched.get(session.remote) ?? 0 };
    const ways = this.#catchUp.ways(from, { epoch, seq, digest, state: this.#mirror.confirmed() }, mode);
    this.#hosting.answers.add(session, ways.answer(session, id, result));
  }

  /** As soon as the mirror hears its source and has step `seq`. A reader that asks again replaces its question. */
  #whenAt(seq: number, session: Session, act: () => void): void {
    if (!session.isOpen) return;
    if (this.#mirror.isOpen && this.#mirror.seq >= seq) act();
    else this.#waiting.set(session, { seq, act });
  }

  #look(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [session, { seq, act }] of waiting) this.#whenAt(seq, session, act);
  }

  // ── What they send ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Goes up under the name and number of its sender. Without a road nothing is said: the sender asks where it stands. */
  submit(asker: Asker, id: RequestId, peer: PeerId, [, n, event, expect]: Methods['send']['params']): void {
    const { id: instance } = this.#mirror;
    const params: Methods['forward']['params'] = expect === undefined ? [instance, peer, n, event] : [instance, peer, n, event, expect];
    this.#mirror.ask('forward', params).then(
      (result) => asker.answer(id, result),
      (error: unknown) => {
        const known = error as LockstepError;
        // Nothing is known of it, or it is to be sent where the instance is ordered, or passed on, now: that it is no more is said by `moved`.
        const isOpen = isCutOff(known) || known.code === 'FENCED' || known.code === 'UNKNOWN_INSTANCE';
        if (asker.hearsSteps !== true || !isOpen) asker.refuse(id, known);
      },
    );
  }

  /** Speaks for one further behind: passes the word on. */
  async vouch(session: Session, peer: PeerId): Promise<Methods['vouch']['result']> {
    const above = await this.#mirror.ask('vouch', { instance: this.#mirror.id, peer });
    if (!session.isOpen) throw new LockstepError('CLOSED', 'the session ended');
    this.#knows(above, peer);
    return { ...above, who: this.room.enroll(session, peer) };
  }

  isBehind(session: Session, peer: PeerId): boolean {
    return this.room.senders.isBehind(session, peer);
  }

  /** Who is at the instance, for one who watches here: as the source above tells it. @throws LockstepError FORBIDDEN for one who does not. */
  async attend(session: Session): Promise<Methods['attend']['result']> {
    const { id: instance } = this.#mirror;
    const attending = (this.#attending ??= this.#mirror.ask('attend', { instance }).then(({ present }) => {
      for (const [peer, data] of present) this.#board.tell(peer, data);
    }));
    try {
      await attending;
    } catch (error) {
      if (this.#attending === attending) this.#attending = undefined;
      throw error;
    }
    if (!this.room.has(session.remote)) throw new LockstepError('FORBIDDEN', `${session.remote} does not watch ${instance}`);
    return this.#board.attend(session);
  }

  here(session: Session, peer: PeerId, data: Json): boolean | Promise<boolean> {
    return this.room.has(session.remote) && this.#board.here(session, peer, data);
  }

  can(peer: PeerId, event: EventObject): Promise<boolean> {
    this.#mustAdmit(peer);
    return this.#mirror.ask('can', { instance: this.#mirror.id, event });
  }

  describe(peer: PeerId): Promise<InstanceDescription> {
    this.#mustAdmit(peer);
    return this.#mirror.ask('get', { instance: this.#mirror.id }) as Promise<InstanceDescription>;
  }

  // ── What the mirror hears ──────────────────────────────────────────────────────────────────────────────────────

  stepped(taken: Taken): void {
    const { difference, event } = toldOf(taken);
    const [seq, who, n, ...others] = difference;
    const peer = this.#behind.get(who);
    const ours = peer === undefined ? 0 : this.room.senders.of(peer);
    const last = peer === undefined ? undefined : this.#vouched.get(peer);
    if (peer !== undefined && last !== undefined) this.#vouched.set(peer, Math.max(last, n));
    else if (who > 0 && n > 0) {
      this.#nameless.set(who, n);
      forgetOldest(this.#nameless);
    }
    const step: Told = { difference: [seq, ours, n, ...others], event: event === undefined ? undefined : renamed(event, ours) };
    this.#backlog.add(step, undefined);
    if (Backlog.isMarked(seq)) this.#backlog.mark({ seq, state: this.#mirror.confirmed() });
    this.room.add(step, undefined);
  }

  told(digest: string | undefined): void {
    this.room.publish(digest);
    this.room.stirred();
    this.#look();
  }

  /** Everyone asks anew, and is vouched for anew: what is on its way must not overtake what was swallowed. */
  renewed(): void {
    this.#forget();
    this.room.publish();
    this.room.moved('epoch');
  }

  #forget(): void {
    this.#source++;
    this.#behind.clear();
    this.#vouched.clear();
    this.#nameless.clear();
    this.#attending = undefined;
    this.#board.close();
  }

  /** How much of the past is kept for those who come back. */
  get past(): BacklogSize {
    return this.#backlog.size;
  }

  jumped(): void {
    this.#backlog = this.#begun();
    this.#catchUp = new CatchUp(this.machine, this.#backlog);
  }

  /** From what the mirror has. */
  #begun(): Backlog {
    const { seq } = this.#mirror;
    const backlog = new Backlog();
    backlog.mark({ seq, state: this.#mirror.confirmed() });
    return backlog;
  }

  cutOff(): void {
    this.#forget();
    this.room.moved('offline');
    this.room.close();
  }

  guarded(): void {
    this.closed(new LockstepError('FORBIDDEN', `${this.#mirror.id} is not for everyone any more`));
  }

  closed(error: LockstepError): void {
    this.end(error.code === 'UNKNOWN_INSTANCE' ? 'deleted' : 'offline');
    this.#ended();
  }

  /** Nothing is passed on any more. */
  end(reason: 'deleted' | 'offline' | 'epoch'): void {
    this.room.moved(reason);
    this.room.close();
    this.#presents.unsubscribe();
    this.#board.close();
    this.#waiting.clear();
  }
}

/** Readers leave without a word, and numbers are never given twice: as many are kept as may be let into rooms. */
function forgetOldest(known: Map<unknown, unknown>): void {
  if (known.size <= LIMITS.memberMax) return;
  const [oldest] = known.keys();
  known.delete(oldest);
}

/** The same event, from the one who has this number here. */
function renamed([seq, , ...others]: StepEvent, who: number): StepEvent {
  return [seq, who, ...others];
}
