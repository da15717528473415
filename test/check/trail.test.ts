// Ways that reports give are walked: random machines, every configuration's way, with the guards answering as the way says. The configuration
// that the machine reaches is the one that was promised, and none is reached earlier.

import { createMachine, type AnyStateMachine } from 'xstate';
import { expect, test } from 'vitest';
import { Exploration } from '../../compiler/check/index.ts';
import { trailTo, type GuardAnswer, type TrailStep } from '../../compiler/check/trail.ts';
import { compileMachine } from '../../compiler/index.ts';
import { bind } from '../../core/bind.ts';
import { Instance } from '../../core/instance.ts';
import { Machine } from '../../core/machine.ts';
import { testCore } from '../support/core.ts';
import { random, seedOf, type Random } from '../support/random.ts';

const explorer = await testCore();
const runner = await testCore();
const MACHINES = process.env['LONG'] === undefined ? 100 : 5_000;
const SEED = seedOf('ways');
const GUARDS = 3;
const EVENTS = ['A', 'B', 'C'];

/** What guards have to answer while a way is walked, and what each answered last. */
let script: GuardAnswer[] = [];
const known = new Map<string, { readonly type: string; readonly answer: boolean }>();

/** In one step a guard is asked once for each event; it answers the same when it is asked again. */
function answer(guard: string, type: string): boolean {
  const last = known.get(guard);
  if (last?.type === type) return last.answer;
  const next = script.shift();
  if (next?.guard !== guard) throw new Error(`${guard} is asked, the way says ${next?.guard ?? 'no more'}`);
  known.set(guard, { type, answer: next.answer });
  return next.answer;
}

function randomMachine(dice: Random): AnyStateMachine {
  const guards = Object.fromEntries(
    Array.from({ length: GUARDS }, (_, i) => [`g${i}`, ({ event }: { event: { type: string } }) => answer(`g${i}`, event.type)]),
  );
  const ids: string[] = [];
  const name = (): string => {
    ids.push(`s${ids.length}`);
    return ids.at(-1)!;
  };
  const node = (depth: number): object => {
    const id = name();
    if (depth === 0 || dice.chance(0.4)) return { id };
    const children = Array.from({ length: 2 + dice.below(2) }, (_, i) => [`k${i}`, node(depth - 1)] as const);
    const states: Record<string, object> = Object.fromEntries(children);
    if (dice.chance(0.3)) return { id, type: 'parallel', states };
    if (dice.chance(0.3)) states['h'] = { type: 'history', history: dice.chance(0.5) ? 'deep' : 'shallow', id: name() };
    return { id, initial: 'k0', states };
  };
  const config = node(3) as Record<string, unknown>;
  const transition = (): object => ({
    target: `#${ids[1 + dice.below(ids.length - 1)] ?? ids[0]!}`,
    ...(dice.chance(0.6) ? { guard: `g${dice.below(GUARDS)}` } : {}),
  });
  const fill = (state: Record<string, unknown>): void => {
    if (state['type'] === 'history') return;
    const on: Record<string, object[]> = {};
    for (const event of EVENTS) if (ids.length > 1 && dice.chance(0.4)) on[event] = Array.from({ length: 1 + dice.below(2) }, transition);
    state['on'] = on;
    for (const child of Object.values((state['states'] as Record<string, Record<string, unknown>> | undefined) ?? {})) fill(child);
  };
  fill(config);
  return createMachine(config as never, { guards } as never);
}

function walk(machine: Machine, trail: readonly TrailStep[]): unknown {
  const instance = Instance.create(machine);
  for (const { event, guards } of trail) {
    script = [...guards];
    known.clear();
    const stamp = { now: 0, seed: 0, salt: '' };
    if (event === '(start)') instance.start(undefined, stamp);
    else instance.step({ type: event }, stamp);
    if (script.length > 0) throw new Error(`the way says ${script[0]!.guard}, which nobody asked`);
  }
  const { value } = instance.snapshot();
  instance.dispose();
  return value;
}

test(`[CHECK-8] the ways to all configurations of ${MACHINES} random machines lead there (SEED=${SEED})`, () => {
  let walked = 0;
  for (let i = 0; i < MACHINES; i++) {
    const definition = randomMachine(random(SEED + i));
    const image = compileMachine(definition);
    const exploration = new Exploration(Machine.load(explorer, image.bytes), definition, { configurationMax: 200 });
    exploration.run();
    const machine = Machine.load(runner, image.bytes, bind(image.symbols, definition));
    for (let number = 0; number < exploration.space.count; number += 1 + (number >>> 2)) {
      const trail = trailTo(exploration, number);
      expect(walk(machine, trail), `seed ${SEED + i}, configuration ${number}`).toEqual(trail.at(-1)!.value);
      walked += 1;
    }
    exploration.dispose();
  }
  expect(walked).toBeGreaterThan(MACHINES);
});
