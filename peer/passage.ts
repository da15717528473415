// How an instance goes on in another history: under a schema that has grown, or ordered by another peer. Meanwhile nothing happens to it, and
// what comes waits. Who orders it next, and whether it went there, is decided in succession.ts.             (TOPO-6, TOPO-15, REL-39)

import { LockstepError } from '../core/errors.ts';
import { Instance } from '../core/instance.ts';
import type { Machine } from '../core/machine.ts';
import { appended } from '../core/relational/schema.ts';
import { anew, GROWN } from './anew.ts';
import { backoffMs } from './backoff.ts';
import { activityOf } from './effects.ts';
import type { Family } from './family.ts';
import type { Hosting } from './hosting.ts';
import type { InstanceRecord, Moved } from './journal.ts';
import type { Ordered } from './ordered.ts';
import type { Readers } from './readers.ts';
import type { Tenure } from './tenure.ts';
import type { Untold } from './untold.ts';
import type { Taken } from './wire.ts';

/** What there is of an instance at its authority. */
export interface Passing {
  readonly hosting: Hosting;
  readonly ordered: Ordered;
  readonly tenure: Tenure;
  readonly readers: Readers;
  readonly family: Family;
  readonly untold: Untold;
}

export class Passage {
  readonly #of: Passing;

  constructor(of: Passing) {
    this.#of = of;
  }

  // ── To another schema ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Goes on with a schema that has grown, under a new epoch; what comes meanwhile waits. Resolves when that is durable and readers were told
   * to ask anew.                                                                                                           (REL-39)
   * @throws LockstepError as `appended`; MISSING_FUNCTION, NOT_RUNNING, STORAGE: it goes on as it was.
   */
  async grow(machine: Machine, epoch: number): Promise<void> {
    const { ordered, tenure, readers, family } = this.#of;
    if (!machine.canRun)
      throw new LockstepError('MISSING_FUNCTION', `the functions of machine "${ordered.record.machine}" are not here to go on with`);
    await tenure.hold();
    const instance = tenure.held();
    const grown = Instance.create(machine);
    const record: InstanceRecord = { ...ordered.record, image: machine.hash };
    try {
      const saved = instance.save();
      const state = { ...saved, clocks: appended(ordered.machine, machine, saved.clocks) };
      grown.load(state, instance.seq);
      const { committer, self } = this.#of.hosting;
      const checkpoint = { instance: record.instance, epoch, seq: instance.seq, state, seen: ordered.seen.save() };
      const event = { type: GROWN, epoch: ordered.epoch };
      const entries = anew({ record, bytes: machine.bytes, checkpoint, digest: grown.digest(), event, at: ordered.at, self });
      await new Promise<void>((durable, failed) => committer.add({ entries, durable, failed }));
      tenure.held();
    } catch (error) {
      grown.dispose();
      if (!tenure.isHalted) tenure.keepOn();
      throw error;
    }
    instance.dispose();
    ordered.renew(record, machine, epoch);
    tenure.replace(grown);
    family.run();
    family.grown(activityOf(grown));
    readers.recheck(readers.momentOf(grown));
    readers.renew({ seq: grown.seq, state: grown.save() });
    tenure.keepOn();
  }

  // ── To another peer ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Everything of it, once it is durable; from here on what comes waits, until its tenure keeps on or it has moved.
   * @throws LockstepError UNSUPPORTED, NOT_RUNNING, STORAGE
   */
  async hand(): Promise<Omit<Taken, 'lineage'>> {
    const { hosting, ordered, tenure, readers, family, untold } = this.#of;
    const { record } = ordered;
    if (family.isChild || family.hasHosted(tenure.running()))
      throw new LockstepError('UNSUPPORTED', `${record.instance} belongs to a family of instances, which stay together`);
    await tenure.hold();
    const instance = tenure.held();
    const { seq } = instance;
    const guarded = hosting.warden.guards(record.machine) ? ({ isGuarded: true } as const) : {};
    const handed = untold.hand();
    const sent = handed.length === 0 ? {} : { untold: handed };
    return { ...record, epoch: ordered.epoch, seq, state: instance.save(), seen: readers.seenUpTo(seq), ...sent, ...guarded };
  }

  /** Another peer orders it now: when the journal knows, readers are told, and those who asked are to ask there. @param gone is called first. */
  moveTo(moved: Moved, gone: () => void): Promise<void> {
    const { committer, environment, report } = this.#of.hosting;
    return new Promise((resolve) => {
      const durable = (): void => {
        this.#end(moved, gone);
        resolve();
      };
      // Until the journal knows, this peer would order it again after a restart.
      const write = (failures: number): void => {
        const failed = (problem: LockstepError): void => {
          report('error', `the journal does not know yet that ${moved.instance} is ordered by ${moved.peer}`, problem);
          environment.timer(backoffMs(environment, failures), () => write(failures + 1));
        };
        committer.add({ entries: [{ kind: 'moved', moved }], durable, failed });
      };
      write(0);
    });
  }

  #end(moved: Moved, gone: () => void): void {
    const { tenure, readers, family, untold } = this.#of;
    const refuse = tenure.end(new LockstepError('FENCED', `${moved.instance} is ordered by ${moved.peer} now, in epoch ${moved.epoch}`));
    family.children.close();
    gone();
    readers.leave('owner', moved);
    refuse();
    // Whoever gave way does not know whether the step of an effect is in the other history.
    if (!tenure.isHalted) untold.follow();
  }
}
