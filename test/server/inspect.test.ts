// Inspection over real sockets: our messages through Stately's own relay into Stately's own receiver, and an unmodified XState program
// that reports to us with Stately's own client.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createMachine } from 'xstate';
import { InspectIntake } from '../../peer/inspect/intake.ts';
import type { InspectMessage } from '../../peer/inspect/protocol.ts';
import type { Traced } from '../../peer/wire.ts';
import { nodeEnvironment } from '../../relay/environment.ts';
import { dial } from '../../relay/socket.ts';
import { connect } from '../../server/connect.ts';
import { serve, type Server } from '../../server/index.ts';
import { attach } from '../../tools/inspect/attach.ts';
import { Forwarder } from '../../tools/inspect/forwarder.ts';
import { InspectRelay } from '../../tools/inspect/relay.ts';

const PATIENTLY = { timeout: 20_000, interval: 20 };
const DOORBELL = fileURLToPath(new URL('../support/doorbell.mjs', import.meta.url));
const lamp = createMachine({
  id: 'lamp',
  initial: 'off',
  states: { off: { on: { PRESS: 'on' } }, on: { tags: 'bright', on: { PRESS: 'off' } } },
});

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function startServer(): Promise<Server> {
  const data = mkdtempSync(path.join(tmpdir(), 'lockstep-inspect-'));
  const server = await serve({ machines: { lamp }, data, port: 0 });
  endings.push(
    () => rmSync(data, { recursive: true, force: true }),
    () => server.close(),
  );
  return server;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Somebody else's program, reporting to `url`. */
function startDoorbell(url: string): ChildProcess {
  const child = spawn(process.execPath, [DOORBELL, url], { stdio: ['pipe', 'ignore', 'inherit'] });
  endings.push(() => child.kill());
  return child;
}

/** Stately's receiver at a relay. */
function receive(port: number): StatelyInspectionEvent[] {
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `ws://127.0.0.1:${port}` }).subscribe((event) => received.push(event));
  return received;
}

function shortly(message: InspectMessage | StatelyInspectionEvent): string {
  const { type, sessionId } = message;
  if (type === '@xstate.actor') return `actor ${sessionId} ${message.name}`;
  if (type === '@xstate.event')
    return `event ${sessionId} ${(message.event as { type: string }).type} from ${message.sourceId ?? 'nobody'}`;
  return `snapshot ${sessionId} ${JSON.stringify((message.snapshot as { value?: unknown }).value)}`;
}

test('[INSPECT-1] steps arrive in Stately’s receiver through Stately’s relay', async () => {
  const server = await startServer();
  const port = await freePort();
  const stately = createInspectorServer({ port, autoOpen: false });
  endings.push(() => stately.stop());
  const forwarder = new Forwarder({ environment: nodeEnvironment, dial: dial(`ws://127.0.0.1:${port}`, { isPlain: true }) });
  endings.push(() => forwarder.close());
  const attached = await attach({
    url: server.url,
    send: (message) => forwarder.send(message),
    failed: (error) => expect.fail(error.message),
  });
  endings.push(() => attached.close());
  await attached.ready;
  const received = receive(port);
  const ann = await connect(server.url, { name: 'Ann', machines: { lamp } });
  endings.push(() => ann.close());
  await ann.create('lamp', { instance: 'hall' });
  const mirror = await ann.watch('hall');
  await mirror.submit({ type: 'PRESS' });
  await expect
    .poll(() => received.map(shortly), PATIENTLY)
    .toEqual([
      'actor #server server',
      'actor hall lamp',
      'event hall xstate.init from nobody',
      'snapshot hall "off"',
      `actor #${ann.id} Ann`,
      `event hall PRESS from #${ann.id}`,
      'snapshot hall "on"',
    ]);
  const [, actor, , created, , , pressed] = received as unknown as (InspectMessage & { definition: string })[];
  const definition = JSON.parse(actor!.definition) as object;
  expect(createMachine(definition).getInitialSnapshot({} as never).value).toBe('off');
  expect(created).toMatchObject({ instance: 'hall', seq: 1, peer: 'server', digest: expect.stringMatching(/^[0-9a-f]{16}$/) as string });
  expect(pressed).toMatchObject({ seq: 2, rootId: '#server', snapshot: { status: 'active', tags: ['bright'], children: {} } });
  expect(Number(pressed!.at)).toBeGreaterThan(1_600_000_000_000);
});

