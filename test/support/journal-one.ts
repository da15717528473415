// A journal's file as version 1 of the format made it: its tables and rows in its own words, not those of the code that reads it today.

import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import type { Step } from '../../core/step.ts';
import type { Checkpoint, InstanceRecord } from '../../peer/journal.ts';

const SCHEMA_ONE = `
  CREATE TABLE image      (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE machine    (name TEXT PRIMARY KEY, image TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE instance   (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, image TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE step       (instance INTEGER, seq INTEGER, epoch INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL,
                           PRIMARY KEY (instance, seq)) WITHOUT ROWID;
  CREATE TABLE checkpoint (instance INTEGER PRIMARY KEY, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL);
`;

export interface ContentOne {
  readonly images: Readonly<Record<string, Uint8Array>>;
  /** Machine names and the hashes that they mean. */
  readonly machines: Readonly<Record<string, string>>;
  readonly instances: readonly { readonly record: InstanceRecord; readonly checkpoint?: Checkpoint; readonly steps: readonly Step[] }[];
}

const sum = (...parts: readonly (string | number)[]): number => crc32(parts.join('\n'));

export function writeJournalOne(file: string, { images, machines, instances }: ContentOne): void {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.exec(SCHEMA_ONE);
  database.pragma(`application_id = ${0x4c4b5354}`);
  database.pragma('user_version = 1');
  const put = (table: string, ...values: readonly unknown[]): number =>
    Number(database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(...values).lastInsertRowid);
  for (const [hash, bytes] of Object.entries(images)) put('image', hash, bytes);
  for (const [name, image] of Object.entries(machines)) put('machine', name, image, sum(name, 0, 0, image));
  for (const { record, checkpoint, steps } of instances) {
    const { instance: name, machine, image } = record;
    const id = put('instance', null, name, machine, image, sum(name, 0, 0, machine, image));
    for (const { instance, epoch, seq, ...rest } of steps) {
      const body = JSON.stringify(rest);
      put('step', id, seq, epoch, sum(instance, epoch, seq, body), body);
    }
    if (checkpoint === undefined) continue;
    const { epoch, seq, state, seen } = checkpoint;
    const body = JSON.stringify([state, seen]);
    put('checkpoint', id, seq, epoch, sum(name, epoch, seq, body), body);
  }
  database.close();
}
