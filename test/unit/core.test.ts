// The core by its exports: the two dialects in lock-step, images that nobody compiled, faults that change nothing, its size.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  COUNT,
  COVER,
  FAULT_BUSY,
  FAULT_EVENT,
  FAULT_INSTANCE,
  FAULT_MEMORY,
  FAULT_STATUS,
  IMAGE_HASH,
  IMAGE_HASHED_SIZE,
  IMAGE_HISTORY_COUNT,
  IMAGE_SEMANTICS,
  IMAGE_STATE_COUNT,
  IMAGE_TRANSITION_COUNT,
  INSTANCE_CONFIGURATION,
  INSTANCE_SEQ,
  INSTANCE_STATUS,
  QUIET,
  RECORD_ENTER,
  RECORD_TRANSITION,
  STEP_IGNORED,
  STEP_TAKEN,
  TRACE,
} from '../../assembly/layout.ts';
import { compileMachine } from '../../compiler/index.ts';
import { LockstepError } from '../../core/errors.ts';
import type { Core } from '../../core/wasm.ts';
import { randomChart } from '../differential/chart.ts';
import { Log } from '../differential/log.ts';
import { correctedXState } from '../differential/oracle.ts';
import { allCores, bothCores, testCore } from '../support/core.ts';
import { everythingImage } from '../support/golden-images.ts';
import { random, seedOf, type Random } from '../support/random.ts';

const LONG = process.env['LONG'] !== undefined;
const xstate = await correctedXState();

/** A random chart as an image; undefined when the compiler refuses it. */
function randomImage(dice: Random): Uint8Array | undefined {
  const { config, implementations } = randomChart(dice, xstate, new Log());
  try {
    return compileMachine(xstate.createMachine(config as never, implementations as never)).bytes;
  } catch (error) {
    if (error instanceof LockstepError) return undefined;
    throw error;
  }
}

/** One core running one instance, with guards that answer, and fail, by a seed. */
class Side {
  readonly core: Core;
  readonly instance: number;

  /** @param image its bytes, or the core's handle of it. */
  constructor(core: Core, image: Uint8Array | number) {
    this.core = core;
    this.instance = core.exports.create(typeof image === 'number' ? image : core.loadImage(image));
  }

  run(
    call: (side: Side) => number,
    seed: number,
    failures: number,
  ): { result: number; records: number[]; bytes: number[]; digest: bigint } {
    const dice = random(seed);
    const eventCount = this.eventCount;
    const answer = (): number => (dice.chance(failures) ? -1 : dice.below(2));
    this.core.host = { guard: answer, action: () => (dice.chance(failures) ? -1 : dice.below(eventCount)) };
    const result = call(this);
    const { exports, words } = this.core;
    const from = exports.output() >>> 2;
    return {
      result,
      records: Array.from(words.subarray(from, from + exports.outputCount() * 2)),
      bytes: this.bytes(),
      digest: this.core.digest(this.instance),
    };
  }

  bytes(): number[] {
    const { exports, words } = this.core;
    return Array.from(words.subarray((this.instance + INSTANCE_STATUS) >>> 2, (this.instance + exports.stride(this.image)) >>> 2));
  }

  /** What of configuration and history is not zero: {place, word} each. */
  form(): number[] {
    const { words } = this.core;
    const [states, histories] = [IMAGE_STATE_COUNT, IMAGE_HISTORY_COUNT].map((at) => words[(this.image + at) >>> 2]!) as [number, number];
    const count = (states + 31) >>> 5;
    const even = (size: number): number => size + (size & 1);
    const from = (this.instance + INSTANCE_CONFIGURATION) >>> 2;
    const memories = from + even(count) + even(states);
    const all = [...words.subarray(from, from + count), ...words.subarray(memories, memories + histories * count)];
    return all.flatMap((word, place) => (word === 0 ? [] : [place, word]));
  }

  get image(): number {
    return this.core.words[this.instance >>> 2]!;
  }

