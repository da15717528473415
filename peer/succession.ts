// Who orders an instance next: handing it over to another peer, taking it over from one that is lost, and giving way to one that has a higher
// epoch. An instance keeps its name; its home, the peer in that name, remembers where it went, and is told by whoever orders it. Whoever hands
// over decides whether it went: the other one keeps everything durably, and orders nothing before it is told.
// (docs/topologies.md, TOPO-6 to TOPO-10)

import { LockstepError } from '../core/errors.ts';
import { readImage } from '../core/image.ts';
import { Instance } from '../core/instance.ts';
import type { Step } from '../core/step.ts';
import { anew, GROWN, TAKEN } from './anew.ts';
import { Authority } from './authority.ts';
import { decodeBase64 } from './base64.ts';
import { encodeNotice } from './codec-json.ts';
import { type Doubt, Doubts } from './doubts.ts';
import type { Hosting } from './hosting.ts';
import { ownerOf } from './identity.ts';
import type { InstanceRecord, Moved } from './journal.ts';
import { continued, lastCommon, type Lineage } from './lineage.ts';
import type { Machines } from './machines.ts';
import type { Recovered } from './recovery.ts';
import { SeenEvents } from './seen.ts';
import type { Session } from './session.ts';
import { Standby } from './standby.ts';
import type { Tap, Tapped } from './tap.ts';
import type { InstanceId, Methods, Notifications, PeerId, Taken } from './wire.ts';

/** What an authority learns when a newer one has its place. */
export interface Fork {
  readonly instance: InstanceId;
  /** Who orders it now, and in which epoch. */
  readonly peer: PeerId;
  readonly epoch: number;
  /** The durable steps of this peer that the new history does not have; undefined when it is not known where that one began. */
  readonly lost: readonly Step[] | undefined;
}

/** What of a host it needs. */
export interface Succeeding {
  hosting(): Hosting;
  readonly machines: Machines;
  find(instance: InstanceId): Authority | undefined;
  /** @throws LockstepError UNKNOWN_INSTANCE … */
  authority(instance: InstanceId): Authority;
  all(): Iterable<Authority>;
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
}

/** What was taken, and can be ordered here. */
interface Kept {
  readonly record: InstanceRecord;
  readonly recovered: Recovered;
}

export class Succession {
  readonly #host: Succeeding;
  readonly #elsewhere = new Map<InstanceId, Moved>();
  readonly #heirs = new Map<InstanceId, Heir>();
  /** Of instances that this peer took. */
  readonly #lineages = new Map<InstanceId, Lineage>();
  /** Those that are on their way into the journal as another's. */
  readonly #leaving = new Set<Authority>();
  readonly #doubts: Doubts;

  constructor(host: Succeeding) {
    this.#host = host;
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
    this.#elsewhere.set(instance, { instance, peer: doubt.giver, epoch: 0 });
    this.#doubts.add(doubt);
  }

  /** Where an instance is ordered that was ordered here. */
  elsewhere(instance: InstanceId): Moved | undefined {
    return this.#elsewhere.get(instance);
  }

  /** Who orders it, as far as this peer knows. @throws LockstepError UNKNOWN_INSTANCE; UNREACHABLE while that is being decided. */
  where(instance: InstanceId): Methods['where']['result'] {
    const authority = this.#host.find(instance);
    if (authority?.isHeld === true)
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
    const handed = await authority.hand();
    const { record } = authority;
    const moved = { instance: record.instance, peer: to, epoch: this.#host.epoch(handed.epoch) };
    try {
      const there = session();
      if (there instanceof LockstepError) throw there;
      const lineage = continued({ epoch: handed.epoch, lineage: this.lineage(record.instance) }, handed.seq);
      await there.request('take', { ...handed, epoch: moved.epoch, lineage });
      if (this.#host.find(record.instance) !== authority || this.#leaving.has(authority))
        throw new LockstepError('FENCED', `${record.instance} was taken over by another peer meanwhile`);
    } catch (error) {
      if (!this.#leaving.has(authority)) authority.keepOn();
      throw error;
    }
    await this.#away(authority, moved, () => {
      const there = session();
      // Lost, it is asked for.
      if (!(there instanceof LockstepError)) there.post(encodeNotice('ordered', [moved.instance, moved.epoch, [], to]));
    });
  }

  /**
   * Until the journal knows, this peer is the one that would order it after a restart; whoever asks waits for that.
   * @param gone is called when it does, before anybody else hears of it.
   */
  async #away(authority: Authority, moved: Moved, gone: () => void = () => undefined): Promise<void> {
    this.#leaving.add(authority);
    await authority.moveTo(moved, () => {
      this.#leaving.delete(authority);
      this.#lineages.delete(moved.instance);
      this.#host.drop(authority);
      this.#elsewhere.set(moved.instance, moved);
      gone();
    });
    this.#host.located(moved.instance, moved.peer);
  }

