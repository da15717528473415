// Builtin actions and actors in lowered machines: beside the same machine hosted, and beside a replica that has nothing but the image.

import {
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { bind, findLogic } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import type { Outcome } from '../../core/outcome.ts';
import { DELAYED_FIRST } from '../../core/step.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';

type Args = {
  readonly context: { readonly n: number; readonly to: string };
  readonly event: { readonly type: string; readonly by: number };
};

const kid = createMachine({ id: 'kid', on: { WORK: {} } });

const office = setup({
  types: {} as { context: { n: number; to: string }; events: { type: string; by: number } },
  actors: { kid, job: fromPromise(async () => 1) },
  delays: { soon: ({ context }) => context.n * 10 + 5, later: 700 },
  actions: {
    count: assign({ n: ({ context, event }) => context.n + event.by }),
    tell: sendTo('kid', ({ context }: Args) => ({ type: 'WORK', n: context.n })),
    said: emit(({ context }: Args, params: { word: string }) => ({ type: 'SAID', word: params.word, n: context.n })) as never,
  },
}).createMachine({
  id: 'office',
  initial: 'idle',
  context: { n: 0, to: 'helper' },
  states: {
    idle: {
      entry: [log(({ context }: Args) => `idle ${context.n}`, 'note')],
      on: { START: 'busy', END: 'over' },
    },
    busy: {
      entry: [
        sendTo('kid', { type: 'WORK' }),
        spawnChild('kid', { id: 'helper', input: ({ context }: never) => ({ n: (context as Args['context']).n }) }),
      ],
      exit: stopChild('helper'),
      invoke: [
        { id: 'kid', src: 'kid', input: ({ context }: never) => ({ n: (context as Args['context']).n }) },
        {
          src: 'job',
          systemId: 'work',
          onDone: { actions: assign({ n: ({ event }) => (event as unknown as { output: number }).output }) },
          onError: 'idle',
        },
      ],
      on: {
        STOP: 'idle',
        TASK: { actions: ['count' as never, 'tell', { type: 'said', params: ({ event }: Args) => ({ word: `by ${event.by}` }) } as never] },
        ASK: {
          actions: sendTo(
            ({ context }: Args) => context.to,
            ({ event }: Args) => ({ type: 'WORK', by: event.by }),
            { delay: 'soon' } as never,
          ),
        },
        LATER: { actions: [raise({ type: 'COUNT', by: 2 } as never, { delay: 'later', id: 'late' } as never), 'count' as never] },
        SOON: { actions: raise(({ event }: Args) => ({ type: 'COUNT', by: event.by }), { delay: ({ event }: Args) => event.by } as never) },
        NEVER: { actions: cancel('late') },
        WHICH: {
          actions: [cancel(({ event }: Args) => `send.${event.by}`), sendParent(({ context }: Args) => ({ type: 'HELLO', n: context.n }))],
        },
      },
    },
    over: { type: 'final' },
  },
  on: { COUNT: { actions: 'count' as never } },
} as never);

const core = await testCore();
const hosted = compileMachine(office);
const lowered = compileMachine(office, { lower: true });

function load({ bytes, symbols }: typeof hosted): Instance {
  const machine = Machine.load(core, bytes, bind(symbols, office));
  machine.logicOf = (src) => findLogic(office, src);
  return Instance.create(machine);
}

/** All of an outcome but what a program need not tell. */
const shown = (outcome: Outcome) => ({
  taken: outcome.taken,
  clocks: outcome.clocks,
  status: outcome.status,
  timers: outcome.timers,
  children: outcome.children,
  ids: outcome.ids,
  effects: outcome.effects,
});

type Attempt = { readonly outcome: ReturnType<typeof shown> } | { readonly refused: string };

function attempt(act: () => Outcome): Attempt {
  try {
    return { outcome: shown(act()) };
  } catch (error) {
    const { code } = error as { code?: string };
    // The same thing by its names here and there: a value that is not of its kind.
    return { refused: code === 'EXPRESSION' || code === 'NOT_JSON' ? 'a value' : (code ?? String(error)) };
  }
}

test('[EXPR-16] invoke, spawn, sendTo, raise, emit, log, cancel and stop keep no machine hosted', () => {
  expect([hosted.isLowered, lowered.isLowered, lowered.obstacles]).toEqual([false, true, []]);
});

test('[EXPR-16] a lowered machine asks for the same actors, events and timers as the same machine hosted; so does its image alone', () => {
  const dice = random(seedOf('lowered actions'));
  for (let run = 0; run < 30; run += 1) {
    const [theirs, ours] = [load(hosted), load(lowered)];
    const alone = Instance.create(Machine.load(core, lowered.bytes));
    expect(alone.machine.functions).toEqual([]);
    const all = [theirs, ours, alone];
    const stamp = (seq: number) => ({ now: 1_000 + seq * 100, seed: seq, salt: `office/1/${seq}` });
    const each = (act: (instance: Instance) => Outcome): void => {
      const [expected, ...others] = all.map((instance) => attempt(() => act(instance)));
      for (const other of others) expect(withoutLogic(other!)).toEqual(withoutLogic(expected!));
      const [state, ...states] = all.map((instance) => ({ ...instance.save(), digest: instance.digest(), seq: instance.seq }));
      for (const other of states) expect(other).toEqual(state);
    };
    each((instance) => instance.start(undefined, stamp(1)));
    for (let seq = 2; seq < 60 && theirs.status === 'active'; seq += 1) {
      const due = [...theirs.timers.keys()];
      if (due.length > 0 && dice.chance(0.2)) {
        const timer = dice.pick(due);
        const delayed = theirs.delayed(timer)!;
        if (timer < DELAYED_FIRST || delayed.to !== '#_internal') each((instance) => instance.elapse(timer));
        else each((instance) => instance.step(delayed.event, stamp(seq), { timer, isInternal: true }));
        continue;
      }
      const type = dice.pick(['START', 'START', 'STOP', 'TASK', 'ASK', 'LATER', 'SOON', 'NEVER', 'WHICH', 'COUNT', 'DONE', 'FAIL', 'END']);
      const event: EventObject = { type, by: dice.below(4) };
      if (type === 'END' && dice.chance(0.8)) continue;
      if (type === 'DONE')
        each((instance) => instance.step({ type: 'xstate.done.actor.1.office.busy', output: 7 }, stamp(seq), { isInternal: true }));
      else if (type === 'FAIL') {
        const failed = { type: 'xstate.error.actor.1.office.busy', error: { message: 'no' } };
        each((instance) => instance.step(failed, stamp(seq), { isInternal: true }));
      } else each((instance) => instance.step(event, stamp(seq)));
    }
  }
});

/** Only who has the author's program knows the logic of an actor. */
function withoutLogic(one: Attempt): unknown {
  if ('refused' in one) return one;
  const effects = one.outcome.effects.map(({ request, ...rest }) => {
    if (request?.kind !== 'spawn') return { ...rest, request };
    return { ...rest, request: { kind: request.kind, child: request.child } };
  });
  return { ...one.outcome, effects };
}

test('[EXPR-16] who has the actors starts them; a name that nothing implements is refused as it is hosted', () => {
  const instance = load(lowered);
  instance.start(undefined, { now: 0, seed: 0, salt: '' });
  const { effects } = instance.step({ type: 'START', by: 0 }, { now: 0, seed: 0, salt: '' });
  const logics = effects.flatMap(({ request }) => (request?.kind === 'spawn' ? [request.logic] : []));
  expect(logics).toEqual([kid, kid, office.implementations.actors['job']]);
  const lonely = createMachine({ id: 'lonely', on: { GO: { actions: spawnChild('nobody' as never) } } });
  for (const image of [compileMachine(lonely), compileMachine(lonely, { lower: true })]) {
    const one = Instance.create(Machine.load(core, image.bytes, bind(image.symbols, lonely)));
    one.start(undefined, { now: 0, seed: 0, salt: '' });
    expect(attempt(() => one.step({ type: 'GO' }, { now: 0, seed: 0, salt: '' }))).toEqual({ refused: 'MISSING_FUNCTION' });
  }
});

test('[EXPR-16] enqueueActions, and what asks for the system, keep a machine hosted and say so', () => {
  const machine = createMachine({
    id: 'm',
    context: {},
    on: {
      A: { actions: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'B' })) },
      B: { actions: sendTo(({ system }) => system.get('x') as never, { type: 'C' } as never) },
    },
  });
  const { isLowered, obstacles } = compileMachine(machine, { lower: true });
  expect(isLowered).toBe(false);
  expect(obstacles.map(({ function: { path }, reason }) => `${path}: ${reason}`)).toMatchInlineSnapshot(`
    [
      "/on/A/actions: enqueueActions() acts on the machine while it runs",
      "/on/B/actions: it uses 'system', which is no data",
    ]
  `);
});