  get seq(): number {
    return this.core.words[(this.instance + INSTANCE_SEQ) >>> 2]!;
  }

  get eventCount(): number {
    return this.core.words[(this.image + 36) >>> 2]!;
  }
}

test('[CORE-1] [CORE-4] WebAssembly, whole and small, and TypeScript agree on every result, record and byte of random charts, and a fault changes no byte', async () => {
  const seed = seedOf('core lock-step');
  const dice = random(seed);
  const cores = await allCores();
  let charts = 0;
  let faults = 0;
  let taken = 0;
  while (charts < (LONG ? 2_000 : 150)) {
    const image = randomImage(dice);
    if (image === undefined) continue;
    charts++;
    const [wasm, ...others] = cores.map((core) => new Side(core, image)) as [Side, Side, Side];
    for (let i = 0; i < 40; i++) {
      const callSeed = dice.below(0x7fffffff);
      const event = dice.below(wasm.eventCount);
      const failures = dice.chance(0.2) ? 0.2 : 0;
      const call = (side: Side): number =>
        i === 0 ? side.core.exports.start(side.instance, TRACE) : side.core.exports.step(side.instance, event, TRACE);
      const before = wasm.bytes();
      const found = wasm.run(call, callSeed, failures);
      for (const other of others) expect(other.run(call, callSeed, failures)).toEqual(found);
      if (found.result < 0) {
        faults++;
        expect(found.bytes).toEqual(before);
        expect(found.records).toEqual([]);
      } else if (found.result > 0) taken++;
      const ask = (side: Side): number => side.core.exports.can(side.instance, event);
      const answer = wasm.run(ask, callSeed, 0).result;
      for (const other of others) expect(other.run(ask, callSeed, 0).result).toBe(answer);
    }
  }
  expect(faults).toBeGreaterThan(50);
  expect(taken).toBeGreaterThan(500);
});

test('[CORE-11] a quiet step differs from a loud one in its records alone: there are none', async () => {
  const dice = random(seedOf('quiet steps'));
  const cores = await allCores();
  let charts = 0;
  let faults = 0;
  let taken = 0;
  while (charts < (LONG ? 2_000 : 150)) {
    const image = charts === 0 ? everythingImage : randomImage(dice);
    if (image === undefined) continue;
    charts++;
    const loud = new Side(cores[charts % cores.length]!, image);
    const quiet = new Side(loud.core, loud.image);
    const startSeed = dice.below(0x7fffffff);
    loud.run((side) => side.core.exports.start(side.instance, 0), startSeed, 0);
    quiet.run((side) => side.core.exports.start(side.instance, QUIET | COUNT), startSeed, 0);
    let seq = quiet.seq;
    for (let i = 0; i < 60; i++) {
      const callSeed = dice.below(0x7fffffff);
      const event = dice.below(loud.eventCount);
      const failures = dice.chance(0.2) ? 0.2 : 0;
      const expected = loud.run((side) => side.core.exports.step(side.instance, event, 0), callSeed, failures);
      const found = quiet.run((side) => side.core.exports.step(side.instance, event, QUIET | COUNT), callSeed, failures);
      expect(found).toEqual({ ...expected, records: [] });
      if (found.result >= 0) seq++;
      else faults++;
      if (found.result > 0) taken++;
      expect(quiet.seq).toBe(seq);
    }
    expect(loud.seq).toBe(0);
  }
  expect(faults).toBeGreaterThan(50);
  expect(taken).toBeGreaterThan(500);
});

