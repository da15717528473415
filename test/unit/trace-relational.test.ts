// What tools tell of the steps of a relational machine.

import { expect, test } from 'vitest';
import type { EventObject } from '../../core/json.ts';
import { mutation } from '../../core/mutation.ts';
import { TraceModel } from '../../tools/trace/model.ts';
import { causeText, eventText } from '../../tools/trace/names.ts';
import { testCore } from '../support/core.ts';
import { Recorder } from '../support/recorder.ts';

const gate = {
  dialect: 'relational',
  id: 'gate',
  states: {
    Open: { remove: 'Shut' },
    Shut: { remove: 'Open' },
    Locked: { require: 'Shut' },
    Lit: { auto: true },
    Dim: { auto: true },
    Far: { add: ['Near', 'Open'] },
    Near: { require: 'Shut' },
  },
  handlers: {
    LockedEnter: ({ args }: { args: { key?: number } | null }) => args?.key === 42,
    OpenLit: () => true,
    DimEnter: () => false,
    LockedState: () => undefined,
    AnyState: () => undefined,
  },
};

async function why(...events: EventObject[]) {
  const core = await testCore();
  const recorder = new Recorder(core, gate, { instance: 'west', peer: 'server' });
  events.forEach((event, index) => recorder.step(event, { peer: 'tab', n: index + 1 }, 1_010 + index));
  const model = new TraceModel(core);
  model.addImage(recorder.image);
  for (const record of recorder.records) model.add(record);
  const entry = model.find(`west@1#${events.length + 1}`)!;
  const { chart } = model.view(entry);
  expect(chart.isRelational).toBe(true);
  return model.explain(entry).map(({ event, asked, obstacles, left, entered, actions }) => ({
    event,
    asked: asked.map(({ name, answer }) => `${name} ${answer}`),
    obstacles,
    moved: [...left.map((state) => `-${chart.path(state)}`), ...entered.map((state) => `+${chart.path(state)}`)].join(' '),
    actions: actions.map(({ name }) => name.slice(name.lastIndexOf('/') + 1)),
  }));
}

test('[TOOL-18] a mutation is told with what its handlers said, what moved and what is to run, and so is the automatic one behind it', async () => {
  expect(await why(mutation('add', ['Shut']), mutation('add', ['Locked'], { key: 42 }))).toEqual([
    { event: 'relational.add', asked: ['LockedEnter true'], obstacles: [], moved: '+Locked', actions: ['LockedState', 'AnyState'] },
    { event: 'relational.auto', asked: ['DimEnter false'], obstacles: [], moved: '', actions: [] },
  ]);
  expect(await why(mutation('add', ['Shut']))).toEqual([
    { event: 'relational.add', asked: [], obstacles: [], moved: '+Shut', actions: ['AnyState'] },
    { event: 'relational.auto', asked: ['DimEnter false'], obstacles: [], moved: '+Lit', actions: ['AnyState'] },
  ]);
});

test('[TOOL-18] a cancelled one with the handler that said no, or with what stood in its way', async () => {
  expect(await why(mutation('add', ['Shut']), mutation('add', ['Locked'], { key: 1 }))).toMatchObject([
    { asked: ['LockedEnter false'], obstacles: [], moved: '' },
  ]);
  expect(await why(mutation('add', ['Locked']))).toMatchObject([{ asked: [], obstacles: ['Locked requires Shut, which is not active'] }]);
  expect(await why(mutation('add', ['Open', 'Shut']))).toMatchObject([
    { obstacles: ['Shut, which is called too, removes Open', 'Open, which is called too, removes Shut'] },
  ]);
  expect(await why(mutation('add', ['Far', 'Near']))).toMatchObject([{ obstacles: ['Near requires Shut, which is not active'] }]);
  expect(await why(mutation('set', ['Shut']), mutation('set', ['Locked']))).toMatchObject([
    { obstacles: ['Locked requires Shut, which is not active'] },
  ]);
});

test('[TOOL-18] a step is called by its mutation, its states and whose step brought it', () => {
  expect(causeText(mutation('add', ['Open', 'Lit']))).toBe('add Open, Lit');
  expect(causeText(mutation('remove', ['Open'], null, { machine: 'other', time: 3 }))).toBe('remove Open ← other');
  expect(causeText({ type: 'xstate.after.500.lamp.on' })).toBe('after 500 ms');
  expect([eventText('relational.auto'), eventText('relational.set')]).toEqual(['then, the automatic states', 'set']);
});
