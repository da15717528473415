// A machine as an author of a page would write it, for compiler-vite.test.ts.

import { assign, setup } from 'xstate';
import { LIMIT } from './limit.ts';

export const bar = setup({ types: {} as { context: { n: number } }, guards: { isFew: ({ context }) => context.n < LIMIT } }).createMachine({
  id: 'bar',
  context: { n: 0 },
  on: { GO: { guard: 'isFew', actions: assign({ n: ({ context }) => context.n + 1 }) } },
});

export const broken = { id: 'broken', initial: 'nowhere', states: { a: {} } };

export default bar;
