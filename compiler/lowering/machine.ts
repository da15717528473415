// Lowers the functions of a machine: finds each by its symbol, converts it, and tries what came out beside the original. What a context or
// an event looks like is learned from all of them together. See docs/expressions.md, "Lowering".

import { LockstepError } from '../../core/errors.ts';
import { Guards } from '../../core/guards.ts';
import { plain } from '../../core/plain.ts';
import { isFields } from '../../core/fields.ts';
import { at, builtinType, isComposedGuard, isFunction, own, readSource, referenceName } from '../../core/source.ts';
import type { AuthorFunction, Source } from '../../core/source.ts';
import type { FunctionSymbol, Symbols } from '../../core/symbols.ts';
import { literal, object, UNDEFINED } from '../expression/build.ts';
import { loweredKey } from '../expression/program.ts';
import type { Expression, Field, Value } from '../expression/tree.ts';
import { actionExpression, invokeExpression, stopExpression, type Part } from './actions.ts';
import { convertFunction } from './convert.ts';
import { withoutWhole, withParams } from './fit.ts';
import { madeContexts } from './samples.ts';
import type { FunctionReport, Lowering, Role } from './lowered.ts';
import { Modules } from './modules.ts';
import { Refusal, Scope, value, type Meaning, type Outside } from './scope.ts';
import { newRootShapes, observe } from './shape.ts';
import { parseFunction } from './syntax.ts';
import { disagreement, seedOf, type Reading, type Samples, type Trial } from './trial.ts';

export interface LoweringOptions {
  /** The texts of the program's modules, for what functions see outside themselves. */
  readonly modules?: Modules;
  /** Values of names outside functions, given by hand. */
  readonly constants?: { readonly [name: string]: unknown };
}

const ALIAS_MAX = 32;

/** @returns what can be lowered, and for everything else why not. Nothing is thrown for a function that cannot be. */
export function lowerFunctions(symbols: Symbols, source: unknown, options: LoweringOptions = {}): Lowering {
  return new MachineLowering(symbols, readSource(source), options).run();
}

/** A function to be lowered, or what came of it. */
interface Candidate {
  readonly path: string;
  readonly role: Role;
  readonly name: string | undefined;
  readonly field: string | undefined;
  readonly text: string;
  readonly converted: Expression | Refusal;
  readonly trial: Trial | undefined;
  /** Set by trials. */
  refusal: string | undefined;
}

/** A symbol whose expression is put together from its functions when they have passed. */
interface Plan {
  readonly symbol: FunctionSymbol;
  readonly candidates: readonly Candidate[];
  readonly expression: () => Expression;
  /** The whole beside the original, when that is more than its parts. */
  readonly trial?: (expression: Expression) => Trial;
}

class MachineLowering {
  readonly #symbols: Symbols;
  readonly #source: Source;
  readonly #modules: Modules;
  readonly #constants: ReadonlyMap<string, Meaning>;
  readonly #guards: Guards;
  readonly #candidates: Candidate[] = [];
  readonly #obstacles: { path: string; reason: string }[] = [];

  constructor(symbols: Symbols, source: Source, { modules, constants = {} }: LoweringOptions) {
    this.#symbols = symbols;
    this.#source = source;
    this.#modules = modules ?? new Modules([]);
    this.#guards = new Guards(source.implementations);
    this.#constants = new Map(Object.entries(constants).map(([name, given]) => [name, value(literal(plain(given, name)))]));
  }

  run(): Lowering {
    const plans = this.#symbols.functions.flatMap((symbol) => this.#plan(symbol) ?? []);
    const samples = this.#samples(plans);
    for (const candidate of this.#candidates) {
      if (candidate.trial !== undefined) candidate.refusal = disagreement(candidate.trial, samples, seedOf(candidate.text));
    }
    const functions = new Map<string, { expression: Expression }>();
    for (const { symbol, candidates, expression, trial } of plans) {
      const hosted = candidates.find((candidate) => !isLowered(candidate));
      if (hosted !== undefined) {
        const reason = hosted.converted instanceof Refusal ? hosted.converted.message : hosted.refusal;
        this.#obstacles.push({ path: symbol.path, reason: reason ?? '' });
        continue;
      }
      const made = expression();
      const reason = trial === undefined ? undefined : disagreement(trial(made), samples, seedOf(symbol.path));
      if (reason === undefined) functions.set(loweredKey(symbol), { expression: made });
      else this.#obstacles.push({ path: symbol.path, reason });
    }
    return { functions, reports: this.#candidates.map((candidate) => this.#report(candidate)), obstacles: this.#obstacles };
  }

  #report({ path, role, name, field, text, converted, refusal }: Candidate): FunctionReport {
    const place = this.#modules.placeOf(text);
    const hosted =
      converted instanceof Refusal
        ? { kind: 'hosted' as const, reason: converted.message, at: converted.at, text }
        : refusal !== undefined
          ? { kind: 'hosted' as const, reason: refusal, text }
          : undefined;
    return {
      path,
      role,
      ...(name === undefined ? {} : { name }),
      ...(field === undefined ? {} : { field }),
      ...(place === undefined ? {} : { place }),
      outcome: hosted ?? { kind: 'lowered', expression: converted as Expression },
    };
  }

