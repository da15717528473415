// The journal of a tab, in IndexedDB: what the tab orders outlives its page and its browser. A write is one transaction, which the browser
// flushes to the disk before it says that it is done. Each record has a checksum over what it says and where it stands: browsers do not
// promise to notice a damaged disk.                                             (docs/journal.md draws the stores; JOURNAL-1 to JOURNAL-13)
//
// Every key begins with the place: the secret of the peer whose journal it is.
//
//   instances    [place, instance]          machines  [place, name]
//   checkpoints  [place, instance]          images    [place, hash]
//   steps        [place, instance, last]    moved     [place, instance]

import { LockstepError, unreachable } from '../core/errors.ts';
import type { Step } from '../core/step.ts';
import type { Checkpoint, InstanceRecord, Journal, JournalEntry, Moved, StoredInstance } from '../peer/journal.ts';
import {
  assertGapless,
  follow,
  HISTORY_COUNT,
  namedSpan,
  packCheckpoint,
  packSteps,
  type Span,
  unpackCheckpoint,
  unpackSteps,
  verify,
} from '../peer/journal-record.ts';
import type { InstanceId } from '../peer/wire.ts';
import { checksum } from './checksum.ts';
import { openDatabase, range, transact, type Work } from './database.ts';

const DATABASE = 'lockstep.journal';
const STORES = { instances: undefined, machines: undefined, checkpoints: undefined, images: undefined, steps: undefined, moved: undefined };

type Sealed<Row> = Row & { readonly sum: number };
type InstanceRow = Sealed<InstanceRecord>;
type MachineRow = Sealed<{ readonly machine: string; readonly image: string }>;
type MovedRow = Sealed<Moved>;
/** The steps of one write, of one instance and epoch. */
type RunRow = Sealed<Span & { readonly body: string }>;
type CheckpointRow = Sealed<{ readonly epoch: number; readonly seq: number; readonly body: string }>;

/**
 * What is kept under this name, or a new journal.
 * @param place nobody else may have it open: the secret of a peer, which whoever is alive holds a lock on.
 * @throws LockstepError STORAGE when this page may keep nothing, or a newer version of it has been here.
 */
export async function openJournal(place: string): Promise<IndexedJournal> {
  try {
    const database = await openDatabase(DATABASE, STORES);
    const keys = await transact<IDBValidKey[]>(database, ['steps'], (store, read) => {
      const outcome = { result: [] as IDBValidKey[] };
      read(store('steps').getAllKeys(range([place])), (found) => (outcome.result = found as IDBValidKey[]));
      return outcome;
    });
    return new IndexedJournal(
      database,
      place,
      new Map(keys.map((key) => (key as [string, InstanceId, number]).slice(1) as [InstanceId, number])),
    );
  } catch (error) {
    throw explain(error);
  }
}

export class IndexedJournal implements Journal {
  readonly survives = 'power';
  readonly #database: IDBDatabase;
  readonly #place: string;
  /** Seq of the newest step of each instance: keys ascend, so it is the last one that was read. */
  readonly #newest: Map<InstanceId, number>;
  /** Writes leave one after the other; what the next may say depends on whether this one was kept. */
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(database: IDBDatabase, place: string, newest: Map<InstanceId, number>) {
    this.#database = database;
    this.#place = place;
    this.#newest = newest;
  }

