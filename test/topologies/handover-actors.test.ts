// What becomes of the actors of an instance that is handed over: those of a step that is being written while it is decided who orders the
// instance run in one place, and a family of instances stays together.

import { expect, test } from 'vitest';
import { fromPromise } from 'xstate';
import { xstateActors } from '../../compiler/actors.ts';
import type { RelationalConfig } from '../../compiler/index.ts';
import type { Peer } from '../../peer/peer.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { HeldJournal, World } from '../support/world.ts';

/** A shop that loads while a state is active, and has an assistant while another one is. @param loads is told where something loads. */
function shop(loads: string[], at: string): RelationalConfig {
  return {
    dialect: 'relational',
    id: 'shop',
    states: { Loading: { remove: ['Loaded'] }, Loaded: { remove: ['Loading'] }, Assisted: {} },
    actors: {
      Loading: { src: fromPromise(() => (loads.push(at), new Promise(() => undefined))), done: 'Loaded' },
      Assisted: { src: { dialect: 'relational', id: 'assistant', states: { Start: {} } } },
    },
  };
}

/** alice orders a shop, bob may. */
async function shops() {
  const world = new World();
  const loads: string[] = [];
  const held = new HeldJournal(new MemoryJournal());
  const orderer = (name: string, journal = new MemoryJournal() as HeldJournal | MemoryJournal): Promise<Peer> =>
    world.peer(name, {
      machines: { shop: { definition: shop(loads, name) } },
      actors: xstateActors(world.environment),
      trusts: () => true,
      journal,
    });
  const alice = await orderer('alice', held);
  await orderer('bob');
  const carol = await world.peer('carol');
  await world.get(alice.host('shop', 'shop'));
  const face = new RelationalMirror(await world.get(carol.watch('alice/shop')));
  return { world, loads, held, alice, face };
}

/** A step that starts an actor is being written while the instance is handed over. */
async function handedWhileWritten() {
  const { world, loads, held, alice, face } = await shops();
  held.isHolding = true;
  const added = face.add('Loading');
  await world.settle();
  const handing = alice.handOver('alice/shop', 'bob');
  await world.settle();
  return { world, loads, held, face, added, handing };
}

test('[TOPO-16] actors of a step that was being written when a hand-over began start when it fails, once', async () => {
  const { world, loads, held, face, added, handing } = await handedWhileWritten();
  world.network('bob').cut();
  held.release();
  expect(await world.refusal(handing)).toBe('UNREACHABLE');
  await world.get(added);
  await world.settle();
  expect([loads, face.is('Loading')]).toEqual([['alice'], true]);
});

test('[TOPO-16] and only where the instance goes when it succeeds', async () => {
  const { world, loads, held, face, added, handing } = await handedWhileWritten();
  held.release();
  await world.get(handing);
  await world.get(added);
  await world.settle();
  expect([loads, face.is('Loading')]).toEqual([['bob'], true]);
});

test('[TOPO-16] a family of instances is not handed over, and goes on', async () => {
  const { world, alice, face } = await shops();
  await world.get(face.add('Assisted'));
  expect(await world.refusal(alice.handOver('alice/shop', 'bob'))).toBe('UNSUPPORTED');
  await world.get(face.remove('Assisted'));
  await world.get(alice.handOver('alice/shop', 'bob'));
  await world.settle();
  expect(await world.refusal(alice.get('alice/shop'))).toBe('FENCED');
});
