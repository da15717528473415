// Who orders an instance next: handing it over to another peer, taking it over from one that is lost, and giving way to one that has a higher
// epoch. An instance keeps its name; its home, the peer in that name, remembers where it went, and is told by whoever orders it. Whoever hands
// over decides whether it went: the other one keeps everything durably, and orders nothing before it is told.
// (docs/topologies.md, TOPO-6 to TOPO-10)

import { LockstepError } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import { GROWN, TAKEN } from './anew.ts';
import { Authority } from './authority.ts';
import { encodeNotice } from './codec-json.ts';
import { type Doubt, Doubts } from './doubts.ts';
import type { Guests } from './guests.ts';
import type { Hosting } from './hosting.ts';
import { ownerOf } from './identity.ts';
import type { Journal, Moved } from './journal.ts';
import { continued, type Descent, lastCommon, type Lineage } from './lineage.ts';
import type { Machines } from './machines.ts';
import type { Session } from './session.ts';
import { Standby } from './standby.ts';
import { type Kept, Taking } from './taking.ts';
import type { Tap, Tapped } from './tap.ts';
import type { InstanceId, Methods, Notifications, PeerId, Taken } from './wire.ts';

/** What an authority learns when a newer one has its place. */
export interface Fork {
  readonly instance: InstanceId;
  /** Who orders it now, and in which epoch. */
  readonly peer: PeerId;
  readonly epoch: number;
  /** The durable steps of this peer that the new history does not have; undefined when it is not known where that one began, or when they are too many to be kept. */
  readonly lost: readonly Step[] | undefined;
}

/** What of a host it needs. */
export interface Succeeding {
  hosting(): Hosting;
  readonly machines: Machines;
  find(instance: InstanceId): Authority | undefined;
  /** @throws LockstepError UNKNOWN_INSTANCE … */
  authority(instance: InstanceId): Authority;
  readonly guests: Guests;
  keep(authority: Authority): void;
  drop(authority: Authority): void;
  room(): number;
  /** Higher than every epoch so far, and none that another peer takes at the same moment. */
  epoch(above: number): number;
  trusts(peer: PeerId): boolean;
  /** Mirrors of it are to go there. */
  located(instance: InstanceId, peer: PeerId): void;
  fenced(fork: Fork): void;
}

interface Heir {
  readonly standby: Standby;
  /** The peer that the mirror hears. */
  readonly source: () => PeerId | undefined;
  /** It is told nothing any more. */
  end(): void;
}

/** On its way into the journal as another's. */
interface Leaving {
  readonly done: Promise<void>;
  left(): void;
}

export class Succession {
  readonly #host: Succeeding;
  readonly #elsewhere = new Map<InstanceId, Moved>();
  readonly #heirs = new Map<InstanceId, Heir>();
  /** Of instances that this peer took, or knows to be elsewhere. */
  readonly #lineages = new Map<InstanceId, Lineage>();
  /** Those that are on their way into the journal as another's. */
  readonly #leaving = new Map<Authority, Leaving>();
  readonly #doubts: Doubts;
  readonly #taking: Taking;

