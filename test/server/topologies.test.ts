// Topologies over real sockets.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { assign, createMachine } from 'xstate';
import { relay } from '../../relay/index.ts';
import { Presence } from '../../peer/presence.ts';
import { MemoryJournal } from '../../peer/testing.ts';
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

test('[TOPO-6] [TOPO-8] an instance is handed over between two peers, and taken over when the second is lost', async () => {
  const far = ending(await relay({ port: 0 }));
  const trusts = (): boolean => true;
  const options = { machines: { ledger }, trusts, journal: new MemoryJournal() };
  const first = ending(await connect(far.url, { ...options, journal: new MemoryJournal() }));
  const second = await connect(far.url, options);
  const third = ending(await connect(far.url, { machines: { ledger }, trusts }));
  const writer = ending(await connect(far.url));
  const own = await first.host('book', 'ledger');
  const mirror = await writer.watch(own.id, ledger, { sources: [third.id!] });
  const standing = await third.watch(own.id, ledger);
  await mirror.submit({ type: 'ADD', id: 1 });
  await vi.waitFor(() => expect(first.peers()).toHaveLength(4));
  const adding = [2, 3, 4].map((id) => mirror.submit({ type: 'ADD', id }));
  await first.handOver(own.id, second.id!);
  await Promise.all(adding);
  await vi.waitFor(() => expect(standing.epoch).toBe(mirror.epoch));
  await third.standBy(standing);
  await mirror.submit({ type: 'ADD', id: 5 });
  await vi.waitFor(() => expect(standing.seq).toBe(6));
  await second.close();
  await third.takeOver(own.id);
  expect(await mirror.submit({ type: 'ADD', id: 6 })).toEqual({ outcome: 'stepped', seq: 7 });
  await vi.waitFor(() => expect(own.getSnapshot().context).toEqual({ entries: [1, 2, 3, 4, 5, 6] }), 20_000);
  expect(own.digest).toBe(standing.digest);
}, 60_000);

test('[TOPO-7] a server and a client that come back after others took over give way, and their programs are told', async () => {
  const far = ending(await relay({ port: 0 }));
  const trusts = (): boolean => true;
  const forks: string[] = [];
  const [atServer, atFirst] = [new MemoryJournal(), new MemoryJournal()];
  const beServer = () =>
    serve({
      port: 0,
      relay: far,
      machines: { ledger },
      journal: atServer,
      trusts,
      fenced: ({ instance, peer }) => forks.push(`the server: ${instance}, ${peer}`),
    });
  const beFirst = () =>
    connect(far.url, {
      secret: 'the first',
      machines: { ledger },
      journal: atFirst,
      trusts,
      fenced: ({ instance, peer, lost }) => forks.push(`the first: ${instance}, ${peer}, ${lost?.length} lost`),
    });
  const server = await beServer();
  await server.create('ledger', 'main');
  const first = await beFirst();
  await first.host('book', 'ledger');
  const second = ending(await connect(far.url, { machines: { ledger }, trusts }));
  const book = `${first.id}/book`;
  for (const instance of ['main', book]) await second.standBy(await second.watch(instance, ledger));
  await Promise.all([server.close(), first.close()]);
  for (const instance of ['main', book]) await second.takeOver(instance);
  ending(await beServer());
  ending(await beFirst());
  await vi.waitFor(
    () => expect(forks.sort()).toEqual([`the first: ${book}, ${second.id}, 0 lost`, `the server: main, ${second.id}`]),
    20_000,
  );
}, 60_000);

test('[TOPO-11] [TOPO-12] a tab orders, the server passes on, another tab sees it and who is there, also over a closing of the tab', async () => {
  const data = mkdtempSync(join(tmpdir(), 'lockstep-tab-'));
  endings.push(() => rmSync(data, { recursive: true }));
  const trusts = (): boolean => true;
  const server = ending(await serve({ port: 0, machines: { ledger }, data, trusts }));
  const options = { kind: 'browser', secret: 'the secret of the tab', machines: { ledger }, trusts, journal: new MemoryJournal() } as const;
  const tab = await connect(server.url, options);
  const own = await tab.host('book', 'ledger');
  const copy = await server.peer.watch(own.id, ledger);
  await server.peer.offer(copy);
  const other = ending(await connect(server.url, { kind: 'browser' }));
  const mirror = await other.watch(own.id, ledger, { sources: ['server'] });
  await mirror.submit({ type: 'ADD', id: 1 });
  const [here, there] = [new Presence(own), new Presence(copy)];
  here.set('the tab');
  there.set('the server');
  await vi.waitFor(() => expect([here.present.get('server'), there.present.get(tab.id!)]).toEqual(['the server', 'the tab']));
  const { epoch } = mirror;
  await tab.close();
  await vi.waitFor(() => expect([copy.standing, mirror.standing, there.present.size]).toEqual(['offline', 'offline', 0]));
  mirror.send({ type: 'ADD', id: 2 });
  const again = ending(await connect(server.url, options));
  const back = await again.host('book', 'ledger');
  await vi.waitFor(() => expect(back.getSnapshot().context).toEqual({ entries: [1, 2] }), 25_000);
  await vi.waitFor(
    () => expect([mirror.epoch, mirror.standing, mirror.digest, copy.digest]).toEqual([epoch, 'confirmed', back.digest, back.digest]),
    5_000,
  );
}, 60_000);