  write(entries: readonly JournalEntry[]): Promise<void> {
    const written = this.#writing.then(() => this.#write(entries));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #write(entries: readonly JournalEntry[]): Promise<void> {
    if (this.#isClosed) throw new LockstepError('STORAGE', 'the journal is closed');
    const next = follow(entries, (instance) => this.#newest.get(instance));
    await this.#transact<undefined>((store) => {
      const writing = new Writing(this.#place, store);
      for (const entry of entries) writing.keep(entry);
      writing.end();
      return { result: undefined };
    });
    for (const [instance, seq] of next)
      if (seq === undefined) this.#newest.delete(instance);
      else this.#newest.set(instance, seq);
  }

  async read(instance: InstanceId): Promise<StoredInstance | undefined> {
    const key = [this.#place, instance];
    interface Found {
      row?: InstanceRow | undefined;
      checkpoint?: CheckpointRow | undefined;
      runs: readonly RunRow[];
    }
    const { row, checkpoint, runs } = await this.#transact<Found>((store, read) => {
      const result: Found = { runs: [] };
      read(store('instances').get(key), (found) => (result.row = found as InstanceRow | undefined));
      read(store('checkpoints').get(key), (found) => {
        result.checkpoint = found as CheckpointRow | undefined;
        read(store('steps').getAll(range(key, (result.checkpoint?.seq ?? 0) + 1)), (all) => (result.runs = all as RunRow[]));
      });
      return { result };
    });
    if (row === undefined) return undefined;
    const record = recordOf({ ...row, instance });
    const first = (checkpoint?.seq ?? 0) + 1;
    const steps = runs.flatMap((run) => stepsOf(instance, run)).filter(({ seq }) => seq >= first);
    assertGapless(instance, first, steps);
    return checkpoint === undefined ? { record, steps } : { record, checkpoint: checkpointOf(instance, checkpoint), steps };
  }

  async steps(instance: InstanceId, from: number, to: number): Promise<readonly Step[]> {
    const runs = await this.#all<RunRow>('steps', range([this.#place, instance], from));
    return runs.flatMap((run) => (run.first > to ? [] : stepsOf(instance, run))).filter(({ seq }) => seq >= from && seq <= to);
  }

  async list(options: { readonly after?: string; readonly limit: number; readonly machine?: string }): Promise<readonly InstanceRecord[]> {
    const { after = '', limit, machine } = options;
    const rows = await this.#all<InstanceRow>('instances', range([this.#place]));
    return rows
      .filter((row) => row.instance > after && (machine === undefined || row.machine === machine))
      .slice(0, limit)
      .map(recordOf);
  }

  async machines(): Promise<readonly { readonly machine: string; readonly image: string }[]> {
    return (await this.#all<MachineRow>('machines', range([this.#place]))).map(({ machine, image, sum }) => {
      verify(sum, checksum(machine, 0, 0, image), `machine ${machine}`);
      return { machine, image };
    });
  }

  async moved(): Promise<readonly Moved[]> {
    return (await this.#all<MovedRow>('moved', range([this.#place]))).map(({ instance, peer, epoch, sum }) => {
      verify(sum, checksum(instance, epoch, 0, peer), `where ${instance} is ordered`);
      return { instance, peer, epoch };
    });
  }

  /** Not summed here: an image is checked against its own hash by whoever loads it. */
  async image(hash: string): Promise<Uint8Array | undefined> {
    const [bytes] = await this.#all<Uint8Array>('images', IDBKeyRange.only([this.#place, hash]));
    return bytes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    this.#database.close();
  }

  #all<Row>(name: keyof typeof STORES, within: IDBKeyRange): Promise<readonly Row[]> {
    return this.#transact<readonly Row[]>((store, read) => {
      const outcome = { result: [] as readonly Row[] };
      read(store(name).getAll(within), (found) => (outcome.result = found as Row[]));
      return outcome;
    });
  }

  async #transact<T>(work: Work<T>): Promise<T> {
    try {
      return await transact(this.#database, Object.keys(STORES), work);
    } catch (error) {
      throw explain(error);
    }
  }
}

/** One write on its way into the stores. */
class Writing {
  readonly #place: string;
  readonly #store: (name: keyof typeof STORES) => IDBObjectStore;
  /** Steps that are in no run yet, by instance: each list of one epoch. */
  readonly #collected = new Map<InstanceId, Step[]>();

  constructor(place: string, store: (name: string) => IDBObjectStore) {
    this.#place = place;
    this.#store = store;
  }

