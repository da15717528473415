// From version 1 of the journal's file to version 2, inside the transaction that opens it. Version 1 had one row for each step, with the
// record as a JSON object. A row that was not what had been written stays wrong: its instance is CORRUPT before and after.

import type { Step } from '../../core/step.ts';
import { checksum } from './checksum.ts';
import { merge, type Run, runOf, sumOf } from './run.ts';
import { STEP_TABLE, WRITE_TABLE } from './schema.ts';

/** What it needs of a database. */
interface Sql {
  exec(sql: string): unknown;
  prepare(sql: string): { all(...values: unknown[]): unknown[]; run(...values: unknown[]): unknown };
}

interface RowOne {
  readonly seq: number;
  readonly epoch: number;
  readonly sum: number;
  readonly body: string;
}

/** Rows in memory at once. */
const PAGE = 4_096;

export function migrateFromOne(database: Sql): void {
  database.exec(`ALTER TABLE step RENAME TO step_one; ${STEP_TABLE} ${WRITE_TABLE}`);
  const rows = database.prepare('SELECT seq, epoch, sum, body FROM step_one WHERE instance = ? AND seq > ? ORDER BY seq LIMIT ?');
  const add = database.prepare('INSERT INTO step VALUES (?, ?, ?, ?, ?, ?)');
  for (const { id, name } of database.prepare('SELECT id, name FROM instance').all() as { id: number; name: string }[]) {
    for (let after = 0; ;) {
      const page = rows.all(id, after, PAGE) as RowOne[];
      if (page.length === 0) break;
      for (const run of merge(page.map((row) => runOfRow(name, row))))
        add.run(id, run.last, run.first, run.epoch, sumOf(name, run), run.body);
      after = page.at(-1)!.seq;
    }
  }
  database.exec('DROP TABLE step_one');
}

function runOfRow(instance: string, { seq, epoch, sum, body }: RowOne): Run {
  const wrong = (sum ^ checksum(instance, epoch, seq, body)) >>> 0;
  if (wrong !== 0) return { epoch, first: seq, last: seq, body, wrong };
  return runOf([{ instance, epoch, seq, ...(JSON.parse(body) as Omit<Step, 'instance' | 'epoch' | 'seq'>) }]);
}
