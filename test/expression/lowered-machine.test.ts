// compileMachine(…, { lower: true }): the same machine lowered and hosted, under the same random events.

import { assign, createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';

interface Todo {
  readonly id: number;
  readonly text: string;
  readonly done: boolean;
}
type Args = { context: { todos: Todo[]; next: number; filter: string }; event: { type: string; id: number; text: string; filter: string } };

const todos = createMachine({
  id: 'todos',
  initial: 'open',
  context: { todos: [] as Todo[], next: 1, filter: 'all' },
  states: {
    open: {
      on: {
        ADD: {
          guard: ({ event }: Args) => event.text.trim().length > 0,
          actions: assign(({ context, event }: Args) => ({
            ...context,
            todos: [...context.todos, { id: context.next, text: event.text.trim(), done: false }],
            next: context.next + 1,
          })),
        },
        TOGGLE: {
          actions: assign({
            todos: ({ context, event }: Args) => context.todos.map((todo) => (todo.id === event.id ? { ...todo, done: !todo.done } : todo)),
          }),
        },
        CLEAR: { actions: assign({ todos: ({ context }: Args) => context.todos.filter(({ done }) => !done) }) },
        FILTER: { actions: assign({ filter: ({ event }: Args) => event.filter }) },
      },
      always: { guard: ({ context }: Args) => context.todos.length > 6, target: 'full' },
    },
    full: { on: { RESET: { target: 'open', actions: assign({ todos: [] }) } } },
  },
} as never);

test('[EXPR-14] a machine all of whose functions can be is lowered when that is asked for, and does what it does hosted', async () => {
  const core = await testCore();
  const hosted = compileMachine(todos);
  const lowered = compileMachine(todos, { lower: true });
  expect([hosted.isLowered, lowered.isLowered, lowered.obstacles]).toEqual([false, true, []]);
  expect(compileMachine(todos, { lower: true }).hash).toBe(lowered.hash);

  const stamp = { now: 0, seed: 0, salt: '' };
  const start = ({ bytes, symbols }: typeof hosted): Instance => Instance.create(Machine.load(core, bytes, bind(symbols, todos)));
  const [one, other] = [start(hosted), start(lowered)];
  for (const instance of [one, other]) instance.start(undefined, stamp);
  const dice = random(seedOf('lowered todos'));
  for (let step = 0; step < 500; step += 1) {
    const type = dice.pick(['ADD', 'ADD', 'TOGGLE', 'CLEAR', 'FILTER', 'RESET']);
    const event = { type, id: dice.below(20), text: dice.pick([' tea ', '', 'jam']), filter: dice.pick(['all', 'done']) };
    for (const instance of [one, other]) instance.step(event, stamp);
    expect(other.context, JSON.stringify(event)).toEqual(one.context);
    expect(other.snapshot().value).toEqual(one.snapshot().value);
  }
});

test('[EXPR-14] what cannot be lowered whole is hosted, with the reasons', () => {
  const on = {
    GO: {
      guard: () => Date.now() > 0,
      actions: [assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 }), () => undefined],
    },
  };
  const { isLowered, obstacles } = compileMachine(createMachine({ id: 'm', context: { n: 0 }, on } as never), { lower: true });
  expect(isLowered).toBe(false);
  expect(obstacles.map(({ function: { path }, reason }) => `${path}: ${reason}`)).toEqual([
    '/on/GO/guard: Date.now() reads the clock; use now() of lockstep, which comes with the event',
  ]);
});
