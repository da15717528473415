// Redux DevTools beside a machine: an extension that records what it is told and says what a person does in it.

import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { devtools, type DevtoolsExtension, type DevtoolsMessage } from '../../browser/devtools.ts';
import { bind } from '../../core/bind.ts';
import { LocalSystem } from '../../core/local.ts';
import { Machine } from '../../core/machine.ts';
import { compileMachine } from '../../compiler/index.ts';
import { TestEnvironment } from '../../peer/testing.ts';
import { testCore } from '../support/core.ts';
import { World } from '../support/world.ts';

const core = await testCore();
const counter = setup({
  types: {} as { context: { count: number }; events: { type: 'ADD'; by?: number } | { type: 'END' } },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  initial: 'counting',
  states: {
    counting: { on: { ADD: { actions: assign({ count: ({ context, event }) => context.count + (event.by ?? 1) }) }, END: 'over' } },
    over: { type: 'final' },
  },
});

function startCounter() {
  const { bytes, symbols } = compileMachine(counter);
  return new LocalSystem(new TestEnvironment()).start(Machine.load(core, bytes, bind(symbols, counter)), { id: 'one' });
}

class FakeExtension implements DevtoolsExtension {
  readonly log: string[] = [];
  tell: (message: DevtoolsMessage) => void = () => undefined;

  connect(options: { readonly name: string }) {
    this.log.push(`connect ${options.name}`);
    return {
      init: (state: unknown) => void this.log.push(`init ${JSON.stringify(state)}`),
      send: (action: { readonly type: string }, state: unknown) => void this.log.push(`${JSON.stringify(action)} ${JSON.stringify(state)}`),
      subscribe: (listener: (message: DevtoolsMessage) => void) => {
        this.tell = listener;
        return () => {
          this.tell = () => undefined;
          this.log.push('end');
        };
      },
    };
  }

  /** A click on an entry of its list. */
  jump(actionId: number): void {
    this.tell({ type: 'DISPATCH', payload: { type: 'JUMP_TO_STATE', actionId, index: actionId } });
  }
}

test('[INSPECT-13] each snapshot goes to the extension with its event', () => {
  const extension = new FakeExtension();
  const shown = devtools(startCounter(), { extension });
  shown.send({ type: 'ADD' });
  shown.send({ type: 'ADD', by: 2 });
  shown.send({ type: 'END' });
  expect(extension.log).toEqual([
    'connect one',
    'init {"value":"counting","context":{"count":0}}',
    '{"type":"ADD"} {"value":"counting","context":{"count":1}}',
    '{"type":"ADD","by":2} {"value":"counting","context":{"count":3}}',
    '{"type":"END"} {"value":"over","context":{"count":3},"status":"done"}',
  ]);
  shown.stop();
  expect(extension.log.at(-1)).toBe('end');
});

test('[INSPECT-13] a jump shows the snapshot of then, read-only, until the newest is shown again', () => {
  const extension = new FakeExtension();
  const actor = startCounter();
  const shown = devtools(actor, { extension });
  const counts: number[] = [];
  shown.subscribe(({ context }) => counts.push((context as { count: number }).count));
  for (let i = 0; i < 3; i++) actor.send({ type: 'ADD' });
  extension.jump(1);
  expect([shown.isPast, shown.getSnapshot().context, shown.getSnapshot().matches('counting')]).toEqual([true, { count: 1 }, true]);
  expect(() => shown.send({ type: 'ADD' })).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }) as Error);
  expect(actor.getSnapshot().context).toEqual({ count: 3 });
  actor.send({ type: 'ADD' });
  expect(shown.getSnapshot().context).toEqual({ count: 1 });
  extension.jump(99);
  expect(shown.getSnapshot().context).toEqual({ count: 1 });
  extension.jump(4);
  expect([shown.isPast, shown.getSnapshot().context]).toEqual([false, { count: 4 }]);
  expect(counts).toEqual([1, 2, 3, 1, 4]);
});

test('[INSPECT-13] commit begins anew; what a person types is sent; anything else is passed over', () => {
  const extension = new FakeExtension();
  const shown = devtools(startCounter(), { extension, name: 'my counter' });
  shown.send({ type: 'ADD' });
  extension.jump(0);
  extension.tell({ type: 'DISPATCH', payload: { type: 'COMMIT' } });
  expect([shown.isPast, extension.log.at(-1)]).toEqual([false, 'init {"value":"counting","context":{"count":1}}']);
  extension.tell({ type: 'ACTION', payload: '{"type":"ADD","by":5}' });
  extension.tell({ type: 'ACTION', payload: 'ADD' });
  for (const message of [
    { type: 'START' },
    { type: 'DISPATCH' },
    { type: 'DISPATCH', payload: { type: 'TOGGLE_ACTION', id: 1 } },
    { type: 'ACTION', payload: '7' },
  ])
    extension.tell(message);
  expect(shown.getSnapshot().context).toEqual({ count: 7 });
  extension.jump(1);
  expect(shown.getSnapshot().context).toEqual({ count: 6 });
});

test('[INSPECT-13] two hundred snapshots are kept', () => {
  const extension = new FakeExtension();
  const shown = devtools(startCounter(), { extension });
  for (let i = 0; i < 300; i++) shown.send({ type: 'ADD' });
  extension.jump(100);
  expect(shown.isPast).toBe(false);
  extension.jump(101);
  expect(shown.getSnapshot().context).toEqual({ count: 101 });
});

test('[INSPECT-13] without an extension the machine is shown as it is', () => {
  const shown = devtools(startCounter());
  const counts: unknown[] = [];
  const subscription = shown.subscribe(({ context }) => counts.push(context));
  shown.send({ type: 'ADD' });
  subscription.unsubscribe();
  shown.send({ type: 'ADD' });
  expect([counts, shown.getSnapshot().context, shown.isPast]).toEqual([[{ count: 1 }], { count: 2 }, false]);
});

test('[INSPECT-13] a mirror shows own events by name, and those of others as what they are to it', async () => {
  const world = new World();
  const server = await world.server();
  await world.get(server.create('door', { instance: 'front' }));
  const ann = await world.get((await world.peer('ann')).watch('front', world.door));
  const extension = new FakeExtension();
  const shown = devtools(ann, { extension });
  shown.send({ type: 'OPEN' });
  await world.settle();
  (await world.get((await world.peer('bob')).watch('front', world.door))).send({ type: 'CLOSE' });
  await world.settle();
  expect(extension.log.slice(2).map((line) => line.replace(/,"context".*/, ''))).toEqual([
    '{"type":"OPEN"} {"value":"open"',
    '{"type":"lockstep.sync"} {"value":"closed"',
  ]);
});
