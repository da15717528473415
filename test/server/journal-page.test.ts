// The page of the journal against the files that the code makes: tables, columns, pragmas, and the checksum as the page describes it.

import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SqliteJournal } from '../../server/journal/sqlite.ts';
import { sampleStep } from '../contracts/journal.ts';

const page = readFileSync(new URL('../../docs/journal.md', import.meta.url), 'utf8');
const directory = mkdtempSync(path.join(tmpdir(), 'lockstep-page-'));
const file = path.join(directory, 'journal.sqlite');
const killed = path.join(directory, 'killed.sqlite');
let database: Database.Database;

beforeAll(async () => {
  const journal = new SqliteJournal(file);
  await journal.write([
    { kind: 'machine', machine: 'door', image: 'h' },
    { kind: 'create', record: { instance: 'façade', machine: 'door', image: 'h' }, step: sampleStep('façade', 1) },
    {
      kind: 'checkpoint',
      checkpoint: {
        instance: 'façade',
        epoch: 7,
        seq: 1,
        state: { status: 'active', clocks: [1], history: [], context: null, timers: [] },
        seen: [['alice', [[2, 2, true]]]],
      },
    },
  ]);
  // As a kill leaves it: what is in `write` is not in its place yet.
  for (const end of ['', '-wal']) copyFileSync(file + end, killed + end);
  await journal.close();
  database = new Database(file, { readonly: true });
});
afterAll(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

interface Column {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
}

test('[TIDY-9] the page of the journal draws the tables that the code makes', () => {
  const tables = database
    .prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")
    .all();
  const drawn = [...page.matchAll(/^### `(\w+)`\n\n\|[^\n]*\n\|[^\n]*\n((?:\|[^\n]*\n)+)/gm)].map(([, name, rows]) => ({
    name,
    columns: rows!
      .trim()
      .split('\n')
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .map(([, column, type, key]) => [column!.replaceAll('`', ''), type, Number(key)]),
  }));
  const made = tables.map(({ name }) => ({
    name,
    columns: (database.pragma(`table_info(${name})`) as Column[]).map((column) => [column.name, column.type, column.pk]),
  }));
  expect(drawn).toEqual(made);
  const withoutRowid = tables.filter(({ sql }) => sql.includes('WITHOUT ROWID')).map(({ name }) => name);
  expect(withoutRowid).toEqual(['image', 'machine', 'step', 'moved']);
  const id = database.pragma('application_id', { simple: true }) as number;
  expect(page).toContain(`| \`application_id\` | 0x${id.toString(16)}, "LKST" |`);
  expect(page).toContain(`| \`user_version\` | ${String(database.pragma('user_version', { simple: true }))} |`);
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
});

test('[TIDY-9] the checksums and texts of the journal are what its page says', () => {
  const sum = (...parts: readonly (string | number)[]): number => crc32(parts.join('\n'));
  const get = <Row>(from: Database.Database, table: string): Row => from.prepare<[], Row>(`SELECT * FROM ${table}`).get()!;
  interface Row {
    readonly seq: number;
    readonly first: number;
    readonly last: number;
    readonly epoch: number;
    readonly sum: number;
    readonly head: string;
    readonly body: string;
  }
  const checkpoint = get<Row>(database, 'checkpoint');
  expect(checkpoint.sum).toBe(sum('façade', checkpoint.epoch, checkpoint.seq, checkpoint.body));
  expect(get<Row>(database, 'machine').sum).toBe(sum('door', 0, 0, 'h'));
  expect(get<Row>(database, 'instance').sum).toBe(sum('façade', 0, 0, 'door\nh'));
  const run = get<Row>(database, 'step');
  expect(run.sum).toBe(sum('façade', run.epoch, run.first, run.body));
  const { epoch, seq, at, cause, clocks, patch, host, history, status, timers, effects, digest } = sampleStep('façade', 1);
  expect([run.epoch, run.first, run.last]).toEqual([epoch, seq, seq]);
  expect(JSON.parse(run.body)).toEqual([
    [at, cause.peer, cause.n, cause.event, cause.seed, clocks, patch, host, { history, status, timers, effects, digest }],
  ]);
  expect(database.prepare('SELECT count(*) FROM write').pluck().get()).toBe(0);

  const before = new Database(killed);
  const write = get<Row & { readonly id: number }>(before, 'write');
  before.close();
  expect([write.id, write.sum]).toEqual([1, sum('', 0, 1, write.head)]);
  expect(JSON.parse(write.head)).toEqual([[1, epoch, seq, 1, run.sum]]);
  expect(write.body).toBe(run.body);
});