  // ── Taking ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From an authority that hands over. @throws LockstepError FORBIDDEN, FENCED, MISSING_FUNCTION, BAD_IMAGE, BAD_PARAMS, STORAGE */
  async take(taken: Taken, session: Session): Promise<{ readonly instance: InstanceId }> {
    const { instance, image, epoch } = taken;
    const giver = session.remote;
    if (!this.#host.trusts(giver)) throw new LockstepError('FORBIDDEN', `this peer takes nothing from ${giver}`);
    if (this.#host.machines.image(image) === undefined) await this.#fetch(image, session);
    const there = this.#host.find(instance);
    if (there !== undefined)
      throw new LockstepError('FENCED', `${instance} is ordered here in epoch ${there.epoch}, not to be taken in ${epoch}`);
    // What was taken before and not said to be ours has been taken back.
    this.#doubts.end(instance)?.recovered.instance.dispose();
    this.#doubts.add({ ...(await this.#keep(taken, giver)), giver });
    this.#lineages.set(instance, taken.lineage);
    return { instance };
  }

  async #fetch(image: string, session: Session): Promise<void> {
    const described = await session.request('get', { image });
    const bytes = 'bytes' in described ? decodeBase64(described.bytes) : undefined;
    if (bytes === undefined) throw new LockstepError('BAD_IMAGE', `${session.remote} did not send image ${image} in base64`);
    readImage(bytes, image);
    await this.#host.machines.prepare(bytes);
    this.#host.machines.load(bytes, undefined);
  }

  /** Resolves when it is durable here. @param giver who has to say that it is ours. */
  async #keep(taken: Taken, giver?: PeerId): Promise<Kept> {
    const { instance: name, image, epoch, seq, state } = taken;
    const { committer, environment, self } = this.#host.hosting();
    const { machine, bytes } = this.#machineOf(taken);
    const instance = Instance.create(machine);
    try {
      instance.load(state, seq);
    } catch (error) {
      instance.dispose();
      throw error;
    }
    const at = environment.now();
    const record: InstanceRecord = { instance: name, machine: taken.machine, image };
    const checkpoint = { instance: name, epoch, seq, state, seen: taken.seen, ...(giver === undefined ? {} : { giver }) };
    const event = { type: TAKEN, epoch: taken.lineage.at(-1)?.[0] ?? 0, ...(giver === undefined ? {} : { giver }) };
    // An earlier life of it here is over.
    const entries = anew({ record, bytes, checkpoint, digest: instance.digest(), event, at, self });
    await new Promise<void>((resolve, reject) => {
      const failed = (error: LockstepError): void => {
        instance.dispose();
        reject(error);
      };
      committer.add({ entries, durable: resolve, failed });
    });
    return { record, recovered: { instance, epoch, seen: SeenEvents.load(taken.seen), at } };
  }