  // ── Symbols ────────────────────────────────────────────────────────────────────────────────────────────────────

  #plan(symbol: FunctionSymbol): Plan | undefined {
    const found = symbol.kind === 'delay' ? undefined : at(this.#source.config, symbol.path);
    switch (symbol.kind) {
      case 'guard':
        return this.#guard(symbol, found);
      case 'assign':
        return this.#assign(symbol, found);
      case 'raise':
        return this.#one(symbol, found, 'raise', this.#meant(found)?.event, ['context', 'event'], 'value');
      case 'delay': {
        const delay = own(this.#source.implementations.delays, symbol.name ?? '');
        if (typeof delay === 'number') return { symbol, candidates: [], expression: () => literal(delay) };
        return this.#one(symbol, undefined, 'delay', delay, ['context', 'event'], 'value', symbol.name);
      }
      case 'output':
        return this.#one(symbol, undefined, 'output', found, ['context', 'event'], 'value');
      case 'context':
        return this.#one(symbol, undefined, 'context', found, ['input'], 'writes');
      case 'effect':
        // Runs outside the step, so it stands in nobody's way.
        if (isFunction(found)) this.#refused(symbol.path, 'action', found, undefined, 'it is an action: it runs outside the step');
        return undefined;
      case 'builtin':
        return this.#builtin(symbol, found);
      case 'invoke':
        return this.#acting(symbol, 'input', undefined, (part) =>
          invokeExpression(symbol, isFields(found) ? found : {}, this.#source, part),
        );
      case 'stop':
        return { symbol, candidates: [], expression: stopExpression(symbol, isFields(found) ? found : {}, this.#source) };
    }
  }

  /** A symbol with one function, or a constant in its place. */
  #one(
    symbol: FunctionSymbol,
    reference: unknown,
    role: Role,
    given: unknown,
    roots: readonly ('context' | 'event' | 'input')[],
    reading: Reading,
    name = symbol.name,
  ): Plan {
    if (!isFunction(given)) return { symbol, candidates: [], expression: () => literal(plain(given, symbol.path)) };
    const candidate = this.#candidate(symbol.path, role, given, roots, reading, { name });
    const params = this.#params(symbol.path, reference);
    return {
      symbol,
      candidates: [candidate, ...params.candidates],
      expression: () => withParams(candidate.converted as Expression, params.expression()),
    };
  }

  /** What a reference gives as params. */
  #params(path: string, reference: unknown): { candidates: readonly Candidate[]; expression: () => Expression } {
    if (!isFields(reference) || isFunction(reference) || reference.params === undefined)
      return { candidates: [], expression: () => UNDEFINED };
    const { params } = reference;
    if (!isFunction(params)) return { candidates: [], expression: () => literal(plain(params, `${path}/params`)) };
    const candidate = this.#candidate(path, 'params', params, ['context', 'event'], 'value', {});
    return { candidates: [candidate], expression: () => candidate.converted as Expression };
  }

  /** The action that a reference means. */
  #meant(reference: unknown): AuthorFunction | undefined {
    const name = referenceName(reference);
    const meant = name === undefined ? reference : own(this.#source.implementations.actions, name);
    return isFunction(meant) ? meant : undefined;
  }

  // ── Guards ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #guard(symbol: FunctionSymbol, found: unknown): Plan | undefined {
    if (symbol.path.endsWith('/route')) {
      this.#obstacles.push({ path: symbol.path, reason: 'it is a route' });
      return undefined;
    }
    const candidates: Candidate[] = [];
    const expression = this.#guardExpression(symbol.path, found, candidates, ALIAS_MAX);
    if (expression === undefined) {
      this.#obstacles.push({ path: symbol.path, reason: 'it is composed in a way that is not known' });
      return undefined;
    }
    const isComposed = candidates.length !== 1 || referenceName(found) !== undefined;
    if (!isComposed) return { symbol, candidates, expression };
    const call = this.#guards.find(found, (reason) => new LockstepError('MISSING_FUNCTION', reason));
    const trial = (made: Expression): Trial => ({
      expression: made,
      reading: 'truth',
      call: ({ context = {}, event }, isIn) =>
        call({ context, event: event as never, isIn: (state) => isIn(String(state).replace(/^#/, '')) }),
    });
    return { symbol, candidates, expression, trial };
  }

  #guardExpression(path: string, guard: unknown, candidates: Candidate[], aliases: number): (() => Expression) | undefined {
    if (isFunction(guard))
      return isComposedGuard(guard) && own(guard, 'expression') === undefined
        ? this.#composed(path, guard, candidates)
        : this.#leaf(path, guard, undefined, undefined, candidates);
    const name = referenceName(guard);
    const named = name === undefined ? undefined : own(this.#source.implementations.guards, name);
    if (named === undefined || aliases === 0) return undefined;
    if (!isFunction(named)) return this.#guardExpression(path, named, candidates, aliases - 1);
    if (isComposedGuard(named)) return this.#composed(path, named, candidates);
    return this.#leaf(path, named, name, guard, candidates);
  }

  #leaf(path: string, guard: AuthorFunction, name: string | undefined, reference: unknown, candidates: Candidate[]): () => Expression {
    const candidate = this.#candidate(path, 'guard', guard, ['context', 'event'], 'truth', { name });
    const params = this.#params(path, reference);
    candidates.push(candidate, ...params.candidates);
    return () => withParams(candidate.converted as Expression, params.expression());
  }

  #composed(path: string, guard: AuthorFunction, candidates: Candidate[]): (() => Expression) | undefined {
    if ('stateValue' in guard) return this.#inState(guard.stateValue);
    const parts = Array.isArray(guard.guards) ? guard.guards : [];
    const made = parts.map((part: unknown) => this.#guardExpression(path, part, candidates, ALIAS_MAX));
    if (!made.every((each) => each !== undefined)) return undefined;
    const truth = (operand: Expression): Expression => ({ kind: 'unary', operator: 'not', operand });
    const joined = (operator: '&&' | '||', empty: boolean): Expression => {
      const [first, ...rest] = made.map((each) => each());
      return first === undefined ? literal(empty) : rest.reduce((left, right) => ({ kind: 'logical', operator, left, right }), first);
    };
    switch (guard.name) {
      case 'and':
        return () => joined('&&', true);
      case 'or':
        return () => joined('||', false);
      case 'not':
        return () => truth(joined('&&', true));
      default:
        return undefined;
    }
  }

  /** A state by '#id' or key path, as matches() takes it. */
  #inState(stateValue: unknown): (() => Expression) | undefined {
    if (typeof stateValue !== 'string') return undefined;
    const { id, states } = this.#symbols;
    const wanted = stateValue.startsWith('#') ? stateValue.slice(1) : `${id}.${stateValue}`;
    return states.some((state) => state.id === wanted) && stateValue.startsWith('#') ? () => ({ kind: 'in', state: wanted }) : undefined;
  }

  // ── Assigns ────────────────────────────────────────────────────────────────────────────────────────────────────

  #assign(symbol: FunctionSymbol, found: unknown): Plan | undefined {
    const given = this.#meant(found)?.assignment;
    const { name } = symbol;
    const roots = ['context', 'event'] as const;
    const params = this.#params(symbol.path, found);
    if (isFunction(given)) {
      const candidate = this.#candidate(symbol.path, 'assign', given, roots, 'writes', { name });
      return {
        symbol,
        candidates: [candidate, ...params.candidates],
        expression: () => withParams(withoutWhole(candidate.converted as Expression), params.expression()),
      };
    }
    if (!isFields(given)) return { symbol, candidates: [], expression: () => UNDEFINED };
    const fields = Object.entries(given).map(([key, each]): { key: string; make: () => Expression; candidate?: Candidate } => {
      if (!isFunction(each)) return { key, make: () => (each === undefined ? UNDEFINED : literal(plain(each, `${symbol.path}/${key}`))) };
      const candidate = this.#candidate(symbol.path, 'assign', each, roots, 'value', { name, field: key });
      return { key, candidate, make: () => candidate.converted as Expression };
    });
    return {
      symbol,
      candidates: [...fields.flatMap(({ candidate }) => candidate ?? []), ...params.candidates],
      expression: () => withParams(object(fields.map(({ key, make }): Field => ({ key, value: make() }))), params.expression()),
    };
  }

  // ── Builtins ───────────────────────────────────────────────────────────────────────────────────────────────────

  #builtin(symbol: FunctionSymbol, found: unknown): Plan | undefined {
    const { path, name } = symbol;
    const action = this.#meant(found);
    if (action === undefined) {
      this.#obstacles.push({ path, reason: 'there is no such action' });
      return undefined;
    }
    if (isFunction(action.collect)) this.#refused(path, 'enqueueActions', action.collect, name, 'it acts on the machine while it runs');
    const role = (builtinType(action) ?? 'xstate.unknown').slice('xstate.'.length) as Role;
    return this.#acting(symbol, role, found, (part) => actionExpression(symbol, action, this.#source, part));
  }

