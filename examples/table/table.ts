// A card table: everyone sees the board, each player its own hand, and nobody else's.

import { connect, MemoryJournal, serve, type Policy } from 'lockstep/server';
import { assign, createMachine } from 'xstate';

type Table = { public: { board: string }; hands: Record<string, string> };

const machine = createMachine({
  types: {} as { context: Table; events: { type: 'play'; card: string } },
  id: 'table',
  context: { public: { board: 'empty' }, hands: { ann: 'ace', bob: 'king' } },
  on: { play: { actions: assign({ public: ({ event }) => ({ board: event.card }) }) } },
});
const policy: Policy<Table, { player: string }> = {
  allowRead: ({ authContext }) => authContext.player !== '',
  allowWrite: (asked) => asked.type === 'event' && asked.event['card'] === asked.context.hands[asked.authContext.player],
  views: {
    hand: ({ context }, { player }) => ({ context: { public: context.public, hand: context.hands[player] ?? 'none' } }),
  },
};
const server = await serve({
  port: 0,
  journal: new MemoryJournal(),
  machines: { table: { machine, ...policy } },
  authenticate: ({ token }) => ({ player: token?.replace('token of ', '') ?? '' }),
});
await server.create('table', 'one');

const ann = await connect(server.url, { token: 'token of ann' });
const bob = await connect(server.url, { token: 'token of bob' });
const hers = await ann.watch('one', undefined, { view: 'hand' });
const his = await bob.watch('one', machine);
console.log(hers.getSnapshot().context, his.getSnapshot().context);

await hers.submit({ type: 'play', card: 'ace' });
await his.when(({ context }) => context.public.board === 'ace');
console.log(his.getSnapshot().context);

await his.submit({ type: 'play', card: 'queen' }).catch((error: { code: string }) => console.log(error.code));
for (const each of [ann, bob, server]) await each.close();
