// Relational schemas as authors write them, and what is done with them before they are compiled: merging, extending, inheriting, growing.
// Nothing here changes what it is given.

import { LockstepError } from '../../core/errors.ts';

/** One name or several. */
export type Names<S extends string = string> = S | readonly S[];

export interface RelationalState<S extends string = string> {
  /** Added by itself when a mutation changed something and no active state removes it. */
  readonly auto?: boolean;
  /** Called again while it is active, it begins anew: its clock moves by two. */
  readonly multi?: boolean;
  /** Active only while all of these are. */
  readonly require?: Names<S>;
  /** Activated with it. */
  readonly add?: Names<S>;
  /** Deactivated by it, and kept out while it is active. */
  readonly remove?: Names<S>;
  /** Its handlers run behind those of these. */
  readonly after?: Names<S>;
  readonly tags?: readonly string[];
  /** Which args of mutations that call it mirrors are told: all, or these fields. None unless said. */
  readonly publicArgs?: true | Names;
}

export type Schema<S extends string = string> = { readonly [name in S]: RelationalState<S> };

/** The state that stands for errors; every machine has it. */
export const EXCEPTION = 'Exception';

const LISTS = ['require', 'add', 'remove', 'after'] as const;

export function namesOf(names: Names | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === 'string' ? [names] : names;
}

/** All states of all schemas; where a name comes again, the later state replaces the earlier one. */
export function merge(...schemas: readonly Schema[]): Schema {
  return Object.assign({}, ...schemas) as Schema;
}

/** A state with the relations of both: lists are united, flags are those of either. */
export function extend(state: RelationalState, other: RelationalState): RelationalState {
  const united: Record<string, unknown> = { ...state, ...other };
  for (const list of LISTS) {
    const names = new Set([...namesOf(state[list]), ...namesOf(other[list])]);
    if (names.size > 0) united[list] = [...names];
  }
  if (state.tags !== undefined || other.tags !== undefined) united['tags'] = [...new Set([...(state.tags ?? []), ...(other.tags ?? [])])];
  for (const flag of ['auto', 'multi', 'publicArgs'] as const) if (state[flag] === true) united[flag] = true;
  if (state.publicArgs !== undefined && other.publicArgs !== undefined && united['publicArgs'] !== true)
    united['publicArgs'] = [...new Set([state.publicArgs, other.publicArgs].flatMap((told) => (told === true ? [] : namesOf(told))))];
  return united;
}

/** The states of `base`, and those of `own`; a state of both extends that of `base`. */
export function inherit(base: Schema, own: Schema): Schema {
  const states: Record<string, RelationalState> = { ...base };
  for (const [name, state] of Object.entries(own)) states[name] = Object.hasOwn(base, name) ? extend(base[name]!, state) : state;
  return states;
}

/** A schema with `prefix` before each name, relations included. */
export function prefixed(prefix: string, schema: Schema): Schema {
  const rename = (name: string): string => (name === EXCEPTION ? name : prefix + name);
  return Object.fromEntries(
    Object.entries(schema).map(([name, state]) => {
      const lists = LISTS.flatMap((list) => (state[list] === undefined ? [] : [[list, namesOf(state[list]).map(rename)] as const]));
      return [rename(name), { ...state, ...Object.fromEntries(lists) }];
    }),
  );
}

/** Named sets of states: `groups({ Connected: ['Connecting', 'Ready'] })`. The names are checked against the schema. */
export function groups<G extends Readonly<Record<string, readonly string[]>>>(schema: Schema, sets: G): G {
  for (const [group, names] of Object.entries(sets))
    names.forEach((name, index) => {
      if (!Object.hasOwn(schema, name))
        throw new LockstepError('BAD_DEFINITION', `group '${group}', /${group}/${index}: no state is named '${name}'`);
    });
  return sets;
}

/** In a group that excludes its members: each removes the others. */
export function exclusive(schema: Schema, names: readonly string[]): Schema {
  const states: Record<string, RelationalState> = { ...schema };
  for (const name of names) states[name] = extend(states[name] ?? {}, { remove: names.filter((other) => other !== name) });
  return states;
}
