// The journal in memory: for peers that hold nothing worth keeping, and for tests. Survives nothing; otherwise it is held to the same
// contract as the ones on disk.

import { LockstepError } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import type { Checkpoint, InstanceRecord, Journal, JournalEntry, Moved, StoredInstance } from './journal.ts';
import { follow } from './journal-record.ts';
import type { InstanceId } from './wire.ts';

interface Kept {
  readonly record: InstanceRecord;
  checkpoint?: Checkpoint;
  /** Of one epoch, gapless; those before the checkpoint are dropped when it is written. */
  steps: Step[];
}

export class MemoryJournal implements Journal {
  readonly survives = 'nothing';
  readonly #instances = new Map<InstanceId, Kept>();
  readonly #machines = new Map<string, string>();
  readonly #images = new Map<string, Uint8Array>();
  readonly #moved = new Map<InstanceId, Moved>();
  #isClosed = false;

  async write(entries: readonly JournalEntry[]): Promise<void> {
    if (this.#isClosed) throw new LockstepError('STORAGE', 'the journal is closed');
    follow(entries, (instance) => {
      const kept = this.#instances.get(instance);
      return kept && (kept.steps.at(-1)?.seq ?? kept.checkpoint?.seq);
    });
    for (const entry of entries) this.#keep(entry);
  }

  #keep(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'image':
        this.#images.set(entry.hash, entry.bytes);
        return;
      case 'machine':
        this.#machines.set(entry.machine, entry.image);
        return;
      case 'create':
        this.#moved.delete(entry.record.instance);
        this.#instances.set(entry.record.instance, { record: entry.record, steps: [entry.step] });
        return;
      case 'step':
        this.#instances.get(entry.step.instance)?.steps.push(entry.step);
        return;
      case 'checkpoint': {
        const kept = this.#instances.get(entry.checkpoint.instance);
        if (kept === undefined) return;
        kept.checkpoint = entry.checkpoint;
        kept.steps = kept.steps.filter((step) => step.seq > entry.checkpoint.seq);
        return;
      }
      case 'delete':
        this.#instances.delete(entry.instance);
        return;
      case 'moved':
        this.#instances.delete(entry.moved.instance);
        this.#moved.set(entry.moved.instance, entry.moved);
        return;
    }
  }

  async read(instance: InstanceId): Promise<StoredInstance | undefined> {
    const kept = this.#instances.get(instance);
    return (
      kept && { record: kept.record, steps: [...kept.steps], ...(kept.checkpoint === undefined ? {} : { checkpoint: kept.checkpoint }) }
    );
  }

  async steps(instance: InstanceId, from: number, to: number): Promise<readonly Step[]> {
    return this.#instances.get(instance)?.steps.filter(({ seq }) => seq >= from && seq <= to) ?? [];
  }

  async list(options: { readonly after?: string; readonly limit: number; readonly machine?: string }): Promise<readonly InstanceRecord[]> {
    return [...this.#instances.values()]
      .map(({ record }) => record)
      .filter(({ instance, machine }) => instance > (options.after ?? '') && (options.machine === undefined || machine === options.machine))
      .sort((a, b) => (a.instance < b.instance ? -1 : 1))
      .slice(0, options.limit);
  }

  async machines(): Promise<readonly { readonly machine: string; readonly image: string }[]> {
    return [...this.#machines].map(([machine, image]) => ({ machine, image })).sort((a, b) => (a.machine < b.machine ? -1 : 1));
  }

  async moved(): Promise<readonly Moved[]> {
    return [...this.#moved.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  async image(hash: string): Promise<Uint8Array | undefined> {
    return this.#images.get(hash);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}
