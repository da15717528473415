// What an exploration says about a machine: its findings, each with the place in the definition and the shortest way to it.

import { NONE16 } from '../../assembly/layout.ts';
import type { StateValue } from '../../core/machine.ts';
import type { Definition, NodeDefinition, StateDefinition } from '../definition.ts';
import type { EndlessStep, Exploration } from './exploration.ts';
import { conflictsOf, type Conflict } from './relations.ts';
import { trailOfEndless, trailTo, valueOf, type TrailStep } from './trail.ts';

export type Finding =
  /** No configuration has it, and no step passes through it. States inside it are not listed again. */
  | { readonly kind: 'unreachable'; readonly path: string; readonly state: string }
  /** Its source can be active, and it is never taken. */
  | {
      readonly kind: 'dead';
      readonly path: string;
      readonly state: string;
      /** Event descriptor; `always` for an eventless one. */
      readonly event: string;
      /** Another transition of the same state and event that has no guard and comes first. */
      readonly behind?: string;
      /** To the first configuration in which its source is active, if one comes to rest there. */
      readonly trail: readonly TrailStep[];
    }
  /** The machine is not done, and no event and no timer does anything. */
  | { readonly kind: 'deadlock'; readonly path: string; readonly value: StateValue; readonly trail: readonly TrailStep[] }
  /** A step that never comes to rest. */
  | {
      readonly kind: 'livelock';
      readonly path: string;
      /** Pointers to the transitions that are taken again and again. */
      readonly loop: readonly string[];
      readonly trail: readonly TrailStep[];
    }
  /** Relations that contradict one another. */
  | Conflict;

/** What is worth knowing and may be meant. */
export type Remark =
  /** A step that ends only when data let a guard answer otherwise at last. */
  | { readonly kind: 'loop'; readonly path: string; readonly loop: readonly string[]; readonly trail: readonly TrailStep[] }
  /** A deadlock in a definition whose language has no word for final states: a state without a way out is how it says so. */
  | { readonly kind: 'end'; readonly path: string; readonly value: StateValue; readonly trail: readonly TrailStep[] };

/** Of one kind; the rest is counted. */
const LISTED_MAX = 100;

/** Dialects that cannot say that a state is final. */
const WITHOUT_FINAL: ReadonlySet<string> = new Set(['transitions', 'states']);

export interface Findings {
  readonly findings: readonly Finding[];
  readonly remarks: readonly Remark[];
  /** How many configurations are deadlocks, listed or not. */
  readonly deadlocks: number;
}

/** @param paths by transition number, as the compiler gives them. */
export function findingsOf(exploration: Exploration, definition: Definition, paths: readonly string[]): Findings {
  const states = inOrder(definition.root);
  const keys = new Map(states.map(({ id, key }) => [id, key]));
  const ends = deadEnds(exploration, states);
  const areMeant = WITHOUT_FINAL.has(definition.dialect);
  const loops = endlessLoops(exploration, paths);
  const conflicts = definition.relations === undefined ? [] : conflictsOf(definition.relations);
  const explained = new Set(conflicts.filter(({ adds }) => adds === undefined).map(({ state }) => state));
  if (definition.relations !== undefined) explained.add(definition.relations.exception);
  return {
    findings: [
      ...conflicts,
      ...(exploration.isComplete && exploration.unfinishedSteps === 0
        ? [...unreachable(exploration, states).filter(({ state }) => !explained.has(keys.get(state)!)), ...dead(exploration, states, paths)]
        : []),
      ...(areMeant ? [] : ends.map((end) => ({ kind: 'deadlock' as const, ...end }))),
      ...loops.filter(({ isCertain }) => isCertain).map(({ finding }) => ({ kind: 'livelock' as const, ...finding })),
    ],
    remarks: [
      ...(areMeant ? ends.map((end) => ({ kind: 'end' as const, ...end })) : []),
      ...loops.filter(({ isCertain }) => !isCertain).map(({ finding }) => ({ kind: 'loop' as const, ...finding })),
    ],
    deadlocks: areMeant ? 0 : exploration.stuckCount,
  };
}