test('[INSPECT-6] an unmodified XState program reports to /inspect and is in the server’s trace', async () => {
  const server = await startServer();
  const viewer = await connect(server.url, { kind: 'tool', hosts: false });
  endings.push(() => viewer.close());
  const heard: Traced[] = [];
  await viewer.trace('server', (record) => heard.push(record), 1_024);
  const doorbell = startDoorbell(`${server.url.replace('http', 'ws')}/inspect`);
  doorbell.stdin!.write('KNOCK\nCLOSE\n');
  const told = (): string[] => heard.flatMap((record) => (record.kind === 'inspect' ? [shortly(record.message as InspectMessage)] : []));
  await expect
    .poll(told, PATIENTLY)
    .toEqual(expect.arrayContaining(['actor x:0 door', 'event x:1 RING from x:0', 'snapshot x:0 {"open":"wide"}']));
  // The link goes; what was told stays for those who come later.
  doorbell.stdin!.write('bye\n');
  const late: Traced[] = [];
  await viewer.trace('server', (record) => late.push(record), 1_024);
  const foreign = (records: readonly Traced[]): readonly Traced[] => records.filter(({ kind }) => kind === 'inspect');
  // The last of it may be under way to both.
  await expect.poll(() => isDeepStrictEqual(foreign(late), foreign(heard)), PATIENTLY).toBe(true);
  expect(foreign(late).length).toBeGreaterThan(10);
});

test('[INSPECT-6] foreign origins and hosts are refused at /inspect, pages of this machine are welcome', async () => {
  const server = await startServer();
  const url = `${server.url.replace('http', 'ws')}/inspect`;
  const outcome = (headers: Record<string, string>): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, { headers });
      socket.on('unexpected-response', (_, response) => resolve(String(response.statusCode)));
      socket.on('open', () => (socket.close(), resolve('open')));
      socket.on('error', () => undefined);
    });
  expect(await outcome({ Origin: 'https://evil.example' })).toBe('403');
  expect(await outcome({ Host: 'evil.example' })).toBe('403');
  expect(await outcome({ Origin: 'http://localhost:5173' })).toBe('open');
  expect(await outcome({})).toBe('open');
});

test('[INSPECT-5] our relay has the role of Stately’s: to all others, the newest 200 to newcomers, and programs into our trace', async () => {
  const server = await startServer();
  await server.create('lamp', 'hall');
  const relay = new InspectRelay({ host: '127.0.0.1', port: 0, inspector: 'https://stately.ai/inspect' });
  const failed = (error: Error): never => expect.fail(error.message);
  const attached = await attach({ url: server.url, send: (message) => relay.send(message), kind: 'node', failed });
  const address = await relay.start(new InspectIntake({ environment: nodeEnvironment, tracer: attached.peer.tracer }));
  endings.push(
    () => attached.close(),
    () => relay.close(),
  );
  await attached.ready;
  const port = Number(new URL(address).port);
  const early = receive(port);
  await expect.poll(() => early.map(shortly), PATIENTLY).toContain('snapshot hall "off"');

  const viewer = await connect(server.url, { kind: 'tool', hosts: false });
  endings.push(() => viewer.close());
  const traced: Traced[] = [];
  await viewer.trace(attached.peer.id!, (record) => traced.push(record));
  const doorbell = startDoorbell(`ws://127.0.0.1:${port}`);
  doorbell.stdin!.write('KNOCK\n');
  await expect.poll(() => early.map(shortly), PATIENTLY).toContain('snapshot x:0 {"open":"wide"}');
  await expect
    .poll(() => traced.flatMap((record) => (record.kind === 'inspect' ? [shortly(record.message as InspectMessage)] : [])), PATIENTLY)
    .toContain('snapshot x:0 {"open":"wide"}');

  const mirror = await viewer.watch('hall');
  for (let i = 0; i < 110; i++) await mirror.submit({ type: 'PRESS' });
  await expect
    .poll(() => early.filter(({ type, sessionId }) => type === '@xstate.event' && sessionId === 'hall').length, PATIENTLY)
    .toBe(111);
  const late = receive(port);
  await expect.poll(() => late.length, PATIENTLY).toBe(200);
  expect(late).toEqual(early.slice(-200));

  const page = await fetch(address);
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringContaining('frame-src https://stately.ai') as string,
  ]);
  expect(await page.text()).toContain('<iframe title="Inspector" src="https://stately.ai/inspect">');
});

test('[INSPECT-5] a forwarder keeps the newest 200 while no relay is there, and sends them when one comes', async () => {
  const port = await freePort();
  const forwarder = new Forwarder({ environment: nodeEnvironment, dial: dial(`ws://127.0.0.1:${port}`, { isPlain: true }) });
  endings.push(() => forwarder.close());
  for (let i = 0; i < 250; i++)
    forwarder.send({ type: '@xstate.event', _version: '0.7.2', createdAt: String(i), id: null, sessionId: 'x', event: { type: 'GO' } });
  const stately = createInspectorServer({ port, autoOpen: false });
  endings.push(() => stately.stop());
  const received = receive(port);
  await expect
    .poll(() => received.map(({ createdAt }) => createdAt), PATIENTLY)
    .toEqual(Array.from({ length: 200 }, (_, i) => String(i + 50)));
});
