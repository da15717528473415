// The structure of images: numbering, domains, entry lists, candidates, timers. Refusals are in compiler-refused.test.ts, and whether a
// core that runs the image does what XState does in test/differential.

import { assign, cancel, emit, fromPromise, raise, sendTo, setup, stateIn } from 'xstate';
import { describe, expect, test } from 'vitest';
import { IMAGE_FUEL, IMAGE_HASHED_SIZE, IMAGE_SEMANTICS } from '../../assembly/layout.ts';
import { compileMachine } from '../../compiler/index.ts';
import { readImage } from '../../core/image.ts';
import { xxh64 } from '../../core/xxh64.ts';
import { tablesOf } from './compiler-tables.ts';

const wordAt = (bytes: Uint8Array, offset: number): number => new DataView(bytes.buffer).getUint32(offset, true);

describe('images', () => {
  const definition = {
    id: 'light',
    description: 'a lamp',
    initial: 'off',
    states: { off: { on: { TOGGLE: 'on' } }, on: { on: { TOGGLE: 'off' } } },
  };

  test('[COMPILE-1] the same definition gives the same bytes', () => {
    const one = compileMachine(definition);
    const two = compileMachine(structuredClone(definition));
    expect(two.bytes).toEqual(one.bytes);
    expect(two.hash).toBe(one.hash);
    expect(one.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('[COMPILE-1] descriptions are for people: they change the bytes and not the hash', () => {
    const plain = compileMachine(definition);
    const described = compileMachine({ ...definition, description: 'a lamp with a much longer description', meta: { colour: 'red' } });
    expect(described.bytes).not.toEqual(plain.bytes);
    expect(described.hash).toBe(plain.hash);
    expect(readImage(described.bytes, xxh64).debug).toMatchObject({ dialect: 'xstate5', meta: { light: { colour: 'red' } } });
    const size = wordAt(described.bytes, IMAGE_HASHED_SIZE);
    expect(described.bytes.subarray(24, size)).toEqual(plain.bytes.subarray(24, size));
  });

  test('[COMPILE-1] fuel and throw policy are part of the hash', () => {
    const hashes = [compileMachine(definition), compileMachine(definition, { fuel: 7 }), compileMachine(definition, { onThrow: 'status' })];
    expect(new Set(hashes.map(({ hash }) => hash)).size).toBe(3);
    expect(hashes.map(({ bytes }) => [wordAt(bytes, IMAGE_FUEL), wordAt(bytes, IMAGE_SEMANTICS)])).toEqual([
      [1000, 0],
      [7, 0],
      [1000, 1],
    ]);
  });

  test("[COMPILE-1] a definition's own maxIterations is its fuel", () => {
    expect(wordAt(compileMachine({ ...definition, options: { maxIterations: 60 } }).bytes, IMAGE_FUEL)).toBe(60);
  });
});

describe('states', () => {
  test('[COMPILE-2] states are numbered in document order, numeric keys first, history nodes apart', () => {
    const { states, histories } = tablesOf(
      compileMachine({
        id: 'm',
        initial: 'b',
        states: {
          b: { initial: 'x', states: { h: { type: 'history', history: 'deep', target: 'y' }, x: {}, y: { type: 'final' } } },
          10: { type: 'parallel', states: { p: {}, back: { history: true }, q: { id: 'named' } } },
          2: { type: 'final' },
        },
      }),
    );
    expect(states.map(({ id, parent, end, kind, done, histories: own }) => [id, parent, end, kind, done, own])).toEqual([
      ['m', 'none', 'm.b.y', 'compound', 'xstate.done.state.m', []],
      ['m.2', 'm', 'm.2', 'final', 'none', []],
      ['m.10', 'm', 'named', 'parallel', 'none', ['m.10.back']],
      ['m.10.p', 'm.10', 'm.10.p', 'atomic', 'none', []],
      ['named', 'm.10', 'named', 'atomic', 'none', []],
      ['m.b', 'm', 'm.b.y', 'compound', 'xstate.done.state.m.b', ['m.b.h']],
      ['m.b.x', 'm.b', 'm.b.x', 'atomic', 'none', []],
      ['m.b.y', 'm.b', 'm.b.y', 'final', 'none', []],
    ]);
    expect(histories).toEqual([
      { id: 'm.10.back', parent: 'm.10', deep: false, byDefault: 'none' },
      { id: 'm.b.h', parent: 'm.b', deep: true, byDefault: ['m.b.y'] },
    ]);
  });

  test('[COMPILE-6] after is a timer: started behind the entry actions, stopped behind the exit actions', () => {
    const machine = setup({
      actions: { hello: () => undefined, bye: () => undefined },
      delays: { soon: () => 5, late: 9000 },
    }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { entry: 'hello', exit: 'bye', after: { soon: 'b', 100: { target: 'b' }, late: [] } }, b: {} },
    });
    const { states, timers } = tablesOf(compileMachine(machine));
    expect(states[1]).toMatchObject({
      entry: ['effect hello', 'schedule xstate.after.100.m.a', 'schedule xstate.after.soon.m.a', 'schedule xstate.after.late.m.a'],
      exit: ['effect bye', 'cancel xstate.after.100.m.a', 'cancel xstate.after.soon.m.a', 'cancel xstate.after.late.m.a'],
    });
    expect(timers).toEqual([
      { event: 'xstate.after.100.m.a', state: 'm.a', delay: 100 },
      { event: 'xstate.after.soon.m.a', state: 'm.a', delay: 'soon' },
      { event: 'xstate.after.late.m.a', state: 'm.a', delay: 9000 },
    ]);
  });
});

describe('transitions', () => {
  const nested = {
    id: 'm',
    initial: 'a',
    states: {
      a: {
        initial: 'a1',
        on: { SELF: { target: 'a' }, AGAIN: { target: 'a', reenter: true }, IN: '.a2', OUT: 'p.B.b2', FORBIDDEN: undefined },
        states: { a1: {}, a2: { on: { UP: { target: '#m', reenter: true } } } },
      },
      p: {
        type: 'parallel',
        on: { BOTH: ['.A.x'], HISTORY: '.B.h' },
        states: {
          A: { initial: 'x', states: { x: {}, y: {} } },
          B: { initial: 'b1', states: { b1: {}, b2: { on: { TWO: { target: ['b1', '#m.p.A.y'] } } }, h: { type: 'history' } } },
        },
      },
    },
    on: { ROOT: '.p' },
  };
  const { transitions } = tablesOf(compileMachine(nested));
  const of = (event: string) => transitions.filter((transition) => transition.event === event);

  test('[COMPILE-4] domain and entry list are those of XState', () => {
    expect(of('SELF')).toMatchObject([{ domain: 'm.a', flags: [], entry: ['m.a.a1'] }]);
    expect(of('AGAIN')).toMatchObject([{ domain: 'm', flags: ['reenter'], entry: ['m.a by default', 'm.a.a1'] }]);
    expect(of('IN')).toMatchObject([{ domain: 'm.a', entry: ['m.a.a2'] }]);
    expect(of('OUT')).toMatchObject([{ domain: 'm', entry: ['m.p', 'm.p.A', 'm.p.A.x', 'm.p.B', 'm.p.B.b2'] }]);
    expect(of('UP')).toMatchObject([{ domain: 'none', flags: ['reenter'], entry: ['m by default', 'm.a by default', 'm.a.a1'] }]);
    expect(of('BOTH')).toMatchObject([{ domain: 'm.p', entry: ['m.p.A', 'm.p.A.x', 'm.p.B', 'm.p.B.b1'] }]);
    expect(of('TWO')).toMatchObject([
      { domain: 'm.p', entry: ['m.p.A', 'm.p.A.y', 'm.p.B', 'm.p.B.b1'], targets: ['m.p.B.b1', 'm.p.A.y'] },
    ]);
    expect(of('ROOT')).toMatchObject([
      { domain: 'm', source: 'm', entry: ['m.p', 'm.p.A by default', 'm.p.A.x', 'm.p.B by default', 'm.p.B.b1'] },
    ]);
  });

  test('[COMPILE-4] a transition without a target moves nothing', () => {
    expect(of('FORBIDDEN')).toMatchObject([{ flags: ['targetless'], entry: [], targets: [], actions: [] }]);
  });

  test('[COMPILE-5] a transition whose descent meets a history node is left to run time', () => {
    expect(of('HISTORY')).toMatchObject([{ flags: ['dynamic'], entry: [], targets: ['m.p.B.h'] }]);
    const deep = tablesOf(
      compileMachine({
        id: 'm',
        initial: 'a',
        states: { a: { on: { GO: 'b' } }, b: { initial: 'h', states: { h: { type: 'history', target: 'x' }, x: {} } } },
      }),
    );
    expect(deep.transitions.filter(({ event }) => event === 'GO')).toMatchObject([{ flags: ['dynamic'], targets: ['m.b'] }]);
  });

  test('[COMPILE-4] stateIn of one state needs no function', () => {
    const guarded = compileMachine({
      id: 'm',
      type: 'parallel',
      states: {
        A: { on: { GO: { guard: stateIn('#deep') }, ON: { guard: stateIn({ B: 'b' }) } } },
        B: { initial: 'b', states: { b: { id: 'deep' } } },
      },
    });
    expect(
      tablesOf(guarded)
        .transitions.filter(({ source }) => source === 'm.A')
        .map(({ guard }) => guard),
    ).toEqual(['in deep', 'in deep']);
    expect(guarded.symbols.functions).toEqual([]);
  });

  test('[COMPILE-4] actions keep their order and kind', () => {
    const machine = setup({ actions: { ping: raise({ type: 'PING' }), count: assign({ n: 1 }) } }).createMachine({
      id: 'm',
      context: { n: 0 },
      on: { GO: { actions: ['count', 'ping', { type: 'nobody' }, () => undefined, raise(() => ({ type: 'PONG' }))] as never } },
    });
    expect(tablesOf(compileMachine(machine)).transitions[0]?.actions).toEqual([
      'assign count',
      'raise PING',
      'effect nobody',
      'effect /on/GO/actions/3',
      'raise() /on/GO/actions/4',
    ]);
  });
});

describe('candidates', () => {
  test('[COMPILE-3] exact transitions are asked before wildcards, the longest wildcard first', () => {
    const { candidatesOf, events, transitions } = tablesOf(
      compileMachine({
        id: 'm',
        initial: 'a',
        on: { 'a.*': { actions: 'r1' }, '*': { actions: 'r2' } },
        states: {
          a: {
            on: {
              '*': { actions: 's1' },
              'a.b.*': [{ actions: 's2' }, { actions: 's3' }],
              'a.b.c': { actions: 's4' },
              'a.*.x': { actions: 's5' },
            },
            always: { guard: stateIn('a'), actions: 's6' },
          },
        },
      }),
    );
    const asked = (type: string) => {
      const number = type === 'always' ? events.length : events.indexOf(type);
      return Object.fromEntries(
        Object.entries(candidatesOf(number)).map(([id, list]) => [id, list.flatMap((t) => transitions[t]!.actions.map((a) => a.slice(7)))]),
      );
    };
    expect(events).toEqual(['', 'a.*', '*', 'a.b.*', 'a.b.c', 'a.*.x']);
    expect(asked('')).toEqual({});
    expect(asked('a.b.c')).toEqual({ m: ['r1', 'r2'], 'm.a': ['s4', 's2', 's3', 's1'] });
    expect(asked('a.b.*')).toEqual({ m: ['r1', 'r2'], 'm.a': ['s2', 's3', 's1'] });
    expect(asked('a.*')).toEqual({ m: ['r1', 'r2'], 'm.a': ['s1'] });
    expect(asked('*')).toEqual({ m: ['r2'], 'm.a': ['s1'] });
    expect(asked('a.*.x')).toEqual({ m: ['r1', 'r2'], 'm.a': ['s5', 's1'] });
    expect(asked('always')).toEqual({ 'm.a': ['s6'] });
  });

  test('[COMPILE-3] candidates are found beyond the first 32 states', () => {
    const states = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`s${i}`, i % 3 === 0 ? { on: { GO: `s${(i + 1) % 100}` } } : {}]),
    );
    const { candidatesOf, events, transitions } = tablesOf(compileMachine({ id: 'm', initial: 's0', states }));
    const found = candidatesOf(events.indexOf('GO'));
    expect(Object.keys(found)).toEqual(
      Object.keys(states)
        .filter((_, i) => i % 3 === 0)
        .map((key) => `m.${key}`),
    );
    for (const [id, [transition]] of Object.entries(found)) expect(transitions[transition!]?.source).toBe(id);
  });

  test('[COMPILE-3] onDone replaces an `on` key of the same name, after adds to one', () => {
    const { candidatesOf, events, transitions } = tablesOf(
      compileMachine({
        id: 'm',
        initial: 'a',
        states: { a: { on: { 'xstate.after.5.m.a': { actions: 'one' } }, after: { 5: { actions: 'two' } } }, z: { type: 'final' } },
        on: { 'xstate.done.state.m': { actions: 'lost' } },
        onDone: { actions: 'kept' },
      }),
    );
    const actionsOf = (type: string) =>
      Object.values(candidatesOf(events.indexOf(type)))
        .flat()
        .flatMap((t) => transitions[t]!.actions);
    expect(actionsOf('xstate.after.5.m.a')).toEqual(['effect one', 'effect two']);
    expect(actionsOf('xstate.done.state.m')).toEqual(['effect kept']);
  });
});