  keep(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'image':
        this.#store('images').put(entry.bytes, [this.#place, entry.hash]);
        return;
      case 'machine': {
        const { machine, image } = entry;
        const row: MachineRow = { machine, image, sum: checksum(machine, 0, 0, image) };
        this.#store('machines').put(row, [this.#place, machine]);
        return;
      }
      case 'create': {
        const { instance, machine, image } = entry.record;
        const row: InstanceRow = { instance, machine, image, sum: sumOfRecord(entry.record) };
        this.#store('moved').delete([this.#place, instance]);
        this.#store('instances').put(row, [this.#place, instance]);
        this.#collect(entry.step);
        return;
      }
      case 'step':
        this.#collect(entry.step);
        return;
      case 'checkpoint': {
        const { instance, epoch, seq } = entry.checkpoint;
        const body = packCheckpoint(entry.checkpoint);
        const row: CheckpointRow = { epoch, seq, body, sum: checksum(instance, epoch, seq, body) };
        this.#store('checkpoints').put(row, [this.#place, instance]);
        this.#store('steps').delete(IDBKeyRange.bound([this.#place, instance], [this.#place, instance, seq - HISTORY_COUNT]));
        return;
      }
      case 'delete':
        this.#delete(entry.instance);
        return;
      case 'moved': {
        const { instance, peer, epoch } = entry.moved;
        const row: MovedRow = { instance, peer, epoch, sum: checksum(instance, epoch, 0, peer) };
        this.#delete(instance);
        this.#store('moved').put(row, [this.#place, instance]);
        return;
      }
      default:
        unreachable(entry);
    }
  }

  end(): void {
    for (const steps of this.#collected.values()) this.#addRun(steps);
    this.#collected.clear();
  }

  #collect(step: Step): void {
    const collected = this.#collected.get(step.instance);
    if (collected !== undefined && collected[0]?.epoch === step.epoch) return void collected.push(step);
    if (collected !== undefined) this.#addRun(collected);
    this.#collected.set(step.instance, [step]);
  }

  #addRun(steps: readonly Step[]): void {
    const [{ instance, epoch, seq: first }, last] = [steps[0]!, steps.at(-1)!.seq];
    const body = packSteps(steps);
    const row: RunRow = { epoch, first, last, body, sum: checksum(instance, epoch, first, body) };
    this.#store('steps').put(row, [this.#place, instance, last]);
  }

  #delete(instance: InstanceId): void {
    const key = [this.#place, instance];
    this.#collected.delete(instance);
    this.#store('instances').delete(key);
    this.#store('checkpoints').delete(key);
    this.#store('steps').delete(range(key));
  }
}

// ── Records ──────────────────────────────────────────────────────────────────────────────────────────────────────

function sumOfRecord({ instance, machine, image }: InstanceRecord): number {
  return checksum(instance, 0, 0, `${machine}\n${image}`);
}

function recordOf({ instance, machine, image, sum }: InstanceRow): InstanceRecord {
  const record = { instance, machine, image };
  verify(sum, sumOfRecord(record), `instance ${instance}`);
  return record;
}

function checkpointOf(instance: InstanceId, { seq, epoch, sum, body }: CheckpointRow): Checkpoint {
  verify(sum, checksum(instance, epoch, seq, body), `the checkpoint of ${instance} at ${seq}`);
  return unpackCheckpoint({ instance, epoch, seq }, body);
}

function stepsOf(instance: InstanceId, run: RunRow): Step[] {
  verify(run.sum, checksum(instance, run.epoch, run.first, run.body), namedSpan(instance, run));
  return unpackSteps(instance, run, run.body);
}

/** What IndexedDB says, as a sentence. Our own errors pass. */
function explain(error: unknown): unknown {
  if (error instanceof LockstepError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  return new LockstepError('STORAGE', REASONS[name] ?? `IndexedDB: ${message}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  QuotaExceededError: 'the browser has no more room for the journal of this origin',
  VersionError: `a newer version of this page has written the database "${DATABASE}"; load that one`,
  InvalidStateError: `the database "${DATABASE}" was closed, for a newer version of this page or because its data were cleared; load the page again`,
};
