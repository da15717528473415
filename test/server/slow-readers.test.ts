// Readers that do not keep up, over real sockets: one stands still, one takes a part of what comes. Both are behind a road that lets through
// only what the test says; nothing here waits for a clock.

import { createServer, type Server } from 'node:http';
import { connect as connectTo, createServer as createRoad, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { assign, setup } from 'xstate';
import type { Link } from '../../peer/link.ts';
import type { Mirror } from '../../peer/mirror.ts';
import { nodeEnvironment } from '../../relay/environment.ts';
import { Gate } from '../../relay/gate.ts';
import { Hub, identify } from '../../relay/index.ts';
import { serveSockets } from '../../relay/socket.ts';
import { connect, MemoryJournal, serve } from '../../server/index.ts';

const KEY = 'key of this relay';
const LAG_BYTES = 524_288;
/** Characters of one step: enough of them fill what the operating system keeps for a socket. */
const TEXT = 16_000;
/** Steps after which even the largest buffers of an operating system are full. */
const STEPS_MAX = 2_000;

const wall = setup({
  types: { context: {} as { readonly text: string }, events: {} as { readonly type: 'WRITE'; readonly text: string } },
}).createMachine({ id: 'wall', context: { text: '' }, on: { WRITE: { actions: assign({ text: ({ event }) => event.text }) } } });

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A relay with a server behind it, and the relay's ends of all links. */
async function start(): Promise<{ readonly url: string; readonly port: number; readonly links: readonly Link[] }> {
  const http: Server = createServer();
  const hub = new Hub({ environment: nodeEnvironment, identify, key: KEY, buffers: { lagBytes: LAG_BYTES } });
  const links: Link[] = [];
  const accept = (link: Link): void => {
    links.push(link);
    hub.attach(link);
  };
  const end = serveSockets({ http, gate: new Gate({ host: '127.0.0.1' }), accept });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    end();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const server = await serve({ machines: { wall }, journal: new MemoryJournal(), port: 0, relay: { url, key: KEY } });
  endings.push(() => server.close());
  await server.peer.ready;
  await server.create('wall', 'wall');
  return { url, port, links };
}

/** A road to the relay that can be closed for what comes from there. */
async function makeRoad(port: number) {
  let isOpen = true;
  let relay: Socket | undefined;
  const road = createRoad((client) => {
    relay = connectTo(port, '127.0.0.1');
    client.pipe(relay);
    relay.on('data', (bytes) => {
      client.write(bytes);
      if (!isOpen) relay?.pause();
    });
    for (const socket of [client, relay]) socket.on('error', () => undefined);
    relay.on('close', () => client.destroy());
    client.on('close', () => relay?.destroy());
  });
  await new Promise<void>((resolve) => road.listen(0, '127.0.0.1', resolve));
  endings.push(() => road.close());
  return {
    url: `http://127.0.0.1:${(road.address() as AddressInfo).port}`,
    close: () => {
      isOpen = false;
      relay?.pause();
    },
    /** Lets one chunk through. */
    trickle: () => relay?.resume(),
    open: () => {
      isOpen = true;
      relay?.resume();
    },
  };
}

async function watch(url: string): Promise<Mirror> {
  const peer = await connect(url, {
    report: (level, message) => {
      // Whoever lagged asks again; nobody may be put out of step by it.
      if (message.includes('diverge')) throw new Error(`${level}: ${message}`);
    },
  });
  endings.push(() => peer.close());
  return peer.watch('wall');
}

function reaches(mirror: Mirror, seq: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (mirror.seq >= seq) resolve();
    };
    mirror.subscribe(look);
    look();
  });
}

test('[RELAY-16] a reader that stands still and one that trickles cost a bounded number of bytes, delay nobody, and end in step', async () => {
  const { url, port, links } = await start();
  const writer = await watch(url);
  const others = await Promise.all(Array.from({ length: 6 }, () => watch(url)));
  const roads = [await makeRoad(port), await makeRoad(port)] as const;
  const first = links.length;
  const slow = [await watch(roads[0].url), await watch(roads[1].url)] as const;
  const slowLinks = links.slice(first);
  expect(slowLinks).toHaveLength(2);
  for (const road of roads) road.close();

  let peak = 0;
  let steps = 0;
  const write = async (): Promise<void> => {
    steps++;
    await writer.submit({ type: 'WRITE', text: `${steps}`.padEnd(TEXT, '.') });
    peak = Math.max(
      peak,
      links.reduce((sum, link) => sum + link.bufferedBytes, 0),
    );
    if (steps % 16 === 0) roads[1].trickle();
  };
  // Until both are over the limit, and then on: what is over it is dropped.
  while (steps < STEPS_MAX && !slowLinks.every((link) => link.bufferedBytes >= LAG_BYTES)) await write();
  expect(slowLinks.map((link) => link.bufferedBytes >= LAG_BYTES)).toEqual([true, true]);
  for (let i = 0; i < 100; i++) await write();

  // Step 1 is the creation. The others have all of it while the two are far behind.
  const seq = steps + 1;
  await Promise.all([writer, ...others].map((mirror) => reaches(mirror, seq)));
  expect(slow.map((mirror) => mirror.seq < seq - 100)).toEqual([true, true]);
  expect(peak).toBeLessThan(2 * 1024 * 1024);
  expect(Math.max(...slowLinks.map((link) => link.bufferedBytes))).toBeLessThan(LAG_BYTES + 2 * TEXT);

  for (const road of roads) road.open();
  await Promise.all(slow.map((mirror) => reaches(mirror, seq)));
  for (const mirror of [...slow, ...others]) expect(mirror.getSnapshot().context).toEqual(writer.getSnapshot().context);
});
