// XState's builtin actions on a replica: resolved in their place in the step, with the context that the action before left. What they do to
// the instance happens at once, what they ask of the outside becomes a request. XState's action objects are read by their fields; the ones
// that `enqueue` makes are objects of the same shape.

import { LockstepError } from './errors.ts';
import type { ActorNames, FunctionArguments } from './functions.ts';
import type { Guards } from './guards.ts';
import type { EventObject, Json } from './json.ts';
import { plain } from './plain.ts';
import { PARENT, reference, SELF, type Acts, type ChildStart } from './request.ts';
import { describe, isFields, type Fields } from './fields.ts';
import { builtinType, isFunction, own, paramsOf, referenceName } from './source.ts';
import type { AuthorFunction, Source } from './source.ts';

/** enqueueActions within enqueueActions, and so on; more is a circle. */
const DEPTH_MAX = 64;

/** The functions of an author get these. */
export interface AuthorArguments {
  readonly context: Json;
  readonly event: EventObject;
  /** The instance itself, as the target of events. */
  readonly self: Json;
  readonly system: ActorNames | undefined;
}

/** Where an action stands. */
export interface Place {
  /** JSON pointer; names an inline actor. */
  readonly path: string;
  /** Ids of the actors that the state invokes when its entry actions have run: they can be sent to already. */
  readonly invoked: ReadonlySet<string>;
}

const ITSELF = reference(SELF);

export function authorArguments({ context, event, system }: FunctionArguments): AuthorArguments {
  return { context, event, self: ITSELF, system };
}

export class Builtins {
  readonly #source: Source;
  readonly #guards: Guards;
  readonly #machine: string;

  constructor(machine: string, source: Source, guards: Guards) {
    this.#machine = machine;
    this.#source = source;
    this.#guards = guards;
  }

  /** Performs an action reference: a builtin, the author's own function, or the name of either. */
  perform(action: unknown, place: Place, args: FunctionArguments, acts: Acts, depth = 0): void {
    const { path } = place;
    if (depth > DEPTH_MAX) throw this.#refused('BAD_DEFINITION', path, `enqueueActions nests deeper than ${DEPTH_MAX}`);
    const name = referenceName(action);
    const meant = name === undefined ? action : own(this.#source.implementations.actions, name);
    const author = authorArguments(args);
    const params = paramsOf(action, author);
    switch (builtinType(meant)) {
      case undefined:
        if (isFunction(meant)) acts.request({ kind: 'call', name: name ?? meant.name, run: (own) => meant(own, params) });
        return;
      case 'xstate.assign':
        return acts.assign(this.assignment(meant as AuthorFunction, path)(args, params, acts));
      case 'xstate.raise':
        return this.#raise(meant as AuthorFunction, author, params, acts);
      case 'xstate.sendTo':
        return this.#send(meant as AuthorFunction, place, author, params, acts);
      case 'xstate.cancel':
        return acts.request({ kind: 'cancel', id: String(resolve((meant as AuthorFunction).sendId, author, params)) });
      case 'xstate.emit':
        return acts.request({ kind: 'emit', event: eventOf(resolve((meant as AuthorFunction).event, author, params), 'emit') });
      case 'xstate.log': {
        const { label, value } = meant as AuthorFunction;
        return acts.request({ kind: 'log', label: typeof label === 'string' ? label : undefined, value: resolve(value, author, params) });
      }
      case 'xstate.spawnChild':
        return this.#spawn(meant as AuthorFunction, path, author, acts);
      case 'xstate.stopChild': {
        const id = targetId(resolve((meant as AuthorFunction).actorRef, author, params));
        if (id !== undefined && acts.hasChild(id)) return acts.request({ kind: 'stop', id });
        // Nobody to stop is a change all the same, by XState's rule: eventless transitions are looked for again.
        return acts.change();
      }
      case 'xstate.enqueueActions':
        return this.#enqueue(meant as AuthorFunction, place, args, params, acts, depth);
      default:
        throw this.#refused('UNSUPPORTED', path, `the action ${String(builtinType(meant))} is not known`);
    }
  }

  #raise({ event, delay, id }: AuthorFunction, author: AuthorArguments, params: unknown, acts: Acts): void {
    const raised = eventOf(resolve(event, author, params), 'raise');
    const delayMs = this.#delay(delay, author, params);
    if (delayMs === undefined) return acts.raise(raised);
    acts.request({ kind: 'delay', id: sendId(id, acts), delayMs, to: SELF, event: jsonEvent(raised) });
  }