  #machineOf({ instance, image, machine: name, isGuarded }: Taken): {
    readonly machine: ReturnType<Machines['pinned']>;
    readonly bytes: Uint8Array;
  } {
    const { machines } = this.#host;
    // Whom its authority kept from seeing it must not see it here.
    if (isGuarded === true && !this.#host.hosting().warden.guards(name))
      throw new LockstepError('FORBIDDEN', `this peer has no authorizers for machine "${name}", and ${instance} is not for everyone`);
    const bytes = machines.image(image);
    if (bytes === undefined) throw new LockstepError('UNKNOWN_IMAGE', `image ${image} of ${instance} is not here`);
    const machine = machines.pinned(name, bytes);
    if (!machine.canRun)
      throw new LockstepError('MISSING_FUNCTION', `this peer has not the functions of machine "${name}", and cannot order ${instance}`);
    return { machine, bytes };
  }

  /** This peer is the authority from here on. */
  #begin({ record, recovered }: Kept): void {
    const { instance } = record;
    const hosting = this.#host.hosting();
    const authority = new Authority(hosting, { record, room: this.#host.room(), recovered, steps: [] });
    this.#elsewhere.delete(instance);
    this.#heirs.delete(instance);
    this.#host.keep(authority);
    authority.restartChildren();
    this.#host.located(instance, hosting.self);
    this.tell();
  }

  // ── Standing by ────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns when it could take over. */
  async standBy(mirror: Tapped & { tap(tap: Tap): () => void }, source: () => PeerId | undefined): Promise<void> {
    const known = this.#heirs.get(mirror.id);
    if (known !== undefined) return known.standby.ready;
    const standby = new Standby(mirror, this.#host.hosting().report);
    this.#heirs.set(mirror.id, { standby, source });
    mirror.tap(standby);
    await standby.ready;
  }

  /** A notice from an authority: steps name this sender so from now on. */
  sender(from: PeerId, [instance, who, peer]: Notifications['sender']): void {
    const heir = this.#heirs.get(instance);
    if (heir?.source() === from) heir.standby.sender(who, peer);
  }

  /** @throws LockstepError BAD_REQUEST when this peer does not stand by, UNREACHABLE when it does not know enough yet; and as `take`. */
  async takeOver(instance: InstanceId): Promise<void> {
    const doubt = this.#doubts.end(instance);
    // It has all of it, and who handed it over is lost.
    if (doubt !== undefined) {
      this.#begin(doubt);
      return this.#doubts.release(instance);
    }
    const heir = this.#heirs.get(instance);
    if (heir === undefined) throw new LockstepError('BAD_REQUEST', `this peer does not stand by for ${instance}`);
    const taken = heir.standby.take(this.#host.epoch(heir.standby.mirror.epoch));
    const kept = await this.#keep(taken);
    this.#lineages.set(instance, taken.lineage);
    this.#begin(kept);
  }

  // ── Giving way ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells the homes of instances that are ordered here although they are at home elsewhere. @param peer that home alone. */
  tell(peer?: PeerId): void {
    const { self, sessionWith, server } = this.#host.hosting();
    for (const { record, epoch } of this.#host.all()) {
      const home = ownerOf(record.instance) ?? server();
      if (home === undefined || home === self || (peer !== undefined && peer !== home)) continue;
      sessionWith(home).post(encodeNotice('ordered', [record.instance, epoch, this.lineage(record.instance)]));
    }
  }

  /** Another peer says who orders an instance. */
  async ordered(session: Session, [instance, epoch, lineage, by]: Notifications['ordered']): Promise<void> {
    if (!this.#host.trusts(session.remote)) return;
    const peer = by ?? session.remote;
    if (peer === this.#host.hosting().self) return this.#doubts.told(session.remote, { instance, epoch });
    const authority = this.#host.find(instance);
    const known = this.#elsewhere.get(instance);
    if (authority === undefined) {
      // A home that knows better says so.
      if (known !== undefined && known.epoch > epoch) session.post(encodeNotice('ordered', [instance, known.epoch, [], known.peer]));
      if (known === undefined || known.epoch < epoch) this.#went({ instance, peer, epoch });
      return;
    }
    if (this.#leaving.has(authority)) return;
    const ours = { epoch: authority.epoch, lineage: this.lineage(instance) };
    if (isNewer({ ...ours, peer: this.#host.hosting().self }, { epoch, peer })) {
      session.post(encodeNotice('ordered', [instance, ours.epoch, ours.lineage]));
      return;
    }
    await this.#giveWay(authority, { instance: authority.record.instance, peer, epoch }, lastCommon(ours, { epoch, lineage }));
  }

  #went(moved: Moved): void {
    this.#elsewhere.set(moved.instance, moved);
    this.#host.located(moved.instance, moved.peer);
  }

  /** @param common the last step that the other history has, too. */
  async #giveWay(authority: Authority, moved: Moved, common: number | undefined): Promise<void> {
    const { committer, journal, report } = this.#host.hosting();
    // Nothing is taken from here on, whatever the journal says; what is on its way there is among what is lost.
    authority.halt();
    this.#leaving.add(authority);
    await new Promise<void>((resolve) => committer.add({ entries: [], durable: resolve, failed: () => resolve() }));
    const read =
      common === undefined ? undefined : await journal.steps(moved.instance, common + 1, Number.MAX_SAFE_INTEGER).catch(() => undefined);
    await this.#away(authority, moved);
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

/** Of two that took it in one epoch, which chance alone brings about, the names decide. */
function isNewer(
  one: { readonly epoch: number; readonly peer: PeerId },
  other: { readonly epoch: number; readonly peer: PeerId },
): boolean {
  return one.epoch > other.epoch || (one.epoch === other.epoch && one.peer > other.peer);
}
