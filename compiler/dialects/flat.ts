// What the dialects of flat machines have in common: a list of states and what leads from one to another. A definition in such a dialect becomes
// a machine of the shape that the rest of the house takes (core/source.ts): its config is what the author wrote, with a function wherever one
// is called, so that every pointer of the image leads into what the author wrote.

import { isFields, type Fields } from '../../core/fields.ts';
import { type AuthorFunction, type Source } from '../../core/source.ts';
import type { Definition, StateDefinition, TransitionDefinition } from '../definition.ts';

/** A machine whose definition was written in another dialect than XState's. */
export interface FlatMachine extends Source {
  readonly id: string;
  readonly dialect: 'transitions' | 'states';
}

export interface FlatState {
  readonly name: string;
  readonly path: string;
  readonly on: StateDefinition['on'];
}

const definitions = new WeakMap<object, Definition>();
const NONE: Fields = {};

/** @param config what the author wrote, functions in their places; `id` is added. */
export function flatMachine(
  { id, dialect, config }: { readonly id: string; readonly dialect: FlatMachine['dialect']; readonly config: Fields },
  definition: Definition,
): FlatMachine {
  const implementations = { guards: NONE, actions: NONE, delays: NONE, actors: NONE };
  const machine = { id, dialect, config: { ...config, id }, implementations };
  definitions.set(machine, definition);
  return machine;
}

/** The definition of a machine that one of these dialects made; undefined when none did. */
export function flatDefinition(machine: unknown): Definition | undefined {
  return isFields(machine) ? definitions.get(machine) : undefined;
}

/** The id of a state: unique, because names are. */
export const stateId = (machine: string, name: string): string => `${machine}.${name}`;

export function flatRoot(
  machine: string,
  initial: { readonly name: string; readonly path: string },
  states: readonly FlatState[],
): StateDefinition {
  const nothing = { entry: [], exit: [], always: [], timers: [], tags: [] };
  const first: TransitionDefinition = { path: initial.path, targets: [stateId(machine, initial.name)], reenter: false, actions: [] };
  return {
    ...nothing,
    kind: 'compound',
    key: machine,
    id: machine,
    path: '',
    initial: first,
    on: [],
    children: states.map(({ name, path, on }) => ({
      ...nothing,
      kind: 'atomic',
      key: name,
      id: stateId(machine, name),
      path,
      children: [],
      on,
    })),
  };
}

/** Why a name cannot be an event's: it would stand for others. */
export function eventFault(name: string): string | undefined {
  if (name === '') return 'an event needs a name';
  if (name === '*' || name.endsWith('.*')) return `the event '${name}' would be a wildcard`;
  return undefined;
}

/** An action in the shape that core/builtins.ts knows. */
export function builtinAction(type: string, meaning: Fields): AuthorFunction {
  const never = (): never => {
    throw new Error(`${type} is performed by who runs the machine`);
  };
  return Object.assign(never, { type, resolve: never, ...meaning }) as unknown as AuthorFunction;
}
