// The `relational` dialect: states with relations, and handlers by name, to a definition. Numbers come from the names in the order of their
// code units, or from `names`: the order in which an author writes states decides nothing.

import { isFields, describe } from '../../core/fields.ts';
import { escapePointer } from '../../core/plain.ts';
import type { Json } from '../../core/json.ts';
import type { ActorSymbol, FunctionSymbol } from '../../core/symbols.ts';
import type { Definition, RelationDefinition, StateDefinition } from '../definition.ts';
import { relationOrder, type Relations } from '../relational/order.ts';
import { readHandlers } from '../relational/handlers.ts';
import { EXCEPTION, namesOf, type RelationalState, type Schema } from '../relational/schema.ts';
import { MUTATIONS } from '../../core/mutation.ts';
import { bad } from '../tree.ts';

export interface RelationalConfig<S extends string = string> {
  readonly dialect: 'relational';
  readonly id: string;
  readonly states: Schema<S>;
  /** Fixes the numbers of the states: all of them, in order. A schema that grows names the old ones first. */
  readonly names?: readonly S[];
  /** By name: `FooEnter`, `FooState`, `FooBar`, `AnyEnter` …; several sets are called in their order. */
  readonly handlers?: unknown;
  /** Actors by the state that invokes them: they run while it is active. */
  readonly actors?: { readonly [state in S]?: RelationalActor<S> };
  /** The state in which it is done, for a machine that invokes it; Exception means that it failed. */
  readonly done?: S;
  readonly description?: string;
}

export interface RelationalActor<S extends string = string> {
  /** A machine of whatever dialect, or any logic of XState. Its input is the args of the mutation that began the state. */
  readonly src: unknown;
  /** Added when it is done, with its output as args. */
  readonly done?: S;
  /** Added, with Exception, when it fails. */
  readonly error?: S;
}

/** States whose mutation brings no automatic one. */
const SILENT: ReadonlySet<string> = new Set(['Healthcheck', 'Heartbeat']);
const KEYS: ReadonlySet<string> = new Set(['auto', 'multi', 'require', 'add', 'remove', 'after', 'tags', 'publicArgs']);
const ANY = 'Any';

export function isRelational(value: unknown): value is RelationalConfig {
  return isFields(value) && value.dialect === 'relational';
}

/** @throws LockstepError BAD_DEFINITION naming machine, path and reason. */
export function fromRelational(config: RelationalConfig): Definition {
  const { id } = config;
  if (typeof id !== 'string' || id === '') throw bad(String(id), '/id', 'expected a name');
  if (!isFields(config.states)) throw bad(id, '/states', `expected an object of states, found ${describe(config.states)}`);
  const schema: Schema = Object.hasOwn(config.states, EXCEPTION) ? config.states : { ...config.states, [EXCEPTION]: { multi: true } };
  const names = orderedNames(id, schema, config.names);
  const states = new Map(names.map((name) => [name, readState(id, schema, name)]));
  const handlers = readHandlers(id, names, config.handlers);
  const symbolsOf = (kind: string, name: string): readonly FunctionSymbol[] => handlers.get(`${kind} ${name}`) ?? [];
  const order = relationOrder(names, states);
  const place = new Map(order.map((name, index) => [name, index]));
  const relations = new Map<string, RelationDefinition>();
  for (const [name, state] of states) {
    const pairs = [...handlers].flatMap(([key, symbols]) => {
      const [kind, from, to] = key.split(' ') as [string, string, string?];
      return kind === 'pair' && from === name ? symbols.map((symbol) => [to!, symbol] as const) : [];
    });
    relations.set(name, {
      ...state,
      exit: symbolsOf('exit', name),
      enter: symbolsOf('enter', name),
      self: symbolsOf('self', name),
      end: symbolsOf('end', name),
      state: symbolsOf('state', name),
      pairs: pairs.sort(([a], [b]) => place.get(a)! - place.get(b)!),
    });
  }
  return {
    id,
    dialect: 'relational',
    root: rootOf(config, names, schema),
    context: { value: {} },
    relations: {
      ...(config.done === undefined ? {} : { done: stateOf(id, schema, '/done', config.done) }),
      states: relations,
      order,
      exception: EXCEPTION,
      anyEnter: symbolsOf('enter', ANY),
      anyState: symbolsOf('state', ANY),
    },
    source: JSON.parse(JSON.stringify({ id, states: schema })) as Json,
  };
}

function stateOf(id: string, schema: Schema, path: string, name: unknown): string {
  if (typeof name === 'string' && Object.hasOwn(schema, name)) return name;
  throw bad(id, path, `no state is named ${typeof name === 'string' ? `'${name}'` : describe(name)}`);
}

