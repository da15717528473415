// Colyseus 0.18, which tells everyone of every message as soon as it is handled (`broadcastPatch`): its default of 20 patches a second would
// be another kind of system. It runs on Node 22, which it asks for.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { library } from '../library.ts';
import { attend } from '../process.ts';
import { DOCUMENT, Echoes, INSTANCE, urlOf, type Side } from './side.ts';

interface State {
  total: number;
  readonly rows: { push(row: string): void };
}
interface Room {
  state: State;
  patchRate: number | null;
  onMessage(type: string, heard: (client: unknown, by: number) => void): void;
  broadcastPatch(): void;
}
interface Core {
  readonly Server: new (options: object) => {
    define(name: string, room: unknown): void;
    listen(port: number, host: string): Promise<void>;
  };
  readonly Room: new () => Room;
}
interface Transport {
  readonly WebSocketTransport: new (options: object) => object;
}
interface SchemaLibrary {
  schema(fields: object, name: string): new () => State;
  readonly t: { number(): object; array(of: string): object };
}
interface ClientRoom {
  send(type: string, by: number): void;
  onStateChange(heard: () => void): void;
}
interface Sdk {
  readonly Client: new (url: string) => { joinOrCreate(name: string): Promise<ClientRoom> };
}

export const colyseus: Side = {
  server: async () => {
    const { Server, Room } = library<Core>('@colyseus/core')!;
    const { WebSocketTransport } = library<Transport>('@colyseus/ws-transport')!;
    const { schema, t } = library<SchemaLibrary>('@colyseus/schema')!;
    const Board = schema({ total: t.number(), rows: t.array('string') }, 'Board');
    class BoardRoom extends Room {
      onCreate(): void {
        this.patchRate = null;
        this.state = new Board();
        this.state.total = DOCUMENT.total;
        for (const row of DOCUMENT.rows) this.state.rows.push(row);
        this.onMessage('add', (_, by) => {
          this.state.total += by;
          this.broadcastPatch();
        });
      }
    }
    const transport = new WebSocketTransport({ pingInterval: 0 });
    const server = new Server({ transport, greet: false, gracefullyShutdown: false });
    server.define(INSTANCE, BoardRoom);
    const port = await freePort();
    await server.listen(port, '127.0.0.1');
    await attend(urlOf({ port } as never), { end: () => undefined });
  },
  writer: async (url) => {
    const echoes = new Echoes();
    const room = await join(url, () => echoes.heard(1));
    return { write: () => echoes.wait(() => room.send('add', 1)) };
  },
  reader: async (url, audience) => {
    await join(url, () => audience.more(1));
  },
};

/** Resolves with the first state, which is no update. */
async function join(url: string, heard: () => void): Promise<ClientRoom> {
  const { Client } = library<Sdk>('@colyseus/sdk')!;
  const room = await new Client(url).joinOrCreate(INSTANCE);
  await new Promise<void>((resolve) => {
    let isHere = false;
    room.onStateChange(() => {
      if (isHere) heard();
      isHere = true;
      resolve();
    });
  });
  return room;
}

/** It does not say which port it got for 0. */
async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { readonly port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
