// The parts of the viewer that need no page: what is selected and followed, the address, the lines of a context, small texts.

import { createMachine } from 'xstate';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../core/json.ts';
import type { DivergenceRecord } from '../../peer/wire.ts';
import { TraceModel } from '../../tools/trace/model.ts';
import { contextRows, ROWS_MAX } from '../../tools/trace/viewer/context-rows.ts';
import { formatHash, parseHash } from '../../tools/trace/viewer/hash.ts';
import { Store } from '../../tools/trace/viewer/store.ts';
import { duration, eventText } from '../../tools/trace/names.ts';
import { testCore } from '../support/core.ts';
import { Recorder } from '../support/recorder.ts';

const lamp = createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: { on: { PRESS: 'off' } } } });

let model: TraceModel;
let store: Store;
let a: Recorder;
let b: Recorder;
let changes: number;

beforeEach(async () => {
  const core = await testCore();
  model = new TraceModel(core);
  changes = 0;
  store = new Store(model, () => changes++);
  a = new Recorder(core, lamp, { instance: 'a', peer: 'server', at: 1_000 });
  b = new Recorder(core, lamp, { instance: 'b', peer: 'server', at: 1_001 });
  model.addImage(a.image);
  for (const record of [...a.records, ...b.records]) model.add(record);
  store.touch();
});

/** One more step of an instance. */
function press(recorder: Recorder, at: number): void {
  model.add(recorder.step({ type: 'PRESS' }, { peer: 'tab', n: at }, at));
  store.touch();
}

describe('what is followed', () => {
  test('[TOOL-13] the newest step is selected while the tail is followed', () => {
    expect(store.selected?.id).toBe('b@1#1');
    press(a, 1_010);
    expect([store.selected?.id, store.isLive, store.newCount]).toEqual(['a@1#2', true, 0]);
    expect(changes).toBe(2);
  });

  test('[TOOL-13] looking at another step lets the tail go; what arrives is counted and moves nothing', () => {
    press(a, 1_010);
    store.select('a@1#1');
    expect(store.isLive).toBe(false);
    press(b, 1_020);
    press(b, 1_030);
    expect([store.selected?.id, store.position, store.newCount]).toEqual(['a@1#1', 0, 2]);
    store.setLive(true);
    expect([store.selected?.id, store.newCount]).toEqual(['b@1#3', 0]);
    store.setLive(false);
    press(b, 1_040);
    expect([store.selected?.id, store.newCount]).toEqual(['b@1#3', 1]);
  });

  test('[TOOL-12] steps go over all instances or stay in one, and end at the ends', () => {
    press(a, 1_010);
    press(b, 1_020);
    press(a, 1_030);
    const walk = (direction: -1 | 1, reach: 'all' | 'instance', count: number): string[] =>
      Array.from({ length: count }, () => {
        store.step(direction, reach);
        return store.selected!.id;
      });
    expect(walk(-1, 'all', 5)).toEqual(['b@1#2', 'a@1#2', 'b@1#1', 'a@1#1', 'a@1#1']);
    expect(walk(1, 'instance', 3)).toEqual(['a@1#2', 'a@1#3', 'a@1#3']);
    store.first();
    expect(store.selected?.id).toBe('a@1#1');
    store.last();
    expect(store.selected?.id).toBe('a@1#3');
  });

  test('[TOOL-12] a link to a step that has not come yet waits for it', () => {
    store.select('a@1#3');
    expect([store.awaited, store.selected, changes]).toEqual(['a@1#3', undefined, 2]);
    press(a, 1_010);
    expect(store.selected).toBeUndefined();
    press(a, 1_020);
    press(a, 1_030);
    expect([store.selected?.id, store.awaited, store.isLive]).toEqual(['a@1#3', undefined, false]);
  });

  test('[TOOL-10] a filter restricts rows and steps; a selection that it hides drops it', () => {
    press(a, 1_010);
    store.setFilter({ instance: 'a' });
    expect(store.rows.map(({ id }) => id)).toEqual(['a@1#1', 'a@1#2']);
    store.select('b@1#1');
    expect([store.selected?.id, store.filter, store.rows.length]).toEqual(['b@1#1', {}, 3]);
  });

  test('[TOOL-15] a divergence stands behind the step that showed it', () => {
    press(a, 1_010);
    press(b, 1_020);
    const record: DivergenceRecord = {
      kind: 'divergence',
      peer: 'tab',
      instance: 'a',
      image: '00',
      seq: 2,
      ours: '0'.repeat(16),
      theirs: '1'.repeat(16),
      good: { seq: 1, state: { status: 'active', clocks: [1], history: [], context: {}, timers: [] } },
      steps: [],
    };
    model.add(record);
    store.touch();
    expect(store.rows.map(({ kind, id }) => (kind === 'step' ? id : kind))).toEqual(['a@1#1', 'b@1#1', 'a@1#2', 'divergence', 'b@1#2']);
    store.setFilter({ instance: 'b' });
    expect(store.rows.map(({ kind }) => kind)).toEqual(['step', 'step']);
  });
});

