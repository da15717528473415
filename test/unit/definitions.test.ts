// What the names of machines mean, in the journal of the peer that knows them.

import { createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { LockstepError } from '../../core/errors.ts';
import type { JournalEntry } from '../../peer/journal.ts';
import { MemoryJournal } from '../../peer/testing.ts';
import { World } from '../support/world.ts';

const lamp = (initial: 'on' | 'off') => ({ definition: createMachine({ id: 'lamp', initial, states: { on: {}, off: {} } }) });

class FailingJournal extends MemoryJournal {
  fails = false;

  override write(entries: readonly JournalEntry[]): Promise<void> {
    return this.fails ? Promise.reject(new LockstepError('STORAGE', 'the disk is full')) : super.write(entries);
  }
}

async function serverWorld() {
  const world = new World();
  const journal = new FailingJournal();
  const server = await world.server({ journal });
  const meant = async (): Promise<string | undefined> => {
    await world.settle();
    return (await journal.machines()).find(({ machine }) => machine === 'lamp')?.image;
  };
  return { journal, server, meant };
}

test('[SYNC-47] a name that means again what it meant before is written again', async () => {
  const { server, meant } = await serverWorld();
  const off = server.machines.add('lamp', lamp('off')).hash;
  expect(await meant()).toBe(off);
  const on = server.machines.add('lamp', lamp('on')).hash;
  expect(await meant()).toBe(on);
  server.machines.add('lamp', lamp('off'));
  expect(await meant()).toBe(off);
});

test('[SYNC-47] what could not be written is written when it is given again', async () => {
  const { journal, server, meant } = await serverWorld();
  journal.fails = true;
  server.machines.add('lamp', lamp('on'));
  expect(await meant()).toBeUndefined();
  journal.fails = false;
  const { hash } = server.machines.add('lamp', lamp('on'));
  expect(await meant()).toBe(hash);
});
