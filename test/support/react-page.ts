// A page for the test in Chromium: the same view twice, of a machine and of lockstep() of it, through the hooks of @xstate/react.

import { useActor, useActorRef, useMachine, useSelector } from '@xstate/react';
import { createElement, StrictMode, useState, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { assign, fromPromise, setup, waitFor, type AnyStateMachine } from 'xstate';
import { lockstep } from '../../compiler/xstate/index.ts';

const editor = setup({
  types: { context: {} as { n: number; loaded: string } },
  actions: { tell: () => undefined },
  actors: { load: fromPromise(async () => 'loaded') },
}).createMachine({
  id: 'editor',
  context: { n: 0, loaded: '' },
  initial: 'loading',
  states: {
    loading: { invoke: { src: 'load', onDone: { target: 'idle', actions: assign({ loaded: ({ event }) => event.output }) } } },
    idle: {
      tags: 'ready',
      on: { INC: { actions: [assign({ n: ({ context }) => context.n + 1 }), 'tell'] }, EDIT: 'editing' },
    },
    editing: { on: { BACK: 'idle' }, after: { 30_000: 'idle' } },
  },
});

function View({ machine, name }: { readonly machine: AnyStateMachine; readonly name: string }): ReactElement {
  const [told, setTold] = useState(0);
  // A new logic on every render: the actor stays, and gets the new implementations.
  const [snapshot, send, ref] = useMachine(machine.provide({ actions: { tell: () => setTold((count) => count + 1) } } as never));
  const n = useSelector(ref, ({ context }) => (context as { n: number }).n);
  const [other] = useActor(machine);
  const idle = useActorRef(machine);
  Object.assign(globalThis, { [name]: { send, idle, settled: () => waitFor(ref, (now) => now.hasTag('ready')) } });
  const text = [snapshot.value, n, snapshot.context.loaded, told, snapshot.can({ type: 'EDIT' }), other.value, idle.getSnapshot().status];
  return createElement('p', { id: name }, JSON.stringify(text));
}

createRoot(document.getElementById('root')!).render(
  createElement(
    StrictMode,
    undefined,
    createElement(View, { machine: editor as unknown as AnyStateMachine, name: 'plain' }),
    createElement(View, { machine: lockstep(editor) as unknown as AnyStateMachine, name: 'core' }),
  ),
);
