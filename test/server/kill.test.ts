// kill -9 under load: a real server process dies thirty times while real clients send, and each time nothing acknowledged is missing,
// nothing is doubled, and the clients' mirrors resume by themselves.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '../../server/connect.ts';
import { random, seedOf } from '../support/random.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KILLS = process.env['LONG'] === undefined ? 30 : 200;
const CLIENTS = 3;
const IN_FLIGHT = 8;

const directory = mkdtempSync(join(tmpdir(), 'lockstep-kill-'));
const machines = join(directory, 'machines.mjs');
writeFileSync(
  machines,
  `import { assign, setup } from ${JSON.stringify(pathToFileURL(join(ROOT, 'node_modules/xstate/dist/xstate.esm.js')).href)};
export const ledger = setup({}).createMachine({
  id: 'ledger', context: { ids: [] },
  on: { ADD: { actions: assign({ ids: ({ context, event }) => [...context.ids, event.id] }) } },
});
`,
);

let child: ChildProcess | undefined;
let port = 0;

async function start(): Promise<void> {
  const started = spawn(process.execPath, [join(ROOT, 'build/dist/cli.js'), 'serve', '--machines', machines], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), DATA: join(directory, 'data') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  let said = '';
  await new Promise<void>((resolve, reject) => {
    started.once('exit', (code) => reject(new Error(`lockstep serve ended with ${code}: ${said}`)));
    started.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    started.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /at http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (found === null) return;
      port = Number(found[1]);
      resolve();
    });
  });
}

async function kill(): Promise<void> {
  const dying = child!;
  const gone = new Promise((resolve) => dying.once('exit', resolve));
  dying.kill('SIGKILL');
  await gone;
}

afterAll(async () => {
  if (child?.exitCode === null && child.signalCode === null) await kill();
  rmSync(directory, { recursive: true, force: true });
});

test(
  `[SRV-10] ${KILLS} times kill -9 under load: nothing acknowledged is missing, nothing doubled, mirrors resume by themselves`,
  { timeout: 600_000 },
  async () => {
    const dice = random(seedOf('kill'));
    await start();
    const peers = await Promise.all(Array.from({ length: CLIENTS }, () => connect(`http://127.0.0.1:${port}`)));
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
          await mirrors[client]!.submit({ type: 'ADD', id });
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
      await kill();
      await start();
    }
    await more(CLIENTS * IN_FLIGHT);
    isRunning = false;
    await Promise.all(lanes);
    expect(failed).toEqual([]);
    const fresh = await peers[0]!.get('book');
    if (!('state' in fresh)) throw new Error('get answered with an image, expected the instance');
    const kept = (fresh.state.context as { ids: string[] }).ids;
    expect(new Set(kept).size).toBe(kept.length);
    const present = new Set(kept);
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([]);
    for (const mirror of mirrors) {
      await mirror.when((snapshot) => (snapshot.context as { ids: string[] }).ids.length === kept.length);
      expect(mirror.digest).toBe(fresh.digest);
    }
    await Promise.all(peers.map((peer) => peer.close()));
  },
);
