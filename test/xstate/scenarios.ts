// What an actor of XState does, one scenario for each feature: played on both sides and compared line by line (features.test.ts). Each makes
// its machine with the XState it is given, wraps it, and pokes the actor.

import type { AnyActorRef, AnyEventObject } from 'xstate';
import type { Playing, Scenario } from './record.ts';

/** All the promises that are ready have had their turn. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

const tell = (actor: Pick<Playing, 'send'>, ...types: string[]): void => types.forEach((type) => actor.send({ type }));

interface Collecting {
  readonly enqueue: { readonly [name: string]: (...args: unknown[]) => void };
  check(guard: unknown): boolean;
}

type Given = { readonly context: { readonly n: number }; readonly event: AnyEventObject };

export const SCENARIOS: { readonly [feature: string]: Scenario } = {
  'entry, exit, transition and initial actions run in order': ({ xstate, wrap, actor, record }) => {
    const say = (what: string) => () => record.write('acts', what);
    const machine = xstate.createMachine({
      id: 'm',
      entry: say('enter root'),
      initial: { target: 'a', actions: say('root initial') } as never,
      states: {
        a: { entry: say('enter a'), exit: say('exit a'), on: { GO: { target: 'b', actions: say('go') } } },
        b: {
          entry: [say('enter b'), 'unknown', { type: 'unknown', params: { k: 1 } }],
          initial: { target: 'c', actions: say('b initial') } as never,
          states: { c: { entry: say('enter c'), exit: say('exit c') } },
          on: { DEEP: '.c', SELF: { target: 'b', reenter: true, actions: say('self') } },
        },
      },
    });
    const one = actor(wrap(machine)).start();
    tell(one, 'GO', 'DEEP', 'SELF', 'NOTHING');
    one.stop();
  },

  'assign, raise, log, emit, cancel and delayed raise': ({ xstate, wrap, actor, record, clock }) => {
    const { assign, raise, log, emit, cancel, createMachine } = xstate;
    const machine = createMachine(
      {
        id: 'm',
        context: { n: 1 },
        delays: undefined as never,
        on: {
          ADD: { actions: [assign({ n: ({ context }) => context.n + 1 }), log(({ context }) => context.n, 'n'), raise({ type: 'ADDED' })] },
          ADDED: { actions: [emit(({ context }) => ({ type: 'sum', n: context.n })), assign(({ context }) => ({ n: context.n * 10 }))] },
          LATER: { actions: [raise({ type: 'ADD' }, { delay: 500, id: 'later' }), raise({ type: 'ADDED' }, { delay: 'soon' as never })] },
          NEVER: { actions: cancel('later') },
        },
      } as never,
      { delays: { soon: ({ context }: Given) => context.n } } as never,
    );
    const one = actor(wrap(machine));
    one.on('*', (emitted: unknown) => record.write('emitted', emitted));
    one.start();
    tell(one, 'ADD', 'LATER', 'NEVER', 'LATER');
    record.write('armed', clock.armed);
    clock.fire(1);
    clock.fire(0);
    one.stop();
    record.write('armed', clock.armed);
  },

  'after, with named and computed delays': ({ xstate, wrap, actor, record, clock }) => {
    const machine = xstate.createMachine(
      {
        id: 'm',
        initial: 'a',
        context: { n: 3 },
        states: { a: { after: { 100: 'b', soon: 'c', computed: { actions: 'unknown' } } }, b: { after: { 10: 'a' } }, c: {} },
      } as never,
      { delays: { soon: 50, computed: ({ context }: Given) => context.n * 7 } } as never,
    );
    actor(wrap(machine)).start();
    record.write('armed', clock.armed);
    clock.fire(2);
    clock.fire(0);
    record.write('armed', clock.armed);
    clock.fire(0);
    record.write('armed', clock.armed);
    clock.fire(1);
  },

  'enqueueActions with check, spawnChild, stopChild and sendTo': ({ xstate, wrap, actor, record }) => {
    const { enqueueActions, createMachine, assign, fromCallback } = xstate;
    const child = fromCallback(({ receive, sendBack }) => {
      receive((event) => {
        record.write('child got', event);
        sendBack({ type: 'ECHO', event });
      });
      return () => record.write('child left');
    });
    const machine = createMachine({
      id: 'm',
      context: { n: 0 },
      initial: 'on',
      states: { on: {} },
      on: {
        WORK: {
          actions: enqueueActions((given) => {
            const { enqueue, check } = given as unknown as Collecting;
            enqueue.assign!({ n: 5 });
            if (check(xstate.stateIn('on')) && check(({ context }: Given) => context.n === 0)) enqueue.spawnChild!(child, { id: 'kid' });
            enqueue.sendTo!('kid', { type: 'HELLO' });
            enqueue.raise!({ type: 'NEXT' });
          }),
        },
        NEXT: { actions: assign({ n: ({ context }) => context.n + 1 }) },
        ECHO: { actions: ({ event }: Given) => record.write('echo', event) },
        END: { actions: xstate.stopChild('kid') },
      },
    } as never);
    const one = actor(wrap(machine)).start();
    tell(one, 'WORK', 'END', 'WORK');
    one.stop();
  },

  'an invoked actor is told by the entry actions of its own state, before it starts': ({ xstate, wrap, actor, record }) => {
    const { createMachine, sendTo, raise, fromCallback } = xstate;
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: {
          entry: [sendTo('kid', { type: 'EARLY' }), raise({ type: 'R' })],
          invoke: { id: 'kid', src: fromCallback(({ receive }) => receive((event) => record.write('kid got', event))) },
          on: { R: { actions: sendTo('kid', { type: 'RAISED' }) }, OUT: 'b' },
          initial: 'x',
          states: { x: { entry: sendTo('kid', { type: 'BELOW' }) } },
        },
        b: {},
      },
    } as never);
    tell(actor(wrap(machine)).start(), 'OUT');
  },

  'promises that resolve and reject; unhandled errors end the machine': async ({ xstate, wrap, actor }) => {
    const { createMachine, fromPromise, assign } = xstate;
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      context: { n: 0 },
      states: {
        a: {
          invoke: {
            src: fromPromise(async ({ input }) => (input as { n: number }).n + 41),
            input: ({ context }: Given) => ({ n: context.n + 1 }),
            onDone: { target: 'b', actions: assign({ n: ({ event }: Given) => event.output as number }) },
          },
        },
        b: { invoke: { id: 'failing', src: fromPromise(() => Promise.reject(new Error('no'))), onError: { target: 'c' } } },
        c: { invoke: { src: fromPromise(() => Promise.reject(new Error('nobody cares'))) } },
      },
    } as never);
    actor(wrap(machine)).start();
    await settle();
  },

  'observables, their snapshots, and events of event observables': async ({ xstate, wrap, actor }) => {
    const { createMachine, fromObservable, fromEventObservable } = xstate;
    const of = (...values: unknown[]) => ({
      subscribe(observer: { next(value: unknown): void; complete(): void }) {
        values.forEach((value) => observer.next(value));
        observer.complete();
        return { unsubscribe: () => undefined };
      },
    });
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { invoke: { id: 'numbers', src: fromObservable(() => of(1, 2) as never), onSnapshot: { actions: 'seen' }, onDone: 'b' } },
        b: { invoke: { src: fromEventObservable(() => of({ type: 'X' }, { type: 'Y' }) as never) }, on: { Y: 'c' } },
        c: { type: 'final' },
      },
    } as never);
    actor(wrap(machine)).start();
    await settle();
  },

  'machines inside machines: input, output, sendParent, snapshots, systemId': ({ xstate, wrap, actor, record }) => {
    const { createMachine, sendTo, sendParent, assign, forwardTo } = xstate;
    const child = wrap(
      createMachine({
        id: 'child',
        context: ({ input }: { input: { n: number } }) => ({ n: input.n }),
        initial: 'up',
        states: {
          up: {
            entry: sendParent({ type: 'READY' } as never),
            on: { MORE: { actions: assign({ n: ({ context }) => context.n + 1 }) }, END: 'down' },
          },
          down: { type: 'final', output: ({ context }: Given) => context.n },
        },
        output: ({ event }: { event: { output: number } }) => ({ result: event.output }),
      } as never),
    );
    const machine = createMachine({
      id: 'parent',
      initial: 'a',
      states: {
        a: {
          invoke: {
            id: 'kid',
            systemId: 'the kid',
            src: child,
            input: { n: 7 },
            onSnapshot: { actions: ({ event }: Given) => record.write('saw', (event.snapshot as { context: unknown }).context) },
            onDone: { target: 'b', actions: ({ event }: Given) => record.write('result', event.output) },
          },
          on: {
            READY: { actions: ({ system }: { system: { get(id: string): unknown } }) => record.write('system', system.get('the kid')) },
            MORE: { actions: [sendTo('kid', { type: 'MORE' }), forwardTo('kid')] },
            END: {
              actions: sendTo(
                (({ system }: { system: { get(id: string): unknown } }) => system.get('the kid')) as never,
                { type: 'END' } as never,
              ),
            },
          },
        },
        b: { type: 'final' },
      },
    } as never);
    tell(actor(wrap(machine)).start(), 'MORE', 'END');
  },

  'actors spawned in assign and in the context factory': ({ xstate, wrap, actor, record }) => {
    const { createMachine, assign, sendTo, fromTransition } = xstate;
    const counter = fromTransition((count: number, event: AnyEventObject) => count + (event.type === 'INC' ? 1 : 0), 10);
    const machine = createMachine({
      id: 'm',
      context: ({ spawn }: { spawn(logic: unknown, options: object): AnyActorRef }) => ({
        first: spawn(counter, { id: 'first' }),
        more: [],
      }),
      on: {
        SPAWN: {
          actions: assign({
            more: ({ context, spawn }: { context: { more: AnyActorRef[] }; spawn(logic: unknown, options?: object): AnyActorRef }) => [
              ...context.more,
              spawn(counter, { id: `more ${context.more.length}`, syncSnapshot: true }),
            ],
          }) as never,
        },
        INC: { actions: [sendTo(({ context }) => context.first, { type: 'INC' }), sendTo('more 0', { type: 'INC' })] },
      },
    } as never);
    const one = actor(wrap(machine)).start();
    tell(one, 'SPAWN', 'INC', 'SPAWN');
    record.write('count', (one.getSnapshot().context as { first: AnyActorRef }).first.getSnapshot().context);
    one.stop();
  },

  'parallel states complete; done events carry output; the machine ends': ({ xstate, wrap, actor }) => {
    const machine = xstate.createMachine({
      id: 'm',
      initial: 'p',
      states: {
        p: {
          type: 'parallel',
          states: {
            one: {
              initial: 'a',
              states: { a: { on: { A: 'z' } }, z: { type: 'final', output: 'done one' } },
              onDone: { actions: 'oneDone' },
            },
            two: { initial: 'a', states: { a: { on: { B: 'z' } }, z: { type: 'final' } }, exit: 'left two' },
          },
          onDone: 'end',
        },
        end: { type: 'final', output: ({ event }: Given) => event.type, exit: 'left the end' },
      },
      exit: 'left all',
      output: ({ event }: Given) => ({ from: event.type, output: event.output }),
    } as never);
    tell(actor(wrap(machine)).start(), 'A', 'B');
  },

  'history, shallow and deep, with and without a default': ({ xstate, wrap, actor }) => {
    const inner = { initial: 'x', states: { x: { on: { NEXT: 'y' } }, y: {} } };
    const machine = xstate.createMachine({
      id: 'm',
      initial: 'out',
      states: {
        out: { on: { SHALLOW: 'in.shallow', DEEP: 'in.deep', DEFAULT: 'in.preset' } },
        in: {
          initial: 'a',
          states: {
            a: { ...inner, on: { B: 'b' } },
            b: inner,
            shallow: { type: 'history' },
            deep: { type: 'history', history: 'deep' },
            preset: { type: 'history', target: 'b.y' },
          },
          on: { OUT: 'out' },
        },
      },
    } as never);
    tell(actor(wrap(machine)).start(), 'DEFAULT', 'OUT', 'SHALLOW', 'OUT', 'DEEP', 'B', 'NEXT', 'OUT', 'SHALLOW', 'NEXT', 'OUT', 'DEEP');
  },

  'guards: composed, parametric, aliased, by state; always; wildcards; forbidden events': ({ xstate, wrap, actor, record }) => {
    const { createMachine, and, not, or, stateIn, assign } = xstate;
    const machine = createMachine(
      {
        id: 'm',
        context: { n: 0 },
        initial: 'a',
        on: { '*': { actions: 'anything' }, 'x.*': { actions: 'some x' } },
        states: {
          a: {
            on: {
              STEP: [
                { guard: and(['odd', not(stateIn('b')), or(['alias', { type: 'over', params: { limit: 2 } }])]), target: 'b' },
                { actions: assign({ n: ({ context }: Given) => context.n + 1 }) as never },
              ],
              NO: undefined,
              NOTHING: [],
            },
            always: { guard: ({ context }: Given) => context.n > 4, target: 'c' },
          },
          b: { always: [{ guard: 'odd', target: 'a', actions: assign({ n: ({ context }: Given) => context.n + 1 }) as never }] },
          c: { tags: ['end', 'red'], meta: { is: 'the end' } },
        },
      } as never,
      {
        guards: {
          odd: ({ context }: Given) => context.n % 2 === 1,
          over: ({ context }: Given, { limit }: { limit: number }) => context.n > limit,
          alias: 'over3',
          over3: ({ context }: Given) => context.n > 3,
        },
      } as never,
    );
    const one = actor(wrap(machine)).start();
    for (const type of ['STEP', 'NO', 'NOTHING', 'x.y.z', 'what']) record.write(`can ${type}`, one.getSnapshot().can({ type }));
    tell(one, 'STEP', 'NO', 'NOTHING', 'x.y.z', 'what', 'xstate.init', 'STEP', 'STEP', 'STEP', 'STEP');
    record.write(
      'ends',
      one.getSnapshot().hasTag('red'),
      one.getSnapshot().matches('c'),
      one.getSnapshot().getMeta(),
      one.getSnapshot().toJSON(),
    );
  },

  route: ({ xstate, wrap, actor }) => {
    const machine = xstate.createMachine({
      id: 'm',
      initial: 'a',
      states: { a: {}, b: { id: 'bee', route: { guard: ({ event }: Given) => event.yes === true }, initial: 'c', states: { c: {} } } },
    } as never);
    const one = actor(wrap(machine)).start();
    one.send({ type: 'xstate.route', to: '#bee' });
    one.send({ type: 'xstate.route', to: '#bee', yes: true });
  },

  'throwing guards, actions, assigns and outputs': ({ xstate, wrap, actor, record }) => {
    const fail = (): never => {
      throw new Error('thrown by the author');
    };
    const machine = xstate.createMachine(
      {
        id: 'm',
        initial: 'a',
        states: {
          a: {
            on: {
              GUARD: { guard: fail, target: 'b' },
              NAMED: { guard: 'failing', target: 'b' },
              MISSING: { guard: 'nobody', target: 'b' },
              ALWAYS: 'c',
              ACTION: { actions: [() => record.write('before'), fail, () => record.write('behind')] },
              ASSIGN: { actions: xstate.assign(fail) },
              OUTPUT: 'd',
              SEND: { actions: xstate.sendTo('nobody', { type: 'X' }) },
            },
          },
          b: {},
          c: { always: { guard: fail, target: 'b' } },
          d: { initial: 'e', states: { e: { type: 'final', output: fail } } },
        },
      } as never,
      { guards: { failing: fail } } as never,
    );
    for (const type of ['GUARD', 'NAMED', 'MISSING', 'ALWAYS', 'ACTION', 'ASSIGN', 'OUTPUT', 'SEND'])
      tell(actor(wrap(machine)).start(), type);
  },

  'errors at the start': ({ xstate, wrap, actor }) => {
    const fail = (): never => {
      throw new Error('thrown at the start');
    };
    for (const config of [{ context: fail }, { entry: xstate.assign(fail) }, { entry: fail }, { always: { guard: fail, target: '.a' } }]) {
      actor(wrap(xstate.createMachine({ id: 'm', initial: 'a', states: { a: {} }, ...config } as never))).start();
    }
  },

  'a machine that is being entered is already where it begins: for stateIn, and when it fails': ({ xstate, wrap, actor, record }) => {
    const { createMachine, enqueueActions, stateIn } = xstate;
    const ask = enqueueActions(({ check, self }) => {
      record.write('is in', ...['a', 'b', { b: 'd' }, '#e'].map((state) => check(stateIn(state as never))), self.id);
    });
    const states = {
      a: { entry: ask, initial: 'c', states: { c: { entry: ask } } },
      b: { type: 'parallel', states: { d: {}, e: { id: 'e', entry: ask } } },
    };
    const loop = { always: { actions: xstate.assign({ n: 1 }) } };
    for (const config of [
      { initial: 'a', states },
      { type: 'parallel', states },
      { initial: 'a', states, ...loop, options: { maxIterations: 5 } },
    ]) {
      const one = actor(wrap(createMachine({ id: 'm', entry: ask, ...config } as never)), { id: 'one' });
      record.write('made', one.getSnapshot());
      one.start();
      record.write('made', one.getSnapshot());
    }
  },

  'a machine that does not come to rest': ({ xstate, wrap, actor }) => {
    const { createMachine, raise } = xstate;
    const machine = createMachine({
      id: 'm',
      options: { maxIterations: 20 },
      initial: 'a',
      states: {
        a: { on: { LOOP: 'b', RAISE: { actions: raise({ type: 'RAISE' }) } } },
        b: { always: 'c' },
        c: { always: 'b' },
      },
    } as never);
    tell(actor(wrap(machine)).start(), 'LOOP');
    tell(actor(wrap(machine)).start(), 'RAISE');
  },

  'values of any kind in context, events and outputs': ({ xstate, wrap, actor }) => {
    const machine = xstate.createMachine({
      id: 'm',
      context: { since: new Date(0), seen: new Map([['a', 1n]]), call: () => 1 },
      on: { PUT: { actions: xstate.assign({ last: ({ event }: Given) => event.value } as never) } },
    } as never);
    const one = actor(wrap(machine)).start();
    one.send({ type: 'PUT', value: new Set([1, 2]) });
    one.send({ type: 'PUT', value: Symbol('s') });
  },

  'events sent while a step runs wait their turn': ({ xstate, wrap, actor }) => {
    const machine = xstate.createMachine({
      id: 'm',
      initial: 'a',
      states: {
        a: { on: { GO: { target: 'b', actions: ({ self }: { self: AnyActorRef }) => tell(self, 'ONE', 'TWO') } } },
        b: { on: { ONE: { actions: 'one' }, TWO: 'c' }, exit: ({ self }: { self: AnyActorRef }) => tell(self, 'THREE') },
        c: {},
      },
    } as never);
    tell(actor(wrap(machine)).start(), 'GO');
  },

  'actors that step inside one another': ({ xstate, wrap, actor, record }) => {
    const { createMachine, assign, sendTo } = xstate;
    const counter = wrap(
      createMachine({
        id: 'counter',
        context: { n: 0 },
        on: {
          INC: { actions: [assign({ n: ({ context }) => context.n + 1 }), ({ context }: Given) => record.write('counts', context.n)] },
        },
      } as never),
    );
    const other = actor(counter).start();
    const nest = (depth: number): ReturnType<typeof createMachine> =>
      wrap(
        createMachine({
          id: `nest ${depth}`,
          ...(depth === 0 ? {} : { invoke: { id: 'inner', src: nest(depth - 1) } }),
          on: { INC: { actions: [() => tell(other, 'INC'), ...(depth === 0 ? [] : [sendTo('inner', { type: 'INC' })])] } },
        } as never) as never,
      );
    const one = actor(nest(4)).start();
    tell(one, 'INC', 'INC');
    one.stop();
  },

  'setup, provide, and named everything': async ({ xstate, wrap, actor, record }) => {
    const machine = wrap(
      xstate
        .setup({
          actions: { note: ({ event }, params: { k: number }) => record.write('first', event, params) },
          guards: { may: () => false },
          actors: { job: xstate.fromPromise(async () => 1) },
        })
        .createMachine({
          id: 'm',
          initial: 'a',
          states: {
            a: { on: { GO: { guard: 'may', target: 'b', actions: { type: 'note', params: { k: 3 } } } } },
            b: { invoke: { src: 'job', onDone: 'c' } },
            c: {},
          },
        }),
    );
    tell(actor(machine).start(), 'GO');
    const provided = machine.provide({
      guards: { may: () => true },
      actions: { note: ({ event }, params) => record.write('second', event, params) },
      actors: { job: xstate.fromPromise(async () => 2) },
    });
    const one = actor(provided).start();
    tell(one, 'GO');
    await settle();
    tell(actor(machine).start(), 'GO');
  },
};
