// Lockstep with everything on: relay, admission, dedup, digests, the trace ring, answers to the writer; the journal is in memory. Readers
// are mirrors.

import { assign, setup } from 'xstate';
import type { Encoding } from '../../peer/wire.ts';
import { connect } from '../../server/connect.ts';
import { MemoryJournal, serve } from '../../server/index.ts';
import { attend } from '../process.ts';
import { DOCUMENT, INSTANCE, type Document, type Side } from './side.ts';

const board = setup({ types: { context: {} as Document, events: {} as { readonly type: 'ADD'; readonly by: number } } }).createMachine({
  id: 'board',
  context: DOCUMENT,
  on: { ADD: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
});

export function ours(encoding: Encoding): Side {
  return {
    server: async () => {
      const server = await serve({ machines: { board }, port: 0, journal: new MemoryJournal() });
      await server.create('board', INSTANCE);
      await attend(server.url, { end: () => server.close() });
    },
    writer: async (url) => {
      const mirror = await (await connect(url, { encoding })).watch(INSTANCE);
      return { write: () => mirror.submit({ type: 'ADD', by: 1 }) };
    },
    reader: async (url, audience) => {
      const mirror = await (await connect(url, { encoding })).watch(INSTANCE);
      // Step 1 is the creation.
      mirror.subscribe(() => audience.reached(mirror.seq - 1));
    },
  };
}
