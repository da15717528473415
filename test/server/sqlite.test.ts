// The journal on SQLite: the contract of journals, and what only a file can suffer.

import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { JournalEntry } from '../../peer/journal.ts';
import { SqliteJournal } from '../../server/journal/sqlite.ts';
import { journalContract, sampleStep } from '../contracts/journal.ts';
import { type ContentOne, writeJournalOne } from '../support/journal-one.ts';

const directory = mkdtempSync(join(tmpdir(), 'lockstep-sqlite-'));
const open: SqliteJournal[] = [];
let files = 0;
const freshFile = (): string => join(directory, `${files++}.sqlite`);
const openJournal = (file: string): SqliteJournal => {
  const journal = new SqliteJournal(file);
  open.push(journal);
  return journal;
};

afterAll(async () => {
  for (const journal of open) await journal.close();
  rmSync(directory, { recursive: true });
});

describe('journal: SQLite', () => {
  const make = () => {
    const file = freshFile();
    const journal = openJournal(file);
    return {
      journal,
      reopen: async () => {
        await journal.close();
        return openJournal(file);
      },
    };
  };
  for (const [name, check] of Object.entries(journalContract)) test(name, () => check(make));
});

const create = (instance: string): JournalEntry => ({
  kind: 'create',
  record: { instance, machine: 'door', image: 'h' },
  step: sampleStep(instance, 1),
});
const step = (instance: string, seq: number): JournalEntry => ({ kind: 'step', step: sampleStep(instance, seq) });

const checkpointAt = (instance: string, seq: number) => ({
  kind: 'checkpoint' as const,
  checkpoint: {
    instance,
    epoch: 7,
    seq,
    state: { status: 'active' as const, clocks: [1], history: [], context: null, timers: [] },
    seen: [],
  },
});

const LAST = 70;

/** A closed file with seventy steps of `a` in it, one of each write: they are in their place, 1 to 64 and 65 to 70. */
async function settled(): Promise<string> {
  const file = freshFile();
  const journal = openJournal(file);
  await journal.write([{ kind: 'machine', machine: 'door', image: 'h' }, create('a')]);
  for (let seq = 2; seq <= LAST; seq++) await journal.write([step('a', seq)]);
  await journal.close();
  return file;
}

/** A file whose server was killed: five steps of `a` and of `b` in three writes, none of them in its place. */
async function unsettled(): Promise<string> {
  const file = freshFile();
  const journal = openJournal(file);
  await journal.write([create('a'), create('b')]);
  await journal.write([step('a', 2), step('b', 2), step('a', 3), step('b', 3)]);
  await journal.write([step('a', 4), step('b', 4), step('b', 5), step('a', 5)]);
  const copy = freshFile();
  for (const end of ['', '-wal']) writeFileSync(`${copy}${end}`, readFileSync(`${file}${end}`));
  return copy;
}

async function copiedIn(): Promise<string> {
  const file = await unsettled();
  edit(file, 'PRAGMA wal_checkpoint');
  return file;
}

const steps = (instance: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => sampleStep(instance, from + i));

function edit(file: string, sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

function count(file: string, table: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  } finally {
    database.close();
  }
}

async function error(act: () => unknown): Promise<LockstepError> {
  try {
    await act();
  } catch (caught) {
    if (caught instanceof LockstepError) return caught;
    throw caught;
  }
  throw new Error('nothing was refused');
}

