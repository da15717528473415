// A plain XState 5 program of somebody else: a door with a bell and a promise, inspected with Stately's own client and nothing of ours.
// `node doorbell.mjs ws://…`; each line of its input is the type of an event for the door, `bye` ends it.

import { createInterface } from 'node:readline';
import { createWebSocketInspector } from '@statelyai/inspect';
import { assign, createActor, fromPromise, sendTo, setup } from 'xstate';

const bell = setup({ actions: { ring: () => undefined } }).createMachine({
  id: 'bell',
  context: { rings: 0 },
  initial: 'still',
  states: {
    still: { on: { RING: { target: 'ringing', actions: ['ring', assign({ rings: ({ context }) => context.rings + 1 })] } } },
    ringing: { after: { 30: 'still' } },
  },
});

const door = setup({
  actors: { bell, ask: fromPromise(async () => 'a friend') },
  guards: { isPolite: ({ context }) => context.visits < 9 },
}).createMachine({
  id: 'door',
  context: { visits: 0, who: null },
  invoke: { src: 'bell', id: 'bell' },
  initial: 'closed',
  states: {
    closed: {
      on: {
        KNOCK: {
          guard: 'isPolite',
          target: 'asking',
          actions: [assign({ visits: ({ context }) => context.visits + 1 }), sendTo('bell', { type: 'RING' })],
        },
      },
    },
    asking: { invoke: { src: 'ask', id: 'ask', onDone: { target: 'open.wide', actions: assign({ who: ({ event }) => event.output }) } } },
    open: { initial: 'ajar', states: { ajar: {}, wide: { tags: 'draughty' } }, on: { CLOSE: 'closed' } },
  },
});

const { inspect } = createWebSocketInspector({ url: process.argv[2] });
const actor = createActor(door, { inspect }).start();
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'bye') process.exit(0);
  actor.send({ type: line });
}