/** What the actor of each state comes to. */
function readActors({ id, actors }: RelationalConfig, schema: Schema): ReadonlyMap<string, ActorSymbol> {
  if (actors !== undefined && !isFields(actors))
    throw bad(id, '/actors', `expected an object of actors by state, found ${describe(actors)}`);
  return new Map(
    Object.entries(actors ?? {}).map(([state, actor]: [string, unknown]) => {
      const path = `/actors/${escapePointer(state)}`;
      stateOf(id, schema, path, state);
      if (!isFields(actor) || actor.src === undefined)
        throw bad(id, path, `expected an actor with its logic as 'src', found ${describe(actor)}`);
      const ends = (['done', 'error'] as const).flatMap((end) =>
        actor[end] === undefined ? [] : [[end, stateOf(id, schema, `${path}/${end}`, actor[end])] as const],
      );
      return [state, Object.fromEntries(ends)] as const;
    }),
  );
}

function orderedNames(id: string, schema: Schema, given: readonly string[] | undefined): readonly string[] {
  const all = Object.keys(schema).sort((a, b) => (a < b ? -1 : 1));
  for (const name of all) {
    const path = `/states/${escapePointer(name)}`;
    if (name === '' || name === ANY || name === id || /[\s.#]/.test(name))
      throw bad(id, path, `'${name}' cannot name a state: it is empty, ${ANY}, the machine's id, or has a space, '.' or '#'`);
  }
  if (given === undefined) return all;
  const names = given.includes(EXCEPTION) ? given : [...given, EXCEPTION];
  names.forEach((name, index) => {
    if (!Object.hasOwn(schema, name)) throw bad(id, `/names/${index}`, `no state is named '${name}'`);
    if (names.indexOf(name) !== index) throw bad(id, `/names/${index}`, `'${name}' is there twice`);
  });
  const missing = all.find((name) => !names.includes(name));
  if (missing !== undefined) throw bad(id, '/names', `'${missing}' is missing`);
  return names;
}

/** What a state says of others: itself left out; what it adds it does not remove. */
function readState(id: string, schema: Schema, name: string): Relations {
  const path = `/states/${escapePointer(name)}`;
  const state: unknown = schema[name];
  if (!isFields(state)) throw bad(id, path, `expected an object of relations, found ${describe(state)}`);
  for (const key of Object.keys(state)) if (!KEYS.has(key)) throw bad(id, `${path}/${escapePointer(key)}`, `'${key}' is no relation`);
  for (const flag of ['auto', 'multi'] as const)
    if (state[flag] !== undefined && typeof state[flag] !== 'boolean')
      throw bad(id, `${path}/${flag}`, `expected true or false, found ${describe(state[flag])}`);
  const { publicArgs: told } = state;
  if (told !== undefined && told !== true && !(Array.isArray(told) ? told : [told]).every((field) => typeof field === 'string'))
    throw bad(id, `${path}/publicArgs`, `expected true or names of args, found ${describe(told)}`);
  const list = (key: 'require' | 'add' | 'remove' | 'after'): readonly string[] => {
    const names: unknown = typeof state[key] === 'string' ? [state[key]] : (state[key] ?? []);
    if (!Array.isArray(names)) throw bad(id, `${path}/${key}`, `expected names of states, found ${describe(names)}`);
    names.forEach((other, index) => {
      if (typeof other !== 'string' || !Object.hasOwn(schema, other))
        throw bad(id, `${path}/${key}/${index}`, `no state is named ${typeof other === 'string' ? `'${other}'` : describe(other)}`);
    });
    return [...new Set(names as readonly string[])].filter((other) => other !== name);
  };
  const add = list('add');
  const required = list('require');
  const remove = list('remove').filter((other) => !add.includes(other));
  const torn = required.find((other) => remove.includes(other));
  if (torn !== undefined)
    throw bad(id, `${path}/remove/${namesOf(schema[name]!.remove).indexOf(torn)}`, `'${name}' both requires and removes '${torn}'`);
  return {
    isAuto: state.auto === true,
    isMulti: state.multi === true,
    isSilent: SILENT.has(name),
    add,
    remove,
    require: required,
    after: list('after'),
  };
}

const PLAIN = { children: [], entry: [], exit: [], on: [], always: [], timers: [], tags: [] } as const;

/** The root and its states; the mutations are its events, in the order of their numbers. */
function rootOf(config: RelationalConfig, names: readonly string[], schema: Schema): StateDefinition {
  const { id, description } = config;
  const actors = readActors(config, schema);
  return {
    ...PLAIN,
    kind: 'parallel',
    key: id,
    id,
    path: '',
    on: MUTATIONS.map((descriptor) => ({ descriptor, transitions: [] })),
    ...(description === undefined ? {} : { description }),
    children: names.map((name) => ({
      ...PLAIN,
      kind: 'atomic',
      key: name,
      id: name,
      path: `/states/${escapePointer(name)}`,
      tags: schema[name]?.tags ?? [],
      ...publicArgs(schema[name]!),
      ...(actors.has(name) ? { actor: actors.get(name)! } : {}),
    })),
  };
}

function publicArgs({ publicArgs: told }: RelationalState): Pick<StateDefinition, 'publicArgs'> {
  return told === undefined ? {} : { publicArgs: told === true ? true : namesOf(told) };
}
