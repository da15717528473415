// A machine that runs right here.

import { assign, setup } from 'xstate';
import { expect, test, vi } from 'vitest';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import { LocalSystem } from '../../core/local.ts';
import { Machine } from '../../core/machine.ts';
import { compileMachine } from '../../compiler/index.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();

function start(log: string[] = []) {
  const source = setup({
    types: {} as { context: { count: number }; events: { type: 'GO' } | { type: 'END' } | { type: 'RING' } },
    actions: { ring: ({ context }) => void log.push(`ring ${context.count}`) },
  }).createMachine({
    id: 'lamp',
    context: { count: 0 },
    initial: 'off',
    states: {
      off: { on: { GO: { target: 'on', actions: assign({ count: ({ context }) => context.count + 1 }) } } },
      on: { entry: 'ring', after: { 500: 'off' }, on: { END: 'over' } },
      over: { type: 'final' },
    },
  });
  const { bytes, symbols } = compileMachine(source);
  const environment = new TestEnvironment();
  const actor = new LocalSystem(environment).start(Machine.load(core, bytes, bind(symbols, source)));
  return { actor, environment };
}

test('[INST-12] send, subscribe, snapshots, ticks, timers and effects', async () => {
  const log: string[] = [];
  const { actor, environment } = start(log);
  const next = vi.fn();
  const complete = vi.fn();
  const subscription = actor.subscribe({ next, complete });
  const before = actor.getSnapshot();
  expect(actor.getSnapshot()).toBe(before);
  actor.send({ type: 'GO' });
  expect(log).toEqual(['ring 1']);
  expect(before.value).toBe('off');
  expect(actor.getSnapshot().value).toBe('on');
  expect(actor.tick('on')).toBe(1);
  await environment.advance(499);
  expect(actor.getSnapshot().value).toBe('on');
  await environment.advance(1);
  expect(actor.getSnapshot().value).toBe('off');
  expect([actor.seq, actor.standing, actor.tick('on')]).toEqual([3, 'confirmed', 2]);
  actor.send({ type: 'GO' });
  subscription.unsubscribe();
  expect(next).toHaveBeenCalledTimes(3);
  expect(complete).not.toHaveBeenCalled();
});

test('[INST-12] the observable symbol gives the actor, and completion reaches observers', () => {
  const { actor } = start();
  const symbol = (Symbol as { observable?: symbol }).observable ?? '@@observable';
  expect((actor as unknown as Record<symbol | string, () => unknown>)[symbol]!()).toBe(actor);
  const complete = vi.fn();
  actor.subscribe({ complete });
  actor.send({ type: 'GO' });
  actor.send({ type: 'END' });
  expect(complete).toHaveBeenCalledTimes(1);
  expect(actor.getSnapshot().status).toBe('done');
  expect(() => actor.send({ type: 'GO' })).toThrow('status done');
});

test('[INST-12] when resolves on a state, a question, and gives up with its signal', async () => {
  const { actor } = start();
  const on = actor.when('on');
  const counted = actor.when((snapshot) => (snapshot.context as { count: number }).count === 2);
  const controller = new AbortController();
  const never = actor.when('over', { signal: controller.signal });
  actor.send({ type: 'GO' });
  expect((await on).value).toBe('on');
  controller.abort(new Error('enough'));
  await expect(never).rejects.toThrow('enough');
  actor.stop();
  await expect(counted).rejects.toThrow(LockstepError);
});

test('[INST-12] events sent while one is handled wait their turn', () => {
  const { actor } = start();
  const seen: unknown[] = [];
  actor.subscribe((snapshot) => {
    seen.push(snapshot.value);
    if (snapshot.value === 'on') actor.send({ type: 'END' });
  });
  actor.send({ type: 'GO' });
  expect(seen).toEqual(['on', 'over']);
});
