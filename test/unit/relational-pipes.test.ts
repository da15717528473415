// Pipes between relational machines, and between them and statecharts: here, across peers, and over links that break.

import { describe, expect, test } from 'vitest';
import { compileMachine, type Schema } from '../../compiler/index.ts';
import { bind as bindFunctions } from '../../core/bind.ts';
import type { HandlerEvent } from '../../core/handlers.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { MachineGroup } from '../../core/relational/group.ts';
import { RelationalMachine } from '../../core/relational/local.ts';
import {
  bind,
  bindAny,
  bindConnected,
  bindErr,
  bindMany,
  bindReady,
  bindStart,
  bindValue,
  pipeAdd,
  pipeEvent,
  pipeRemove,
  sync,
} from '../../core/relational/pipes.ts';
import { CANCELLED, EXECUTED } from '../../core/relational/types.ts';
import { RelationalMirror } from '../../peer/relational-mirror.ts';
import { testCore } from '../support/core.ts';
import { random as seeded } from '../support/random.ts';
import { World } from '../support/world.ts';

const core = await testCore();
const environment = { now: () => 0, random: () => 0, timer: () => () => undefined };

type Handlers = Readonly<Record<string, (event: HandlerEvent<Json>) => unknown>>;

function machine(id: string, states: Schema, handlers: Handlers = {}): RelationalMachine {
  const config = { dialect: 'relational', id, states, handlers };
  const image = compileMachine(config);
  return new RelationalMachine(Machine.load(core, image.bytes, bindFunctions(image.symbols, config)), { environment });
}

/** What mutations a machine has had: type, states, args, and where they came from. */
function heard(target: RelationalMachine): string[] {
  const log: string[] = [];
  target.tracers.add({
    transitionStart: ({ type, states, args, source }) =>
      void log.push([type.slice(11), states.join(), args === undefined ? '' : JSON.stringify(args), source?.machine ?? ''].join(' ')),
  });
  return log;
}

const AB: Schema = { A: {}, B: {}, M: { multi: true } };

