// What a conversation weighs: all bytes of both directions on a mirror's one connection, from the TCP handshake on, HTTP upgrade and
// WebSocket framing included, counted by a proxy between the two. The tests of asyncmachine's own traffic, as ours: the handshake and 501
// mutations by the mirror, each awaited before the next; and 1,001 changes elsewhere, each pushed to it by itself. The peer's figure is the
// lower end of the bound that its test asserts (pkg/rpc/rpc_test.go: TestAddMany, TestHighInstantClocks). The mirror has the machine's
// definition, as theirs has the schema. Nothing is timed, so that one run is enough.

import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { setup } from 'xstate';
import { connect } from '../server/connect.ts';
import { MemoryJournal, serve } from '../server/index.ts';
import type { Encoding } from '../peer/wire.ts';
import type { Effort, Row } from './measure.ts';

const MUTATIONS = 501;
const PUSHES = 1_001;
const INSTANCE = 'c';

/** One state that every event enters again: two ticks, as a state of theirs that may be added many times. */
const machine = setup({}).createMachine({
  id: 'counter',
  initial: 'C',
  states: { C: { on: { ADD: { target: 'C', reenter: true } } } },
});

const ROWS = [
  { name: 'bytes/mutations', encoding: 'packed', theirs: 20_000, run: mutations },
  { name: 'bytes/mutations-json', encoding: 'json', theirs: 20_000, run: mutations },
  { name: 'bytes/pushes', encoding: 'packed', theirs: 48_000, run: pushes },
  { name: 'bytes/pushes-json', encoding: 'json', theirs: 48_000, run: pushes },
] as const;

export async function run(_: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, encoding, theirs, run: count } of ROWS) {
    const ours = await count(encoding);
    rows.push({ name, unit: 'bytes', ours, against: { asyncmachine: { value: theirs, ratio: theirs / ours } } });
  }
  return rows;
}

async function mutations(encoding: Encoding): Promise<number> {
  return measured(encoding, async ({ mirror }) => {
    for (let i = 0; i < MUTATIONS; i++) await mirror.submit({ type: 'ADD' });
  });
}

async function pushes(encoding: Encoding): Promise<number> {
  return measured(encoding, async ({ mirror, elsewhere }) => {
    for (let i = 0; i < PUSHES; i++) {
      const seen = mirror.seq;
      await elsewhere.submit({ type: 'ADD' });
      // Each by itself: the next one waits until this one is here.
      while (mirror.seq === seen) await new Promise((resolve) => setImmediate(resolve));
    }
  });
}

type Mirror = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['watch']>>;

/** @returns the bytes on the mirror's connection until `act` is done. */
async function measured(
  encoding: Encoding,
  act: (at: { readonly mirror: Mirror; readonly elsewhere: Mirror }) => Promise<void>,
): Promise<number> {
  const server = await serve({ machines: { counter: machine }, port: 0, journal: new MemoryJournal() });
  const meter = await Meter.before(server.url);
  await server.create('counter', INSTANCE);
  const other = await connect(server.url);
  const elsewhere = await other.watch(INSTANCE);
  const peer = await connect(meter.url, { machines: { counter: machine }, encoding, presence: false, hosts: false });
  const mirror = await peer.watch(INSTANCE);
  await act({ mirror, elsewhere });
  const { bytes } = meter;
  await Promise.all([peer.close(), other.close()]);
  meter.close();
  await server.close();
  return bytes;
}

/** A port that leads to a server, and counts what goes through it. */
class Meter {
  bytes = 0;
  readonly #proxy: Server;
  readonly #sockets = new Set<Socket>();

  static async before(url: string): Promise<Meter> {
    const meter = new Meter(Number(new URL(url).port));
    meter.#proxy.listen(0, '127.0.0.1');
    await once(meter.#proxy, 'listening');
    return meter;
  }

  private constructor(port: number) {
    this.#proxy = createServer((near) => {
      const far = connectTcp(port, '127.0.0.1');
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (data) => {
      this.bytes += data.length;
      to.write(data);
    });
    from.on('close', () => to.destroy());
    from.on('error', () => undefined); // `close` follows.
  }

  close(): void {
    this.#proxy.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
