// Instances that were handed over to this peer, which has all of them durably and has not heard yet that they are its own: nothing happens to
// them. Whoever handed one over decides, and is asked until it has said so; meanwhile it, or nobody, orders it.        (docs/topologies.md, TOPO-6)

import { backoffMs } from './backoff.ts';
import type { Hosting } from './hosting.ts';
import type { JournalEntry, Moved } from './journal.ts';
import type { Session } from './session.ts';
import type { Kept } from './taking.ts';
import type { InstanceId, PeerId } from './wire.ts';

export interface Doubt extends Kept {
  /** Who handed it over. */
  readonly giver: PeerId;
}

export interface DoubtsOptions {
  hosting(): Hosting;
  /** It is to be ordered here. */
  isOurs(doubt: Doubt): void;
  /** It stayed where it was, or has gone on from there. */
  isTheirs(moved: Moved): void;
}

export class Doubts {
  readonly #options: DoubtsOptions;
  readonly #doubts = new Map<InstanceId, Doubt>();
  /** Those who asked meanwhile; one who asks again replaces the question. */
  readonly #held = new Map<InstanceId, Map<Session, () => void>>();

  constructor(options: DoubtsOptions) {
    this.#options = options;
  }

  add(doubt: Doubt): void {
    this.end(doubt.record.instance)?.recovered.instance.dispose();
    this.#doubts.set(doubt.record.instance, doubt);
    this.#wonder(doubt, 0);
  }

  has(instance: InstanceId): boolean {
    return this.#doubts.has(instance);
  }

  /** It is not asked for any more. */
  end(instance: InstanceId): Doubt | undefined {
    const doubt = this.#doubts.get(instance);
    this.#doubts.delete(instance);
    return doubt;
  }

  hold(instance: InstanceId, session: Session, ask: () => void): boolean {
    if (!this.#doubts.has(instance)) return false;
    const held = this.#held.get(instance) ?? new Map<Session, () => void>();
    this.#held.set(instance, held);
    held.set(session, ask);
    return true;
  }

  /** It is known now: those who waited ask. */
  release(instance: InstanceId): void {
    const held = this.#held.get(instance);
    this.#held.delete(instance);
    for (const [session, ask] of held ?? []) if (session.isOpen) ask();
  }

  /** A peer says that this one orders an instance. */
  told(peer: PeerId, { instance, epoch }: { readonly instance: InstanceId; readonly epoch: number }): void {
    const doubt = this.#doubts.get(instance);
    if (doubt !== undefined && doubt.giver === peer && doubt.recovered.epoch === epoch) this.#settle(doubt, { peer: undefined, epoch });
  }

  /**
   * Somebody says that whoever handed it over is lost: it is ordered here, whatever that one says. Others hear so when the journal knows, or
   * it would be asked for again after a restart.
   * @throws LockstepError STORAGE: who handed it over is asked on.
   */
  async decide(instance: InstanceId): Promise<void> {
    const { committer } = this.#options.hosting();
    // Another one: answers to what was asked before are not for it.
    const doubt = { ...this.#doubts.get(instance)! };
    this.#doubts.set(instance, doubt);
    const isOpen = (): boolean => this.#doubts.get(instance) === doubt;
    try {
      await new Promise<void>((durable, failed) => committer.add({ entries: [ownOf(doubt)], durable, failed }));
    } catch (error) {
      if (isOpen()) this.#wonder(doubt, 0);
      throw error;
    }
    if (!isOpen()) return;
    this.#doubts.delete(instance);
    this.#options.isOurs(doubt);
    this.release(instance);
  }

  close(): void {
    for (const { recovered } of this.#doubts.values()) recovered.instance.dispose();
    this.#doubts.clear();
    this.#held.clear();
  }

  #wonder(doubt: Doubt, attempt: number): void {
    const { environment, sessionWith } = this.#options.hosting();
    const { giver, record } = doubt;
    const isOpen = (): boolean => this.#doubts.get(record.instance) === doubt;
    environment.timer(backoffMs(environment, attempt), () => {
      if (!isOpen()) return;
      const again = (): void => {
        if (isOpen()) this.#wonder(doubt, attempt + 1);
      };
      sessionWith(giver)
        .request('where', { instance: record.instance })
        .then((whereabouts) => {
          if (!isOpen()) return;
          // The giver does not know any more that it had it, and gave it back: it will when it has asked here.
          if (whereabouts.peer === this.#options.hosting().self && whereabouts.epoch < doubt.recovered.epoch) again();
          else this.#settle(doubt, whereabouts);
        }, again);
    });
  }

  /** @param whereabouts without a peer it is this one. */
  #settle(doubt: Doubt, { peer, epoch }: { readonly peer: PeerId | undefined; readonly epoch: number }): void {
    const { committer, report, self } = this.#options.hosting();
    const { record, recovered } = doubt;
    const { instance: name } = record;
    this.#doubts.delete(name);
    const isOurs = (peer ?? self) === self && epoch === recovered.epoch;
    const there = peer === undefined || peer === self ? undefined : { instance: name, peer, epoch };
    const known: JournalEntry = there === undefined ? { kind: 'delete', instance: name } : { kind: 'moved', moved: there };
    const entry = isOurs ? ownOf(doubt) : known;
    // Unwritten, it is asked for again after a restart.
    const failed = (error: unknown): void => report('warn', `the journal does not know yet who orders ${name}`, error);
    committer.add({ entries: [entry], durable: () => undefined, failed });
    if (isOurs) this.#options.isOurs(doubt);
    else recovered.instance.dispose();
    if (!isOurs && there !== undefined) this.#options.isTheirs(there);
    this.release(name);
  }
}

/** That it is ordered here, and nobody need be asked any more. */
function ownOf({ record, recovered: { instance, epoch, seen } }: Doubt): JournalEntry {
  const checkpoint = { instance: record.instance, epoch, seq: instance.seq, state: instance.save(), seen: seen.save() };
  return { kind: 'checkpoint', checkpoint };
}
