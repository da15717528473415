// Finds the author's functions for an image: by path in the definition's config, by name in its implementations. The image may have been
// compiled elsewhere, from another build of the same source, so what is found is checked against what the image says it is.
// Functions are called exactly as XState calls them; params are resolved at each call, from the context and event of that call.

import { LockstepError } from './errors.ts';
import type { BoundFunction, BoundFunctions, FunctionArguments } from './functions.ts';
import type { EventObject, Json } from './json.ts';
import { builtinType, describe, isComposedGuard, isFields, isFunction, own, readSource, referenceName, sourceId } from './source.ts';
import type { AuthorFunction, Fields, Source } from './source.ts';
import type { FunctionSymbol, Symbols } from './symbols.ts';

/** Alias chains of named guards end here; a longer one is a circle. */
const ALIAS_MAX = 32;

/** What the author's functions get. XState also passes actors; here there are none. */
interface AuthorArguments {
  readonly context: Json;
  readonly event: EventObject;
}

/**
 * Binds the functions that an image names to the author's code.                                  (BIND-1)
 * @param source the machine object (`createMachine(…)`), `{ config, implementations }`, or a bare config.
 * @returns the functions by number.
 * @throws LockstepError MISSING_FUNCTION naming machine, path and name when one is not there or is of another kind; BAD_DEFINITION
 *   when `source` is no machine.
 */
export function bind(symbols: Symbols, source: unknown): BoundFunctions {
  const read = readSource(source);
  if (sourceId(read) !== symbols.id) {
    throw new LockstepError(
      'MISSING_FUNCTION',
      `the image is of machine '${symbols.id}', the definition at hand is of '${sourceId(read)}'`,
    );
  }
  const binder = new Binder(symbols, read);
  return symbols.functions.map((symbol) => binder.bind(symbol));
}

class Binder {
  readonly #symbols: Symbols;
  readonly #source: Source;

  constructor(symbols: Symbols, source: Source) {
    this.#symbols = symbols;
    this.#source = source;
  }

