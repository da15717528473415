// Programs of the core: against the plain evaluator for random expressions, mutated bytecode, and what keeps strings and trees alive.

import { expect, test } from 'vitest';
import { assign, createMachine } from 'xstate';
import * as layout from '../../assembly/layout.ts';
import { compile, type Image } from '../../compiler/compile.ts';
import { fromXState } from '../../compiler/dialects/xstate5.ts';
import { evaluateWrites, ExpressionFault, type Scope } from '../../compiler/expression/evaluate.ts';
import type { Lowered } from '../../compiler/expression/program.ts';
import type { Expression, Value } from '../../compiler/expression/tree.ts';
import { CALLS } from '../../core/calls.ts';
import { LockstepError } from '../../core/errors.ts';
import { Instance } from '../../core/instance.ts';
import type { EventObject, Json } from '../../core/json.ts';
import { Machine } from '../../core/machine.ts';
import { applyPatch } from '../../core/patch.ts';
import { isSame, plain } from '../../core/plain.ts';
import { now, random as draw, uuid } from '../../core/chance.ts';
import { enterStamp, leaveStamp } from '../../core/stamp.ts';
import { hashText, xxh64 } from '../../core/xxh64.ts';
import * as bytecode from '../../assembly/program-layout.ts';
import { allCores, testCore } from '../support/core.ts';
import { ExpressionMaker, randomJson } from '../support/random-expression.ts';
import { random, seedOf, type Random } from '../support/random.ts';

const LONG = process.env['LONG'] !== undefined;
const STAMP = { now: 1_700_000_000_000, seed: 0x1234_5678_9abc, salt: 'i/1/2' };
const KEYS = ['count', 'name', 'b', 'items', 'a', 'result'];
const FUNCTIONS = 12;

/** A machine whose event `E${i}` assigns what the i-th expression writes. */
function imageOf(writes: readonly Expression[]): Image {
  const on = Object.fromEntries(writes.map((_, i) => [`E${i}`, { actions: assign({}) }]));
  const lowered = new Map<string, Lowered>(writes.map((expression, i) => [`/states/one/on/E${i}/actions`, { expression }]));
  const context = { count: 0, name: '', b: false, items: [], a: {}, result: 0 };
  const config = { id: 'm', context, initial: 'one', states: { one: { on }, other: {} } };
  const image = compile(fromXState(createMachine(config as never)), { lowered });
  expect(image.obstacles).toEqual([]);
  return image;
}

function randomContext(dice: Random): Json {
  const given = {
    count: dice.below(5),
    name: dice.pick(['', 'a', 'né', 'a,b']),
    b: dice.chance(0.5),
    items: Array.from({ length: dice.below(4) }, () => randomJson(dice, 1)),
    a: { count: 1, items: [1, 2], name: 'x' },
    result: randomJson(dice),
  };
  return plain(Object.fromEntries(Object.entries(given).filter(() => dice.chance(0.9))), '');
}

/** What the oracle makes of it: the next context, or that it is a fault. */
function expected(expression: Expression, context: Json, event: EventObject): Json | 'fault' {
  const scope: Scope = {
    roots: { context, event: event as unknown as Json },
    stamp: { now, random: draw, uuid },
    isIn: (state) => state === 'm.one' || state === 'm',
  };
  enterStamp(STAMP);
  try {
    const after = { ...(context as Record<string, Value>) };
    for (const [key, value] of evaluateWrites(expression, scope)) {
      if (value === undefined) delete after[key];
      else after[key] = value;
    }
    return plain(after, '');
  } catch (error) {
    if (error instanceof ExpressionFault || (error instanceof LockstepError && error.code === 'NOT_JSON')) return 'fault';
    throw error;
  } finally {
    leaveStamp();
  }
}

