// The journal in one SQLite file: write-ahead log, a full sync for each write, one row for all the steps that a turn has to say. Survives a
// power cut. Those rows are moved to their place, instance by instance, many writes at a time: a write that put each step there would
// touch a page for each instance that moved. Every row carries a checksum over what it says and where it stands.
// docs/journal.md draws the tables.

import { LockstepError, unreachable } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { Checkpoint, InstanceRecord, Journal, JournalEntry, Moved, StoredInstance } from '../../peer/journal.ts';
import { assertGapless, HISTORY_COUNT, packCheckpoint, unpackCheckpoint, verify } from '../../peer/journal-record.ts';
import type { InstanceId } from '../../peer/wire.ts';
import { checksum } from './checksum.ts';
import { type CheckpointRow, type InstanceRow, JournalDatabase } from './database.ts';
import { merge, readRun, type Run, runOf, stepsOf, sumOf } from './run.ts';

/**
 * Runs, and characters of them, that wait to be moved to their place. Their texts are kept in memory; so many different instances cost some
 * 20 ms at once, and what few instances have done since their checkpoints is mostly forgotten before it is moved.
 */
const UNSETTLED_MAX = 2_048;
const UNSETTLED_SIZE_MAX = 4 * 1_024 * 1_024;

/** What is known of an instance without asking the file. */
interface Known {
  readonly id: number;
  readonly name: InstanceId;
  /** seq of its newest step. */
  last: number;
  /** Its steps in the write under way that are in no run yet: of one epoch. */
  collected: Step[];
  /** The newest of it, not yet moved to their place; gapless. */
  unsettled: Run[];
}

/** What the row of a write says of each run in it. */
type RunHead = readonly [instance: number, epoch: number, first: number, count: number, sum: number];

export class SqliteJournal implements Journal {
  readonly survives = 'power';
  readonly #database: JournalDatabase;
  readonly #statements: JournalDatabase['statements'];
  readonly #writeAll: (entries: readonly JournalEntry[]) => void;
  readonly #settleAll: (argument: undefined) => void;
  readonly #known = new Map<InstanceId, Known>();
  /** False after a write that failed: nothing of it was kept, so what it taught us is not true. */
  #isLoaded = false;
  #nextInstance = 1;
  /** Those with steps in the write under way, and what its row will say. */
  #moved: Known[] = [];
  #heads: RunHead[] = [];
  #bodies: string[] = [];
  /** Rows of writes, the runs in them and their characters. */
  #writeCount = 0;
  #unsettledCount = 0;
  #unsettledSize = 0;

