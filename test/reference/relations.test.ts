// The core beside the slow resolver: random machines with every relation and handlers that refuse, and all relations among three states.
// SEED=n npx vitest run test/reference/relations.test.ts repeats a run; LONG=1 makes it a long one.

import { expect, test } from 'vitest';
import type { Schema } from '../../compiler/index.ts';
import type { Mutation } from '../../core/mutation.ts';
import { bothCores } from '../support/core.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { rig, STAMP, type Rig } from '../support/relational.ts';
import { mutate, type Kind, type Relation, type Relations, type Ticks } from './relations.ts';

const [wasm, typescript] = await bothCores();
const LONG = process.env['LONG'] !== undefined;
const MACHINES = LONG ? 10_000 : 150;
const MUTATIONS = 25;
const KINDS: readonly Kind[] = ['add', 'add', 'add', 'remove', 'set', 'toggle', 'exception'];
const EXCEPTION: Relation = { add: [], remove: [], require: [], after: [], isAuto: false, isMulti: true };

/** With or without a silent state; no state requires what it removes, which the compiler refuses. */
function randomRelations(dice: Random): Relations {
  const names = ['Heartbeat', ...'ABCDEFGH'].slice(dice.below(2), 3 + dice.below(7));
  const pick = (name: string, chance: number): string[] => names.filter((other) => other !== name && dice.chance(chance));
  const [adding, removing, requiring] = [dice.below(4), dice.below(4), dice.below(4)].map((weight) => weight * 0.1) as [
    number,
    number,
    number,
  ];
  const states = names.map((name): [string, Relation] => {
    const require = pick(name, requiring);
    const add = pick(name, adding);
    const remove = pick(name, removing).filter((other) => !require.includes(other) && !add.includes(other));
    return [name, { add, remove, require, after: pick(name, 0.2), isAuto: dice.chance(0.25), isMulti: dice.chance(0.2) }];
  });
  return new Map([...states, ['Exception', EXCEPTION]]);
}

function schemaOf(relations: Relations): Schema {
  return Object.fromEntries(
    [...relations].map(([name, { isAuto, isMulti, ...lists }]) => [name, { ...lists, auto: isAuto, multi: isMulti }] as const),
  );
}

/** What the core makes of it, in the shape of the reference. */
function ofCore(
  machine: Rig,
  kind: Kind,
  states: readonly string[],
): { isMade: boolean; ticks: readonly number[]; log: readonly string[] } {
  machine.log.length = 0;
  const event = { type: `relational.${kind}`, states } as Mutation;
  const outcome = machine.instance.step(event, STAMP, { isInternal: true });
  const finals = outcome.effects.map(({ name }) => name.slice(name.lastIndexOf('/') + 1));
  return { isMade: outcome.taken, ticks: machine.instance.save().clocks.slice(1), log: [...machine.log, '|', ...finals] };
}

function sorted(ticks: Ticks): readonly number[] {
  return [...ticks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tick]) => tick);
}

/** Of the long runs, on a busy machine. */
const LONGEST = { timeout: 3_600_000 };

