// What authors and programs do wrong, with a real server and the project's own client: contexts, inputs and events that are no plain JSON,
// functions that throw, versions that do not meet. Each is refused where it arises, by code and sentence, and what was there stays.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, get, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { assign, createMachine, setup } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import type { Json } from '../../core/json.ts';
import { DEPTH_MAX } from '../../core/plain.ts';
import { connect, dial, MemoryJournal, serve, type ServeOptions, type Server } from '../../server/index.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const desk = setup({
  types: {} as { context: { sheets: unknown[]; tree: unknown }; events: { type: string; value?: unknown } },
  guards: {
    slips: ({ event }) => {
      if (event.value === 'slip') throw new Error('the author slipped');
      return true;
    },
  },
}).createMachine({
  id: 'desk',
  context: ({ input }) => ({ sheets: [], tree: input === 'a map' ? new Map() : null }),
  on: {
    PUT: { guard: 'slips', actions: assign({ sheets: ({ context, event }) => [...context.sheets, event.value] }) },
    WRAP: { actions: assign({ tree: ({ context }) => [context.tree] }) },
  },
});

async function start(options: ServeOptions = {}): Promise<Server> {
  const server = await serve({ port: 0, journal: new MemoryJournal(), machines: { desk }, ...options });
  endings.push(() => server.close());
  return server;
}

async function client(url: string, machines: Readonly<Record<string, unknown>> = { desk }) {
  const peer = await connect(url, { machines });
  endings.push(() => peer.close());
  return peer;
}

// ── Plain JSON ───────────────────────────────────────────────────────────────────────────────────────────────────

test('[SRV-33] a definition whose context is not plain JSON starts no server, and its data directory stays free', async () => {
  const data = mkdtempSync(join(tmpdir(), 'lockstep-bad-'));
  endings.push(() => rmSync(data, { recursive: true }));
  const clock = createMachine({ id: 'clock', context: { at: [new Date(0)] as unknown }, initial: 'a', states: { a: {} } });
  await expect(serve({ port: 0, data, machines: { desk, clock } })).rejects.toMatchObject({
    code: 'NOT_JSON',
    message: `machine 'clock': expected plain JSON at "/context/at/0", found a Date`,
  });
  const server = await serve({ port: 0, data, machines: { desk } });
  await server.close();
});

test('[SRV-33] a running server refuses such a machine and goes on with those it has', async () => {
  const server = await start();
  const clock = { id: 'clock', context: { at: () => 1 }, initial: 'a', states: { a: {} } };
  expect(() => server.peer.machines.add('clock', { definition: clock })).toThrow(
    expect.objectContaining({ code: 'NOT_JSON', message: `machine 'clock': expected plain JSON at "/context/at", found function` }),
  );
  await expect(server.create('clock', 'wall')).rejects.toMatchObject({ code: 'UNKNOWN_MACHINE' });
  expect(await server.create('desk', 'front')).toBe('front');
});

test('[SRV-33] a context function that makes something else creates nothing', async () => {
  const server = await start();
  const peer = await client(server.url);
  await expect(peer.create('desk', { instance: 'front', input: 'a map' })).rejects.toMatchObject({
    code: 'NOT_JSON',
    message: 'expected plain JSON at "/tree", found a Map',
  });
  expect((await peer.list()).instances).toEqual([]);
  expect(await peer.create('desk', { instance: 'front' })).toMatchObject({ instance: 'front', seq: 1 });
});

