// Statecharts and relational machines that invoke each other, at one authority: instances of their own, durable like others.

import { fromPromise, assign, setup, sendParent, sendTo } from 'xstate';
import { describe, expect, test } from 'vitest';
import { xstateActors } from '../../compiler/actors.ts';
import { compileMachine, type RelationalConfig } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import type { HandlerEvent } from '../../core/handlers.ts';
import type { Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { RelationalMachine } from '../../core/relational/local.ts';
import type { RelationalSelf } from '../../core/relational/owner.ts';
import type { Journal } from '../../peer/journal.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';
import { HeldJournal, World } from '../support/world.ts';

type Final = HandlerEvent<Json, RelationalSelf>;

/** Two steps to be done; a third one throws. */
const task: RelationalConfig = {
  dialect: 'relational',
  id: 'task',
  states: { Start: {}, First: { require: 'Start' }, Second: { require: 'First' }, Bad: {} },
  done: 'Second',
  handlers: {
    StartState: ({ args, machine }: Final) => machine.sendParent({ type: 'BEGUN', with: args }),
    BadState: () => {
      throw new TypeError('it is bad');
    },
  },
};

const boss = setup({
  types: {} as { context: { begun: unknown; result: unknown; snapshots: number }; events: { type: string; [field: string]: unknown } },
  actors: { task: task as never },
}).createMachine({
  id: 'boss',
  context: { begun: null, result: null, snapshots: 0 },
  initial: 'idle',
  states: {
    idle: { on: { GO: 'working' } },
    working: {
      invoke: {
        id: 'job',
        src: 'task',
        input: { amount: 3 } as never,
        onSnapshot: { actions: assign({ snapshots: ({ context }) => context.snapshots + 1 }) },
        onDone: { target: 'done', actions: assign({ result: ({ event }) => event.output }) },
        onError: { target: 'failed', actions: assign({ result: ({ event }) => event.error }) },
      },
      on: {
        BEGUN: { actions: assign({ begun: ({ event }) => event.with }) },
        ADD: { actions: sendTo('job', ({ event }) => ({ type: 'relational.add', states: event.states, args: event.args }) as never) },
        STOP: 'idle',
      },
    },
    done: {},
    failed: {},
  },
});

interface Setting {
  readonly world: World;
  readonly journal: MemoryJournal;
  readonly server: Peer;
  readonly client: Peer;
}

const setting = async (definition: unknown): Promise<Setting> => {
  const world = new World();
  const journal = new MemoryJournal();
  const server = await serve(world, journal, definition);
  return { world, journal, server, client: await world.peer('alice') };
};

function serve(world: World, journal: Journal, definition: unknown): Promise<Peer> {
  return world.server({ journal, machines: { top: { definition } }, actors: xstateActors(world.environment) });
}

describe('[REL-35] a statechart invokes a relational machine', () => {
  const working = async (): Promise<Setting & { mirror: Mirror; job: RelationalMirror }> => {
    const there = await setting(boss);
    const { world, client } = there;
    await world.get(client.create('top', { instance: 'one' }));
    const mirror = await world.get(client.watch('one'));
    await world.get(mirror.submit({ type: 'GO' }));
    return { ...there, mirror, job: new RelationalMirror(await world.get(client.watch('one:job'))) };
  };

  test('which begins with its input, and is done with the args of the mutation that brings the state in which it is', async () => {
    const { world, mirror, job } = await working();
    expect([job.active, mirror.getSnapshot().context]).toMatchObject([['Start'], { begun: { amount: 3 }, result: null }]);
    await world.get(mirror.submit({ type: 'ADD', states: ['First'] }));
    expect([job.is('First'), mirror.getSnapshot().value]).toEqual([true, 'working']);
    // From anywhere, not only from who invoked it.
    await world.get(job.add('Second', { total: 4 }));
    await world.settle();
    expect(mirror.getSnapshot()).toMatchObject({ value: 'done', context: { result: { total: 4 } } });
    expect((mirror.getSnapshot().context as { snapshots: number }).snapshots).toBe(3);
    expect(await world.refusal(job.add('First'))).toBe('UNKNOWN_INSTANCE');
  });

  test('whose exception is its error', async () => {
    const { world, mirror, job } = await working();
    await world.get(job.add('Bad'));
    await world.settle();
    expect(mirror.getSnapshot()).toMatchObject({ value: 'failed', context: { result: { name: 'TypeError', message: 'it is bad' } } });
  });

  test('and stops it when the state is left; the next one begins anew', async () => {
    const { world, client, mirror, job } = await working();
    await world.get(job.add('First'));
    await world.get(mirror.submit({ type: 'STOP' }));
    expect(await world.refusal(client.watch('one:job'))).toBe('UNKNOWN_INSTANCE');
    await world.get(mirror.submit({ type: 'GO' }));
    expect(new RelationalMirror(await world.get(client.watch('one:job'))).active).toEqual(['Start']);
  });

  test('and both come back from the journal; what it came to while its parent was not told is told then', async () => {
    const { world, journal, server, mirror, job } = await working();
    await world.get(job.add('First'));
    await world.get(server.close());
    await serve(world, journal, boss);
    await world.advance(60_000);
    expect([mirror.getSnapshot().value, job.active, job.tick('Start')]).toEqual(['working', ['First', 'Start'], 1]);
    await world.get(job.add('Second'));
    await world.advance(1_000);
    expect(mirror.getSnapshot().value).toBe('done');
  });

  test('[TOPO-16] and hears of a step that was being written when the schema of that one grew', async () => {
    const world = new World();
    const journal = new HeldJournal(new MemoryJournal());
    const server = await serve(world, journal, boss);
    const client = await world.peer('alice');
    await world.get(client.create('top', { instance: 'one' }));
    const mirror = await world.get(client.watch('one'));
    await world.get(mirror.submit({ type: 'GO' }));
    const job = new RelationalMirror(await world.get(client.watch('one:job')));
    await world.get(job.add('First'));
    const names = [...job.names, 'Third'];
    server.machines.add('top:task', { definition: { ...task, states: { ...task.states, Third: {} }, names } });
    journal.isHolding = true;
    const added = job.add('Second', { total: 4 });
    await world.settle();
    const growing = job.setSchema();
    await world.settle();
    journal.release();
    expect(await world.refusal(growing)).toBe('UNKNOWN_INSTANCE');
    await world.get(added);
    expect(mirror.getSnapshot()).toMatchObject({ value: 'done', context: { result: { total: 4 } } });
    expect([await world.refusal(client.watch('one:job')), await journal.read('one:job')]).toEqual(['UNKNOWN_INSTANCE', undefined]);
  });
});

describe('[REL-36] a relational machine invokes', () => {
  const counter = setup({
    types: {} as { context: { left: number }; input: { from: number }; events: { type: 'TICK' } | { type: 'BREAK' } },
  }).createMachine({
    id: 'counter',
    context: ({ input }) => ({ left: input.from }),
    initial: 'on',
    states: {
      on: {
        entry: sendParent({ type: 'relational.add', states: ['Hello'], args: { by: 'counter' } } as never),
        always: { guard: ({ context }) => context.left === 0, target: 'off' },
        on: {
          TICK: { actions: assign({ left: ({ context }) => context.left - 1 }) },
          BREAK: {
            actions: assign(() => {
              throw new Error('broken');
            }),
          },
        },
      },
      off: { type: 'final' },
    },
    output: { all: 'gone' },
  });

  const calls: unknown[] = [];
  const loads: { readonly input: unknown; resolve(value: unknown): void; reject(error: unknown): void }[] = [];
  const top: RelationalConfig = {
    dialect: 'relational',
    id: 'top',
    states: {
      Counting: { multi: true },
      Counted: { remove: 'Counting' },
      Loading: { remove: ['Loaded', 'ErrLoading'] },
      Loaded: { remove: 'Loading' },
      ErrLoading: { remove: 'Loading' },
      Hello: { multi: true },
      Poke: { multi: true },
    },
    actors: {
      Counting: { src: counter, done: 'Counted' },
      Loading: {
        src: fromPromise(({ input }) => new Promise((resolve, reject) => loads.push({ input, resolve, reject }))),
        done: 'Loaded',
        error: 'ErrLoading',
      },
    },
    handlers: {
      CountedState: ({ args }: Final) => void calls.push(args),
      LoadedState: ({ args }: Final) => void calls.push(args),
      ErrLoadingState: ({ args }: Final) => void calls.push(args),
      PokeState: ({ machine }: Final) => machine.sendTo('Counting', { type: 'TICK' }),
    },
  };

  const begun = async (): Promise<Setting & { face: RelationalMirror }> => {
    calls.length = 0;
    loads.length = 0;
    const there = await setting(top);
    await there.world.get(there.client.create('top', { instance: 'one' }));
    return { ...there, face: new RelationalMirror(await there.world.get(there.client.watch('one'))) };
  };

  test('a statechart while a state is active: args are its input, its output is the args of the state that it comes to', async () => {
    const { world, client, face } = await begun();
    await world.get(face.add('Counting', { from: 2 }));
    const child = await world.get(client.watch('one:Counting'));
    expect([child.getSnapshot().context, face.is('Hello')]).toEqual([{ left: 2 }, true]);
    await world.get(child.submit({ type: 'TICK' }));
    await world.get(face.add('Poke'));
    await world.settle();
    expect([face.is('Counted'), face.is('Counting'), calls]).toEqual([true, false, [{ all: 'gone' }]]);
    expect(await world.refusal(client.watch('one:Counting'))).toBe('UNKNOWN_INSTANCE');
  });

  test('a promise, whose failure is a state with Exception; without a state for it Exception alone', async () => {
    const { world, client, face } = await begun();
    await world.get(face.add('Loading', { page: 1 }));
    loads[0]!.resolve([1, 2]);
    await world.settle();
    await world.get(face.add('Loading', { page: 2 }));
    loads[1]!.reject(new RangeError('too far'));
    await world.settle();
    expect(loads.map(({ input }) => input)).toEqual([{ page: 1 }, { page: 2 }]);
    expect(calls).toEqual([[1, 2], { name: 'RangeError', message: 'too far' }]);
    expect([face.is(['ErrLoading', 'Exception']), face.is('Loading')]).toEqual([true, false]);
    await world.get(face.remove('Exception'));
    await world.get(face.add('Counting', { from: 9 }));
    const child = await world.get(client.watch('one:Counting'));
    await world.refusal(child.submit({ type: 'BREAK' }));
    await world.settle();
    expect([face.is('Exception'), face.is('Counting')]).toEqual([child.getSnapshot().status === 'error', true]);
  });

  test('a state that ends stops it, one that begins anew replaces it, and what was stopped is not heard', async () => {
    const { world, client, face } = await begun();
    await world.get(face.add('Counting', { from: 5 }));
    await world.get(face.add('Counting', { from: 7 }));
    const child = await world.get(client.watch('one:Counting'));
    expect(child.getSnapshot().context).toEqual({ left: 7 });
    await world.get(face.remove('Counting'));
    expect(await world.refusal(client.watch('one:Counting'))).toBe('UNKNOWN_INSTANCE');
    await world.get(face.add('Loading'));
    await world.get(face.remove('Loading'));
    loads[0]!.resolve('late');
    await world.settle();
    expect([face.is('Loaded'), calls]).toEqual([false, []]);
  });

  test('and finds a machine again behind a restart, and begins a promise again', async () => {
    const { world, journal, server, client, face } = await begun();
    await world.get(face.add('Counting', { from: 3 }));
    const child = await world.get(client.watch('one:Counting'));
    await world.get(child.submit({ type: 'TICK' }));
    await world.get(face.add('Loading', { page: 1 }));
    await world.get(server.close());
    await serve(world, journal, top);
    await world.advance(60_000);
    expect([child.getSnapshot().context, loads.length]).toEqual([{ left: 2 }, 2]);
    await world.get(face.add('Poke'));
    await world.get(face.add('Poke'));
    await world.settle();
    expect(calls).toEqual([{ all: 'gone' }]);
  });

  test('only where somebody runs actors, and only what its definition names', async () => {
    const core = await testCore();
    const image = compileMachine(top);
    const machine = Machine.load(core, image.bytes, bind(image.symbols, top));
    expect(() => new RelationalMachine(machine, { environment: new World().environment })).toThrow(/nobody runs the actor of Counting/);
    const states = { A: {}, B: {} };
    const refused = (more: object): string => {
      try {
        compileMachine({ dialect: 'relational', id: 'm', states, ...more });
      } catch (error) {
        return (error as Error).message;
      }
      return 'compiled';
    };
    expect(refused({ actors: { C: { src: counter } } })).toContain("/actors/C: no state is named 'C'");
    expect(refused({ actors: { A: { src: counter, done: 'C' } } })).toContain("/actors/A/done: no state is named 'C'");
    expect(refused({ actors: { A: {} } })).toContain('/actors/A: expected an actor');
    expect(refused({ done: 'C' })).toContain("/done: no state is named 'C'");
  });
});
