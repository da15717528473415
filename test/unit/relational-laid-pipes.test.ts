// Pipes that are actors of states: laid while their state is active, and again behind a restart.

import { fromCallback } from 'xstate';
import { expect, test } from 'vitest';
import { xstateActors } from '../../compiler/actors.ts';
import { bind, sync } from '../../core/relational/pipes.ts';
import { layBetween } from '../../peer/laid-pipes.ts';
import type { Peer } from '../../peer/peer.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { World } from '../support/world.ts';

const sensor = { dialect: 'relational', id: 'sensor', states: { Alarm: {}, Low: {} } } as const;

function serve(world: World, journal: MemoryJournal, problems: unknown[] = []): Promise<Peer> {
  const wired = (state: string): ReturnType<typeof fromCallback> =>
    fromCallback(() =>
      layBetween(server, {
        source: 'sensor',
        target: 'panel',
        lay: (from, to) => {
          const pipe = bind(from, to, { state });
          sync(from, to, { states: [state] });
          return pipe;
        },
        failed: (error) => void problems.push(error),
      }),
    );
  const panel = {
    dialect: 'relational',
    id: 'panel',
    states: { Alarm: {}, Wired: {}, Wrong: {} },
    actors: { Wired: { src: wired('Alarm') }, Wrong: { src: wired('Low') } },
  };
  const server: Promise<Peer> = world.server({
    journal,
    machines: { sensor: { definition: sensor }, panel: { definition: panel } },
    actors: xstateActors({ timer: (delayMs, callback) => world.environment.timer(delayMs, callback) }),
  });
  return server;
}

async function setting(): Promise<{ world: World; journal: MemoryJournal; server: Peer; from: RelationalMirror; to: RelationalMirror }> {
  const world = new World();
  const journal = new MemoryJournal();
  const server = await serve(world, journal);
  const client = await world.peer('alice');
  await world.get(client.create('panel', { instance: 'panel' }));
  const to = new RelationalMirror(await world.get(client.watch('panel')));
  // Laid before its source is there.
  await world.get(to.add('Wired'));
  await world.get(client.create('sensor', { instance: 'sensor' }));
  await world.advance(30_000);
  return { world, journal, server, from: new RelationalMirror(await world.get(client.watch('sensor'))), to };
}

test('[REL-41] a pipe that is an actor of a state is laid while it is active, waits for its source, and ends with it', async () => {
  const { world, from, to } = await setting();
  await world.get(from.add('Alarm'));
  await world.settle();
  expect(to.is('Alarm')).toBe(true);
  await world.get(to.remove('Wired'));
  await world.get(from.remove('Alarm'));
  await world.settle();
  expect(to.is('Alarm')).toBe(true);
  // What is so when it is laid again is so there, too.
  await world.get(to.add('Wired'));
  await world.settle();
  expect(to.is('Alarm')).toBe(false);
});

test('[REL-41] an authority that comes back lays it again, and makes good what had not arrived', async () => {
  const { world, journal, server, from, to } = await setting();
  await world.get(from.add('Alarm'));
  await world.settle();
  await world.get(to.remove('Alarm'));
  await world.get(server.close());
  await serve(world, journal);
  await world.advance(60_000);
  expect([to.is('Alarm'), to.is('Wired')]).toEqual([true, true]);
  await world.get(from.remove('Alarm'));
  await world.settle();
  expect([from.is('Alarm'), to.is('Alarm')]).toEqual([false, false]);
});

test('[REL-41] why it cannot be laid is told, and ends nothing else', async () => {
  const world = new World();
  const problems: unknown[] = [];
  await serve(world, new MemoryJournal(), problems);
  const client = await world.peer('alice');
  for (const name of ['sensor', 'panel']) await world.get(client.create(name, { instance: name }));
  const to = new RelationalMirror(await world.get(client.watch('panel')));
  await world.get(to.add('Wrong'));
  await world.settle();
  expect(problems).toMatchObject([{ code: 'BAD_PARAMS', message: 'panel has no state "Low"' }]);
  expect(to.is('Wrong')).toBe(true);
});
