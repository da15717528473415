// What `check` finds: each kind of finding on a machine that has it and on one that only looks like it, with the way that leads there.

import { and, assign, createMachine, not, raise, setup, stateIn } from 'xstate';
import { expect, test } from 'vitest';
import { check, type Report } from '../../compiler/check/index.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();
const short = ({ findings }: Report): string[] => findings.map(({ kind, path }) => `${kind} ${path}`);
const events = (trail: readonly { readonly event: string }[]): string[] => trail.map(({ event }) => event);

test('[CHECK-1] every configuration is met, once', () => {
  const bit = { initial: 'off', states: { off: { on: { UP: 'on' } }, on: { on: { DOWN: 'off' } } } };
  const three = createMachine({ type: 'parallel', states: { a: bit, b: bit, c: { ...bit } } });
  expect(check(core, three)).toMatchObject({ configurations: 2, findings: [], isComplete: true });
  const own = (up: string) => ({ initial: 'off', states: { off: { on: { [up]: 'on' } }, on: { on: { DOWN: 'off' } } } });
  const free = createMachine({ type: 'parallel', states: { a: own('A'), b: own('B'), c: own('C') } });
  expect(check(core, free)).toMatchObject({ configurations: 8, findings: [] });
});

test('[CHECK-1] what history remembers is part of a configuration', () => {
  const machine = createMachine({
    initial: 'out',
    states: {
      out: { on: { IN: 'in.back' } },
      in: { initial: 'a', states: { a: { on: { NEXT: 'b' } }, b: { on: { NEXT: 'a' } }, back: { type: 'history' } }, on: { OUT: 'out' } },
    },
  });
  // out (nothing, a, b remembered) and a, b inside with each of the three.
  expect(check(core, machine)).toMatchObject({ configurations: 9, findings: [] });
});

test('[CHECK-2] a state that nothing leads to is unreachable, and only the outermost is named', () => {
  const machine = createMachine({
    initial: 'a',
    states: { a: { on: { GO: 'a' } }, island: { initial: 'x', states: { x: { on: { NEXT: 'y' } }, y: {} } } },
  });
  expect(short(check(core, machine))).toEqual(['unreachable /states/island']);
});

test('[CHECK-2] a state that is left in the step in which it is entered is reachable', () => {
  const machine = createMachine({
    initial: 'a',
    states: { a: { on: { GO: 'passing' } }, passing: { always: 'b' }, b: { on: { BACK: 'a' } } },
  });
  expect(short(check(core, machine))).toEqual([]);
});

test('[CHECK-3] a transition behind one without a guard is dead, with the way to its source', () => {
  const machine = createMachine({
    initial: 'a',
    states: { a: { on: { GO: 'b' } }, b: { on: { BACK: [{ target: 'a' }, { target: 'b', guard: () => true }] } } },
  });
  const { findings } = check(core, machine);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({
    kind: 'dead',
    path: '/states/b/on/BACK/1',
    state: '(machine).b',
    event: 'BACK',
    behind: '/states/b/on/BACK/0',
  });
  expect(findings[0]!.kind === 'dead' && events(findings[0]!.trail)).toEqual(['(start)', 'GO']);
});

test('[CHECK-3] a guard inside the machine is exact: a region that is never elsewhere keeps a transition dead', () => {
  const machine = createMachine({
    type: 'parallel',
    states: {
      a: { initial: 'x', states: { x: { on: { GO: { target: 'y', guard: stateIn({ b: 'never' }) } } }, y: {} } },
      b: { initial: 'here', states: { here: { on: { STAY: 'here' } }, never: {} } },
    },
  });
  expect(short(check(core, machine))).toEqual([
    'unreachable /states/a/states/y',
    'unreachable /states/b/states/never',
    'dead /states/a/states/x/on/GO',
  ]);
});

test('[CHECK-4] a configuration in which nothing can happen is a deadlock, with the events and guard answers that lead to it', () => {
  const machine = setup({ guards: { isPaid: () => true, isLate: () => true } }).createMachine({
    id: 'order',
    initial: 'open',
    states: {
      open: {
        on: {
          PAY: [
            { guard: 'isPaid', target: 'done' },
            { guard: 'isLate', target: 'review' },
          ],
        },
      },
      review: { on: { PAY: undefined } },
      done: { type: 'final' },
    },
  });
  const { findings } = check(core, machine);
  expect(findings).toEqual([
    {
      kind: 'deadlock',
      path: '/states/review',
      value: 'review',
      trail: [
        { event: '(start)', guards: [], value: 'open' },
        {
          event: 'PAY',
          guards: [
            { guard: 'isPaid', path: '/states/open/on/PAY/0/guard', answer: false },
            { guard: 'isLate', path: '/states/open/on/PAY/1/guard', answer: true },
          ],
          value: 'review',
        },
      ],
    },
  ]);
});

