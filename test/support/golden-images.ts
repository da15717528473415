// The images of the golden run: the machines of the benches and one with everything that they lack.

import { createMachine, raise } from 'xstate';
import { compileMachine } from '../../compiler/index.ts';
import { app34, toggle, traffic } from '../../bench/machines.ts';

const everything = createMachine({
  id: 'everything',
  initial: 'work',
  context: {},
  states: {
    work: {
      type: 'parallel',
      on: { PAUSE: 'paused', 'JUMP.*': '.left.deep.two', '*': { actions: 'note' } },
      states: {
        left: {
          initial: 'flat',
          exit: 'leaveLeft',
          states: {
            flat: { on: { DOWN: 'deep' }, after: { 10: 'deep' } },
            deep: {
              initial: 'one',
              always: { guard: 'isDeep', target: '#everything.work.right.lit' },
              states: {
                one: { on: { NEXT: 'two' } },
                two: { on: { NEXT: { target: 'one', reenter: true, actions: raise({ type: 'DOWN' }) } } },
                back: { type: 'history' },
              },
              on: { UP: 'flat', SELF: { target: 'deep', reenter: true } },
            },
            over: { type: 'final' },
            memory: { type: 'history', history: 'deep' },
          },
          on: { FINISH: '.over' },
        },
        right: {
          initial: 'dark',
          states: {
            dark: { on: { LIGHT: 'lit', FINISH: 'over' } },
            lit: { entry: raise({ type: 'UP' }), on: { LIGHT: 'dark' } },
            over: { type: 'final' },
          },
        },
      },
      onDone: { guard: 'isOver', target: 'done' },
    },
    paused: { on: { RESUME: 'work.left.memory', BACK: 'work.left.deep.back', STOP: 'done' } },
    done: { type: 'final' },
  },
}).provide({ guards: { isDeep: () => true, isOver: () => true } });

export const goldenImages: readonly Uint8Array[] = [toggle, traffic, app34, everything].map((machine) => compileMachine(machine).bytes);
export const everythingImage = goldenImages[3]!;