describe('[REL-32] between machines that run here', () => {
  test('one state: begins is added with its args, ends is removed, under other names too', () => {
    const source = machine('source', AB);
    const target = machine('target', { ...AB, On: {}, Off: {} });
    const log = heard(target);
    bind(source, target, { state: 'A' });
    const renamed = bind(source, target, { state: 'B', active: 'On', inactive: 'Off' });
    source.add('A', { by: 'me' });
    source.add(['A', 'B']);
    target.add('Off');
    source.remove('B');
    renamed.unsubscribe();
    source.add('B');
    expect(log).toEqual(['add A {"by":"me"} source', 'add On  source', 'add Off  ', 'remove Off  source']);
    expect(target.active).toEqual(['A', 'On']);
  });

  test('halves, flat ones that say nothing that is so already, and Multi states that begin anew', () => {
    const source = machine('source', AB);
    const target = machine('target', AB);
    const log = heard(target);
    pipeAdd(source, target, { state: 'A' });
    pipeAdd(source, target, { state: 'B', isFlat: true });
    pipeRemove(source, target, { state: 'B', isFlat: true });
    pipeAdd(source, target, { state: 'M' });
    target.add('B');
    source.add('B', { x: 1 });
    source.add('A');
    source.remove(['A', 'B']);
    for (let i = 0; i < 3; i++) source.add('M', { i });
    expect(log).toEqual([
      'add B  ',
      'add A  source',
      'remove B  source',
      'add M {"i":0} source',
      'add M {"i":1} source',
      'add M {"i":2} source',
    ]);
    expect([target.active, target.tick('M')]).toEqual([['A', 'M'], 5]);
  });

  test('several at once: what a step ends is one mutation, what it begins another', () => {
    const source = machine('source', { A: { remove: ['C', 'D'] }, B: {}, C: {}, D: {} });
    const target = machine('target', { A: {}, B: {}, C: {}, X: {} });
    const log = heard(target);
    bindMany(source, target, { states: ['A', 'B', 'C', 'D'], to: ['A', 'B', 'C', 'X'] });
    source.add(['C', 'D']);
    source.add(['A', 'B']);
    expect(log).toEqual(['add C,X  source', 'remove C,X  source', 'add A,B  source']);
    expect(() => bindMany(source, target, { states: ['A'], to: [] })).toThrow(/1 states here and 0 there/);
  });

  test('the whole machine, as one mutation for each step', () => {
    const source = machine('source', { A: { remove: 'B' }, B: { remove: 'A' }, C: {} });
    const target = machine('target', { ...AB, C: {}, Own: {} });
    const log = heard(target);
    bindAny(source, target);
    source.add(['A', 'C'], { n: 1 });
    source.add('B');
    source.remove('C');
    expect(log).toEqual(['add A,C {"n":1} source', 'set B,C  source', 'remove C  source']);
    expect(target.active).toEqual(['B']);
    expect(() => bindAny(machine('more', { A: {}, Z: {} }), target)).toThrow(/target has no state "Z"/);
  });

  test('errors, start, ready, connections', () => {
    const states: Schema = { Start: {}, Ready: {}, Disconnected: {}, Connecting: {}, Connected: {}, Disconnecting: {} };
    const source = machine('source', states);
    const target = machine('target', { Start: {}, Up: {}, ErrSource: {}, Dialing: {}, Online: {} });
    bindErr(source, target, { state: 'ErrSource' });
    bindStart(source, target);
    bindReady(source, target, { active: 'Up' });
    bindConnected(source, target, { connecting: 'Dialing', connected: 'Online' });
    source.add(['Start', 'Ready', 'Connecting', 'Disconnected']);
    expect(target.active).toEqual(['Dialing', 'Start', 'Up']);
    source.set(['Connected', 'Start']);
    expect(target.active).toEqual(['Online', 'Start']);
    source.addErr(new Error('no'));
    expect(target.active).toEqual(['ErrSource', 'Exception', 'Online', 'Start']);
  });

  test('sync brings over what is, and counts it', () => {
    const source = machine('source', { A: {}, B: { remove: 'C' }, C: { remove: 'B' }, Own: {} });
    const target = machine('target', { A: {}, B: { remove: 'C' }, C: { remove: 'B' }, Theirs: {} });
    source.add(['A', 'B', 'Own']);
    target.add(['C', 'Theirs']);
    expect([sync(source, target, { states: ['A'] }), sync(source, target), sync(source, target)]).toEqual([1, 2, 0]);
    expect(target.active).toEqual(['A', 'B', 'Theirs']);
  });

  test('two machines piped into each other come to rest, a refusal ends no pipe, and the end of the source does', () => {
    const failures: unknown[] = [];
    const left = machine('left', AB);
    const right = machine('right', AB, { BEnter: () => false });
    const failed = (error: unknown): void => void failures.push(error);
    for (const state of ['A', 'B']) {
      bind(left, right, { state, failed });
      bind(right, left, { state, failed });
    }
    left.add(['A', 'B']);
    expect([left.active, right.active]).toEqual([['A', 'B'], ['A']]);
    right.remove('A');
    expect([left.active, right.active]).toEqual([['B'], []]);
    left.dispose();
    right.add('A');
    expect([right.active, failures]).toEqual([['A'], []]);
    expect(() => bind(left, right, { state: 'Nobody' })).toThrow(/left has no state "Nobody"/);
    expect(() => bind(left, right, { state: 'A', active: 'Nobody' })).toThrow(/right has no state "Nobody"/);
  });

  test('all pipes hear a step, in the order in which they were laid, before any hears the next', () => {
    const log: string[] = [];
    const source = machine('source', AB, { AState: () => void source.add('B') });
    const targets = ['one', 'two'].map((id) =>
      machine(id, AB, { AState: () => void log.push(`${id} A`), BState: () => void log.push(`${id} B`) }),
    );
    for (const state of ['B', 'A']) for (const target of targets) bind(source, target, { state });
    source.add('A');
    expect(log).toEqual(['one A', 'two A', 'one B', 'two B']);
  });

  test('handlers are told whose step it was', () => {
    const sources: unknown[] = [];
    const source = machine('source', AB);
    const target = machine('target', AB, {
      AEnter: (event) => void sources.push(event.source),
      MState: (event) => void sources.push(event.source),
    });
    bind(source, target, { state: 'A' });
    source.add('B');
    source.add('A');
    target.add('M');
    expect(sources).toEqual([{ machine: 'source', time: 1 }, null]);
  });
});

