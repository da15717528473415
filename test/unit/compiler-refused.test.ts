// Definitions that are refused: each with its code, the machine, the place and the reason. Nothing is compiled by halves.

import { and, assign, createMachine, not, raise, setup, stateIn } from 'xstate';
import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { LockstepError, type ErrorCode } from '../../core/errors.ts';

/** A machine with one state `a` that says `state`. */
const withState = (state: object) => ({ id: 'm', initial: 'a', states: { a: state, b: {} } });
const withAction = (action: unknown) => createMachine(withState({ entry: ['fine', action] }) as never);
const two = (extra: object = {}) => ({
  id: 'm',
  initial: 'p',
  states: {
    p: {
      type: 'parallel',
      states: {
        A: { initial: 'a1', states: { a1: {}, a2: {}, h: { type: 'history' } } },
        B: { initial: 'b1', states: { b1: {}, b2: {} } },
      },
      ...extra,
    },
    q: {},
  },
});

const REFUSED: readonly (readonly [what: string, machine: unknown, code: ErrorCode, path: string, reason: string])[] = [
  // Not a machine
  ['no object', 7, 'BAD_DEFINITION', '', 'expected a machine or its config, found 7'],
  ['null', null, 'BAD_DEFINITION', '', 'found null'],
  ['an array', [], 'BAD_DEFINITION', '', 'found an array'],
  // Actors
  [
    'an actor that nothing implements',
    withState({ invoke: { src: 'load' } }),
    'MISSING_FUNCTION',
    '/states/a/invoke',
    "actor 'load' is not implemented",
  ],
  ['an invoke without logic', withState({ invoke: [{ id: 'x' }] }), 'BAD_DEFINITION', '/states/a/invoke/0/src', 'found undefined'],
  ['an invoke that is a name', withState({ invoke: 'load' }), 'BAD_DEFINITION', '/states/a/invoke', "found 'load'"],
  [
    'a builtin that nobody knows',
    withAction(Object.assign(() => undefined, { type: 'xstate.teleport', resolve: () => [] })),
    'UNSUPPORTED',
    '/states/a/entry/1',
    'xstate.teleport',
  ],
  // Structure
  ['no initial state', { id: 'm', states: { a: {} } }, 'BAD_DEFINITION', '/initial', 'must say its initial state'],
  ['an unknown initial state', { id: 'm', initial: 'z', states: { a: {} } }, 'BAD_DEFINITION', '/initial', "no child state 'z'"],
  ['states that are no object', { id: 'm', states: ['a'] }, 'BAD_DEFINITION', '/states', 'expected an object of states'],
  ['a state that is no object', { id: 'm', initial: 'a', states: { a: null } }, 'BAD_DEFINITION', '/states/a', 'expected an object'],
  ['an unknown type', withState({ type: 'orthogonal' }), 'BAD_DEFINITION', '/states/a/type', 'expected atomic'],
  ['a parallel without regions', withState({ type: 'parallel' }), 'BAD_DEFINITION', '/states/a', 'no child states'],
  ['a final state with children', withState({ type: 'final', states: { x: {} } }), 'BAD_DEFINITION', '/states/a', 'no child states'],
  ['a final root', { id: 'm', type: 'final' }, 'BAD_DEFINITION', '/', 'the root cannot be of type final'],
  [
    'two states with one id',
    { id: 'm', initial: 'a', states: { a: { id: 'x' }, b: { id: 'x' } } },
    'BAD_DEFINITION',
    '/states/b',
    'taken by /states/a',
  ],
  [
    'an id that is another path',
    { id: 'm', initial: 'a', states: { a: {}, b: { id: 'm.a' } } },
    'BAD_DEFINITION',
    '/states/b',
    "'m.a' is taken",
  ],
  ['tags that are no strings', withState({ tags: [1] }), 'BAD_DEFINITION', '/states/a/tags', 'found 1'],
  [
    'a key with a slash in its path',
    { id: 'm', initial: 'a/b', states: { 'a/b': { entry: 5 } } },
    'BAD_DEFINITION',
    '/states/a~1b/entry',
    'found 5',
  ],
  // Transitions
  ['an unknown target', withState({ on: { GO: 'z' } }), 'BAD_DEFINITION', '/states/a/on/GO', "no child state 'z'"],
  ['an unknown id', withState({ on: { GO: [{ target: '#z' }] } }), 'BAD_DEFINITION', '/states/a/on/GO/0/target', "no state has the id 'z'"],
  [
    'an unknown child of an id',
    withState({ always: { target: '#m.a.z' } }),
    'BAD_DEFINITION',
    '/states/a/always/target',
    "no child state 'z'",
  ],
  ['a target from the root', { ...withState({}), on: { GO: 'a' } }, 'BAD_DEFINITION', '/on/GO', "did you mean '.a'"],
  ['a target that is no string', withState({ on: { GO: { target: {} } } }), 'BAD_DEFINITION', '/states/a/on/GO/target', 'must be a string'],
  ['null for a transition', withState({ on: { GO: null } }), 'BAD_DEFINITION', '/states/a/on/GO', 'found null'],
  ['an event without a name', withState({ on: { '': 'b' } }), 'BAD_DEFINITION', '/states/a/on/', 'always'],
  [
    'targets in one region',
    two({ on: { GO: { target: ['.A.a1', '.A.a2'] } } }),
    'BAD_DEFINITION',
    '/states/p/on/GO',
    "they meet in 'm.p.A'",
  ],
  [
    'a target beside its ancestor',
    two({ on: { GO: { target: ['.A', '.A.h'] } } }),
    'BAD_DEFINITION',
    '/states/p/on/GO',
    "they meet in 'm.p.A'",
  ],
  ['the root entered without being left', withState({ on: { GO: '#m' } }), 'UNSUPPORTED', '/states/a/on/GO', 'reenter: true'],
  [
    'a history default outside',
    two({ states: { h: { type: 'history', target: '#m.q' }, r: {} } }),
    'BAD_DEFINITION',
    '/states/p/states/h',
    'lies outside',
  ],
  [
    'a history that is its own default',
    { id: 'm', initial: 'h', states: { h: { type: 'history' }, a: {} } },
    'BAD_DEFINITION',
    '/states/h',
    'stands for itself',
  ],
  [
    'two histories that stand for each other',
    two({ states: { h: { type: 'history', target: 'i' }, i: { type: 'history', target: 'h' }, r: {} } }),
    'BAD_DEFINITION',
    '/states/p/states/h',
    'stands for itself',
  ],
  [
    'a guard of XState 4',
    withState({ on: { GO: { target: 'b', cond: () => true } } }),
    'BAD_DEFINITION',
    '/states/a/on/GO/cond',
    'XState 4',
  ],
  // Timers
  ['a fraction of a millisecond', withState({ after: { 1.5: 'b' } }), 'BAD_DEFINITION', '/states/a/after/1.5', 'whole number'],
  ['a negative delay', withState({ after: { '-1': 'b' } }), 'BAD_DEFINITION', '/states/a/after/-1', 'whole number'],
  ['one delay twice', withState({ after: { 1000: 'b', '1e3': 'b' } }), 'BAD_DEFINITION', '/states/a/after/1e3', 'same delay'],
  ['a delay that nothing implements', withState({ after: { soon: 'b' } }), 'MISSING_FUNCTION', '/states/a/after/soon', "delay 'soon'"],
  // Functions
  [
    'a guard that nothing implements',
    withState({ on: { GO: { guard: 'open' } } }),
    'MISSING_FUNCTION',
    '/states/a/on/GO/guard',
    "guard 'open'",
  ],
  [
    'one inside another',
    withState({ on: { GO: { guard: and([() => true, not('open')]) } } }),
    'MISSING_FUNCTION',
    '/states/a/on/GO/guard',
    "guard 'open'",
  ],
  [
    'a guard named after Object.prototype',
    withState({ on: { GO: { guard: 'toString' } } }),
    'MISSING_FUNCTION',
    '/states/a/on/GO/guard',
    "guard 'toString'",
  ],
  [
    'a guard that stands for itself',
    setup({ guards: { x: 'y' as never, y: 'x' as never } }).createMachine(withState({ always: { guard: 'x' } }) as never),
    'BAD_DEFINITION',
    '/states/a/always/guard',
    'stands for itself',
  ],
  ['a guard that is a number', withState({ always: { guard: 5 } }), 'BAD_DEFINITION', '/states/a/always/guard', 'found 5'],
  ['stateIn of no state', withState({ always: { guard: stateIn('z') } }), 'BAD_DEFINITION', '/states/a/always/guard', "no child state 'z'"],
  ['stateIn of a history node', two({ always: { guard: stateIn('#m.p.A.h') } }), 'BAD_DEFINITION', '/states/p/always', 'never active'],
  [
    'a composed stateIn by a part of an id',
    withState({ id: 'top', always: { guard: not(stateIn('#m.a')) } }),
    'UNSUPPORTED',
    '/states/a/always/guard',
    "'#top'",
  ],
  ['an action that is a number', withState({ entry: [5] }), 'BAD_DEFINITION', '/states/a/entry/0', 'found 5'],
  // Values
  ['a context with a date', { ...withState({}), context: { at: new Date(0) } }, 'NOT_JSON', '/context/at', 'a Date'],
  ['a context with a function in it', { ...withState({}), context: { list: [() => 1] } }, 'NOT_JSON', '/context/list/0', 'function'],
  ['a context with Infinity', { ...withState({}), context: { most: Infinity } }, 'NOT_JSON', '/context/most', 'Infinity'],
  ['a context that is a number', { ...withState({}), context: 5 }, 'BAD_DEFINITION', '/context', 'found 5'],
  ['a raised event that is no JSON', withAction(raise({ type: 'X', at: new Map() } as never)), 'NOT_JSON', '/states/a/entry/1/at', 'a Map'],
  ['a raised string', withAction(raise('X' as never)), 'BAD_DEFINITION', '/states/a/entry/1', "found 'X'"],
  ['an output that is no JSON', { id: 'm', output: { at: new Set() } }, 'NOT_JSON', '/output/at', 'a Set'],
  ['no fuel at all', { id: 'm', options: { maxIterations: 0 } }, 'BAD_DEFINITION', '/', 'fuel'],
];

