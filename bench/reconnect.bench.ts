// How long 1,000 mirrors take to be in step again after their relay was restarted, beside 1,000 bare WebSockets that only connect again.
// From the moment at which the relay listens again: the server behind it comes back, then every mirror dials, says who it is, watches its
// instance from where it was and is let into its room. On both sides so many dial at once and nobody waits for a timer: the wait that keeps
// a crowd apart is not what is measured. Relay and server are processes of their own, and so are the clients. Rounds of both in turns.

import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMachine } from 'xstate';
import { WebSocket, WebSocketServer } from 'ws';
import * as packed from '../peer/codec-packed.ts';
import { relay, type Relay } from '../relay/index.ts';
import { binding } from '../peer/binding.ts';
import { serving } from '../peer/serving.ts';
import { dial, loadCore, MemoryJournal, nodeEnvironment, Peer, serve } from '../server/index.ts';
import { now, urlOf } from './fanout/side.ts';
import { median, QUICK, type Effort, type Row } from './measure.ts';
import { attend, Helper, keepInFlight } from './process.ts';

const CLIENTS = 1_000;
/** Dialing at once; the queue of connections that a port keeps is longer. */
const AT_ONCE = 100;
/** Restarts in which nothing counts yet: code is compiled in them. */
const WARM_ROUNDS = 12;
const INSTANCE = 'lamp';
const KEY = 'the key of the bench';

const lamp = createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { TOGGLE: 'on' } }, on: { on: { TOGGLE: 'off' } } } });

/** What one restart took. */
interface Restart {
  /** Until every client was in step again, or every bare socket open. */
  readonly wallMs: number;
  /** CPU of the relay and of the server behind it; of bare sockets there is one server. */
  readonly servingSeconds: number;
  /** CPU of the process in which all clients are. */
  readonly clientSeconds: number;
}

const MEASURES: readonly { readonly name: string; readonly unit: string; readonly of: (restart: Restart) => number }[] = [
  { name: 'wall', unit: `ms until ${CLIENTS} are in step again`, of: ({ wallMs }) => wallMs },
  { name: 'server', unit: 'CPU us per client, relay and server', of: ({ servingSeconds }) => (servingSeconds * 1e6) / CLIENTS },
  { name: 'client', unit: 'CPU us per client, clients', of: ({ clientSeconds }) => (clientSeconds * 1e6) / CLIENTS },
];

export async function run(effort: Effort): Promise<Row[]> {
  const rounds = effort === QUICK ? 3 : 9;
  const ours = await start('ours');
  const bare = await start('bare');
  try {
    for (let round = 0; round < WARM_ROUNDS; round++) for (const side of [ours, bare]) await side.restart();
    const found: { ours: Restart; bare: Restart }[] = [];
    for (let round = 0; round < rounds; round++) found.push({ ours: await ours.restart(), bare: await bare.restart() });
    return MEASURES.map(({ name, unit, of }) => ({
      name: `reconnect/${name}`,
      unit,
      ours: median(found.map(({ ours }) => of(ours))),
      against: {
        'bare ws': {
          value: median(found.map(({ bare }) => of(bare))),
          ratio: median(found.map(({ ours, bare }) => of(bare) / of(ours))),
        },
      },
    }));
  } finally {
    for (const side of [ours, bare]) await side.end();
  }
}

