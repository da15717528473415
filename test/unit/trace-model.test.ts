// The trace model, fed with steps that real instances made.

import { assign, raise, setup } from 'xstate';
import { beforeEach, describe, expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';
import type { DivergenceRecord, TraceRecord } from '../../peer/wire.ts';
import { matches } from '../../tools/trace/filter.ts';
import { TRACE_LIMITS, TraceModel } from '../../tools/trace/model.ts';
import { testCore } from '../support/core.ts';
import { type Random, random as randomOf, seedOf } from '../support/random.ts';
import { Recorder } from '../support/recorder.ts';

/** Guards, assigns, regions, history, always, a timer, a raise and effects, all small. */
const lamp = setup({
  types: {} as {
    context: { count: number; by: string | null };
    events: { type: 'PRESS'; by?: string } | { type: 'BREAK' } | { type: 'FIX' } | { type: 'PING' };
  },
  guards: { hasPower: ({ context }) => context.count < 3, isNobody: ({ event }) => (event as { by?: string }).by === '' },
  actions: { say: () => undefined },
}).createMachine({
  id: 'lamp',
  type: 'parallel',
  context: { count: 0, by: null },
  states: {
    light: {
      initial: 'off',
      states: {
        off: {
          on: {
            PRESS: [
              { guard: 'isNobody', target: 'broken' },
              {
                guard: 'hasPower',
                target: 'on',
                actions: [
                  assign({ count: ({ context }) => context.count + 1, by: ({ event }) => (event as { by?: string }).by ?? null }),
                  'say',
                ],
              },
            ],
          },
        },
        on: { on: { PRESS: 'off' }, after: { 500: 'off' } },
        broken: { always: { target: 'off', guard: ({ context }) => context.count > 100 }, on: { FIX: 'back' } },
        back: { type: 'history' },
      },
      on: { BREAK: '.broken' },
    },
    meter: {
      initial: 'low',
      states: { low: { on: { PRESS: { target: 'high', actions: raise({ type: 'PING' }) } } }, high: { on: { PING: { actions: 'say' } } } },
    },
  },
});

let core: Core;
let model: TraceModel;
beforeEach(async () => {
  core = await testCore();
  model = new TraceModel(core);
});

function lampWith(instance: string, peer: string, at = 1_000): Recorder {
  return new Recorder(core, lamp, { instance, peer, at });
}

function feed(recorders: readonly Recorder[], to = model): void {
  for (const { records, image } of recorders) {
    to.addImage(image);
    for (const record of records) to.add(record);
  }
}

function ids(of = model): string[] {
  return of.timeline.map(({ id }) => id);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  const result: T[] = [];
  while (left.length > 0) result.push(...left.splice(random.below(left.length), 1));
  return result;
}

describe('the order', () => {
  test('[TOOL-5] steps of all peers stand by time, those of one instance always by seq', () => {
    const a = lampWith('a', 'server', 1_000);
    const b = lampWith('b', 'server', 1_005);
    a.step({ type: 'PRESS' }, { peer: 'tab', n: 1 }, 1_010);
    // The clock of the authority went back: seq decides, and what follows in time stays behind it.
    b.step({ type: 'PRESS' }, { peer: 'tab', n: 2 }, 1_001);
    feed([a, b]);
    expect(ids()).toEqual(['a@1#1', 'b@1#1', 'b@1#2', 'a@1#2']);
  });

  test('[TOOL-5] a step comes after the one whose effect sent its event, also within one millisecond', () => {
    const talker = lampWith('talker', 'zoe', 1_000);
    const hearer = lampWith('hearer', 'ann', 1_000);
    talker.step({ type: 'PRESS' }, { peer: 'tab', n: 1 }, 1_010);
    hearer.step({ type: 'PRESS' }, { peer: 'zoe', n: 9 }, 1_010);
    feed([hearer, talker]);
    expect(ids().slice(2)).toEqual(['talker@1#2', 'hearer@1#2']);
    expect(model.origin(model.find('hearer@1#2')!)).toEqual({ kind: 'peer', peer: 'zoe', n: 9, step: model.find('talker@1#2') });
  });

  test('[TOOL-5] two machines that answer each other within one millisecond are no circle', () => {
    const ping = lampWith('ping', 'p', 1_000);
    const pong = lampWith('pong', 'q', 1_000);
    ping.step({ type: 'PRESS' }, { peer: 'q', n: 1 }, 1_010);
    pong.step({ type: 'PRESS' }, { peer: 'p', n: 1 }, 1_010);
    feed([ping, pong]);
    const sources = ['ping@1#2', 'pong@1#2'].map((id) => model.find(id)!.source?.id);
    expect(sources.filter((source) => source !== undefined)).toHaveLength(1);
    expect(ids()).toHaveLength(4);
  });

  test('[TOOL-5] a step without effects, a later one, and one too long ago are no sources', () => {
    const talker = lampWith('talker', 'zoe', 1_000);
    talker.step({ type: 'BREAK' }, { peer: 'tab', n: 1 }, 1_010);
    const hearer = lampWith('hearer', 'ann', 1_000);
    hearer.step({ type: 'PRESS' }, { peer: 'zoe', n: 1 }, 1_020);
    talker.step({ type: 'FIX' }, { peer: 'tab', n: 2 }, 1_030);
    talker.step({ type: 'PRESS' }, { peer: 'tab', n: 3 }, 1_040);
    hearer.step({ type: 'PRESS' }, { peer: 'zoe', n: 2 }, 9_000);
    feed([talker, hearer]);
    expect(['hearer@1#2', 'hearer@1#3'].map((id) => model.find(id)!.source)).toEqual([undefined, undefined]);
  });

  test('[TOOL-5] the order does not depend on the order of arrival; what arrives twice counts once', () => {
    const seed = seedOf('trace order');
    const random = randomOf(seed);
    const recorders = ['a', 'b', 'c'].map((name, i) => lampWith(name, `peer-${name}`, 1_000 + i));
    let at = 1_010;
    for (let n = 1; n <= 120; n++) {
      const recorder = recorders[random.below(3)]!;
      at += random.below(3) === 0 ? 0 : random.below(5) - 1;
      const type = ['PRESS', 'BREAK', 'FIX'][random.below(3)]!;
      recorder.step({ type }, { peer: `peer-${['a', 'b', 'c', 'd'][random.below(4)]!}`, n }, at);
    }
    feed(recorders);
    const expected = model.timeline.map(({ id, source }) => [id, source?.id]);
    const records = recorders.flatMap((recorder) => recorder.records);
    for (let round = 0; round < 5; round++) {
      const other = new TraceModel(core);
      for (const record of shuffled([...records, ...records], random)) {
        other.add(record);
        if (random.below(4) === 0) expect(other.timeline.length).toBeGreaterThan(0);
      }
      expect(
        other.timeline.map(({ id, source }) => [id, source?.id]),
        `SEED=${seed}`,
      ).toEqual(expected);
    }
    model.timeline.forEach(({ record: { step }, source, index }, position) => {
      expect(index).toBe(position);
      const before = model.find(`${step.instance}@1#${step.seq - 1}`);
      if (before !== undefined) expect(before.index).toBeLessThan(position);
      if (source !== undefined) expect(source.index).toBeLessThan(position);
    });
  });

  test('[TOOL-5] a timer leads back to the step that started it', () => {
    const a = lampWith('a', 'server');
    a.step({ type: 'PRESS', by: 'x' }, { peer: 'tab', n: 1 }, 1_010);
    a.step({ type: 'FIX' }, { peer: 'tab', n: 2 }, 1_020);
    a.step({ type: a.machine.symbols.timers[0]! }, { peer: 'server', n: 0 }, 1_510);
    feed([a]);
    expect(model.origin(model.find('a@1#4')!)).toEqual({ kind: 'timer', step: model.find('a@1#2') });
    expect(model.origin(model.find('a@1#1')!)).toEqual({ kind: 'start', peer: 'server' });
  });
});

describe('the state at a step', () => {
  test('[TOOL-6] is the instance as it was, at every step, with what the step changed', () => {
    const a = lampWith('a', 'server');
    const digests = [a.digest];
    const states = [a.describe().state];
    for (let n = 1; n < 200; n++) {
      a.step({ type: ['PRESS', 'BREAK', 'FIX'][n % 3]!, by: `p${n}` }, { peer: 'tab', n }, 1_000 + n);
      digests.push(a.digest);
      states.push(a.describe().state);
    }
    feed([a]);
    for (const seq of [200, 1, 2, 199, 64, 65, 128, 100]) {
      const view = model.view(model.find(`a@1#${seq}`)!);
      expect(view.after.state).toEqual(states[seq - 1]);
      expect(view.before?.state).toEqual(states[seq - 2]);
      const moved = states[seq - 1]!.clocks.flatMap((ticks, state) =>
        ticks === (states[seq - 2]?.clocks[state] ?? 0) ? [] : [[state, states[seq - 2]?.clocks[state] ?? 0, ticks]],
      );
      expect(view.clocks).toEqual(moved);
    }
    expect(digests).toHaveLength(200);
  });

  test('[TOOL-6] needs what its authority says now, when the beginning is out of reach; before that it says what is missing', () => {
    const a = lampWith('a', 'server');
    for (let n = 1; n < 10; n++) a.step({ type: 'PRESS' }, { peer: 'tab', n }, 1_000 + n);
    const now = a.describe();
    for (let n = 10; n < 20; n++) a.step({ type: 'PRESS' }, { peer: 'tab', n }, 1_000 + n);
    model.addImage(a.image);
    for (const record of a.records.slice(6)) model.add(record);
    const last = model.find('a@1#20')!;
    expect(() => model.view(last)).toThrow('step 6 of a is not in this trace');
    expect(model.isRooted(model.find('a@1#7')!.record.step)).toBe(false);
    model.addState(now);
    expect(model.view(last).after.state).toEqual(a.describe().state);
    expect(model.view(model.find('a@1#10')!).after.state).toEqual(now.state);
    expect(() => model.view(model.find('a@1#9')!)).toThrow(LockstepError);
  });

  test('[TOOL-6] without the image it says so', () => {
    const a = lampWith('a', 'server');
    model.add(a.records[0]!);
    expect(() => model.view(model.find('a@1#1')!)).toThrow(`image ${a.machine.hash} is not in this trace`);
    expect(() => model.addImage({ image: '0000000000000000', bytes: a.image.bytes })).toThrow('asked for image');
    expect(() => model.addImage({ image: '0000000000000000', bytes: 'A' })).toThrow('expected base64');
  });
});

describe('why', () => {
  const why = (id: string) => {
    const entry = model.find(id)!;
    const { chart } = model.view(entry);
    return model.explain(entry).map(({ event, candidates, taken, left, entered, actions }) => ({
      event,
      taken: taken.map((transition) => chart.describe(transition)),
      not: candidates
        .filter(({ verdict }) => verdict !== 'taken' && verdict !== 'inactive')
        .map(({ transition, verdict }) => `${chart.describe(transition)}: ${verdict}`),
      moved: [...left.map((state) => `-${chart.path(state)}`), ...entered.map((state) => `+${chart.path(state)}`)].join(' '),
      actions: actions.map(({ kind, name }) => `${kind} ${name}`),
    }));
  };

  test('[TOOL-7] names the transitions taken in each microstep, and the guards that said no', () => {
    const a = lampWith('a', 'server');
    a.step({ type: 'PRESS', by: 'Ann' }, { peer: 'tab', n: 1 }, 1_010);
    feed([a]);
    const [first, ...rest] = why('a@1#2');
    expect(first).toEqual({
      event: 'PRESS',
      taken: ['light.off —PRESS [hasPower]→ light.on', 'meter.low —PRESS→ meter.high'],
      not: ['light.off —PRESS [isNobody]→ light.broken: refused'],
      moved: '-meter.low -light.off +light.on +meter.high',
      actions: expect.arrayContaining(['effect say']),
    });
    expect(rest).toEqual([expect.objectContaining({ event: 'PING', taken: ['meter.high —PING→ (stays)'], actions: ['effect say'] })]);
  });

  test('[TOOL-7] an ignored event shows who could have taken it and why not', () => {
    const a = lampWith('a', 'server');
    for (let n = 1; n <= 6; n++) a.step({ type: 'PRESS', by: 'Ann' }, { peer: 'tab', n }, 1_000 + n);
    const ignored = a.step({ type: 'PRESS', by: 'Ann' }, { peer: 'tab', n: 7 }, 1_100);
    expect(ignored.step.ignored).toBe(true);
    feed([a]);
    expect(why('a@1#8')[0]).toEqual({
      event: 'PRESS',
      taken: [],
      not: ['light.off —PRESS [isNobody]→ light.broken: refused', 'light.off —PRESS [hasPower]→ light.on: refused'],
      moved: '',
      actions: [],
    });
  });

  test('[TOOL-7] an always that was asked and refused is a microstep of its own', () => {
    const a = lampWith('a', 'server');
    a.step({ type: 'BREAK' }, { peer: 'tab', n: 1 }, 1_010);
    feed([a]);
    const [first, second] = why('a@1#2');
    expect(first).toMatchObject({ event: 'BREAK', taken: ['light —BREAK→ light.broken'] });
    expect(second).toMatchObject({ event: 'always', taken: [] });
    expect(second!.not).toEqual(['light.broken —always [guard]→ light.off: refused']);
  });

  test('[TOOL-7] explaining changes nothing: the same question has the same answer', () => {
    const a = lampWith('a', 'server');
    a.step({ type: 'PRESS' }, { peer: 'tab', n: 1 }, 1_010);
    feed([a]);
    expect(why('a@1#2')).toEqual(why('a@1#2'));
    expect(why('a@1#1')[0]).toMatchObject({ event: 'xstate.init', moved: '+lamp +light +light.off +meter +meter.low' });
  });
});

describe('bounds', () => {
  test('[TOOL-8] the oldest steps go first, and what came of them stays to fold the rest from', () => {
    const small = new TraceModel(core, { ...TRACE_LIMITS, stepMax: 50 });
    const a = lampWith('a', 'server');
    const b = lampWith('b', 'server');
    for (let n = 1; n < 300; n++) (n % 3 === 0 ? b : a).step({ type: ['PRESS', 'BREAK', 'FIX'][n % 2]! }, { peer: 'tab', n }, 1_000 + n);
    const records = [...a.records, ...b.records].sort((x, y) => x.step.at - y.step.at);
    small.addImage(a.image);
    for (const record of records) {
      small.add(record);
      expect(small.timeline.length).toBeLessThanOrEqual(50);
    }
    expect(small.timeline.map(({ id }) => id)).toEqual(idsOf(records).slice(-small.timeline.length));
    expect(small.view(small.steps('a').at(-1)!).after.state).toEqual(a.describe().state);
    expect(small.view(small.steps('b').at(-1)!).after.state).toEqual(b.describe().state);
    expect(small.view(small.steps('a')[0]!).before).toBeDefined();
  });

  test('[TOOL-8] size counts too, and so do instances and divergences', () => {
    const small = new TraceModel(core, { ...TRACE_LIMITS, sizeMax: 5_000, divergenceMax: 3, instanceMax: 4 });
    const a = lampWith('a', 'server');
    small.addImage(a.image);
    for (let n = 1; n < 100; n++) small.add(a.step({ type: 'PRESS', by: 'x'.repeat(300) }, { peer: 'tab', n }, 1_000 + n));
    expect(small.timeline.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(5_000);
    expect(small.timeline.length).toBeGreaterThan(0);
    for (let i = 0; i < 10; i++) {
      small.add(divergence(`d${i}`));
      small.addState({ ...a.describe(), instance: `i${i}` });
    }
    expect(small.divergences.map(({ instance }) => instance)).toEqual(['d7', 'd8', 'd9']);
    expect(small.add(divergence('d9'))).toBe(false);
  });
});

describe('files', () => {
  test('[TOOL-9] what is exported and imported shows the same, also when the beginning is missing', () => {
    const a = lampWith('a', 'server');
    const b = lampWith('b', 'tab');
    for (let n = 1; n < 90; n++) (n % 2 === 0 ? b : a).step({ type: 'PRESS' }, { peer: 'tab', n }, 1_000 + n);
    const small = new TraceModel(core, { ...TRACE_LIMITS, stepMax: 40 });
    small.addPeer({ peer: 'tab', name: 'Ann', kind: 'browser', hosts: true, eval: false });
    feed([a, b], small);
    small.add(divergence('a'));
    const other = new TraceModel(core);
    expect(other.import(small.export())).toBe(small.timeline.length);
    expect(ids(other)).toEqual(ids(small));
    expect(other.divergences).toEqual(small.divergences);
    expect(other.peerName('tab')).toBe('Ann');
    for (const entry of small.timeline) {
      expect(other.view(other.find(entry.id)!).after).toEqual(small.view(entry).after);
      expect(other.explain(other.find(entry.id)!)).toEqual(small.explain(entry));
    }
    expect(other.export()).toBe(small.export());
    expect(other.import(small.export())).toBe(0);
  });

  test.each([
    ['', 'BAD_VERSION', 'does not begin'],
    ['{"kind":"step"}', 'BAD_VERSION', 'does not begin'],
    ['{"kind":"lockstep-trace","format":99}', 'BAD_VERSION', 'format 99'],
    ['{"kind":"lockstep-trace","format":1}\n{"kind":"step"}', 'MALFORMED', 'line 2'],
    ['{"kind":"lockstep-trace","format":1}\n\n{"kind":"nothing"}', 'MALFORMED', 'line 3'],
    ['{"kind":"lockstep-trace","format":1}\n{', 'MALFORMED', 'not JSON'],
    ['{"kind":"lockstep-trace","format":1}\n{"kind":"image","image":{"image":"00","bytes":"AAAA"}}', 'BAD_IMAGE', ''],
    ['{"kind":"lockstep-trace","format":1}\n{"kind":"peer","peer":{}}', 'MALFORMED', 'line 2'],
    ['{"kind":"lockstep-trace","format":1}\n{"kind":"state","state":{"image":"a","bytes":""}}', 'MALFORMED', 'line 2'],
  ])('[TOOL-9] the file %j is refused with a code and changes nothing', (text, code, sentence) => {
    const { version } = model;
    try {
      model.import(text);
      expect.unreachable('it was taken in');
    } catch (error) {
      expect(error).toBeInstanceOf(LockstepError);
      expect((error as LockstepError).code).toBe(code);
      expect((error as LockstepError).message).toContain(sentence);
    }
    expect(model.version).toBe(version);
  });

  test('[TOOL-9] a file that is cut off anywhere is refused or holds the lines that are whole', () => {
    const a = lampWith('a', 'server');
    a.step({ type: 'PRESS' }, { peer: 'tab', n: 1 }, 1_010);
    feed([a]);
    const text = model.export();
    for (let size = 0; size < text.length; size += 37) {
      const other = new TraceModel(core);
      try {
        other.import(text.slice(0, size));
      } catch (error) {
        expect(error).toBeInstanceOf(LockstepError);
      }
      expect(other.timeline.length).toBeLessThanOrEqual(2);
    }
  });
});

test('[TOOL-10] a filter keeps what is of that peer, instance, event or text', () => {
  const a = lampWith('a', 'server');
  const b = lampWith('b', 'tab');
  a.step({ type: 'PRESS', by: 'Ann' }, { peer: 'tab', n: 1 }, 1_010);
  a.step({ type: 'FIX' }, { peer: 'other', n: 1 }, 1_020);
  feed([a, b]);
  const shown = (filter: Parameters<typeof matches>[1]): string[] =>
    model.timeline.filter((entry) => matches(entry, filter)).map(({ id }) => id);
  expect(shown({})).toEqual(ids());
  expect(shown({ peer: 'tab' })).toEqual(['b@1#1', 'a@1#2']);
  expect(shown({ instance: 'a', event: 'FIX' })).toEqual(['a@1#3']);
  expect(shown({ text: 'ANN' })).toEqual(['a@1#2']);
  expect(shown({ hideIgnored: true })).toEqual(['a@1#1', 'b@1#1', 'a@1#2']);
  expect(shown({ peer: '', instance: '', event: '', text: '' })).toEqual(ids());
});

function idsOf(records: readonly TraceRecord[]): string[] {
  return records.map(({ step }) => `${step.instance}@${step.epoch}#${step.seq}`);
}

function divergence(instance: string): DivergenceRecord {
  return {
    kind: 'divergence',
    peer: 'tab',
    instance,
    image: '00',
    seq: 3,
    ours: '0'.repeat(16),
    theirs: '1'.repeat(16),
    good: { seq: 1, state: { status: 'active', clocks: [1], history: [], context: {}, timers: [] } },
    steps: [],
  };
}
