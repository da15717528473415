// Random relational machines: what must hold after every mutation, both builds in lock-step, and images that were broken on purpose.
// SEED=n npx vitest run test/unit/relational-random.test.ts repeats a run; LONG=1 makes it a long one.

import { expect, test } from 'vitest';
import { FUEL_MAX, IMAGE_HASH, IMAGE_HASHED_SIZE, IMAGE_SEMANTICS, MUTATION_EXCEPTION } from '../../assembly/layout.ts';
import { compileMachine, type RelationalState, type Schema } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { mutation } from '../../core/mutation.ts';
import { bothCores } from '../support/core.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { rig, STAMP } from '../support/relational.ts';

const [wasm, typescript] = await bothCores();
const LONG = process.env['LONG'] !== undefined;
const MACHINES = LONG ? 20_000 : 120;
const KINDS = ['add', 'add', 'add', 'remove', 'set', 'toggle'] as const;

type Relation = 'require' | 'add' | 'remove' | 'after';

function randomSchema(dice: Random, relations: readonly Relation[] = ['require', 'add', 'remove', 'after']): Schema {
  const names = 'ABCDEFGHIJ'.slice(0, 2 + dice.below(9)).split('');
  return Object.fromEntries(
    names.map((name) => {
      const state: Record<string, unknown> = { multi: dice.chance(0.2), auto: relations.length > 1 && dice.chance(0.2) };
      for (const relation of relations)
        state[relation] = names.filter((other) => other !== name && dice.chance(relation === 'add' ? 0.2 : 0.12));
      const { require, remove } = state as { readonly require?: readonly string[]; readonly remove?: readonly string[] };
      if (remove !== undefined) state['remove'] = remove.filter((other) => require?.includes(other) !== true);
      return [name, state as RelationalState];
    }),
  );
}

function violations(schema: Schema, active: ReadonlySet<string>): string[] {
  return [...active].flatMap((name) => {
    const { require, remove, add } = (schema[name] ?? {}) as { readonly [relation in Relation]?: readonly string[] };
    const unmet = (require ?? []).filter((needed) => !active.has(needed)).map((needed) => `${name} without ${needed}`);
    const together = (remove ?? []).filter((gone) => active.has(gone) && add?.includes(gone) !== true);
    return [...unmet, ...together.map((gone) => `${name} beside ${gone}`)];
  });
}

function call(dice: Random, names: readonly string[]): string[] {
  return [...new Set(Array.from({ length: 1 + dice.below(3) }, () => dice.pick(names)))];
}

test('[REL-3] [REL-4] [REL-10] after every mutation all relations hold, and both builds made the same of it', () => {
  const dice = random(seedOf('relational machines'));
  for (let i = 0; i < MACHINES; i++) {
    const schema = randomSchema(dice);
    const names = Object.keys(schema);
    const [one, other] = [rig(wasm, schema), rig(typescript, schema)];
    for (let n = 0; n < 30; n++) {
      const [kind, called] = [dice.pick(KINDS), call(dice, names)];
      const before = one.instance.digest();
      const isMade = one.mutate(kind, called.join(' '));
      expect(other.mutate(kind, called.join(' '))).toBe(isMade);
      expect(other.instance.digest()).toBe(one.instance.digest());
      if (!isMade) expect(one.instance.digest()).toBe(before);
      expect(violations(schema, new Set(one.active().split(' ')))).toEqual([]);
    }
    one.instance.dispose();
    other.instance.dispose();
  }
});

test('[REL-2] with nothing in the way, what is added is all that can be reached', () => {
  const dice = random(seedOf('relational machines that only add'));
  for (let i = 0; i < MACHINES; i++) {
    const schema = randomSchema(dice, ['add']);
    const machine = rig(wasm, schema);
    const called = call(dice, Object.keys(schema));
    machine.mutate('add', called.join(' '));
    const reached = new Set(called);
    for (const name of reached) for (const other of (schema[name]!.add ?? []) as readonly string[]) reached.add(other);
    expect([schema, called, machine.active()]).toEqual([schema, called, [...reached].sort().join(' ')]);
    machine.instance.dispose();
  }
});

