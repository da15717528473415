// The journal on SQLite: the contract of journals, and what only a file can suffer.

import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { JournalEntry } from '../../peer/journal.ts';
import { SqliteJournal } from '../../server/journal/sqlite.ts';
import { journalContract, sampleStep } from '../contracts/journal.ts';

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

journalContract('SQLite', () => {
  const file = freshFile();
  const journal = openJournal(file);
  return {
    journal,
    reopen: async () => {
      await journal.close();
      return openJournal(file);
    },
  };
});

const create = (instance: string): JournalEntry => ({
  kind: 'create',
  record: { instance, machine: 'door', image: 'h' },
  step: sampleStep(instance, 1),
});
const step = (instance: string, seq: number): JournalEntry => ({ kind: 'step', step: sampleStep(instance, seq) });

/** A closed file with three steps of `a` in it. */
async function written(): Promise<string> {
  const file = freshFile();
  const journal = openJournal(file);
  await journal.write([create('a'), step('a', 2), step('a', 3)]);
  await journal.close();
  return file;
}

function edit(file: string, sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
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
  test('[SRV-1] a step whose words were changed is CORRUPT, and the message names instance and seq', async () => {
    const file = await written();
    edit(file, `UPDATE step SET body = replace(body, '/count', '/cuont') WHERE seq = 2`);
    const journal = openJournal(file);
    const refused = await error(() => journal.read('a'));
    expect(refused.code).toBe('CORRUPT');
    expect(refused.message).toContain('step 2 of a');
    expect(await journal.steps('a', 3, 3)).toEqual([sampleStep('a', 3)]);
  });

  test('[SRV-1] a step in the place of another is CORRUPT', async () => {
    const file = await written();
    edit(file, 'DELETE FROM step WHERE seq = 2; UPDATE step SET seq = 2 WHERE seq = 3');
    expect((await error(() => openJournal(file).read('a'))).code).toBe('CORRUPT');
  });

  test('[SRV-1] a missing step is CORRUPT, and the message names it', async () => {
    const file = await written();
    edit(file, 'DELETE FROM step WHERE seq = 2');
    const refused = await error(() => openJournal(file).read('a'));
    expect([refused.code, refused.message.includes('step 2 of a')]).toEqual(['CORRUPT', true]);
  });

  test('[SRV-1] an instance that was given another machine is CORRUPT', async () => {
    const file = await written();
    edit(file, `UPDATE instance SET machine = 'safe'`);
    const journal = openJournal(file);
    expect((await error(() => journal.read('a'))).code).toBe('CORRUPT');
    expect((await error(() => journal.list({ limit: 1 }))).code).toBe('CORRUPT');
  });

  test('[SRV-1] any single flipped bit of the file is noticed or changes nothing', async () => {
    const file = await written();
    const good = readFileSync(file);
    const expected = JSON.stringify(await snapshot(file));
    // Each 997th bit: a prime, so that every bit position and every region of a page has its turn.
    for (let bit = 0; bit < good.length * 8; bit += 997) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const other = freshFile();
      writeFileSync(other, bad);
      const outcome = await snapshot(other).then(JSON.stringify, (caught: unknown) => caught);
      if (outcome instanceof LockstepError) expect(['CORRUPT', 'STORAGE']).toContain(outcome.code);
      else expect(outcome, `bit ${bit}`).toBe(expected);
    }
  });

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
    const file = await written();
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
  await journal.write([create('a'), ...Array.from({ length: 299 }, (_, i) => step('a', i + 2))]);
  await journal.write([
    {
      kind: 'checkpoint',
      checkpoint: {
        instance: 'a',
        epoch: 7,
        seq: 300,
        state: { status: 'active', clocks: [1], history: [], context: null, timers: [] },
        seen: [],
      },
    },
  ]);
  expect((await journal.steps('a', 1, 300)).map(({ seq }) => seq)).toEqual(Array.from({ length: 256 }, (_, i) => i + 45));
  await journal.close();
  const again = openJournal(file);
  await again.write([step('a', 301)]);
  expect((await again.read('a'))?.steps).toEqual([sampleStep('a', 301)]);
});
