// What lockstep() returns as an object: what users and tools read on a machine, what its snapshots are worth elsewhere, and what it refuses.

import * as xstate from 'xstate';
import {
  assign,
  createActor,
  createMachine,
  fromPromise,
  getNextSnapshot,
  getNextTransitions,
  initialTransition,
  toPromise,
  transition,
  waitFor,
} from 'xstate';
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { lockstep } from '../../compiler/xstate/index.ts';
import { LockstepError } from '../../core/errors.ts';
import { corrected, side, type Playing } from './record.ts';

const light = createMachine({
  id: 'light',
  version: '3',
  context: { turns: 0 },
  initial: 'red',
  states: {
    red: { on: { NEXT: { target: 'green', actions: assign({ turns: ({ context }) => context.turns + 1 }) } }, tags: 'stop' },
    green: {
      on: { NEXT: 'memory', HOLD: {} },
      initial: 'fresh',
      states: { fresh: { on: { AGE: 'old' } }, old: {}, last: { type: 'history' } },
    },
    memory: { on: { BACK: 'green.last' } },
  },
} as never) as AnyStateMachine;

test('[XSTATE-3] a persisted snapshot goes on in either: from XState in the core, from the core in XState', async () => {
  const child = createMachine({ id: 'kid', initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } });
  const machine = createMachine({
    id: 'm',
    initial: 'in',
    context: ({ spawn }: { spawn(src: string, options: object): unknown }) => ({ kid: spawn('child', { id: 'kid' }) }),
    states: {
      in: { initial: 'x', states: { x: { on: { NEXT: 'y' } }, y: {}, h: { type: 'history' } }, on: { OUT: 'out' } },
      out: { on: { BACK: 'in.h', TELL: { actions: xstate.sendTo('kid', { type: 'GO' }) } } },
    },
  } as never).provide({ actors: { child } } as never) as unknown as AnyStateMachine;
  const after = (first: AnyStateMachine, second: AnyStateMachine): unknown => {
    const one = createActor(first).start() as Playing;
    for (const type of ['NEXT', 'OUT']) one.send({ type });
    const persisted: unknown = JSON.parse(JSON.stringify(one.getPersistedSnapshot()));
    const other = createActor(second, { snapshot: persisted as never }).start() as Playing;
    for (const type of ['TELL', 'BACK']) other.send({ type });
    return JSON.parse(JSON.stringify([persisted, other.getPersistedSnapshot()]));
  };
  const expected = after(machine, machine);
  expect(after(lockstep(machine), machine)).toEqual(expected);
  expect(after(machine, lockstep(machine))).toEqual(expected);
  expect(after(lockstep(machine), lockstep(machine))).toEqual(expected);
  expect(JSON.stringify(expected)).toContain('"historyValue":{"m.in.h":[{"id":"m.in.y"}]}');
});

test('[XSTATE-4] transition() and initialTransition() give the same snapshots and actions, and run nothing', () => {
  let ran = 0;
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    context: { n: 0 },
    states: {
      a: {
        entry: () => (ran += 1),
        on: { GO: { target: 'b', actions: [assign({ n: 1 }), { type: 'named', params: { k: 1 } }, xstate.raise({ type: 'R' })] } },
      },
      b: { on: { R: 'c' } },
      c: { entry: xstate.emit({ type: 'arrived' }), after: { 10: 'a' } },
    },
  } as never) as unknown as AnyStateMachine;
  const views = [machine, lockstep(machine)].map((logic) => {
    const plain = ([snapshot, actions]: readonly [AnyMachineSnapshot, readonly { type: string; params: unknown }[]]): unknown => [
      snapshot.value,
      snapshot.context,
      actions.map(({ type, params }) => [type, params]),
    ];
    const first = initialTransition(logic) as unknown as Parameters<typeof plain>[0];
    const next = transition(logic, first[0], { type: 'GO' }) as unknown as Parameters<typeof plain>[0];
    const resolved = logic.resolveState({ value: 'b', context: { n: 4 } });
    return [
      plain(first),
      plain(next),
      getNextSnapshot(logic, resolved, { type: 'R' }).value,
      resolved.value,
      getNextTransitions(first[0]).map(({ eventType }) => eventType),
    ];
  });
  expect(views[1]).toEqual(views[0]);
  expect(ran).toBe(0);
});

