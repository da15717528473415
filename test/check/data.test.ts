// What `check` computes instead of answering both ways, and what it takes for unknown; and that it then meets what a machine can reach, and
// nothing else.

import { assign, createMachine, enqueueActions, raise } from 'xstate';
import { expect, test } from 'vitest';
import { check, type Report } from '../../compiler/check/index.ts';
import { compileMachine } from '../../compiler/index.ts';
import { defineMachine } from '../../compiler/dialect.ts';
import { bind } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf, type Random } from '../support/random.ts';

const core = await testCore();
const short = ({ findings }: Report): string[] => findings.map(({ kind, path }) => `${kind} ${path}`);

/** Three tries, then no more. */
const login = (limit: string) => ({
  id: 'login',
  '@exprLang': 'lockstep',
  initial: 'out',
  context: { tries: 0, name: '' },
  states: {
    out: {
      on: {
        FAIL: [
          { guard: { '@expr': `context.tries < ${limit}` }, context: { tries: { '@expr': 'context.tries + 1' } } },
          { target: 'locked' },
        ],
        ENTER: { target: 'in', context: { tries: { '@expr': '0' }, name: { '@expr': 'event.name' } } },
      },
    },
    in: { on: { LEAVE: 'out', ODD: { guard: { '@expr': 'context.tries === 7' }, target: 'odd' } } },
    locked: { type: 'final' },
    odd: { type: 'final' },
  },
});

test('[CHECK-13] guards over a context that can be computed are answered exactly, with a configuration for each of its values', () => {
  // out with 0, 1 and 2 tries, locked after two; in with 0, and the name is nobody's question.
  const report = check(core, login('2'));
  expect(report).toMatchObject({ configurations: 5, questions: 0, computed: 2, keys: ['tries'], givenUp: [], isComplete: true });
  expect(short(report)).toEqual(['unreachable /states/odd', 'dead /states/in/on/ODD']);
  const found = report.findings[1];
  expect(found?.kind === 'dead' && found.trail.map(({ event }) => event)).toEqual(['(start)', 'ENTER']);
});

test('[CHECK-13] functions are computed like expressions, as far as they can be lowered; one that cannot makes all of it unknown', () => {
  const machine = (write: (args: { context: { n: number } }) => number) =>
    createMachine({
      context: { n: 0 },
      initial: 'a',
      states: {
        a: {
          on: {
            UP: { guard: ({ context }) => context.n < 2, actions: assign({ n: write }) },
            TO: { guard: ({ context }) => context.n === 3, target: 'b' },
          },
        },
        b: { type: 'final' },
      },
    });
  expect(
    short(
      check(
        core,
        machine(({ context }) => context.n + 1),
      ),
    ),
  ).toEqual([
    'unreachable /states/b',
    'dead /states/a/on/TO',
    // After two times UP.
    'deadlock /states/a',
  ]);
  const hosted = check(
    core,
    machine(({ context }) => context.n + Date.now()),
  );
  expect(hosted).toMatchObject({ findings: [], questions: 2, computed: 0, keys: [] });
});

test('[CHECK-13] a key that an event writes is unknown, and so is what depends on it; others are not', () => {
  const report = check(core, {
    id: 'm',
    '@exprLang': 'lockstep',
    initial: 'a',
    context: { given: 0, twice: 0, own: 0 },
    states: {
      a: {
        on: {
          SET: { context: { given: { '@expr': 'event.value' } } },
          COPY: { context: { twice: { '@expr': 'context.given * 2' } } },
          OWN: { context: { own: { '@expr': '1 - context.own' } } },
          BIG: { guard: { '@expr': 'context.twice > 5' }, target: 'b' },
          BOTH: { guard: { '@expr': 'context.twice > 5 && context.own === 1' }, target: 'b' },
          THREE: { guard: { '@expr': 'context.own === 3' }, target: 'c' },
        },
      },
      b: { type: 'final' },
      c: { type: 'final' },
    },
  });
  expect(report).toMatchObject({ questions: 2, computed: 1, keys: ['own'] });
  expect(short(report)).toEqual(['unreachable /states/c', 'dead /states/a/on/THREE']);
});

test('[CHECK-14] a key with more than 256 values is given up, and what asks it is answered both ways', () => {
  expect(check(core, login('250'))).toMatchObject({ computed: 2, keys: ['tries'], givenUp: [], configurations: 253 });
  const report = check(core, login('1000'));
  expect(report).toMatchObject({
    computed: 0,
    questions: 2,
    keys: [],
    givenUp: ['tries'],
    configurations: 4,
    findings: [],
    isComplete: true,
  });
});

test('[CHECK-14] when data bring more configurations than were asked for, they are left out', () => {
  expect(check(core, login('100'), { configurationMax: 50 })).toMatchObject({
    computed: 0,
    givenUp: ['tries'],
    configurations: 4,
    isComplete: true,
  });
});

