// Builtin actions and actors of states as the expression of an action with all its parts known: what its functions give, and what is said
// outright. core/program-actions.ts performs what it comes to.

import { INVOKE, STOP } from '../../core/program-actions.ts';
import { plain } from '../../core/plain.ts';
import { isFields, type Fields } from '../../core/fields.ts';
import { at, builtinType, invokeId, invokesOf, isFunction, own, tokensOf } from '../../core/source.ts';
import type { AuthorFunction, Source } from '../../core/source.ts';
import type { Json } from '../../core/json.ts';
import type { FunctionSymbol } from '../../core/symbols.ts';
import { literal, object, UNDEFINED } from '../expression/build.ts';
import type { Expression, Field } from '../expression/tree.ts';

/** A function that gives a part, as an expression when it has passed its trial. */
export type Part = (given: AuthorFunction) => () => Expression;

/** The parts of each builtin that may be functions. */
const PARTS: { readonly [type: string]: readonly string[] } = {
  'xstate.raise': ['event', 'delay', 'id'],
  'xstate.sendTo': ['to', 'event', 'delay', 'id'],
  'xstate.cancel': ['sendId'],
  'xstate.emit': ['event'],
  'xstate.log': ['label', 'value'],
  'xstate.spawnChild': ['id', 'input'],
  'xstate.stopChild': ['actorRef'],
};

/** @returns what makes the action; or why there is nothing that does. */
export function actionExpression(symbol: FunctionSymbol, action: AuthorFunction, source: Source, part: Part): (() => Expression) | string {
  const type = builtinType(action) ?? '';
  const parts = PARTS[type];
  if (parts === undefined) return `${type.slice('xstate.'.length)}() acts on the machine while it runs`;
  const said: Fields =
    type === 'xstate.raise' || type === 'xstate.sendTo'
      ? { ...fieldsOf(action, parts), ...delayOf(action, source) }
      : fieldsOf(action, parts);
  const fixed: { [name: string]: unknown } = { type };
  if (type === 'xstate.spawnChild') {
    fixed['src'] = typeof action.src === 'string' ? action.src : symbol.path;
    fixed['sync'] = action.syncSnapshot === true ? true : undefined;
    fixed['systemId'] = action.systemId;
  }
  if (type === 'xstate.sendTo') {
    const invoked = invokedAt(symbol.path, source);
    fixed['invoked'] = invoked.length > 0 ? invoked : undefined;
  }
  return made({ ...fixed, ...said }, part, symbol.path);
}

/** What a state's actor is started with. */
export function invokeExpression(symbol: FunctionSymbol, invoke: Fields, source: Source, part: Part): (() => Expression) | string {
  const id = idOf(symbol.path, invoke, source);
  const src = typeof invoke.src === 'string' ? invoke.src : symbol.path;
  const { systemId, input, onSnapshot } = invoke;
  return made({ type: INVOKE, id, src, systemId, input, sync: onSnapshot === undefined ? undefined : true }, part, symbol.path);
}

export function stopExpression(symbol: FunctionSymbol, invoke: Fields, source: Source): () => Expression {
  const id = idOf(symbol.path, invoke, source);
  return () => literal({ type: STOP, id });
}

function fieldsOf(action: AuthorFunction, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, action[name as keyof AuthorFunction]]));
}

/** A delay may be named. */
function delayOf({ delay }: AuthorFunction, { implementations }: Source): Fields {
  return { delay: typeof delay === 'string' ? own(implementations.delays, delay) : delay };
}

function made(fields: Fields, part: Part, path: string): (() => Expression) | string {
  const parts: (() => Field)[] = [];
  for (const [key, given] of Object.entries(fields)) {
    if (given === undefined) continue;
    if (isFunction(given) && builtinType(given) === undefined) {
      const lowered = part(given);
      parts.push(() => ({ key, value: lowered() }));
      continue;
    }
    const value = jsonOf(given, `${path}/${key}`);
    if (value === undefined) return `its ${key} is no plain JSON`;
    parts.push(() => ({ key, value: literal(value) }));
  }
  return () => (parts.length === 0 ? UNDEFINED : object(parts.map((field) => field())));
}

function jsonOf(given: unknown, path: string): Json | undefined {
  try {
    return plain(given, path);
  } catch {
    return undefined; // An actor, or something else that only JavaScript has.
  }
}

/** What a state invokes right behind the entry action at a path. */
function invokedAt(path: string, source: Source): readonly string[] {
  const entry = /^((?:\/states\/[^/]+)*)\/entry(?:\/\d+)?$/.exec(path);
  if (entry === null) return [];
  const config = at(source.config, entry[1]!);
  return isFields(config) ? invokesOf(config).map((invoke, index) => invokeId(invoke, index, stateId(entry[1]!, config, source))) : [];
}

function idOf(path: string, invoke: Fields, source: Source): string {
  const place = /^(.*)\/invoke(?:\/(\d+))?$/.exec(path);
  const state = place?.[1] ?? '';
  const config = at(source.config, state);
  return invokeId(invoke, Number(place?.[2] ?? 0), stateId(state, isFields(config) ? config : {}, source));
}

/** By XState's rule. */
function stateId(path: string, { id }: Fields, source: Source): string {
  const keys = tokensOf(path).filter((_, index) => index % 2 === 1);
  const root = typeof source.config.id === 'string' && source.config.id !== '' ? source.config.id : '(machine)';
  return typeof id === 'string' && id !== '' ? id : [root, ...keys].join('.');
}