test('[CORE-17] a step with COVER marks what the records of a loud one tell, quiet or not, and writes nowhere else', async () => {
  const dice = random(seedOf('cover'));
  const cores = await bothCores();
  let charts = 0;
  let marked = 0;
  while (charts < (LONG ? 2_000 : 100)) {
    const image = charts === 0 ? everythingImage : randomImage(dice);
    if (image === undefined) continue;
    charts++;
    const loud = new Side(cores[charts % 2]!, image);
    const covered = new Side(loud.core, loud.image);
    const { exports } = loud.core;
    const field = (offset: number): number => loud.core.words[(loud.image + offset) >>> 2]!;
    const bytes = [field(IMAGE_STATE_COUNT), field(IMAGE_TRANSITION_COUNT)].map((count) => ((count + 63) >>> 6) << 3) as [number, number];
    const room = field(IMAGE_STATE_COUNT) * (1 + field(IMAGE_HISTORY_COUNT)) * 8 + 64;
    const block = exports.allocate(bytes[0] + bytes[1] + room);
    const form = block + bytes[0] + bytes[1];
    const formOf = (): number[] => {
      const length = loud.core.words[form >>> 2]!;
      return [...loud.core.words.subarray((form >>> 2) + 1, (form >>> 2) + 1 + length)];
    };
    const set = (): Uint32Array => loud.core.words.subarray(block >>> 2, (block + bytes[0] + bytes[1]) >>> 2);
    set().fill(0);
    expect(exports.cover(block, bytes[0], bytes[1], room)).toBe(0);
    const expected = new Uint32Array(set().length);
    const tell = (records: readonly number[]): void => {
      for (let i = 0; i < records.length; i += 2) {
        const [kind, member] = [records[i]! >>> 24, records[i]! & 0xff_ffff];
        const from = kind === RECORD_ENTER ? 0 : kind === RECORD_TRANSITION ? bytes[0] >>> 2 : -1;
        if (from >= 0) expected[from + (member >>> 5)]! |= 1 << (member & 31);
      }
    };
    const startSeed = dice.below(0x7fffffff);
    tell(loud.run((side) => side.core.exports.start(side.instance, 0), startSeed, 0).records);
    covered.run((side) => side.core.exports.start(side.instance, COVER), startSeed, 0);
    for (let i = 0; i < 40; i++) {
      const [callSeed, event, quiet] = [dice.below(0x7fffffff), dice.below(loud.eventCount), dice.chance(0.5) ? QUIET : 0];
      const step = loud.run((side) => side.core.exports.step(side.instance, event, 0), callSeed, 0);
      // What comes to nothing leaves its marks behind, and an instance that is not to be used.
      if (step.result < 0) break;
      tell(step.records);
      const found = covered.run((side) => side.core.exports.step(side.instance, event, COVER | quiet), callSeed, 0);
      expect(found).toEqual(quiet === 0 ? step : { ...step, records: [] });
      expect([...set()]).toEqual([...expected]);
      if (found.result > STEP_IGNORED) expect(formOf()).toEqual(covered.form());
    }
    marked += expected.filter((word) => word !== 0).length;
    expect(exports.cover(0, 8, 8, room)).toBeLessThan(0);
    expect(exports.cover(block, 8, 8, 1 << 30)).toBeLessThan(0);
  }
  expect(marked).toBeGreaterThan(150);
});

test('[CORE-11] an image of many events times states runs without a table of single candidates', async () => {
  const core = await testCore();
  const STATES = 1_000;
  const EVENTS = 10;
  const on = (state: number): object =>
    Object.fromEntries(Array.from({ length: EVENTS }, (_, event) => [`E${event}`, `s${(state + event + 1) % STATES}`]));
  const ring = xstate.createMachine({
    id: 'ring',
    initial: 's0',
    states: Object.fromEntries(Array.from({ length: STATES }, (_, state) => [`s${state}`, { on: on(state) }])),
  });
  const { bytes, symbols } = compileMachine(ring);
  const quiet = new Side(core, bytes);
  const loud = new Side(core, quiet.image);
  for (const side of [quiet, loud]) core.exports.start(side.instance, 0);
  const dice = random(seedOf('a large ring'));
  let at = 0;
  for (let i = 0; i < 500; i++) {
    const event = dice.below(EVENTS);
    const number = symbols.events.indexOf(`E${event}`);
    at = (at + event + 1) % STATES;
    expect(core.exports.step(quiet.instance, number, QUIET)).toBe(1);
    expect(core.exports.step(loud.instance, number, 0)).toBe(1);
    const active = core.words[((quiet.instance + INSTANCE_CONFIGURATION) >>> 2) + ((at + 1) >>> 5)]!;
    expect((active >>> ((at + 1) & 31)) & 1).toBe(1);
  }
  expect(quiet.bytes()).toEqual(loud.bytes());
});

