// Three kinds of processes: a relay by itself, a server that joined it with --relay, and clients that know the relay only. Each of the
// first two is killed under load and started again, and both together; nothing acknowledged is missing or doubled, nobody is restarted by hand.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { connect, dial } from '../../server/index.ts';
import { CommandProcess } from '../support/command.ts';
import { random, seedOf } from '../support/random.ts';

const machines = fileURLToPath(new URL('../support/ledger.machine.ts', import.meta.url));
const ROUNDS = process.env['LONG'] === undefined ? 2 : 30;
const LANES = 4;

const directory = mkdtempSync(join(tmpdir(), 'lockstep-relay-'));

let relay: CommandProcess;
let server: CommandProcess;
let relayUrl = '';
let serverUrl = '';
const clients: Peer[] = [];

async function startRelay(): Promise<void> {
  relay = new CommandProcess('relay', '--port', relayUrl === '' ? '0' : new URL(relayUrl).port, '--key', 'the key of the relay');
  relayUrl = await relay.until(/relay at (\S+)/);
}

async function startServer(): Promise<void> {
  const data = join(directory, 'data');
  const joining = ['--relay', relayUrl, '--key', 'the key of the relay'];
  server = new CommandProcess('serve', '--machines', machines, '--data', data, '--port', '0', ...joining);
  serverUrl = await server.until(/ at (http:\S+)/);
}

afterAll(async () => {
  await Promise.all(clients.map((peer) => peer.close()));
  await server.kill();
  await relay.kill();
  rmSync(directory, { recursive: true, force: true });
});

const entriesOf = (mirror: Mirror): readonly string[] => (mirror.getSnapshot().context as { readonly entries: readonly string[] }).entries;

/** Clients that never stop sending until told; every event has a name of its own. */
class Load {
  readonly acknowledged: string[] = [];
  readonly failed: unknown[] = [];
  readonly #lanes: readonly Promise<void>[];
  #isRunning = true;
  #wanted = 0;
  #reached: (() => void) | undefined;

  constructor(mirrors: readonly Mirror[]) {
    this.#lanes = mirrors.flatMap((mirror, client) => Array.from({ length: LANES }, (_, lane) => this.#send(mirror, `${client}.${lane}`)));
  }

  async #send(mirror: Mirror, name: string): Promise<void> {
    for (let i = 0; this.#isRunning; i++) {
      const id = `${name}.${i}`;
      try {
        await mirror.submit({ type: 'add', id });
        this.acknowledged.push(id);
      } catch (error) {
        this.failed.push(error);
        return;
      } finally {
        if (this.acknowledged.length >= this.#wanted || this.failed.length > 0) this.#reached?.();
      }
    }
  }

  /** Resolves when so many more were acknowledged. */
  more(count: number): Promise<void> {
    this.#wanted = this.acknowledged.length + count;
    return new Promise((resolve) => (this.#reached = resolve));
  }

  async end(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#lanes);
  }
}

test('[SRV-36] a server joins a relay elsewhere, and clients of the relay reach it both ways', async () => {
  await startRelay();
  await startServer();
  await server.until(/joined the relay/);
  clients.push(await connect(relayUrl, { name: 'one' }), await connect(relayUrl, { name: 'two' }));
  const [one, two] = clients as [Peer, Peer];
  await one.create('ledger', { instance: 'book' });
  const [here, there] = await Promise.all([one.watch('book'), two.watch('book')]);
  expect(await here.submit({ type: 'add', id: 'from one' })).toEqual({ outcome: 'stepped', seq: 2 });
  await there.when(() => entriesOf(there).length === 1);
  expect(await there.submit({ type: 'add', id: 'from two' })).toEqual({ outcome: 'stepped', seq: 3 });
  await here.when(() => entriesOf(here).length === 2);
  expect([entriesOf(here), here.digest]).toEqual([['from one', 'from two'], there.digest]);
  expect(await (await fetch(`${serverUrl}/health`)).json()).toMatchObject({ status: 'ok', survives: 'power', instances: 1 });
  expect(await (await fetch(`${relayUrl}/health`)).json()).toEqual({ status: 'ok', peers: 3 });
  // The server itself takes no sockets then.
  await expect(dial(serverUrl)()).rejects.toMatchObject({ code: 'UNREACHABLE' });
});

test(
  '[SRV-36] relay and server are killed under load and started again: nothing acknowledged is missing or doubled, clients resume by themselves',
  { timeout: 240_000 },
  async () => {
    const dice = random(seedOf('relay alone'));
    const mirrors = await Promise.all(clients.map((peer) => peer.watch('book')));
    const known = entriesOf(mirrors[0]!).length;
    const load = new Load(mirrors);
    const killRelay = async (): Promise<void> => {
      await relay.kill();
      await startRelay();
    };
    const killServer = async (): Promise<void> => {
      await server.kill();
      await startServer();
    };
    const both = async (): Promise<void> => {
      await Promise.all([relay.kill(), server.kill()]);
      // The server comes first and finds no relay yet.
      await startServer();
      await startRelay();
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const fault of [killRelay, killServer, both]) {
        await load.more(10 + dice.below(40));
        expect(load.failed).toEqual([]);
        await fault();
      }
    }
    await load.more(mirrors.length * LANES);
    await load.end();
    expect(load.failed).toEqual([]);
    const fresh = await connect(relayUrl);
    clients.push(fresh);
    const reader = await fresh.watch('book');
    const kept = entriesOf(reader);
    expect(new Set(kept).size).toBe(kept.length);
    expect(load.acknowledged.filter((id) => !kept.includes(id))).toEqual([]);
    expect(kept).toHaveLength(known + load.acknowledged.length);
    for (const mirror of mirrors) {
      await mirror.when(() => entriesOf(mirror).length === kept.length);
      expect([mirror.digest, mirror.standing]).toEqual([reader.digest, 'confirmed']);
    }
  },
);

test('[SRV-36] a relay and its server say goodbye when asked to end, and end with 0', async () => {
  expect(await server.kill('SIGTERM')).toBe(0);
  expect(await relay.kill('SIGTERM')).toBe(0);
});

test('[SRV-36] a server with a key that is not the relay’s ends with the reason; one without a key is told what to say', async () => {
  await startRelay();
  const data = join(directory, 'other');
  const wrong = new CommandProcess('serve', '--machines', machines, '--data', data, '--port', '0', '--relay', relayUrl, '--key', 'a guess');
  await wrong.until(/the key is not the key of this relay/);
  const silent = new CommandProcess('serve', '--machines', machines, '--data', data, '--relay', relayUrl);
  await silent.until(/--relay needs the key that the relay printed: --key KEY/);
  await Promise.all([wrong.kill(), silent.kill()]);
});
