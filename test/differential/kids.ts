// The child actors of random charts, one logic of each kind. They write down when they start, what they hear and when they are stopped, and
// answer by a hash of what they hear; the rest they do when the test pokes them, so that nothing has to be waited for.

import { mix, textOf, type Log } from './log.ts';
import type { XState } from './oracle.ts';

/** callback, promise, observable, observable of events, transition, machine. */
export const KINDS = ['kid', 'vow', 'flow', 'tide', 'sum', 'inner'] as const;
export type Kind = (typeof KINDS)[number];

/** Kinds that have snapshots worth telling. */
export const SHOWN: readonly Kind[] = ['flow', 'sum', 'inner', 'vow'];

const ANSWERS = ['E1', 'E3', 'x.y', 'told'];
/** More of one child is an echo. */
const ANSWER_MAX = 3;

interface Heard {
  readonly type: string;
}
interface Self {
  readonly id: string;
  send(event: Heard): void;
}

/** What a child or a listener is told, in the one form that both sides use. */
export const told = {
  start: (id: string, input: unknown): string => `start ${id} ${textOf(input)}`,
  receive: (id: string, event: unknown): string => `receive ${id} ${textOf(event)}`,
  stop: (id: string): string => `stop ${id}`,
  emit: (event: unknown): string => `emit ${textOf(event)}`,
  parent: (event: unknown): string => `parent ${textOf(event)}`,
};

/** What a child hears that does nothing of its own accord. */
export const poked = (k: number): { readonly type: string; readonly k: number } => ({ type: 'POKE', k });

/** What a child throws: plain JSON, so that it travels as it is. */
export const ill = (k: number): object => ({ ill: k });

export function kids(xstate: XState, log: Log): Readonly<Record<Kind, unknown>> {
  const started = ({ id }: Self, input: unknown): void => void log.outside.push(told.start(id, input));
  const stopped = ({ id }: Self): void => void log.outside.push(told.stop(id));
  const hash = (event: unknown, salt: string): number => mix({ context: null, event }, salt);
  const answer = (k: number): Heard => ({ type: ANSWERS[k % ANSWERS.length]!, k: k % 100 }) as Heard;

  const kid = xstate.fromCallback(({ input, receive, self, sendBack }) => {
    started(self, input);
    if (hash(input, 'start') % 23 === 0) throw ill(23);
    if (hash(input, 'start') % 9 === 0) sendBack(answer(5));
    let answers = 0;
    log.kids.set(self.id, { poke: (_what, k) => sendBack(answer(k)) });
    receive((event) => {
      log.outside.push(told.receive(self.id, event));
      const heard = hash(event, 'kid');
      if (heard % 29 === 0) throw ill(29);
      if (heard % 4 === 0 && (answers += 1) <= ANSWER_MAX) sendBack(answer(heard));
    });
    return () => stopped(self);
  });

  const vow = xstate.fromPromise(({ input, self, signal }) => {
    started(self, input);
    if (hash(input, 'start') % 23 === 0) throw ill(23);
    signal.addEventListener('abort', () => stopped(self));
    // A promise that settles when it is poked, at once.
    const promise = new Promise<unknown>(() => undefined);
    promise.then = ((kept: (value: unknown) => void, broken: (error: unknown) => void) => {
      log.kids.set(self.id, { poke: (what, k) => (what % 4 === 0 ? broken(ill(k)) : kept({ got: k % 10 })) });
      return promise;
    }) as typeof promise.then;
    return promise;
  });

  const source = (self: Self, input: unknown, next: (k: number) => unknown) => ({
    subscribe: (observer: { next?(value: unknown): void; error?(error: unknown): void; complete?(): void }) => {
      started(self, input);
      const poke = (what: number, k: number): void => {
        if (what % 5 === 0) observer.error?.(ill(k));
        else if (what % 5 === 1) observer.complete?.();
        else observer.next?.(next(k));
      };
      log.kids.set(self.id, { poke });
      return { unsubscribe: () => stopped(self) };
    },
  });
  const flow = xstate.fromObservable(({ input, self }) => source(self, input, (k) => ({ k })) as never);
  const tide = xstate.fromEventObservable(({ input, self }) => source(self, input, answer) as never);

  const sum = xstate.fromTransition(
    (state: { readonly sum: number }, event: Heard, { self }) => {
      log.outside.push(told.receive(self.id, event));
      if (event.type === 'xstate.stop') return state;
      const heard = hash(event, 'sum');
      if (heard % 19 === 0) throw ill(19);
      return { sum: (state.sum * 3 + heard) % 100 };
    },
    ({ input }: { readonly input?: unknown }) => ({ sum: hash(input, 'sum') % 10 }),
  );

  return { kid, vow, flow, tide, sum, inner: inner(xstate, log, { started, stopped, hash, answer }) };
}

interface Means {
  started(self: Self, input: unknown): void;
  stopped(self: Self): void;
  hash(event: unknown, salt: string): number;
  answer(k: number): Heard;
}

/** A machine that counts what it hears, tells its parent now and then, and has a child of its own. */
function inner(xstate: XState, log: Log, { started, stopped, hash, answer }: Means): unknown {
  const { assign, createMachine, enqueueActions, fromCallback } = xstate;
  interface Context {
    readonly heard: number;
    readonly said: number;
  }
  const hear = enqueueActions((given: unknown) => {
    const { context, event, enqueue, self } = given as {
      readonly context: Context;
      readonly event: Heard;
      readonly self: Self;
      readonly enqueue: { (action: () => void): void; assign(partial: Partial<Context>): void; sendParent(event: Heard): void };
    };
    enqueue(() => void log.outside.push(told.receive(self.id, event)));
    enqueue.assign({ heard: context.heard + 1 });
    const heard = hash(event, 'inner');
    if (heard % 4 !== 0 || context.said >= ANSWER_MAX) return;
    enqueue.assign({ said: context.said + 1 });
    enqueue.sendParent(answer(heard));
  });
  const begin = ({ self, event }: { readonly self: Self; readonly event: unknown }): void => {
    started(self, (event as { readonly input?: unknown }).input);
    const poke = (what: number, k: number): void => self.send({ type: ['FAIL', 'END', 'END', 'POKE'][what % 4]!, k } as Heard);
    log.kids.set(self.id, { poke });
  };
  return createMachine({
    id: 'inner',
    context: { heard: 0, said: 0 },
    entry: begin as never,
    invoke: {
      id: 'deep',
      src: fromCallback(({ self }) => {
        started(self, undefined);
        return () => stopped(self);
      }),
    },
    initial: 'on',
    states: {
      on: {
        on: {
          FAIL: {
            actions: assign(() => {
              throw ill(7);
            }),
          },
          END: 'off',
          '*': { actions: hear as never },
        },
      },
      off: { type: 'final' },
    },
    output: ({ context }: { readonly context: Context }) => ({ heard: context.heard }),
  } as never);
}
