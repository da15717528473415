// A whole server in this process, with real sockets and a real file: the road of an event, and its answers over HTTP.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import { connect, serve } from '../../server/index.ts';
import type { ServeOptions, Server } from '../../server/index.ts';

const ledger = createMachine({
  id: 'ledger',
  initial: 'open',
  context: { entries: [] as number[] },
  states: {
    open: {
      on: {
        ADD: {
          guard: ({ event }) => typeof event['id'] === 'number',
          actions: assign({ entries: ({ context, event }) => [...context.entries, event['id'] as number] }),
        },
        END: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-serve-'));
  endings.push(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

async function start(options: ServeOptions = {}): Promise<Server> {
  const server = await serve({ port: 0, machines: { ledger }, data: options.data ?? scratch(), ...options });
  endings.push(() => server.close());
  return server;
}

test('[SRV-5] an event from a client is confirmed, in the journal, and there after a restart', async () => {
  const data = scratch();
  const server = await start({ data });
  expect(server.survives).toBe('power');
  await server.create('ledger', 'main');
  const client = await connect(server.url, { machines: { ledger } });
  endings.push(() => client.close());
  const mirror = await client.watch('main', ledger);
  const answer = mirror.submit({ type: 'ADD', id: 1 });
  expect(mirror.getSnapshot().context).toEqual({ entries: [1] });
  expect(await answer).toEqual({ outcome: 'stepped', seq: 2 });
  await server.close();

  const again = await start({ data });
  const other = await connect(again.url);
  endings.push(() => other.close());
  expect((await other.watch('main')).getSnapshot().context).toEqual({ entries: [1] });
});