test('[CORE-12] a batch does what so many quiet steps that count would do', async () => {
  const dice = random(seedOf('batch'));
  const core = await testCore();
  const { exports } = core;
  const COUNT_OF_EVENTS = 500;
  core.host = { guard: () => 1, action: () => 0 };
  const image = core.loadImage(everythingImage);
  const sides = Array.from({ length: 40 }, () => new Side(core, image));
  for (const side of sides) exports.start(side.instance, 0);
  const events = Array.from({ length: COUNT_OF_EVENTS }, () => [dice.below(20), dice.below(sides[0]!.eventCount)] as const);
  const results = events.map(([slot, event]) => exports.step(sides[slot]!.instance, event, QUIET | COUNT));
  const block = exports.allocate(COUNT_OF_EVENTS * 8);
  events.forEach(([slot, event], i) => core.words.set([sides[slot + 20]!.instance, event], (block >>> 2) + i * 2));
  expect(exports.batch(block, COUNT_OF_EVENTS)).toBe(results.filter((result) => result > 0).length);
  expect(events.map((_, i) => core.words[(block >>> 2) + i * 2 + 1]! | 0)).toEqual(results);
  expect(results.filter((result) => result > 0).length).toBeGreaterThan(50);
  for (let slot = 0; slot < 20; slot++) {
    expect(sides[slot + 20]!.bytes()).toEqual(sides[slot]!.bytes());
    expect(sides[slot + 20]!.seq).toBe(sides[slot]!.seq);
  }
  expect(exports.batch(block + 4, 1)).toBe(FAULT_MEMORY);
  expect(exports.batch(block, -1)).toBe(FAULT_MEMORY);
});

test.each(['release', 'small'] as const)(
  '[CORE-3] 20,000 mutated images neither trap nor hang nor write outside their own memory: %s',
  async (build) => {
    const dice = random(seedOf('mutated images'));
    const core = await testCore(build);
    const { exports } = core;
    const canaries = [exports.allocate(4_096), 0];
    const image = everythingImage;
    let refused = 0;
    let ran = 0;
    for (let round = 0; round < 20_000; round++) {
      const mutant = image.slice();
      for (let count = 1 + dice.below(4); count > 0; count--)
        mutant[dice.below(mutant.length)] = dice.chance(0.5) ? dice.below(256) : dice.pick([0, 1, 255, 127]);
      if (dice.chance(0.9)) fixHash(core, mutant);
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
      const eventCount = core.words[(handle + 36) >>> 2]!;
      core.host = { guard: () => dice.below(2), action: () => dice.below(eventCount) };
      const instance = exports.create(handle);
      const quiet = exports.create(handle);
      exports.start(instance, 0);
      exports.start(quiet, 0);
      for (let i = 0; i < 30; i++) {
        const event = dice.below(eventCount);
        exports.step(instance, event, 0);
        exports.step(quiet, event, QUIET);
      }
      for (const canary of canaries) expect(core.bytes.subarray(canary, canary! + 4_096).every((byte) => byte === 0xa5)).toBe(true);
      exports.destroy(instance);
      exports.destroy(quiet);
      expect(exports.unload(handle)).toBe(0);
      ran++;
    }
    expect(refused).toBeGreaterThan(1_000);
    expect(ran).toBeGreaterThan(200);
  },
);