test('[CHECK-15] an event whose type is computed may be any; one whose type is written out is that one', () => {
  const machine = (event: (args: { context: { next: string } }) => { type: string }) =>
    createMachine({
      context: { next: 'X' },
      initial: 'a',
      states: {
        // Only what is raised comes before b is left.
        a: { on: { GO: { target: 'b', actions: raise(event as never) } } },
        b: { always: { target: 'a', guard: ({ event: seen }: { event: { type: string } }) => seen.type === 'GO' }, on: { X: 'c' } },
        c: { on: { BACK: 'a' } },
      },
    } as never);
  expect(
    short(
      check(
        core,
        machine(({ context }) => ({ type: context.next })),
      ),
    ),
  ).toEqual([]);
  expect(
    short(
      check(
        core,
        machine(() => ({ type: 'X' })),
      ),
    ),
  ).toEqual([]);
  const loop = createMachine({
    initial: 'a',
    states: {
      a: { on: { GO: { target: 'b', actions: raise(() => ({ type: 'STAY' })) } } },
      b: { on: { STAY: 'a', X: 'c' } },
      c: {},
    },
  } as never);
  // b is left in the step in which it is entered.
  expect(short(check(core, loop))).toEqual(['unreachable /states/c', 'dead /states/b/on/X']);
});

test('[CHECK-15] an action that raises what only it knows may raise any one event, and the report says that more could come', () => {
  const machine = createMachine({
    initial: 'a',
    states: {
      a: { on: { GO: { target: 'b', actions: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'X' } as never)) } } },
      b: { always: 'a', on: { X: 'c' } },
      c: { on: { BACK: 'a' } },
    },
  });
  expect(check(core, machine)).toMatchObject({ isCertain: false });
  expect(check(core, login('2'))).toMatchObject({ isCertain: true });
});

// ── Beside running them ──────────────────────────────────────────────────────────────────────────────────────────────

const EVENTS = ['A', 'B', 'C'];
const STATES = ['s0', 's1', 's2', 's3'];

function randomDefinition(dice: Random): object {
  const key = (): string => dice.pick(['n', 'm']);
  const guard = (): string => `context.${key()} ${dice.pick(['<', '===', '>='])} ${dice.pick([`context.${key()}`, String(dice.below(4))])}`;
  const value = (): string => dice.pick([`(context.${key()} + ${dice.below(4)}) % 4`, String(dice.below(4)), `context.${key()}`]);
  const branch = (): object => ({
    ...(dice.chance(0.7) ? { target: dice.pick(STATES) } : {}),
    ...(dice.chance(0.6) ? { guard: { '@expr': guard() } } : {}),
    ...(dice.chance(0.6) ? { context: { [key()]: { '@expr': value() } } } : {}),
  });
  const on = (): object => Object.fromEntries(EVENTS.filter(() => dice.chance(0.6)).map((type) => [type, [branch(), branch()]]));
  return {
    id: 'random',
    '@exprLang': 'lockstep',
    initial: 's0',
    context: { n: dice.below(4), m: dice.below(4) },
    states: Object.fromEntries(STATES.map((state) => [state, { on: on() }])),
  };
}

/** Every state with every context that a hosted instance comes to, one step after another. */
function reached(definition: object, keys: readonly string[]): Set<string> {
  const machine = defineMachine(definition);
  const { bytes, symbols } = compileMachine(machine);
  const instance = Instance.create(Machine.load(core, bytes, bind(symbols, machine)));
  const stamp = { now: 0, seed: 0, salt: '' };
  instance.start(undefined, stamp);
  const found = new Map<string, ReturnType<Instance['save']>>();
  const keep = (): void => {
    const { value, context } = instance.snapshot();
    const shown = keys.map((key) => (context as Record<string, unknown>)[key]);
    // All of the context decides what comes next, what check computes is what is counted.
    found.set(JSON.stringify([value, context, shown]), instance.save());
  };
  keep();
  for (const [, saved] of found) {
    for (const type of EVENTS) {
      if (!symbols.events.includes(type)) continue;
      instance.load(saved, 1);
      instance.step({ type }, stamp);
      keep();
    }
  }
  instance.dispose();
  return new Set([...found.keys()].map((text) => JSON.stringify([JSON.parse(text)[0], JSON.parse(text)[2]] as unknown[])));
}

test('[CHECK-13] random machines with data: as many configurations as running them comes to', () => {
  const dice = random(seedOf('check on data'));
  let computed = 0;
  for (let i = 0; i < 100; i++) {
    const definition = randomDefinition(dice);
    const report = check(core, definition);
    expect([report.questions, report.isComplete]).toEqual([0, true]);
    expect(report.configurations).toBe(reached(definition, report.keys).size);
    computed += report.computed;
  }
  expect(computed).toBeGreaterThan(300);
});
