// What `check` says of relational machines: the core resolves every mutation, relations that contradict one another are named.

import { expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import { testCore } from '../support/core.ts';

const core = await testCore();
const machine = (states: object, handlers: object = {}) => ({ dialect: 'relational', id: 'm', states, handlers });

test('[CHECK-12] the configurations of a relational machine are those that its relations allow', () => {
  const door = machine({ Open: { remove: 'Closed' }, Closed: { remove: 'Open' }, Locked: { require: 'Closed' } });
  // Nothing, open, closed, closed and locked.
  expect(check(core, door)).toMatchObject({ configurations: 4, findings: [], isComplete: true });
});

test('[CHECK-12] a state that needs two which exclude each other can never be active', () => {
  const { findings } = check(
    core,
    machine({ A: { require: 'B' }, B: { require: 'C' }, C: {}, D: { require: ['A', 'E'] }, E: { remove: 'C' } }),
  );
  expect(findings).toEqual([{ kind: 'conflict', path: '/states/D/require', state: 'D', between: ['E', 'C'], because: '/states/E/remove' }]);
});

test('[CHECK-12] what is added in vain is named, with what keeps it out', () => {
  const { findings } = check(core, machine({ A: { add: 'B' }, B: { require: 'C' }, C: { remove: 'A' } }));
  expect(findings).toEqual([
    { kind: 'conflict', path: '/states/A/add', state: 'A', adds: 'B', between: ['C', 'A'], because: '/states/C/remove' },
  ]);
});

test('[CHECK-12] states that need one another are called together; negotiation handlers answer both ways', () => {
  const pair = machine({ A: { require: 'B' }, B: { require: 'A' }, C: { require: 'A' } }, { CEnter: () => false, AExit: () => false });
  expect(check(core, pair)).toMatchObject({ configurations: 3, findings: [], questions: 2 });
});

test('[CHECK-12] conflicts are certain, also when not all configurations were looked at', () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`S${i}`, {}]));
  const report = check(core, machine({ ...many, A: { require: ['S0', 'B'] }, B: { remove: 'S0' } }), { configurationMax: 50 });
  expect(report).toMatchObject({ isComplete: false, findings: [{ kind: 'conflict', state: 'A', between: ['B', 'S0'] }] });
});
