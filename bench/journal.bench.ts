// Durable events per second of the SQLite journal beside the limit: the same bytes appended to a file and fdatasync'ed, in the same batches.

import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Step } from '../core/step.ts';
import type { JournalEntry } from '../peer/journal.ts';
import { SqliteJournal } from '../server/journal/sqlite.ts';
import { median, type Effort, type Row } from './measure.ts';

const BATCH = 64;
const BATCHES = 40;

export async function run(effort: Effort): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
  const journal = new SqliteJournal(join(directory, 'journal.sqlite'));
  const file = openSync(join(directory, 'bare'), 'a');
  try {
    await journal.write([{ kind: 'create', record: { instance: 'ledger', machine: 'ledger', image: '0'.repeat(16) }, step: step(1) }]);
    let seq = 1;
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < effort.rounds; round++) {
      const batches = Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, () => step(++seq)));
      const entries = batches.map((batch) => batch.map((each): JournalEntry => ({ kind: 'step', step: each })));
      let began = performance.now();
      for (const batch of entries) await journal.write(batch);
      ours.push(rate(began));
      began = performance.now();
      for (const batch of batches) {
        writeSync(file, batch.map((each) => JSON.stringify(each)).join('\n'));
        fdatasyncSync(file);
      }
      bare.push(rate(began));
    }
    const ratio = median(ours.map((value, round) => value / bare[round]!));
    return [
      {
        name: 'journal/append',
        unit: 'durable events per second',
        ours: median(ours),
        against: { 'append + fdatasync': { value: median(bare), ratio } },
      },
    ];
  } finally {
    await journal.close();
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}

function rate(began: number): number {
  return (BATCH * BATCHES * 1000) / (performance.now() - began);
}

function step(seq: number): Step {
  return {
    instance: 'ledger',
    epoch: 1_795_000_000_000,
    seq,
    at: 1_795_000_000_000 + seq,
    cause: {
      peer: 'f2Jk8sPq0aZx71Lm',
      n: seq,
      event: { type: 'DEPOSIT', amount: seq % 97, note: 'cash' },
      seed: 4_503_599_627_370_496 + seq,
    },
    clocks: [1, 1, 2, 1],
    history: [],
    patch: [{ op: 'replace', path: '/balance', value: seq * 7 }],
    host: [true],
    timers: [],
    effects: [],
  };
}
