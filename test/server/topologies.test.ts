// Topologies over real sockets.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { assign, createMachine } from 'xstate';
import { relay } from '../../relay/index.ts';
import { connect, serve } from '../../server/index.ts';

const ledger = createMachine({
  id: 'ledger',
  context: { entries: [] as number[] },
  on: { ADD: { actions: assign({ entries: ({ context, event }) => [...context.entries, event['id'] as number] }) } },
});

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function ending<T extends { close(): Promise<void> }>(one: T): T {
  endings.push(() => one.close());
  return one;
}

test('[TOPO-1] [TOPO-5] three deep over two relays: what a leaf sends comes to the server, and back to everyone', async () => {
  const data = mkdtempSync(join(tmpdir(), 'lockstep-topologies-'));
  endings.push(() => rmSync(data, { recursive: true }));
  const trusts = (): boolean => true;
  const server = ending(await serve({ port: 0, machines: { ledger }, data, trusts }));
  await server.create('ledger', 'main');
  const far = ending(await relay({ port: 0 }));
  const near = ending(await connect(server.url, { trusts }));
  const first = await near.watch('main', ledger);
  const between = ending(await connect(far.url, { trusts }));
  await between.offer(first);
  const middle = ending(await connect(far.url, { trusts }));
  const second = await middle.watch('main', ledger, { sources: [between.id!] });
  await middle.offer(second);
  const leaf = ending(await connect(far.url));
  const mirror = await leaf.watch('main', ledger, { sources: [middle.id!] });
  const answers = await Promise.all([1, 2, 3].map((id) => mirror.submit({ type: 'ADD', id })));
  expect(answers.map(({ seq }) => seq)).toEqual([2, 3, 4]);
  await vi.waitFor(() => expect([first.seq, second.seq, mirror.seq]).toEqual([4, 4, 4]));
  expect(first.getSnapshot().context).toEqual({ entries: [1, 2, 3] });
  expect([second.digest, mirror.digest]).toEqual([first.digest, first.digest]);
}, 30_000);
