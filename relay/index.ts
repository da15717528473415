// A relay by itself: connects peers that cannot listen, and a server that runs elsewhere. Public entry `lockstep/relay`.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { nodeEnvironment } from './environment.ts';
import { Gate } from './gate.ts';
import { Hub } from './hub.ts';
import { identify } from './identify.ts';
import type { Authenticate } from './introduction.ts';
import { listen, unlisten } from './listen.ts';
import { serveSockets } from './socket.ts';

export { Hub, type HubOptions } from './hub.ts';
export { identify } from './identify.ts';
export type { Authenticate, Introduction } from './introduction.ts';
export { dial } from './socket.ts';

export interface RelayOptions {
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** 7400 unless given; 0 lets the system choose. */
  readonly port?: number;
  /** Whoever presents it is the server of this relay; made up unless given. */
  readonly key?: string;
  /** Origins of pages that may connect besides those of this host, e.g. `https://app.example`. */
  readonly origins?: readonly string[];
  /** Who a peer is, from its `hello`: what it returns is told to the server alone; what it throws refuses the peer. Anonymous unless given. */
  readonly authenticate?: Authenticate;
}

export interface Relay {
  readonly url: string;
  readonly key: string;
  close(): Promise<void>;
}

/** Runs a relay until it is closed. @throws LockstepError UNREACHABLE when the port cannot be had, BAD_PARAMS when an origin is none. */
export async function relay(options: RelayOptions = {}): Promise<Relay> {
  const { host = '127.0.0.1', port = 7400, key = randomBytes(18).toString('base64url'), origins = [] } = options;
  const gate = new Gate({ host, origins });
  const { authenticate } = options;
  const hub = new Hub({ environment: nodeEnvironment, identify, key, ...(authenticate === undefined ? {} : { authenticate }) });
  const http = createServer((request, response) => {
    const refusal = gate.refusal({ host: request.headers.host });
    const isHealth = refusal === undefined && request.url === '/health';
    response.writeHead(refusal !== undefined ? 403 : isHealth ? 200 : 404, { 'Content-Type': 'application/json; charset=utf-8' });
    const error = {
      error: { code: refusal === undefined ? 'NOT_FOUND' : 'FORBIDDEN', message: refusal ?? 'a relay answers GET /health and WebSockets' },
    };
    response.end(`${JSON.stringify(isHealth ? { status: 'ok', peers: hub.peers().length } : error)}\n`);
  });
  const endSockets = serveSockets({
    http,
    gate,
    accept: (link) => {
      hub.attach(link);
    },
  });
  const url = await listen(http, host, port);
  return {
    url,
    key,
    close: async () => {
      hub.close();
      await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
      endSockets();
      await unlisten(http);
    },
  };
}

/** Milliseconds for the goodbyes to leave before the sockets are cut. */
const GOODBYE_MS = 50;
