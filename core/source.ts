// What an author hands over: a machine object of XState, `{ config, implementations }`, or a bare config. Read by shape, so that the
// running side needs no xstate: this file knows how XState's objects look, and nothing else of it.

import { LockstepError } from './errors.ts';
import { describe, type Fields, isFields } from './fields.ts';
import { escapePointer, unescapePointer } from './plain.ts';

export interface Source {
  readonly config: Fields;
  readonly implementations: { readonly guards: Fields; readonly actions: Fields; readonly delays: Fields; readonly actors: Fields };
}

/** Anything callable; arguments and result are the author's business. */
export type AuthorFunction = ((...args: unknown[]) => unknown) & Fields;

/** @throws LockstepError BAD_DEFINITION when `source` is no machine. */
export function readSource(source: unknown): Source {
  if (!isFields(source)) throw new LockstepError('BAD_DEFINITION', `expected a machine or its config, found ${describe(source)}`);
  const config = isFields(source.config) ? source.config : source;
  const given = isFields(source.config) && isFields(source.implementations) ? source.implementations : {};
  const group = (name: string): Fields => (isFields(given[name]) ? given[name] : {});
  return {
    config,
    implementations: { guards: group('guards'), actions: group('actions'), delays: group('delays'), actors: group('actors') },
  };
}

/** The machine's id: XState's default when the author gave none. */
export function sourceId({ config }: Source): string {
  return typeof config.id === 'string' && config.id !== '' ? config.id : '(machine)';
}

export function isFunction(value: unknown): value is AuthorFunction {
  return typeof value === 'function';
}

/** An own property, or undefined: names come from authors, `toString` among them. */
export function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** assign(…), raise(…), log(…) and their kin: functions that carry their meaning as properties. @returns their type, e.g. `xstate.assign`. */
export function builtinType(value: unknown): string | undefined {
  if (!isFunction(value) || !('resolve' in value)) return undefined;
  return typeof value.type === 'string' ? value.type : '(unknown)';
}

/** and(…), or(…), not(…), stateIn(…): guards that XState evaluates over the snapshot. */
export function isComposedGuard(value: unknown): boolean {
  return isFunction(value) && 'check' in value;
}

/** The name in `'name'` or `{ type: 'name', params }`. */
export function referenceName(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isFields(value) && typeof value.type === 'string' ? value.type : undefined;
}

/** Static params of an action or guard reference, or what their function makes of this context and event. */
export function paramsOf(reference: unknown, args: { readonly context: unknown; readonly event: unknown }): unknown {
  if (!isFields(reference)) return undefined;
  return isFunction(reference.params) ? reference.params({ context: args.context, event: args.event }) : reference.params;
}

/** The invokes of a state's config, in order. */
export function invokesOf(config: Fields): readonly Fields[] {
  const { invoke } = config;
  return (invoke === undefined ? [] : Array.isArray(invoke) ? invoke : [invoke]).filter(isFields);
}

/** XState's id of an invoke. */
export function invokeId(invoke: Fields, index: number, stateId: string): string {
  return typeof invoke.id === 'string' && invoke.id !== '' ? invoke.id : `${index}.${stateId}`;
}

/** XState's machines, and ours: a config, and functions beside it; or a definition that names its dialect. */
export function isMachine(logic: unknown): boolean {
  if (isFields(logic) && logic.dialect === 'relational') return true;
  return isFields(logic) && isFields(logic.config) && isFields(logic.implementations) && isFunction(logic.transition);
}

/** What an export must be to be taken for a machine: XState's, `{ config, implementations }`, or a definition that names its dialect. */
export function isDefinition(value: unknown): value is Fields {
  return isFields(value) && ((isFields(value.config) && 'implementations' in value) || typeof value.dialect === 'string');
}

/** Where the definition of a relational machine has the actor of a state. */
export function actorPath(state: string): string {
  return `/actors/${escapePointer(state)}`;
}

/** What a config holds at a JSON pointer. */
export function at(config: Fields, path: string): unknown {
  let found: unknown = config;
  for (const key of tokensOf(path)) {
    if ((!isFields(found) && !Array.isArray(found)) || !Object.hasOwn(found, key)) return undefined;
    found = (found as Fields)[key];
  }
  return found;
}

/** The reference tokens of a JSON pointer. */
export function tokensOf(path: string): string[] {
  return path.split('/').slice(1).map(unescapePointer);
}
