// What another peer ordered, made durable here as a history of its own that goes on from there: everything that ordering it takes, checked
// before anything is written.                                                                                        (docs/topologies.md)

import { LockstepError } from '../core/errors.ts';
import { Instance } from '../core/instance.ts';
import type { EventObject } from '../core/json.ts';
import { anew, TAKEN } from './anew.ts';
import type { Hosting } from './hosting.ts';
import { imageFrom } from './image-request.ts';
import type { InstanceRecord } from './journal.ts';
import type { Lineage } from './lineage.ts';
import type { Machines } from './machines.ts';
import type { Recovered } from './recovery.ts';
import { SeenEvents } from './seen.ts';
import type { Session } from './session.ts';
import type { InstanceId, PeerId, Taken } from './wire.ts';

/** What of a host it needs. */
export interface TakingHost {
  hosting(): Hosting;
  readonly machines: Machines;
  find(instance: InstanceId): { readonly epoch: number } | undefined;
}

/** What was taken, and can be ordered here. */
export interface Kept {
  readonly record: InstanceRecord;
  readonly recovered: Recovered;
  /** Of the history that begins with it. */
  readonly lineage: Lineage;
  /** What it is to take first. */
  readonly untold: readonly EventObject[];
}

export class Taking {
  readonly #host: TakingHost;
  /** Those that are on their way into the journal. */
  readonly #keeping = new Set<InstanceId>();

  constructor(host: TakingHost) {
    this.#host = host;
  }

  async fetch(image: string, session: Session): Promise<void> {
    const bytes = await imageFrom(session, image, this.#host.machines.hashBytes);
    await this.#host.machines.prepare(bytes);
    this.#host.machines.load(bytes, undefined);
  }

  /**
   * Resolves when it is durable here. @param giver who has to say that it is ours. @param begun is called as soon as it can be taken.
   * @throws LockstepError FENCED when it is ordered here, or being taken already; FORBIDDEN, MISSING_FUNCTION, BAD_PARAMS, STORAGE.
   */
  async keep(
    taken: Taken,
    { giver, begun = () => undefined }: { readonly giver?: PeerId; readonly begun?: () => void } = {},
  ): Promise<Kept> {
    const { instance } = taken;
    const there = this.#host.find(instance);
    if (there !== undefined)
      throw new LockstepError('FENCED', `${instance} is ordered here in epoch ${there.epoch}, not to be taken in ${taken.epoch}`);
    if (this.#keeping.has(instance)) throw new LockstepError('FENCED', `${instance} is being taken here already`);
    this.#keeping.add(instance);
    begun();
    try {
      return await this.#write(taken, giver);
    } finally {
      this.#keeping.delete(instance);
    }
  }

  async #write(taken: Taken, giver: PeerId | undefined): Promise<Kept> {
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
    const { untold = [] } = taken;
    const from = taken.lineage.at(-1)?.[0] ?? 0;
    const given = giver === undefined ? {} : { giver, givenFrom: from, ...(untold.length === 0 ? {} : { untold }) };
    const checkpoint = { instance: name, epoch, seq, state, seen: taken.seen, ...given };
    const event = { type: TAKEN, epoch: from, ...(giver === undefined ? {} : { giver }) };
    // An earlier life of it here is over.
    const entries = anew({ record, bytes, checkpoint, digest: instance.digest(), event, at, self });
    await new Promise<void>((resolve, reject) => {
      const failed = (error: LockstepError): void => {
        instance.dispose();
        reject(error);
      };
      committer.add({ entries, durable: resolve, failed });
    });
    return { record, recovered: { instance, epoch, seen: SeenEvents.load(taken.seen), at }, lineage: taken.lineage, untold };
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
}
