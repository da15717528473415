// The shortest way to a configuration, for people: events, and what the guards on the way have to answer. The exploration remembers only which
// configuration came before and by which event; the answers are found again by running the step again.

import type { StateValue } from '../../core/machine.ts';
import { START, type EndlessStep, type Exploration } from './exploration.ts';
import { NOWHERE } from './space.ts';

export interface GuardAnswer {
  /** The author's name for the guard, or where it stands. */
  readonly guard: string;
  readonly path: string;
  readonly answer: boolean;
}

export interface TrailStep {
  /** Event type; `(start)` for the initial step; a wildcard descriptor for any type that it takes; `(any other)` for one that nothing names. */
  readonly event: string;
  /** What guards that depend on data answered, in the order in which they were asked. */
  readonly guards: readonly GuardAnswer[];
  /** XState's state value behind the step; absent when it did not come to rest. */
  readonly value?: StateValue;
}

/** The steps from nothing to the configuration with this number. */
export function trailTo(exploration: Exploration, number: number): TrailStep[] {
  const { space } = exploration;
  const numbers: number[] = [];
  for (let at = number; at !== NOWHERE; at = space.parent(at)) numbers.push(at);
  return exploration.asking(() => numbers.reverse().map((each) => stepTo(exploration, each)));
}

/** The steps to one that does not end, itself included. */
export function trailOfEndless(exploration: Exploration, step: EndlessStep): TrailStep[] {
  const { from, event } = step;
  const before = from === NOWHERE ? [] : trailTo(exploration, from);
  const last = exploration.asking(() => {
    if (from !== NOWHERE) exploration.load(from);
    let guards: GuardAnswer[] = [];
    exploration.runs(event, (result) => {
      if (!exploration.isRunOf(step, result)) return true;
      guards = answersOf(exploration);
      return false;
    });
    return { event: eventName(exploration, event), guards };
  });
  return [...before, last];
}

/** XState's state value of a configuration. */
export function valueOf({ machine, space }: Exploration, number: number): StateValue {
  return machine.value(machine.configurationKey(space.whole(number), 0));
}

function stepTo(exploration: Exploration, number: number): TrailStep {
  const { space } = exploration;
  const parent = space.parent(number);
  if (parent !== NOWHERE) exploration.load(parent);
  const event = space.event(number);
  let guards: GuardAnswer[] = [];
  exploration.runs(event, (result) => {
    if (result < 0 || exploration.whereItIs() !== number) return true;
    guards = answersOf(exploration);
    return false;
  });
  return { event: eventName(exploration, event), guards, value: valueOf(exploration, number) };
}

function answersOf({ oracle }: Exploration): GuardAnswer[] {
  return oracle.asked.slice(0, oracle.askedCount).flatMap((question, index) => {
    // An event whose type is computed.
    if (question < 0) return [];
    const { name, path } = oracle.questions[question]!;
    return [{ guard: name, path, answer: oracle.choices.answer(index) === 1 }];
  });
}

function eventName({ chart }: Exploration, event: number): string {
  return event === START ? '(start)' : chart.stimuli[event]!.name;
}
