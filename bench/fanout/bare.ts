// Servers that do nothing but pass texts on, with ws. `shared` is the limit: what one turn of the event loop brings becomes one frame, made
// once, and every socket is written the same bytes. `plain` is what one writes first: every update to every client by itself.

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { attend } from '../process.ts';
import { Echoes, urlOf, type Side } from './side.ts';

/** As long as what ours tells a reader of one step in json. */
const UPDATE = JSON.stringify([123_456, 1, 123_456, [], [{ op: 'replace', path: '/total', value: 123_456 }]]);

export const shared: Side = {
  server: async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    const streams = new Set<Duplex>();
    let updates: string[] = [];
    const publish = (): void => {
      const frame = textFrame(`[${updates.join(',')}]`);
      updates = [];
      for (const stream of streams) stream.write(frame);
    };
    server.on('connection', (socket, request) => {
      streams.add(request.socket);
      socket.on('close', () => streams.delete(request.socket));
      socket.on('message', (data) => {
        if (updates.push(data.toString()) === 1) setImmediate(publish);
      });
    });
    await once(server, 'listening');
    await attend(urlOf(server.address()), { end: () => server.close() });
  },
  writer: (url) => writer(url, countOf),
  reader: async (url, audience) => {
    await listen(url, (text) => audience.more(countOf(text)));
  },
};

export const plain: Side = {
  server: async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        const text = data.toString();
        for (const client of server.clients) client.send(text);
      }),
    );
    await once(server, 'listening');
    await attend(urlOf(server.address()), { end: () => server.close() });
  },
  writer: (url) => writer(url, () => 1),
  reader: async (url, audience) => {
    await listen(url, (text) => {
      JSON.parse(text);
      audience.more(1);
    });
  },
};

/** @returns how many updates are in a frame. */
function countOf(text: string): number {
  return (JSON.parse(text) as unknown[]).length;
}

async function writer(url: string, count: (text: string) => number): ReturnType<Side['writer']> {
  const echoes = new Echoes();
  const socket = await listen(url, (text) => echoes.heard(count(text)));
  return { write: () => echoes.wait(() => socket.send(UPDATE)) };
}

async function listen(url: string, heard: (text: string) => void): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.on('message', (data) => heard((data as Buffer).toString()));
  await once(socket, 'open');
  return socket;
}

/** RFC 6455, section 5.2: final, text, unmasked. A turn brings few enough updates that two bytes hold every length. */
function textFrame(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const header = size < 126 ? [0x81, size] : [0x81, 126, size >>> 8, size & 0xff];
  return Buffer.concat([Buffer.from(header), Buffer.from(text)]);
}