describe('what was changed behind its back', () => {
  test('[SRV-1] steps whose words were changed are CORRUPT, and the message names instance and seq', async () => {
    const file = await settled();
    edit(file, `UPDATE step SET body = replace(body, '"value":66', '"value":67') WHERE last = 70`);
    const journal = openJournal(file);
    const refused = await error(() => journal.read('a'));
    expect(refused.code).toBe('CORRUPT');
    expect(refused.message).toContain('steps 65 to 70 of a');
    expect(await journal.steps('a', 60, 64)).toEqual(steps('a', 60, 64));
  });

  test('[SRV-1] the same before they were moved to their place: of one instance, and after they were moved', async () => {
    const file = await unsettled();
    edit(file, `UPDATE write SET body = replace(body, '"value":5', '"value":6') WHERE id = 3`);
    // Both runs of the write are wrong now; this mends that of b.
    edit(
      file,
      `UPDATE write SET body = substr(body, 1, instr(body, char(10))) || replace(substr(body, instr(body, char(10)) + 1), '"value":6', '"value":5')`,
    );
    const check = async (journal: SqliteJournal): Promise<void> => {
      const refused = await error(() => journal.read('a'));
      expect([refused.code, refused.message.includes('steps 4 to 5 of a')]).toEqual(['CORRUPT', true]);
      expect(await journal.steps('a', 1, 3)).toEqual(steps('a', 1, 3));
      expect((await journal.read('b'))?.steps).toEqual(steps('b', 1, 5));
    };
    const journal = openJournal(file);
    await check(journal);
    await journal.close();
    expect(count(file, 'write')).toBe(0);
    await check(openJournal(file));
  });

  test.each([
    ['changed', `UPDATE write SET head = replace(head, '[1,7,2', '[2,7,2') WHERE id = 2`],
    ['missing', 'DELETE FROM write WHERE id = 2'],
    [
      'in the place of another',
      'UPDATE write SET id = 9 WHERE id = 3; UPDATE write SET id = 3 WHERE id = 2; UPDATE write SET id = 2 WHERE id = 9',
    ],
  ])('[SRV-1] what a write says of its steps being %s is CORRUPT at the start', async (_, sql) => {
    const file = await unsettled();
    edit(file, sql);
    const refused = await error(() => openJournal(file));
    expect([refused.code, refused.message.includes('write 2') || refused.message.includes('write 3')]).toEqual(['CORRUPT', true]);
  });

  test.each([
    ['in the place of others', 'UPDATE step SET first = 64, last = 69 WHERE last = 70'],
    ['that are fewer than they should be', 'UPDATE step SET last = 71 WHERE last = 70'],
    ['of another epoch', 'UPDATE step SET epoch = 8 WHERE last = 70'],
  ])('[SRV-1] steps %s are CORRUPT', async (_, sql) => {
    const file = await settled();
    edit(file, sql);
    expect((await error(() => openJournal(file).read('a'))).code).toBe('CORRUPT');
  });

  test('[SRV-1] a missing step is CORRUPT, and the message names it', async () => {
    const file = await settled();
    edit(file, 'DELETE FROM step WHERE last = 64');
    const refused = await error(() => openJournal(file).read('a'));
    expect([refused.code, refused.message.includes('step 1 of a')]).toEqual(['CORRUPT', true]);
  });

  test('[SRV-1] an instance that was given another machine is CORRUPT', async () => {
    const file = await settled();
    edit(file, `UPDATE instance SET machine = 'safe'`);
    const journal = openJournal(file);
    expect((await error(() => journal.read('a'))).code).toBe('CORRUPT');
    expect((await error(() => journal.list({ limit: 1 }))).code).toBe('CORRUPT');
  });

  test.each<[string, () => Promise<string>, [string, number][]]>([
    ['a file that was closed', settled, [['', 997]]],
    ['a file whose server was killed', unsettled, [['-wal', 4_999]]],
    ['such a file when SQLite has copied the log into it', copiedIn, [['', 997]]],
  ])('[SRV-1] any single flipped bit of %s is noticed or changes nothing', async (_, make, ends) => {
    const file = await make();
    const good = Object.fromEntries(['', '-wal'].map((end) => [end, existsSync(file + end) ? readFileSync(file + end) : Buffer.alloc(0)]));
    const expected = JSON.stringify(await snapshot(file));
    for (const [end, stride] of ends) {
      const { length } = good[end]!;
      // The stride is a prime, so that every bit position and every region of a page has its turn.
      for (let bit = 0; bit < length * 8; bit += stride) {
        const other = freshFile();
        for (const [each, bytes] of Object.entries(good)) writeFileSync(other + each, bytes);
        const bad = Buffer.from(good[end]!);
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(other + end, bad);
        const outcome = await snapshot(other).then(JSON.stringify, (caught: unknown) => caught);
        for (const each of ['', '-wal']) rmSync(other + each, { force: true });
        if (outcome instanceof LockstepError) expect(['CORRUPT', 'STORAGE']).toContain(outcome.code);
        else if (end === '-wal') expectPrefix(outcome as string);
        else expect(outcome, `bit ${bit}`).toBe(expected);
      }
    }
  });

  /** What a log says that ends at some write: SQLite's own checksums end it where it is wrong. */
  function expectPrefix(outcome: string): void {
    const [stored] = JSON.parse(outcome) as [{ steps: unknown[] } | null];
    const length = stored?.steps.length ?? 0;
    expect([0, 1, 3, 5]).toContain(length);
    expect(stored?.steps ?? []).toEqual(steps('a', 1, length));
  }

  async function snapshot(file: string): Promise<unknown> {
    const journal = new SqliteJournal(file);
    try {
      const records = await journal.list({ limit: 10 });
      // A name that no longer is there is a lost instance, unless it is asked for.
      return [await journal.read('a'), records, await journal.machines()];
    } finally {
      await journal.close();
    }
  }
});

