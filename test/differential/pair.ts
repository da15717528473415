// One chart run twice, by corrected XState and by our core, and compared after every event: effects in order with the context, event and
// params they saw, what children and listeners were told, configuration and value, context, status and output, armed timers, children,
// tags, and what `can` says beforehand. What happens is a script, so that a difference can be cut down and shown again.

import type { EventObject } from '../../core/json.ts';
import type { Core } from '../../core/wasm.ts';
import { printMachine } from '../support/print-config.ts';
import type { Random } from '../support/random.ts';
import { shorter, shrink } from '../support/shrink.ts';
import { smallerConfigs } from '../support/smaller-config.ts';
import type { Chart } from './chart.ts';
import type { Log } from './log.ts';
import type { XState } from './oracle.ts';
import { Ours } from './ours.ts';
import { Theirs } from './theirs.ts';
import { compare, Differs, type Fault, type View } from './view.ts';

/** Events that ours runs alone after XState left the legal configurations. */
const AFTERWARDS = 10;
const RESTORED = 0.1;
const START = 'start';

/** How a chart ended. Only `equal` charts were compared to their last event, or to their end: done, or with an error. */
export type Ending =
  | 'equal'
  /** Both ran out of microsteps on the same event. */
  | 'loop'
  /** Machine and children sent each other more events than we wait for. */
  | 'storm'
  /** One ran out a microstep or two before the other: they count microsteps a little differently. */
  | 'edge'
  /** XState reached a set of nodes that is no configuration, or escaped that by luck: see escapesConflict. */
  | 'illegal'
  /** The random targets cannot be active together, or a history default lies outside; refused at compile time. */
  | 'refused';

export interface Report {
  readonly ending: Ending;
  readonly events: number;
  readonly taken: number;
}

/** One thing that happens. Numbers choose among what there is at that time; where there is nothing, nothing happens. */
export type Move =
  | { readonly kind: 'send'; readonly event: EventObject }
  | { readonly kind: 'fire'; readonly which: number }
  /** A child says something, ends, fails, or has a new snapshot. */
  | { readonly kind: 'child'; readonly which: number; readonly what: number; readonly k: number }
  /** Ours saves and loads; XState does not. */
  | { readonly kind: 'restore' };

export interface Script {
  readonly config: Chart['config'];
  readonly input: { readonly n: number } | undefined;
  readonly moves: readonly Move[];
}

/** What stays the same while a script is cut down. */
export interface Stage {
  readonly core: Core;
  readonly xstate: XState;
  readonly implementations: Chart['implementations'];
  readonly log: Log;
  /** What our side makes of the config; a test of the test misreads it. */
  readonly misread?: (config: Chart['config']) => Chart['config'];
}

export function randomScript(random: Random, chart: Chart, length: number): Script {
  const move = (): Move => {
    if (random.chance(0.2)) return { kind: 'fire', which: random.below(100) };
    if (random.chance(0.3)) return { kind: 'child', which: random.below(100), what: random.below(100), k: random.below(1000) };
    if (chart.routes.length > 0 && random.chance(0.1))
      return { kind: 'send', event: { type: 'xstate.route', to: random.pick(chart.routes) } };
    return { kind: 'send', event: { type: random.pick(chart.types), k: random.below(1000) } };
  };
  const input = random.chance(0.5) ? { n: random.below(9) } : undefined;
  const moves = Array.from({ length }, (): Move[] => (random.chance(RESTORED) ? [{ kind: 'restore' }, move()] : [move()])).flat();
  return { config: chart.config, input, moves };
}

