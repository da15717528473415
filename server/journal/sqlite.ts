// The journal in one SQLite file: write-ahead log, a full sync for each write, one write for all that a turn has to say. Survives a
// power cut. Every row carries a checksum over what it says and where it stands. docs/journal.md draws the tables.
// The file is locked for this process as long as it is open: two authorities over one journal would both believe that they order it.

import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import type { InstanceState } from '../../core/state.ts';
import { LockstepError, unreachable } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { Checkpoint, InstanceRecord, Journal, JournalEntry, Seen, StoredInstance } from '../../peer/journal.ts';
import type { InstanceId } from '../../peer/wire.ts';

/** "LKST": tells our files from other people's. */
const APPLICATION_ID = 0x4c4b5354;
const SCHEMA_VERSION = 1;
/** Steps before a checkpoint that stay readable: what somebody who looks back first asks for. */
const HISTORY_COUNT = 256;
/** Milliseconds to wait for a predecessor that is just closing the file. */
const LOCK_TIMEOUT_MS = 1_000;

const SCHEMA = `
  CREATE TABLE image      (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE machine    (name TEXT PRIMARY KEY, image TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE instance   (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, image TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE step       (instance INTEGER, seq INTEGER, epoch INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL,
                           PRIMARY KEY (instance, seq)) WITHOUT ROWID;
  CREATE TABLE checkpoint (instance INTEGER PRIMARY KEY, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL);
`;

/** What is known of an instance without asking the file. */
interface Known {
  readonly id: number;
  readonly name: InstanceId;
  /** seq of its newest step. */
  last: number;
}

interface InstanceRow {
  readonly id: number;
  readonly name: string;
  readonly machine: string;
  readonly image: string;
  readonly sum: number;
}

/** A step or a checkpoint: both stand at a seq of an epoch. */
interface BodyRow {
  readonly seq: number;
  readonly epoch: number;
  readonly sum: number;
  readonly body: string;
}

export class SqliteJournal implements Journal {
  readonly survives = 'power';
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #writeAll: (entries: readonly JournalEntry[]) => void;
  readonly #known = new Map<InstanceId, Known>();

