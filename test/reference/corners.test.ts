// The corners in which XState leaves the legal configurations or contradicts itself, and the limits, one small chart each: what happens
// instead, told by the slow stepper and by all builds of the core.

import { raise } from 'xstate';
import { expect, test } from 'vitest';
import { FAULT_QUEUE_FULL, QUEUE_MAX, QUIET, STEP_TAKEN } from '../../assembly/layout.ts';
import { compileMachine } from '../../compiler/index.ts';
import { allCores } from '../support/core.ts';
import { read, type PlainChart } from './chart.ts';
import { firstDifference } from './script.ts';
import { NOWHERE, start, step } from './stepper.ts';

const cores = await allCores();

/** What the last event does. */
function traceOf(plain: PlainChart, events: readonly string[]): readonly string[] {
  expect(firstDifference(cores, { plain, bits: 0, events: events.map((type) => ({ type, bits: 0 })) })).toBeUndefined();
  const chart = read(plain);
  let stepped = start(chart, 0);
  for (const type of events) stepped = step(chart, stepped === 'fuel' ? NOWHERE : stepped.after, type, 0);
  return stepped === 'fuel' ? ['fuel'] : stepped.trace;
}

test('[CHART-4] a leaf that history leads back to itself conflicts with what leaves its parent', () => {
  const plain: PlainChart = {
    id: 'm',
    initial: 'p',
    states: {
      p: {
        type: 'parallel',
        states: {
          left: {
            initial: 'a',
            states: { a: { on: { E: [{ target: ['#m.p.left.h'] }] } }, h: { type: 'history', history: 'shallow', target: 'a' } },
          },
          right: { initial: 'b', states: { b: { on: { E: [{ target: ['#m.p'], actions: ['never'] }] } } } },
        },
      },
    },
  };
  expect(traceOf(plain, ['E'])).toEqual(['take m.p.left.a', 'exit m.p.left.a', 'enter m.p.left.a']);
});

test('[CHART-5] a region that was not left is not entered beside what is active in it', () => {
  const plain: PlainChart = {
    id: 'm',
    type: 'parallel',
    states: {
      left: { initial: 'a', states: { a: { on: { E: [{ target: ['#m.h'] }] } } } },
      right: { initial: 'b', states: { b: { on: { GO: [{ target: ['#m.right.c'] }] } }, c: {} } },
      h: { type: 'history', history: 'deep', target: 'left.a' },
    },
  };
  expect(traceOf(plain, ['GO', 'E'])).toEqual(['take m.left.a', 'exit m.left', 'enter m.left', 'exit m.left.a', 'enter m.left.a']);
});

test('[CHART-5] nor is a region of a parallel on the way to what is active already', () => {
  const plain: PlainChart = {
    id: 'm',
    initial: 'x',
    states: {
      x: {
        initial: 'p',
        states: {
          p: {
            type: 'parallel',
            states: {
              left: { initial: 'a', states: { a: { on: { E: [{ target: ['#m.x.h'] }] } } } },
              right: { initial: 'b', states: { b: { on: { GO: [{ target: ['#m.x.p.right.c'] }] } }, c: {} } },
            },
          },
          h: { type: 'history', history: 'deep', target: 'p.left.a' },
        },
      },
    },
  };
  expect(traceOf(plain, ['GO', 'E']).filter((line) => line.includes('right'))).toEqual([]);
});

test('[CHART-6] the domain of a transition is that of before anything was left', () => {
  const plain: PlainChart = {
    id: 'm',
    initial: 'p',
    states: {
      p: {
        type: 'parallel',
        entry: ['in p'],
        exit: ['out p'],
        states: {
          left: { initial: 'a', states: { a: { on: { GO: [{ target: ['#m.p.left.b'] }] } }, b: { on: { E: [{ target: ['#m.p.h'] }] } } } },
          h: { type: 'history', history: 'deep' },
        },
      },
    },
  };
  // Leaving p has just taught its history where it stood.
  expect(traceOf(plain, ['GO', 'E'])).toEqual([
    'take m.p.left.b',
    'exit m.p.left.b',
    'exit m.p.left',
    'effect out p on external',
    'exit m.p',
    'enter m.p',
    'effect in p on external',
    'enter m.p.left',
    'enter m.p.left.b',
  ]);
});

test('[CHART-7] the way out of a history begins at its parent: what was not left on it is entered again, and its clock moves twice', () => {
  const plain: PlainChart = {
    id: 'm',
    initial: 'b',
    states: {
      h: { type: 'history', history: 'shallow', target: 'b.a' },
      b: {
        entry: ['in b'],
        exit: ['out b'],
        initial: 'a',
        states: { a: { entry: ['in a'], exit: ['out a'], on: { E: [{ target: ['#m.h'] }] } } },
      },
    },
  };
  expect(traceOf(plain, ['E'])).toEqual([
    'take m.b.a',
    'exit m.b',
    'enter m.b',
    'effect in b on external',
    'exit m.b.a',
    'enter m.b.a',
    'effect in a on external',
  ]);
});

test.each([2, 3, 4, 5, 6])('[CHART-8] three eventless transitions in a row take four rounds, of %i that there are', (rounds) => {
  const plain: PlainChart = {
    id: 'm',
    options: { maxIterations: rounds },
    initial: 'a',
    states: {
      a: { on: { GO: [{ target: ['#m.b'] }] } },
      b: { always: [{ target: ['#m.c'] }] },
      c: { always: [{ target: ['#m.d'] }] },
      d: { always: [{ target: ['#m.e'] }] },
      e: {},
    },
  };
  // The last round finds nothing, and counts.
  expect(traceOf(plain, ['GO']).at(-1)).toBe(rounds < 4 ? 'fuel' : 'enter m.e');
});

test.each([
  [QUEUE_MAX, STEP_TAKEN],
  [QUEUE_MAX + 1, FAULT_QUEUE_FULL],
])('[CHART-9] the queue holds 4096 internal events; with one more the event changes nothing: %i raised', (count, result) => {
  const machine = {
    config: { id: 'm', on: { GO: { actions: Array.from({ length: count }, () => 'raise') }, LATER: { actions: 'seen' } } },
    implementations: { actions: { raise: raise({ type: 'LATER' }) } },
  };
  const image = compileMachine(machine, { fuel: 2 * QUEUE_MAX });
  for (const core of cores) {
    const handle = core.loadImage(image.bytes);
    const instance = core.exports.create(handle);
    core.exports.start(instance, 0);
    const before = core.digest(instance);
    expect(core.exports.step(instance, image.symbols.events.indexOf('GO'), QUIET)).toBe(result);
    expect(core.digest(instance)).toBe(before);
  }
});
