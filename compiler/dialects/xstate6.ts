// XState 6's machine JSON as a machine of XState 5's shape: plain data whose slots hold expressions. Each slot, and each template with slots
// in it, becomes a function that carries its tree, so that the machine runs hosted and lowers whole. What XState 5 has no counterpart for
// (choice states, timeouts, `matches`, transitions made by code) is refused with its place.

import { LockstepError } from '../../core/errors.ts';
import { escapePointer, plain } from '../../core/plain.ts';
import { describe, isFields, type Fields } from '../../core/fields.ts';
import { callable, writer } from '../expression/callable.ts';
import { member } from '../expression/build.ts';
import { fromTemplate, hasSlot, isSlot } from '../expression/template.ts';
import type { Expression } from '../expression/tree.ts';

/** A machine of XState 6 as JSON: it says in which language its expressions are, or that it is one. */
export function isMachineJson(source: unknown): source is Fields {
  return isFields(source) && ('@exprLang' in source || source.dialect === 'xstate6');
}

/**
 * @param sources actors, and whatever the JSON leaves to functions, under `actors`, `actions`, `guards` and `delays`.
 * @returns `{ config, implementations }`.                                                          (EXPR-13)
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED or NOT_JSON with the place.
 */
export function fromMachineJson(source: Fields): { readonly config: Fields; readonly implementations: Fields } {
  const { sources, ...json } = source;
  return new Reader(json).machine(isFields(sources) ? sources : {});
}

/** Fields of a state that mean the same in both. */
const SAME = ['id', 'initial', 'type', 'history', 'target', 'tags', 'meta', 'description'] as const;
const REFUSED = ['choice', 'route', 'timeout', 'onTimeout', 'onError', 'input'] as const;
const REFUSED_TRANSITION = ['matches', 'input'] as const;

class Reader {
  readonly #json: Fields;
  readonly #language: string;

  constructor(json: Fields) {
    this.#json = json;
    const { '@exprLang': language = 'lockstep' } = json;
    if (typeof language !== 'string') throw bad('/@exprLang', `expected the name of a language, found ${describe(language)}`);
    this.#language = language;
  }

