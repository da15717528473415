// Starts the trace viewer: a peer of kind tool at the server that this page came from, a collector that fills the model, the page that shows
// it. Opened from a file or with nobody there, it still imports and shows traces.

import { loadCore } from '../../../browser/core.ts';
import { supportPrograms } from '../../../core/programs.ts';
import { browserEnvironment } from '../../../browser/environment.ts';
import { serving } from '../../../browser/serving.ts';
import { dialSocket } from '../../../browser/socket.ts';
import { LockstepError } from '../../../core/errors.ts';
import { Peer } from '../../../peer/peer.ts';
import { Collector } from '../collector.ts';
import { TraceModel } from '../model.ts';
import { Page } from './page.ts';

/** Milliseconds between looks at whether the link is still there; presence alone does not tell of its own end. */
const LOOK_MS = 500;
const SECRET_SIZE = 24;

/** `?server=ws://…` looks at another server than the one that this page came from. */
function serverUrl(): string {
  const given = new URL(location.href).searchParams.get('server');
  if (given !== null) return given;
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
}

function isServer(url: string): boolean {
  return URL.canParse(url) && ['ws:', 'wss:', 'http:', 'https:'].includes(new URL(url).protocol);
}

async function start(): Promise<void> {
  const core = supportPrograms(await loadCore());
  const model = new TraceModel(core);
  const page = new Page(model);
  const url = serverUrl();
  if (!isServer(url)) return page.status(`no server at ${url}: an address begins with ws:// or wss://`, false);
  const environment = browserEnvironment();
  const secret = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_SIZE))));
  const peer = new Peer({
    environment,
    core,
    serving,
    dial: () => dialSocket(url),
    secret,
    name: 'trace viewer',
    kind: 'tool',
    hosts: false,
  });
  const collector = new Collector({ peer, model, changed: () => page.store.touch(), failed: (error) => page.complain(error) });

  const look = (): void => {
    const others = peer.peers().filter(({ kind }) => kind !== 'tool').length;
    page.status(
      peer.isConnected ? `${others} ${others === 1 ? 'peer' : 'peers'} at ${new URL(url).host}` : `no link to ${new URL(url).host}`,
      peer.isConnected,
    );
  };
  setInterval(look, LOOK_MS);
  addEventListener('online', () => peer.reconnectNow());
  try {
    await peer.ready;
    look();
    await collector.start();
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    page.complain(error);
  }
}

void start();