test('[REL-7] [REL-10] a recorded mutation runs again elsewhere from what its handlers said, without them', () => {
  const dice = random(seedOf('relational machines with handlers'));
  for (let i = 0; i < MACHINES / 10; i++) {
    const schema = randomSchema(dice);
    const names = Object.keys(schema);
    const answers = Object.fromEntries(
      names.flatMap((name) => [`${name}Enter`, `${name}Exit`, `${name}${dice.pick(names)}`].map((each) => [each, !dice.chance(0.15)])),
    );
    const here = rig(wasm, schema, answers);
    const there = Instance.create(Machine.load(typescript, here.instance.machine.bytes));
    there.load(here.instance.save(), here.instance.seq);
    for (let n = 0; n < 20; n++) {
      const [kind, called] = [dice.pick(KINDS), call(dice, names)];
      const outcome = here.step(kind, called.join(' '));
      const again = there.replay(mutation(kind, called), STAMP, outcome.host);
      expect([again.taken, again.clocks, there.digest()]).toEqual([outcome.taken, outcome.clocks, here.instance.digest()]);
      expect(again.effects.map(({ fn }) => fn)).toEqual(outcome.effects.map(({ fn }) => fn));
    }
    here.instance.dispose();
    there.dispose();
  }
});

test('[REL-11] mutated images neither trap nor hang nor write outside their own memory', () => {
  const dice = random(seedOf('mutated relational images'));
  const names = 'ABCDEFGHIJ'.split('');
  const handlers = Object.fromEntries(
    names.flatMap((name) => ['Exit', 'Enter', 'State', 'End', name].map((end) => [name + end, () => true])),
  );
  const states: Schema = Object.fromEntries(
    names.map((name, i) => [
      name,
      { add: names[i + 1] ?? 'A', remove: names[(i + 4) % 10]!, require: i > 6 ? 'A' : [], auto: i % 3 === 0, multi: i % 2 === 0 },
    ]),
  );
  const { bytes } = compileMachine(
    { dialect: 'relational', id: 'm', states, handlers: { ...handlers, AnyEnter: () => true, AB: () => true } },
    { fuel: FUEL_MAX },
  );
  const { exports } = wasm;
  const canary = exports.allocate(4_096);
  let [refused, ran] = [0, 0];
  for (let round = 0; round < (LONG ? 100_000 : 4_000); round += 1) {
    const mutant = bytes.slice();
    for (let count = 1 + dice.below(4); count > 0; count -= 1)
      mutant[dice.below(mutant.length)] = dice.chance(0.5) ? dice.below(256) : dice.pick([0, 1, 255, 127]);
    const size = Math.min(new DataView(mutant.buffer).getUint32(IMAGE_HASHED_SIZE, true), mutant.length);
    const copy = exports.allocate(mutant.length);
    wasm.bytes.set(mutant, copy);
    exports.hash(copy + IMAGE_SEMANTICS, Math.max(0, size - IMAGE_SEMANTICS), 0, 0, copy);
    mutant.set(wasm.bytes.subarray(copy, copy + 8), IMAGE_HASH);
    exports.release(copy, mutant.length);
    let image: number;
    try {
      image = wasm.loadImage(mutant);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'BAD_IMAGE') throw error;
      refused += 1;
      continue;
    }
    wasm.bytes.fill(0xa5, canary, canary + 4_096);
    wasm.host = { guard: () => (dice.chance(0.2) ? 0 : 1), action: () => 0 };
    const instance = exports.create(image);
    exports.start(instance, 0);
    for (let i = 0; i < 20; i += 1) {
      const at = exports.called() >>> 2;
      const count = 1 + dice.below(3);
      wasm.words[at] = dice.chance(0.05) ? dice.below(0x7fff_ffff) : count;
      for (let k = 1; k <= count; k += 1) wasm.words[at + k] = dice.chance(0.05) ? dice.below(0x7fff_ffff) : 1 + dice.below(11);
      exports.step(instance, dice.below(MUTATION_EXCEPTION + 2), 0);
    }
    ran += 1;
    expect(wasm.bytes.subarray(canary, canary + 4_096).every((byte) => byte === 0xa5)).toBe(true);
    exports.destroy(instance);
    exports.unload(image);
  }
  expect([ran > 300, refused > 1_000]).toEqual([true, true]);
});