  /** An action whose parts are functions and constants. */
  #acting(symbol: FunctionSymbol, role: Role, reference: unknown, make: (part: Part) => (() => Expression) | string): Plan | undefined {
    const candidates: Candidate[] = [];
    const action = make((given) => {
      const candidate = this.#candidate(symbol.path, role, given, ['context', 'event'], 'value', { name: symbol.name });
      candidates.push(candidate);
      return () => candidate.converted as Expression;
    });
    if (typeof action === 'string') {
      this.#obstacles.push({ path: symbol.path, reason: action });
      return undefined;
    }
    const params = this.#params(symbol.path, reference);
    return { symbol, candidates: [...candidates, ...params.candidates], expression: () => withParams(action(), params.expression()) };
  }

  // ── Functions ──────────────────────────────────────────────────────────────────────────────────────────────────

  #candidate(
    path: string,
    role: Role,
    original: AuthorFunction,
    roots: readonly ('context' | 'event' | 'input')[],
    reading: Reading,
    { name, field }: { name?: string | undefined; field?: string | undefined },
  ): Candidate {
    const text = Function.prototype.toString.call(original);
    const converted = this.#convert(original, text, roots);
    const trial: Trial | undefined =
      // What was made from an expression means just that.
      converted instanceof Refusal || own(original, 'expression') !== undefined
        ? undefined
        : {
            expression: converted,
            reading,
            call: (given) => original(Object.fromEntries(roots.map((root) => [root, given[root]])), given.params),
          };
    const candidate: Candidate = { path, role, name, field, text, converted, trial, refusal: undefined };
    this.#candidates.push(candidate);
    return candidate;
  }

  #refused(path: string, role: Role, original: AuthorFunction, name: string | undefined, reason: string): void {
    const text = Function.prototype.toString.call(original);
    const converted = new Refusal(0, reason);
    this.#candidates.push({ path, role, name, field: undefined, text, converted, trial: undefined, refusal: undefined });
  }

  #convert(original: AuthorFunction, text: string, roots: readonly ('context' | 'event' | 'input')[]): Expression | Refusal {
    const made = own(original, 'expression');
    // A function that our own language made carries its tree.
    if (made !== undefined) return made as Expression;
    const node = parseFunction(text);
    if (node === undefined) return new Refusal(0, 'its text cannot be read');
    const around = this.#modules.around(text);
    const outside: Outside = (name) => this.#constants.get(name) ?? around(name);
    const fields = new Map<string, Expression>(roots.map((root) => [root, { kind: 'root', name: root }]));
    const params: Meaning = value({ kind: 'root', name: 'params' });
    try {
      return convertFunction(node, [{ kind: 'arguments', fields }, params], new Scope(outside));
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  // ── Samples ────────────────────────────────────────────────────────────────────────────────────────────────────

  #samples(plans: readonly Plan[]): Samples {
    const shapes = newRootShapes();
    for (const { converted } of this.#candidates) if (!(converted instanceof Refusal)) observe(converted, shapes);
    const { context } = this.#symbols;
    const factory = plans.find(({ symbol }) => symbol.kind === 'context');
    const events = this.#symbols.events.filter((type) => type !== '' && !type.includes('*'));
    const samples = { shapes, contexts: [context ?? {}] as Value[], events: events.length > 0 ? events : ['GO'] };
    if (factory !== undefined && factory.candidates.every(isLowered)) samples.contexts = madeContexts(factory.expression(), samples);
    return samples;
  }
}

const isLowered = ({ converted, refusal }: Candidate): boolean => !(converted instanceof Refusal) && refusal === undefined;