test(
  '[REL-38] random machines: the core and the slow resolver make the same of every mutation, handlers and their order included',
  LONGEST,
  () => {
    const dice = random(seedOf('slow resolver'));
    const seen = { made: 0, cancelled: 0, automatic: 0, refused: 0 };
    for (let i = 0; i < MACHINES; i++) {
      const relations = randomRelations(dice);
      const names = [...relations.keys()];
      const handlers = names.flatMap((name) => [`${name}Enter`, `${name}Exit`, ...names.map((other) => name + other)]);
      const answers = Object.fromEntries([...handlers, 'AnyEnter'].map((handler) => [handler, !dice.chance(0.04)]));
      const machine = rig(i % 2 === 0 ? wasm : typescript, schemaOf(relations), answers);
      let ticks: Ticks = new Map(names.map((name) => [name, 0]));
      for (let n = 0; n < MUTATIONS; n++) {
        const kind = dice.pick(KINDS);
        const states = [...new Set(Array.from({ length: 1 + dice.below(3) }, () => dice.pick(names)))];
        const expected = mutate(relations, ticks, { kind, states }, (handler) => answers[handler] ?? true);
        const found = ofCore(machine, kind, states);
        const told = { isMade: expected.isMade, ticks: sorted(expected.ticks), log: [...expected.asked, '|', ...expected.finals] };
        expect([schemaOf(relations), kind, states, found]).toEqual([schemaOf(relations), kind, states, told]);
        ticks = expected.ticks;
        seen[expected.isMade ? 'made' : 'cancelled'] += 1;
        if (expected.finals.filter((name) => name === 'AnyState').length === 2) seen.automatic += 1;
        if (!expected.isMade && expected.asked.length > 0) seen.refused += 1;
      }
      machine.instance.dispose();
    }
    // Each of them happens, often.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(MACHINES / 3);
  },
);

const TRIO = ['A', 'B', 'C'] as const;
const PAIRS = TRIO.flatMap((from) => TRIO.filter((to) => to !== from).map((to) => [from, to] as const));
const CHOICES = ['none', 'add', 'remove', 'require'] as const;

test('[REL-38] all relations among three states, in every configuration that they allow', LONGEST, () => {
  const subsets = Array.from({ length: 7 }, (_, index) => TRIO.filter((_name, bit) => (((index + 1) >>> bit) & 1) === 1));
  // Without LONG every seventeenth of the 4,096 graphs, each time others.
  const step = LONG ? 1 : 17;
  const first = LONG ? 0 : random(seedOf('three states')).below(step);
  let compared = 0;
  for (let graph = first; graph < CHOICES.length ** PAIRS.length; graph += step) {
    const chosen = PAIRS.map(([from, to], index) => ({ from, to, relation: CHOICES[(graph >>> (2 * index)) & 3]! }));
    const listOf = (name: string, relation: string): string[] =>
      chosen.filter((each) => each.from === name && each.relation === relation).map(({ to }) => to);
    const relations: Relations = new Map([
      ...TRIO.map((name, index): [string, Relation] => [
        name,
        {
          add: listOf(name, 'add'),
          remove: listOf(name, 'remove'),
          require: listOf(name, 'require'),
          after: [],
          isAuto: index === graph % 4,
          isMulti: index === (graph >>> 2) % 4,
        },
      ]),
      ['Exception', EXCEPTION],
    ]);
    const machine = rig(wasm, schemaOf(relations));
    const base = machine.instance.save();
    // From nothing, breadth first: each configuration once.
    const found = new Map<string, Ticks>([['0000', new Map([...TRIO, 'Exception'].map((name) => [name, 0]))]]);
    for (const ticks of found.values()) {
      for (const kind of ['add', 'remove', 'set', 'toggle'] as const) {
        for (const states of subsets) {
          machine.instance.load({ ...base, clocks: [1, ...sorted(ticks)] }, 1);
          const expected = mutate(relations, ticks, { kind, states }, () => true);
          const real = ofCore(machine, kind, states);
          compared += 1;
          if (real.isMade !== expected.isMade || real.ticks.join() !== sorted(expected.ticks).join())
            expect([schemaOf(relations), [...ticks], kind, states, real]).toEqual([
              schemaOf(relations),
              [...ticks],
              kind,
              states,
              { isMade: expected.isMade, ticks: sorted(expected.ticks) },
            ]);
          const parity = sorted(expected.ticks).map((tick) => tick % 2);
          if (!found.has(parity.join('')))
            found.set(parity.join(''), new Map([...TRIO, 'Exception'].map((name, at) => [name, parity[at]!])));
        }
      }
    }
    machine.instance.dispose();
  }
  expect(compared).toBeGreaterThan(15_000);
});