function fixHash(core: Core, image: Uint8Array): void {
  const view = new DataView(image.buffer);
  const hashedSize = view.getUint32(IMAGE_HASHED_SIZE, true);
  if (hashedSize < IMAGE_SEMANTICS || hashedSize > image.length) return;
  const block = core.exports.allocate(image.length + 8);
  core.bytes.set(image, block + 8);
  core.exports.hash(block + 8 + IMAGE_SEMANTICS, hashedSize - IMAGE_SEMANTICS, 0, 0, block);
  image.set(core.bytes.slice(block, block + 8), IMAGE_HASH);
  core.exports.release(block, image.length + 8);
}

test('[CORE-3] truncated images are refused at every length', async () => {
  const core = await testCore();
  for (let length = 0; length < everythingImage.length; length += 1) {
    expect(() => core.loadImage(everythingImage.slice(0, length))).toThrow(LockstepError);
  }
});

test('[CORE-4] wrong handles, events and moments are faults', async () => {
  const core = await testCore();
  const side = new Side(core, everythingImage);
  core.host = { guard: () => 0, action: () => 0 };
  expect(core.exports.step(side.instance, 1, 0)).toBe(FAULT_STATUS);
  core.exports.start(side.instance, 0);
  expect(core.exports.start(side.instance, 0)).toBe(FAULT_STATUS);
  expect(core.exports.step(side.instance, -1, 0)).toBe(FAULT_EVENT);
  expect(core.exports.step(side.instance, side.eventCount, 0)).toBe(FAULT_EVENT);
  for (const pointer of [0, 4, -8, side.instance + 8, side.image, 0x7ffffff8])
    expect(core.exports.step(pointer, 1, 0)).toBe(FAULT_INSTANCE);
  core.exports.destroy(side.instance);
  expect(core.exports.step(side.instance, 1, 0)).toBe(FAULT_INSTANCE);
});

test('[CORE-4] an instance that is gone takes no quick step, and what has its place next takes none before its start', async () => {
  const core = await testCore();
  const { bytes } = compileMachine({ id: 'm', initial: 'a', states: { a: { on: { GO: 'b' } }, b: { on: { GO: 'a' } } } });
  const image = core.loadImage(bytes);
  const instance = core.exports.create(image);
  const quick = (event: number): number => core.exports.step(instance, event, QUIET | COUNT);
  core.exports.start(instance, 0);
  expect([quick(1), quick(1), quick(-1), quick(2)]).toEqual([STEP_TAKEN, STEP_TAKEN, FAULT_EVENT, FAULT_EVENT]);
  core.exports.destroy(instance);
  expect(quick(1)).toBe(FAULT_INSTANCE);
  expect(core.exports.create(image)).toBe(instance);
  expect(quick(1)).toBe(FAULT_STATUS);
  core.exports.start(instance, 0);
  expect(quick(1)).toBe(STEP_TAKEN);
  core.exports.destroy(instance);
  expect(core.exports.unload(image)).toBe(0);
  expect(quick(1)).toBe(FAULT_INSTANCE);
});

test('[CORE-4] a host function that calls back into the core gets a fault and does no harm', async () => {
  const core = await testCore();
  const guarded = xstate.createMachine({ id: 'm', initial: 'a', states: { a: { on: { GO: { target: 'b', guard: () => true } } }, b: {} } });
  const { bytes } = compileMachine(guarded);
  const side = new Side(core, bytes);
  core.exports.start(side.instance, 0);
  const answers: number[] = [];
  core.host = {
    guard: () => {
      answers.push(core.exports.step(side.instance, 1, 0), core.exports.start(side.instance, 0));
      return 1;
    },
    action: () => 0,
  };
  expect(core.exports.step(side.instance, 1, 0)).toBe(1);
  expect(answers).toEqual([FAULT_BUSY, FAULT_BUSY]);
});

test.each([
  ['core.wasm', 16],
  ['core.small.wasm', 10],
])('[CORE-5] %s is at most %i KB gzipped', (file, kilobytes) => {
  const bytes = readFileSync(new URL(`../../build/${file}`, import.meta.url));
  expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(kilobytes * 1024);
});