/** @throws Differs describing the first difference. */
export function runPair(stage: Stage, { config, input, moves }: Script): Report {
  const { xstate, implementations, misread } = stage;
  const machine = (of: Chart['config']) => xstate.createMachine(of as never, implementations as never);
  const ours = Ours.of(stage, machine(misread?.(config) ?? config));
  if (ours === undefined) return { ending: 'refused', events: 0, taken: 0 };
  const theirs = new Theirs(stage, machine(config), input);
  let events = 0;
  let taken = 0;
  try {
    let ending = judge(START, ours, () => ours.start(input), theirs.start());
    for (const move of moves) {
      if (ending !== undefined) break;
      events += 1;
      ending = make(move, `${events}: ${JSON.stringify(move)}`, ours, theirs);
      taken += ours.taken ? 1 : 0;
    }
    // What XState gets wrong we still get right, alone.
    for (let alone = 0; ending === 'illegal' && ours.isRunning && alone < AFTERWARDS; alone += 1) {
      const types = ours.types();
      ours.step({ type: types[(alone * 7) % types.length]!, k: alone });
      ours.checkLegal('an event after XState went astray');
    }
    return { ending: ending ?? 'equal', events, taken };
  } finally {
    ours.dispose();
  }
}

/** @returns undefined while both run on. */
function make(move: Move, what: string, ours: Ours, theirs: Theirs): Ending | undefined {
  switch (move.kind) {
    case 'restore':
      ours.restore();
      return undefined;
    case 'fire': {
      const armed = theirs.armed();
      const key = armed[move.which % armed.length];
      return key === undefined ? undefined : judge(`${what} ${key}`, ours, () => ours.fire(key), theirs.fire(key));
    }
    case 'child': {
      const children = theirs.children();
      if (children.length === 0) return undefined;
      const index = move.which % children.length;
      return judge(`${what} ${children[index]!}`, ours, () => ours.poke(index, move.what, move.k), theirs.poke(index, move.what, move.k));
    }
    case 'send': {
      const { event } = move;
      if (!ours.knows(event.type) && !event.type.startsWith('xstate.')) {
        ours.refuses(event);
        return undefined;
      }
      compare(`can ${what}`, theirs.can(event), ours.can(event));
      return judge(what, ours, () => ours.step(event), theirs.send(event));
    }
  }
}

function judge(what: string, ours: Ours, run: () => View | Fault, expected: View | Fault | 'illegal'): Ending | undefined {
  const found = run();
  ours.checkLegal(what);
  if (expected === 'illegal') return 'illegal';
  if (found === 'loop' || expected === 'loop') return found === expected ? 'loop' : 'edge';
  if (found === 'storm' || expected === 'storm') return 'storm';
  if (expected.status === 'error') {
    const effectCount = typeof found === 'object' ? found.effects.length : 0;
    compare(what, failed(expected, effectCount, what), failed(found, effectCount, what));
    return 'equal';
  }
  compare(what, expected, found);
  return expected.status === 'done' ? 'equal' : undefined;
}

/**
 * A machine that ended with an error: XState has run the effects of the step that failed, as far as it came, and we have not; one that failed at
 * its start has no states in XState.
 */
function failed({ effects, ...view }: View, effectCount: number, what: string): Partial<View> {
  if (what === START) return { status: view.status, error: view.error };
  return { ...view, effects: effects.slice(0, effectCount) };
}

// ── Cutting down ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The smallest script that shows a difference too. */
export function smallest(stage: Stage, script: Script): Script {
  return shrink(script, {
    *smaller(one) {
      for (const moves of shorter(one.moves)) yield { ...one, moves };
      if (one.input !== undefined) yield { ...one, input: undefined };
      for (const config of smallerConfigs(one.config)) yield { ...one, config };
    },
    fails: (one) => differenceIn(stage, one) !== undefined,
  });
}

export function differenceIn(stage: Stage, script: Script): string | undefined {
  try {
    runPair(stage, script);
    return undefined;
  } catch (error) {
    // Anything else: cut so far that it is no chart any more.
    return error instanceof Differs ? error.message : undefined;
  }
}

export function printScript({ config, input, moves }: Script): string {
  return `${printMachine(config)}\ninput ${JSON.stringify(input)}\n${moves.map((move) => JSON.stringify(move)).join('\n')}`;
}
