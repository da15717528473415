// A tally for the test of the bindings: counts, and keeps words.

import { assign, setup } from 'xstate';

export const tally = setup({
  types: {
    context: {} as { readonly count: number; readonly words: readonly string[] },
    events: {} as { type: 'COUNT' } | { type: 'SAY'; word: string } | { type: 'REST' },
  },
}).createMachine({
  id: 'tally',
  context: { count: 0, words: [] },
  initial: 'resting',
  states: { resting: {}, counting: { on: { REST: 'resting' } } },
  on: {
    COUNT: { target: '.counting', actions: assign({ count: ({ context }) => context.count + 1 }) },
    SAY: { actions: assign({ words: ({ context, event }) => [...context.words, event.word] }) },
  },
});
