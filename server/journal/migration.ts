// From older versions of the journal's file to the next, inside the transaction that opens it. A row that was not what had been written stays
// wrong: what it belongs to is CORRUPT before and after.

import type { Step } from '../../core/step.ts';
import { checksum } from './checksum.ts';
import { liftImage } from '../../core/lift.ts';
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

/** Version 1 had one row for each step, with the record as a JSON object. */
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

/** Version 2 had images of formats 1 and 2, which are lifted; whatever names them names the lifted ones. */
export function migrateFromTwo(database: Sql): void {
  const images = database.prepare('SELECT hash, bytes FROM image').all() as { hash: string; bytes: Uint8Array }[];
  const replace = database.prepare('INSERT OR REPLACE INTO image VALUES (?, ?)');
  const drop = database.prepare('DELETE FROM image WHERE hash = ?');
  const machines = database.prepare('SELECT name, sum FROM machine WHERE image = ?');
  const setMachine = database.prepare('UPDATE machine SET image = ?, sum = ? WHERE name = ?');
  const instances = database.prepare('SELECT id, name, machine, sum FROM instance WHERE image = ?');
  const setInstance = database.prepare('UPDATE instance SET image = ?, sum = ? WHERE id = ?');
  for (const { hash: old, bytes } of images) {
    const lifted = liftImage(bytes);
    if (lifted === undefined) continue;
    const { hash } = lifted;
    replace.run(hash, lifted.bytes);
    drop.run(old);
    for (const { name, sum } of machines.all(old) as { name: string; sum: number }[])
      setMachine.run(hash, moved(sum, checksum(name, 0, 0, old), checksum(name, 0, 0, hash)), name);
    for (const { id, name, machine, sum } of instances.all(old) as { id: number; name: string; machine: string; sum: number }[])
      setInstance.run(hash, moved(sum, checksum(name, 0, 0, `${machine}\n${old}`), checksum(name, 0, 0, `${machine}\n${hash}`)), id);
  }
}

/** The checksum of a row whose words changed: as wrong as it was. */
function moved(sum: number, before: number, after: number): number {
  return (sum ^ before ^ after) >>> 0;
}

function runOfRow(instance: string, { seq, epoch, sum, body }: RowOne): Run {
  const wrong = (sum ^ checksum(instance, epoch, seq, body)) >>> 0;
  if (wrong !== 0) return { epoch, first: seq, last: seq, body, wrong };
  return runOf([{ instance, epoch, seq, ...(JSON.parse(body) as Omit<Step, 'instance' | 'epoch' | 'seq'>) }]);
}