test('[CORE-13] a program comes to what the plain evaluator says, on all builds, and a fault changes nothing', async () => {
  const dice = random(seedOf('random expressions'));
  const cores = await allCores();
  let values = 0;
  let faults = 0;
  for (let round = 0; round < (LONG ? 3_000 : 120); round++) {
    const maker = new ExpressionMaker(dice, ['m', 'm.one', 'm.other']);
    const writes = Array.from({ length: FUNCTIONS }, (_, i): Expression => {
      if (i % 4 === 3) return maker.writes(KEYS, 3);
      return { kind: 'object', fields: [{ key: 'result', value: maker.any(4) }] };
    });
    const image = imageOf(writes);
    const instances = cores.map((core) => Instance.create(Machine.load(core, image.bytes)));
    for (const instance of instances) instance.start(undefined, STAMP);
    for (let i = 0; i < FUNCTIONS * 3; i++) {
      const number = i % FUNCTIONS;
      const context = randomContext(dice);
      const event = plain(
        { type: `E${number}`, count: dice.below(9), name: 'né', items: [3, 'a'], a: randomJson(dice), b: true },
        '',
      ) as unknown as EventObject;
      const after = expected(writes[number]!, context, event);
      for (const instance of instances) {
        instance.context = context;
        const before = instance.digest();
        let found: Json = 'fault';
        try {
          const outcome = instance.step(event, STAMP);
          found = instance.context;
          expect(isSame(applyPatch(context, outcome.patch), found)).toBe(true);
        } catch (error) {
          if (!(error instanceof LockstepError) || (error.code !== 'EXPRESSION' && error.code !== 'NOT_JSON')) throw error;
          expect([instance.context, instance.digest()]).toEqual([context, before]);
        }
        if (!isSame(found, after))
          expect({ found, writes: writes[number], context, event }).toEqual({ found: after, writes: writes[number], context, event });
      }
      if (after === 'fault') faults++;
      else values++;
    }
    expect(new Set(instances.map((instance) => instance.digest())).size).toBe(1);
    for (const instance of instances) instance.dispose();
  }
  expect(values).toBeGreaterThan(1_000);
  expect(faults).toBeGreaterThan(200);
});

test('[CORE-14] an element too many, a value too large and a text too long are faults, not hangs', async () => {
  const root = (key: string): Expression => ({ kind: 'member', of: { kind: 'root', name: 'context' }, key, optional: false });
  const thousand: Expression = { kind: 'literal', value: Array.from({ length: 1_001 }, (_, i) => i) };
  const isAny: Expression = { kind: 'each', method: 'some', of: thousand, arity: 1, body: { kind: 'literal', value: true } };
  const set = (key: string, value: Expression): Expression => ({ kind: 'object', fields: [{ key, value }] });
  const image = imageOf([
    set('result', { kind: 'each', method: 'map', of: thousand, arity: 1, body: isAny }),
    set('a', { kind: 'array', items: [{ value: root('a') }, { value: root('a') }] }),
    set('name', { kind: 'binary', operator: '+', left: root('name'), right: root('name') }),
  ]);
  const instance = Instance.create(Machine.load(await testCore(), image.bytes));
  instance.start(undefined, STAMP);
  expect(() => instance.step({ type: 'E0' }, STAMP)).toThrow('more than 1000000 elements');
  const grow = (type: string, limit: number): void => {
    for (let i = 0; i < limit; i++) instance.step({ type }, STAMP);
  };
  expect(() => grow('E1', 40)).toThrow(LockstepError);
  instance.context = { name: 'x' };
  expect(() => grow('E2', 40)).toThrow('at most 1000000 characters');
  expect((instance.context as { name: string }).name.length).toBeGreaterThan(100_000);
});

test('[CORE-14] 20,000 images with mutated programs neither trap nor hang nor write outside their own memory', async () => {
  const dice = random(seedOf('mutated programs'));
  const core = await testCore();
  const { exports } = core;
  const maker = new ExpressionMaker(dice, ['m', 'm.one', 'm.other']);
  const images = Array.from({ length: 20 }, () =>
    imageOf(
      Array.from({ length: 6 }, (_, i) =>
        i % 2 === 0 ? maker.writes(KEYS, 3) : { kind: 'object' as const, fields: [{ key: 'result', value: maker.any(4) }] },
      ),
    ),
  );
  const canaries = [exports.allocate(4_096), 0];
  let refused = 0;
  let ran = 0;
  let results = 0;
  for (let round = 0; round < 20_000; round++) {
    const image = images[round % images.length]!;
    const mutant = mutated(dice, image.bytes);
    let handle: number;
    try {
      handle = core.loadImage(mutant);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'BAD_IMAGE') throw error;
      refused++;
      continue;
    }
    if (canaries[1] === 0) canaries[1] = exports.allocate(4_096);
    for (const canary of canaries) core.bytes.fill(0xa5, canary, canary! + 4_096);
    try {
      core.programs!.take(handle, exports.stride(handle), image.symbols);
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'BAD_IMAGE') throw error;
    }
    const eventCount = core.words[(handle + layout.IMAGE_EVENT_COUNT) >>> 2]!;
    core.host = {
      guard: () => dice.below(2),
      action: () => dice.below(eventCount),
      eventOf: () => ({ type: 'E0', count: 3, name: 'a', items: [1, 2] }),
      input: () => undefined,
      cells: () => KEYS,
      result: () => dice.below(eventCount),
    };
    const instance = exports.create(handle);
    enterStamp(STAMP);
    exports.start(instance, 0);
    for (let i = 0; i < 20; i++) if (exports.step(instance, dice.below(eventCount), i % 2 === 0 ? 0 : layout.QUIET) > 0) results++;
    exports.can(instance, dice.below(eventCount));
    leaveStamp();
    for (const canary of canaries) expect(core.bytes.subarray(canary, canary! + 4_096).every((byte) => byte === 0xa5)).toBe(true);
    exports.destroy(instance);
    expect(exports.unload(handle)).toBe(0);
    ran++;
  }
  expect(refused).toBeGreaterThan(2_000);
  expect(ran).toBeGreaterThan(2_000);
  expect(results).toBeGreaterThan(1_000);
});