describe('a file that cannot be used', () => {
  test('[SRV-2] a file that is no database is CORRUPT', async () => {
    const file = freshFile();
    writeFileSync(file, 'this is a letter, not a database; '.repeat(200));
    expect((await error(() => openJournal(file))).code).toBe('CORRUPT');
  });

  test('[SRV-2] a database of another program is left alone', async () => {
    const file = freshFile();
    edit(file, 'CREATE TABLE mail (text TEXT)');
    const refused = await error(() => openJournal(file));
    expect([refused.code, refused.message.includes('another program')]).toEqual(['STORAGE', true]);
  });

  test('[SRV-2] a journal of a newer version is left alone', async () => {
    const file = await settled();
    edit(file, 'PRAGMA user_version = 99');
    const refused = await error(() => openJournal(file));
    expect([refused.code, refused.message.includes('99')]).toEqual(['STORAGE', true]);
  });

  test('[SRV-2] a journal in use is refused with a sentence, and its owner goes on', async () => {
    const file = freshFile();
    const owner = openJournal(file);
    const refused = await error(() => openJournal(file));
    expect([refused.code, refused.message.includes('in use')]).toEqual(['STORAGE', true]);
    await owner.write([create('a')]);
    expect((await owner.read('a'))?.steps).toHaveLength(1);
  });

  test('[SRV-2] a directory that does not exist is STORAGE', async () => {
    expect((await error(() => openJournal(join(directory, 'nowhere', 'x.sqlite')))).code).toBe('STORAGE');
  });
});

describe('what a crash leaves', () => {
  test('[SRV-3] a write-ahead log cut anywhere gives a prefix of the writes, each of them whole', async () => {
    const file = freshFile();
    const journal = openJournal(file);
    await journal.write([create('a')]);
    for (let i = 0; i < 6; i++) await journal.write([step('a', 2 + 2 * i), step('a', 3 + 2 * i)]);
    // As the disk would look if the process were gone now.
    const main = readFileSync(file);
    const log = readFileSync(`${file}-wal`);
    const lengths = new Set<number>();
    for (let cut = log.length; cut >= 0; cut -= 1_361) {
      const other = freshFile();
      writeFileSync(other, main);
      writeFileSync(`${other}-wal`, log.subarray(0, cut));
      const again = openJournal(other);
      const stored = await again.read('a');
      const length = stored?.steps.length ?? 0;
      lengths.add(length);
      expect(length === 0 || length % 2 === 1).toBe(true);
      expect(stored?.steps ?? []).toEqual(Array.from({ length }, (_, i) => sampleStep('a', i + 1)));
      await again.close();
    }
    expect(Math.max(...lengths)).toBe(13);
    expect(lengths.size).toBeGreaterThan(5);
  });

  test('[SRV-3] the same while a write moves the steps before it to their place', async () => {
    const file = freshFile();
    const journal = openJournal(file);
    const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
    await journal.write(names.map(create));
    const logSize = (): number => statSync(`${file}-wal`).size;
    const sizes = [logSize()];
    for (let seq = 2; seq <= 56; seq++) {
      await journal.write(names.map((name) => step(name, seq)));
      sizes.push(logSize());
    }
    const main = readFileSync(file);
    const log = readFileSync(`${file}-wal`);
    const growth = sizes.map((size, i) => size - (sizes[i - 1] ?? 0));
    const mover = growth.indexOf(Math.max(...growth));
    // The 52nd write has the 2,048th run.
    expect(mover).toBe(51);
    const lengths = new Set<number>();
    for (let cut = sizes[mover - 3]!; cut <= log.length; cut += 13_009) {
      const other = freshFile();
      writeFileSync(other, main);
      writeFileSync(`${other}-wal`, log.subarray(0, cut));
      const again = openJournal(other);
      const found = await Promise.all(names.map(async (name) => (await again.read(name))?.steps ?? []));
      const { length } = found[0]!;
      lengths.add(length);
      expect(found).toEqual(names.map((name) => steps(name, 1, length)));
      await again.write([step('n7', length + 1)]);
      await again.close();
      expect((await openJournal(other).read('n7'))?.steps).toEqual(steps('n7', 1, length + 1));
    }
    expect([...lengths].sort((a, b) => a - b).slice(0, 6)).toEqual([49, 50, 51, 52, 53, 54]);
  });

  test('[SRV-3] a torn page at the end of the log costs no earlier write', async () => {
    const file = freshFile();
    const journal = openJournal(file);
    await journal.write([create('a')]);
    const whole = readFileSync(`${file}-wal`).length;
    await journal.write([step('a', 2)]);
    const other = freshFile();
    writeFileSync(other, readFileSync(file));
    writeFileSync(`${other}-wal`, readFileSync(`${file}-wal`));
    const handle = openSync(`${other}-wal`, 'r+');
    writeSync(handle, Buffer.alloc(64, 0xee), 0, 64, whole + 100);
    closeSync(handle);
    expect((await openJournal(other).read('a'))?.steps).toEqual([sampleStep('a', 1)]);
  });
});

