// kill -9 under load: a real server process dies thirty times while real clients send, and each time nothing acknowledged is missing,
// nothing is doubled, and the clients' mirrors resume by themselves.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../../server/connect.ts';
import { CommandProcess } from '../support/command.ts';
import { random, seedOf } from '../support/random.ts';

const machines = fileURLToPath(new URL('../support/ledger.machine.ts', import.meta.url));
const KILLS = process.env['LONG'] === undefined ? 30 : 200;
const CLIENTS = 3;
const IN_FLIGHT = 8;

const directory = mkdtempSync(join(tmpdir(), 'lockstep-kill-'));

let server: CommandProcess;
let url = '';

async function start(): Promise<void> {
  const port = url === '' ? '0' : new URL(url).port;
  server = new CommandProcess('serve', '--machines', machines, '--data', join(directory, 'data'), '--port', port);
  url = await server.until(/ at (http:\S+)/);
}

afterAll(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

test(
  `[SRV-10] ${KILLS} times kill -9 under load: nothing acknowledged is missing, nothing doubled, mirrors resume by themselves`,
  { timeout: 600_000 },
  async () => {
    const dice = random(seedOf('kill'));
    await start();
    const peers = await Promise.all(Array.from({ length: CLIENTS }, () => connect(url)));
    await peers[0]!.create('ledger', { instance: 'book' });
    const mirrors = await Promise.all(peers.map((peer) => peer.watch('book')));
    const acknowledged: string[] = [];
    const failed: unknown[] = [];
    let wanted = 0;
    let reached: (() => void) | undefined;
    let isRunning = true;
    const send = async (client: number, lane: number): Promise<void> => {
      for (let i = 0; isRunning; i++) {
        const id = `${client}.${lane}.${i}`;
        try {
          await mirrors[client]!.submit({ type: 'add', id });
          acknowledged.push(id);
        } catch (error) {
          failed.push(error);
          return;
        }
        if (acknowledged.length >= wanted) reached?.();
      }
    };
    const more = (count: number): Promise<void> => {
      wanted = acknowledged.length + count;
      return new Promise((resolve) => (reached = resolve));
    };
    const lanes = mirrors.flatMap((_, client) => Array.from({ length: IN_FLIGHT }, (__, lane) => send(client, lane)));
    for (let round = 0; round < KILLS; round++) {
      await more(20 + dice.below(60));
      await server.kill();
      await start();
    }
    await more(CLIENTS * IN_FLIGHT);
    isRunning = false;
    await Promise.all(lanes);
    expect(failed).toEqual([]);
    const fresh = await peers[0]!.get('book');
    if (!('state' in fresh)) throw new Error('get answered with an image, expected the instance');
    const kept = (fresh.state.context as { readonly entries: readonly string[] }).entries;
    expect(new Set(kept).size).toBe(kept.length);
    const present = new Set(kept);
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
    for (const mirror of mirrors) {
      await mirror.when((snapshot) => (snapshot.context as { readonly entries: readonly string[] }).entries.length === kept.length);
      expect(mirror.digest).toBe(fresh.digest);
    }
    await Promise.all(peers.map((peer) => peer.close()));
  },
);