test.each(REFUSED)('[COMPILE-7] refused: %s', (_, machine, code, path, reason) => {
  const refusal = refusalOf(machine);
  expect({ code: refusal.code, message: refusal.message }).toEqual({ code, message: expect.stringContaining(reason) });
  expect(refusal.message).toContain(path);
  if (path !== '') expect(refusal.message).toContain("machine 'm'");
});

test('[COMPILE-7] what looks odd and means something is taken', () => {
  const taken = [
    { id: 'm' },
    { id: 'm', context: undefined, states: {} },
    { id: 'm', initial: 'a', states: { a: { invoke: [], on: { E: [], F: undefined, G: '', H: {} }, always: undefined, tags: 'one' } } },
    { id: 'm', initial: 'a.b', states: { 'a.b': { on: { GO: '#m.a\\.b', ON: 'c\\.d' } }, 'c.d': {} } },
    { id: 'm', context: { missing: undefined, deep: [{ a: null }] }, entry: 'nobody implements this' },
    { id: 'm', entry: assign({ n: 1 }), after: { 0: [] } },
    { id: 'm', initial: { target: 'a', actions: 'x' }, states: { a: { type: 'atomic' } } },
  ];
  for (const machine of taken) expect(() => compileMachine(machine), JSON.stringify(machine)).not.toThrow();
});

function refusalOf(machine: unknown): LockstepError {
  try {
    compileMachine(machine);
  } catch (error) {
    if (error instanceof LockstepError) return error;
    throw error;
  }
  throw new Error('it was compiled');
}