test('[SRV-4] steps before a checkpoint stay readable for a while, and a reopened journal goes on after the newest', async () => {
  const file = freshFile();
  const journal = openJournal(file);
  await journal.write([create('a')]);
  for (let seq = 2; seq <= 300; seq++) await journal.write([step('a', seq)]);
  await journal.write([checkpointAt('a', 300)]);
  expect(await journal.steps('a', 1, 300)).toEqual(steps('a', 45, 300));
  await journal.close();
  const again = openJournal(file);
  expect(await again.steps('a', 1, 300)).toEqual(steps('a', 45, 300));
  await again.write([step('a', 301)]);
  expect((await again.read('a'))?.steps).toEqual([sampleStep('a', 301)]);
  for (let seq = 302; seq <= 600; seq++) await again.write([step('a', seq)]);
  await again.write([checkpointAt('a', 600)]);
  await again.write([step('a', 601)]);
  // Those in their place go row by row: the one that ends after step 344 stays whole.
  expect(await again.steps('a', 345, 601)).toEqual(steps('a', 345, 601));
  expect(await again.steps('a', 1, 236)).toEqual([]);
  expect((await again.read('a'))?.steps).toEqual([sampleStep('a', 601)]);
});

describe('steps on their way to their place', () => {
  test('[SRV-37] are read as before when they are moved, by writes, by closing, and after a kill', async () => {
    const file = freshFile();
    const journal = openJournal(file);
    const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
    await journal.write(names.map(create));
    const last = 101;
    for (let seq = 2; seq <= last; seq++) await journal.write(names.map((name) => step(name, seq)));
    const copy = freshFile();
    for (const end of ['', '-wal']) writeFileSync(`${copy}${end}`, readFileSync(`${file}${end}`));
    // 4,040 runs are more than may wait: some are in their place, some are not.
    expect(count(copy, 'step')).toBeGreaterThan(0);
    expect(count(copy, 'write')).toBeGreaterThan(0);
    await journal.close();
    expect(count(file, 'write')).toBe(0);
    for (const journal of [openJournal(file), openJournal(copy)]) {
      for (const name of ['n0', 'n39']) {
        expect((await journal.read(name))?.steps).toEqual(steps(name, 1, last));
        expect(await journal.steps(name, 50, 66)).toEqual(steps(name, 50, 66));
      }
    }
  });

  test('[SRV-37] an instance that was deleted before they were moved does not come back, nor do its steps in another', async () => {
    const file = freshFile();
    const journal = openJournal(file);
    await journal.write([create('a'), step('a', 2), { kind: 'delete', instance: 'a' }, create('b')]);
    await journal.write([{ kind: 'delete', instance: 'b' }, create('a')]);
    const copy = freshFile();
    for (const end of ['', '-wal']) writeFileSync(`${copy}${end}`, readFileSync(`${file}${end}`));
    const again = openJournal(copy);
    await again.write([{ kind: 'delete', instance: 'a' }, create('c')]);
    await again.close();
    const last = openJournal(copy);
    expect(await last.list({ limit: 9 })).toEqual([{ instance: 'c', machine: 'door', image: 'h' }]);
    expect((await last.read('c'))?.steps).toEqual(steps('c', 1, 1));
  });

  test('[SRV-37] a write that fails leaves them as they were, of every epoch', async () => {
    const journal = openJournal(freshFile());
    const later = { ...sampleStep('a', 4), epoch: 8 };
    await journal.write([create('a'), step('a', 2), step('a', 3), { kind: 'step', step: later }]);
    expect((await error(() => journal.write([step('a', 5), create('b'), step('a', 9)]))).code).toBe('STORAGE');
    expect((await journal.read('a'))?.steps).toEqual([...steps('a', 1, 3), later]);
    expect(await journal.read('b')).toBeUndefined();
    await journal.write([step('a', 5)]);
    expect((await journal.read('a'))?.steps.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('[SRV-37] every field of a step comes back', async () => {
    const journal = openJournal(freshFile());
    const whole: Required<Step> = {
      ...sampleStep('a', 1),
      ignored: true,
      status: 'done',
      output: { total: 1 },
      error: 'it broke',
      children: [{ stop: 'kid' }, { ended: 'other' }],
      ids: 3,
      digest: '0123456789abcdef',
    };
    const bare: Step = { ...sampleStep('a', 2), history: [], timers: [], effects: [], patch: [], host: [], clocks: [] };
    const record = { instance: 'a', machine: 'door', image: 'h' };
    await journal.write([
      { kind: 'create', record, step: whole },
      { kind: 'step', step: bare },
    ]);
    expect((await journal.read('a'))?.steps).toStrictEqual([whole, bare]);
  });
});

describe('a file of version 1', () => {
  const content: ContentOne = {
    images: { h: new Uint8Array([1, 2, 255]) },
    machines: { door: 'h' },
    instances: [
      { record: { instance: 'a', machine: 'door', image: 'h' }, steps: steps('a', 1, 5_000) },
      {
        record: { instance: 'façade', machine: 'door', image: 'h' },
        checkpoint: checkpointAt('façade', 300).checkpoint,
        steps: steps('façade', 45, 310),
      },
    ],
  };

  test('[SRV-38] opens with everything that is in it, goes on, and is of the new version from then on', async () => {
    const file = freshFile();
    writeJournalOne(file, content);
    const journal = openJournal(file);
    expect(await journal.machines()).toEqual([{ machine: 'door', image: 'h' }]);
    expect([...((await journal.image('h')) ?? [])]).toEqual([1, 2, 255]);
    expect(await journal.read('a')).toEqual(content.instances[0]);
    expect(await journal.read('façade')).toEqual({ ...content.instances[1], steps: steps('façade', 301, 310) });
    expect(await journal.steps('façade', 1, 400)).toEqual(steps('façade', 45, 310));
    await journal.write([step('façade', 311), create('b')]);
    await journal.close();
    const again = openJournal(file);
    expect((await again.read('façade'))?.steps).toEqual(steps('façade', 301, 311));
    await again.close();
    expect(schemaOf(file)).toEqual(schemaOf(await settled()));
  });

  test('[SRV-38] what was CORRUPT in it stays so, and nothing else becomes it', async () => {
    const file = freshFile();
    writeJournalOne(file, content);
    edit(
      file,
      `UPDATE step SET body = replace(body, '/count', '/cuont') WHERE instance = 2 AND seq = 305; DELETE FROM step WHERE instance = 1 AND seq = 77`,
    );
    const journal = openJournal(file);
    const changed = await error(() => journal.read('façade'));
    expect([changed.code, changed.message.includes('step 305 of façade')]).toEqual(['CORRUPT', true]);
    const missing = await error(() => journal.read('a'));
    expect([missing.code, missing.message.includes('step 77 of a')]).toEqual(['CORRUPT', true]);
    expect(await journal.steps('façade', 301, 304)).toEqual(steps('façade', 301, 304));
    expect(await journal.steps('façade', 306, 310)).toEqual(steps('façade', 306, 310));
  });

  test('[SRV-38] is left as it was when it cannot be brought over', async () => {
    const file = freshFile();
    writeJournalOne(file, content);
    // A table in the way of the new ones.
    edit(file, 'CREATE TABLE write (id INTEGER)');
    const before = schemaOf(file);
    expect((await error(() => openJournal(file))).code).toBe('STORAGE');
    expect([schemaOf(file), count(file, 'step')]).toEqual([before, 5_266]);
  });

  function schemaOf(file: string): unknown {
    const database = new Database(file, { readonly: true });
    try {
      const tables = database.prepare<[], { sql: string }>(`SELECT sql FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all();
      return [database.pragma('user_version', { simple: true }), ...tables.map(({ sql }) => sql.replaceAll(/\s+/g, ' '))];
    } finally {
      database.close();
    }
  }
});
