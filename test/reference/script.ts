// A plain chart and a list of events, run by the slow stepper and by cores side by side; a difference is cut down to the smallest chart and the
// shortest list that still show one, and printed to be pasted.

import { QUIET } from '../../assembly/layout.ts';
import type { Core } from '../../core/wasm.ts';
import { LockstepError } from '../../core/errors.ts';
import { printMachine } from '../support/print-config.ts';
import { shorter, shrink } from '../support/shrink.ts';
import { smallerConfigs } from '../support/smaller-config.ts';
import { read, type Chart, type PlainChart } from './chart.ts';
import { CoreSide, describe, foundByReference, imageOf, isSame, standingOf, type Found } from './core-side.ts';
import { NOWHERE, start, step } from './stepper.ts';

export interface Script {
  readonly plain: PlainChart;
  /** Guard bits of the start. */
  readonly bits: number;
  readonly events: readonly { readonly type: string; readonly bits: number }[];
}

export interface Difference {
  /** Events up to the one that differs; 0 is the start. */
  readonly events: number;
  readonly text: string;
}

/** How often an event did something, and what kinds of ends there were. */
export interface Tally {
  events: number;
  taken: number;
  fuel: number;
  done: number;
}

/** How the slow stepper reads a chart; a test of the test reads it wrong. */
export type Reader = (plain: PlainChart) => Chart;

/** @returns the first difference between the slow stepper and any of the cores. @throws LockstepError when the compiler refuses the chart. */
export function firstDifference(cores: readonly Core[], script: Script, tally?: Tally, reader: Reader = read): Difference | undefined {
  const { plain, bits, events } = script;
  const image = imageOf(plain);
  const chart = reader(plain);
  const sides = cores.map((core) => new CoreSide(core, image, plain));
  try {
    let place = foundByReference(chart, NOWHERE, start(chart, bits));
    let wrong = differing(sides, place, (side) => side.start(bits));
    for (let count = 0; ; count += 1) {
      if (wrong !== undefined) return { events: count, text: `the slow stepper: ${describe(place, chart)}\n${wrong(chart)}` };
      const event = events[count];
      if (event === undefined || standingOf(chart, place).status !== 'active') return undefined;
      const [from, before] = [place, standingOf(chart, place)];
      place = foundByReference(chart, before, step(chart, before, event.type, event.bits));
      wrong =
        differing(sides, place, (side) => side.step(from, event.type, event.bits)) ??
        differing(sides, { ...place, trace: [] }, (side) => side.step(from, event.type, event.bits, QUIET));
      if (tally === undefined) continue;
      tally.events += 1;
      if (place.result === 'taken') tally.taken += 1;
      if (place.result === 'fuel') tally.fuel += 1;
      if (standingOf(chart, place).status === 'done') tally.done += 1;
    }
  } finally {
    for (const side of sides) side.dispose();
  }
}

function differing(sides: readonly CoreSide[], expected: Found, run: (side: CoreSide) => Found): ((chart: Chart) => string) | undefined {
  for (const [index, side] of sides.entries()) {
    const found = run(side);
    if (!isSame(expected, found)) return (chart) => `core ${index}: ${describe(found, chart)}`;
  }
  return undefined;
}

/** The smallest script that shows a difference too. */
export function smallest(cores: readonly Core[], script: Script, reader: Reader = read): Script {
  return shrink(script, {
    *smaller(one) {
      for (const events of shorter(one.events)) yield { ...one, events };
      for (const plain of smallerConfigs(one.plain as unknown as Readonly<Record<string, unknown>>))
        yield { ...one, plain: plain as unknown as PlainChart };
      if (one.bits !== 0) yield { ...one, bits: 0 };
      for (const [index, { type, bits }] of one.events.entries())
        if (bits !== 0) yield { ...one, events: one.events.map((event, place) => (place === index ? { type, bits: 0 } : event)) };
    },
    fails(one) {
      try {
        return firstDifference(cores, one, undefined, reader) !== undefined;
      } catch (error) {
        // Cut so far that it is no chart any more.
        if (error instanceof LockstepError) return false;
        throw error;
      }
    },
  });
}

export function printScript({ plain, bits, events }: Script): string {
  const said = events.map((event) => `${event.type}${event.bits === 0 ? '' : ` (guards ${event.bits.toString(2)})`}`);
  return `${printMachine(plain)}\nevents${bits === 0 ? '' : `, guards ${bits.toString(2)} at the start`}: ${said.join(', ') || 'none'}`;
}
