// kill -9 under load of a server that hosts a relational machine: SQLite, real sockets, faces of mirrors that outlive it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EXECUTED } from '../../core/relational/types.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { connect } from '../../server/connect.ts';
import { ServerProcess } from '../browser/server-process.ts';
import { random, seedOf } from '../support/random.ts';

const KILLS = process.env['LONG'] === undefined ? 8 : 200;
const CLIENTS = 3;
const IN_FLIGHT = 8;

const directory = mkdtempSync(join(tmpdir(), 'lockstep-relational-'));
const rung = join(directory, 'rung.txt');
writeFileSync(rung, '');
const machines = join(directory, 'machines.mjs');
writeFileSync(
  machines,
  `import { appendFileSync } from 'node:fs';
export const bell = {
  dialect: 'relational', id: 'bell',
  states: {
    Hit: { multi: true }, Half: {},
    On: { remove: 'Off' }, Off: { remove: 'On', auto: true },
    Last: { require: 'On', publicArgs: 'by' },
  },
  handlers: {
    HitEnter: ({ args }) => args.ok,
    HitState: ({ args, is }) => appendFileSync(${JSON.stringify(rung)}, \`\${args.id} \${is('Hit')}\\n\`),
  },
};
`,
);
const server = new ServerProcess({}, ['--machines', machines]);

afterAll(async () => {
  await server.remove();
  rmSync(directory, { recursive: true, force: true });
});

test(
  `[REL-31] ${KILLS} times kill -9 under load: no mutation is lost or doubled, no relation broken, and what waits on mirrors waits on`,
  // A kill and a start take seconds on a busy machine.
  { timeout: 120_000 + KILLS * 15_000 },
  async () => {
    const dice = random(seedOf('relational-kill'));
    await server.start();
    const peers = await Promise.all(Array.from({ length: CLIENTS }, () => connect(server.url)));
    await peers[0]!.create('bell', { instance: 'tower' });
    const mirrors = await Promise.all(peers.map((peer) => peer.watch('tower')));
    const faces = mirrors.map((mirror) => new RelationalMirror(mirror));
    const waits = faces.flatMap((face) => [face.when(['On', 'Last']), face.whenArgs('Last', { by: 'the end' }), face.whenNext('Last')]);
    const signals = faces.map((face) => face.stateSignal('Last'));
    const hits: string[] = [];
    let halves = 0;
    let done = 0;
    const failed: unknown[] = [];
    let wanted = 0;
    let reached: (() => void) | undefined;
    let isRunning = true;
    const send = async (client: number, lane: number): Promise<void> => {
      const face = faces[client]!;
      for (let i = 0; isRunning; i++) {
        const id = `${client}.${lane}.${i}`;
        try {
          if (i % 4 === 3) {
            if ((await face.toggle('Half')) === EXECUTED) halves++;
          } else if (i % 4 === 2) await face.toggle('On');
          else if ((await face.add('Hit', { id, ok: i % 8 !== 0 })) === EXECUTED) hits.push(id);
        } catch (error) {
          failed.push(error);
          return;
        }
        if (++done >= wanted) reached?.();
      }
    };
    const more = (count: number): Promise<void> => {
      wanted = done + count;
      return new Promise((resolve) => (reached = resolve));
    };
    const lanes = faces.flatMap((_, client) => Array.from({ length: IN_FLIGHT }, (__, lane) => send(client, lane)));
    for (let round = 0; round < KILLS; round++) {
      await more(20 + dice.below(60));
      await server.kill();
      await server.start();
    }
    await more(CLIENTS * IN_FLIGHT);
    isRunning = false;
    await Promise.all(lanes);
    expect(failed).toEqual([]);
    expect(signals.map(({ aborted }) => aborted)).toEqual(signals.map(() => false));
    await faces[0]!.add('On');
    expect(await faces[1]!.add('Last', { by: 'the end' })).toBe(EXECUTED);
    await Promise.all(waits);
    expect(signals.map(({ aborted }) => aborted)).toEqual(signals.map(() => true));
    // The first hit moves the clock by one, each later one by two; each toggle by one.
    const { seq } = mirrors[1]!;
    await Promise.all(mirrors.map((mirror) => mirror.when(() => mirror.seq >= seq)));
    for (const face of faces) {
      expect([face.tick('Hit'), face.tick('Half')]).toEqual([2 * hits.length - 1, halves]);
      expect([face.is('On'), face.is('Off')]).toEqual([true, false]);
      expect(face.mirror.digest).toBe(mirrors[0]!.digest);
    }
    // Final handlers ran once; those between a step's being durable and the kill never.
    const lines = readFileSync(rung, 'utf8').trimEnd().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    const acknowledged = new Set(hits.map((id) => `${id} true`));
    expect(lines.filter((line) => !acknowledged.has(line))).toEqual([]);
    expect(lines.length).toBeGreaterThan(hits.length - KILLS * CLIENTS * IN_FLIGHT);
    await Promise.all(peers.map((peer) => peer.close()));
  },
);
