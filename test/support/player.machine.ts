// The machine in the journals of test/server/journals: history, a delay, a guard, an assign, tags.

import { assign, setup } from 'xstate';

export const player = setup({
  types: {} as { context: { plays: number }; events: { type: 'POWER' | 'BACK' | 'PLAY' | 'STOP' | 'NEXT' } },
  actions: { count: assign({ plays: ({ context }) => context.plays + 1 }) },
  guards: { allowed: ({ context }) => context.plays < 3 },
}).createMachine({
  id: 'player',
  context: { plays: 0 },
  initial: 'off',
  states: {
    off: { on: { POWER: 'on' } },
    on: {
      initial: 'idle',
      on: { POWER: 'off', BACK: '#player.on.last' },
      states: {
        idle: { tags: 'quiet', on: { PLAY: { guard: 'allowed', target: 'playing', actions: 'count' } } },
        playing: {
          initial: 'track',
          after: { 3_600_000: 'idle' },
          on: { STOP: 'idle' },
          states: { track: { on: { NEXT: 'jingle' } }, jingle: {} },
        },
        last: { type: 'history', history: 'deep' },
      },
    },
  },
});
