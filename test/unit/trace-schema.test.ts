// The trace of a relational machine whose schema grew while it ran.

import { expect, test } from 'vitest';
import { mutation } from '../../core/mutation.ts';
import type { Policy } from '../../peer/policy.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { Collector } from '../../tools/trace/collector.ts';
import { since } from '../../tools/trace/compare.ts';
import { TRACE_LIMITS, TraceModel } from '../../tools/trace/model.ts';
import { causeText } from '../../tools/trace/names.ts';
import { testCore } from '../support/core.ts';
import { Recorder } from '../support/recorder.ts';
import { World } from '../support/world.ts';

const NAMES = ['Dark', 'Exception', 'Lamp', 'Up'];
const definitionOf = (states: object, names: readonly string[] = NAMES): object => ({
  dialect: 'relational',
  id: 'room',
  states,
  names,
  handlers: { LampEnter: () => true },
});
const young = definitionOf({ Up: {}, Lamp: { remove: 'Dark' }, Dark: {} });
// What could be active together before, Lamp with Up, cannot any more.
const grown = definitionOf({ Up: { remove: 'Lamp' }, Lamp: { remove: 'Dark', add: 'Warm' }, Dark: {}, Warm: {} }, [...NAMES, 'Warm']);

async function collected(world: World, name: string) {
  const model = new TraceModel(await testCore());
  const failures: string[] = [];
  const peer = await world.peer(name, { kind: 'tool' });
  const collector = new Collector({
    peer,
    model,
    changed: () => undefined,
    failed: ({ code, message }) => void failures.push(`${code} ${message}`),
  });
  await world.get(collector.start());
  await world.settle();
  return { peer, model, failures };
}

/** A room with Lamp and Up in steps 2 and 3, neither behind step 5; then with more states, and Lamp with Warm in step 6. */
async function story(world: World, guarded?: Policy) {
  const room = { definition: young, ...(guarded === undefined ? {} : { policy: guarded }) };
  const server = await world.server({ journal: new MemoryJournal(), machines: { room } });
  const own = new RelationalMirror(await world.get(server.host('hall', 'room')));
  const early = await collected(world, 'early');
  for (const [kind, state] of [
    ['add', 'Lamp'],
    ['add', 'Up'],
    ['remove', 'Lamp'],
    ['remove', 'Up'],
  ] as const)
    await world.get(own[kind](state));
  server.machines.add('room', { definition: grown });
  await world.get(own.setSchema());
  await world.get(own.add('Lamp'));
  await world.get(own.add('Up'));
  await world.settle();
  return { early };
}

/** What the viewer shows of each step: the active states before and after it, and the reasons of what it did. */
function told(model: TraceModel): unknown[] {
  return model.steps('hall').map((entry) => {
    const { before, after, chart, clocks } = model.view(entry);
    const active = (its: typeof before): string =>
      chart.states
        .filter(({ number }) => number > 0 && ((its?.state.clocks[number] ?? 0) & 1) === 1)
        .map(({ number }) => chart.path(number))
        .join(' ');
    const asked = model.explain(entry).flatMap(({ asked: handlers }) => handlers.map(({ name }) => name));
    return [
      entry.record.step.seq,
      causeText(entry.record.step.cause.event),
      active(before),
      active(after),
      clocks.length,
      asked.length,
      chart.states.length,
    ];
  });
}

const STORY = [
  [1, 'xstate.init', '', '', 1, 0, 5],
  [2, 'add Lamp', '', 'Lamp', 1, 1, 5],
  [3, 'add Up', 'Lamp', 'Lamp Up', 1, 0, 5],
  [4, 'remove Lamp', 'Lamp Up', 'Up', 1, 0, 5],
  [5, 'remove Up', 'Up', '', 1, 0, 5],
  [6, 'add Lamp', '', 'Lamp Warm', 2, 1, 6],
  [7, 'add Up', 'Lamp Warm', 'Up Warm', 2, 0, 6],
];