  #send({ to, event, delay, id }: AuthorFunction, place: Place, author: AuthorArguments, params: unknown, acts: Acts): void {
    const sent = jsonEvent(eventOf(resolve(event, author, params), 'sendTo'));
    const delayMs = this.#delay(delay, author, params);
    const target = resolve(to, author, params);
    const named = target === undefined || target === null ? SELF : targetId(target);
    if (named === undefined)
      throw this.#refused('UNSUPPORTED', place.path, `sendTo() was given ${describe(target)}, expected the id of an actor`);
    const isSpecial = named === SELF || named === PARENT;
    // SCXML's way to name an invoked actor.
    const receiver = named.startsWith('#_') && !isSpecial ? named.slice(2) : named;
    const isName = typeof target === 'string';
    const isEarly = isName && place.invoked.has(receiver);
    // A name must be somebody's; a reference may outlive its actor, and what is sent to it then goes nowhere.
    if (isName && !isSpecial && !isEarly && !acts.hasChild(receiver))
      throw new LockstepError('HOST_THREW', `Unable to send event to actor '${named}' from machine '${this.#machine}'.`);
    if (delayMs === undefined) return acts.request({ kind: 'send', to: receiver, event: sent, ...(isEarly ? { isEarly: true } : {}) });
    acts.request({ kind: 'delay', id: sendId(id, acts), delayMs, to: receiver, event: sent });
  }

  /** Milliseconds; undefined = now. */
  #delay(delay: unknown, author: AuthorArguments, params: unknown): number | undefined {
    const meant = typeof delay === 'string' ? own(this.#source.implementations.delays, delay) : delay;
    const value = resolve(meant, author, params);
    if (typeof value !== 'number') return undefined;
    if (!Number.isFinite(value)) throw new LockstepError('NOT_JSON', `a delay of ${value}, expected a number of milliseconds`);
    return Math.max(0, value);
  }

  #spawn({ id, src, input, syncSnapshot, systemId }: AuthorFunction, path: string, author: AuthorArguments, acts: Acts): void {
    const { context, event, self } = author;
    const given = isFunction(id) ? id(author) : id;
    const made = isFunction(input) ? input({ context, event, self }) : input;
    const options = { id: given, input: made, syncSnapshot, systemId };
    this.spawn(src, path, options, acts);
  }

  /** Asks for a child. @returns its id. @throws LockstepError MISSING_FUNCTION for a name that nothing implements, NOT_JSON. */
  spawn(src: unknown, path: string, { id, input, syncSnapshot, systemId }: Fields, acts: Acts): string {
    const isNamed = typeof src === 'string';
    const logic = isNamed ? own(this.#source.implementations.actors, src) : src;
    if (logic === undefined)
      throw this.#refused('MISSING_FUNCTION', path, `Actor logic '${String(src)}' not implemented in machine '${this.#machine}'`);
    const child: ChildStart = {
      id: typeof id === 'string' && id !== '' ? id : acts.nextId(isNamed ? `${src}.` : 'actor.'),
      src: isNamed ? src : path,
      ...(input === undefined ? {} : { input: plain(input, `input of actor ${isNamed ? src : path}`) }),
      ...(syncSnapshot === true ? { sync: true as const } : {}),
      ...(typeof systemId === 'string' ? { systemId } : {}),
    };
    acts.request({ kind: 'spawn', child, logic });
    return child.id;
  }

  #enqueue(action: AuthorFunction, place: Place, args: FunctionArguments, params: unknown, acts: Acts, depth: number): void {
    const { collect } = action;
    const { path } = place;
    if (!isFunction(collect)) throw this.#refused('BAD_DEFINITION', path, 'enqueueActions() without a function');
    const queue: unknown[] = [];
    const missing = (reason: string): LockstepError => this.#refused('MISSING_FUNCTION', path, reason);
    collect(
      { ...authorArguments(args), enqueue: enqueuer(queue), check: (guard: unknown) => this.#guards.find(guard, missing)(args) },
      params,
    );
    for (const queued of queue) this.perform(queued, place, args, acts, depth + 1);
  }

  /**
   * `assign(fn)` or `assign({ key: value or fn })`.
   * @returns a function that gives what to merge into the context.
   */
  assignment(builtin: AuthorFunction, path: string): (args: FunctionArguments, params: unknown, acts: Acts) => unknown {
    const given = builtin.assignment;
    if (isFunction(given)) return (args, params, acts) => given(this.assigning(args, path, acts), params);
    if (!isFields(given)) return () => undefined;
    const entries = Object.entries(given);
    if (!entries.some(([, value]) => isFunction(value))) return () => given;
    return (args, params, acts) => {
      const author = this.assigning(args, path, acts);
      const partial: Record<string, unknown> = {};
      for (const [key, value] of entries) partial[key] = isFunction(value) ? value(author, params) : value;
      return partial;
    };
  }

  /** What an assign gets besides context and event. */
  assigning(args: FunctionArguments, path: string, acts: Acts): object {
    const spawn = (src: unknown, options: unknown = {}): Json =>
      reference(this.spawn(src, path, spawnOptions(isFields(options) ? options : {}, args), acts));
    return { context: args.context, event: args.event, self: ITSELF, system: args.system, spawn };
  }

  #refused(code: 'UNSUPPORTED' | 'BAD_DEFINITION' | 'MISSING_FUNCTION', path: string, reason: string): LockstepError {
    return new LockstepError(code, `machine '${this.#machine}', ${path}: ${reason}`);
  }
}

