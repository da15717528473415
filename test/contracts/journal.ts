// What every Journal promises, whatever it is written to. Each implementation runs this suite; those that survive a process also run the
// part that opens the journal again.

import { describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { Checkpoint, InstanceRecord, Journal, JournalEntry } from '../../peer/journal.ts';

export interface JournalBench {
  readonly journal: Journal;
  /** Closes it and opens what it left behind; for journals that survive a process. */
  reopen?(): Promise<Journal>;
}

const record = (instance: string, machine = 'door'): InstanceRecord => ({ instance, machine, image: '00000000deadbeef' });

export const sampleStep = (instance: string, seq: number): Step => ({
  instance,
  epoch: 7,
  seq,
  at: 1_000 + seq,
  cause: {
    peer: 'alice',
    n: seq === 1 ? 0 : seq,
    event: { type: seq === 1 ? 'xstate.init' : 'PUSH', text: 'ü "\n' },
    seed: 9_007_199_254_740_991,
  },
  clocks: [0, 1, seq, 2],
  history: [[0, [1, 2]]],
  patch: [{ op: 'replace', path: '/count', value: seq }],
  host: [true, 3, null],
  timers: [
    { timer: 0, due: 5_000.5 },
    { timer: 1, due: null },
  ],
  effects: [{ fn: 3, name: 'ring' }],
  ...(seq === 1 ? { digest: '0123456789abcdef', status: 'active' as const } : {}),
});

const create = (instance: string, machine?: string): JournalEntry => ({
  kind: 'create',
  record: record(instance, machine),
  step: sampleStep(instance, 1),
});
const step = (instance: string, seq: number): JournalEntry => ({ kind: 'step', step: sampleStep(instance, seq) });
const checkpoint = (instance: string, seq: number): Checkpoint => ({
  instance,
  epoch: 7,
  seq,
  state: {
    status: 'active',
    clocks: [1, seq],
    history: [[0, [1]]],
    context: { count: seq, nested: [1, { a: null }] },
    timers: [[0, 5_000]],
  },
  seen: [
    [
      'alice',
      [
        [2, 2, true],
        [3, 3, false],
      ],
    ],
  ],
});

async function refusal(act: Promise<unknown>): Promise<string> {
  try {
    await act;
  } catch (error) {
    if (error instanceof LockstepError) return error.code;
    throw error;
  }
  return 'nothing was refused';
}

/** @param make a fresh, empty journal. */
export function journalContract(name: string, make: () => JournalBench | Promise<JournalBench>): void {
  describe(`journal: ${name}`, () => {
    test('[JOURNAL-1] what was written is read back, record by record, in order', async () => {
      const { journal } = await make();
      await journal.write([create('a'), step('a', 2)]);
      await journal.write([step('a', 3)]);
      expect(await journal.read('a')).toEqual({ record: record('a'), steps: [sampleStep('a', 1), sampleStep('a', 2), sampleStep('a', 3)] });
      expect(await journal.read('nobody')).toBeUndefined();
    });

    test('[JOURNAL-2] a write is kept whole or not at all', async () => {
      const { journal } = await make();
      await journal.write([create('a')]);
      expect(await refusal(journal.write([step('a', 2), create('b'), create('a')]))).toBe('STORAGE');
      expect((await journal.read('a'))?.steps).toEqual([sampleStep('a', 1)]);
      expect(await journal.read('b')).toBeUndefined();
    });

    test('[JOURNAL-2] writes without waiting for each other keep their order', async () => {
      const { journal } = await make();
      await Promise.all([journal.write([create('a')]), journal.write([step('a', 2)]), journal.write([step('a', 3), step('a', 4)])]);
      expect((await journal.read('a'))?.steps.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    });

    test('[JOURNAL-3] a step that does not follow the last one is refused', async () => {
      const { journal } = await make();
      await journal.write([create('a')]);
      expect(await refusal(journal.write([step('a', 3)]))).toBe('STORAGE');
      expect(await refusal(journal.write([step('a', 1)]))).toBe('STORAGE');
      expect(await refusal(journal.write([step('nobody', 2)]))).toBe('STORAGE');
      await journal.write([step('a', 2)]);
      expect((await journal.read('a'))?.steps.map(({ seq }) => seq)).toEqual([1, 2]);
    });

    test('[JOURNAL-4] a checkpoint stands for the steps up to it', async () => {
      const { journal } = await make();
      await journal.write([create('a'), step('a', 2), step('a', 3), { kind: 'checkpoint', checkpoint: checkpoint('a', 3) }, step('a', 4)]);
      const stored = await journal.read('a');
      expect(stored?.checkpoint).toEqual(checkpoint('a', 3));
      expect(stored?.steps).toEqual([sampleStep('a', 4)]);
      await journal.write([step('a', 5), { kind: 'checkpoint', checkpoint: checkpoint('a', 5) }]);
      expect(await journal.read('a')).toEqual({ record: record('a'), checkpoint: checkpoint('a', 5), steps: [] });
      await journal.write([step('a', 6)]);
      expect((await journal.read('a'))?.steps.map(({ seq }) => seq)).toEqual([6]);
    });

    test('[JOURNAL-5] steps gives a range, ends included', async () => {
      const { journal } = await make();
      await journal.write([create('a'), step('a', 2), step('a', 3), step('a', 4)]);
      expect(await journal.steps('a', 2, 3)).toEqual([sampleStep('a', 2), sampleStep('a', 3)]);
      expect(await journal.steps('a', 9, 12)).toEqual([]);
      expect(await journal.steps('nobody', 1, 2)).toEqual([]);
    });

    test('[JOURNAL-6] list gives pages, ascending by name, of one machine where asked', async () => {
      const { journal } = await make();
      await journal.write([create('b'), create('a', 'lamp'), create('d'), create('c')]);
      expect(await journal.list({ limit: 2 })).toEqual([record('a', 'lamp'), record('b')]);
      expect(await journal.list({ limit: 10, after: 'b' })).toEqual([record('c'), record('d')]);
      expect(await journal.list({ limit: 10, machine: 'lamp' })).toEqual([record('a', 'lamp')]);
    });

    test('[JOURNAL-7] a deleted instance is gone, and its name can be used again', async () => {
      const { journal } = await make();
      await journal.write([create('a'), step('a', 2), { kind: 'checkpoint', checkpoint: checkpoint('a', 2) }]);
      await journal.write([{ kind: 'delete', instance: 'a' }]);
      expect(await journal.read('a')).toBeUndefined();
      expect(await journal.list({ limit: 10 })).toEqual([]);
      await journal.write([create('a')]);
      expect(await journal.read('a')).toEqual({ record: record('a'), steps: [sampleStep('a', 1)] });
    });

    test('[JOURNAL-8] machines and images are kept; the newest meaning of a name counts', async () => {
      const { journal } = await make();
      const bytes = new Uint8Array([0, 1, 2, 255]);
      await journal.write([
        { kind: 'image', hash: 'h1', bytes },
        { kind: 'machine', machine: 'door', image: 'h1' },
      ]);
      await journal.write([
        { kind: 'image', hash: 'h1', bytes },
        { kind: 'image', hash: 'h2', bytes: new Uint8Array([9]) },
        { kind: 'machine', machine: 'door', image: 'h2' },
        { kind: 'machine', machine: 'bell', image: 'h1' },
      ]);
      expect(await journal.machines()).toEqual([
        { machine: 'bell', image: 'h1' },
        { machine: 'door', image: 'h2' },
      ]);
      expect([...((await journal.image('h1')) ?? [])]).toEqual([...bytes]);
      expect(await journal.image('h3')).toBeUndefined();
    });

    test('[JOURNAL-11] an instance that another peer orders now is remembered, without its steps, until it is created here again', async () => {
      const { journal, reopen } = await make();
      const moved = (instance: string, epoch: number) => ({ kind: 'moved', moved: { instance, peer: 'bob', epoch } }) as const;
      await journal.write([create('a'), step('a', 2), create('b')]);
      await journal.write([moved('b', 7), moved('a', 8), moved('never here', 9)]);
      const again = (await reopen?.()) ?? journal;
      expect(await again.moved()).toEqual([
        { instance: 'a', peer: 'bob', epoch: 8 },
        { instance: 'b', peer: 'bob', epoch: 7 },
        { instance: 'never here', peer: 'bob', epoch: 9 },
      ]);
      expect([await again.read('a'), await again.list({ limit: 10 })]).toEqual([undefined, []]);
      await again.write([create('a')]);
      expect((await again.moved()).map(({ instance }) => instance)).toEqual(['b', 'never here']);
      expect(await again.read('a')).toEqual({ record: record('a'), steps: [sampleStep('a', 1)] });
      await again.close();
    });

    test('[JOURNAL-12] an instance may begin with a later step, when a checkpoint stands for what was before', async () => {
      const { journal } = await make();
      await journal.write([
        { kind: 'delete', instance: 'a' },
        { kind: 'create', record: record('a'), step: sampleStep('a', 40) },
        { kind: 'checkpoint', checkpoint: checkpoint('a', 40) },
        step('a', 41),
      ]);
      expect(await journal.read('a')).toEqual({ record: record('a'), checkpoint: checkpoint('a', 40), steps: [sampleStep('a', 41)] });
    });

    test('[JOURNAL-12] a checkpoint says who handed the instance over, until another one of the same step does not', async () => {
      const { journal } = await make();
      const handed = { ...checkpoint('a', 40), giver: 'bob' };
      await journal.write([
        { kind: 'create', record: record('a'), step: sampleStep('a', 40) },
        { kind: 'checkpoint', checkpoint: handed },
      ]);
      expect(await journal.read('a')).toEqual({ record: record('a'), checkpoint: handed, steps: [] });
      await journal.write([{ kind: 'checkpoint', checkpoint: checkpoint('a', 40) }]);
      expect(await journal.read('a')).toEqual({ record: record('a'), checkpoint: checkpoint('a', 40), steps: [] });
    });

    test('[JOURNAL-9] a closed journal refuses to write', async () => {
      const { journal } = await make();
      await journal.close();
      expect(await refusal(journal.write([create('a')]))).toBe('STORAGE');
    });

    test('[JOURNAL-10] what survives the process is there when it is opened again', async () => {
      const { journal, reopen } = await make();
      if (reopen === undefined) return expect(journal.survives).toBe('nothing');
      await journal.write([
        { kind: 'image', hash: 'h1', bytes: new Uint8Array([1]) },
        { kind: 'machine', machine: 'door', image: 'h1' },
        create('a'),
        step('a', 2),
        { kind: 'checkpoint', checkpoint: checkpoint('a', 2) },
        step('a', 3),
      ]);
      const again = await reopen();
      expect(await again.read('a')).toEqual({ record: record('a'), checkpoint: checkpoint('a', 2), steps: [sampleStep('a', 3)] });
      expect(await again.machines()).toEqual([{ machine: 'door', image: 'h1' }]);
      await again.write([step('a', 4)]);
      expect((await again.read('a'))?.steps.map(({ seq }) => seq)).toEqual([3, 4]);
      await again.close();
    });
  });
}