async function start(side: 'ours' | 'bare') {
  const { helper: relay, said: url } = await Helper.start(['reconnect', side, 'relay']);
  const server = side === 'ours' ? (await Helper.start(['reconnect', side, 'server', String(url)])).helper : undefined;
  const { helper: clients } = await Helper.start(['reconnect', side, 'clients', String(url)]);
  const serving = server === undefined ? [relay] : [relay, server];
  const servingSeconds = async (): Promise<number> => {
    let sum = 0;
    for (const each of serving) sum += await each.cpuSeconds();
    return sum;
  };
  return {
    restart: async (): Promise<Restart> => {
      await clients.ask('hold');
      await relay.ask('close');
      await clients.ask('gone');
      await relay.ask('open');
      const before = { serving: await servingSeconds(), clients: await clients.cpuSeconds() };
      const began = now();
      await server?.ask('back');
      await clients.ask('back');
      const wallMs = now() - began;
      return {
        wallMs,
        servingSeconds: (await servingSeconds()) - before.serving,
        clientSeconds: (await clients.cpuSeconds()) - before.clients,
      };
    },
    end: async () => {
      for (const each of [clients, server, relay]) await each?.end();
    },
  };
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────

export async function child([side, role, url = '']: readonly string[]): Promise<void> {
  if (role === 'relay') await (side === 'ours' ? ourRelay() : bareRelay());
  else if (role === 'server') await ourServer(url);
  else await (side === 'ours' ? ourClients(url) : bareClients(url));
}

async function ourRelay(): Promise<never> {
  let its: Relay = await relay({ port: 0, key: KEY });
  const port = Number(new URL(its.url).port);
  return attend(its.url, {
    answer: async (question) => {
      if (question === 'close') await its.close();
      else its = await relay({ port, key: KEY });
      return question;
    },
    end: () => undefined,
  });
}

async function ourServer(url: string): Promise<never> {
  const server = await serve({ machines: { lamp }, journal: new MemoryJournal(), relay: { url, key: KEY }, port: 0 });
  await server.peer.ready;
  await server.create('lamp', INSTANCE);
  return attend('ready', {
    answer: async (question) => {
      while (!server.peer.isConnected) {
        server.peer.reconnectNow();
        await new Promise((resolve) => setImmediate(resolve));
      }
      return question;
    },
    end: () => undefined,
  });
}

/** Lets so many through at once, or nobody. */
class Gate {
  #free = AT_ONCE;
  #isOpen = true;
  #waiting: (() => void)[] = [];

  async pass<T>(action: () => Promise<T>): Promise<T> {
    while (!this.#isOpen || this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#free--;
    try {
      return await action();
    } finally {
      this.#free++;
      this.#waiting.shift()?.();
    }
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

async function ourClients(url: string): Promise<never> {
  const gate = new Gate();
  const core = await loadCore();
  const reach = dial(url);
  const peers = Array.from(
    { length: CLIENTS },
    (_, i) =>
      new Peer({
        environment: nodeEnvironment,
        core,
        serving,
        binding,
        packed: () => packed,
        // Everyone would be told of everyone.
        presence: false,
        dial: () => gate.pass(reach),
        secret: `client ${i} of the bench`,
      }),
  );
  const mirrors = await Promise.all(peers.map((peer) => peer.watch(INSTANCE, undefined, { isPatient: true })));
  const all = (isThere: boolean): Promise<unknown> =>
    Promise.all(
      mirrors.map(
        (mirror) =>
          new Promise<void>((resolve) => {
            const look = (): void => {
              if ((mirror.standing !== 'offline') !== isThere) return;
              subscription.unsubscribe();
              resolve();
            };
            const subscription = mirror.onStanding(look);
            look();
          }),
      ),
    );
  await all(true);
  return attend('ready', {
    answer: async (question) => {
      if (question === 'hold') gate.isOpen = false;
      if (question === 'gone') await all(false);
      if (question !== 'back') return question;
      gate.isOpen = true;
      const back = all(true);
      for (const peer of peers) peer.reconnectNow();
      await back;
      return question;
    },
    end: () => undefined,
  });
}

// ── Bare sockets ─────────────────────────────────────────────────────────────────────────────────────────────────

async function bareRelay(): Promise<never> {
  let http: HttpServer;
  let sockets: WebSocketServer;
  const open = async (port: number): Promise<void> => {
    http = createServer();
    sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
    http.listen(port, '127.0.0.1');
    await once(http, 'listening');
  };
  await open(0);
  const { port } = http!.address() as AddressInfo;
  return attend(urlOf({ port } as AddressInfo), {
    answer: async (question) => {
      if (question === 'open') await open(port);
      else {
        for (const socket of sockets.clients) socket.terminate();
        sockets.close();
        const closed = once(http, 'close');
        http.close();
        await closed;
      }
      return question;
    },
    end: () => undefined,
  });
}

async function bareClients(url: string): Promise<never> {
  let sockets: WebSocket[] = [];
  const connect = async (): Promise<void> => {
    sockets = [];
    await keepInFlight(CLIENTS, AT_ONCE, async () => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      sockets.push(socket);
      await once(socket, 'open');
    });
  };
  await connect();
  return attend('ready', {
    answer: async (question) => {
      if (question === 'gone')
        await Promise.all(sockets.map((socket) => (socket.readyState === WebSocket.CLOSED ? undefined : once(socket, 'close'))));
      if (question === 'back') await connect();
      return question;
    },
    end: () => undefined,
  });
}