  /**
   * Opens the file, or makes it.
   * @throws LockstepError STORAGE when it cannot be opened, is somebody else's, of a newer version, or in use; CORRUPT when it is damaged.
   */
  constructor(file: string) {
    this.#file = file;
    this.#database = open(file);
    this.#statements = prepare(this.#database);
    this.#writeAll = this.#database.transaction((entries: readonly JournalEntry[]) => {
      for (const entry of entries) this.#keep(entry);
    });
  }

  async write(entries: readonly JournalEntry[]): Promise<void> {
    try {
      this.#writeAll(entries);
    } catch (error) {
      // Nothing of this write was kept, so what it taught us about instances is not true.
      this.#known.clear();
      throw explain(error, this.#file);
    }
  }

  async read(instance: InstanceId): Promise<StoredInstance | undefined> {
    return this.#asking(() => {
      const row = this.#statements.instance.get(instance);
      if (row === undefined) return undefined;
      const record = recordOf(row);
      const checkpoint = this.#statements.checkpoint.get(row.id);
      const steps = this.#statements.steps
        .all(row.id, (checkpoint?.seq ?? 0) + 1, Number.MAX_SAFE_INTEGER)
        .map((each) => stepOf(instance, each));
      assertGapless(instance, (checkpoint?.seq ?? 0) + 1, steps);
      return checkpoint === undefined ? { record, steps } : { record, checkpoint: checkpointOf(instance, checkpoint), steps };
    });
  }

  async steps(instance: InstanceId, from: number, to: number): Promise<readonly Step[]> {
    return this.#asking(() => {
      const row = this.#statements.instance.get(instance);
      return row === undefined ? [] : this.#statements.steps.all(row.id, from, to).map((each) => stepOf(instance, each));
    });
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

  /** Not summed here: an image is checked against its own hash by whoever loads it. */
  async image(hash: string): Promise<Uint8Array | undefined> {
    return this.#asking(() => this.#statements.image.get(hash)?.bytes);
  }

  async close(): Promise<void> {
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
      default:
        unreachable(entry);
    }
  }

  #create(record: InstanceRecord, step: Step): void {
    const { instance, machine, image } = record;
    if (this.#look(instance) !== undefined) throw new LockstepError('STORAGE', `instance ${instance} is in the journal already`);
    const { lastInsertRowid } = this.#statements.addInstance.run(
      instance,
      machine,
      image,
      checksum(instance, 0, 0, `${machine}\n${image}`),
    );
    const known: Known = { id: Number(lastInsertRowid), name: instance, last: step.seq - 1 };
    this.#known.set(instance, known);
    this.#append(known, step);
  }

  #append(known: Known, step: Step): void {
    const { instance, epoch, seq, ...rest } = step;
    if (seq !== known.last + 1)
      throw new LockstepError('STORAGE', `step ${seq} of ${instance} does not follow ${known.last}, the newest in the journal`);
    const body = JSON.stringify(rest);
    this.#statements.addStep.run(known.id, seq, epoch, checksum(instance, epoch, seq, body), body);
    known.last = seq;
  }

  #checkpoint(checkpoint: Checkpoint): void {
    const { instance, epoch, seq, state, seen } = checkpoint;
    const known = this.#find(instance);
    if (seq > known.last)
      throw new LockstepError('STORAGE', `a checkpoint of ${instance} at ${seq}, but the journal ends at ${known.last}`);
    const body = JSON.stringify([state, seen]);
    this.#statements.setCheckpoint.run(known.id, seq, epoch, checksum(instance, epoch, seq, body), body);
    this.#statements.forget.run(known.id, seq - HISTORY_COUNT);
  }

  #delete(instance: InstanceId): void {
    const known = this.#look(instance);
    if (known === undefined) return;
    this.#statements.forget.run(known.id, Number.MAX_SAFE_INTEGER);
    this.#statements.dropCheckpoint.run(known.id);
    this.#statements.dropInstance.run(known.id);
    this.#known.delete(instance);
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
    if (row === undefined) return undefined;
    const found: Known = { id: row.id, name: instance, last: this.#statements.last.get(row.id, row.id)?.last ?? 0 };
    this.#known.set(instance, found);
    return found;
  }

  #asking<Answer>(question: () => Answer): Answer {
    try {
      return question();
    } catch (error) {
      throw explain(error, this.#file);
    }
  }
}

// ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────

function open(file: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: LOCK_TIMEOUT_MS });
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    adopt(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw explain(error, file);
  }
}

/** Takes the lock, and leaves the file with our schema in it. */
function adopt(database: Database.Database, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  const application = database.pragma('application_id', { simple: true });
  const version = database.pragma('user_version', { simple: true });
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (isEmpty && version === 0) {
    database.exec(SCHEMA);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  } else if (application !== APPLICATION_ID) {
    throw new LockstepError('STORAGE', `${file} is an SQLite file of another program; choose another data directory`);
  } else if (version !== SCHEMA_VERSION) {
    throw new LockstepError('STORAGE', `${file} has schema version ${String(version)}, this program reads version ${SCHEMA_VERSION}`);
  }
  database.exec('COMMIT');
}

