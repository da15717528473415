// Finds the author's functions for an image: by path in the definition's config, by name in its implementations. The image may have been
// compiled elsewhere, from another build of the same source, so what is found is checked against what the image says it is.
// Functions are called exactly as XState calls them; params are resolved at each call, from the context and event of that call.

import { authorArguments, Builtins, type Place } from './builtins.ts';
import { LockstepError } from './errors.ts';
import type { BoundFunction, BoundFunctions, EffectOwner, FunctionArguments } from './functions.ts';
import { Guards } from './guards.ts';
import { bindHandlers } from './handlers.ts';
import type { EventObject, Json } from './json.ts';
import type { Acts } from './request.ts';
import { describe, isFields, type Fields } from './fields.ts';
import {
  at,
  builtinType,
  invokeId,
  invokesOf,
  isFunction,
  own,
  paramsOf,
  readSource,
  referenceName,
  sourceId,
  tokensOf,
  type AuthorFunction,
  type Source,
} from './source.ts';
import type { FunctionSymbol, Symbols } from './symbols.ts';

const NOTHING_INVOKED: ReadonlySet<string> = new Set();

/**
 * Binds the functions that an image names to the author's code.                                  (BIND-1)
 * @param source the machine object (`createMachine(…)`), `{ config, implementations }`, or a bare config.
 * @returns the functions by number.
 * @throws LockstepError MISSING_FUNCTION naming machine, path and name when one is not there or is of another kind; BAD_DEFINITION
 *   when `source` is no machine.
 */
