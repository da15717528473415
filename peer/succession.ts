// Who orders an instance next: handing it over to another peer, taking it over from one that is lost, and giving way to one that has a higher
// epoch. An instance keeps its name; its home, the peer in that name, remembers where it went, and is told by whoever orders it.
// (docs/topologies.md, TOPO-6 to TOPO-10)

import { LockstepError } from '../core/errors.ts';
import { readImage } from '../core/image.ts';
import { Instance } from '../core/instance.ts';
import type { Step } from '../core/step.ts';
import { Authority } from './authority.ts';
import { backoffMs } from './backoff.ts';
import { decodeBase64 } from './base64.ts';
import { encodeNotice } from './codec-json.ts';
import type { Hosting } from './hosting.ts';
import { ownerOf } from './identity.ts';
import type { InstanceRecord, JournalEntry, Moved } from './journal.ts';
import type { Machines } from './machines.ts';
import { SeenEvents } from './seen.ts';
import { isCutOff } from './sender.ts';
import type { Session } from './session.ts';
import { Standby } from './standby.ts';
import type { Tap, Tapped } from './tap.ts';
import type { InstanceId, Notifications, PeerId, Taken } from './wire.ts';

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
  /** Higher than every epoch so far. */
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

export class Succession {
  readonly #host: Succeeding;
  readonly #elsewhere = new Map<InstanceId, Moved>();
  readonly #heirs = new Map<InstanceId, Heir>();
  /** The seq after which this peer's own part of a history begins, for instances that it took. */
  readonly #since = new Map<InstanceId, number>();

  constructor(host: Succeeding) {
    this.#host = host;
  }

  /** From the journal. */
  remember(moved: readonly Moved[]): void {
    for (const each of moved) this.#elsewhere.set(each.instance, each);
  }

  /** Where an instance is ordered that was ordered here. */
  elsewhere(instance: InstanceId): Moved | undefined {
    return this.#elsewhere.get(instance);
  }

  // ── Handing over ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Events wait until the other peer has all of it durably, or has refused; an answer that was lost is asked for again.
   * @param session with the other peer, as things are.
   * @throws LockstepError FORBIDDEN when this peer does not trust that one or that one not this; MISSING_FUNCTION, UNSUPPORTED, TOO_LARGE: it stays here then.
   */
  async handOver(instance: InstanceId, to: PeerId, session: () => Session | LockstepError): Promise<void> {
    const authority = this.#host.authority(instance);
    if (!this.#host.trusts(to))
      throw new LockstepError('FORBIDDEN', `${to} is not trusted here: its word counts for ${instance} from then on`);
    const handed = await authority.hand();
    const epoch = this.#host.epoch(handed.epoch);
    try {
      await this.#give({ ...handed, epoch }, session);
    } catch (error) {
      authority.keepOn();
      throw error;
    }
    await this.#away(authority, { instance: handed.instance, peer: to, epoch });
  }

  async #give(taken: Taken, session: () => Session | LockstepError): Promise<void> {
    const { environment } = this.#host.hosting();
    for (let attempt = 0; ; attempt++) {
      const there = session();
      try {
        if (there instanceof LockstepError) throw there;
        await there.request('take', taken);
        return;
      } catch (error) {
        // Before anything was said, and when the answer says no, nothing has changed; else only the other one knows.
        if (!(error instanceof LockstepError) || !isCutOff(error) || (attempt === 0 && there instanceof LockstepError)) throw error;
        await new Promise<void>((resolve) => environment.timer(backoffMs(environment, attempt), resolve));
        this.#host.hosting();
      }
    }
  }

