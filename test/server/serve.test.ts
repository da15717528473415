// A whole server in this process, with real sockets and a real file: the road of an event, and its answers over HTTP.

import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import type { StateList } from '../../compiler/index.ts';
import { connect, MemoryJournal, serve } from '../../server/index.ts';
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

test('[STATES-4] what a state answers is heard by the program that runs the server', async () => {
  const heard: unknown[] = [];
  const gate = {
    id: 'gate',
    states: [
      {
        name: 'shut',
        events: [
          { name: 'ping', handler: (machine) => machine.transmit('200', 'pong') },
          { name: 'open', to: 'wide' },
        ],
      },
      { name: 'wide' },
    ],
  } satisfies StateList;
  const server = await serve({ machines: { gate }, port: 0, journal: new MemoryJournal(), emitted: (...each) => heard.push(each) });
  endings.push(() => server.close());
  await server.create('gate', 'front');
  const front = await server.peer.watch('front');
  expect(await front.submit({ type: 'ping' })).toMatchObject({ outcome: 'stepped' });
  expect(heard).toEqual([['front', { type: 'reply', status: '200', data: 'pong' }]]);
});

/** Root may write everywhere; this process is nobody meanwhile. */
async function asNobody<Answer>(act: () => Promise<Answer>): Promise<Answer> {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

test('[SRV-2] a data directory that cannot be written, or a journal in it, is told by what the file system says', async () => {
  const data = scratch();
  const journal = join(data, 'journal.sqlite');
  await (await serve({ machines: { ledger }, port: 0, data })).close();
  const refusal = (path: string): object => ({ code: 'STORAGE', message: `${journal}: EACCES: permission denied, open '${path}'` });
  for (const [path, mode, found] of [
    [data, 0o555, `${journal}-wal`],
    [journal, 0o444, journal],
  ] as const) {
    const before = statSync(path).mode;
    chmodSync(journal, 0o666);
    chmodSync(path, mode);
    await expect(asNobody(() => serve({ machines: { ledger }, port: 0, data }))).rejects.toMatchObject(refusal(found));
    chmodSync(path, before | 0o777);
  }
});
