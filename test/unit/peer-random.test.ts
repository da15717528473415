// A world that goes wrong at random: networks fail, the server is killed, disks refuse, everybody talks at once. When it is over, every
// replica is equal, what was acknowledged is there exactly once, and what was refused is not there. `SEED=n` replays one run.

import { describe, expect, test } from 'vitest';
import type { LockstepError } from '../../core/errors.ts';
import type { Mirror } from '../../peer/mirror.ts';
import type { Peer } from '../../peer/peer.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { HeldJournal, World } from '../support/world.ts';

const SEEDS = process.env['SEED'] === undefined ? Array.from({ length: 12 }, (_, i) => i + 1) : [Number(process.env['SEED'])];
const CLIENTS = ['alice', 'bob', 'carol'];
const ACTIONS = 250;

interface Told {
  readonly acknowledged: string[];
  readonly refused: string[];
  open: number;
}

/** Names stand for events: each is sent once. */
function say(mirror: Mirror, name: string, told: Told): void {
  told.open++;
  mirror.submit({ type: 'NAME', name }).then(
    () => {
      told.open--;
      told.acknowledged.push(name);
    },
    (error: LockstepError) => {
      told.open--;
      // Only a failed write refuses a name here; a timed-out or closed road never does.
      if (error.code !== 'STORAGE') throw error;
      told.refused.push(name);
    },
  );
}

class Server {
  readonly #world: World;
  readonly #disk = new MemoryJournal();
  journal: HeldJournal;
  peer: Peer | undefined;

  constructor(world: World) {
    this.#world = world;
    this.journal = new HeldJournal(this.#disk);
  }

  async start(): Promise<void> {
    this.journal = new HeldJournal(this.#disk);
    this.peer = await this.#world.server({ journal: this.journal });
  }

  /** As kill -9: no goodbye, and what was on its way to the disk never arrives. */
  kill(): void {
    if (this.peer === undefined) return;
    this.journal.isHolding = true;
    this.#world.network('secret-of-the-server').cut();
    const killed = this.peer;
    this.peer = undefined;
    killed.close().catch(() => undefined);
  }
}

async function run(seed: number): Promise<void> {
  const world = new World(seed);
  const dice = (sides: number): number => world.environment.random() % sides;
  const server = new Server(world);
  await server.start();
  const peers: Peer[] = [];
  for (const name of CLIENTS) peers.push(await world.peer(name));
  await world.get(peers[0]!.create('door', { instance: 'front' }));
  const mirrors: Mirror[] = [];
  for (const peer of peers) mirrors.push(await world.get(peer.watch('front', world.door)));
  const told: Told = { acknowledged: [], refused: [], open: 0 };
  for (let i = 0; i < ACTIONS; i++) {
    const who = dice(CLIENTS.length);
    const mirror = mirrors[who]!;
    switch (dice(16)) {
      case 0:
        world.network(CLIENTS[who]!).cut();
        break;
      case 1:
      case 2:
        world.network(CLIENTS[who]!).mend();
        peers[who]!.reconnectNow();
        break;
      case 3:
        server.kill();
        break;
      case 4:
      case 5:
        if (server.peer === undefined) await server.start();
        break;
      case 6:
        server.journal.isHolding = true;
        break;
      case 7:
        if (server.peer !== undefined) server.journal.release();
        break;
      case 8:
        if (server.peer !== undefined) server.journal.failHeld();
        break;
      case 9:
        await world.advance(dice(3_000));
        break;
      case 10:
        mirror.send({ type: dice(2) === 0 ? 'OPEN' : 'CLOSE' });
        break;
      default:
        for (let k = dice(4); k >= 0; k--) say(mirror, `${CLIENTS[who]}${i}.${k}`, told);
    }
    for (let turns = dice(12); turns > 0; turns--) await world.environment.turn();
  }
  for (const name of CLIENTS) world.network(name).mend();
  if (server.peer === undefined) await server.start();
  server.journal.release();
  await world.advance(60_000);

  const [first, ...others] = mirrors;
  const described = await world.get(server.peer!.get('front'));
  expect(told.open).toBe(0);
  expect('state' in described && described.state.context).toEqual(first!.getSnapshot().context);
  for (const mirror of mirrors) expect([mirror.standing, mirror.unconfirmedCount]).toEqual(['confirmed', 0]);
  for (const mirror of others) {
    expect(mirror.seq).toBe(first!.seq);
    expect(mirror.getSnapshot().toJSON()).toEqual(first!.getSnapshot().toJSON());
  }
  const { names } = first!.getSnapshot().context as { names: string[] };
  expect([...names].sort()).toEqual([...told.acknowledged].sort());
  expect(names.filter((name) => told.refused.includes(name))).toEqual([]);
  // Every client's own events stand in the order in which it sent them.
  for (const client of CLIENTS) {
    const own = names.filter((name) => name.startsWith(client)).map((name) => Number(name.slice(client.length).split('.')[0]));
    expect(own).toEqual([...own].sort((a, b) => a - b));
  }
  expect(world.reported.filter(([, message]) => message.includes('diverged'))).toEqual([]);
}

describe('anything may go wrong', () => {
  test.each(SEEDS)(
    '[SYNC-3] nothing acknowledged is lost or doubled, nothing refused appears, all replicas end equal (SEED=%i)',
    async (seed) => {
      await run(seed);
    },
  );
});