test('[XSTATE-5] what users and tools read on a machine is there, and provide() gives a logic again', () => {
  const logic = lockstep(light);
  expect(logic).not.toBe(light);
  expect(lockstep(logic)).toBe(logic);
  expect(logic).toBeInstanceOf(xstate.StateMachine);
  expect([logic.id, logic.version, logic.config, logic.root, logic.states, logic.events, logic.implementations]).toEqual([
    light.id,
    light.version,
    light.config,
    light.root,
    light.states,
    light.events,
    light.implementations,
  ]);
  expect(JSON.stringify(logic)).toBe(JSON.stringify(light));
  expect(logic.getStateNodeById('light.green').id).toBe('light.green');
  expect(Object.hasOwn({ ...logic }, 'transition')).toBe(true);
  const provided = logic.provide({ actions: { some: () => undefined } } as never);
  expect(lockstep(provided)).toBe(provided);
  expect(Object.keys(provided.implementations.actions)).toEqual(['some']);
  const snapshot = createActor(logic).start().getSnapshot() as AnyMachineSnapshot;
  expect(snapshot.machine).toBe(logic);
  expect(Object.keys(snapshot)).toEqual(Object.keys(createActor(light).start().getSnapshot()));
});

test('[XSTATE-6] a snapshot that nothing changed is the same object; states, regions and memories are in document order', () => {
  const actor = createActor(lockstep(light)).start() as Playing;
  const before = actor.getSnapshot();
  actor.send({ type: 'NEVER' });
  expect(actor.getSnapshot()).toBe(before);
  actor.send({ type: 'NEXT' });
  const green = actor.getSnapshot();
  actor.send({ type: 'HOLD' });
  expect(actor.getSnapshot()).toBe(green);

  const regions = createMachine({
    id: 'p',
    type: 'parallel',
    states: {
      a: { initial: 'x', states: { x: { on: { A: 'y' } }, y: {} } },
      b: { initial: 'x', states: { x: { on: { B: 'y' } }, y: {} } },
    },
  });
  const parallel = createActor(lockstep(regions)).start();
  for (const type of ['B', 'A'] as const) parallel.send({ type });
  const ids = (parallel.getSnapshot() as AnyMachineSnapshot)._nodes.map(({ id }) => id);
  expect(ids).toEqual(['p', 'p.a', 'p.a.y', 'p.b', 'p.b.y']);
  expect(JSON.stringify(parallel.getSnapshot().value)).toBe('{"a":"y","b":"y"}');
  const restored = createActor(lockstep(regions), { snapshot: { ...parallel.getPersistedSnapshot(), value: { b: 'y', a: 'y' } } as never });
  expect(JSON.stringify(restored.getSnapshot().value)).toBe('{"a":"y","b":"y"}');
});

test('[XSTATE-7] can() asks guards and changes nothing; a forbidden event cannot', () => {
  const asked: unknown[] = [];
  const machine = createMachine({
    id: 'm',
    context: { n: 0 },
    on: {
      YES: { guard: ({ event }) => asked.push(event.type) > 0, actions: assign({ n: 1 }) },
      NO: { guard: () => false, actions: assign({ n: 2 }) },
      FORBIDDEN: {},
    },
  });
  const actor = createActor(lockstep(machine)).start();
  const before = actor.getSnapshot();
  expect((['YES', 'NO', 'FORBIDDEN', 'OTHER'] as const).map((type) => before.can({ type } as never))).toEqual([true, false, false, false]);
  expect(asked).toEqual(['YES']);
  expect(actor.getSnapshot()).toBe(before);
});

test('[XSTATE-8] a structure that the core cannot run is refused when it is wrapped, with machine, place and reason', () => {
  const refusal = (config: object): string => {
    try {
      lockstep(createMachine({ id: 'm', initial: 'a', ...config } as never) as unknown as AnyStateMachine);
    } catch (error) {
      return error instanceof LockstepError ? `${error.code} ${error.message}` : String(error);
    }
    return 'taken';
  };
  const two = { a: { id: 'same' }, b: { id: 'same' } };
  expect(refusal({ states: two })).toBe("BAD_DEFINITION machine 'm', /states/b: the id 'same' is taken by /states/a");
  expect(
    refusal({ states: { a: { on: { GO: { target: ['#x', '#y'] } } }, b: { initial: 'x', states: { x: { id: 'x' }, y: { id: 'y' } } } } }),
  ).toBe("BAD_DEFINITION machine 'm', /states/a/on/GO/0: its targets cannot be active together: they meet in 'm.b'");
  expect(refusal({ states: { a: { initial: { target: 'q', actions: 'x' }, type: 'parallel', states: { q: {} } } } })).toBe(
    "UNSUPPORTED machine 'm', /states/a/initial: initial actions of a state that is parallel",
  );
  expect(refusal({ initial: 'nowhere', states: { a: {} } })).toBe('Error: Initial state node "nowhere" not found on parent state node #m');
  expect(refusal({ states: { a: {} } })).toBe('taken');
});

