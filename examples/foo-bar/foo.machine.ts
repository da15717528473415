// foo lives on the server. It hears messages, says hello into a silence, and is bored when nobody answers. Its own words do not entertain
// it: only a message from somebody else makes it attentive again.

import { assign, raise, setup } from 'xstate';
import { append, type Log, saysSomething } from './message.ts';

export interface FooInput {
  /** Milliseconds of silence until foo says hello; 10 s unless given. */
  readonly helloAfterMs?: number;
  /** Milliseconds of silence until foo is bored; 15 s unless given. */
  readonly boredAfterMs?: number;
}
export interface FooContext {
  readonly log: Log;
  /** Instances of bar that foo talks to. */
  readonly bars: readonly string[];
  readonly helloAfterMs: number;
  readonly boredAfterMs: number;
}
export type FooEvent =
  /** Words of foo's own: from a REPL, or its hello. */
  | { readonly type: 'say'; readonly text: string }
  /** From a bar. */
  | { readonly type: 'message'; readonly from: string; readonly text: string }
  | { readonly type: 'arrive' | 'leave'; readonly bar: string };

const HELLO_AFTER_MS = 10_000;
const BORED_AFTER_MS = 15_000;

export const foo = setup({
  types: { context: {} as FooContext, events: {} as FooEvent, input: {} as FooInput | undefined },
  delays: {
    hello: ({ context }) => context.helloAfterMs,
    boredom: ({ context }) => context.boredAfterMs,
  },
  guards: {
    saysSomething: ({ event }) => 'text' in event && saysSomething(event.text),
    hasCompany: ({ context }) => context.bars.length > 0,
    isStranger: ({ context, event }) => event.type === 'arrive' && !context.bars.includes(event.bar),
    isKnown: ({ context, event }) => event.type === 'leave' && context.bars.includes(event.bar),
  },
  actions: {
    logOwn: assign({ log: ({ context, event }) => (event.type === 'say' ? append(context.log, 'foo', event.text) : context.log) }),
    logTheirs: assign({
      log: ({ context, event }) => (event.type === 'message' ? append(context.log, event.from, event.text) : context.log),
    }),
    welcome: assign({ bars: ({ context, event }) => (event.type === 'arrive' ? [...context.bars, event.bar] : context.bars) }),
    forget: assign({
      bars: ({ context, event }) => (event.type === 'leave' ? context.bars.filter((bar) => bar !== event.bar) : context.bars),
    }),
    /** An effect: whoever runs foo carries its words to the bars. */
    tell: () => undefined,
  },
}).createMachine({
  id: 'foo',
  context: ({ input }) => ({
    log: [],
    bars: [],
    helloAfterMs: input?.helloAfterMs ?? HELLO_AFTER_MS,
    boredAfterMs: input?.boredAfterMs ?? BORED_AFTER_MS,
  }),
  initial: 'attentive',
  on: {
    say: { guard: 'saysSomething', actions: ['logOwn', 'tell'] },
    arrive: { guard: 'isStranger', actions: 'welcome' },
    leave: { guard: 'isKnown', actions: 'forget' },
  },
  states: {
    attentive: {
      after: { boredom: 'bored' },
      on: { message: { guard: 'saysSomething', target: 'attentive', reenter: true, actions: 'logTheirs' } },
      initial: 'listening',
      states: {
        listening: { after: { hello: { guard: 'hasCompany', target: 'greeted', actions: raise({ type: 'say', text: 'hello' }) } } },
        greeted: {},
      },
    },
    bored: { on: { message: { guard: 'saysSomething', target: 'attentive', actions: 'logTheirs' } } },
  },
});
