// States with targets: the traffic light of Automata's own tests, with what its handlers do, and what is refused where.

import { createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import { compileMachine, defineMachine, fromStates, type StateHandle } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError, type ErrorCode } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();
const STAMP = { now: 0, seed: 0, salt: '' };

const light = {
  id: 'light',
  context: { turns: 0 },
  states: [
    {
      name: 'green',
      targets: ['yellow'],
      events: [
        { name: 'go_yellow', handler: (machine: StateHandle, data: Json) => machine.transition('yellow', '200', data) },
        { name: 'ping', handler: (machine: StateHandle) => machine.transmit('200', 'pong') },
        { name: 'noop', handler: () => undefined },
        { name: 'skip', handler: (machine: StateHandle) => machine.transition('red') },
        { name: 'slowly', handler: () => Promise.resolve() },
        {
          name: 'both',
          handler: (machine: StateHandle) => {
            machine.transmit('200', 1);
            machine.set({ turns: (machine.context['turns'] as number) + 1 });
            machine.transition('yellow');
          },
        },
      ],
    },
    { name: 'yellow', targets: ['red'], events: [{ name: 'go_red', to: 'red' }] },
    { name: 'red', events: [{ name: 'go', handler: (machine: StateHandle, to: Json) => machine.transition(to as string) }] },
  ],
};

function start(source: unknown): Instance {
  const machine = defineMachine(source);
  const { bytes, symbols } = compileMachine(machine);
  const instance = Instance.create(Machine.load(core, bytes, bind(symbols, machine)));
  instance.start(undefined, STAMP);
  return instance;
}

/** Where it is then, and what it answered. */
function send(instance: Instance, type: string, data: Json = null): readonly [unknown, readonly unknown[]] {
  const outcome = instance.step({ type, data }, STAMP);
  const replies = outcome.effects.flatMap(({ request }) => (request?.kind === 'emit' ? [request.event] : []));
  return [instance.snapshot().value, replies];
}

test('[STATES-2] handlers go, answer with the events of the state they reach, and change the context', () => {
  const instance = start(light);
  expect(send(instance, 'ping')).toEqual(['green', [{ type: 'reply', status: '200', data: 'pong' }]]);
  expect(send(instance, 'noop')).toEqual(['green', []]);
  expect(send(instance, 'go_yellow', { n: 1 })).toEqual([
    'yellow',
    [{ type: 'reply', state: 'yellow', events: ['go_red'], status: '200', data: { n: 1 } }],
  ]);
  // An event of another state.
  expect(send(instance, 'ping')).toEqual(['yellow', []]);
  expect(send(instance, 'go_red')).toEqual(['red', []]);
  expect(send(instance, 'go', 'green')[0]).toBe('green');
  expect(send(instance, 'both')).toEqual([
    'yellow',
    [
      { type: 'reply', status: '200', data: 1 },
      { type: 'reply', state: 'yellow', events: ['go_red'], status: '200', data: null },
    ],
  ]);
  expect(instance.context).toEqual({ turns: 1 });
});

test('[STATES-2] a handler that goes where its state does not lead, goes twice, or takes time, changes nothing', () => {
  const twice = {
    states: [
      {
        name: 'a',
        events: [
          {
            name: 'E',
            handler: (machine: StateHandle) => {
              machine.transition('a');
              machine.transition('a');
            },
          },
        ],
      },
    ],
  };
  for (const [source, event, reason] of [
    [light, 'skip', "'green' does not lead to 'red'"],
    [light, 'slowly', 'asynchronous'],
    [twice, 'E', "although it has gone to 'a'"],
  ] as const) {
    const instance = start(source);
    const before = instance.digest();
    expect(() => send(instance, event)).toThrow(reason);
    expect(instance.digest()).toBe(before);
  }
});

