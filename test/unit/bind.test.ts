// Binding: the functions of an image are found again in the author's source and called as XState would call them.

import { and, assign, log, not, or, raise, setup, stateIn } from 'xstate';
import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import type { BoundFunction, FunctionArguments } from '../../core/functions.ts';
import type { Json } from '../../core/json.ts';
import type { Acts, Request } from '../../core/request.ts';
import type { Symbols } from '../../core/symbols.ts';

/** Compiles, binds and gives the bound functions by path. */
function boundByPath(machine: unknown): Map<string, BoundFunction> {
  const { symbols } = compileMachine(machine);
  const bound = bind(symbols, machine);
  return new Map(symbols.functions.map(({ path }, fn) => [path, bound[fn]!]));
}

/** For functions that do not act. */
const NO_ACTS: Acts = {
  raise: () => expect.unreachable(),
  assign: () => expect.unreachable(),
  request: () => expect.unreachable(),
  change: () => expect.unreachable(),
  hasChild: () => false,
  nextId: () => expect.unreachable(),
};

const args = (context: Json, event: FunctionArguments['event'] = { type: 'E' }, active: readonly unknown[] = []): FunctionArguments => ({
  context,
  event,
  isIn: (state) => active.includes(state),
});

function call(bound: Map<string, BoundFunction>, path: string, given: FunctionArguments): unknown {
  const found = bound.get(path);
  if (found === undefined || found.kind === 'context') throw new Error(`no function at ${path}`);
  return found.kind === 'effect' ? found.call(given) : found.call(given, NO_ACTS);
}

const seen: unknown[] = [];
const machine = setup({
  types: {} as { context: { n: number }; events: { type: 'E'; by: number } | { type: 'F' } },
  guards: {
    over: ({ context }, params: { limit: number }) => context.n > params.limit,
    alias: 'inner' as never,
    inner: ({ event }) => event.type === 'F',
    composed: and([stateIn('#m.a'), { type: 'over', params: { limit: 1 } } as never]) as never,
  },
  actions: {
    note: (found, params: { text: string }) => seen.push([found, params]),
    add: assign({ n: ({ context }, params: { by: number }) => context.n + params.by }),
    again: raise(({ event }) => event),
    say: log(({ context }) => context.n, 'n is'),
  },
  delays: { soon: ({ context }) => context.n * 10 },
}).createMachine({
  id: 'm',
  context: ({ input }) => ({ n: (input as { n: number }).n }),
  initial: 'a',
  output: { done: true },
  entry: [
    { type: 'note', params: ({ context }) => ({ text: `n=${context.n}` }) },
    { type: 'add', params: { by: 3 } },
    'again',
    'say',
    { type: 'nobody' } as never,
  ],
  on: {
    E: [
      { guard: { type: 'over', params: ({ context }) => ({ limit: context.n - 1 }) } },
      { guard: 'alias' },
      { guard: 'composed' },
      { guard: or([not('inner'), stateIn({ a: 'x' })]) },
      { guard: ({ context, event }) => context.n === (event as { by: number }).by },
      { actions: assign(({ context }) => ({ n: -context.n })) },
    ],
  },
  states: { a: { after: { soon: '.x' }, initial: 'x', states: { x: {} } }, z: { type: 'final', output: ({ context }) => context.n } },
});
const bound = boundByPath(machine);

test('[BIND-1] guards get context, event and params', () => {
  expect(call(bound, '/on/E/0/guard', args({ n: 5 }))).toBe(true);
  expect(call(bound, '/on/E/4/guard', args({ n: 5 }, { type: 'E', by: 5 }))).toBe(true);
  expect(call(bound, '/on/E/4/guard', args({ n: 5 }, { type: 'E', by: 6 }))).toBe(false);
});

test('[BIND-3] a guard may stand for another by name', () => {
  expect(call(bound, '/on/E/1/guard', args({ n: 0 }, { type: 'F' }))).toBe(true);
  expect(call(bound, '/on/E/1/guard', args({ n: 0 }, { type: 'E' }))).toBe(false);
});

test('[BIND-3] and, or, not and stateIn ask which states are active', () => {
  expect(call(bound, '/on/E/2/guard', args({ n: 2 }, { type: 'E' }, ['#m.a']))).toBe(true);
  expect(call(bound, '/on/E/2/guard', args({ n: 2 }))).toBe(false);
  expect(call(bound, '/on/E/2/guard', args({ n: 1 }, { type: 'E' }, ['#m.a']))).toBe(false);
  expect(call(bound, '/on/E/3/guard', args({ n: 1 }, { type: 'E' }))).toBe(true);
  expect(call(bound, '/on/E/3/guard', args({ n: 1 }, { type: 'F' }))).toBe(false);
  const isIn = (state: Json) => typeof state === 'object';
  expect(call(bound, '/on/E/3/guard', { context: { n: 1 }, event: { type: 'F' }, isIn })).toBe(true);
});

test('[BIND-1] actions get context, event and params, and nothing that outlives the call', () => {
  call(bound, '/entry/0', args({ n: 4 }));
  expect(seen).toEqual([[{ context: { n: 4 }, event: { type: 'E' } }, { text: 'n=4' }]]);
});

test('[BIND-1] an action that nothing implements does nothing', () => {
  expect(call(bound, '/entry/4', args({ n: 4 }))).toBeUndefined();
});