  bind(symbol: FunctionSymbol): BoundFunction {
    switch (symbol.kind) {
      case 'guard':
        return { kind: 'guard', call: this.#guard(symbol, this.#find(symbol), ALIAS_MAX) };
      case 'assign':
        return { kind: 'assign', call: this.#builtin(symbol, 'xstate.assign', assignment) };
      case 'raise':
        return { kind: 'raise', call: this.#builtin(symbol, 'xstate.raise', raised) };
      case 'effect':
        return { kind: 'effect', call: this.#effect(symbol) };
      case 'delay':
        return { kind: 'delay', call: this.#delay(symbol) };
      case 'output':
        return { kind: 'output', call: this.#output(symbol) };
      case 'context':
        return { kind: 'context', call: this.#context(symbol) };
    }
  }

  // ── Guards ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #guard(symbol: FunctionSymbol, guard: unknown, aliases: number): (args: FunctionArguments) => boolean {
    if (isFunction(guard)) {
      if (isComposedGuard(guard)) return this.#composed(guard);
      return (args) => Boolean(guard(authorArguments(args), undefined));
    }
    const name = referenceName(guard);
    const named = name === undefined ? undefined : own(this.#source.implementations.guards, name);
    if (named === undefined || aliases === 0) throw this.#missing(symbol, `no guard named ${describe(name ?? guard)}`);
    if (!isFunction(named)) return this.#guard(symbol, named, aliases - 1);
    if (isComposedGuard(named)) return this.#composed(named);
    return (args) => {
      const author = authorArguments(args);
      return Boolean(named(author, paramsOf(guard, author)));
    };
  }

  /** XState's own evaluation of and, or, not and stateIn, over a snapshot that answers only what they ask. */
  #composed(guard: AuthorFunction): (args: FunctionArguments) => boolean {
    const { check } = guard;
    if (!isFunction(check)) throw new LockstepError('BAD_DEFINITION', 'a composed guard without a check');
    const active = {};
    const implementations = this.#source.implementations;
    return (args) => {
      const getStateNodeById = (id: string): object => (args.isIn(id) ? active : {});
      const snapshot = {
        context: args.context,
        machine: { implementations, getStateNodeById },
        _nodes: [active],
        matches: (value: Json) => args.isIn(value),
      };
      return Boolean(check(snapshot, authorArguments(args), guard));
    };
  }

  // ── Actions ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The builtin at the path, or the one that its name stands for; `prepare` looks into it once, what it returns runs each time. */
  #builtin<T>(symbol: FunctionSymbol, type: string, prepare: (builtin: AuthorFunction) => (args: AuthorArguments, params: unknown) => T) {
    const reference = this.#find(symbol);
    const action = this.#action(reference);
    if (!isFunction(action) || builtinType(action) !== type)
      throw this.#missing(symbol, `expected ${type}, found ${builtinType(action) ?? describe(action)}`);
    const run = prepare(action);
    return (args: FunctionArguments): T => {
      const author = authorArguments(args);
      return run(author, paramsOf(reference, author));
    };
  }

  #effect(symbol: FunctionSymbol): (args: FunctionArguments) => unknown {
    const reference = this.#find(symbol);
    const action = this.#action(reference);
    const type = builtinType(action);
    if (type === 'xstate.log') return logger(action as AuthorFunction, reference);
    if (type !== undefined) throw this.#missing(symbol, `expected an effect, found ${type}`);
    // XState's rule: an action that nothing implements does nothing. An inline one must be there.
    if (action === undefined && referenceName(reference) !== undefined) return () => undefined;
    if (!isFunction(action)) throw this.#missing(symbol, `expected an action, found ${describe(action)}`);
    return (args) => {
      const author = authorArguments(args);
      return action(author, paramsOf(reference, author));
    };
  }

  #action(reference: unknown): unknown {
    const name = referenceName(reference);
    return name === undefined ? reference : own(this.#source.implementations.actions, name);
  }

  // ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #delay(symbol: FunctionSymbol): (args: FunctionArguments) => number {
    const delay = own(this.#source.implementations.delays, symbol.name ?? '');
    if (typeof delay === 'number') return () => delay;
    if (!isFunction(delay)) throw this.#missing(symbol, `no delay named '${symbol.name ?? ''}'`);
    return (args) => Number(delay(authorArguments(args), undefined));
  }

  /** A function or a plain value, as XState takes either. */
  #output(symbol: FunctionSymbol): (args: FunctionArguments) => unknown {
    const output = this.#find(symbol);
    return (args) => (isFunction(output) ? output(authorArguments(args)) : output);
  }

  #context(symbol: FunctionSymbol): (args: { readonly input: Json | undefined }) => unknown {
    const factory = this.#find(symbol);
    if (!isFunction(factory)) throw this.#missing(symbol, `expected a function, found ${describe(factory)}`);
    return ({ input }) => factory({ input, spawn, self: undefined });
  }

  // ── Finding ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the config holds at the symbol's path; it has the same name as in the image. */
  #find(symbol: FunctionSymbol): unknown {
    let found: unknown = this.#source.config;
    for (const token of symbol.path.split('/').slice(1)) {
      const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
      if ((!isFields(found) && !Array.isArray(found)) || !Object.hasOwn(found, key))
        throw this.#missing(symbol, 'the definition has nothing at that path');
      found = (found as Fields)[key];
    }
    if (referenceName(found) !== symbol.name && symbol.kind !== 'output') throw this.#missing(symbol, `found ${describe(found)}`);
    return found;
  }

  #missing(symbol: FunctionSymbol, reason: string): LockstepError {
    const name = symbol.name === undefined ? '' : ` '${symbol.name}'`;
    return new LockstepError('MISSING_FUNCTION', `machine '${this.#symbols.id}', ${symbol.path}: ${symbol.kind}${name}: ${reason}`);
  }
}

const authorArguments = ({ context, event }: FunctionArguments): AuthorArguments => ({ context, event });

/** Static params, or what their function makes of this context and event. */
function paramsOf(reference: unknown, args: AuthorArguments): unknown {
  if (!isFields(reference)) return undefined;
  return isFunction(reference.params) ? reference.params({ context: args.context, event: args.event }) : reference.params;
}

/** `assign(fn)` or `assign({ key: value or fn })`. What it prepares returns what to merge into the context. */
function assignment(builtin: AuthorFunction): (args: AuthorArguments, params: unknown) => unknown {
  const given = builtin.assignment;
  if (isFunction(given)) return (args, params) => given({ context: args.context, event: args.event, spawn }, params);
  if (!isFields(given)) return () => undefined;
  const entries = Object.entries(given);
  return (args, params) => {
    const author = { context: args.context, event: args.event, spawn };
    const partial: Record<string, unknown> = {};
    for (const [key, value] of entries) partial[key] = isFunction(value) ? value(author, params) : value;
    return partial;
  };
}

function raised(builtin: AuthorFunction): (args: AuthorArguments, params: unknown) => EventObject {
  return (args, params) => {
    const event = isFunction(builtin.event) ? builtin.event(args, params) : builtin.event;
    if (isFields(event) && typeof event.type === 'string') return event as EventObject;
    throw new LockstepError('HOST_THREW', `raise() made ${describe(event)}, expected an event object with a type`);
  };
}

/** An effect whose value is what it logs; who runs effects decides where it goes. */
function logger(action: AuthorFunction, reference: unknown): (args: FunctionArguments) => unknown {
  return (args) => {
    const author = authorArguments(args);
    const value = isFunction(action.value) ? action.value(author, paramsOf(reference, author)) : action.value;
    return { label: action.label, value };
  };
}

function spawn(): never {
  throw new LockstepError('UNSUPPORTED', 'spawn() is not available: a context is plain JSON and holds no actors');
}