  async #away(authority: Authority, moved: Moved): Promise<void> {
    this.#elsewhere.set(moved.instance, moved);
    this.#since.delete(moved.instance);
    this.#host.drop(authority);
    await authority.moveTo(moved);
    this.#host.located(moved.instance, moved.peer);
  }

  // ── Taking ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** From an authority that hands over. @throws LockstepError FORBIDDEN, FENCED, MISSING_FUNCTION, BAD_IMAGE, BAD_PARAMS, STORAGE */
  async take(taken: Taken, session: Session): Promise<{ readonly instance: InstanceId }> {
    const { instance, image, epoch } = taken;
    if (!this.#host.trusts(session.remote)) throw new LockstepError('FORBIDDEN', `this peer takes nothing from ${session.remote}`);
    if (this.#host.machines.image(image) === undefined) await this.#fetch(image, session);
    const there = this.#host.find(instance);
    // Asked again, because the answer was lost.
    if (there?.epoch === epoch) return { instance };
    if (there !== undefined)
      throw new LockstepError('FENCED', `${instance} is ordered here in epoch ${there.epoch}, not to be taken in ${epoch}`);
    await this.#adopt(taken);
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

  /** Makes this peer the authority. Resolves when it is durable. */
  async #adopt(taken: Taken): Promise<void> {
    const { machines } = this.#host;
    const hosting = this.#host.hosting();
    // Whom its authority kept from seeing it must not see it here.
    if (taken.isGuarded === true && !hosting.warden.guards(taken.machine))
      throw new LockstepError(
        'FORBIDDEN',
        `this peer has no authorizers for machine "${taken.machine}", and ${taken.instance} is not for everyone`,
      );
    const bytes = machines.image(taken.image);
    if (bytes === undefined) throw new LockstepError('UNKNOWN_IMAGE', `image ${taken.image} of ${taken.instance} is not here`);
    const machine = machines.pinned(taken.machine, bytes);
    if (!machine.canRun)
      throw new LockstepError(
        'MISSING_FUNCTION',
        `this peer has not the functions of machine "${taken.machine}", and cannot order ${taken.instance}`,
      );
    const instance = Instance.create(machine);
    try {
      instance.load(taken.state, taken.seq);
    } catch (error) {
      instance.dispose();
      throw error;
    }
    const { epoch, seq } = taken;
    const at = hosting.environment.now();
    const record: InstanceRecord = { instance: taken.instance, machine: taken.machine, image: taken.image };
    const recovered = { instance, epoch, seen: SeenEvents.load(taken.seen), at };
    const authority = new Authority(hosting, { record, room: this.#host.room(), recovered, steps: [] });
    const entries: readonly JournalEntry[] = [
      { kind: 'image', hash: taken.image, bytes },
      // An earlier life of it here is over.
      { kind: 'delete', instance: taken.instance },
      { kind: 'create', record, step: boundary(taken, { at, self: hosting.self, digest: instance.digest() }) },
      { kind: 'checkpoint', checkpoint: { instance: taken.instance, epoch, seq, state: taken.state, seen: taken.seen } },
    ];
    this.#host.keep(authority);
    await new Promise<void>((resolve, reject) => {
      const failed = (error: LockstepError): void => {
        this.#host.drop(authority);
        authority.close(error);
        reject(error);
      };
      hosting.committer.add({ entries, durable: resolve, failed });
    });
    this.#since.set(taken.instance, seq);
    this.#elsewhere.delete(taken.instance);
    this.#heirs.delete(taken.instance);
    authority.restartChildren();
    this.#host.located(taken.instance, hosting.self);
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
    const heir = this.#heirs.get(instance);
    if (heir === undefined) throw new LockstepError('BAD_REQUEST', `this peer does not stand by for ${instance}`);
    await this.#adopt(heir.standby.take(this.#host.epoch(heir.standby.mirror.epoch)));
    this.tell();
  }

  // ── Giving way ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tells the homes of instances that are ordered here although they are at home elsewhere. @param peer that home alone. */
  tell(peer?: PeerId): void {
    const { self, sessionWith, server } = this.#host.hosting();
    for (const { record, epoch } of this.#host.all()) {
      const home = ownerOf(record.instance) ?? server();
      if (home === undefined || home === self || (peer !== undefined && peer !== home)) continue;
      sessionWith(home).post(encodeNotice('ordered', [record.instance, epoch, this.#since.get(record.instance) ?? 0]));
    }
  }

  /** Another peer says that it orders an instance. */
  async ordered(session: Session, [instance, epoch, seq, by]: Notifications['ordered']): Promise<void> {
    if (!this.#host.trusts(session.remote)) return;
    const peer = by ?? session.remote;
    const authority = this.#host.find(instance);
    const known = this.#elsewhere.get(instance);
    if (authority === undefined) {
      // A home that knows better says so.
      if (known !== undefined && known.epoch > epoch) session.post(encodeNotice('ordered', [instance, known.epoch, 0, known.peer]));
      if (known === undefined || known.epoch < epoch) {
        this.#elsewhere.set(instance, { instance, peer, epoch });
        this.#host.located(instance, peer);
      }
      return;
    }
    if (authority.epoch >= epoch) {
      session.post(encodeNotice('ordered', [instance, authority.epoch, this.#since.get(instance) ?? 0]));
      return;
    }
    const { journal, report } = this.#host.hosting();
    const moved = { instance: authority.record.instance, peer, epoch };
    const reading = seq === 0 ? undefined : journal.steps(moved.instance, seq + 1, Number.MAX_SAFE_INTEGER).catch(() => undefined);
    // Nothing is taken from here on, whatever the journal says.
    authority.halt();
    const lost = await reading;
    await this.#away(authority, moved);
    report(
      'warn',
      `${moved.instance} is ordered by ${peer} in epoch ${epoch}: this peer gives way, ${lost?.length ?? 'an unknown number of'} of its steps are not in that history`,
    );
    this.#host.fenced({ ...moved, lost });
  }
}

/** The first record of a history that goes on elsewhere: it changed nothing, and stands where the part before it ends. */
function boundary(
  { instance, epoch, seq }: Taken,
  { at, self, digest }: { readonly at: number; readonly self: PeerId; readonly digest: string },
): Step {
  const cause = { peer: self, n: 0, event: { type: 'xstate.taken' }, seed: 0 };
  return { instance, epoch, seq, at, cause, ignored: true, clocks: [], history: [], patch: [], host: [], timers: [], effects: [], digest };
}
