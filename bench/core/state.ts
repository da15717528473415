// What is done with a whole state of the application: saved as text and restored into a new replica, beside XState's persisted snapshots; and
// its digest after each event, beside a hash of what XState would persist, and beside hashing as many bytes alone.

import { createHash } from 'node:crypto';
import { createActor } from 'xstate';
import { Instance } from '../../core/instance.ts';
import type { InstanceState } from '../../core/state.ts';
import { load } from '../load.ts';
import { APP34, xstateMachine } from '../machines.ts';
import { compare, type Contender, type Effort, type Row } from '../measure.ts';
import { started } from './steps.ts';

export async function snapshot(effort: Effort): Promise<Row[]> {
  const machine = await load(xstateMachine(APP34));
  let instance = started(machine);
  const own: Contender = {
    name: 'lockstep',
    run(operations) {
      for (let i = 0; i < operations; i++) {
        const text = JSON.stringify(instance.save());
        const restored = Instance.create(machine);
        restored.load(JSON.parse(text) as InstanceState, instance.seq);
        instance.dispose();
        instance = restored;
      }
    },
  };
  const definition = xstateMachine(APP34);
  let actor = createActor(definition).start();
  const theirs: Contender = {
    name: 'xstate',
    run(operations) {
      for (let i = 0; i < operations; i++) {
        const text = JSON.stringify(actor.getPersistedSnapshot());
        actor = createActor(definition, { snapshot: JSON.parse(text) }).start();
      }
    },
  };
  return [compare('core/snapshot', own, [theirs], effort, 'times saved and restored per CPU second')];
}

export async function digest(effort: Effort): Promise<Row[]> {
  const machine = await load(xstateMachine(APP34));
  const instance = started(machine);
  const { core } = machine;
  const numbers = APP34.events.map(({ type }) => machine.eventNumber(type));
  let next = 0;
  const own: Contender = {
    name: 'lockstep',
    run(operations) {
      for (let i = 0; i < operations; i++) {
        instance.advance(numbers[next]!, APP34.events[next]!);
        instance.digest();
        if (++next === numbers.length) next = 0;
      }
    },
  };
  const actor = createActor(xstateMachine(APP34)).start();
  let nextTheirs = 0;
  const theirs: Contender = {
    name: 'xstate, sha1 of its text',
    run(operations) {
      for (let i = 0; i < operations; i++) {
        actor.send(APP34.events[nextTheirs]!);
        createHash('sha1').update(JSON.stringify(actor.getPersistedSnapshot())).digest('hex');
        if (++nextTheirs === APP34.events.length) nextTheirs = 0;
      }
    },
  };
  const block = core.exports.allocate(machine.strideBytes + 8);
  const limit: Contender = {
    name: 'xxh64 alone',
    run(operations) {
      for (let i = 0; i < operations; i++) core.exports.hash(block + 8, machine.strideBytes, 0, 0, block);
    },
  };
  return [compare('core/digest', own, [theirs, limit], effort, 'events with a digest per CPU second')];
}