/** Spawn options whose input is made now. */
function spawnOptions(options: Fields, args: FunctionArguments): Fields {
  return isFunction(options.input) ? { ...options, input: options.input(authorArguments(args)) } : options;
}

/** `enqueue(action)` and its methods, one for each builtin that may be queued. */
function enqueuer(queue: unknown[]): AuthorFunction {
  const put = (type: string, fields: Fields): void => void queue.push(Object.assign(() => undefined, { type, resolve: true }, fields));
  const enqueue = (action: unknown): void => void queue.push(action);
  const send = (to: unknown, event: unknown, options: unknown): void => put('xstate.sendTo', { to, event, ...delayOptions(options) });
  return Object.assign(enqueue, {
    assign: (given: unknown) => put('xstate.assign', { assignment: given }),
    raise: (event: unknown, options?: unknown) => put('xstate.raise', { event, ...delayOptions(options) }),
    sendTo: send,
    sendParent: (event: unknown, options?: unknown) => send(PARENT, event, options),
    cancel: (id: unknown) => put('xstate.cancel', { sendId: id }),
    emit: (event: unknown) => put('xstate.emit', { event }),
    spawnChild: (src: unknown, options: unknown = {}) => put('xstate.spawnChild', { ...(isFields(options) ? options : {}), src }),
    stopChild: (actor: unknown) => put('xstate.stopChild', { actorRef: actor }),
  }) as unknown as AuthorFunction;
}

function delayOptions(options: unknown): Fields {
  return isFields(options) ? { id: options.id, delay: options.delay } : {};
}

/** What a value that may be a function of context and event is, this time. */
function resolve(value: unknown, author: AuthorArguments, params: unknown): unknown {
  return isFunction(value) && builtinType(value) === undefined ? value(author, params) : value;
}

function eventOf(event: unknown, builtin: string): EventObject {
  if (isFields(event) && typeof event.type === 'string') return event as EventObject;
  throw new LockstepError('HOST_THREW', `${builtin}() made ${describe(event)}, expected an event object with a type`);
}

function jsonEvent(event: EventObject): EventObject {
  return plain(event, `event ${event.type}`) as unknown as EventObject;
}

/** The id in what names an actor: an id, a reference in plain JSON, or anything with an id. */
function targetId(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  return isFields(target) && typeof target.id === 'string' ? target.id : undefined;
}

/** The author's id for a delayed event, or one that nothing else has. */
function sendId(id: unknown, acts: Acts): string {
  return typeof id === 'string' ? id : acts.nextId('send.');
}
