// The journal's file as an SQLite database: opens it, brings it to this version, prepares what is asked of it, and says what SQLite says
// as sentences about the file. It is locked for this process as long as it is open: two authorities over one journal would both believe
// that they order it.

import { closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { LockstepError } from '../../core/errors.ts';
import { migrateFromOne, migrateFromTwo } from './migration.ts';
import { APPLICATION_ID, MOVED_TABLE, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** Milliseconds to wait for a predecessor that is just closing the file. */
const LOCK_TIMEOUT_MS = 1_000;

export interface InstanceRow {
  readonly id: number;
  readonly name: string;
  readonly machine: string;
  readonly image: string;
  readonly sum: number;
}

/** Steps in their place. */
export interface StepRow {
  readonly last: number;
  readonly first: number;
  readonly epoch: number;
  readonly sum: number;
  readonly body: string;
}

/** The steps of one write. */
export interface WriteRow {
  readonly id: number;
  readonly sum: number;
  /** JSON: a list of `RunHead`. */
  readonly head: string;
  /** The texts of the runs, a line feed between them. */
  readonly body: string;
}

export interface CheckpointRow {
  readonly seq: number;
  readonly epoch: number;
  readonly sum: number;
  readonly body: string;
}

export class JournalDatabase {
  readonly statements: Statements;
  readonly #file: string;
  readonly #database: Database.Database;

  /**
   * Opens the file, or makes it.
   * @throws LockstepError STORAGE when it cannot be opened, is somebody else's, of a newer version, or in use; CORRUPT when it is damaged.
   */
  constructor(file: string) {
    this.#file = file;
    let database: Database.Database | undefined;
    try {
      database = new Database(file, { timeout: LOCK_TIMEOUT_MS });
      database.pragma('locking_mode = EXCLUSIVE');
      database.pragma('journal_mode = WAL');
      database.pragma('synchronous = FULL');
      adopt(database, file);
      this.#database = database;
      this.statements = prepare(database);
    } catch (error) {
      database?.close();
      throw explain(error, file);
    }
  }

  /** @returns a function whose changes are kept and durable when it returns, and none of them when it throws. */
  transaction<Argument>(act: (argument: Argument) => void): (argument: Argument) => void {
    return this.#database.transaction(act);
  }

  close(): void {
    this.#database.close();
  }

  /** What SQLite says, as a sentence about the file. Our own errors pass. */
  explain(error: unknown): unknown {
    return explain(error, this.#file);
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
  } else if (application !== APPLICATION_ID) {
    throw new LockstepError('STORAGE', `${file} is an SQLite file of another program; choose another data directory`);
  } else if (version === 1 || version === 2) {
    if (version === 1) migrateFromOne(database);
    migrateFromTwo(database);
  } else if (version !== SCHEMA_VERSION) {
    throw new LockstepError('STORAGE', `${file} has schema version ${String(version)}, this program reads versions 1 to ${SCHEMA_VERSION}`);
  }
  database.exec(MOVED_TABLE);
  if (version !== SCHEMA_VERSION) database.pragma(`user_version = ${SCHEMA_VERSION}`);
  database.exec('COMMIT');
}

/** Prepared once: their parameters and rows. */
interface Statements {
  readonly addImage: Database.Statement<[string, Uint8Array]>;
  readonly image: Database.Statement<[string], { bytes: Uint8Array }>;
  readonly setMachine: Database.Statement<[string, string, number]>;
  readonly machines: Database.Statement<[], { name: string; image: string; sum: number }>;
  readonly addInstance: Database.Statement<[number, string, string, string, number]>;
  readonly instance: Database.Statement<[string], InstanceRow>;
  readonly instanceOf: Database.Statement<[number], InstanceRow>;
  readonly lastInstance: Database.Statement<[], { id: number | null }>;
  readonly list: Database.Statement<[string, number], InstanceRow>;
  readonly listOf: Database.Statement<[string, string, number], InstanceRow>;
  readonly dropInstance: Database.Statement<[number]>;
  readonly addSteps: Database.Statement<[number, number, number, number, number, string]>;
  readonly steps: Database.Statement<[number, number, number], StepRow>;
  readonly last: Database.Statement<[number, number], { last: number | null }>;
  readonly forget: Database.Statement<[number, number]>;
  readonly addWrite: Database.Statement<[number, number, string, string]>;
  readonly writes: Database.Statement<[], WriteRow>;
  readonly dropWrites: Database.Statement<[]>;
  readonly setCheckpoint: Database.Statement<[number, number, number, number, string]>;
  readonly checkpoint: Database.Statement<[number], CheckpointRow>;
  readonly dropCheckpoint: Database.Statement<[number]>;
  readonly setMoved: Database.Statement<[string, string, number, number]>;
  readonly moved: Database.Statement<[], { name: string; peer: string; epoch: number; sum: number }>;
  readonly dropMoved: Database.Statement<[string]>;
}

function prepare(database: Database.Database): Statements {
  return {
    addImage: database.prepare<[string, Uint8Array]>('INSERT INTO image VALUES (?, ?) ON CONFLICT DO NOTHING'),
    image: database.prepare<[string], { bytes: Uint8Array }>('SELECT bytes FROM image WHERE hash = ?'),
    setMachine: database.prepare<[string, string, number]>('INSERT OR REPLACE INTO machine VALUES (?, ?, ?)'),
    machines: database.prepare<[], { name: string; image: string; sum: number }>('SELECT * FROM machine ORDER BY name'),
    addInstance: database.prepare<[number, string, string, string, number]>('INSERT INTO instance VALUES (?, ?, ?, ?, ?)'),
    instance: database.prepare<[string], InstanceRow>('SELECT * FROM instance WHERE name = ?'),
    instanceOf: database.prepare<[number], InstanceRow>('SELECT * FROM instance WHERE id = ?'),
    lastInstance: database.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM instance'),
    list: database.prepare<[string, number], InstanceRow>('SELECT * FROM instance WHERE name > ? ORDER BY name LIMIT ?'),
    listOf: database.prepare<[string, string, number], InstanceRow>(
      'SELECT * FROM instance WHERE name > ? AND machine = ? ORDER BY name LIMIT ?',
    ),
    dropInstance: database.prepare<[number]>('DELETE FROM instance WHERE id = ?'),
    addSteps: database.prepare<[number, number, number, number, number, string]>('INSERT INTO step VALUES (?, ?, ?, ?, ?, ?)'),
    steps: database.prepare<[number, number, number], StepRow>(
      'SELECT last, first, epoch, sum, body FROM step WHERE instance = ? AND last >= ? AND first <= ? ORDER BY last',
    ),
    last: database.prepare<[number, number], { last: number | null }>(
      'SELECT max(coalesce((SELECT max(last) FROM step WHERE instance = ?), 0), coalesce((SELECT seq FROM checkpoint WHERE instance = ?), 0)) AS last',
    ),
    forget: database.prepare<[number, number]>('DELETE FROM step WHERE instance = ? AND last <= ?'),
    addWrite: database.prepare<[number, number, string, string]>('INSERT INTO write VALUES (?, ?, ?, ?)'),
    writes: database.prepare<[], WriteRow>('SELECT * FROM write ORDER BY id'),
    dropWrites: database.prepare<[]>('DELETE FROM write'),
    setCheckpoint: database.prepare<[number, number, number, number, string]>('INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?)'),
    checkpoint: database.prepare<[number], CheckpointRow>('SELECT seq, epoch, sum, body FROM checkpoint WHERE instance = ?'),
    dropCheckpoint: database.prepare<[number]>('DELETE FROM checkpoint WHERE instance = ?'),
    setMoved: database.prepare<[string, string, number, number]>('INSERT OR REPLACE INTO moved VALUES (?, ?, ?, ?)'),
    moved: database.prepare<[], { name: string; peer: string; epoch: number; sum: number }>('SELECT * FROM moved ORDER BY name'),
    dropMoved: database.prepare<[string]>('DELETE FROM moved WHERE name = ?'),
  };
}

function explain(error: unknown, file: string): unknown {
  if (error instanceof LockstepError) return error;
  const code = error instanceof Database.SqliteError ? error.code : '';
  const reason = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED')
    return new LockstepError('STORAGE', `${file} is in use by another running server`, options);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return new LockstepError('CORRUPT', `${file} is damaged: ${reason}`, options);
  return new LockstepError('STORAGE', `${file}: ${WORLD.test(code) ? (obstacle(file) ?? reason) : reason}`, options);
}

/** What SQLite calls an input or output error, or leaves without a reason: mostly the file system said no. */
const WORLD = /^SQLITE_(CANTOPEN|IOERR|PERM|READONLY)/;

/** Why the file or its log cannot be written, in the words of the file system. */
function obstacle(file: string): string | undefined {
  try {
    for (const path of [file, `${file}-wal`]) closeSync(openSync(path, 'a'));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