test('[STATES-1] without handlers the image is that of the XState machine that says the same', () => {
  const plain = {
    id: 'light',
    initial: 'red',
    states: [
      { name: 'green', targets: ['yellow'], events: [{ name: 'go_yellow', to: 'yellow' }] },
      { name: 'yellow', events: [{ name: 'go_red', to: 'red' }] },
      {
        name: 'red',
        targets: ['green', 'red'],
        events: [
          { name: 'go_green', to: 'green' },
          { name: 'stay', to: 'red' },
        ],
      },
    ],
  };
  const same = createMachine({
    id: 'light',
    initial: 'red',
    states: {
      green: { on: { go_yellow: 'yellow' } },
      yellow: { on: { go_red: 'red' } },
      red: { on: { go_green: 'green', stay: 'red' } },
    },
  });
  expect(compileMachine(plain).hash).toBe(compileMachine(same).hash);
  expect(start({ states: plain.states }).snapshot().value).toBe('green');
});

test('[CHECK-6] a handler may go to any of its targets', () => {
  const { configurations, findings } = check(core, light);
  expect(configurations).toBe(3);
  expect(findings).toEqual([]);
});

const one = (state: object): object => ({ id: 'm', states: [{ name: 'a', ...state }, { name: 'b' }] });
const REFUSED: readonly (readonly [what: string, source: unknown, code: ErrorCode, path: string, reason: string])[] = [
  ['no states', { states: [] }, 'BAD_DEFINITION', '/states', 'a machine needs a state'],
  ['a state that is no object', { states: ['a'] }, 'BAD_DEFINITION', '/states/0', "found 'a'"],
  ['a state without a name', { states: [{}] }, 'BAD_DEFINITION', '/states/0/name', 'found undefined'],
  ['two states with one name', { states: [{ name: 'a' }, { name: 'a' }] }, 'BAD_DEFINITION', '/states/1', 'there already, at /states/0'],
  [
    'two events with one name',
    one({
      events: [
        { name: 'E', to: 'b' },
        { name: 'E', to: 'a' },
      ],
    }),
    'BAD_DEFINITION',
    '/states/0/events/1',
    "the event 'E' is there already",
  ],
  ['an unknown initial state', { ...one({}), initial: 'z' }, 'BAD_DEFINITION', '/initial', "'z' is none of the states"],
  ['targets that are no list', one({ targets: 'b' }), 'BAD_DEFINITION', '/states/0/targets', 'expected a list'],
  ['an unknown target', one({ targets: ['b', 'z'] }), 'BAD_DEFINITION', '/states/0/targets/1', "'z' is none of the states"],
  [
    'an event that leads to no state',
    one({ events: [{ name: 'E', to: 'z' }] }),
    'BAD_DEFINITION',
    '/states/0/events/0/to',
    'none of the states',
  ],
  [
    'an event that leads past its targets',
    one({ targets: ['a'], events: [{ name: 'E', to: 'b' }] }),
    'BAD_DEFINITION',
    '/states/0/events/0/to',
    'none of the targets',
  ],
  [
    'an event without a meaning',
    one({ events: [{ name: 'E' }] }),
    'BAD_DEFINITION',
    '/states/0/events/0',
    'either a target (to) or a handler',
  ],
  [
    'an event with two',
    one({ events: [{ name: 'E', to: 'a', handler: () => undefined }] }),
    'BAD_DEFINITION',
    '/states/0/events/0',
    'either',
  ],
  [
    'a handler that is no function',
    one({ events: [{ name: 'E', handler: 'go' }] }),
    'BAD_DEFINITION',
    '/states/0/events/0/handler',
    "found 'go'",
  ],
  ['an event that is a wildcard', one({ events: [{ name: '*', to: 'a' }] }), 'UNSUPPORTED', '/states/0/events/0/name', 'wildcard'],
  ['a context that is no object', { ...one({}), context: [] }, 'BAD_DEFINITION', '/context', 'found an array'],
];

test.each(REFUSED)('[STATES-3] refused: %s', (_what, source, code, path, reason) => {
  const refused = (): unknown => compileMachine(fromStates(source));
  expect(refused).toThrow(LockstepError);
  expect(refused).toThrow(expect.objectContaining({ code, message: expect.stringContaining(path) as string }) as Error);
  expect(refused).toThrow(reason);
});
