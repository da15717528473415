// Sockets as links: the contract of links over real sockets, and what only a socket can do.

import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LockstepError } from '../../core/errors.ts';
import type { Link } from '../../peer/link.ts';
import { Gate } from '../../relay/gate.ts';
import type { SharedFrame, SharingLink } from '../../relay/neighbour.ts';
import { dial, serveSockets } from '../../relay/socket.ts';
import { linkContract } from '../contracts/link.ts';

interface Listening {
  readonly url: string;
  readonly port: number;
  /** The server's end of the next link. */
  accepted(): Promise<Link>;
}

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

async function listen(
  options: { readonly frameSize?: number; readonly pingMs?: number; readonly origins?: readonly string[] } = {},
): Promise<Listening> {
  const http: Server = createServer();
  const links: Link[] = [];
  const waiting: ((link: Link) => void)[] = [];
  const end = serveSockets({
    http,
    gate: new Gate({ host: '127.0.0.1', ...(options.origins === undefined ? {} : { origins: options.origins }) }),
    accept: (link) => {
      const waiter = waiting.shift();
      if (waiter === undefined) links.push(link);
      else waiter(link);
    },
    ...options,
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  endings.push(() => {
    end();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    port,
    accepted: () => {
      const link = links.shift();
      return link === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(link);
    },
  };
}

/** Loopback delivers within the turns that follow; a close takes a few there and back. */
async function turns(): Promise<void> {
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function pair(): Promise<readonly [Link, Link]> {
  const server = await listen();
  const near = await dial(server.url)();
  return [near, await server.accepted()];
}

linkContract('socket, from the client', async () => ({ ends: await pair(), settle: turns }));
linkContract('socket, from the server', async () => {
  const [near, far] = await pair();
  return { ends: [far, near], settle: turns };
});

const isSharing = (link: Link): link is SharingLink => 'sendShared' in link;

test('[RELAY-12] a shared frame of any length arrives as any other, in its place among them', async () => {
  const [near, far] = await pair();
  const frames: (string | Uint8Array)[] = [];
  near.open({ frame: (frame) => frames.push(frame), closed: () => undefined });
  const texts = ['', 'x', 'ü'.repeat(62), 'x'.repeat(126), 'x'.repeat(65_535), '€'.repeat(30_000)];
  if (!isSharing(far)) throw new Error('a socket shares frames');
  for (const text of texts) {
    const shared: SharedFrame = { frame: text };
    far.send(`before ${text.length}`);
    far.sendShared(shared, false);
    far.sendShared(shared, false);
  }
  far.sendShared({ frame: new Uint8Array([1, 2]) }, false);
  await turns();
  expect(frames.slice(0, -1)).toEqual(texts.flatMap((text) => [`before ${text.length}`, text, text]));
  expect(frames.at(-1)).toEqual(Buffer.from([1, 2]));
});

test('[RELAY-11] a frame over the limit closes the link with 4000 and a sentence', async () => {
  const server = await listen({ frameSize: 1_000 });
  const client = new WebSocket(server.url, ['lockstep.1']);
  await new Promise((resolve) => client.once('open', resolve));
  client.send('x'.repeat(1_000 * 3 + 2_000));
  const [code, reason] = await new Promise<[number, string]>((resolve) =>
    client.once('close', (number: number, text: Buffer) => resolve([number, text.toString()])),
  );
  expect([code, reason]).toEqual([4000, 'TOO_LARGE: a frame has at most 1000 characters, found more']);
});

test('[RELAY-13] a socket that leaves two pings unanswered is cut', async () => {
  const server = await listen({ pingMs: 5 });
  const client = new WebSocket(server.url, { autoPong: false });
  client.on('error', () => undefined);
  const far = await server.accepted();
  const code = await new Promise((resolve) => far.open({ frame: () => undefined, closed: resolve }));
  expect(code).toBe(1006);
});

test('[RELAY-26] a socket that pings and does not read its answers costs no memory; the newest ping is answered when it reads', async () => {
  const server = await listen();
  const client = new WebSocket(server.url);
  await new Promise((resolve) => client.once('open', resolve));
  const far = await server.accepted();
  const heard: string[] = [];
  let isThere: () => void = () => undefined;
  far.open({ frame: (frame) => (frame === 'mark' ? isThere() : undefined), closed: () => undefined });
  client.on('pong', (data: Buffer) => heard.push(data.toString()));
  client.ping('first');
  await new Promise((resolve) => client.once('pong', resolve));
  client.pause();
  const count = 200_000;
  const payload = 'x'.repeat(100);
  for (let i = 1; i <= count; i++) {
    client.ping(`${i} ${payload}`);
    if (i % 10_000 !== 0) continue;
    const arrived = new Promise<void>((resolve) => (isThere = resolve));
    client.send('mark');
    await arrived;
  }
  client.resume();
  while (!heard.at(-1)!.startsWith(`${count} `)) await new Promise((resolve) => client.once('pong', resolve));
  expect([heard[0], heard.length < count / 2]).toEqual(['first', true]);
});

test('[RELAY-13] a socket that answers pings stays', async () => {
  const server = await listen({ pingMs: 5 });
  const client = new WebSocket(server.url);
  const far = await server.accepted();
  let isClosed = false;
  far.open({ frame: () => undefined, closed: () => (isClosed = true) });
  for (let count = 0; count < 10; count++) await new Promise((resolve) => client.once('ping', resolve));
  expect(isClosed).toBe(false);
});

test('dialing where nobody listens is UNREACHABLE, with the address', async () => {
  const refused: unknown = await dial('ws://127.0.0.1:1')().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(LockstepError);
  expect(String(refused)).toContain('ws://127.0.0.1:1');
  expect(() => dial('not an address')).toThrow(expect.objectContaining({ code: 'BAD_PARAMS' }));
});

describe('who may knock', () => {
  const knock = async (headers: Readonly<Record<string, string>>, origins?: readonly string[]): Promise<string> => {
    const server = await listen(origins === undefined ? {} : { origins });
    const lines = Object.entries({ Host: `127.0.0.1:${server.port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value.replace('PORT', String(server.port))}`,
    );
    const socket = connect(server.port, '127.0.0.1');
    const request = [
      'GET / HTTP/1.1',
      ...lines,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    socket.write(`${request.join('\r\n')}\r\n\r\n`);
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    socket.destroy();
    return answer.toString().split(' ')[1] ?? '';
  };

  test.each([
    ['a program, which sends no origin', {}, '101'],
    ['a page of our own', { Origin: 'http://127.0.0.1:PORT' }, '101'],
    ['a page of this machine, from another port', { Origin: 'http://localhost:5173' }, '101'],
    ['our page under another name of this machine', { Host: 'localhost:PORT', Origin: 'http://localhost:PORT' }, '101'],
    ['a page from elsewhere', { Origin: 'https://evil.example' }, '403'],
    ['a page whose name only begins like ours', { Origin: 'http://127.0.0.1.evil.example' }, '403'],
    ['a page without an origin of its own', { Origin: 'null' }, '403'],
    ['a name that was pointed at us', { Host: 'evil.example', Origin: 'http://evil.example' }, '403'],
    ['a name that was pointed at us, without origin', { Host: 'evil.example:PORT' }, '403'],
    ['an address that is not ours', { Host: '10.0.0.1' }, '403'],
    ['no readable host', { Host: '%%' }, '403'],
  ])('[RELAY-10] %s', async (_, headers, status) => {
    expect(await knock(headers)).toBe(status);
  });

  test('[RELAY-10] a listed origin is welcome, and brings its host name', async () => {
    expect(await knock({ Origin: 'https://app.example' }, ['https://app.example'])).toBe('101');
    expect(await knock({ Host: 'app.example', Origin: 'https://app.example' }, ['https://app.example'])).toBe('101');
    expect(await knock({ Origin: 'http://app.example' }, ['https://app.example'])).toBe('403');
  });

  test.each(['app.example', 'https://', ''])('[RELAY-10] "%s" is no origin, and is refused when the relay begins', (origin) => {
    const error = { code: 'BAD_PARAMS', message: `expected an origin like https://app.example, found "${origin}"` };
    expect(() => new Gate({ host: '127.0.0.1', origins: [origin] })).toThrow(expect.objectContaining(error));
  });

  test('[RELAY-10] listening everywhere: addresses are ours, names and pages of this machine are not by themselves', () => {
    const gate = new Gate({ host: '0.0.0.0' });
    expect(gate.refusal({ host: '192.168.1.7:7400', origin: 'http://192.168.1.7:7400' })).toBeUndefined();
    expect(gate.refusal({ host: '[fe80::1]:7400' })).toBeUndefined();
    expect(gate.refusal({ host: '192.168.1.7:7400', origin: 'http://localhost:5173' })).toContain('not welcome');
    expect(gate.refusal({ host: 'box.example:7400' })).toContain('not a name');
  });
});