test('[TOOL-12] the address holds step and filter, and gives them back', () => {
  const links = [
    { step: undefined, filter: {} },
    { step: 'JX4_/bar@17#3', filter: {} },
    { step: 'a@1#2', filter: { peer: 'x y', instance: 'a/b', event: 'ä&=#', text: '100%', hideIgnored: true } },
  ];
  for (const link of links) expect(parseHash(formatHash(link))).toEqual(link);
  expect(formatHash({ step: undefined, filter: { text: '' } })).toBe('');
  expect(parseHash('#%E0%A4%A')).toEqual({ step: undefined, filter: {} });
});

describe('the lines of a context', () => {
  const shown = (before: Json | undefined, after: Json | undefined): string[] =>
    contextRows(before, after).map(
      ({ depth, label, text, mark }) => `${{ same: ' ', added: '+', removed: '-' }[mark]}${'  '.repeat(depth)}${label}${text}`,
    );

  test('[TOOL-12] what changed is marked and what stayed is not', () => {
    expect(shown({ a: 1, b: { c: [1, 2] }, d: 'x' }, { a: 2, b: { c: [1, 2, 3] }, e: null })).toEqual([
      ' {',
      '-  a:1',
      '+  a:2',
      '   b:{',
      '     c:[',
      '       0:1',
      '       1:2',
      '+      2:3',
      '     ]',
      '   }',
      '-  d:"x"',
      '+  e:null',
      ' }',
    ]);
    expect(shown(undefined, { a: [] })).toEqual(['+{', '+  a:[]', '+}']);
    expect(shown([1], { 0: 1 })).toEqual(['-[', '-  0:1', '-]', '+{', '+  0:1', '+}']);
    expect(shown({ a: 1 }, { a: 1 })).toEqual([' {', '   a:1', ' }']);
  });

  test('[TOOL-14] what did not change is folded when it is long, and no context fills the page', () => {
    const long = Array.from({ length: 40 }, (_, i) => i);
    expect(shown({ long, a: 1 }, { long: [...long], a: 2 })).toEqual([' {', '   long:[ 40 unchanged ]', '-  a:1', '+  a:2', ' }']);
    const huge = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]));
    const rows = contextRows(undefined, huge);
    expect(rows).toHaveLength(ROWS_MAX + 1);
    expect(rows.at(-1)?.text).toBe('… 4402 more lines');
  });

  test('[TOOL-12] paths are JSON pointers, own keys only', () => {
    const rows = contextRows({ 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 }, constructor: 1 });
    expect(rows.filter(({ mark }) => mark === 'added').map(({ path }) => path)).toEqual(['/a~1b/~0', '/constructor']);
  });
});

test('[TOOL-12] timers and durations are written for people', () => {
  expect(
    ['PRESS', 'xstate.after.500.lamp.on', 'xstate.after.boredom.foo.attentive', 'xstate.after.15000.foo', 'xstate.done.state.a.b'].map(
      eventText,
    ),
  ).toEqual(['PRESS', 'after 500 ms', 'after boredom', 'after 15 s', 'done a.b']);
  expect([5, 999, 1_500, 90_000, 600_000].map(duration)).toEqual(['5 ms', '999 ms', '1.5 s', '90 s', '10 min']);
});