describe('actors', () => {
  test('[COMPILE-9] builtins keep their place; actors start behind the timers of their state and stop behind them', () => {
    const machine = setup({
      actors: { load: fromPromise(async () => 1) },
      actions: { tell: emit({ type: 'TOLD' }), note: () => undefined },
    }).createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: {
          entry: ['tell', assign({}), sendTo('0.m.a', { type: 'HI' })],
          exit: cancel('later'),
          after: { 50: 'b' },
          invoke: [
            { src: 'load', onDone: 'b', onError: { actions: 'note' } },
            { id: 'two', src: 'load', onSnapshot: { actions: 'note' } },
          ],
        },
        b: { entry: raise({ type: 'X' }, { delay: 5 }), invoke: { src: 'load' } },
      },
    });
    const { states, events } = tablesOf(compileMachine(machine));
    expect(states[1]).toMatchObject({
      entry: [
        'host tell',
        'assign /states/a/entry/1',
        'host /states/a/entry/2',
        'schedule xstate.after.50.m.a',
        'host /states/a/invoke/0',
        'host /states/a/invoke/1',
      ],
      exit: ['host /states/a/exit', 'cancel xstate.after.50.m.a', 'host /states/a/invoke/0', 'host /states/a/invoke/1'],
    });
    expect(states[2]).toMatchObject({ entry: ['host /states/b/entry', 'host /states/b/invoke'], exit: ['host /states/b/invoke'] });
    expect(events.filter((type) => type.includes('actor') || type.includes('snapshot'))).toEqual([
      'xstate.done.actor.0.m.a',
      'xstate.error.actor.0.m.a',
      'xstate.snapshot.two',
    ]);
  });

  test('[COMPILE-9] states with an id and a route are targets of the root, in document order, each with a guard', () => {
    const machine = {
      id: 'm',
      initial: 'a',
      states: {
        a: { id: 'first', route: {} },
        b: { route: {}, initial: 'c', states: { c: { id: 'deep', route: { guard: () => true } } } },
      },
    };
    const image = compileMachine(machine);
    expect(image.symbols.functions).toEqual([
      { kind: 'guard', path: '/states/a/route' },
      { kind: 'guard', path: '/states/b/states/c/route' },
    ]);
    expect(image.symbols.events).toContain('xstate.route');
  });
});
