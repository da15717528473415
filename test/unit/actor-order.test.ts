// When actors start and stop, and who gets what is sent to them: what random charts beside XState found, one small machine each.

import { assign, createMachine, fromCallback, fromTransition, sendTo, spawnChild, stopChild } from 'xstate';
import { expect, test } from 'vitest';
import { xstateActors } from '../../compiler/actors.ts';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LocalSystem, type LocalActor } from '../../core/local.ts';
import { Machine } from '../../core/machine.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();

/** Starts a machine whose actors write down what happens to them. */
function started(config: object): { readonly actor: LocalActor; readonly heard: string[] } {
  const heard: string[] = [];
  const kid = fromCallback(({ self, receive, sendBack }) => {
    heard.push(`start ${self.id}`);
    sendBack({ type: 'HERE' });
    receive(({ type }) => void heard.push(`${self.id} ${type}`));
    return () => void heard.push(`stop ${self.id}`);
  });
  const actions = { hear: ({ event }: { readonly event: { readonly type: string } }) => void heard.push(event.type) };
  const source = createMachine(config as never, { actors: { kid }, actions } as never);
  const { bytes, symbols } = compileMachine(source, { onThrow: 'status' });
  const clock = new TestEnvironment();
  const environment = {
    now: () => clock.now(),
    random: () => clock.random(),
    timer: (delayMs: number, callback: () => void) => clock.timer(delayMs, callback),
  };
  const system = new LocalSystem({ ...environment, actors: xstateActors(environment) });
  return { actor: system.start(Machine.load(core, bytes, bind(symbols, source))), heard };
}

const spawn = (id: string): unknown => spawnChild('kid' as never, { id } as never);
const tell = (id: string, type: string): unknown => sendTo(id, { type } as never);

test('[INST-16] an actor that its own step stops again never starts, and what was sent to it is lost', () => {
  const { actor, heard } = started({
    id: 'm',
    initial: 'off',
    states: {
      off: { on: { GO: 'on' } },
      on: { entry: tell('wire', 'EARLY'), invoke: { src: 'kid', id: 'wire' }, always: 'over' },
      over: { on: { AGAIN: { actions: spawn('wire') } } },
    },
  });
  actor.send({ type: 'GO' });
  expect(heard).toEqual([]);
  actor.send({ type: 'AGAIN' });
  expect(heard).toEqual(['start wire']);
});

test('[INST-16] an actor whose id another one takes is stopped', () => {
  const { actor, heard } = started({
    id: 'm',
    on: {
      ONE: { actions: spawn('wire') },
      THREE: { actions: [spawn('wire'), tell('wire', 'A'), spawn('wire'), tell('wire', 'B')] },
      GONE: { actions: [spawn('wire'), stopChild('wire')] },
    },
  });
  actor.send({ type: 'ONE' });
  actor.send({ type: 'THREE' });
  actor.send({ type: 'GONE' });
  expect(heard).toEqual(['start wire', 'stop wire', 'start wire', 'wire B', 'stop wire']);
});

test('[INST-17] in the first step actors start before anything that entry actions sent', () => {
  const { heard } = started({
    id: 'm',
    context: {},
    entry: [sendTo(({ self }) => self, { type: 'LATER' } as never), spawn('one')],
    invoke: { src: 'kid', id: 'two' },
    on: { '*': { actions: 'hear' } },
  });
  expect(heard).toEqual(['start one', 'start two', 'HERE', 'HERE', 'LATER']);
});

test('[INST-17] in the first step what was sent to an actor that gave its id away is lost', () => {
  const { heard } = started({
    id: 'm',
    context: ({ spawn: make }: { spawn(src: string, options: object): unknown }) => ({ kept: make('kid', { id: 'wire' }) }),
    entry: [tell('wire', 'A'), spawn('wire'), tell('wire', 'B'), spawn('gone'), tell('gone', 'C'), stopChild('gone')],
  });
  expect(heard).toEqual(['start wire', 'wire B']);
});

test('[INST-14] a reference may outlive its actor: what is sent to it goes nowhere, to a name that nobody has it fails', () => {
  const { actor, heard } = started({
    id: 'm',
    context: ({ spawn: make }: { spawn(src: string, options: object): unknown }) => ({ kid: make('kid', { id: 'wire' }) }),
    on: {
      STOP: { actions: stopChild('wire') },
      BY_REFERENCE: { actions: sendTo(({ context }: { context: { kid: never } }) => context.kid, { type: 'A' } as never) },
      BY_NAME: { actions: tell('wire', 'A') },
    },
  });
  actor.send({ type: 'STOP' });
  actor.send({ type: 'BY_REFERENCE' });
  expect(heard).toEqual(['start wire', 'stop wire']);
  expect(actor.getSnapshot().status).toBe('active');
  actor.send({ type: 'BY_NAME' });
  expect(actor.getSnapshot().status).toBe('error');
});

test('[BIND-4] to stop an actor that is not there counts as a change: eventless transitions are looked for again', () => {
  const rounds = (actions: unknown): number => {
    let asked = 0;
    const { actor } = started({ id: 'm', on: { GO: {} }, always: { guard: () => (asked += 1) <= 3, actions } });
    asked = 0;
    actor.send({ type: 'GO' });
    return asked;
  };
  expect([rounds('hear'), rounds(stopChild('nobody'))]).toEqual([1, 4]);
});

test('[INST-13] what a stopped actor has to say while it stops is not heard', () => {
  const { actor, heard } = started({
    id: 'm',
    context: {},
    initial: 'on',
    states: {
      on: { invoke: { src: fromTransition((sum: number) => sum + 1, 0), onSnapshot: { actions: 'hear' } }, on: { OFF: 'off' } },
      off: {},
    },
    on: { '*': { actions: ['hear', assign({})] } },
  });
  expect(heard).toEqual(['xstate.snapshot.0.m.on']);
  actor.send({ type: 'OFF' });
  expect(heard).toEqual(['xstate.snapshot.0.m.on']);
});
