// The small build of the core, with which pages begin: what it refuses, and how a peer comes by the whole one. That it does what the whole one
// does is in core.test.ts, programs.test.ts, lowered.test.ts, golden.test.ts and test/reference.

import { createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { SEMANTICS_KNOWN, SEMANTICS_THROW_IS_STATUS } from '../../assembly/layout.ts';
import { compileMachine, machineCompiler } from '../../compiler/index.ts';
import { LockstepError } from '../../core/errors.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { testCore } from '../support/core.ts';
import { World } from '../support/world.ts';

const lamp = createMachine({ id: 'lamp', initial: 'off', states: { off: { on: { PRESS: 'on' } }, on: { on: { PRESS: 'off' } } } });
const gate = {
  dialect: 'relational',
  id: 'gate',
  states: { Open: { remove: ['Closed'] }, Closed: { remove: ['Open'] } },
} as const;
const gateImage = machineCompiler()(gate).image;

test('[CORE-18] the small core refuses an image with semantics that it does not have, and says which it has', async () => {
  const [small, whole] = [await testCore('small'), await testCore()];
  expect(() => small.loadImage(gateImage)).toThrow('check 7 of the validator');
  expect(small.exports.semantics()).toBe(SEMANTICS_THROW_IS_STATUS);
  expect(whole.exports.semantics()).toBe(SEMANTICS_KNOWN);
  expect(whole.loadImage(gateImage)).toBeGreaterThan(0);
  expect(small.loadImage(compileMachine(lamp).bytes)).toBeGreaterThan(0);
});

test('[CORE-18] a peer with the small core brings in the whole one for the first relational machine; its other mirrors go on', async () => {
  const world = new World();
  const server = await world.server({ machines: { lamp: { definition: lamp }, gate: { definition: gate } } });
  await world.get(server.create('lamp', { instance: 'lamp' }));
  await world.get(server.create('gate', { instance: 'gate' }));
  const [small, whole] = [await testCore('small'), await testCore()];
  let asked = 0;
  const tab = await world.peer('tab', {
    core: small,
    wholeCore: async () => {
      if (++asked === 1) throw new LockstepError('CORE', 'no core from here');
      return whole;
    },
  });
  const lampHere = await world.get(tab.watch('lamp', lamp));
  expect(asked).toBe(0);
  await expect(world.get(tab.watch('gate', gate))).rejects.toThrow('no core from here');
  const gateHere = await world.get(tab.watch('gate', gate));
  expect([asked, gateHere.machine.core, lampHere.machine.core]).toEqual([2, whole, small]);

  const relational = new RelationalMirror(gateHere);
  const opened = relational.add('Open');
  lampHere.send({ type: 'PRESS' });
  expect([lampHere.getSnapshot().value, relational.is('Open')]).toEqual(['on', true]);
  await world.settle();
  await opened;
  expect([lampHere.standing, gateHere.standing, asked]).toEqual(['confirmed', 'confirmed', 2]);
  expect(() => tab.machines.add('other', { definition: gate })).not.toThrow();
  await server.close();
  await tab.close();
});

test('[CORE-18] a machine that needs the whole core waits for prepare()', async () => {
  const world = new World();
  const [small, whole] = [await testCore('small'), await testCore()];
  const tab = await world.peer('tab', { core: small, wholeCore: () => Promise.resolve(whole) });
  expect(() => tab.machines.add('gate', { image: gateImage, definition: gate })).toThrow('await machines.prepare() first');
  await tab.machines.prepare(gateImage, gate);
  expect(tab.machines.add('gate', { image: gateImage, definition: gate }).core).toBe(whole);
  await tab.close();
});
