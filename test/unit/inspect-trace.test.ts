// Plain XState programs in the trace model, fed with what Stately's own inspector says of a running one.

import { beforeEach, describe, expect, test } from 'vitest';
import type { InspectMessage, InspectRecord } from '../../peer/inspect/protocol.ts';
import { readInspectMessage } from '../../peer/inspect/read.ts';
import { DefinitionChart } from '../../tools/trace/definition-chart.ts';
import type { Entry } from '../../tools/trace/entry.ts';
import { TRACE_LIMITS, TraceModel } from '../../tools/trace/model.ts';
import { instanceText, movementOf } from '../../tools/trace/viewer/text.ts';
import { Store } from '../../tools/trace/viewer/store.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';
import { Recorder } from '../support/recorder.ts';
import { recordsOf, runProgram } from '../support/xstate-program.ts';

const core = await testCore();
const messages = await runProgram();
const records = recordsOf(messages.map((message) => readInspectMessage(message)!));

let model: TraceModel;
beforeEach(() => {
  model = new TraceModel(core);
});

function feed(all: readonly InspectRecord<InspectMessage>[], to = model): void {
  for (const record of all) to.add(record);
}

/** One line per entry: what, whose, from whom. */
function lines(of = model): string[] {
  return of.timeline.map(
    (entry) => `${entry.record.step.cause.event.type} ${instanceText(of, entry.record.step.instance)} ${originLine(of, entry)}`,
  );
}

function originLine(of: TraceModel, entry: Entry): string {
  const origin = of.origin(entry);
  if (origin.kind === 'actor') return `← ${instanceText(of, origin.instance)} ${origin.step?.record.step.cause.event.type ?? ''}`;
  if (origin.kind === 'timer') return `timer of ${origin.step?.record.step.cause.event.type ?? 'nothing'}`;
  return origin.kind;
}

function find(type: string, name: string): Entry {
  const found = model.timeline.find(({ record, told }) => record.step.cause.event.type === type && told?.actor.name === name);
  if (found === undefined) throw new Error(`no ${type} of ${name}`);
  return found;
}

const EXPECTED = [
  'xstate.init door x:0 start',
  'xstate.init bell x:1 ← door x:0 xstate.init',
  'KNOCK door x:0 program',
  'RING bell x:1 ← door x:0 KNOCK',
  'xstate.init ask x:2 ← door x:0 KNOCK',
  'xstate.promise.resolve ask x:2 ← ask x:2 xstate.init',
  'xstate.done.actor.ask door x:0 ← ask x:2 xstate.promise.resolve',
  'xstate.after.10.bell.ringing bell x:1 timer of RING',
  'NOTHING door x:0 program',
  'CLOSE door x:0 program',
];

