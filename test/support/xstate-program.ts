// A plain XState 5 program in this process, and what Stately's own inspector says of it: a door with a bell (a child machine with a timer)
// and somebody to ask (a promise).

import { createInspector } from '@statelyai/inspect';
import { assign, createActor, fromPromise, sendTo, setup, type AnyActorRef } from 'xstate';
import type { InspectMessage, InspectRecord } from '../../peer/inspect/protocol.ts';

const bell = setup({ types: {} as { context: { rings: number } } }).createMachine({
  id: 'bell',
  context: { rings: 0 },
  initial: 'still',
  states: {
    still: { on: { RING: { target: 'ringing', actions: assign({ rings: ({ context }) => context.rings + 1 }) } } },
    ringing: { after: { 10: 'still' } },
  },
});

const door = setup({
  types: {} as { context: { visits: number; who: string | null }; events: { type: 'KNOCK' } | { type: 'CLOSE' } | { type: 'NOTHING' } },
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

/** Resolves when all that was told is told: Stately's inspector converts in turns of its own. */
const told = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Runs the program once: a knock, the answer, the bell still again, an event that it ignores, the door closed. */
export async function runProgram(): Promise<readonly InspectMessage[]> {
  const messages: InspectMessage[] = [];
  const { inspect } = createInspector({
    // As it arrives: through JSON.
    send: (message: unknown) => void messages.push(JSON.parse(JSON.stringify(message)) as InspectMessage),
    start: () => undefined,
    stop: () => undefined,
  });
  const actor: AnyActorRef = createActor(door, { inspect }).start();
  actor.send({ type: 'KNOCK' });
  const isAfterTimer = (): boolean =>
    messages.some(({ type, ...rest }) => type === '@xstate.snapshot' && JSON.stringify(rest).includes('xstate.after'));
  while (!isAfterTimer()) await told();
  actor.send({ type: 'NOTHING' });
  actor.send({ type: 'CLOSE' });
  await told();
  actor.stop();
  await told();
  return messages;
}

/** As a server that took them in would record them. */
export function recordsOf(messages: readonly InspectMessage[], peer = 'inspect-a'): InspectRecord<InspectMessage>[] {
  return messages.map((message, index) => ({ kind: 'inspect', peer, n: index + 1, at: Number(message.createdAt), message }));
}
