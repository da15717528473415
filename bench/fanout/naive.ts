// What one builds in an afternoon: json-rpc-2.0 both ways, a document under fast-json-patch's `observe`, and a `notify` with the patch for
// each client by itself.

import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { library } from '../library.ts';
import { attend } from '../process.ts';
import { DOCUMENT, Echoes, urlOf, type Side } from './side.ts';

interface Rpc {
  addMethod(name: string, method: (params: never) => unknown): void;
  notify(method: string, params: unknown): void;
  receiveAndSend(payload: unknown): Promise<void>;
}
interface RpcLibrary {
  readonly JSONRPCClient: new (send: (payload: unknown) => void) => object;
  readonly JSONRPCServer: new () => object;
  readonly JSONRPCServerAndClient: new (server: object, client: object) => Rpc;
}
interface PatchLibrary {
  observe(document: object): object;
  generate(observer: object): readonly object[];
  applyPatch(document: object, patch: readonly object[]): void;
}

function rpc(socket: WebSocket): Rpc {
  const { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } = library<RpcLibrary>('json-rpc-2.0')!;
  const client = new JSONRPCClient((payload) => socket.send(JSON.stringify(payload)));
  const both = new JSONRPCServerAndClient(new JSONRPCServer(), client);
  socket.on('message', (data) => void both.receiveAndSend(JSON.parse((data as Buffer).toString())));
  return both;
}

async function client(url: string, patched: () => void): Promise<Rpc> {
  const { applyPatch } = library<PatchLibrary>('fast-json-patch')!;
  const socket = new WebSocket(url);
  const both = rpc(socket);
  let document = {};
  both.addMethod('state', (state: object) => (document = state));
  both.addMethod('patch', (patch: readonly object[]) => {
    applyPatch(document, patch);
    patched();
  });
  await once(socket, 'open');
  return both;
}

export const naive: Side = {
  server: async () => {
    const { observe, generate } = library<PatchLibrary>('fast-json-patch')!;
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    const document = { ...DOCUMENT };
    const observer = observe(document);
    const clients = new Set<Rpc>();
    server.on('connection', (socket) => {
      const each = rpc(socket);
      clients.add(each);
      socket.on('close', () => clients.delete(each));
      each.notify('state', document);
      each.addMethod('add', ({ by }: { readonly by: number }) => {
        document.total += by;
        const patch = generate(observer);
        for (const other of clients) other.notify('patch', patch);
      });
    });
    await once(server, 'listening');
    await attend(urlOf(server.address()), { end: () => server.close() });
  },
  writer: async (url) => {
    const echoes = new Echoes();
    const both = await client(url, () => echoes.heard(1));
    return { write: () => echoes.wait(() => both.notify('add', { by: 1 })) };
  },
  reader: async (url, audience) => {
    await client(url, () => audience.more(1));
  },
};