test('[TOOL-20] steps before and behind a schema that grew are shown by the image that each ran, to whoever was there and to whoever comes later', async () => {
  const world = new World();
  const { early } = await story(world);
  const late = await collected(world, 'late');
  for (const { model, failures } of [early, late]) {
    expect([failures, told(model)]).toEqual([[], STORY]);
    const [, , third, , , , seventh] = model.steps('hall').map((entry) => model.view(entry));
    const { clocks, before, after } = since(third!, seventh!);
    expect(clocks.map(([state, was, is]) => [seventh!.chart.path(state), is - was])).toEqual([
      ['Lamp', 3],
      ['Up', 2],
      ['Warm', 1],
    ]);
    expect([before?.seq, after.seq]).toEqual([3, 7]);
  }
  const imported = new TraceModel(await testCore());
  imported.import(early.model.export());
  expect(told(imported)).toEqual(STORY);
});

/** All of a room is for the auditor alone. */
const policy: Policy = {
  allowRead: ({ view, authContext }) => view !== 'whole' || (authContext as { peer: string }).peer === 'auditor',
  allowWrite: () => true,
  views: { whole: 'all' },
};

test('[TOOL-20] of a guarded machine whoever may see all of it has the images, without watching it; others have neither steps nor images', async () => {
  const world = new World();
  const server = await world.server({ journal: new MemoryJournal(), machines: { room: { definition: young, policy } } });
  const own = new RelationalMirror(await world.get(server.host('hall', 'room')));
  const [auditor, other] = [await collected(world, 'auditor'), await collected(world, 'other')];
  await world.get(own.add('Lamp'));
  await world.settle();
  expect([auditor.failures, other.failures, other.model.timeline]).toEqual([[], [], []]);
  expect(told(auditor.model)).toEqual(STORY.slice(0, 2));
  const hash = auditor.model.steps('hall')[0]!.record.image;
  expect((await world.get(auditor.peer.image(hash))).length).toBeGreaterThan(100);
  expect(await world.refusal(other.peer.image(hash))).toBe('UNKNOWN_IMAGE');
});

test('[TOOL-20] [VIEW-9] and that of the steps before its schema grew, also when it comes later', async () => {
  const world = new World();
  await story(world, policy);
  const [auditor, other] = [await collected(world, 'auditor'), await collected(world, 'other')];
  expect([auditor.failures, told(auditor.model)]).toEqual([[], STORY]);
  const [first] = auditor.model.steps('hall');
  expect(await world.refusal(other.peer.image(first!.record.image))).toBe('UNKNOWN_IMAGE');
});

test('[TOOL-20] what is dropped from the front of a trace stays as a state, also right before the schema grew', async () => {
  const core = await testCore();
  const before = new Recorder(core, young, { instance: 'hall', peer: 'server' });
  before.step(mutation('add', ['Lamp']), { peer: 'tab', n: 1 }, 1_010);
  const behind = new Recorder(core, grown, { instance: 'hall', peer: 'server', epoch: 2, continues: before });
  for (let n = 2; n < 40; n++) behind.step(mutation(n % 2 === 0 ? 'add' : 'remove', ['Up']), { peer: 'tab', n }, 1_010 + n);
  for (const stepMax of [40, 36, 20]) {
    const model = new TraceModel(core, { ...TRACE_LIMITS, stepMax });
    for (const { image } of [before, behind]) model.addImage(image);
    for (const record of [...before.records, ...behind.records]) model.add(record);
    const read = new TraceModel(core);
    read.import(model.export());
    for (const each of [model, read]) {
      const last = each.steps('hall').at(-1)!;
      expect(each.view(last).after.state).toEqual(behind.describe().state);
      const first = each.view(each.steps('hall')[0]!);
      expect(first.before?.seq).toBe(first.entry.record.step.seq - 1 || undefined);
    }
  }
});

test('[TOOL-20] an image that nobody has any more is named, and what does not need it is shown', async () => {
  const core = await testCore();
  const before = new Recorder(core, young, { instance: 'hall', peer: 'server' });
  const behind = new Recorder(core, grown, { instance: 'hall', peer: 'server', epoch: 2, continues: before });
  behind.step(mutation('add', ['Lamp']), { peer: 'tab', n: 2 }, 1_020);
  const model = new TraceModel(core);
  model.addImage(behind.image);
  for (const record of [...before.records, ...behind.records]) model.add(record);
  const [old, first] = model.steps('hall');
  expect(() => model.view(old!)).toThrow(`image ${before.machine.hash} is not in this trace`);
  expect(() => model.view(first!)).toThrow(`image ${before.machine.hash} is not in this trace`);
  model.addState(behind.describe());
  const { before: was, after } = model.view(first!);
  expect([was, after.seq]).toEqual([undefined, 2]);
});