export function bind(symbols: Symbols, source: unknown): BoundFunctions {
  if (isFields(source) && source.dialect === 'relational') return bindHandlers(symbols, source);
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

/**
 * Finds the logic of an actor that a machine asked for by name, or at a place of its definition.
 * @param src as in ChildStart.
 * @returns undefined when there is none.
 */
export function findLogic(source: unknown, src: string): unknown {
  const read = readSource(source);
  if (!src.startsWith('/')) return own(read.implementations.actors, src);
  const found = at(read.config, src);
  if (isFields(found) || isFunction(found)) return typeof found.src === 'string' ? own(read.implementations.actors, found.src) : found.src;
  return undefined;
}

class Binder {
  readonly #symbols: Symbols;
  readonly #source: Source;
  readonly #guards: Guards;
  readonly #builtins: Builtins;

  constructor(symbols: Symbols, source: Source) {
    this.#symbols = symbols;
    this.#source = source;
    this.#guards = new Guards(source.implementations);
    this.#builtins = new Builtins(symbols.id, source, this.#guards);
  }

  bind(symbol: FunctionSymbol): BoundFunction {
    switch (symbol.kind) {
      case 'guard':
        return { kind: 'guard', call: this.#guard(symbol) };
      case 'assign':
        return { kind: 'assign', call: this.#assign(symbol) };
      case 'raise':
        return { kind: 'raise', call: this.#raise(symbol) };
      case 'effect':
        return { kind: 'effect', call: this.#effect(symbol) };
      case 'delay':
        return { kind: 'delay', call: this.#delay(symbol) };
      case 'output':
        return { kind: 'output', call: this.#output(symbol) };
      case 'context':
        return { kind: 'context', call: this.#context(symbol) };
      case 'builtin':
        return { kind: 'builtin', call: this.#builtin(symbol) };
      case 'invoke':
        return { kind: 'builtin', call: this.#invoke(symbol) };
      case 'stop':
        return { kind: 'builtin', call: this.#stop(symbol) };
    }
  }

  #guard(symbol: FunctionSymbol): (args: FunctionArguments) => boolean {
    const guard = this.#find(symbol);
    const missing = (reason: string): LockstepError => this.#missing(symbol, reason);
    if (!symbol.path.endsWith('/route') || !isFields(guard)) return this.#guards.find(guard, missing);
    // A route is taken by the event that names its state, if its own guard agrees.
    const { id } = this.#stateAt(symbol.path.slice(0, -'/route'.length));
    const own = guard.guard === undefined ? () => true : this.#guards.find(guard.guard, missing);
    return (args) => args.event['to'] === `#${id}` && own(args);
  }

  // ── Actions ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The builtin at the path, or the one that its name stands for. */
  #known(symbol: FunctionSymbol, reference: unknown, type: string): AuthorFunction {
    const action = this.#action(reference);
    if (isFunction(action) && builtinType(action) === type) return action;
    throw this.#missing(symbol, `expected ${type}, found ${builtinType(action) ?? describe(action)}`);
  }

  #assign(symbol: FunctionSymbol): (args: FunctionArguments, acts: Acts) => unknown {
    const reference = this.#find(symbol);
    const run = this.#builtins.assignment(this.#known(symbol, reference, 'xstate.assign'), symbol.path);
    if (!isFields(reference)) return (args, acts) => run(args, undefined, acts);
    return (args, acts) => run(args, paramsOf(reference, args), acts);
  }

  #raise(symbol: FunctionSymbol): (args: FunctionArguments) => EventObject {
    const reference = this.#find(symbol);
    const { event } = this.#known(symbol, reference, 'xstate.raise');
    return (args) => {
      const raised = isFunction(event) ? event(authorArguments(args), paramsOf(reference, args)) : event;
      if (isFields(raised) && typeof raised.type === 'string') return raised as EventObject;
      throw new LockstepError('HOST_THREW', `raise() made ${describe(raised)}, expected an event object with a type`);
    };
  }

  #builtin(symbol: FunctionSymbol): (args: FunctionArguments, acts: Acts) => void {
    const reference = this.#find(symbol);
    const action = this.#action(reference);
    if (builtinType(action) === undefined) throw this.#missing(symbol, `expected a builtin action, found ${describe(action)}`);
    const place: Place = { path: symbol.path, invoked: this.#invokedAt(symbol.path) };
    return (args, acts) => this.#builtins.perform(reference, place, args, acts);
  }

  /** What a state invokes right after the entry action at `path` has run. */
  #invokedAt(path: string): ReadonlySet<string> {
    const entry = /^((?:\/states\/[^/]+)*)\/entry(?:\/\d+)?$/.exec(path);
    if (entry === null) return NOTHING_INVOKED;
    const { config, id } = this.#stateAt(entry[1]!);
    return new Set(invokesOf(config).map((invoke, index) => invokeId(invoke, index, id)));
  }

  #invoke(symbol: FunctionSymbol): (args: FunctionArguments, acts: Acts) => void {
    const { invoke, id } = this.#invokeAt(symbol);
    return (args, acts) => {
      const { input, systemId, src, onSnapshot } = invoke;
      const made = isFunction(input) ? input(authorArguments(args)) : input;
      this.#builtins.spawn(src, symbol.path, { id, input: made, systemId, syncSnapshot: onSnapshot !== undefined }, acts);
    };
  }

  #stop(symbol: FunctionSymbol): (args: FunctionArguments, acts: Acts) => void {
    const { id } = this.#invokeAt(symbol);
    return (_args, acts) => {
      if (acts.hasChild(id)) acts.request({ kind: 'stop', id });
    };
  }

  #invokeAt(symbol: FunctionSymbol): { readonly invoke: Fields; readonly id: string } {
    const invoke = this.#find(symbol);
    const place = /^(.*)\/invoke(?:\/(\d+))?$/.exec(symbol.path);
    if (!isFields(invoke) || place === null) throw this.#missing(symbol, `expected an invoke, found ${describe(invoke)}`);
    if (typeof invoke.src === 'string' && own(this.#source.implementations.actors, invoke.src) === undefined)
      throw this.#missing(symbol, `no actor named '${invoke.src}'`);
    return { invoke, id: invokeId(invoke, Number(place[2] ?? 0), this.#stateAt(place[1]!).id) };
  }

  /** The config of a state, and its id by XState's rule. */
  #stateAt(path: string): { readonly config: Fields; readonly id: string } {
    const config = at(this.#source.config, path);
    if (!isFields(config)) throw new LockstepError('MISSING_FUNCTION', `machine '${this.#symbols.id}' has no state at ${path}`);
    const keys = tokensOf(path).filter((_, index) => index % 2 === 1);
    return { config, id: typeof config.id === 'string' && config.id !== '' ? config.id : [this.#symbols.id, ...keys].join('.') };
  }

  #effect(symbol: FunctionSymbol): (args: FunctionArguments, owner?: EffectOwner) => unknown {
    const reference = this.#find(symbol);
    const action = this.#action(reference);
    const type = builtinType(action);
    if (type !== undefined) throw this.#missing(symbol, `expected an effect, found ${type}`);
    // XState's rule: an action that nothing implements does nothing. An inline one must be there.
    if (action === undefined && referenceName(reference) !== undefined) return () => undefined;
    if (!isFunction(action)) throw this.#missing(symbol, `expected an action, found ${describe(action)}`);
    return (args, owner) => {
      const { context, event } = args;
      return action({ context, event, self: owner?.self, system: owner?.system }, paramsOf(reference, args));
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

  #context(symbol: FunctionSymbol): (args: { readonly input: Json | undefined }, acts: Acts) => unknown {
    const factory = this.#find(symbol);
    if (!isFunction(factory)) throw this.#missing(symbol, `expected a function, found ${describe(factory)}`);
    return ({ input }, acts) => {
      const event: EventObject = { type: 'xstate.init', input };
      const args = { context: {}, event, isIn: () => false };
      return factory({ ...this.#builtins.assigning(args, symbol.path, acts), input });
    };
  }

  // ── Finding ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the config holds at the symbol's path; it has the same name as in the image. */
  #find(symbol: FunctionSymbol): unknown {
    const found = at(this.#source.config, symbol.path);
    if (found === undefined) throw this.#missing(symbol, 'the definition has nothing at that path');
    if (referenceName(found) !== symbol.name && symbol.kind !== 'output' && symbol.kind !== 'invoke' && symbol.kind !== 'stop')
      throw this.#missing(symbol, `found ${describe(found)}`);
    return found;
  }

  #missing(symbol: FunctionSymbol, reason: string): LockstepError {
    const name = symbol.name === undefined ? '' : ` '${symbol.name}'`;
    return new LockstepError('MISSING_FUNCTION', `machine '${this.#symbols.id}', ${symbol.path}: ${symbol.kind}${name}: ${reason}`);
  }
}