test.each<[what: string, value: unknown, where: string, found: string]>([
  ['a Date', new Date(0), '', 'a Date'],
  ['a Map inside', { list: [1, new Map()] }, '/list/1', 'a Map'],
  ['NaN', { n: Number.NaN }, '/n', 'NaN'],
  ['a function', { f: () => 1 }, '/f', 'function'],
  ['a bigint', [1n], '/0', 'bigint'],
])('[SRV-33] %s as an input, in an event or in a definition is refused before it leaves, with its path', async (_, value, where, found) => {
  const server = await start({ acceptsDefinitions: true });
  await server.create('desk', 'front');
  const peer = await client(server.url);
  const mirror = await peer.watch('front', desk);
  const refusal = (path: string) => ({ code: 'NOT_JSON', message: `expected plain JSON at "${path}${where}", found ${found}` });
  await expect(peer.create('desk', { instance: 'back', input: value as Json })).rejects.toMatchObject(refusal('/input'));
  await expect(peer.host('back', 'desk', value as Json)).rejects.toMatchObject(refusal('/input'));
  await expect(server.create('desk', 'back', value as Json)).rejects.toMatchObject(refusal('/input'));
  await expect(peer.define('lamp', { definition: { id: 'lamp', context: value } as Json })).rejects.toMatchObject(
    refusal('/definition/context'),
  );
  const before = [mirror.seq, mirror.digest, mirror.getSnapshot()];
  await expect((async () => mirror.submit({ type: 'PUT', value } as never))()).rejects.toMatchObject(refusal('/value'));
  expect([mirror.seq, mirror.digest, mirror.getSnapshot()]).toEqual(before);
  expect(await mirror.submit({ type: 'PUT', value: 1 } as never)).toEqual({ outcome: 'stepped', seq: 2 });
  expect((await peer.list()).instances.map(({ instance }) => instance)).toEqual(['front']);
});

test('[SRV-33] a context may grow as deep as readers can take it, and no deeper', async () => {
  const server = await start();
  await server.create('desk', 'front');
  const peer = await client(server.url);
  const mirror = await peer.watch('front', desk);
  for (let level = 1; level < DEPTH_MAX; level++) await mirror.submit({ type: 'WRAP' } as never);
  const { seq, digest } = mirror;
  expect(seq).toBe(DEPTH_MAX);
  await expect(mirror.submit({ type: 'WRAP' } as never)).rejects.toMatchObject({
    code: 'NOT_JSON',
    message: expect.stringContaining(`expected at most ${DEPTH_MAX} levels of arrays and objects`) as string,
  });
  const reader = await (await client(server.url, {})).watch('front');
  expect([reader.seq, reader.digest, mirror.seq, mirror.digest]).toEqual([seq, digest, seq, digest]);
});

// ── Functions that throw ─────────────────────────────────────────────────────────────────────────────────────────

const slip = { type: 'PUT', value: 'slip' } as never;
const SLIPPED = 'machine desk: guard "slips" at /on/PUT/guard threw Error: the author slipped';

test('[SRV-34] a guard that throws refuses the event, and the next event is taken', async () => {
  const server = await start();
  await server.create('desk', 'front');
  const mirror = await (await client(server.url)).watch('front', desk);
  const { seq, digest } = mirror;
  await expect(mirror.submit(slip)).rejects.toMatchObject({ code: 'HOST_THREW', message: SLIPPED });
  expect([mirror.seq, mirror.digest, mirror.standing]).toEqual([seq, digest, 'confirmed']);
  expect(await mirror.submit({ type: 'PUT', value: 1 } as never)).toEqual({ outcome: 'stepped', seq: 2 });
});

test('[SRV-34] where the image says so, a guard that throws ends its instance with status error, and no other', async () => {
  const server = await start();
  server.peer.machines.add('strict', { image: compileMachine(desk, { onThrow: 'status' }).bytes, definition: desk });
  await server.create('strict', 'front');
  await server.create('strict', 'back');
  const peer = await client(server.url);
  const mirror = await peer.watch('front', desk);
  const back = await peer.watch('back', desk);
  expect(await mirror.submit(slip)).toEqual({ outcome: 'stepped', seq: 2 });
  expect(mirror.getSnapshot()).toMatchObject({ status: 'error', error: SLIPPED, context: { sheets: [] } });
  await expect((async () => mirror.submit({ type: 'PUT', value: 1 } as never))()).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: 'front has status error, expected active',
  });
  expect(await back.submit({ type: 'PUT', value: 1 } as never)).toEqual({ outcome: 'stepped', seq: 2 });
  const late = await (await client(server.url, {})).watch('front');
  expect([late.seq, late.digest, late.getSnapshot().status]).toEqual([2, mirror.digest, 'error']);
});

