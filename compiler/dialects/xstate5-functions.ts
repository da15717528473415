// What an XState 5 definition says by functions and names: guards, actions, delays, outputs. Each becomes a symbol with the JSON pointer
// at which core/bind.ts finds it again, or something that needs no function at all (a constant raise, a stateIn() of one state).
// What cannot run here is refused with its place and the reason.

import { LockstepError } from '../../core/errors.ts';
import { plain } from '../../core/plain.ts';
import { describe, isFields, type Fields } from '../../core/fields.ts';
import { builtinType, isComposedGuard, isFunction, own, referenceName, type Source } from '../../core/source.ts';
import type { FunctionKind, FunctionSymbol, Symbols } from '../../core/symbols.ts';
import type { ActionDefinition, GuardDefinition } from '../definition.ts';
import { bad, unsupported } from '../tree.ts';
import type { Targets } from './xstate5-targets.ts';

/** Named guards may stand for other names; a longer chain is a circle. */
const ALIAS_MAX = 32;

/** Builtins that are resolved in their place in the step: by core/builtins.ts, or by XState itself. */
const RESOLVED: ReadonlySet<string> = new Set([
  'xstate.sendTo',
  'xstate.spawnChild',
  'xstate.stopChild',
  'xstate.enqueueActions',
  'xstate.cancel',
  'xstate.emit',
  'xstate.log',
]);

export class Functions {
  readonly #machine: string;
  readonly #source: Source;
  readonly #targets: Targets;

  constructor(machine: string, source: Source, targets: Targets) {
    this.#machine = machine;
    this.#source = source;
    this.#targets = targets;
  }

  // ── Guards ─────────────────────────────────────────────────────────────────────────────────────────────────────