function prepare(database: Database.Database) {
  return {
    addImage: database.prepare<[string, Uint8Array]>('INSERT INTO image VALUES (?, ?) ON CONFLICT DO NOTHING'),
    image: database.prepare<[string], { bytes: Uint8Array }>('SELECT bytes FROM image WHERE hash = ?'),
    setMachine: database.prepare<[string, string, number]>('INSERT OR REPLACE INTO machine VALUES (?, ?, ?)'),
    machines: database.prepare<[], { name: string; image: string; sum: number }>('SELECT * FROM machine ORDER BY name'),
    addInstance: database.prepare<[string, string, string, number]>('INSERT INTO instance (name, machine, image, sum) VALUES (?, ?, ?, ?)'),
    instance: database.prepare<[string], InstanceRow>('SELECT * FROM instance WHERE name = ?'),
    list: database.prepare<[string, number], InstanceRow>('SELECT * FROM instance WHERE name > ? ORDER BY name LIMIT ?'),
    listOf: database.prepare<[string, string, number], InstanceRow>(
      'SELECT * FROM instance WHERE name > ? AND machine = ? ORDER BY name LIMIT ?',
    ),
    dropInstance: database.prepare<[number]>('DELETE FROM instance WHERE id = ?'),
    addStep: database.prepare<[number, number, number, number, string]>('INSERT INTO step VALUES (?, ?, ?, ?, ?)'),
    steps: database.prepare<[number, number, number], BodyRow>(
      'SELECT seq, epoch, sum, body FROM step WHERE instance = ? AND seq BETWEEN ? AND ? ORDER BY seq',
    ),
    last: database.prepare<[number, number], { last: number | null }>(
      'SELECT max(coalesce((SELECT max(seq) FROM step WHERE instance = ?), 0), coalesce((SELECT seq FROM checkpoint WHERE instance = ?), 0)) AS last',
    ),
    forget: database.prepare<[number, number]>('DELETE FROM step WHERE instance = ? AND seq <= ?'),
    setCheckpoint: database.prepare<[number, number, number, number, string]>('INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?)'),
    checkpoint: database.prepare<[number], BodyRow>('SELECT seq, epoch, sum, body FROM checkpoint WHERE instance = ?'),
    dropCheckpoint: database.prepare<[number]>('DELETE FROM checkpoint WHERE instance = ?'),
  };
}

// ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Over the place as well as the text, so that a row in the wrong place is as wrong as a row with the wrong words. */
function checksum(name: string, epoch: number, seq: number, body: string): number {
  return crc32(`${name}\n${epoch}\n${seq}\n${body}`);
}

function verify(found: number, expected: number, what: string): void {
  if (found !== expected)
    throw new LockstepError('CORRUPT', `${what} has the checksum ${found} in the journal, its words have ${expected}`);
}

function recordOf({ name, machine, image, sum }: InstanceRow): InstanceRecord {
  verify(sum, checksum(name, 0, 0, `${machine}\n${image}`), `instance ${name}`);
  return { instance: name, machine, image };
}

function stepOf(instance: InstanceId, { seq, epoch, sum, body }: BodyRow): Step {
  verify(sum, checksum(instance, epoch, seq, body), `step ${seq} of ${instance}`);
  // The checksum is the gate: these are the words that we wrote.
  const rest = JSON.parse(body) as Omit<Step, 'instance' | 'epoch' | 'seq'>;
  return { instance, epoch, seq, ...rest };
}

function checkpointOf(instance: InstanceId, { seq, epoch, sum, body }: BodyRow): Checkpoint {
  verify(sum, checksum(instance, epoch, seq, body), `the checkpoint of ${instance} at ${seq}`);
  const [state, seen] = JSON.parse(body) as [InstanceState, Seen];
  return { instance, epoch, seq, state, seen };
}

function assertGapless(instance: InstanceId, first: number, steps: readonly Step[]): void {
  const index = steps.findIndex((step, i) => step.seq !== first + i);
  if (index >= 0)
    throw new LockstepError(
      'CORRUPT',
      `step ${first + index} of ${instance} is missing in the journal, the next one is ${String(steps[index]?.seq)}`,
    );
}

/** What SQLite says, as a sentence about the file. Our own errors pass. */
function explain(error: unknown, file: string): unknown {
  if (error instanceof LockstepError) return error;
  const code = error instanceof Database.SqliteError ? error.code : '';
  const reason = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED')
    return new LockstepError('STORAGE', `${file} is in use by another running server`, options);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return new LockstepError('CORRUPT', `${file} is damaged: ${reason}`, options);
  return new LockstepError('STORAGE', `${file}: ${reason}`, options);
}
