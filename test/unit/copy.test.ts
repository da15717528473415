// Copies of instances: what a page begins with, beside the instances that run everything.

import { createMachine, setup } from 'xstate';
import { expect, test, vi } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { InstanceCopy } from '../../core/copy.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { toldOf } from '../../peer/difference.ts';
import { Replica } from '../../peer/replica.ts';
import type { StepEvent } from '../../peer/wire.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf } from '../support/random.ts';

const core = await testCore();
const stamp = { now: 1_000, seed: 42, salt: 'test/1/1' };

const player = createMachine({
  id: 'player',
  type: 'parallel',
  states: {
    deck: {
      initial: 'stopped',
      states: {
        stopped: { on: { play: 'on' } },
        on: {
          initial: 'playing',
          states: { playing: { on: { pause: 'paused' } }, paused: { on: { play: 'playing' } }, last: { type: 'history' } },
          on: { stop: 'stopped' },
        },
      },
      on: { back: '.on.last' },
    },
    power: { initial: 'lit', states: { lit: { on: { dim: 'dimmed' } }, dimmed: { on: { dim: 'lit' } } } },
  },
});
const EVENTS = ['play', 'pause', 'stop', 'back', 'dim'].map((type) => ({ type }));
const started = (machine: Machine): Instance => {
  const instance = Instance.create(machine);
  instance.start(undefined, stamp);
  return instance;
};

test('[INST-20] a copy comes to the same as an instance for events that ask for nothing, and answers can alike', () => {
  const machine = Machine.load(core, compileMachine(player).bytes);
  expect(machine.needsInstance).toBe(false);
  const instance = started(machine);
  const copy = InstanceCopy.create(machine);
  copy.load(instance.save(), instance.seq);
  const dice = random(seedOf('copy'));
  for (let i = 0; i < 300; i++) {
    const event = dice.pick(EVENTS);
    expect(copy.can(event)).toBe(instance.can(event));
    expect(copy.run(event, stamp)).toBe(instance.step(event, stamp).taken);
    expect([copy.seq, copy.digest()]).toEqual([instance.seq, instance.digest()]);
  }
  expect(copy.save()).toEqual(instance.save());
  expect(() => copy.run({ type: 'eject' }, stamp)).toThrow(expect.objectContaining({ code: 'UNKNOWN_EVENT' }));
  expect(copy.run({ type: 'eject' }, stamp, { isInternal: true })).toBe(false);
});

test('[INST-20] nobody answers for guards in a copy, whatever machine ran in its core before', () => {
  const guarded = setup({ guards: { mayOpen: () => true } }).createMachine({
    id: 'guarded',
    initial: 'shut',
    states: { shut: { on: { open: { guard: 'mayOpen', target: 'wide' }, knock: 'heard' } }, wide: {}, heard: {} },
  });
  const image = compileMachine(guarded);
  const ran = started(Machine.load(core, image.bytes, bind(image.symbols, guarded)));
  expect(ran.can({ type: 'open' })).toBe(true);
  const follower = Machine.load(core, image.bytes);
  expect(follower.needsInstance).toBe(false);
  const copy = InstanceCopy.create(follower);
  copy.load(ran.save(), ran.seq);
  expect(copy.can({ type: 'knock' })).toBe(true);
  expect(() => copy.can({ type: 'open' })).toThrow(expect.objectContaining({ code: 'MISSING_FUNCTION' }));
  expect(() => copy.snapshot().can({ type: 'open' })).toThrow(/mayOpen/);
  expect(ran.can({ type: 'open' })).toBe(true);
});

test('[INST-20] a mirror that made its steps as a copy tells others what each of them changed, from the first that it is to tell', () => {
  const machine = Machine.load(core, compileMachine(player).bytes);
  const instance = started(machine);
  let asked = 0;
  const replica = new Replica(machine, () => {
    asked++;
    return Instance;
  });
  replica.load(instance.seq, instance.save());
  const made = (type: string): StepEvent => {
    instance.step({ type }, stamp);
    return [instance.seq, 1, instance.seq, machine.symbols.events.indexOf(type), null];
  };
  replica.apply(made('play'), '', false);
  expect(asked).toBe(0);
  const before = instance.clocks();
  const { difference } = toldOf(replica.apply(made('stop'), '', true));
  const moved = instance.clocks().flatMap((ticks, state) => (ticks === before[state] ? [] : [state, ticks - before[state]!]));
  expect(difference.slice(0, 4)).toEqual([3, 1, 3, moved]);
  expect(asked).toBe(1);
  expect([replica.seq, replica.digest(), replica.save()]).toEqual([instance.seq, instance.digest(), instance.save()]);
});

test('[INST-21] a mirror has one instance until it has an event of its own, and shows the confirmed one when that is settled', () => {
  const machine = Machine.load(core, compileMachine(player).bytes);
  const instance = started(machine);
  const create = vi.spyOn(core.exports, 'create');
  try {
    const replica = new Replica(machine, () => Instance);
    replica.load(instance.seq, instance.save());
    replica.rebase([], undefined);
    expect([replica.predicts, create.mock.calls.length]).toEqual([true, 1]);
    const own = { event: { type: 'play' }, stamp, isShown: false };
    expect(replica.predict(own.event, stamp)).toBe(true);
    expect([replica.snapshot().matches('deck.on.playing'), replica.digest()]).toEqual([true, instance.digest()]);
    // Somebody else was first.
    instance.step({ type: 'dim' }, stamp);
    replica.apply([instance.seq, 1, instance.seq, machine.symbols.events.indexOf('dim'), null], '', false);
    replica.rebase([own], undefined);
    expect(replica.snapshot().value).toEqual({ deck: { on: 'playing' }, power: 'dimmed' });
    // It was refused.
    replica.rebase([], undefined);
    expect([replica.snapshot().value, replica.digest()]).toEqual([{ deck: 'stopped', power: 'dimmed' }, instance.digest()]);
    expect(create).toHaveBeenCalledTimes(2);
  } finally {
    create.mockRestore();
  }
});