  constructor(host: Succeeding) {
    this.#host = host;
    this.#taking = new Taking(host);
    this.#doubts = new Doubts({
      hosting: () => host.hosting(),
      isOurs: (doubt) => this.#begin(doubt),
      isTheirs: (moved) => this.#went(moved),
    });
  }

  /** From the journal. */
  remember(moved: readonly Moved[]): void {
    for (const each of moved) this.#elsewhere.set(each.instance, each);
  }

  /** From the journal: it was handed over to this peer, which had not heard yet that it is its own. */
  doubt(doubt: Doubt): void {
    const { instance } = doubt.record;
    // Whoever handed it over may doubt that it was ever its own: that it was is known here.
    this.#elsewhere.set(instance, { instance, peer: doubt.giver, epoch: doubt.lineage.at(-1)?.[0] ?? 0 });
    this.#doubts.add(doubt);
  }

  /** Where an instance is ordered that was ordered here. */
  elsewhere(instance: InstanceId): Moved | undefined {
    return this.#elsewhere.get(instance);
  }

  /** Who orders it, as far as this peer knows. @throws LockstepError UNKNOWN_INSTANCE; UNREACHABLE while that is being decided. */
  where(instance: InstanceId): Methods['where']['result'] {
    const authority = this.#host.find(instance);
    if (authority?.tenure.isHeld === true)
      throw new LockstepError('UNREACHABLE', `${instance} is being handed over, or gets another schema; ask again`);
    if (authority !== undefined) return { peer: this.#host.hosting().self, epoch: authority.epoch };
    const moved = this.#elsewhere.get(instance);
    if (moved === undefined) throw new LockstepError('UNKNOWN_INSTANCE', `nothing is known here of a peer that orders ${instance}`);
    return { peer: moved.peer, epoch: moved.epoch };
  }

  /** While it is not known whether an instance is ordered here, whoever wants to watch it waits. @returns whether that is so. */
  hold(instance: InstanceId, session: Session, ask: () => void): boolean {
    return this.#doubts.hold(instance, session, ask);
  }

  lineage(instance: InstanceId): Lineage {
    return this.#lineages.get(instance) ?? [];
  }

  /** Its authority here has begun a history of its own: a schema grew. @param epoch of the history before. @param last its last step. */
  grew(instance: InstanceId, epoch: number, last: number): void {
    this.#lineages.set(instance, continued({ epoch, lineage: this.lineage(instance) }, last));
    this.tell();
  }

  // ── Handing over ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Events wait until the other peer has all of it durably, and the journal here knows that it went. Without an answer, or refused, it stays
   * here and goes on; the other one, which may have it, is told so when it asks.
   * @param session with the other peer, as things are.
   * @throws LockstepError FORBIDDEN when this peer does not trust that one or that one not this; MISSING_FUNCTION, UNSUPPORTED, TOO_LARGE;
   *   UNREACHABLE, CLOSED, TIMEOUT without an answer; FENCED when another one has taken it over meanwhile. Otherwise it is here, as it was.
   */
  async handOver(instance: InstanceId, to: PeerId, session: () => Session | LockstepError): Promise<void> {
    const authority = this.#host.authority(instance);
    if (!this.#host.trusts(to))
      throw new LockstepError('FORBIDDEN', `${to} is not trusted here: its word counts for ${instance} from then on`);
    const handed = await authority.passage.hand();
    const { record } = authority;
    const moved = { instance: record.instance, peer: to, epoch: this.#host.epoch(handed.epoch) };
    const lineage = continued({ epoch: handed.epoch, lineage: this.lineage(record.instance) }, handed.seq);
    try {
      const there = session();
      if (there instanceof LockstepError) throw there;
      await there.request('take', { ...handed, epoch: moved.epoch, lineage });
      if (this.#host.find(record.instance) !== authority || this.#leaving.has(authority))
        throw new LockstepError('FENCED', `${record.instance} was taken over by another peer meanwhile`);
    } catch (error) {
      if (!this.#leaving.has(authority)) authority.tenure.keepOn();
      throw error;
    }
    await this.#away(authority, moved, lineage, () => {
      const there = session();
      // Lost, it is asked for.
      if (!(there instanceof LockstepError)) there.post(encodeNotice('ordered', [moved.instance, moved.epoch, [], to]));
    });
  }

  /**
   * Until the journal knows, this peer is the one that would order it after a restart; whoever asks waits for that.
   * @param gone is called when it does, before anybody else hears of it.
   */
  async #away(authority: Authority, moved: Moved, lineage: Lineage, gone: () => void = () => undefined): Promise<void> {
    const { left } = this.#leave(authority);
    await authority.passage.moveTo(moved, () => {
      this.#leaving.delete(authority);
      this.#lineages.set(moved.instance, lineage);
      this.#host.drop(authority);
      this.#elsewhere.set(moved.instance, moved);
      gone();
      left();
    });
    this.#host.located(moved.instance, moved.peer);
  }

  #leave(authority: Authority): Leaving {
    let left = (): void => undefined;
    const done = new Promise<void>((resolve) => (left = resolve));
    const leaving = this.#leaving.get(authority) ?? { done, left };
    this.#leaving.set(authority, leaving);
    return leaving;
  }

  // ── Taking ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From an authority that hands over. @throws LockstepError FORBIDDEN, FENCED, MISSING_FUNCTION, BAD_IMAGE, BAD_PARAMS, STORAGE */
  async take(taken: Taken, session: Session): Promise<{ readonly instance: InstanceId }> {
    const { instance, image } = taken;
    const giver = session.remote;
    if (!this.#host.trusts(giver)) throw new LockstepError('FORBIDDEN', `this peer takes nothing from ${giver}`);
    if (this.#host.machines.image(image) === undefined) await this.#taking.fetch(image, session);
    // What was taken before, and was not said to be ours, has been taken back.
    const kept = await this.#taking.keep(taken, { giver, begun: () => this.#doubts.end(instance)?.recovered.instance.dispose() });
    this.#doubts.add({ ...kept, giver });
    return { instance };
  }

  /** This peer is the authority from here on. */
  #begin({ record, recovered, lineage, untold }: Kept): void {
    const { instance } = record;
    // Whatever was heard of others meanwhile.
    this.#lineages.set(instance, lineage);
    const hosting = this.#host.hosting();
    const authority = new Authority(hosting, { record, room: this.#host.room(), recovered, steps: [] });
    const before = this.#elsewhere.get(instance);
    this.#elsewhere.delete(instance);
    this.#heirs.get(instance)?.end();
    this.#heirs.delete(instance);
    this.#host.keep(authority);
    authority.family.restart();
    authority.takeUp(untold);
    this.#host.located(instance, hosting.self);
    this.#tellHome(authority);
    if (before !== undefined) this.#tellOf({ instance, peer: hosting.self, epoch: authority.epoch }, before.peer);
  }

  // ── Standing by ────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns when it could take over. */
  async standBy(mirror: Tapped & { tap(tap: Tap): () => void }, source: () => PeerId | undefined): Promise<void> {
    const known = this.#heirs.get(mirror.id);
    if (known?.standby.mirror === mirror) return known.standby.ready;
    known?.end();
    const standby = new Standby(mirror, this.#host.hosting().report);
    const untap = mirror.tap(standby);
    const end = (): void => {
      untap();
      standby.closed(new LockstepError('FENCED', `${mirror.id} is ordered here, or another mirror of it stands by`));
    };
    this.#heirs.set(mirror.id, { standby, source, end });
    await standby.ready;
  }

  /** A notice from an authority: steps name this sender so from now on. */
  sender(from: PeerId, [instance, who, peer]: Notifications['sender']): void {
    const heir = this.#heirs.get(instance);
    if (heir?.source() === from) heir.standby.sender(who, peer);
  }

  /** @throws LockstepError BAD_REQUEST when this peer does not stand by, FENCED when it orders it already, UNREACHABLE when it does not know enough yet; and as `take`. */
  async takeOver(instance: InstanceId): Promise<void> {
    if (this.#doubts.has(instance)) return this.#doubts.decide(instance);
    const heir = this.#heirs.get(instance);
    if (heir === undefined) throw new LockstepError('BAD_REQUEST', `this peer does not stand by for ${instance}`);
    const taken = heir.standby.take(this.#host.epoch(heir.standby.mirror.epoch));
    this.#begin(await this.#taking.keep(taken));
  }

  // ── Giving way ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells the homes of instances that are ordered here although they are at home elsewhere. @param peer that home alone. */
  tell(peer?: PeerId): void {
    const { guests } = this.#host;
    for (const guest of peer === undefined ? guests.all() : guests.of(peer, this.#host.hosting().server())) this.#tellHome(guest);
  }

  #tellHome({ record, epoch }: Authority): void {
    const { self, sessionWith, server } = this.#host.hosting();
    const home = ownerOf(record.instance) ?? server();
    if (home === undefined || home === self) return;
    sessionWith(home).post(encodeNotice('ordered', [record.instance, epoch, this.lineage(record.instance)]));
  }

  /** Another peer says who orders an instance. */
  async ordered(session: Session, notice: Notifications['ordered']): Promise<void> {
    const [instance, epoch, lineage, by] = notice;
    if (!this.#host.trusts(session.remote)) return;
    const peer = by ?? session.remote;
    if (peer === this.#host.hosting().self) return this.#doubts.told(session.remote, { instance, epoch });
    const authority = this.#host.find(instance);
    const known = this.#elsewhere.get(instance);
    if (authority === undefined) {
      // A home that knows better says so.
      if (known !== undefined && isNewer(known, { epoch, peer }))
        session.post(encodeNotice('ordered', [instance, known.epoch, this.lineage(instance), known.peer]));
      if (known !== undefined && !isNewer({ epoch, peer }, known)) return;
      this.#lineages.set(instance, lineage);
      this.#went({ instance, peer, epoch });
      if (known !== undefined) this.#tellOf({ instance, peer, epoch }, known.peer);
      return;
    }
    const leaving = this.#leaving.get(authority);
    if (leaving !== undefined) return leaving.done.then(() => this.ordered(session, notice));
    const ours = { epoch: authority.epoch, lineage: this.lineage(instance) };
    if (isNewer({ ...ours, peer: this.#host.hosting().self }, { epoch, peer })) {
      session.post(encodeNotice('ordered', [instance, ours.epoch, ours.lineage]));
      return;
    }
    await this.#giveWay(authority, { instance: authority.record.instance, peer, epoch }, { lineage, ours });
  }

  /** Who ordered it until now may not have heard. */
  #tellOf({ instance, peer, epoch }: Moved, before: PeerId): void {
    if (before === peer) return;
    this.#host
      .hosting()
      .sessionWith(before)
      .post(encodeNotice('ordered', [instance, epoch, this.lineage(instance), peer]));
  }

  #went(moved: Moved): void {
    this.#elsewhere.set(moved.instance, moved);
    this.#host.located(moved.instance, moved.peer);
  }

  async #giveWay(
    authority: Authority,
    moved: Moved,
    { lineage, ours }: { readonly lineage: Lineage; readonly ours: Descent },
  ): Promise<void> {
    const common = lastCommon(ours, { epoch: moved.epoch, lineage });
    const { committer, journal, report } = this.#host.hosting();
    // Nothing is taken from here on, whatever the journal says; what is on its way there is among what is lost.
    authority.tenure.halt();
    this.#leave(authority);
    await new Promise<void>((resolve) => committer.add({ entries: [], durable: resolve, failed: () => resolve() }));
    const read = common === undefined ? undefined : await stepsAfter(journal, moved.instance, common).catch(() => undefined);
    await this.#away(authority, moved, lineage);
    // What there was before a schema grew is not kept.
    const lost = read?.some(({ cause }) => cause.event.type === GROWN) === true ? undefined : read;
    const own = lost?.filter(({ cause }) => cause.event.type !== TAKEN);
    report(
      'warn',
      `${moved.instance} is ordered by ${moved.peer} in epoch ${moved.epoch}: this peer gives way, ${own?.length ?? 'an unknown number of'} of its steps are not in that history`,
    );
    this.#host.fenced({ ...moved, lost: own });
  }

  close(): void {
    this.#doubts.close();
  }
}

/** The durable steps after `seq`; undefined when the journal does not keep all of them any more. */
async function stepsAfter(journal: Journal, instance: InstanceId, seq: number): Promise<readonly Step[] | undefined> {
  const [stored, steps] = await Promise.all([journal.read(instance), journal.steps(instance, seq + 1, Number.MAX_SAFE_INTEGER)]);
  const last = stored?.steps.at(-1)?.seq ?? stored?.checkpoint?.seq ?? seq;
  return steps.length < last - seq ? undefined : steps;
}

/** Of two that took it in one epoch, which chance alone brings about, the names decide. */
function isNewer(
  one: { readonly epoch: number; readonly peer: PeerId },
  other: { readonly epoch: number; readonly peer: PeerId },
): boolean {
  return one.epoch > other.epoch || (one.epoch === other.epoch && one.peer > other.peer);
}
