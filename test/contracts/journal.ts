// What every Journal promises, whatever it is written to. Each implementation runs this suite, the one of browsers in Chromium
// (test/browser/tab-journal.test.ts); those that survive a process also open what they left behind.

import { LockstepError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { Checkpoint, InstanceRecord, Journal, JournalEntry } from '../../peer/journal.ts';
import { same } from './same.ts';

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

/**
 * By name; each throws when the promise is not kept. Plain functions, because they also run in a page.
 * @param make a fresh, empty journal.
 */
export const journalContract: Readonly<Record<string, (make: () => JournalBench | Promise<JournalBench>) => Promise<void>>> = {
  '[JOURNAL-1] what was written is read back, record by record, in order': async (make) => {
    const { journal } = await make();
    await journal.write([create('a'), step('a', 2)]);
    await journal.write([step('a', 3)]);
    same(await journal.read('a'), { record: record('a'), steps: [sampleStep('a', 1), sampleStep('a', 2), sampleStep('a', 3)] });
    same(await journal.read('nobody'), undefined);
  },

  '[JOURNAL-2] a write is kept whole or not at all': async (make) => {
    const { journal } = await make();
    await journal.write([create('a')]);
    same(await refusal(journal.write([step('a', 2), create('b'), create('a')])), 'STORAGE');
    same((await journal.read('a'))?.steps, [sampleStep('a', 1)]);
    same(await journal.read('b'), undefined);
  },

  '[JOURNAL-2] writes without waiting for each other keep their order': async (make) => {
    const { journal } = await make();
    await Promise.all([journal.write([create('a')]), journal.write([step('a', 2)]), journal.write([step('a', 3), step('a', 4)])]);
    same(
      (await journal.read('a'))?.steps.map(({ seq }) => seq),
      [1, 2, 3, 4],
    );
  },

  '[JOURNAL-3] a step that does not follow the last one is refused': async (make) => {
    const { journal } = await make();
    await journal.write([create('a')]);
    same(await refusal(journal.write([step('a', 3)])), 'STORAGE');
    same(await refusal(journal.write([step('a', 1)])), 'STORAGE');
    same(await refusal(journal.write([step('nobody', 2)])), 'STORAGE');
    await journal.write([step('a', 2)]);
    same(
      (await journal.read('a'))?.steps.map(({ seq }) => seq),
      [1, 2],
    );
  },

  '[JOURNAL-4] a checkpoint stands for the steps up to it': async (make) => {
    const { journal } = await make();
    await journal.write([create('a'), step('a', 2), step('a', 3), { kind: 'checkpoint', checkpoint: checkpoint('a', 3) }, step('a', 4)]);
    const stored = await journal.read('a');
    same(stored?.checkpoint, checkpoint('a', 3));
    same(stored?.steps, [sampleStep('a', 4)]);
    await journal.write([step('a', 5), { kind: 'checkpoint', checkpoint: checkpoint('a', 5) }]);
    same(await journal.read('a'), { record: record('a'), checkpoint: checkpoint('a', 5), steps: [] });
    await journal.write([step('a', 6)]);
    same(
      (await journal.read('a'))?.steps.map(({ seq }) => seq),
      [6],
    );
  },

  '[JOURNAL-5] steps gives a range, ends included': async (make) => {
    const { journal } = await make();
    await journal.write([create('a'), step('a', 2), step('a', 3), step('a', 4)]);
    same(await journal.steps('a', 2, 3), [sampleStep('a', 2), sampleStep('a', 3)]);
    same(await journal.steps('a', 9, 12), []);
    same(await journal.steps('nobody', 1, 2), []);
  },

  '[JOURNAL-6] list gives pages, ascending by name, of one machine where asked': async (make) => {
    const { journal } = await make();
    await journal.write([create('b'), create('a', 'lamp'), create('d'), create('c')]);
    same(await journal.list({ limit: 2 }), [record('a', 'lamp'), record('b')]);
    same(await journal.list({ limit: 10, after: 'b' }), [record('c'), record('d')]);
    same(await journal.list({ limit: 10, machine: 'lamp' }), [record('a', 'lamp')]);
  },

  '[JOURNAL-7] a deleted instance is gone, and its name can be used again': async (make) => {
    const { journal } = await make();
    await journal.write([create('a'), step('a', 2), { kind: 'checkpoint', checkpoint: checkpoint('a', 2) }]);
    await journal.write([{ kind: 'delete', instance: 'a' }]);
    same(await journal.read('a'), undefined);
    same(await journal.list({ limit: 10 }), []);
    await journal.write([create('a')]);
    same(await journal.read('a'), { record: record('a'), steps: [sampleStep('a', 1)] });
  },

  '[JOURNAL-8] machines and images are kept; the newest meaning of a name counts': async (make) => {
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
    same(await journal.machines(), [
      { machine: 'bell', image: 'h1' },
      { machine: 'door', image: 'h2' },
    ]);
    same([...((await journal.image('h1')) ?? [])], [...bytes]);
    same(await journal.image('h3'), undefined);
  },

  '[JOURNAL-11] an instance that another peer orders now is remembered, without its steps, until it is created here again': async (
    make,
  ) => {
    const { journal, reopen } = await make();
    const moved = (instance: string, epoch: number) => ({ kind: 'moved', moved: { instance, peer: 'bob', epoch } }) as const;
    await journal.write([create('a'), step('a', 2), create('b')]);
    await journal.write([moved('b', 7), moved('a', 8), moved('never here', 9)]);
    const again = (await reopen?.()) ?? journal;
    same(await again.moved(), [
      { instance: 'a', peer: 'bob', epoch: 8 },
      { instance: 'b', peer: 'bob', epoch: 7 },
      { instance: 'never here', peer: 'bob', epoch: 9 },
    ]);
    same([await again.read('a'), await again.list({ limit: 10 })], [undefined, []]);
    await again.write([create('a')]);
    same(
      (await again.moved()).map(({ instance }) => instance),
      ['b', 'never here'],
    );
    same(await again.read('a'), { record: record('a'), steps: [sampleStep('a', 1)] });
    await again.close();
  },

  '[JOURNAL-12] an instance may begin with a later step, when a checkpoint stands for what was before': async (make) => {
    const { journal } = await make();
    await journal.write([
      { kind: 'delete', instance: 'a' },
      { kind: 'create', record: record('a'), step: sampleStep('a', 40) },
      { kind: 'checkpoint', checkpoint: checkpoint('a', 40) },
      step('a', 41),
    ]);
    same(await journal.read('a'), { record: record('a'), checkpoint: checkpoint('a', 40), steps: [sampleStep('a', 41)] });
  },

  '[JOURNAL-12] a checkpoint says who handed the instance over, until another one of the same step does not': async (make) => {
    const { journal } = await make();
    const handed = { ...checkpoint('a', 40), giver: 'bob', givenFrom: 3 };
    await journal.write([
      { kind: 'create', record: record('a'), step: sampleStep('a', 40) },
      { kind: 'checkpoint', checkpoint: handed },
    ]);
    same(await journal.read('a'), { record: record('a'), checkpoint: handed, steps: [] });
    await journal.write([{ kind: 'checkpoint', checkpoint: checkpoint('a', 40) }]);
    same(await journal.read('a'), { record: record('a'), checkpoint: checkpoint('a', 40), steps: [] });
  },

  '[JOURNAL-9] a closed journal refuses to write': async (make) => {
    const { journal } = await make();
    await journal.close();
    same(await refusal(journal.write([create('a')])), 'STORAGE');
  },

  '[JOURNAL-10] what survives the process is there when it is opened again': async (make) => {
    const { journal, reopen } = await make();
    if (reopen === undefined) return same(journal.survives, 'nothing');
    await journal.write([
      { kind: 'image', hash: 'h1', bytes: new Uint8Array([1]) },
      { kind: 'machine', machine: 'door', image: 'h1' },
      create('a'),
      step('a', 2),
      { kind: 'checkpoint', checkpoint: checkpoint('a', 2) },
      step('a', 3),
    ]);
    const again = await reopen();
    same(await again.read('a'), { record: record('a'), checkpoint: checkpoint('a', 2), steps: [sampleStep('a', 3)] });
    same(await again.machines(), [{ machine: 'door', image: 'h1' }]);
    await again.write([step('a', 4)]);
    same(
      (await again.read('a'))?.steps.map(({ seq }) => seq),
      [3, 4],
    );
    await again.close();
  },
};