  machine(sources: Fields): { readonly config: Fields; readonly implementations: Fields } {
    const { context, guards, actions, delays, version } = this.#json;
    const config = {
      ...this.#state(this.#json, ''),
      ...(version === undefined ? {} : { version }),
      ...(context === undefined
        ? {}
        : { context: hasSlot(context) ? writer(this.#template(context, '/context')) : plain(context, '/context') }),
    };
    const each = (given: unknown, path: string, read: (value: unknown, path: string) => unknown): Fields =>
      Object.fromEntries(
        Object.entries(isFields(given) ? given : {}).map(([name, value]) => [name, read(value, `${path}/${escapePointer(name)}`)]),
      );
    const group = (name: string): Fields => (isFields(sources[name]) ? sources[name] : {});
    return {
      config,
      implementations: {
        actors: group('actors'),
        guards: {
          ...group('guards'),
          ...each(guards, '/guards', (value, path) => this.#guard(isFields(value) ? value.when : value, path)),
        },
        actions: { ...group('actions'), ...each(actions, '/actions', (value, path) => this.#namedAction(value, path)) },
        delays: { ...group('delays'), ...each(delays, '/delays', (value, path) => this.#delay(value, path)) },
      },
    };
  }

  // ── States ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #state(node: unknown, path: string): Fields {
    if (!isFields(node)) throw bad(path, `expected a state, found ${describe(node)}`);
    for (const name of REFUSED) if (node[name] !== undefined) throw unsupported(`${path}/${name}`, `XState 5 has no ${name} of states`);
    const { states, on, after, always, invoke, entry, exit, output } = node;
    const some = (name: string, value: unknown): Fields => (value === undefined ? {} : { [name]: value });
    const record = (given: unknown, name: string, read: (value: unknown, at: string) => unknown): Fields => {
      if (given === undefined) return {};
      if (!isFields(given)) throw bad(`${path}/${name}`, `expected an object, found ${describe(given)}`);
      const entries = Object.entries(given).map(([key, value]) => [key, read(value, `${path}/${name}/${escapePointer(key)}`)]);
      return { [name]: Object.fromEntries(entries) as Fields };
    };
    const transitions = (value: unknown, at: string): unknown => this.#transitions(value, at);
    return {
      ...Object.fromEntries(SAME.filter((name) => node[name] !== undefined).map((name) => [name, node[name]])),
      ...record(states, 'states', (value, at) => this.#state(value, at)),
      ...record(on, 'on', transitions),
      ...record(after, 'after', transitions),
      ...(always === undefined ? {} : { always: this.#transitions(always, `${path}/always`) }),
      ...(invoke === undefined ? {} : { invoke: this.#list(invoke, `${path}/invoke`, (value, at) => this.#invoke(value, at)) }),
      ...(entry === undefined ? {} : { entry: this.#actions(entry, `${path}/entry`) }),
      ...(exit === undefined ? {} : { exit: this.#actions(exit, `${path}/exit`) }),
      ...some('output', this.#value(output, `${path}/output`)),
    };
  }

  #list(given: unknown, path: string, read: (value: unknown, path: string) => unknown): unknown {
    return Array.isArray(given) ? given.map((each, index) => read(each, `${path}/${index}`)) : read(given, path);
  }

  #transitions(given: unknown, path: string): unknown {
    return this.#list(given, path, (value, at) => this.#transition(value, at));
  }

  #transition(given: unknown, path: string): unknown {
    if (typeof given === 'string') return given;
    if (!isFields(given)) throw bad(path, `expected a transition, found ${describe(given)}`);
    if ('@expr' in given || '@code' in given) throw unsupported(path, 'a transition that an expression makes');
    for (const name of REFUSED_TRANSITION)
      if (given[name] !== undefined) throw unsupported(`${path}/${name}`, `XState 5 has no ${name} of transitions`);
    const { target, guard, actions, context, reenter, description, meta } = given;
    const first = context === undefined ? [] : [this.#assign(context, `${path}/context`)];
    const then = actions === undefined ? [] : this.#actions(actions, `${path}/actions`);
    return {
      ...Object.fromEntries(Object.entries({ target, reenter, description, meta }).filter(([, value]) => value !== undefined)),
      ...(guard === undefined ? {} : { guard: this.#guard(guard, `${path}/guard`) }),
      ...(first.length + then.length === 0 ? {} : { actions: [...first, ...then] }),
    };
  }

  #invoke(given: unknown, path: string): Fields {
    if (!isFields(given) || typeof given.src !== 'string')
      throw bad(path, `expected an invoke with the name of its src, found ${describe(given)}`);
    for (const name of ['timeout', 'onTimeout'])
      if (given[name] !== undefined) throw unsupported(`${path}/${name}`, `XState 5 has no ${name} of actors`);
    const { id, src, input, registryKey, onDone, onError, onSnapshot } = given;
    const made = Object.entries({ onDone, onError, onSnapshot }).filter(([, value]) => value !== undefined);
    return {
      src,
      ...(id === undefined ? {} : { id }),
      ...(registryKey === undefined ? {} : { systemId: registryKey }),
      ...(input === undefined ? {} : { input: this.#value(input, `${path}/input`) }),
      ...Object.fromEntries(made.map(([name, value]) => [name, this.#transitions(value, `${path}/${name}`)])),
    };
  }

  // ── Functions ──────────────────────────────────────────────────────────────────────────────────────────────────

  #template(value: unknown, path: string): Expression {
    return fromTemplate(value, path, this.#language);
  }

  /** A template as the function that makes it, or as it stands when it is constant. */
  #value(value: unknown, path: string): unknown {
    return hasSlot(value) ? callable(this.#template(value, path)) : value;
  }

  #guard(guard: unknown, path: string): unknown {
    if (isSlot(guard)) return callable(this.#template(guard, path));
    if (!isFields(guard) || typeof guard.type !== 'string')
      throw bad(path, `expected a guard with a type, or @expr, found ${describe(guard)}`);
    return { type: guard.type, ...this.#params(guard, path) };
  }

  #params({ params }: Fields, path: string): Fields {
    return params === undefined ? {} : { params: this.#value(params, `${path}/params`) };
  }

  #actions(given: unknown, path: string): unknown[] {
    return Array.isArray(given) ? given.map((each, index) => this.#action(each, `${path}/${index}`)) : [this.#action(given, path)];
  }

  #namedAction(given: unknown, path: string): unknown {
    if (Array.isArray(given)) throw unsupported(path, 'a name for several actions');
    const action = this.#action(given, path);
    if (typeof action === 'function') return action;
    throw unsupported(path, 'a name that stands for another');
  }

  #action(action: unknown, path: string): unknown {
    if (isSlot(action)) return builtin('xstate.assign', { assignment: writer(member(this.#template(action, path), 'context', true)) });
    if (!isFields(action) || typeof action.type !== 'string')
      throw bad(path, `expected an action with a type, or @expr, found ${describe(action)}`);
    const { type, event, id, delay, args, context } = action;
    switch (type) {
      case '@xstate.assign':
        return this.#assign(context, `${path}/context`);
      case '@xstate.raise':
        return builtin('xstate.raise', { event: this.#value(event, `${path}/event`), id, delay: this.#value(delay, `${path}/delay`) });
      case '@xstate.emit':
        return builtin('xstate.emit', { event: this.#value(event, `${path}/event`) });
      case '@xstate.cancel':
        return builtin('xstate.cancel', { sendId: id });
      case '@xstate.log':
        return builtin('xstate.log', { value: Array.isArray(args) && args.length === 1 ? (args[0] as unknown) : args });
      default:
        if (type.startsWith('@')) throw unsupported(path, `the action ${type} is not known`);
        return { type, ...this.#params(action, path) };
    }
  }

  #assign(context: unknown, path: string): unknown {
    return builtin('xstate.assign', { assignment: writer(this.#template(context, path)) });
  }

  #delay(given: unknown, path: string): unknown {
    const delay = isFields(given) && 'duration' in given ? given.duration : given;
    if (typeof delay === 'number') return delay;
    if (isSlot(delay)) return callable(this.#template(delay, path));
    throw unsupported(path, `a delay is a number of milliseconds or @expr, found ${describe(delay)}`);
  }
}

/** An action object as XState's own functions make it. */
function builtin(type: string, fields: Fields): unknown {
  return Object.assign(() => undefined, { type, resolve: true, ...fields });
}

const bad = (path: string, reason: string): LockstepError => new LockstepError('BAD_DEFINITION', `${path || '/'}: ${reason}`);
const unsupported = (path: string, reason: string): LockstepError => new LockstepError('UNSUPPORTED', `${path || '/'}: ${reason}`);
