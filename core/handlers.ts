// The author's handlers of a relational machine, as functions of its image: negotiation handlers are its guards, final handlers its effects.

import { LockstepError } from './errors.ts';
import type { BoundFunction, BoundFunctions, EffectOwner, FunctionArguments } from './functions.ts';
import type { EventObject, Json } from './json.ts';
import { AUTO_EVENT, type Mutation, type MutationSource } from './mutation.ts';
import { describe, type Fields } from './fields.ts';
import { at, isFunction } from './source.ts';
import type { FunctionSymbol, Symbols } from './symbols.ts';

/** What a handler is told. */
export interface HandlerEvent<TArgs = Json, TMachine = unknown> {
  /** `FooEnter`, `FooState` … */
  readonly name: string;
  /** Of the mutation; null when it brought none, and in an automatic one. */
  readonly args: TArgs;
  /** `relational.add` …; `relational.auto` in an automatic mutation. */
  readonly type: string;
  /** The states called; of an automatic mutation none are named. */
  readonly states: readonly string[];
  readonly isAuto: boolean;
  /** Of a mutation that another machine's step brings: that machine, and the sum of its ticks before. */
  readonly source: MutationSource | null;
  /** Whether a state is active: before the mutation in a negotiation, behind it in a final handler. */
  is(state: string): boolean;
  /** In a final handler: whom it may tell more. */
  readonly machine: TMachine;
}

/** @throws LockstepError MISSING_FUNCTION naming machine and path when a handler is not there. */
export function bindHandlers(symbols: Symbols, source: Fields): BoundFunctions {
  if (source.id !== symbols.id)
    throw new LockstepError(
      'MISSING_FUNCTION',
      `the image is of machine '${symbols.id}', the definition at hand is of ${describe(source.id)}`,
    );
  return symbols.functions.map((symbol) => bindHandler(symbols, source, symbol));
}

function bindHandler(symbols: Symbols, source: Fields, { kind, path }: FunctionSymbol): BoundFunction {
  const handler = at(source, path);
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!isFunction(handler))
    throw new LockstepError('MISSING_FUNCTION', `machine '${symbols.id}', ${path}: expected a function, found ${describe(handler)}`);
  if (kind === 'guard') return { kind, call: (args) => isYes(handler(handlerEvent(name, args)), path) };
  return { kind: 'effect', call: (args, owner) => handler(handlerEvent(name, args, owner)) };
}

/** Anything but false; a promise is no answer. */
function isYes(answer: unknown, path: string): boolean {
  if (typeof answer === 'object' && answer !== null && 'then' in answer)
    throw new TypeError(`${path} must answer at once, and gave a promise`);
  return answer !== false;
}

function handlerEvent(
  name: string,
  { event, isIn }: Pick<FunctionArguments, 'event' | 'isIn'>,
  owner?: Pick<EffectOwner, 'self'>,
): HandlerEvent {
  const { type, states = [], args = null, source = null } = event as EventObject & Partial<Pick<Mutation, 'states' | 'args' | 'source'>>;
  return { name, args, type, states, isAuto: type === AUTO_EVENT, source, is: isIn, machine: owner?.self };
}