/** A few bytes changed, most of them in programs, code and constants; the hash fits. */
function mutated(dice: Random, image: Uint8Array): Uint8Array {
  const mutant = image.slice();
  const view = new DataView(mutant.buffer);
  const from = view.getUint32(layout.IMAGE_PROGRAMS, true);
  const to = view.getUint32(layout.IMAGE_SYMBOLS, true);
  for (let count = 1 + dice.below(3); count > 0; count--) {
    const at = dice.chance(0.85)
      ? from + dice.below(to - from)
      : dice.chance(0.5)
        ? layout.IMAGE_PROGRAMS + dice.below(32)
        : dice.below(mutant.length);
    mutant[at] = dice.chance(0.6) ? dice.below(70) : dice.pick([0, 1, 2, 255, 127]);
  }
  const hashed = view.getUint32(layout.IMAGE_HASHED_SIZE, true);
  if (hashed <= mutant.length) view.setBigUint64(layout.IMAGE_HASH, xxh64(mutant.subarray(layout.IMAGE_SEMANTICS, hashed)), true);
  return mutant;
}

test('[CORE-15] an image with programs for some functions of a step and not for others is refused', async () => {
  const image = imageOf([{ kind: 'object', fields: [{ key: 'count', value: { kind: 'literal', value: 1 } }] }]);
  const bytes = image.bytes.slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(view.getUint32(layout.IMAGE_PROGRAMS, true) + bytecode.PROGRAM_LENGTH, 0, true);
  view.setBigUint64(layout.IMAGE_HASH, xxh64(bytes.subarray(layout.IMAGE_SEMANTICS, view.getUint32(layout.IMAGE_HASHED_SIZE, true))), true);
  expect(hashText(view.getBigUint64(layout.IMAGE_HASH, true))).not.toBe(image.hash);
  const core = await testCore();
  expect(() => Machine.load(core, bytes)).toThrow('expected assign at /states/one/on/E0/actions to be one');
});

test('[CORE-16] strings and trees live as long as a cell holds them', async () => {
  const core = await testCore();
  const values = core.programs!.values;
  const key = (name: string): Expression => ({ kind: 'member', of: { kind: 'root', name: 'event' }, key: name, optional: false });
  const image = imageOf([
    {
      kind: 'object',
      fields: [
        { key: 'name', value: key('name') },
        { key: 'items', value: { kind: 'array', items: [{ value: key('name') }] } },
      ],
    },
  ]);
  const machine = Machine.load(core, image.bytes);
  const instances = Array.from({ length: 20 }, () => Instance.create(machine));
  for (const instance of instances) instance.start(undefined, STAMP);
  const atFirst = values.size;
  for (let i = 0; i < 2_000; i++) instances[i % 20]!.step({ type: 'E0', name: `name ${i}` }, STAMP);
  // A name and a list each, and what the last step let go.
  expect(values.size - atFirst).toBeLessThan(20 * 2 + 10);
  const copy = Instance.create(machine);
  copy.copyFrom(instances[3]!);
  for (const instance of instances) instance.dispose();
  for (let i = 0; i < 3; i++) copy.step({ type: 'E0', name: 'last' }, STAMP);
  expect(copy.context).toMatchObject({ name: 'last', items: ['last'] });
  copy.dispose();
  const other = Instance.create(machine);
  other.start(undefined, STAMP);
  for (let i = 0; i < 2; i++) other.step({ type: 'E0', name: 'x' }, STAMP);
  expect(values.size).toBeLessThanOrEqual(atFirst);
});

test('[CORE-13] the numbers of functions are part of the format', () => {
  expect(CALLS.length).toBe(bytecode.CALL_COUNT);
  expect(new Set(CALLS).size).toBe(CALLS.length);
  expect([CALLS[0], CALLS[15], CALLS.at(-1)]).toEqual(['now', 'string', 'typeof']);
});
