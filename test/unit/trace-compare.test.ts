// Two steps of an instance held against each other, whatever lies between them.

import { assign, createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { applyPatch } from '../../core/patch.ts';
import { since } from '../../tools/trace/compare.ts';
import type { Entry } from '../../tools/trace/entry.ts';
import { TraceModel } from '../../tools/trace/model.ts';
import { Store } from '../../tools/trace/viewer/store.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';
import { Recorder } from '../support/recorder.ts';

type Context = { list: readonly number[]; byName: Readonly<Record<string, { n: number }>>; last: string | null };

const ledger = createMachine({
  id: 'ledger',
  context: { list: [], byName: {}, last: null } as Context,
  initial: 'odd',
  states: { odd: { on: { ADD: 'even' } }, even: { on: { ADD: 'odd', DROP: 'odd' } } },
  on: {
    ADD: {
      actions: assign(({ context, event }) => {
        const { name, n } = event as unknown as { name: string; n: number };
        return { list: [...context.list, n], byName: { ...context.byName, [name]: { n } }, last: name };
      }),
    },
    DROP: { actions: assign(({ context }) => ({ list: context.list.slice(1), byName: {}, last: null })) },
  },
});

async function recorded(seed: number) {
  const dice = random(seed);
  const core = await testCore();
  const model = new TraceModel(core);
  const [one, other] = ['one', 'other'].map((instance) => new Recorder(core, ledger, { instance, peer: 'server' })) as [Recorder, Recorder];
  for (let at = 2_000; at < 2_040; at++) {
    const event = dice.below(4) === 0 ? { type: 'DROP' } : { type: 'ADD', name: dice.pick(['a/b', 'c~d', '']), n: dice.below(9) };
    one.step(event, { peer: 'tab', n: at }, at);
  }
  model.addImage(one.image);
  for (const record of [...one.records, ...other.records]) model.add(record);
  const entries = model.timeline.filter(({ record }) => record.step.instance === 'one');
  return { model, entries, other: model.timeline.find(({ record }) => record.step.instance === 'other')! };
}

const SEED = seedOf('compared steps');

test('[TOOL-19] the patch since an earlier step, applied to what was, gives what is; the clocks are those that differ', async () => {
  const { model, entries } = await recorded(SEED);
  for (const [i, from] of entries.entries()) {
    for (const to of entries.slice(i + 1)) {
      const [earlier, later] = [model.view(from), model.view(to)];
      const { before, after, patch, clocks } = since(earlier, later);
      expect(applyPatch(earlier.after.state.context, patch)).toEqual(later.after.state.context);
      expect([before, after]).toEqual([earlier.after, later.after]);
      const moved = later.after.state.clocks.flatMap((now, state) => {
        const then = earlier.after.state.clocks[state]!;
        return now === then ? [] : [[state, then, now]];
      });
      expect(clocks).toEqual(moved);
    }
  }
});

test('[TOOL-19] steps of two instances are not compared', async () => {
  const { model, entries, other } = await recorded(SEED);
  expect(() => since(model.view(other), model.view(entries.at(-1)!))).toThrow(/one #41 and other #1 are not of one instance/);
});

test('[TOOL-19] the person compares with an earlier step of the instance, until it is enough', async () => {
  const { model, entries, other } = await recorded(SEED);
  const store = new Store(model, () => undefined);
  store.touch();
  const ids = (list: readonly (Entry | undefined)[]): unknown => list.map((entry) => entry?.id);
  store.select(entries[3]!.id);
  store.compare(true);
  const bases = [entries[2]!, entries[3]!, entries[4]!, entries[9]!, other].map(({ id }) => {
    store.select(id);
    return store.base;
  });
  expect(ids(bases)).toEqual(ids([undefined, undefined, entries[3], entries[3], undefined]));
  expect(store.hasBase).toBe(true);
  store.compare(false);
  store.select(entries[9]!.id);
  expect([store.base, store.hasBase]).toEqual([undefined, false]);
});
