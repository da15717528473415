// The relational stepper on both builds: the golden vectors and orders that asyncmachine-go's own tests assert, and the places where ours is
// right and its is not.

import { describe, expect, test } from 'vitest';
import type { Schema } from '../../compiler/index.ts';
import type { MutationKind } from '../../core/mutation.ts';
import { bothCores } from '../support/core.ts';
import { rig, type Rig } from '../support/relational.ts';

const cores = await bothCores();
const BUILDS = [
  ['wasm', cores[0]],
  ['dialect', cores[1]],
] as const;

function run(machine: Rig, script: string): boolean {
  return script.split(' · ').reduce((_, line) => {
    const [kind, ...states] = line.split(' ');
    return machine.mutate(kind as MutationKind, states.join(' '));
  }, true);
}

/** name, schema, mutations, whether the last is made, what is active then. */
const VECTORS: readonly (readonly [string, Schema, string, boolean, string])[] = [
  ['what is called beats what is active', { C: { remove: 'D' }, D: { remove: 'C' } }, 'add D · add C', true, 'C'],
  ['and the other way round', { C: { remove: 'D' }, D: { remove: 'C' } }, 'add D · add C · add D', true, 'D'],
  ['an active state keeps out what it removes', { Foo: { remove: 'Bar' }, Bar: {} }, 'add Foo · add Bar', false, 'Foo'],
  ['called together and removing each other', { A: { remove: 'B' }, B: { remove: 'A' } }, 'add A B', false, ''],
  ['one called removes the other', { A: {}, C: { remove: 'D' }, D: {} }, 'set D · set C D', false, 'D'],
  ['implied', { A: { remove: 'D' }, C: { add: 'D' }, D: {} }, 'set C', true, 'C D'],
  ['implied, but removed', { A: { remove: 'D' }, C: { add: 'D' }, D: {} }, 'set C · set A C', true, 'A C'],
  ['implied beats active in a set', { A: { remove: 'B' }, B: { remove: 'A' }, Z: { add: 'B' } }, 'add A · set Z', true, 'B Z'],
  [
    'what is active goes, and what it implied stays away',
    { Wet: { require: 'Water' }, Dry: { remove: 'Water' }, Water: { add: 'Wet', remove: 'Dry' } },
    'add Dry · add Water',
    true,
    'Water Wet',
  ],
  [
    'implied, and what kept it out goes',
    { A: { add: 'B', remove: 'C' }, B: {}, C: { remove: ['A', 'B'] } },
    'add A · add C · add A',
    true,
    'A B',
  ],
  [
    'what comes in late that way removes, too',
    { A: { add: 'B', remove: 'C' }, B: { remove: 'D' }, C: { remove: 'B' }, D: {} },
    'add C D · add A',
    true,
    'A B',
  ],
  ['unmet', { A: {}, C: { require: 'D' }, D: {} }, 'set A · set C A', false, 'A'],
  ['met', { A: {}, C: { require: 'D' }, D: {} }, 'set A · set C D', true, 'C D'],
  ['a state that goes takes along what requires it', { A: { require: 'B' }, B: { require: 'C' }, C: {} }, 'add A B C · remove C', true, ''],
  ['a state that removes itself does not', { D: { remove: 'D' } }, 'add D', true, 'D'],
  ['what it adds it does not remove', { A: { add: 'B', remove: 'B' }, B: {} }, 'add A', true, 'A B'],
  ['auto', { A: {}, B: { auto: true, require: 'A' } }, 'add A', true, 'A B'],
  ['auto, removed by an active state', { A: { remove: 'B' }, B: { auto: true } }, 'add A', true, 'A'],
  ['auto once more when the way is free', { A: { remove: 'B' }, B: { auto: true }, C: {} }, 'add A · remove A', true, 'B'],
  ['an automatic mutation brings no other', { A: { auto: true, require: 'B' }, B: { auto: true }, Z: {} }, 'add Z', true, 'A B Z'],
  [
    'auto behind what an automatic one implies',
    { A: { auto: true, require: 'C' }, B: { auto: true, add: 'C' }, C: {}, Z: {} },
    'add Z',
    true,
    'A B C Z',
  ],
  ['a heartbeat brings none', { Heartbeat: { multi: true }, B: { auto: true } }, 'add Heartbeat', true, 'Heartbeat'],
  [
    'a Multi state does not imply anew what was removed',
    { A: { multi: true, add: 'B', require: 'C' }, B: { require: 'C' }, C: {} },
    'set A B C · remove B',
    true,
    'A C',
  ],
];

