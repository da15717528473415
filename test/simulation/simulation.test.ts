// The simulation as tests: seeds of this run, seeds that once failed, and every plant. LONG runs 20,000 seeds. (docs/simulation.md)

import { describe, expect, test } from 'vitest';
import { filesUnder, importsOf } from '../tidy/source.ts';
import { PLANTS } from './plants.ts';
import { failuresOf, foundBy, once } from './seeds.ts';
import { FEATURES } from './simulation.ts';

const isLong = process.env['LONG'] !== undefined;
const COUNT = isLong ? 20_000 : 200;
const LONG_MS = 7_200_000;
/** The short run is the same every time, so that it fails only for what was changed; the long one is fresh. */
const SEED = Number(process.env['SEED'] ?? (isLong ? Math.floor(Math.random() * 0x3fff_ffff) : 1));
/** Seeds that a plant may need. */
const PLANT_SEEDS = 1_000;

test(
  `[SIM-1] ${COUNT} worlds that go wrong keep every rule (SEED=${SEED})`,
  async () => {
    expect(await failuresOf(SEED, COUNT)).toEqual([]);
  },
  isLong ? LONG_MS : 300_000,
);

describe('[SIM-1] seeds that once failed', () => {
  test.each([
    [21, 'a child began again with the epoch of the one before'],
    [11, 'a step of a child that was stopped meanwhile held up the group commit for ever'],
    [31, 'rooms were numbered anew, and one mirror took the room of another along'],
    [35, 'the answer to a question of an earlier session was taken for one of the next'],
    [5176, 'a later event overtook two that a dying link had swallowed'],
    [321_889_130, 'an answer to a process that is no more was taken by the next of the same name'],
    [321_884_420, 'a resend of a durable event was refused while its instance was read again'],
    [321_884_747, 'the hello of a process that had left already overtook that of the next, which stayed offline'],
    [321_900_328, 'the digest of a quiet room was lost although no socket loses that alone'],
    [462_143_387, 'a relay that came back was told of yields that its predecessor had asked for'],
    [971_878_434, 'a notice to an instance of the process before was warned of as if it were malformed'],
    [206, 'a resend of a durable event was refused because a later write failed'],
  ])('seed %i: %s', async (seed) => {
    expect((await once(seed, FEATURES)).failures).toEqual([]);
  });
});

describe('[SIM-1] seeds that once failed in worlds with more', () => {
  test.each([
    [962_106_347, ['sharing', 'packed'], 'an event for a room of the process before was taken for one of the room that has its number now'],
  ] as const)('seed %i, %j: %s', async (seed, features) => {
    const without = FEATURES.filter((each) => !(features as readonly string[]).includes(each));
    expect((await once(seed, without)).failures).toEqual([]);
  });
});

test('[SIM-5] in some worlds readers have different views, one is out for a while, and one may not write', async () => {
  const lines: string[] = [];
  for (const seed of [4, 5, 8, 9]) {
    const { trace, failures } = await once(seed);
    expect(failures).toEqual([]);
    lines.push(...trace);
  }
  for (const sign of ['"method":"seen"', '"reason":"revoked"', '"reason":"room"', 'is refused FORBIDDEN'])
    expect(lines.filter((line) => line.includes(sign)).length, sign).toBeGreaterThan(0);
});

test('[SIM-2] the same seed is the same world again, frame by frame', async () => {
  expect((await once(7)).trace).toEqual((await once(7)).trace);
});

describe('[SIM-3] plants', () => {
  test.each(Object.keys(PLANTS))(
    '%s is found',
    async (name) => {
      expect(await foundBy(name, 1, PLANT_SEEDS)).toBeDefined();
    },
    600_000,
  );
});

test('[SIM-4] checkers share no code with what they check', () => {
  const checkers = filesUnder('test/simulation', /(checkers|wire-checker|frames|model)\.ts$/);
  expect(checkers).toHaveLength(4);
  expect(
    checkers.flatMap((file) => importsOf(file).map(({ name }) => name)).filter((name) => !['./model.ts', './frames.ts'].includes(name)),
  ).toEqual([]);
});
