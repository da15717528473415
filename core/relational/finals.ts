// Which final handlers a step asks for, and what is taken back when one of them throws: read from the core's records.

import { RECORD_ENTER, RECORD_EXIT, RECORD_INTERNAL } from '../../assembly/layout.ts';
import type { Machine } from '../machine.ts';
import type { Outcome } from '../outcome.ts';

/** Endings of final handlers' names, by whether their state was left. */
const ENDINGS = [
  ['End', true],
  ['State', false],
] as const;

/**
 * The states that a step moved and whose final handlers had not run to their end when the handler at `index` threw, by name: those whose
 * being active it decided. The step's transitions follow one another; each ends states, then begins others.
 * @param index of the effect in the outcome's effects.
 */
export function takenBack(machine: Machine, outcome: Outcome, index: number): string[] {
  const names = machine.symbols.states.map(({ key }) => key);
  const transitions = movesOf(outcome.records);
  // Effects come in the order of the transitions: the thrower's is that of its event.
  const { event, name } = outcome.effects[index]!;
  const isAutomatic = event.type === machine.symbols.raises[0]?.type;
  const at = isAutomatic ? transitions.length - 1 : 0;
  const { left, entered } = transitions[at]!;
  const again = new Set(left.filter((state) => entered.includes(state)));
  const moved = [
    ...left.filter((state) => !again.has(state)).map((state) => ({ state, isLeft: true })),
    ...entered.map((state) => ({ state, isLeft: false })),
  ];
  const handler = name.slice(name.lastIndexOf('/') + 1);
  const about = ENDINGS.flatMap(([ending, isLeft]) =>
    handler.endsWith(ending) ? [{ state: names.indexOf(handler.slice(0, -ending.length)), isLeft }] : [],
  );
  const first = moved.findIndex(({ state, isLeft }) => about.some((one) => one.state === state && one.isLeft === isLeft));
  const flips = new Map<number, number>();
  const flip = (state: number): void => void flips.set(state, (flips.get(state) ?? 0) + 1);
  // What began anew is in both lists and was active before: it stays.
  // AnyState is about no state: all of its transition have run.
  if (first >= 0) for (const { state } of moved.slice(first)) if (!again.has(state)) flip(state);
  for (const later of transitions.slice(at + 1)) for (const state of [...later.left, ...later.entered]) flip(state);
  return [...flips].filter(([, count]) => count % 2 === 1).map(([state]) => names[state]!);
}

interface Moves {
  readonly left: number[];
  readonly entered: number[];
}

/** By transition; a state that begins anew is left and entered. */
function movesOf(records: readonly number[]): readonly Moves[] {
  const transitions: Moves[] = [{ left: [], entered: [] }];
  for (let i = 0; i < records.length; i += 2) {
    const kind = records[i]! >>> 24;
    const moves = transitions.at(-1)!;
    if (kind === RECORD_EXIT) moves.left.push(records[i]! & 0xffffff);
    else if (kind === RECORD_ENTER) moves.entered.push(records[i]! & 0xffffff);
    else if (kind === RECORD_INTERNAL) transitions.push({ left: [], entered: [] });
  }
  return transitions;
}
