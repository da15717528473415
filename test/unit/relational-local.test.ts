// A relational machine that runs here: queue, handlers that throw, waits, signals, saving, growing; and the helpers for schemas.

import { expect, test, vi } from 'vitest';
import { compileMachine, exclusive, extend, fromRelational, groups, inherit, merge, prefixed, type Schema } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import type { HandlerEvent } from '../../core/handlers.ts';
import type { Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { RelationalMachine } from '../../core/relational/local.ts';
import { CANCELLED, EXECUTED, type RelationalOptions } from '../../core/relational/types.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();

type Handlers = Readonly<Record<string, (event: HandlerEvent<Json, RelationalMachine>) => unknown>>;

/** Timers that go off by hand, in the order of their due times. */
function clock(): { readonly environment: RelationalOptions['environment']; advance(ms: number): void } {
  let now = 0;
  const timers = new Set<{ due: number; callback: () => void }>();
  return {
    environment: {
      now: () => now,
      random: () => 0,
      timer: (delay, callback) => {
        const timer = { due: now + delay, callback };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    advance: (ms) => {
      now += ms;
      for (const timer of [...timers].sort((a, b) => a.due - b.due)) {
        if (timer.due > now || !timers.delete(timer)) continue;
        timer.callback();
      }
    },
  };
}

function load(states: Schema, handlers: Handlers = {}, names?: readonly string[]): Machine {
  const config = { dialect: 'relational', id: 'm', states, handlers, ...(names === undefined ? {} : { names }) };
  const image = compileMachine(config);
  return Machine.load(core, image.bytes, bind(image.symbols, config));
}

function start(states: Schema, handlers: Handlers = {}, options: Partial<RelationalOptions> = {}): RelationalMachine {
  return new RelationalMachine(load(states, handlers), { environment: clock().environment, ...options });
}

const ABCD: Schema = { A: {}, B: {}, C: {}, D: {} };

/** Whether a promise has settled, without waiting for it. */
async function settled(promise: Promise<unknown>): Promise<string> {
  const waiting = Promise.resolve('waiting');
  await waiting;
  return Promise.race([
    promise.then(
      () => 'done',
      (error: unknown) => `failed: ${(error as { readonly code?: string }).code ?? String(error)}`,
    ),
    waiting.then(() => waiting).then(() => waiting),
  ]);
}

// ── Queue ────────────────────────────────────────────────────────────────────────────────────────────────────────

test('[REL-13] the first mutation is the second tick; one from a handler waits and is told its own', () => {
  const results: number[] = [];
  const machine = start(ABCD, { BEnter: ({ machine: _ }) => void results.push(machineOf().add('C')) });
  const machineOf = (): RelationalMachine => machine;
  expect([machine.queueTick, machine.set('A'), machine.queueTick]).toEqual([1, EXECUTED, 2]);
  expect([machine.set('B'), results, machine.active]).toEqual([EXECUTED, [4], ['B', 'C']]);
  expect(machine.queueTick).toBe(4);
});

test('[REL-13] an equal mutation that waits is not queued again, unless it has args or is of a Multi state', () => {
  const found: unknown[] = [];
  const machine = start(
    { ...ABCD, M: { multi: true } },
    {
      AState: () => {
        found.push(
          machine.add('B'),
          machine.add('B'),
          machine.add('B'),
          machine.queueLength,
          machine.isQueued('add', 'B'),
          machine.willBe('B'),
        );
        found.push(machine.add('B', { x: 1 }), machine.add('M'), machine.add('M'), machine.queueLength);
        found.push(machine.remove('C'), machine.queueLength);
      },
    },
  );
  machine.add('A');
  expect(found).toEqual([3, EXECUTED, EXECUTED, 1, true, true, 4, 5, 6, 4, 7, 5]);
  expect(machine.tick('M')).toBe(3);
});

test('[REL-13] what nothing could activate is removed without a turn', () => {
  const machine = start(ABCD, { AState: () => void expect([machine.remove('C'), machine.queueLength]).toEqual([EXECUTED, 0]) });
  expect(machine.add('A')).toBe(EXECUTED);
  expect(machine.err).toBeUndefined();
});

test('[REL-13] above the limit a mutation is cancelled, but for a first Exception', () => {
  const found: number[] = [];
  const machine = start(
    { ...ABCD, M: { multi: true } },
    {
      AState: () => {
        for (let i = 0; i < 4; i++) found.push(machine.add('M'));
        found.push(machine.addErr(new Error('full')));
      },
    },
    { queueMax: 3 },
  );
  machine.add('A');
  expect(found).toEqual([3, 4, 5, CANCELLED, 6]);
  expect([machine.is('Exception'), machine.tick('M'), (machine.err as Error).message]).toEqual([true, 5, 'full']);
});

test('[REL-13] a mutation whose signal was aborted before its turn is cancelled', () => {
  const controller = new AbortController();
  const machine = start(ABCD, {
    AState: () => {
      machine.add('B', undefined, { signal: controller.signal });
      controller.abort();
    },
  });
  machine.add('A');
  expect([machine.active, machine.queueTick]).toEqual([['A'], 3]);
});

test('[REL-14] an evaluated function has its turn before what waits, and none inside a handler', async () => {
  const log: string[] = [];
  const { environment, advance } = clock();
  let release = (): void => undefined;
  const machine = start(
    ABCD,
    {
      AState: () => new Promise<void>((resolve) => (release = resolve)),
      BState: () => void log.push('B'),
      CState: () => void machine.eval(() => undefined).then((ran) => log.push(`nested ${ran}`)),
    },
    { environment, handlerTimeoutMs: 5_000 },
  );
  machine.add('A');
  machine.add('B');
  const tick = machine.queueTick;
  const evaluated = machine.eval(() => void log.push(`eval ${machine.queueTick - tick}`));
  release();
  expect(await evaluated).toBe(true);
  await machine.whenQueueEnds();
  machine.add('C');
  await vi.waitFor(() => expect(log).toEqual(['eval 0', 'B', 'nested false']));
  machine.remove('A');
  machine.add('A');
  const never = machine.eval(() => void log.push('never'));
  advance(1_000);
  expect(await never).toBe(false);
  release();
  await machine.whenQueueEnds();
  expect(log).toHaveLength(3);
});

// ── Exceptions ───────────────────────────────────────────────────────────────────────────────────────────────────

const boom = (): never => {
  throw new Error('boom');
};

test.each([
  ['BState', { BState: boom }, 'add A B C', 'A Exception'],
  ['AState', { AState: boom }, 'add A B C', 'Exception'],
  ['CState', { CState: boom }, 'add A B C', 'A B Exception'],
  ['AnyState', { AnyState: boom }, 'add A B C', 'A B C Exception'],
])('[REL-15] %s throws: what it and those behind it made active is taken back', (_name, handlers, call, active) => {
  const machine = start(ABCD, handlers);
  expect(machine.add(call.split(' ').slice(1))).toBe(EXECUTED);
  expect([machine.active.join(' '), (machine.err as Error).message]).toEqual([active, 'boom']);
});

test('[REL-15] BEnd throws: B is active again, and what came in behind it is taken back', () => {
  const log: string[] = [];
  const machine = start(ABCD, {
    AEnd: () => void log.push('AEnd'),
    BEnd: boom,
    CState: () => void log.push('CState'),
    ExceptionState: ({ args }) => void log.push(JSON.stringify(args)),
  });
  machine.add(['A', 'B']);
  machine.set('C');
  expect([machine.active.join(' '), log]).toEqual(['B Exception', ['AEnd', '{"error":"boom","name":"Error"}']]);
});

test('[REL-15] what is taken back takes along what requires it, and relations hold', () => {
  const machine = start({ A: { auto: true, require: 'B' }, B: {}, C: { remove: 'D' }, D: {} }, { BState: boom, CState: boom });
  machine.add('D');
  machine.add('B');
  expect(machine.active).toEqual(['D', 'Exception']);
  machine.remove('Exception');
  machine.add('C');
  expect(machine.active).toEqual(['Exception']);
});

test('[REL-15] a Multi state that begins anew stays what it was', () => {
  let fails = false;
  const machine = start({ M: { multi: true }, Z: {} }, { MState: () => (fails ? boom() : undefined) });
  machine.add('M');
  fails = true;
  machine.add(['M', 'Z']);
  expect(machine.clock()).toEqual({ Exception: 1, M: 3, Z: 2 });
});

test('[REL-15] a negotiation handler throws, or gives a promise: cancelled, then Exception; one that throws about it brings no other', () => {
  const log: string[] = [];
  const machine = start(ABCD, { BEnter: boom, CEnter: () => Promise.resolve(true), ExceptionState: () => (log.push('told'), boom()) });
  machine.add('A');
  expect([machine.add('B'), machine.active.join(' '), log]).toEqual([CANCELLED, 'A Exception', ['told']]);
  machine.remove('Exception');
  expect([machine.add('C'), machine.active.join(' ')]).toEqual([CANCELLED, 'A Exception']);
});

test('[REL-15] an asynchronous final handler keeps the turn until it ends; one that takes too long is an exception', async () => {
  const { environment, advance } = clock();
  let release = (): void => undefined;
  const machine = start(
    ABCD,
    { AState: () => new Promise<void>((resolve) => (release = resolve)), BState: () => new Promise(() => undefined) },
    { environment },
  );
  expect(machine.add(['A'])).toBe(EXECUTED);
  expect([machine.add('C'), machine.is('C')]).toEqual([3, false]);
  release();
  await machine.whenQueueEnds();
  expect(machine.active).toEqual(['A', 'C']);
  machine.add(['B', 'D']);
  advance(99);
  expect(machine.is(['B', 'D'])).toBe(true);
  advance(1);
  await machine.whenQueueEnds();
  expect([machine.active.join(' '), machine.err]).toMatchObject(['A C Exception', { code: 'TIMEOUT' }]);
});

test('[REL-29] one that never ends is given up: what waits is dropped and told so, Exception comes, and then nothing for a moment', async () => {
  const { environment, advance } = clock();
  let release = (): void => undefined;
  const machine = start(
    { ...ABCD, ErrHandlerTimeout: { multi: true } },
    { AState: () => new Promise(() => undefined), BState: () => new Promise<void>((resolve) => (release = resolve)) },
    { environment, handlerTimeoutMs: 20_000, handlerDeadlineMs: 10_000, handlerBackoffMs: 3_000 },
  );
  machine.add('B');
  advance(9_000);
  release();
  await machine.whenQueueEnds();
  advance(60_000);
  expect(machine.active).toEqual(['B']);
  machine.add('A');
  const waits = machine.add('C');
  const told = machine.whenQueue(waits);
  advance(9_999);
  expect([machine.queueLength, machine.is('Exception')]).toEqual([1, false]);
  advance(1);
  await told;
  // The turn of A goes on until its own time is up.
  advance(9_999);
  await settled(machine.whenQueueEnds());
  expect([machine.not('C'), machine.add('D')]).toEqual([true, 6]);
  advance(1);
  await machine.whenQueueEnds();
  expect([machine.active.join(' '), machine.err]).toMatchObject(['B D ErrHandlerTimeout Exception', { code: 'TIMEOUT' }]);
});

test('[REL-29] while it rests every mutation is cancelled', async () => {
  const { environment, advance } = clock();
  const machine = start(ABCD, { AState: () => new Promise(() => undefined) }, { environment });
  machine.add('A');
  advance(100);
  await machine.whenQueueEnds();
  expect([machine.active, machine.add('B')]).toEqual([['Exception'], EXECUTED]);
  machine.remove('Exception');
  advance(9_900);
  await settled(machine.whenErr());
  expect([machine.active, machine.add('C'), machine.remove('B')]).toEqual([['B', 'Exception'], CANCELLED, CANCELLED]);
  advance(2_999);
  expect(machine.add('C')).toBe(CANCELLED);
  advance(1);
  expect([machine.add('C'), machine.active]).toEqual([EXECUTED, ['B', 'C', 'Exception']]);
});

test('[REL-15] errors as states', async () => {
  const machine = start({ A: {}, ErrNetwork: { require: 'Exception' } });
  const told = machine.whenErr();
  expect(machine.addErrState('ErrNetwork', new Error('down'))).toBe(EXECUTED);
  await told;
  expect(machine.active).toEqual(['ErrNetwork', 'Exception']);
});

// ── Waiting ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is waited for, what meets it, and what comes before and does not. */
const WAITS: readonly (readonly [string, (machine: RelationalMachine, signal?: AbortSignal) => Promise<void>, readonly string[]])[] = [
  ['when', (machine, signal) => machine.when(['A', 'B'], { signal }), ['add A', 'add B']],
  ['whenNot', (machine, signal) => machine.whenNot(['D'], { signal }), ['add A', 'remove D']],
  ['whenAny', (machine, signal) => machine.whenAny(['A', 'B'], { signal }), ['add C', 'add B']],
  ['whenTime', (machine, signal) => machine.whenTime(['A', 'B'], [2, 1], { signal }), ['add A B', 'remove A']],
  ['whenTicks', (machine, signal) => machine.whenTicks('A', 3, { signal }), ['toggle A', 'toggle A', 'toggle A']],
  ['whenNext', (machine, signal) => machine.whenNext('D', { signal }), ['remove D', 'add D']],
  ['whenQuery', (machine, signal) => machine.whenQuery(({ A, B }) => A! + B! >= 3, { signal }), ['add A B', 'remove A']],
  [
    'whenArgs',
    (machine, signal) => machine.whenArgs('M', { x: 1, y: ['z'] }, { signal }),
    ['add M', 'add M {"x":1,"y":[]}', 'add M {"x":1,"y":["z"],"more":true}'],
  ],
  ['whenErr', (machine, signal) => machine.whenErr({ signal }), ['add A', 'add Exception']],
];

function script(machine: RelationalMachine, line: string): void {
  const [, kind, states, args] = /^(\w+) ([\w ]+?)(?: (\{.*))?$/.exec(line)!;
  machine[kind as 'add'](states!.split(' '), args === undefined ? undefined : (JSON.parse(args) as Readonly<Record<string, Json>>));
}

test.each(WAITS)('[REL-16] %s', async (_name, wait, lines) => {
  const machine = start({ ...ABCD, M: { multi: true } });
  machine.add('D');
  const controller = new AbortController();
  const [waited, aborted] = [wait(machine), wait(machine, controller.signal)];
  controller.abort(new Error('enough'));
  expect(await settled(aborted)).toBe('failed: Error: enough');
  expect(await settled(wait(machine, controller.signal))).toBe('failed: Error: enough');
  for (const line of lines) {
    expect([line, await settled(waited)]).toEqual([line, 'waiting']);
    script(machine, line);
  }
  expect(await settled(waited)).toBe('done');
  const left = start(ABCD);
  const closed = [left.when('A'), left.whenNext('B')];
  left.dispose();
  expect(await Promise.all(closed.map(settled))).toEqual(['failed: CLOSED', 'failed: CLOSED']);
});

test('[REL-16] what is so already is so at once; the end of a machine is waited for like the rest', async () => {
  const machine = start(ABCD);
  machine.add('A');
  expect(
    await Promise.all([machine.when('A'), machine.whenNot('B'), machine.whenTime('A', [1]), machine.whenQueueEnds()].map(settled)),
  ).toEqual(Array(4).fill('done'));
  const ended = machine.whenDisposed();
  machine.dispose();
  expect([await settled(ended), await settled(machine.whenDisposed()), machine.add('B'), machine.active]).toEqual([
    'done',
    'done',
    CANCELLED,
    ['A'],
  ]);
});

test('[REL-17] the turn of a mutation, made or cancelled', async () => {
  const waited: Promise<void>[] = [];
  const log: string[] = [];
  const machine = start(ABCD, {
    BEnter: () => false,
    AState: () => {
      for (const state of ['B', 'C'] as const) {
        const turn = machine.whenQueue(machine.add(state));
        waited.push(turn.then(() => void log.push(state)));
      }
    },
  });
  machine.add('A');
  await Promise.all(waited);
  expect([log, machine.active]).toEqual([
    ['B', 'C'],
    ['A', 'C'],
  ]);
  expect(await settled(machine.whenQueue(machine.add('D')))).toBe('done');
});

test('[REL-18] the signal of a state', () => {
  const log: string[] = [];
  const machine = start(
    { ...ABCD, M: { multi: true } },
    { AEnd: () => void log.push(`end ${first.aborted}`), MState: () => void signals.push(machine.stateSignal('M')) },
  );
  const signals: AbortSignal[] = [];
  const early = machine.stateSignal('A');
  machine.add('A');
  expect(early.aborted).toBe(true);
  const first = machine.stateSignal('A');
  machine.add('B');
  expect([first.aborted, machine.stateSignal('A') === first]).toEqual([false, true]);
  machine.remove('A');
  machine.add('M');
  machine.add('M');
  machine.dispose();
  expect([log, signals.map(({ aborted }) => aborted)]).toEqual([['end true'], [true, true]]);
});

// ── Asking, saving, growing ──────────────────────────────────────────────────────────────────────────────────────

test('[REL-19] can', () => {
  const asked: string[] = [];
  const machine = start(
    { A: {}, B: { require: 'A' }, C: {} },
    { CEnter: ({ args }) => (asked.push('C'), (args as { ok?: boolean } | null)?.ok === true), CState: () => void asked.push('never') },
  );
  const { machineTime, queueTick } = machine;
  expect([
    machine.canAdd('B'),
    machine.canSet(['A', 'B']),
    machine.canRemove('A'),
    machine.canAdd('C'),
    machine.canAdd('C', { ok: true }),
  ]).toEqual([false, true, true, false, true]);
  expect([machine.machineTime, machine.queueTick, asked]).toEqual([machineTime, queueTick, ['C', 'C']]);
  expect(() => machine.canAdd('X')).toThrow('/states/0 names no state: "X"');
  expect(() => machine.add(['A', 'X'])).toThrow('machine m has no state "X"');
  expect(() => machine.add('A', { at: new Date(0) } as never)).toThrow('/args/at');
});

test('[REL-1] what can be asked', () => {
  const machine = start({ Foo: {}, Bar: { multi: true }, Baz: {} });
  machine.add('Foo');
  machine.add('Bar');
  machine.add('Bar');
  expect(String(machine)).toBe('(Bar:3 Foo:1) [Baz:0 Exception:0]');
  expect([machine.is(['Foo', 'Bar']), machine.is('Baz'), machine.not(['Baz']), machine.not(['Baz', 'Foo'])]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect([machine.any(['Foo', 'Baz'], 'Bar'), machine.any('Baz'), machine.has(['Foo', 'X']), machine.has('Baz')]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect([machine.switch(['Baz', 'Foo'], 'Bar'), machine.switch('Baz')]).toEqual(['Foo', undefined]);
  expect([machine.tick('Bar'), machine.time(), machine.time(['Foo']), machine.clock('Bar'), machine.machineTime]).toEqual([
    3,
    [3, 0, 0, 1],
    [1],
    { Bar: 3 },
    4,
  ]);
});

test('[REL-20] exported here, imported there', () => {
  const machine = start({ ...ABCD, MachineRestored: {} });
  machine.add(['A', 'B']);
  machine.remove('A');
  const exported = machine.export();
  expect(exported).toEqual({
    id: 'm',
    names: ['A', 'B', 'C', 'D', 'Exception', 'MachineRestored'],
    time: [2, 1, 0, 0, 0, 0],
    queueTick: 3,
    machineTick: 0,
  });
  const other = start({ ...ABCD, MachineRestored: {} });
  other.import(JSON.parse(JSON.stringify(exported)) as typeof exported);
  expect([other.machineTick, other.active, other.time(), other.queueTick]).toEqual([1, ['B', 'MachineRestored'], [2, 1, 0, 0, 0, 1], 4]);
  expect(() => start(ABCD).import(exported)).toThrow('m has the states');
  expect(() => start(ABCD, {}, { id: 'n' }).import(exported)).toThrow('expected the state of n');
});

test('[REL-21] a schema grows while the machine runs', () => {
  const changes: string[] = [];
  const machine = start(ABCD, {}, { tracers: [{ schemaChange: (names) => void changes.push(names.join(' ')) }] });
  machine.add(['A', 'B']);
  const old = machine.names;
  machine.setSchema(load({ ...ABCD, A: { add: 'Z' }, Z: {} }, {}, [...old, 'Z']));
  expect([machine.version, machine.time(), changes]).toEqual([6, [1, 1, 0, 0, 0, 0], ['A B C D Exception Z']]);
  machine.toggle('A');
  machine.toggle('A');
  expect(machine.active).toEqual(['A', 'B', 'Z']);
  const refused = (states: Schema, names?: readonly string[]) => () => machine.setSchema(load(states, {}, names));
  expect(refused(ABCD)).toThrow("machine 'm', /names/5: expected 'Z', found 'nothing'");
  expect(refused({ ...ABCD, Z: {}, AA: {} })).toThrow("/names/1: expected 'B', found 'AA'");
  expect(refused({ ...ABCD, Z: {} }, machine.names)).toThrow('expected more than 6');
});

test('[REL-22] schemas are put together', () => {
  const base: Schema = { A: { add: 'B', tags: ['x'] }, B: {} };
  const own: Schema = { A: { add: ['C'], multi: true }, C: { remove: 'B' } };
  const frozen = JSON.stringify([base, own]);
  expect(merge(base, own)).toEqual({ A: { add: ['C'], multi: true }, B: {}, C: { remove: 'B' } });
  expect(inherit(base, own)).toEqual({ A: { add: ['B', 'C'], multi: true, tags: ['x'] }, B: {}, C: { remove: 'B' } });
  expect(extend({ publicArgs: 'x' }, { publicArgs: ['x', 'y'] })).toEqual({ publicArgs: ['x', 'y'] });
  expect(extend({ publicArgs: true }, { publicArgs: ['x', 'y'] })).toEqual({ publicArgs: true });
  expect(extend({ auto: true, require: 'A' }, { auto: false, require: ['A', 'B'] })).toEqual({ auto: true, require: ['A', 'B'] });
  expect(prefixed('Net', { A: { add: 'B', require: ['Exception'] }, B: {} })).toEqual({
    NetA: { add: ['NetB'], require: ['Exception'] },
    NetB: {},
  });
  expect(exclusive({ A: {}, B: {}, C: {} }, ['A', 'B'])).toEqual({ A: { remove: ['B'] }, B: { remove: ['A'] }, C: {} });
  expect(groups(base, { Letters: ['A', 'B'] }).Letters).toEqual(['A', 'B']);
  expect(() => groups(base, { Letters: ['A', 'Q'] })).toThrow("group 'Letters', /Letters/1: no state is named 'Q'");
  expect(JSON.stringify([base, own])).toBe(frozen);
  expect(fromRelational({ dialect: 'relational', id: 'm', states: inherit(base, own) }).relations?.states.size).toBe(4);
});

test('[REL-13] tracers hear each turn', () => {
  const log: string[] = [];
  const machine = start(
    ABCD,
    { BEnter: () => false, AState: () => void machine.add('B') },
    {
      tracers: [
        {
          mutationQueued: ({ states }, tick) => void log.push(`queued ${states.join()} ${tick}`),
          transitionStart: ({ states }) => void log.push(`start ${states.join()}`),
          transitionEnd: ({ states }, isAccepted) => void log.push(`end ${states.join()} ${isAccepted}`),
          handlerStart: (name) => void log.push(name),
          handlerEnd: (name, error) => void log.push(`${name} ${String(error)}`),
          queueEnd: () => void log.push('empty'),
          dispose: () => void log.push('over'),
        },
      ],
    },
  );
  machine.add('A');
  machine.dispose();
  expect(log).toEqual([
    'queued A 2',
    'start A',
    'end A true',
    '/handlers/AState',
    'queued B 3',
    '/handlers/AState undefined',
    'start B',
    'end B false',
    'empty',
    'over',
  ]);
});

test('[REL-12] names and args are typed', () => {
  const machine = start(ABCD) as unknown as RelationalMachine<'A' | 'B', { A: { readonly key: number } }>;
  expect(machine.add('A', { key: 1 })).toBe(EXECUTED);
  expect(machine.is(['A', 'B'])).toBe(false);
  // @ts-expect-error: no such state
  expect(() => machine.add('X')).toThrow('has no state');
  // @ts-expect-error: its args have a number
  expect(machine.add('A', { key: 'one' })).toBe(EXECUTED);
});