test('[XSTATE-8] a snapshot that is no configuration of the machine ends the actor with a sentence', () => {
  const logic = lockstep(light);
  const broken = { ...createActor(logic).getPersistedSnapshot(), historyValue: { 'light.green.last': [{ id: 'light.memory' }] } };
  const actor = createActor(logic, { snapshot: broken as never }).start() as Playing;
  const errors: unknown[] = [];
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.send({ type: 'NEXT' });
  expect(errors).toEqual([new LockstepError('BAD_PARAMS', `the snapshot "red" is no configuration of machine 'light'`)]);
});

test('[XSTATE-9] a machine without a limit of its own that does not come to rest goes to error after 100,000 microsteps', () => {
  const machine = createMachine({ id: 'm', initial: 'a', states: { a: { on: { GO: 'b' } }, b: { always: 'c' }, c: { always: 'b' } } });
  const actor = createActor(lockstep(machine)).start();
  actor.subscribe({ error: () => undefined });
  actor.send({ type: 'GO' });
  expect(actor.getSnapshot().status).toBe('error');
  expect(String(actor.getSnapshot().error)).toContain('processed more than 100000 microsteps');
});

test('[XSTATE-10] waitFor and toPromise follow the actor to its output', async () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { GO: 'b' } }, b: { invoke: { src: fromPromise(async () => 20), onDone: 'c' } }, c: { type: 'final' } },
    output: { is: 'out' },
  } as never) as AnyStateMachine;
  const actor = createActor(lockstep(machine)).start() as Playing;
  const output = toPromise(actor);
  const inB = waitFor(actor, (snapshot: AnyMachineSnapshot) => snapshot.matches('b'));
  actor.send({ type: 'GO' });
  expect((await inB).value).toBe('b');
  expect(await output).toEqual({ is: 'out' });
});

test('[XSTATE-1] where XState lets the order of entering decide, the document does, live and restored', async () => {
  // Two `always` in conflict; the regions were last entered in the order b, a.
  const config = {
    id: 'm',
    type: 'parallel',
    context: { armed: false },
    states: {
      a: { initial: 'x', states: { x: { on: { A: 'y' } }, y: { always: { guard: 'armed', target: '#won.a' } } } },
      b: { initial: 'x', states: { x: { on: { B: 'y' } }, y: { always: { guard: 'armed', target: '#won.b' } } } },
      c: { id: 'won', initial: 'none', states: { none: {}, a: {}, b: {} } },
    },
    on: { ARM: { actions: 'arm' } },
  };
  const winner = (xs: typeof xstate, wrap: (machine: AnyStateMachine) => AnyStateMachine, isRestored: boolean): unknown => {
    const machine = xs.createMachine(
      config as never,
      {
        guards: { armed: ({ context }: { context: { armed: boolean } }) => context.armed },
        actions: { arm: xs.assign({ armed: true } as never) },
      } as never,
    ) as unknown as AnyStateMachine;
    const { actor } = side(xs, (same) => same);
    let playing = actor(wrap(machine)).start();
    for (const type of ['B', 'A']) playing.send({ type });
    if (isRestored)
      playing = actor(wrap(machine), { snapshot: JSON.parse(JSON.stringify(playing.getPersistedSnapshot())) as unknown }).start();
    playing.send({ type: 'ARM' });
    return (playing.getSnapshot() as AnyMachineSnapshot).value;
  };
  const same = (machine: AnyStateMachine): AnyStateMachine => machine;
  const live = winner(xstate, lockstep, false);
  expect(winner(xstate, lockstep, true)).toEqual(live);
  expect(winner(await corrected(), same, false)).toEqual(live);
  expect(winner(xstate, same, false)).not.toEqual(winner(xstate, same, true));
});
