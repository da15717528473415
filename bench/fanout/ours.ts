// Lockstep with everything on: relay, tokens, authorizers, admission, dedup, digests, the trace ring, answers to the writer; the journal is
// in memory. Readers are mirrors. Their tokens say which board they belong to, and not who they are, so that `allowRead` is asked once a
// step for all of them; `allowWrite` is asked of every event.

import { assign, setup } from 'xstate';
import type { Json } from '../../core/json.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Encoding } from '../../peer/wire.ts';
import { connect } from '../../server/connect.ts';
import { MemoryJournal, serve, type Policy } from '../../server/index.ts';
import { attend } from '../process.ts';
import { DOCUMENT, INSTANCE, type Document, type Side } from './side.ts';

/** What the readers ask for: all of the document, as the other systems send it. */
const VIEW = 'board';

const machine = setup({ types: { context: {} as Document, events: {} as { readonly type: 'ADD'; readonly by: number } } }).createMachine({
  id: 'board',
  context: DOCUMENT,
  on: { ADD: { actions: assign({ total: ({ context, event }) => context.total + event.by }) } },
});

interface Holder {
  readonly board: string;
  readonly mayWrite: boolean;
}

const WRITER: Holder = { board: INSTANCE, mayWrite: true };
const READER: Holder = { board: INSTANCE, mayWrite: false };

const policy: Policy<Document, Holder> = {
  allowRead: ({ machineInstanceName, authContext }) => authContext.board === machineInstanceName,
  allowWrite: ({ machineInstanceName, authContext }) => authContext.mayWrite && authContext.board === machineInstanceName,
  views: { [VIEW]: 'all' },
};

export function ours(encoding: Encoding): Side {
  return {
    server: async () => {
      const server = await serve({
        machines: { [INSTANCE]: { machine, ...policy } },
        authenticate: ({ token }) => JSON.parse(token ?? '{}') as Json,
        port: 0,
        journal: new MemoryJournal(),
      });
      await server.create(INSTANCE, INSTANCE);
      await attend(server.url, { end: () => server.close() });
    },
    writer: async (url) => {
      const mirror = await watch(url, encoding, WRITER);
      return { write: () => mirror.submit({ type: 'ADD', by: 1 }) };
    },
    reader: async (url, audience) => {
      const mirror = await watch(url, encoding, READER);
      // Step 1 is the creation.
      mirror.subscribe(() => audience.reached(mirror.seq - 1));
    },
  };
}

async function watch(url: string, encoding: Encoding, holder: Holder): Promise<Mirror> {
  const peer = await connect(url, { encoding, token: JSON.stringify(holder) });
  return peer.watch(INSTANCE, undefined, { view: VIEW });
}