test('[BIND-1] assigns return what to merge, in both forms', () => {
  expect(call(bound, '/entry/1', args({ n: 4 }))).toEqual({ n: 7 });
  expect(call(bound, '/on/E/5/actions', args({ n: 4 }))).toEqual({ n: -4 });
});

test('[BIND-1] raises, logs, delays, outputs and context factories', () => {
  expect(call(bound, '/entry/2', args({ n: 4 }, { type: 'E', by: 1 }))).toEqual({ type: 'E', by: 1 });
  const say = bound.get('/entry/3');
  const requests: Request[] = [];
  if (say?.kind === 'builtin') say.call(args({ n: 4 }), { ...NO_ACTS, request: (request) => requests.push(request) });
  expect(requests).toEqual([{ kind: 'log', label: 'n is', value: 4 }]);
  expect(call(bound, '/states/a/after/soon', args({ n: 4 }))).toBe(40);
  expect(call(bound, '/output', args({ n: 4 }))).toEqual({ done: true });
  expect(call(bound, '/states/z/output', args({ n: 4 }))).toBe(4);
  const factory = bound.get('/context');
  expect(factory?.kind === 'context' && factory.call({ input: { n: 9 } }, NO_ACTS)).toEqual({ n: 9 });
});

test('[BIND-1] a provided implementation replaces the first', () => {
  const provided = machine.provide({ guards: { over: () => false } });
  expect(call(boundByPath(provided), '/on/E/0/guard', args({ n: 5 }))).toBe(false);
});

test('[BIND-1] a plain config with implementations beside it is a source too', () => {
  const source = { config: { id: 'm', on: { E: { guard: 'yes' } } }, implementations: { guards: { yes: () => 1 } } };
  expect(call(boundByPath(source), '/on/E/guard', args({}))).toBe(true);
});

test('[BIND-1] keys with slashes and tildes are found', () => {
  expect(call(boundByPath({ id: 'm', on: { 'a/b~1': { guard: () => true } } }), '/on/a~1b~01/guard', args({}))).toBe(true);
});

test('[BIND-4] spawning inside an assign asks for an actor and gives a reference in plain JSON', () => {
  const requests: Request[] = [];
  const acts: Acts = { ...NO_ACTS, request: (request) => requests.push(request), nextId: (prefix) => `${prefix}7` };
  const logic = { transition: () => undefined };
  const config = { id: 'm', context: {}, entry: assign(({ spawn }) => ({ one: spawn('x' as never, { input: { a: 1 } } as never) })) };
  const found = boundByPath({ config, implementations: { actors: { x: logic } } }).get('/entry');
  if (found?.kind !== 'assign') return expect.unreachable();
  expect(found.call(args({}), acts)).toEqual({ one: { xstate$$type: 1, id: 'x.7' } });
  expect(requests).toEqual([{ kind: 'spawn', child: { id: 'x.7', src: 'x', input: { a: 1 } }, logic }]);
});

test('[BIND-2] an actor that nothing implements is refused', () => {
  const spawning = { id: 'm', context: {}, entry: assign(({ spawn }) => ({ one: spawn('x' as never) })) };
  const found = boundByPath(spawning).get('/entry');
  expect(() => found?.kind === 'assign' && found.call(args({}), NO_ACTS)).toThrow("Actor logic 'x' not implemented in machine 'm'");
});

test('[BIND-2] a raise that makes no event is refused', () => {
  expect(() => call(boundByPath({ id: 'm', entry: raise(() => 'X' as never) }), '/entry', args({}))).toThrow(
    "made 'X', expected an event object",
  );
});

const image = compileMachine(machine);
const MISSING: readonly (readonly [what: string, source: unknown, reason: string])[] = [
  ['another machine', { id: 'other' }, "the image is of machine 'm', the definition at hand is of 'other'"],
  ['a definition without the place', { id: 'm' }, 'the definition has nothing at that path'],
  ['a definition without implementations', machine.config, "machine 'm', /"],
  [
    'another kind of action',
    machine.provide({ actions: { add: () => undefined } as never }),
    "/entry/1: assign 'add': expected xstate.assign, found a function",
  ],
  [
    'an assign where an effect was',
    machine.provide({ actions: { note: assign({}) } as never }),
    "/entry/0: effect 'note': expected an effect, found xstate.assign",
  ],
  ['no such guard', { config: machine.config, implementations: { ...machine.implementations, guards: {} } }, "guard 'over'"],
  [
    'a delay that is gone',
    { config: machine.config, implementations: { ...machine.implementations, delays: {} } },
    "no delay named 'soon'",
  ],
  [
    'another name at the place',
    { config: { ...machine.config, entry: ['other'] }, implementations: machine.implementations },
    "effect 'note': found 'other'",
  ],
];

test.each(MISSING)('[BIND-2] refused: %s', (_, source, reason) => {
  expect(() => bind(image.symbols, source)).toThrow(
    expect.objectContaining({ code: 'MISSING_FUNCTION', message: expect.stringContaining(reason) }),
  );
});

test('[BIND-2] a source that is no machine is refused', () => {
  const empty: Symbols = { id: 'm', states: [], histories: [], events: [], functions: [], timers: [], raises: [] };
  expect(() => bind(empty, 5)).toThrow(expect.objectContaining({ code: 'BAD_DEFINITION' }));
});
