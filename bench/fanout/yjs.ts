// Yjs, with y-websocket's own server and with Hocuspocus: the number is in a shared map. Both send every update to every reader by itself.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { library } from '../library.ts';
import { attend } from '../process.ts';
import { DOCUMENT, Echoes, INSTANCE, urlOf, type Side } from './side.ts';

interface YDocument {
  getMap(name: string): { set(key: string, value: number | readonly string[]): void };
  on(event: 'update', heard: () => void): void;
}
interface Yjs {
  readonly Doc: new () => YDocument;
}
interface YProvider {
  readonly ws: WebSocket | null;
  on(event: 'sync', heard: (isSynced: boolean) => void): void;
}
interface YClient {
  readonly WebsocketProvider: new (
    url: string,
    room: string,
    document: YDocument,
    options: { readonly WebSocketPolyfill: typeof WebSocket; readonly disableBc: true },
  ) => YProvider;
}
interface YServer {
  setupWSConnection(socket: WebSocket, request: IncomingMessage, options: { readonly docName: string }): void;
}

/** The first bytes of a message that holds one update: y-protocols, messageSync and messageYjsUpdate. */
const Y_UPDATE = [0, 2] as const;

function makeDocument(): YDocument {
  return new (library<Yjs>('yjs')!.Doc)();
}

/** A writer that has put the rest of the 10 KB there, and in whose document the number rises. */
async function writing(document: YDocument, echoes: Echoes): ReturnType<Side['writer']> {
  const map = document.getMap(INSTANCE);
  await echoes.wait(() => map.set('rows', DOCUMENT.rows));
  let total = 0;
  return { write: () => echoes.wait(() => map.set('total', ++total)) };
}

export const yWebsocket: Side = {
  server: async () => {
    const { setupWSConnection } = library<YServer>('y-websocket/bin/utils')!;
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    server.on('connection', (socket, request) => setupWSConnection(socket, request, { docName: INSTANCE }));
    await once(server, 'listening');
    await attend(urlOf(server.address()), { end: () => server.close() });
  },
  writer: async (url) => {
    const { document, provider } = await ySynced(url);
    const echoes = new Echoes();
    provider.ws?.addEventListener('message', ({ data }) => {
      const [kind, what] = new Uint8Array(data as ArrayBuffer, 0, Y_UPDATE.length);
      if (kind === Y_UPDATE[0] && what === Y_UPDATE[1]) echoes.heard(1);
    });
    return writing(document, echoes);
  },
  reader: async (url, audience) => {
    const { document } = await ySynced(url);
    document.on('update', () => audience.more(1));
  },
};

async function ySynced(url: string): Promise<{ readonly document: YDocument; readonly provider: YProvider }> {
  // Each provider listens for the end of the process.
  process.setMaxListeners(0);
  const document = makeDocument();
  const { WebsocketProvider } = library<YClient>('y-websocket')!;
  const provider = new WebsocketProvider(url, INSTANCE, document, { WebSocketPolyfill: WebSocket, disableBc: true });
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()));
  return { document, provider };
}

// ── Hocuspocus ───────────────────────────────────────────────────────────────────────────────────────────────────

interface HocuspocusServer {
  readonly Server: new (options: object) => {
    listen(): Promise<unknown>;
    readonly address: { readonly port: number };
    destroy(): Promise<unknown>;
  };
}
interface HocuspocusProvider {
  attach(): void;
  on(event: 'unsyncedChanges', heard: (changes: { readonly number: number }) => void): void;
}
interface HocuspocusClient {
  readonly HocuspocusProviderWebsocket: new (options: { readonly url: string; readonly WebSocketPolyfill: typeof WebSocket }) => object;
  readonly HocuspocusProvider: new (options: {
    readonly websocketProvider: object;
    readonly name: string;
    readonly document: YDocument;
    readonly onSynced: () => void;
  }) => HocuspocusProvider;
}

export const hocuspocus: Side = {
  server: async () => {
    const { Server } = library<HocuspocusServer>('@hocuspocus/server')!;
    const server = new Server({ port: 0, address: '127.0.0.1', quiet: true, stopOnSignals: false });
    await server.listen();
    await attend(urlOf(server.address as never), { end: () => server.destroy() });
  },
  writer: async (url) => {
    const { document, provider } = await hocuspocusSynced(url);
    const echoes = new Echoes();
    // It counts what the server has not acknowledged.
    let unsynced = 0;
    provider.on('unsyncedChanges', ({ number }) => {
      if (number < unsynced) echoes.heard(unsynced - number);
      unsynced = number;
    });
    return writing(document, echoes);
  },
  reader: async (url, audience) => {
    const { document } = await hocuspocusSynced(url);
    document.on('update', () => audience.more(1));
  },
};

async function hocuspocusSynced(url: string): Promise<{ readonly document: YDocument; readonly provider: HocuspocusProvider }> {
  const { HocuspocusProvider, HocuspocusProviderWebsocket } = library<HocuspocusClient>('@hocuspocus/provider')!;
  const document = makeDocument();
  const provider = await new Promise<HocuspocusProvider>((resolve) => {
    const its: HocuspocusProvider = new HocuspocusProvider({
      websocketProvider: new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket }),
      name: INSTANCE,
      document,
      onSynced: () => resolve(its),
    });
    its.attach();
  });
  return { document, provider };
}
