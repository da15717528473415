// bar lives in a browser tab, one in each: that tab is its authority. Its state tells who spoke last; the clocks of the states count how
// often.

import { assign, setup } from 'xstate';
import { append, type Log, saysSomething } from './message.ts';

export interface BarContext {
  readonly log: Log;
}
export type BarEvent =
  /** Typed in the page. */
  | { readonly type: 'say'; readonly text: string }
  /** From foo. */
  | { readonly type: 'message'; readonly from: string; readonly text: string };

export const bar = setup({
  types: { context: {} as BarContext, events: {} as BarEvent },
  guards: { saysSomething: ({ event }) => saysSomething(event.text) },
  actions: {
    log: assign({ log: ({ context, event }) => append(context.log, event.type === 'say' ? 'bar' : event.from, event.text) }),
    /** An effect: the tab that runs bar carries its words to foo. */
    tell: () => undefined,
  },
}).createMachine({
  id: 'bar',
  context: { log: [] },
  initial: 'silent',
  on: {
    say: { guard: 'saysSomething', target: '.spoke', actions: ['log', 'tell'] },
    message: { guard: 'saysSomething', target: '.heard', actions: 'log' },
  },
  states: { silent: {}, spoke: {}, heard: {} },
});

export default bar;
