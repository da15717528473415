// JSON with expression slots: templates, and whole machines of XState 6's JSON that run hosted and lower whole.

import { expect, test } from 'vitest';
import { bind } from '../../core/bind.ts';
import { compileMachine, defineMachine } from '../../compiler/index.ts';
import { printExpression } from '../../compiler/expression/print.ts';
import { fromTemplate } from '../../compiler/expression/template.ts';
import { lowerFunctions } from '../../compiler/lowering/machine.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { testCore } from '../support/core.ts';

test.each<[unknown, string]>([
  [{ '@expr': 'context.count + 1' }, 'context.count + 1'],
  [{ a: 1, b: ['x', { '@expr': 'event.id' }] }, '{ a: 1, b: ["x", event.id] }'],
  [{ '@expr': 'ctx.n > 1', '@lang': 'rstmdb' }, '(let x0 = context.n; typeof x0 === "number" && x0 > 1)'],
  ['context.count', '"context.count"'],
  [null, 'null'],
])('[EXPR-13] %j', (template, expected) => {
  expect(printExpression(fromTemplate(template, '/here'))).toBe(expected);
});

test.each<[unknown, string]>([
  [{ a: [{ '@expr': '1 +' }] }, '/here/a/0, at 3: expected a value, found the end'],
  [{ '@expr': '1', '@lang': 'jsonata' }, "/here: @lang is one of lockstep, rstmdb, found 'jsonata'"],
  [{ '@expr': '1', more: 2 }, "/here: expected @expr and @lang alone, found 'more' beside them"],
  [{ '@expr': 5 }, '/here: @expr is a text, found 5'],
  [{ '@code': '() => 1' }, '/here: @code holds a function; expected @expr'],
  [{ '@expr': "in('m')" }, '/here: in() has no states to ask about here'],
])('[EXPR-13] refused: %j', (template, message) => {
  expect(() => fromTemplate(template, '/here')).toThrow(message);
});

const SHOP = {
  id: 'shop',
  '@exprLang': 'lockstep',
  initial: 'open',
  context: { items: [], total: 0 },
  guards: { isRich: { when: { '@expr': 'context.total > params.than' } } },
  actions: { reset: { type: '@xstate.assign', context: { items: [], total: 0 } } },
  delays: { soon: { duration: { '@expr': 'context.total * 10' } } },
  states: {
    open: {
      on: {
        ADD: {
          guard: { '@expr': 'event.price >= 0' },
          context: { total: { '@expr': 'context.total + event.price' }, items: { '@expr': 'append(context.items, [], event.name)' } },
        },
        CLOSE: {
          target: 'closed',
          guard: { type: 'isRich', params: { than: 5 } },
          actions: [{ type: '@xstate.raise', event: { type: 'DONE', of: { '@expr': 'context.total' } } }],
        },
        RESET: { actions: [{ type: 'reset' }] },
      },
    },
    closed: { after: { soon: 'open' }, on: { DONE: { context: { total: { '@expr': '-event.of' } } } } },
  },
};

test('[EXPR-13] a machine as JSON runs, and all of its functions are lowered', async () => {
  const machine = defineMachine(SHOP);
  const { symbols } = compileMachine(SHOP);
  const { reports, obstacles, functions } = lowerFunctions(symbols, machine);
  expect(obstacles).toEqual([]);
  expect(reports.filter(({ outcome }) => outcome.kind === 'hosted')).toEqual([]);
  expect(functions.size).toBe(symbols.functions.length);

  const { bytes } = compileMachine(machine);
  const shop = Instance.create(Machine.load(await testCore(), bytes, bind(symbols, machine)));
  const stamp = { now: 0, seed: 0, salt: '' };
  const after = (event: { readonly type: string }): unknown => {
    shop.step(event, stamp);
    return [shop.snapshot().value, shop.context];
  };
  shop.start(undefined, stamp);
  after({ type: 'ADD', name: 'tea', price: -1 } as never);
  expect(after({ type: 'ADD', name: 'tea', price: 3 } as never)).toEqual(['open', { items: ['tea'], total: 3 }]);
  expect(after({ type: 'CLOSE' })).toEqual(['open', { items: ['tea'], total: 3 }]);
  after({ type: 'ADD', name: 'jam', price: 4 } as never);
  expect(after({ type: 'CLOSE' })).toEqual(['closed', { items: ['tea', 'jam'], total: -7 }]);
});

test.each<[object, string]>([
  [{ states: { a: { type: 'choice', choice: [] } } }, '/states/a/choice: XState 5 has no choice of states'],
  [{ states: { a: { on: { GO: { matches: {} } } } } }, '/states/a/on/GO/matches: XState 5 has no matches of transitions'],
  [{ always: { '@expr': '1' } }, '/always: a transition that an expression makes'],
  [{ entry: { type: '@xstate.what' } }, '/entry: the action @xstate.what is not known'],
  [{ entry: { type: '@xstate.assign', context: { a: { '@expr': 'b' } } } }, '/entry/context/a, at 0: expected one of context'],
  [{ on: { GO: { guard: 5 } } }, '/on/GO/guard: expected a guard with a type, or @expr, found 5'],
  [{ delays: { d: 'PT1H' } }, "/delays/d: a delay is a number of milliseconds or @expr, found 'PT1H'"],
  [{ invoke: { id: 'x' } }, '/invoke: expected an invoke with the name of its src, found an object'],
  [{ actions: { two: [] } }, '/actions/two: a name for several actions'],
])('[EXPR-13] refused: %j', (json, message) => {
  expect(() => defineMachine({ id: 'm', dialect: 'xstate6', ...json })).toThrow(message);
});