describe.each(BUILDS)('%s', (_, core) => {
  test.each(VECTORS)('[REL-3] [REL-4] %s', (_name, schema, script, made, active) => {
    const machine = rig(core, schema);
    expect([run(machine, script), machine.active()]).toEqual([made, active]);
  });

  test('[REL-1] the clocks of the golden table', () => {
    const machine = rig(core, { A: {}, B: { multi: true }, C: {}, D: {} });
    const table = [
      ['add A B', 1, 1, 0, 0],
      ['add A B', 1, 3, 0, 0],
      ['add A B C', 1, 5, 1, 0],
      ['set D', 2, 6, 2, 1],
      ['add D C', 2, 6, 3, 1],
      ['remove B C', 2, 6, 4, 1],
      ['add A B', 3, 7, 4, 1],
      ['add C', 3, 7, 5, 1],
    ] as const;
    for (const [line, ...ticks] of table) {
      expect(run(machine, line)).toBe(true);
      expect([line, ...machine.ticks('A B C D')]).toEqual([line, ...ticks]);
    }
  });

  test('[REL-1] what is implied is not called: no +2', () => {
    const machine = rig(core, { A: { auto: true, require: 'C' }, B: { multi: true, add: 'C' }, C: { after: 'D' }, D: { add: ['C', 'B'] } });
    const table = [
      ['set A C', 1, 0, 1, 0],
      ['remove C', 2, 0, 2, 0],
      ['add B', 3, 1, 3, 0],
      ['add D', 3, 1, 3, 1],
    ] as const;
    for (const [line, ...ticks] of table) {
      run(machine, line);
      expect([line, ...machine.ticks('A B C D')]).toEqual([line, ...ticks]);
    }
  });

  test('[REL-7] the order of handlers, literally', () => {
    const machine = rig(core, { A: {}, B: {}, C: {} }, {});
    run(machine, 'add A B');
    run(machine, 'set C');
    expect(machine.log.join(' ')).toBe('AExit BExit CEnter AC BC AnyEnter | AEnd BEnd CState AnyState');
    run(machine, 'set A');
    run(machine, 'set A B');
    expect(machine.log.join(' ')).toBe('BEnter AA AB AnyEnter | BState AnyState');
    run(machine, 'add B');
    expect(machine.log.join(' ')).toBe('AA BB AB BA AnyEnter | AnyState');
    run(machine, 'remove B');
    expect(machine.log.join(' ')).toBe('BExit BA AnyEnter | BEnd AnyState');
  });

  test('[REL-5] behind what is required, then what it is after; both when entered and when left', () => {
    const required: Schema = {
      A: { auto: true, require: ['B', 'C'] },
      B: { auto: true, require: 'D' },
      C: { auto: true },
      D: { auto: true },
      Start: {},
    };
    const first = rig(core, required, {});
    run(first, 'add Start');
    expect(first.log.filter((name) => name.endsWith('State')).join(' ')).toBe('StartState AnyState DState BState CState AState AnyState');
    const after = rig(core, { A: { after: 'B' }, B: {}, C: { after: 'D' }, D: {} }, {});
    run(after, 'set A B');
    run(after, 'set C D');
    expect(after.log.join(' ')).toBe('BExit AExit DEnter CEnter BD BC AD AC AnyEnter | BEnd AEnd DState CState AnyState');
  });

  test('[REL-5] the order in which states are written decides nothing, and After reaches over what is not there', () => {
    const entries = Object.entries({ A: { after: 'B' }, B: { after: 'C' }, C: {}, D: { require: 'A' } } satisfies Schema);
    const orders = permutations(entries).map((written) => {
      const machine = rig(core, Object.fromEntries(written), {});
      run(machine, 'add A C');
      run(machine, 'add B D');
      return machine.log.join(' ');
    });
    expect(new Set(orders).size).toBe(1);
    const machine = rig(core, Object.fromEntries(entries), {});
    run(machine, 'add A C');
    expect(machine.log.join(' ')).toBe('CEnter AEnter AnyEnter | CState AState AnyState');
  });

  test.each(['CEnter', 'AExit', 'AC', 'AnyEnter'])('[REL-6] %s says no: nothing changes, and the step has its place', (name) => {
    const machine = rig(core, { A: {}, B: {}, C: {} }, { [name]: false });
    run(machine, 'add A');
    const { seq } = machine.instance;
    const before = machine.instance.digest();
    if (name === 'AnyEnter') expect(before).toBe(rig(core, { A: {}, B: {}, C: {} }, {}).instance.digest());
    expect(run(machine, 'set C')).toBe(false);
    expect([machine.instance.digest(), machine.instance.seq]).toEqual([before, seq + 1]);
    expect(machine.log.at(-1)).toBe('|');
  });

  test('[REL-8] an Auto state that is refused drops alone, whoever refuses', () => {
    const schema: Schema = { A: { auto: true }, B: { auto: true, remove: 'Z' }, C: { auto: true, add: 'E' }, E: {}, Y: {}, Z: {} };
    const active = (answers: Readonly<Record<string, boolean>>): string => {
      const machine = rig(core, schema, { AEnter: true, ...answers });
      // A first step without autos: they are refused, all of them.
      run(machine, 'add Z');
      return machine.active();
    };
    expect(active({})).toBe('A B C E');
    expect(active({ AEnter: false })).toBe('B C E');
    expect(active({ ZExit: false })).toBe('A C E Z');
    expect(active({ EEnter: false })).toBe('A B');
    expect(active({ ZA: false })).toBe('B C E');
    expect(active({ AEnter: false, BEnter: false, CEnter: false })).toBe('Z');
  });

  test('[REL-9] toggle', () => {
    const machine = rig(core, { A: {}, B: {} });
    run(machine, 'toggle A');
    run(machine, 'toggle A B');
    expect(machine.active()).toBe('A B');
    run(machine, 'toggle A B');
    expect(machine.ticks('A B')).toEqual([2, 2]);
  });

  test('[REL-2] Add goes as deep as it goes, where two levels were the end', () => {
    const machine = rig(core, { A: { add: 'B' }, B: { add: 'C' }, C: { add: 'D' }, D: { add: 'E' }, E: { add: 'A' } });
    expect([run(machine, 'add A'), machine.active()]).toEqual([true, 'A B C D E']);
  });

  test('[REL-2] an active Multi state implies again only when it is called again', () => {
    const machine = rig(core, { A: { multi: true, add: 'B' }, B: {}, C: {} });
    run(machine, 'add A · remove B · add C');
    expect(machine.active()).toBe('A C');
    run(machine, 'add A');
    expect(machine.active()).toBe('A B C');
  });

  test('[REL-3] what Add brings in late removes like the rest: the cases that broke Remove', () => {
    const circle: Schema = { A: { remove: ['B', 'C'] }, B: { add: 'C' }, C: { add: 'A' } };
    expect([run(rig(core, circle), 'add B'), run(rig(core, circle), 'add A')]).toEqual([false, true]);
    const deep = rig(core, { A: { add: 'B' }, B: { add: 'C' }, C: { remove: 'D' }, D: {} });
    run(deep, 'add D · add A');
    expect(deep.active()).toBe('A B C');
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) => permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]));
}
