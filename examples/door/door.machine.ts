// A door with a lock: the smallest machine worth keeping in step. A plain XState machine; nothing in it knows that it is shared.

import { assign, setup } from 'xstate';

export interface DoorContext {
  /** How often it was opened. */
  readonly opened: number;
  /** Who did the last thing to it, by their own word. */
  readonly by: string;
}
export interface DoorEvent {
  readonly type: 'open' | 'close' | 'lock' | 'unlock';
  readonly by?: string;
}

export const door = setup({
  types: { context: {} as DoorContext, events: {} as DoorEvent },
  actions: {
    count: assign({ opened: ({ context }) => context.opened + 1 }),
    sign: assign({ by: ({ event }) => event.by ?? 'somebody' }),
  },
}).createMachine({
  id: 'door',
  context: { opened: 0, by: 'nobody' },
  initial: 'closed',
  states: {
    closed: {
      on: {
        open: { target: 'open', actions: ['count', 'sign'] },
        lock: { target: 'locked', actions: 'sign' },
      },
    },
    open: { on: { close: { target: 'closed', actions: 'sign' } } },
    locked: { on: { unlock: { target: 'closed', actions: 'sign' } } },
  },
});
