// Every chart of up to three states besides the root and two events, run by the slow stepper and by both builds of the core.
//
// Why not each chart by itself: what an event does depends on where the chart stands and on the transitions for that event, not on those for
// the other one. So a chart of two events is two ways of handling an event over one hierarchy, and its runs are steps of the one and of the
// other. All ways of handling an event in a hierarchy go into one chart, each as an event of its own. Starting from the initial place,
// every event is tried from every place that any of them has reached: whichever two of them make a chart, all of its steps are among
// these, for it reaches no place that all of them together do not. That the core, too, reads nothing of the other event is assumed here, and
// tried by charts of two events alone: all with one state besides the root, and a random selection of the larger ones.
//
// `npm test` tries all handlings of up to two states and a random selection of those of three, LONG=1 all.

import { expect, test } from 'vitest';
import { QUIET, STATUS_ACTIVE } from '../../assembly/layout.ts';
import { bothCores } from '../support/core.ts';
import { random, seedOf, type Random } from '../support/random.ts';
import { read } from './chart.ts';
import { CoreSide, describe, foundByReference, imageOf, isSame, isSameButQuiet, standingOf, type Found } from './core-side.ts';
import { choices, handlings, hierarchies, withEvents, type Hierarchy } from './enumerate.ts';
import { firstDifference, printScript } from './script.ts';
import { NOWHERE, start, step } from './stepper.ts';

const LONG = process.env['LONG'] !== undefined;
/** A quarter of an hour of one idle core; on a busy machine it may be hours. */
const LONGEST_MS = 6 * 3_600_000;
/** Events of one image: more make the compiler slow, fewer load images too often. */
const BATCH = 2_000;
/** Of `npm test`: handlings per hierarchy of three states. */
const HANDLINGS_SHORT = 8;
const HIERARCHIES_SHORT = 0.3;
/** Charts of two events alone: all that there are with so many states, and this many of the larger ones. */
const ALONE_STATES = 1;
const ALONE = LONG ? 40_000 : 300;
const ALONE_EVENTS = 10;

/** Hierarchies, and ways of handling one event in them, by number of states besides the root. */
const ALL = [
  [1, 4],
  [4, 120],
  [72, 16_456],
  [1_906, 5_927_636],
];

const cores = await bothCores();

/** @throws Error with the chart of one event that shows the difference. */
function compare(hierarchy: Hierarchy, number: number, asked: { place?: Found; expected: Found }, sides: readonly CoreSide[]): void {
  const { place, expected } = asked;
  for (const [index, side] of sides.entries()) {
    const found = place === undefined ? side.start(0) : side.step(place, `E${number}`, 0);
    // The same event again, as a step that nobody reads: it may take a shorter road to the same place.
    const quiet = place === undefined ? undefined : side.step(place, `E${number}`, 0, QUIET);
    if (isSame(expected, found) && (quiet === undefined || isSameButQuiet(expected, quiet))) continue;
    const plain = withEvents(hierarchy, [number]);
    const chart = read(plain);
    throw new Error(
      `${index === 0 ? 'WebAssembly' : 'TypeScript'}: ${JSON.stringify(plain)}\n` +
        `E${number} from ${place === undefined ? 'nothing' : describe(place, chart)}\n` +
        `the slow stepper: ${describe(expected, chart)}\nthe core: ${describe(found, chart)}\n` +
        `quiet: ${quiet === undefined ? 'not tried' : describe(quiet, chart)}`,
    );
  }
}

/** What the slow stepper does from a place, worked out once for each choice of the states that are active there: it asks no others. */
class Expectations {
  readonly #hierarchy: Hierarchy;
  readonly #known = new Map<string, Found>();

  constructor(hierarchy: Hierarchy) {
    this.#hierarchy = hierarchy;
  }

