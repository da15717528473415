// An image as a config in XState 5's shape: states, targets, guards by name. For inspectors, when the definition was written in another
// dialect or is not in the image. Only to be looked at; nothing is ever run from it.

import {
  GUARD_HOST,
  IMAGE_LISTS,
  IMAGE_STATES,
  IMAGE_TRANSITION_COUNT,
  IMAGE_TRANSITIONS,
  KIND_FINAL,
  KIND_PARALLEL,
  NONE16,
  STATE_INITIAL,
  STATE_SIZE,
  TARGET_HISTORY,
  TRANSITION_EVENT,
  TRANSITION_GUARD_ARG,
  TRANSITION_GUARD_KIND,
  TRANSITION_SIZE,
  TRANSITION_SOURCE,
  TRANSITION_TARGETS,
} from '../assembly/layout.ts';
import { readImage } from './image.ts';
import type { Json, JsonObject } from './json.ts';
import type { Machine } from './machine.ts';

type Transitions = Record<string, Json[]>;

/** The definition as its author wrote it where that is XState 5's shape, else its outline; with an id. */
export function definitionOf(machine: Machine): JsonObject {
  const { debug } = readImage(machine.bytes, machine.core.hashBytes);
  const written = debug?.definition;
  if (debug?.dialect === 'xstate5' && typeof written === 'object' && written !== null && !Array.isArray(written))
    return { id: machine.symbols.id, ...(written as JsonObject) };
  return outline(machine);
}

export function outline(machine: Machine): JsonObject {
  const { bytes, symbols } = machine;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const transitions = readTransitions(machine, view);
  const node = (state: number): JsonObject => {
    const children = machine.children(state);
    const kind = machine.kind(state);
    const at = view.getUint32(IMAGE_STATES, true) + state * STATE_SIZE;
    const initial = view.getUint16(at + STATE_INITIAL, true);
    const first = initial === NONE16 ? undefined : targetsOf(view, initial)[0];
    const { always, ...on } = transitions[state] ?? {};
    const { id, tags = [] } = symbols.states[state]!;
    return {
      id,
      ...(kind === KIND_PARALLEL ? { type: 'parallel' } : kind === KIND_FINAL ? { type: 'final' } : {}),
      ...(kind === KIND_PARALLEL || first === undefined ? {} : { initial: symbols.states[first]?.key ?? '' }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(Object.keys(on).length === 0 ? {} : { on }),
      ...(always === undefined ? {} : { always }),
      ...(children.length === 0 ? {} : { states: Object.fromEntries(children.map((child) => [symbols.states[child]!.key, node(child)])) }),
    };
  };
  return node(0);
}

/** By state, by event descriptor. */
function readTransitions(machine: Machine, view: DataView): Transitions[] {
  const { symbols } = machine;
  const found: Transitions[] = [];
  for (let number = 0; number < view.getUint32(IMAGE_TRANSITION_COUNT, true); number++) {
    const at = view.getUint32(IMAGE_TRANSITIONS, true) + number * TRANSITION_SIZE;
    const event = view.getUint16(at + TRANSITION_EVENT, true);
    if (event === NONE16) continue;
    const name = event === symbols.events.length ? 'always' : (symbols.events[event] ?? '');
    const guard = view.getUint16(at + TRANSITION_GUARD_KIND, true) === GUARD_HOST;
    const symbol = guard ? symbols.functions[view.getUint32(at + TRANSITION_GUARD_ARG, true)] : undefined;
    const targets = targetsOf(view, number).map((target) => `#${idOf(machine, target)}`);
    const own = (found[view.getUint16(at + TRANSITION_SOURCE, true)] ??= {});
    (own[name] ??= []).push({
      ...(targets.length === 0 ? {} : { target: targets }),
      ...(symbol === undefined ? {} : { guard: symbol.name ?? symbol.path }),
    });
  }
  return found;
}

/** State numbers; history nodes as ~number. */
function targetsOf(view: DataView, transition: number): number[] {
  const at = view.getUint32(IMAGE_TRANSITIONS, true) + transition * TRANSITION_SIZE;
  const list = view.getUint32(IMAGE_LISTS, true) + view.getUint32(at + TRANSITION_TARGETS, true) * 4;
  return Array.from({ length: view.getUint32(list, true) }, (_, i) => {
    const word = view.getInt32(list + 4 + i * 4, true);
    return (word & TARGET_HISTORY) === 0 ? word : ~(word & ~TARGET_HISTORY);
  });
}

function idOf({ symbols }: Machine, target: number): string {
  return (target < 0 ? symbols.histories[~target]?.id : symbols.states[target]?.id) ?? '';
}