/** What is written, the path at which it is refused, and a word of the reason. */
const REFUSED: readonly (readonly [unknown, string, string])[] = [
  [{ states: { A: { require: 'B' } } }, '/states/A/require/0', "'B'"],
  [{ states: { A: { add: ['A', 'B'] } } }, '/states/A/add/1', "'B'"],
  [{ states: { A: { remove: ['X'] }, B: {} } }, '/states/A/remove/0', "'X'"],
  [{ states: { A: { after: 3 } } }, '/states/A/after', 'names of states'],
  [{ states: { A: { require: 'B', remove: 'B' }, B: {} } }, '/states/A/remove/0', 'both requires and removes'],
  [{ states: { A: { auto: 1 } } }, '/states/A/auto', 'true or false'],
  [{ states: { A: { adds: 'B' } } }, '/states/A/adds', 'no relation'],
  [{ states: { A: { publicArgs: false } } }, '/states/A/publicArgs', 'true or names of args'],
  [{ states: { A: { publicArgs: ['x', 1] } } }, '/states/A/publicArgs', 'true or names of args'],
  [{ states: { Any: {} } }, '/states/Any', 'cannot name a state'],
  [{ states: { m: {} } }, '/states/m', 'cannot name a state'],
  [{ states: { A: {} }, names: ['A', 'B'] }, '/names/1', "'B'"],
  [{ states: { A: {}, B: {} }, names: ['A'] }, '/names', "'B' is missing"],
  [{ states: { A: {} }, names: ['A', 'A'] }, '/names/1', 'twice'],
  [{ states: { A: {} }, handlers: { BEnter: () => true } }, '/handlers/BEnter', 'about no state'],
  [{ states: { A: {} }, handlers: { AEnter: true } }, '/handlers/AEnter', 'expected a function'],
  [{ states: { A: {}, B: {}, AB: {}, BEnter: {} }, handlers: [{}, { ABEnter: () => true }] }, '/handlers/1/ABEnter', 'can be read as'],
];

test.each(REFUSED)('[REL-12] %j is refused', (written, path, reason) => {
  let found: unknown;
  try {
    compileMachine({ dialect: 'relational', id: 'm', ...(written as object) });
  } catch (error) {
    found = error;
  }
  expect(found).toMatchObject({ code: 'BAD_DEFINITION' });
  expect((found as LockstepError).message).toContain(`machine 'm', ${path}: `);
  expect((found as LockstepError).message).toContain(reason);
});

test('[REL-12] a mutation that names no state is refused with its place, and an exception that somebody sends', () => {
  const config = { dialect: 'relational', id: 'm', states: { A: {} } };
  const image = compileMachine(config);
  const instance = Instance.create(Machine.load(wasm, image.bytes, bind(image.symbols, config)));
  instance.start(undefined, STAMP);
  const before = instance.digest();
  for (const states of [
    ['A', 'Z'],
    ['A', 7],
    ['A', 'm'],
    ['A', null],
  ])
    expect(() => instance.step({ type: 'relational.add', states }, STAMP)).toThrow('/states/1 names no state');
  expect(() => instance.step({ type: 'relational.add' }, STAMP)).toThrow('/states is no list of names');
  for (const type of ['relational.exception', 'relational.auto', 'other'])
    expect(() => instance.step({ type, states: ['A'] }, STAMP)).toThrow(`takes no event "${type}"`);
  expect([instance.digest(), instance.seq]).toEqual([before, 1]);
});