/** The states in the order of their numbers. */
function inOrder(root: StateDefinition): StateDefinition[] {
  const states: StateDefinition[] = [];
  const visit = (node: NodeDefinition): void => {
    if (node.kind === 'history') return;
    states.push(node);
    node.children.forEach(visit);
  };
  visit(root);
  return states;
}

function unreachable({ machine, cover }: Exploration, states: readonly StateDefinition[]) {
  return states.flatMap(({ id, path }, number) => {
    const isOutermost = !cover.isEntered(number) && (number === 0 || cover.isEntered(machine.parent(number)));
    return isOutermost ? [{ kind: 'unreachable' as const, path, state: id }] : [];
  });
}

/** The first transition of the state for the event that has no guard, or -1. */
function unguarded({ chart }: Exploration, source: number, event: number): number {
  for (let number = 0; number < chart.transitionCount; number++)
    if (chart.source(number) === source && chart.event(number) === event && !chart.hasGuard(number)) return number;
  return -1;
}

function dead(exploration: Exploration, states: readonly StateDefinition[], paths: readonly string[]): Finding[] {
  const { chart, cover, machine } = exploration;
  const found: Finding[] = [];
  for (let number = 0; number < chart.transitionCount && found.length < LISTED_MAX; number++) {
    const [source, event] = [chart.source(number), chart.event(number)];
    if (event === NONE16 || cover.isTaken(number) || !cover.isEntered(source)) continue;
    const first = exploration.firstWith(source);
    const before = unguarded(exploration, source, event);
    found.push({
      kind: 'dead',
      path: paths[number]!,
      state: states[source]!.id,
      event: event === machine.symbols.events.length ? 'always' : machine.symbols.events[event]!,
      ...(before >= 0 && before < number ? { behind: paths[before]! } : {}),
      trail: first < 0 ? [] : trailTo(exploration, first),
    });
  }
  return found;
}

function deadEnds(exploration: Exploration, states: readonly StateDefinition[]) {
  const { machine, space } = exploration;
  return exploration.stuck.slice(0, LISTED_MAX).map((number) => {
    const key = machine.configurationKey(space.whole(number), 0);
    const active = states.flatMap((_, state) => (machine.isActive(key, state) ? [state] : []));
    const leaf = active.find((state) => machine.children(state).length === 0) ?? 0;
    return { path: states[leaf]!.path, value: valueOf(exploration, number), trail: trailTo(exploration, number) };
  });
}

interface Loop {
  readonly isCertain: boolean;
  readonly finding: { readonly path: string; readonly loop: readonly string[]; readonly trail: readonly TrailStep[] };
}

/** Each round once, by the shortest way to it. */
function endlessLoops(exploration: Exploration, paths: readonly string[]): Loop[] {
  const loops = new Map<string, Loop>();
  for (const step of exploration.endless) {
    if (loops.size >= LISTED_MAX) break;
    const round = roundOf(step);
    const key = `${step.isCertain} ${round.join(' ')}`;
    if (loops.has(key)) continue;
    const loop = round.map((transition) => paths[transition]!);
    loops.set(key, { isCertain: step.isCertain, finding: { path: loop[0] ?? '', loop, trail: trailOfEndless(exploration, step) } });
  }
  return [...loops.values()];
}

/** The shortest sequence that the end of an endless step repeats, beginning with its smallest number. */
function roundOf({ transitions: taken }: EndlessStep): number[] {
  for (let size = 1; size * 2 <= taken.length; size++) {
    const round = taken.slice(-size);
    if (!round.every((transition, index) => taken[taken.length - 2 * size + index] === transition)) continue;
    const first = round.indexOf(Math.min(...round));
    return [...round.slice(first), ...round.slice(0, first)];
  }
  return [...new Set(taken)].sort((a, b) => a - b);
}