  guard(guard: unknown, path: string): GuardDefinition | undefined {
    if (guard === undefined) return undefined;
    const single = this.#singleState(guard, path, ALIAS_MAX);
    if (single !== undefined) return { kind: 'in', state: single };
    this.#checkGuard(guard, path, ALIAS_MAX);
    return { kind: 'function', function: this.#symbol('guard', path, guard) };
  }

  /** The id of the one state that a plain stateIn() asks for. */
  #singleState(guard: unknown, path: string, aliases: number): string | undefined {
    const name = referenceName(guard);
    if (name !== undefined) {
      const named = own(this.#source.implementations.guards, name);
      return named === undefined || aliases === 0 ? undefined : this.#singleState(named, path, aliases - 1);
    }
    if (!isComposedGuard(guard) || !isFunction(guard) || !('stateValue' in guard)) return undefined;
    return this.#targets.ofValue(guard.stateValue, path)?.id;
  }

  /** Every name in it is implemented, every state in it exists. */
  #checkGuard(guard: unknown, path: string, aliases: number): void {
    if (isFunction(guard)) {
      if (!isComposedGuard(guard)) return;
      if ('stateValue' in guard) this.#checkStateIn(guard.stateValue, path);
      if (Array.isArray(guard.guards)) guard.guards.forEach((inner) => this.#checkGuard(inner, path, aliases));
      return;
    }
    const name = referenceName(guard);
    if (name === undefined || name === '') throw bad(this.#machine, path, `expected a guard, found ${describe(guard)}`);
    const named = own(this.#source.implementations.guards, name);
    if (named === undefined) throw this.#missing(path, `guard '${name}' is not implemented`);
    if (aliases === 0) throw bad(this.#machine, path, `the guard '${name}' stands for itself`);
    this.#checkGuard(named, path, aliases - 1);
  }

  /** Inside and(), or(), not() the running side is asked by id or value, and knows ids only as whole names. */
  #checkStateIn(value: unknown, path: string): void {
    const state = this.#targets.ofValue(value, path);
    if (typeof value === 'string' && value.startsWith('#') && state?.id !== value.slice(1)) {
      throw unsupported(this.#machine, path, `inside and(), or(), not() a stateIn() must say the whole id: '#${state?.id ?? ''}'`);
    }
  }

  // ── Actions ────────────────────────────────────────────────────────────────────────────────────────────────────

  actions(actions: unknown, path: string): ActionDefinition[] {
    if (actions === undefined) return [];
    if (!Array.isArray(actions)) return [this.#action(actions, path)];
    return actions.map((action, index) => this.#action(action, `${path}/${index}`));
  }

  #action(action: unknown, path: string): ActionDefinition {
    const name = referenceName(action);
    if (name === undefined && !isFunction(action)) throw bad(this.#machine, path, `expected an action, found ${describe(action)}`);
    const meant = name === undefined ? action : own(this.#source.implementations.actions, name);
    if (meant !== undefined && !isFunction(meant))
      throw bad(this.#machine, path, `action '${name ?? ''}' is implemented by ${describe(meant)}`);
    const type = builtinType(meant);
    switch (type) {
      case undefined:
        return { kind: 'effect', function: this.#symbol('effect', path, action) };
      case 'xstate.assign':
        return { kind: 'assign', function: this.#symbol('assign', path, action) };
      case 'xstate.raise':
        return this.#raise(action, meant, path);
      default:
        if (!RESOLVED.has(type)) throw unsupported(this.#machine, path, `the action ${type} is not known`);
        return { kind: 'builtin', function: this.#symbol('builtin', path, action) };
    }
  }

  #raise(action: unknown, builtin: unknown, path: string): ActionDefinition {
    const { event, delay }: Fields = isFunction(builtin) ? { event: builtin.event, delay: builtin.delay } : {};
    if (delay !== undefined) return { kind: 'builtin', function: this.#symbol('builtin', path, action) };
    if (isFunction(event)) return { kind: 'raise-function', function: this.#symbol('raise', path, action) };
    if (!isFields(event) || typeof event.type !== 'string')
      throw bad(this.#machine, path, `raise() needs an event object with a type, found ${describe(event)}`);
    return { kind: 'raise', event: this.json({ ...event }, path) as Symbols['raises'][number] };
  }

  /** The pointers to what a state invokes. */
  invokes(invoke: unknown, path: string): string[] {
    if (invoke === undefined) return [];
    if (Array.isArray(invoke)) return invoke.map((each: unknown, index) => this.#invoke(each, `${path}/${index}`));
    return [this.#invoke(invoke, path)];
  }

  #invoke(invoke: unknown, path: string): string {
    if (!isFields(invoke)) throw bad(this.#machine, path, `expected an invoke, found ${describe(invoke)}`);
    const { src } = invoke;
    if (typeof src === 'string') {
      if (own(this.#source.implementations.actors, src) === undefined) throw this.#missing(path, `actor '${src}' is not implemented`);
    } else if (!isFields(src))
      throw bad(this.#machine, `${path}/src`, `expected the name of an actor or its logic, found ${describe(src)}`);
    return path;
  }

  // ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Of a named `after` key: milliseconds, or the function that gives them. */
  delay(name: string, path: string): number | FunctionSymbol {
    const delay = own(this.#source.implementations.delays, name);
    if (typeof delay === 'number') return this.milliseconds(delay, path);
    if (isFunction(delay)) return { kind: 'delay', path, name };
    throw this.#missing(path, `delay '${name}' is not implemented`);
  }

  milliseconds(delay: number, path: string): number {
    if (Number.isInteger(delay) && delay >= 0 && delay <= 0x7fffffff) return delay;
    throw bad(this.#machine, path, `a delay must be a whole number of milliseconds from 0 to ${0x7fffffff}, found ${delay}`);
  }

  output(output: unknown, path: string): FunctionSymbol | undefined {
    if (output === undefined) return undefined;
    if (!isFunction(output)) this.json(output, path);
    return { kind: 'output', path };
  }

  context(context: unknown): { readonly value: ReturnType<typeof plain> } | { readonly function: FunctionSymbol } {
    if (isFunction(context)) return { function: { kind: 'context', path: '/context' } };
    if (context !== undefined && !isFields(context))
      throw bad(this.#machine, '/context', `expected an object or a function, found ${describe(context)}`);
    return { value: this.json(context ?? {}, '/context') };
  }

  /** The value as frozen plain JSON. @throws LockstepError NOT_JSON naming machine and path. */
  json(value: unknown, path: string): ReturnType<typeof plain> {
    try {
      return plain(value, path);
    } catch (error) {
      if (error instanceof LockstepError) throw new LockstepError(error.code, `machine '${this.#machine}': ${error.message}`);
      throw error;
    }
  }

  #symbol(kind: FunctionKind, path: string, reference: unknown): FunctionSymbol {
    const name = referenceName(reference);
    return name === undefined ? { kind, path } : { kind, path, name };
  }

  #missing(path: string, reason: string): LockstepError {
    return new LockstepError('MISSING_FUNCTION', `machine '${this.#machine}', ${path}: ${reason}`);
  }
}