describe('[REL-33] across peers', () => {
  const relay = {
    dialect: 'relational',
    id: 'relay',
    states: { On: { publicArgs: true }, Off: {}, Ping: { multi: true, publicArgs: true } },
  } as const;

  interface Setting {
    readonly world: World;
    /** By the server. */
    readonly pinged: number[];
    readonly alice: RelationalMirror;
    readonly bob: RelationalMirror;
  }

  async function setting(): Promise<Setting> {
    const world = new World();
    const pinged: number[] = [];
    const handlers = { PingState: ({ args }: HandlerEvent) => void pinged.push((args as { n: number }).n) };
    await world.server({ machines: { relay: { definition: relay }, sink: { definition: { ...relay, id: 'sink', handlers } } } });
    const [alice, bob] = [await world.peer('alice'), await world.peer('bob')];
    await world.get(alice.create('relay', { instance: 'source' }));
    await world.get(alice.create('sink', { instance: 'target' }));
    return {
      world,
      pinged,
      alice: new RelationalMirror(await world.get(alice.watch('source'))),
      bob: new RelationalMirror(await world.get(bob.watch('target'))),
    };
  }

  test.each([1, 2, 3])('a machine here into one elsewhere, over a link that breaks: in order, each once (seed %i)', async (seed) => {
    const { world, pinged, bob } = await setting();
    const dice = seeded(seed);
    const source = machine('mine', { Ping: { multi: true }, On: {} });
    bind(source, bob, { state: 'Ping' });
    bind(source, bob, { state: 'On' });
    for (let n = 1; n <= 60; n++) {
      source.add('Ping', { n });
      if (n % 3 === 0) source.toggle('On');
      if (dice.below(8) === 0) world.network('bob').cut();
      else if (dice.below(3) === 0) world.network('bob').mend();
      if (dice.below(5) === 0) await world.advance(2_000);
    }
    source.add('On');
    world.network('bob').mend();
    await world.advance(120_000);
    expect(pinged).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect([bob.tick('Ping'), bob.tick('On'), bob.is('On')]).toEqual([119, source.tick('On'), true]);
  });

  test('one elsewhere into another elsewhere: what is confirmed, and no prediction', async () => {
    const { world, pinged, alice, bob } = await setting();
    bind(alice, bob, { state: 'Ping' });
    bindMany(alice, bob, { states: ['On', 'Off'] });
    world.network('alice').cut();
    const early = alice.add('On', { n: 1 });
    await world.settle();
    expect(bob.is('On')).toBe(false);
    world.network('alice').mend();
    await world.advance(30_000);
    await world.get(early);
    for (let n = 1; n <= 5; n++) await world.get(alice.add('Ping', { n }));
    await world.get(alice.set('Off'));
    expect([pinged, bob.active, bob.tick('On')]).toEqual([[1, 2, 3, 4, 5], ['Off'], 2]);
  });

  test('what a source predicts is no part of what its target is brought to, nor of the time that this is said to come from', async () => {
    const { world, alice, bob } = await setting();
    world.network('alice').cut();
    alice.add('On', { n: 1 }).catch(() => undefined);
    await world.settle();
    const target = machine('mine', { On: {}, Off: {} });
    const times: unknown[] = [];
    target.tracers.add({ transitionStart: ({ source }) => void times.push(source?.time) });
    target.add('Off');
    expect([alice.is('On'), sync(alice, target, { states: ['On', 'Off'] }), target.active]).toEqual([true, 1, []]);
    expect(times).toEqual([undefined, bob.machineTime]);
  });

  test('a mutation that is refused elsewhere is told to the pipe, which goes on', async () => {
    const { world, bob } = await setting();
    const failures: unknown[] = [];
    const source = machine('mine', { On: {}, Off: {} });
    bind(source, bob, { state: 'On', failed: (error) => void failures.push((error as { code: string }).code) });
    source.add('On', 'x'.repeat(2_000_000));
    source.remove('On');
    source.add('On');
    await world.settle();
    expect([failures, bob.is('On'), bob.tick('On')]).toEqual([['TOO_LARGE'], true, 1]);
  });

  test('a group of machines here and elsewhere is asked and told as one', async () => {
    const { world, alice, bob } = await setting();
    const mine = machine('mine', { On: {}, Ping: {} }, { PingEnter: () => false });
    const group = new MachineGroup([mine, alice, bob]);
    const all = group.when('On');
    const first = group.whenAny('On');
    expect([group.is('On'), group.not('On'), group.any('On')]).toEqual([false, true, false]);
    mine.add('On');
    expect((await world.get(first)).id).toBe('mine');
    expect(group.which('On').map(({ id }) => id)).toEqual(['mine']);
    expect(await world.get(group.add('On'))).toEqual(Array(3).fill({ status: 'fulfilled', value: EXECUTED }));
    await world.get(all);
    const told = await world.get(group.add('Ping', { n: 1 }));
    expect(told.map((each) => (each as { value: number }).value)).toEqual([CANCELLED, EXECUTED, EXECUTED]);
    group.leave(mine);
    const lost = await world.get(group.set('Off'));
    expect([lost.length, group.is('Off'), mine.is('On')]).toEqual([2, true, true]);
    group.join(mine);
    expect((await world.get(group.add('Off'))).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'BAD_PARAMS' } });
  });

  test('who waits for one of a group is told when its signal is aborted, and when all have ended', async () => {
    const { alice, bob } = await setting();
    const group = new MachineGroup([alice, bob]);
    const aborter = new AbortController();
    const aborted = group.whenAny('On', { signal: aborter.signal });
    aborter.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const closed = group.whenAny('On');
    alice.dispose();
    bob.dispose();
    await expect(closed).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('[REL-34] with statecharts', () => {
  test('a state that begins sends an event; a statechart’s value is a state', async () => {
    const world = new World();
    const config = {
      dialect: 'relational',
      id: 'hand',
      states: { Push: { multi: true, publicArgs: true }, IsOpen: {}, Both: {} },
    } as const;
    await world.server({ machines: { door: { definition: world.door }, hand: { definition: config } } });
    const [alice, bob] = [await world.peer('alice'), await world.peer('bob')];
    await world.get(alice.create('door', { instance: 'front' }));
    await world.get(alice.create('hand', { instance: 'right' }));
    const door = await world.get(alice.watch('front', world.door));
    const hand = new RelationalMirror(await world.get(alice.watch('right')));
    const failures: unknown[] = [];
    pipeEvent(hand, door as { send(event: EventObject): void }, {
      state: 'Push',
      event: (args) => ({ type: (args as { event: string }).event }),
      failed: (error) => void failures.push((error as { code: string }).code),
    });
    const open = bindValue(door, hand, { pattern: 'open', state: 'IsOpen' });
    const remote = new RelationalMirror(await world.get(bob.watch('right')));
    await world.get(remote.add('Push', { event: 'OPEN' }));
    await world.settle();
    expect([door.getSnapshot().value, remote.is('IsOpen')]).toEqual(['open', true]);
    await world.get(remote.add('Push', { event: 'NOBODY' }));
    expect(failures).toEqual(['UNKNOWN_EVENT']);
    // A prediction, while nobody can say whether it holds.
    world.network('alice').cut();
    door.send({ type: 'CLOSE' });
    await world.settle();
    expect([door.getSnapshot().value, remote.is('IsOpen')]).toEqual(['closed', true]);
    world.network('alice').mend();
    await world.advance(30_000);
    expect([door.getSnapshot().value, remote.is('IsOpen')]).toEqual(['closed', false]);
    open.unsubscribe();
    await world.get(remote.add('Push', { event: 'OPEN' }));
    await world.settle();
    expect([door.getSnapshot().value, remote.is('IsOpen')]).toEqual(['open', false]);
  });
});