  of(place: Found, number: number): Found {
    // Sources are in document order, as the bits of a configuration are.
    const asked = choices(this.#hierarchy.sources, number).map((choice, order) =>
      ((place.configuration >>> order) & 1) === 1 ? choice : '',
    );
    const key = `${keyOf(place)}|${asked.join()}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const chart = read(withEvents(this.#hierarchy, [number]));
      const before = standingOf(chart, place);
      known = foundByReference(chart, before, step(chart, before, `E${number}`, 0));
      this.#known.set(key, known);
    }
    return known;
  }
}

function keyOf({ status, configuration, memory }: Found): string {
  return `${status}:${configuration}:${memory.join()}`;
}

interface Batch {
  readonly numbers: readonly number[];
  readonly sides: readonly CoreSide[];
}

/** Tries these handlings from every place that they reach together. @returns steps compared. */
function tryHandlings(hierarchy: Hierarchy, numbers: readonly number[]): number {
  const expectations = new Expectations(hierarchy);
  const batches: Batch[] = [];
  for (let from = 0; from < numbers.length; from += BATCH) {
    const some = numbers.slice(from, from + BATCH);
    const plain = withEvents(hierarchy, some);
    const image = imageOf(plain);
    batches.push({ numbers: some, sides: cores.map((core) => new CoreSide(core, image, plain)) });
  }
  const chart = read(hierarchy.plain);
  const initial = foundByReference(chart, NOWHERE, start(chart, 0));
  for (const { sides } of batches) compare(hierarchy, 0, { expected: initial }, sides);

  let steps = 0;
  const places = [initial];
  const seen = new Set([keyOf(initial)]);
  for (const place of places) {
    if (place.status !== STATUS_ACTIVE) continue;
    for (const { numbers: some, sides } of batches) {
      for (const number of some) {
        const expected = expectations.of(place, number);
        compare(hierarchy, number, { place, expected }, sides);
        steps += 1;
        const key = keyOf(expected);
        if (seen.has(key)) continue;
        seen.add(key);
        places.push(expected);
      }
    }
  }
  for (const { sides } of batches) for (const side of sides) side.dispose();
  return steps;
}

/** All numbers below `count`, or so many random ones, in order. */
function some(dice: Random, count: number, wanted: number): number[] {
  if (wanted >= count) return Array.from({ length: count }, (_, number) => number);
  return [...new Set(Array.from({ length: wanted }, () => dice.below(count)))].sort((a, b) => a - b);
}

test('[CHART-1] every chart of up to three states and two events runs as the slow stepper runs it', { timeout: LONGEST_MS }, () => {
  const dice = random(seedOf('exhaustive'));
  for (const states of [0, 1, 2, 3]) {
    const count = { hierarchies: 0, handlings: 0, charts: 0, steps: 0 };
    for (const hierarchy of hierarchies(states)) {
      if (!LONG && states === 3 && !dice.chance(HIERARCHIES_SHORT)) continue;
      const numbers = some(dice, handlings(hierarchy), LONG || states < 3 ? Infinity : HANDLINGS_SHORT);
      count.hierarchies += 1;
      count.handlings += numbers.length;
      count.charts += numbers.length ** 2;
      count.steps += tryHandlings(hierarchy, numbers);
    }
    console.info(`exhaustive, ${states} states besides the root: ${JSON.stringify(count)}`);
    if (LONG || states < 3) expect([count.hierarchies, count.handlings]).toEqual(ALL[states]);
  }
});

/** A chart of these two ways of handling an event, alone. @throws Error at the first difference. */
function tryAlone(hierarchy: Hierarchy, numbers: readonly [number, number], dice: Random): void {
  const plain = withEvents(hierarchy, [...new Set(numbers)]);
  const events = Array.from({ length: ALONE_EVENTS }, () => ({ type: `E${dice.pick(numbers)}`, bits: 0 }));
  const found = firstDifference(cores, { plain, bits: 0, events });
  if (found !== undefined) throw new Error(`${printScript({ plain, bits: 0, events })}\n${found.text}`);
}

test('[CHART-1] so does a chart of two events that is alone in its image', { timeout: LONGEST_MS }, () => {
  const dice = random(seedOf('alone'));
  let charts = 0;
  for (let states = 0; states <= ALONE_STATES; states += 1) {
    for (const hierarchy of hierarchies(states)) {
      const count = handlings(hierarchy);
      for (let one = 0; one < count; one += 1) {
        for (let other = 0; other < (LONG ? count : Math.min(count, 3)); other += 1) {
          tryAlone(hierarchy, [one, other], dice);
          charts += 1;
        }
      }
    }
  }
  const larger = [...hierarchies(2), ...hierarchies(3)];
  for (let left = ALONE; left > 0; left -= 1) {
    const hierarchy = dice.pick(larger);
    const count = handlings(hierarchy);
    tryAlone(hierarchy, [dice.below(count), dice.below(count)], dice);
    charts += 1;
  }
  console.info(`exhaustive: ${charts} charts of two events alone`);
  expect(charts).toBeGreaterThan(ALONE);
});