test('[CHECK-4] a timer is a way out, and a machine that is done needs none', () => {
  const machine = createMachine({ initial: 'a', states: { a: { after: { 100: 'b' } }, b: { type: 'final' } } });
  expect(check(core, machine)).toMatchObject({ configurations: 2, findings: [] });
});

test('[CHECK-5] a step without an end is a livelock, and its round is named', () => {
  const machine = createMachine({
    initial: 'rest',
    states: { rest: { on: { GO: 'ping', STOP: 'end' } }, ping: { always: 'pong' }, pong: { always: 'ping' }, end: { type: 'final' } },
  });
  const { findings } = check(core, machine);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ kind: 'livelock', loop: ['/states/ping/always', '/states/pong/always'] });
  expect(findings[0]!.kind === 'livelock' && findings[0]!.trail).toEqual([
    { event: '(start)', guards: [], value: 'rest' },
    { event: 'GO', guards: [] },
  ]);
});

test('[CHECK-5] raising oneself for ever is a livelock, too', () => {
  const machine = createMachine({ initial: 'a', states: { a: { on: { TICK: { actions: raise({ type: 'TICK' }) } } } } });
  expect(check(core, machine).findings).toMatchObject([{ kind: 'livelock', loop: ['/states/a/on/TICK'] }]);
});

test('[CHECK-5] a round that data can end is a remark', () => {
  const machine = createMachine({
    context: { left: 3 },
    initial: 'rest',
    states: {
      rest: { on: { GO: { target: 'work', actions: assign({ left: ({ event }) => (event as unknown as { n: number }).n }) } } },
      work: {
        always: [
          { guard: ({ context }) => context.left === 0, target: 'rest' },
          { actions: assign({ left: ({ context }) => context.left - 1 }) },
        ],
      },
    },
  });
  const { findings, remarks } = check(core, machine);
  expect(findings).toEqual([]);
  expect(remarks).toMatchObject([{ kind: 'loop', loop: ['/states/work/always/1'] }]);
});

test('[CHECK-6] one question has one answer in a step, however guards are put together, until the context may have changed', () => {
  const machine = setup({ guards: { isOpen: () => true } }).createMachine({
    initial: 'a',
    states: {
      a: {
        on: {
          ONE: [{ guard: 'isOpen', target: 'b' }, { guard: not('isOpen'), target: 'c' }, { target: 'never' }],
          TWO: { guard: and(['isOpen', not('isOpen')]), target: 'never' },
        },
      },
      b: { on: { BACK: 'a' } },
      c: { on: { BACK: 'a' } },
      never: {},
    },
  });
  expect(short(check(core, machine))).toEqual(['unreachable /states/never', 'dead /states/a/on/ONE/2', 'dead /states/a/on/TWO']);
});

test('[CHECK-6] behind an assign the same guard may answer otherwise', () => {
  const machine = setup({ guards: { isOpen: () => true } }).createMachine({
    context: {},
    initial: 'a',
    states: {
      a: { on: { GO: { guard: 'isOpen', target: 'b', actions: assign({ n: 1 }) } } },
      b: { always: { guard: not('isOpen'), target: 'a' }, on: { BACK: 'a' } },
    },
  });
  expect(check(core, machine)).toMatchObject({ findings: [], questions: 1 });
});

test('[CHECK-7] what was not explored is not judged', () => {
  const bit = (key: string) => ({ initial: 'off', states: { off: { on: { [key]: 'on' } }, on: { on: { [key]: 'off' } } } });
  const machine = createMachine({
    type: 'parallel',
    states: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`r${i}`, bit(`E${i}`)])),
  });
  expect(check(core, machine, { configurationMax: 100 })).toMatchObject({ findings: [], isComplete: false });
  expect(check(core, machine, { configurationMax: 256 })).toMatchObject({ configurations: 256, findings: [], isComplete: true });
});