  /**
   * Opens the file, or makes it.
   * @throws LockstepError STORAGE when it cannot be opened, is somebody else's, of a newer version, or in use; CORRUPT when it is damaged.
   */
  constructor(file: string) {
    this.#database = new JournalDatabase(file);
    this.#statements = this.#database.statements;
    this.#writeAll = this.#database.transaction((entries: readonly JournalEntry[]) => {
      for (const entry of entries) this.#keep(entry);
      this.#addWrite();
      if (this.#unsettledCount >= UNSETTLED_MAX || this.#unsettledSize >= UNSETTLED_SIZE_MAX) this.#settle();
    });
    this.#settleAll = this.#database.transaction(() => this.#settle());
    try {
      this.#load();
    } catch (error) {
      this.#database.close();
      throw this.#database.explain(error);
    }
  }

  async write(entries: readonly JournalEntry[]): Promise<void> {
    this.#asking(() => {
      this.#load();
      this.#isLoaded = false;
      this.#writeAll(entries);
      this.#isLoaded = true;
    });
  }

  async read(instance: InstanceId): Promise<StoredInstance | undefined> {
    return this.#asking(() => {
      const row = this.#statements.instance.get(instance);
      if (row === undefined) return undefined;
      const record = recordOf(row);
      const checkpoint = this.#statements.checkpoint.get(row.id);
      const first = (checkpoint?.seq ?? 0) + 1;
      const steps = this.#range(instance, first, Number.MAX_SAFE_INTEGER);
      assertGapless(instance, first, steps);
      return checkpoint === undefined ? { record, steps } : { record, checkpoint: checkpointOf(instance, checkpoint), steps };
    });
  }

  async steps(instance: InstanceId, from: number, to: number): Promise<readonly Step[]> {
    return this.#asking(() => this.#range(instance, from, to));
  }

  async list(options: { readonly after?: string; readonly limit: number; readonly machine?: string }): Promise<readonly InstanceRecord[]> {
    const { after = '', limit, machine } = options;
    return this.#asking(() =>
      (machine === undefined ? this.#statements.list.all(after, limit) : this.#statements.listOf.all(after, machine, limit)).map(recordOf),
    );
  }

  async machines(): Promise<readonly { readonly machine: string; readonly image: string }[]> {
    return this.#asking(() =>
      this.#statements.machines.all().map(({ name, image, sum }) => {
        verify(sum, checksum(name, 0, 0, image), `machine ${name}`);
        return { machine: name, image };
      }),
    );
  }

  async moved(): Promise<readonly Moved[]> {
    return this.#asking(() =>
      this.#statements.moved.all().map(({ name, peer, epoch, sum }) => {
        verify(sum, checksum(name, epoch, 0, peer), `where ${name} is ordered`);
        return { instance: name, peer, epoch };
      }),
    );
  }

  /** Not summed here: an image is checked against its own hash by whoever loads it. */
  async image(hash: string): Promise<Uint8Array | undefined> {
    return this.#asking(() => this.#statements.image.get(hash)?.bytes);
  }

  async close(): Promise<void> {
    try {
      if (this.#isLoaded && this.#writeCount > 0) this.#settleAll(undefined);
    } catch {
      // The rows stay as they are, and whoever opens the file reads them there: closed twice, or a full disk.
    }
    this.#database.close();
  }

  // ── Writing ────────────────────────────────────────────────────────────────────────────────────────────────────

  #keep(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'image':
        this.#statements.addImage.run(entry.hash, entry.bytes);
        return;
      case 'machine':
        this.#statements.setMachine.run(entry.machine, entry.image, checksum(entry.machine, 0, 0, entry.image));
        return;
      case 'create':
        this.#create(entry.record, entry.step);
        return;
      case 'step':
        this.#append(this.#find(entry.step.instance), entry.step);
        return;
      case 'checkpoint':
        this.#checkpoint(entry.checkpoint);
        return;
      case 'delete':
        this.#delete(entry.instance);
        return;
      case 'moved': {
        const { instance, peer, epoch } = entry.moved;
        this.#delete(instance);
        this.#statements.setMoved.run(instance, peer, epoch, checksum(instance, epoch, 0, peer));
        return;
      }
      default:
        unreachable(entry);
    }
  }

  #create(record: InstanceRecord, step: Step): void {
    const { instance, machine, image } = record;
    if (this.#look(instance) !== undefined) throw new LockstepError('STORAGE', `instance ${instance} is in the journal already`);
    this.#statements.dropMoved.run(instance);
    const id = this.#nextInstance++;
    this.#statements.addInstance.run(id, instance, machine, image, checksum(instance, 0, 0, `${machine}\n${image}`));
    const known: Known = { id, name: instance, last: step.seq - 1, collected: [], unsettled: [] };
    this.#known.set(instance, known);
    this.#append(known, step);
  }

  #append(known: Known, step: Step): void {
    const { instance, epoch, seq } = step;
    if (seq !== known.last + 1)
      throw new LockstepError('STORAGE', `step ${seq} of ${instance} does not follow ${known.last}, the newest in the journal`);
    const [first] = known.collected;
    if (first === undefined) this.#moved.push(known);
    else if (first.epoch !== epoch) this.#closeRun(known);
    known.collected.push(step);
    known.last = seq;
  }

  /** Makes a run of what was collected for an instance. */
  #closeRun(known: Known): void {
    if (known.collected.length === 0) return;
    const run = runOf(known.collected);
    known.collected = [];
    known.unsettled.push(run);
    this.#heads.push([known.id, run.epoch, run.first, run.last - run.first + 1, sumOf(known.name, run)]);
    this.#bodies.push(run.body);
  }

  /** The one row for all steps of this write. */
  #addWrite(): void {
    for (const known of this.#moved) this.#closeRun(known);
    this.#moved = [];
    if (this.#heads.length === 0) return;
    const id = ++this.#writeCount;
    const head = JSON.stringify(this.#heads);
    const body = this.#bodies.join('\n');
    this.#statements.addWrite.run(id, checksum('', 0, id, head), head, body);
    this.#unsettledCount += this.#heads.length;
    this.#unsettledSize += body.length;
    this.#heads = [];
    this.#bodies = [];
  }

  /** Moves all runs to their place: longer ones, by instance. */
  #settle(): void {
    for (const known of this.#known.values()) {
      for (const run of merge(known.unsettled))
        this.#statements.addSteps.run(known.id, run.last, run.first, run.epoch, sumOf(known.name, run), run.body);
      known.unsettled = [];
    }
    this.#statements.dropWrites.run();
    this.#writeCount = 0;
    this.#unsettledCount = 0;
    this.#unsettledSize = 0;
  }

  #checkpoint(checkpoint: Checkpoint): void {
    const { instance, epoch, seq } = checkpoint;
    const known = this.#find(instance);
    if (seq > known.last)
      throw new LockstepError('STORAGE', `a checkpoint of ${instance} at ${seq}, but the journal ends at ${known.last}`);
    const body = packCheckpoint(checkpoint);
    this.#statements.setCheckpoint.run(known.id, seq, epoch, checksum(instance, epoch, seq, body), body);
    this.#statements.forget.run(known.id, seq - HISTORY_COUNT);
    const kept = known.unsettled.findIndex(({ last }) => last > seq - HISTORY_COUNT);
    known.unsettled.splice(0, kept < 0 ? known.unsettled.length : kept);
  }

  /** Its runs stay in the rows of writes until these are settled; no other instance gets its number before. */
  #delete(instance: InstanceId): void {
    const known = this.#look(instance);
    if (known === undefined) return;
    known.collected = [];
    this.#statements.forget.run(known.id, Number.MAX_SAFE_INTEGER);
    this.#statements.dropCheckpoint.run(known.id);
    this.#statements.dropInstance.run(known.id);
    this.#known.delete(instance);
  }

  // ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Reads the rows of writes, which say what is not in its place yet. */
  #load(): void {
    if (this.#isLoaded) return;
    this.#known.clear();
    [this.#moved, this.#heads, this.#bodies] = [[], [], []];
    [this.#writeCount, this.#unsettledCount, this.#unsettledSize] = [0, 0, 0];
    this.#nextInstance = (this.#statements.lastInstance.get()?.id ?? 0) + 1;
    for (const { id, sum, head, body } of this.#statements.writes.all()) {
      if (id !== ++this.#writeCount) throw new LockstepError('CORRUPT', `write ${this.#writeCount} is missing in the journal`);
      verify(sum, checksum('', 0, id, head), `the head of write ${id}`);
      const heads = JSON.parse(head) as readonly RunHead[];
      const bodies = body.split('\n');
      heads.forEach((each, i) => this.#loadRun(each, bodies[i] ?? ''));
      this.#unsettledCount += heads.length;
      this.#unsettledSize += body.length;
    }
    this.#isLoaded = true;
  }

  #loadRun([id, epoch, first, count, sum]: RunHead, body: string): void {
    this.#nextInstance = Math.max(this.#nextInstance, id + 1);
    const row = this.#statements.instanceOf.get(id);
    // Deleted since.
    if (row === undefined) return;
    const known = this.#known.get(row.name) ?? this.#remember(row);
    const last = first + count - 1;
    known.unsettled.push(readRun(known.name, { epoch, first, last, body }, sum));
    known.last = Math.max(known.last, last);
  }

  #find(instance: InstanceId): Known {
    const known = this.#look(instance);
    if (known === undefined) throw new LockstepError('STORAGE', `instance ${instance} is not in the journal`);
    return known;
  }

  #look(instance: InstanceId): Known | undefined {
    const known = this.#known.get(instance);
    if (known !== undefined) return known;
    const row = this.#statements.instance.get(instance);
    return row === undefined ? undefined : this.#remember(row);
  }

  #remember({ id, name }: InstanceRow): Known {
    const known: Known = { id, name, last: this.#statements.last.get(id, id)?.last ?? 0, collected: [], unsettled: [] };
    this.#known.set(name, known);
    return known;
  }

  #range(instance: InstanceId, from: number, to: number): Step[] {
    this.#load();
    const known = this.#look(instance);
    if (known === undefined) return [];
    const settled = this.#statements.steps.all(known.id, from, to).map((row) => readRun(instance, row, row.sum));
    const unsettled = known.unsettled.filter(({ first, last }) => last >= from && first <= to);
    return [...settled, ...unsettled].flatMap((run) => stepsOf(instance, run)).filter(({ seq }) => seq >= from && seq <= to);
  }

  #asking<Answer>(question: () => Answer): Answer {
    try {
      return question();
    } catch (error) {
      throw this.#database.explain(error);
    }
  }
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function recordOf({ name, machine, image, sum }: InstanceRow): InstanceRecord {
  verify(sum, checksum(name, 0, 0, `${machine}\n${image}`), `instance ${name}`);
  return { instance: name, machine, image };
}

function checkpointOf(instance: InstanceId, { seq, epoch, sum, body }: CheckpointRow): Checkpoint {
  verify(sum, checksum(instance, epoch, seq, body), `the checkpoint of ${instance} at ${seq}`);
  return unpackCheckpoint({ instance, epoch, seq }, body);
}