// ── Versions ─────────────────────────────────────────────────────────────────────────────────────────────────────

test('[SRV-35] a socket of another sub-protocol is refused with BAD_VERSION before it opens', async () => {
  const server = await start();
  const [status, body] = await upgrade(server.url, 'lockstep.9, chat');
  expect(status).toBe(400);
  expect(JSON.parse(body)).toEqual({ error: { code: 'BAD_VERSION', message: 'this relay speaks lockstep.1, found lockstep.9, chat' } });
  const fine = await client(server.url);
  expect(fine.isConnected).toBe(true);
});

function upgrade(url: string, protocols: string): Promise<readonly [status: number | undefined, body: string]> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': protocols,
  };
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () => resolve([response.statusCode, body]));
    })
      .on('upgrade', (_, socket) => {
        socket.destroy();
        resolve([101, '']);
      })
      .on('error', reject);
  });
}

async function listen(http: HttpServer): Promise<string> {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test('[SRV-35] a client is told why a relay of another version does not take its socket', async () => {
  const http = createServer().on('upgrade', (_, socket) => {
    const body = '{"error":{"code":"BAD_VERSION","message":"this relay speaks lockstep.9, found lockstep.1"}}';
    socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
  });
  await expect(connect(await listen(http))).rejects.toMatchObject({
    code: 'BAD_VERSION',
    message: 'this relay speaks lockstep.9, found lockstep.1',
  });
});

test('[SRV-35] a client is told why a relay of another version does not take its hello', async () => {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket) => {
    socket.on('message', (frame: Buffer) => {
      const { id, params } = JSON.parse(frame.toString().slice(1)) as { id: number; params: { versions: number[] } };
      const error = {
        code: -32010,
        message: `this relay speaks version 9, found ${params.versions.join()}`,
        data: { code: 'BAD_VERSION' },
      };
      socket.send(`\n${JSON.stringify({ jsonrpc: '2.0', id, error })}`);
    });
  });
  await expect(connect(await listen(http))).rejects.toMatchObject({ code: 'BAD_VERSION', message: 'this relay speaks version 9, found 1' });
});

test.each(['nonsense', '127.0.0.1:7400', 'ftp://127.0.0.1/', ''])('[SRV-21] "%s" is no URL of a relay', async (url) => {
  const refusal = { code: 'BAD_PARAMS', message: `expected the URL of a relay, ws:, wss:, http: or https:, found "${url}"` };
  await expect(connect(url)).rejects.toMatchObject(refusal);
  const data = mkdtempSync(join(tmpdir(), 'lockstep-bad-'));
  endings.push(() => rmSync(data, { recursive: true }));
  await expect(serve({ port: 0, data, relay: { url, key: 'key' } })).rejects.toMatchObject(refusal);
  expect(readdirSync(data)).toEqual([]);
});

test.each([70_000, -1, 7_400.5, Number.NaN])('[SRV-21] %d is no port', async (port) => {
  await expect(start({ port })).rejects.toMatchObject({ code: 'BAD_PARAMS', message: `a port is a number from 0 to 65535, found ${port}` });
});

test('[SRV-35] what is no relay at all is UNREACHABLE, with what it said instead', async () => {
  const http = createServer().on('upgrade', (_, socket) => {
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>');
  });
  const reports: string[] = [];
  const url = await listen(http);
  await dial(url)().catch((error: Error) => reports.push(error.message));
  expect(reports).toEqual([`no relay at ${url.replace('http', 'ws')}: it answered HTTP 404, expected a WebSocket`]);
});