describe('the order', () => {
  test('[INSPECT-9] event and snapshot are one entry, in the order of the program, with the actor that sent it', () => {
    feed(records);
    expect(lines().slice(0, EXPECTED.length)).toEqual(EXPECTED);
    expect(model.peerName('inspect-a')).toBe('door (XState)');
    expect(new Set(model.instances)).toEqual(new Set(['inspect-a/x:0', 'inspect-a/x:1', 'inspect-a/x:2']));
  });

  test('[INSPECT-9] whatever order messages arrive in, and however often, the entries are the same', () => {
    feed(records);
    const whole = JSON.stringify(model.timeline.map(({ id, record, moment }) => [id, record, moment]));
    const seed = seedOf('inspect-arrival');
    const dice = random(seed);
    for (let run = 0; run < 30; run++) {
      const mixed = [...records, ...records.slice(3, 9)];
      for (let i = mixed.length - 1; i > 0; i--) {
        const j = dice.below(i + 1);
        [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
      }
      const other = new TraceModel(core);
      feed(mixed, other);
      expect(JSON.stringify(other.timeline.map(({ id, record, moment }) => [id, record, moment])), `SEED=${seed} run ${run}`).toBe(whole);
    }
  });

  test('[INSPECT-9] programs and our own steps stand in one order by their clocks', () => {
    feed(records);
    const knock = find('KNOCK', 'door');
    const own = new Recorder(core, { id: 'own', initial: 'a', states: { a: {} } }, { instance: 'own', peer: 'server', at: 1_000 });
    model.addImage(own.image);
    model.add(own.records[0]!);
    expect(model.timeline[0]!.id).toBe('own@1#1');
    expect(model.timeline.indexOf(knock)).toBe(3);
    expect(model.neighbour(knock, -1)?.id).toBe('inspect-a/x:0@1#3');
  });
});

describe('the state', () => {
  test('[INSPECT-10] before and after: the value lit on the chart of the definition, and what changed in the context', () => {
    feed(records);
    const { before, after, chart, clocks, patch } = model.view(find('xstate.done.actor.ask', 'door'));
    const lit = (ticks: readonly number[]): string[] =>
      chart.states.filter(({ number }) => (ticks[number] ?? 0) % 2 === 1).map(({ id }) => id);
    expect(lit(before!.state.clocks)).toEqual(['door', 'door.asking']);
    expect(lit(after.state.clocks)).toEqual(['door', 'door.open', 'door.open.wide']);
    expect([before!.state.context, after.state.context]).toEqual([
      { visits: 1, who: null },
      { visits: 1, who: 'a friend' },
    ]);
    expect(patch).toEqual([{ op: 'replace', path: '/who', value: 'a friend' }]);
    expect(clocks.map(([state, was, is]) => [chart.path(state), was, is])).toEqual([
      ['asking', 1, 2],
      ['open', 0, 1],
      ['open.wide', 0, 1],
    ]);
    expect(chart.states.find(({ id }) => id === 'door.open.wide')?.tags).toEqual(['draughty']);
    expect(movementOf(model, find('CLOSE', 'door'))).toEqual({ left: 'open.wide', entered: 'closed', context: '' });
    expect(model.explain(find('CLOSE', 'door'))).toEqual([]);
  });

  test('[INSPECT-10] an actor that is no machine is one box; a promise has its output', () => {
    feed(records);
    const { chart, after, entry } = model.view(find('xstate.promise.resolve', 'ask'));
    expect(chart.states.map(({ id, kind }) => [id, kind])).toEqual([['ask', 'atomic']]);
    expect([after.state.status, entry.record.step.output]).toEqual(['done', 'a friend']);
  });

  test('[INSPECT-10] until its snapshot comes an entry shows the state before it', () => {
    const knock = records.findIndex(({ message }) => message.type === '@xstate.snapshot' && message.event.type === 'KNOCK');
    feed(records.slice(0, knock));
    const entry = find('KNOCK', 'door');
    expect([model.isDrawable(entry), model.view(entry).after.value]).toEqual([false, 'closed']);
    model.add(records[knock]!);
    expect([model.isDrawable(entry), model.view(entry).after.value]).toEqual([true, 'asking']);
  });

  test('[INSPECT-10] of an actor that was there before we looked, what moved is not made up', () => {
    feed(records.filter(({ n, message }) => message.type === '@xstate.actor' || n > 8));
    const first = model.timeline.find(({ told }) => told?.actor.name === 'door')!;
    const { before, clocks } = model.view(first);
    expect([before, clocks]).toEqual([undefined, []]);
  });
});

describe('definitions', () => {
  test('[INSPECT-10] targets by key, by path, relative and by id; always, timers, completions, guards', () => {
    const chart = new DefinitionChart(
      JSON.stringify({
        id: 'm',
        initial: 'a',
        on: { RESET: '.a', GONE: '#far' },
        states: {
          a: {
            on: {
              GO: [
                { guard: { type: 'isReady' }, target: 'b.inner' },
                { guard: { type: '' }, target: '#deep.x' },
              ],
              STAY: { actions: 'say' },
            },
            always: 'b',
          },
          b: {
            id: 'deep',
            onDone: 'a',
            after: { 100: { target: 'h' } },
            states: { inner: {}, x: { type: 'final' } },
            invoke: { src: 's', onError: 'a' },
          },
          h: { type: 'history' },
        },
      }),
      'unused',
    );
    expect(chart.transitions.map(({ number }) => chart.describe(number))).toEqual([
      'm —RESET→ a',
      'm —GONE→ #far',
      'a —always→ b',
      'a —GO [isReady]→ b.inner',
      'a —GO [guard]→ b.x',
      'a —STAY→ (stays)',
      'b —after 100 ms→ h',
      'b —done deep→ a',
      'b —error 0.deep→ a',
    ]);
    expect(chart.states.map(({ id }) => id)).toEqual(['m', 'm.a', 'deep', 'm.b.inner', 'm.b.x']);
    expect([...chart.active({ b: 'x' })]).toEqual([0, 2, 4]);
  });

  test('[INSPECT-10] what is cut off, or no definition at all, is drawn as far as it can be read', () => {
    const shapes = [
      '',
      'null',
      '[1]',
      '"text"',
      '{"id":7}',
      '{"states":[1,2]}',
      '{"states":{"a":"[Object]"},"on":"[Object]"}',
      '{"states":{"a":null}}',
    ];
    for (const text of shapes) {
      const chart = new DefinitionChart(text, 'actor');
      expect(chart.states[0], text).toMatchObject({ id: 'actor', number: 0, parent: -1 });
      expect([...chart.active({ zz: { y: 'x' } })], text).toEqual([0]);
    }
    expect(new DefinitionChart('{"states":{"a":"[Object]"}}', 'actor').states.map(({ key }) => key)).toEqual(['actor', 'a']);
    const whole = JSON.stringify(JSON.parse(messages.find(({ type }) => type === '@xstate.actor')!['definition' as never]) as unknown);
    for (let end = 0; end < whole.length; end++) expect(new DefinitionChart(whole.slice(0, end), 'door').states).toHaveLength(1);
  });
});

describe('memory and files', () => {
  test('[INSPECT-9] the oldest entries go first and leave what the next ones continue', () => {
    const small = new TraceModel(core, { ...TRACE_LIMITS, stepMax: 6 });
    feed(records, small);
    expect(small.timeline.length).toBeLessThanOrEqual(6);
    const first = small.timeline.find(({ told }) => told?.actor.name === 'door')!;
    feed(records);
    const same = model.find(first.id)!;
    expect(small.view(first).before).toEqual(model.view(same).before);
    expect(small.view(first).after).toEqual(model.view(same).after);
    // What was forgotten does not come back.
    const count = small.timeline.length;
    feed(records, small);
    expect(small.timeline).toHaveLength(count);
  });

  test('[INSPECT-11] a program survives export and import, beside our own steps', () => {
    feed(records);
    const own = new Recorder(core, { id: 'own', initial: 'a', states: { a: {} } }, { instance: 'own', peer: 'server', at: 1_000 });
    model.addImage(own.image);
    model.add(own.records[0]!);
    const text = model.export();
    const other = new TraceModel(core);
    other.import(text);
    expect(lines(other)).toEqual(lines());
    expect(other.export()).toBe(text);
    expect(other.import(text)).toBe(0);
  });

  test('[INSPECT-11] a file of bare messages is a program; the same file twice counts once', () => {
    const text = `${messages.map((message) => JSON.stringify(message)).join('\n')}\n`;
    expect(model.import(text)).toBe(messages.length);
    expect(lines().slice(0, EXPECTED.length)).toEqual(EXPECTED);
    expect(model.import(text)).toBe(0);
    expect(() => new TraceModel(core).import(`${text}{"type":"@xstate.event","_version":"1","createdAt":"x","sessionId":"x:0"}`)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining(`line ${messages.length + 1}`) as string }) as Error,
    );
  });

  test('[INSPECT-11] thousands of messages of one moment are placed without trouble', () => {
    const many: InspectMessage[] = Array.from({ length: 20_000 }, (_, i) => ({
      type: '@xstate.event',
      _version: '0.7.2',
      createdAt: '5',
      id: null,
      sessionId: `x:${i % 3}`,
      event: { type: `E${i}` },
    }));
    feed(recordsOf(many));
    expect(model.timeline.map(({ record }) => record.step.seq)).toEqual(many.map((_, i) => i + 1));
  });
});

test('[INSPECT-12] stepping within an actor, filters by actor and by text work as for our own steps', () => {
  feed(records);
  const store = new Store(model, () => undefined);
  store.setFilter({ instance: 'inspect-a/x:1' });
  expect(store.rows.map(({ id }) => id)).toEqual(model.steps('inspect-a/x:1').map(({ id }) => id));
  store.setFilter({ text: 'a friend' });
  expect(store.rows.length).toBeGreaterThan(0);
  store.setFilter({});
  store.select(find('CLOSE', 'door').id);
  store.step(-1, 'instance');
  expect(store.selected?.id).toBe(find('NOTHING', 'door').id);
  store.step(-1, 'all');
  expect(store.selected?.id).toBe(find('xstate.after.10.bell.ringing', 'bell').id);
});
