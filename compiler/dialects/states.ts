// The dialect of states with targets, Automata's: each state names the states that it may lead to and has handlers for its events. A handler says
// where to go, or answers without going anywhere; it is a function of context and data alone, and is asked through guards, one for each target.

import type { EventObject, Json, JsonObject } from '../../core/json.ts';
import { describe, isFields, type Fields } from '../../core/fields.ts';
import { isFunction, type AuthorFunction } from '../../core/source.ts';
import type { TransitionDefinition } from '../definition.ts';
import { describeConfig } from './xstate5-source.ts';
import { bad, unsupported } from '../tree.ts';
import { builtinAction, eventFault, flatMachine, flatRoot, stateId, type FlatMachine } from './flat.ts';

/** What a handler is given. */
export interface StateHandle {
  /** The name of the state that it is in. */
  readonly state: string;
  /** Frozen. */
  readonly context: JsonObject;
  /** Goes to one of the state's targets, once the handler has returned, and answers. */
  transition(target: string, status?: Json, data?: Json): void;
  /** Answers. */
  transmit(status: Json, data?: Json): void;
  /** Merges into the context. */
  set(changes: JsonObject): void;
}

export type StateHandler = (machine: StateHandle, data: Json) => void;

/** States with targets, as an author writes them. */
export interface StateList {
  readonly id?: string;
  /** The first one unless given. */
  readonly initial?: string;
  readonly context?: JsonObject;
  readonly states: readonly {
    readonly name: string;
    /** Everywhere unless given. */
    readonly targets?: readonly string[];
    /** Each has a target or a handler. */
    readonly events?: readonly { readonly name: string; readonly to?: string; readonly handler?: StateHandler }[];
  }[];
}

/** An answer to who sent the event, as an emitted event. */
export interface Reply extends EventObject {
  readonly type: 'reply';
  readonly status: Json;
  readonly data: Json;
  /** Of an answer with a transition: where it led, and the events that are known there, in the order of the definition. */
  readonly state?: string;
  readonly events?: readonly string[];
}

interface Outcome {
  readonly target: string | undefined;
  readonly replies: readonly Reply[];
  readonly changes: JsonObject | undefined;
}

interface StateSource {
  readonly name: string;
  readonly path: string;
  /** Undefined: any state. */
  readonly targets: readonly string[] | undefined;
  readonly events: readonly EventSource[];
}

interface EventSource {
  readonly name: string;
  readonly path: string;
  readonly to: string | undefined;
  readonly handler: StateHandler | undefined;
}

const UNNAMED = '(machine)';
const OK = '200';

/**
 * The machine of states with targets: `{ states: [{ name, targets?, events?: [{ name, to | handler }] }], initial?, context?, id? }`.  (STATES-1)
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, naming machine, path and reason.
 */
export function fromStates(source: unknown): FlatMachine {
  const id = isFields(source) && typeof source.id === 'string' && source.id !== '' ? source.id : UNNAMED;
  const reader = new Reader(id);
  const { states, initial, context } = reader.read(source);
  const names = states.map(({ name }) => name);
  const events = new Map(states.map(({ name, events: its }) => [name, its.map((event) => event.name)]));
  const config: Fields = {
    context,
    states: states.map((state) => ({ events: state.events.map((event) => functionsOf(state, event, names, events)) })),
  };
  const made = states.map((state) => ({
    name: state.name,
    path: state.path,
    on: state.events.map((event) => ({ descriptor: event.name, transitions: transitionsOf(id, state, event, names) })),
  }));
  return flatMachine(
    { id, dialect: 'states', config },
    {
      id,
      dialect: 'states',
      root: flatRoot(id, { name: initial, path: '/initial' }, made),
      context: { value: context },
      source: describeConfig(source),
    },
  );
}

/** Whether something looks like states with targets: a list of states that are objects. */
export function isStateList(source: unknown): boolean {
  return isFields(source) && Array.isArray(source.states) && source.states.length > 0 && source.states.every(isFields);
}

// ── Transitions ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A handler's event leads to each target that the handler may say, or nowhere; its answers and changes follow in any case. */
function transitionsOf(id: string, state: StateSource, event: EventSource, names: readonly string[]): TransitionDefinition[] {
  const { path } = event;
  if (event.to !== undefined) return [{ path, targets: [stateId(id, event.to)], reenter: false, actions: [] }];
  const actions = [{ kind: 'builtin' as const, function: { kind: 'builtin' as const, path: `${path}/outcome` } }];
  return [
    ...(state.targets ?? names).map((target, index): TransitionDefinition => ({
      path,
      targets: [stateId(id, target)],
      reenter: false,
      guard: { kind: 'function', function: { kind: 'guard', path: `${path}/goesTo/${index}` } },
      actions,
    })),
    { path, targets: [], reenter: false, actions },
  ];
}

/** What the pointers of transitionsOf() lead to. */
function functionsOf(
  state: StateSource,
  event: EventSource,
  names: readonly string[],
  events: ReadonlyMap<string, readonly string[]>,
): Fields {
  const { handler } = event;
  if (handler === undefined) return {};
  const outcomeOf = decide(state, handler, names, events);
  return {
    goesTo: (state.targets ?? names).map((target) => {
      const goes = (asked: Asked): boolean => outcomeOf(asked).target === target;
      return Object.defineProperty(goes, 'name', { value: `${event.name} leads to ${target}` });
    }),
    outcome: builtinAction('xstate.enqueueActions', {
      collect: (args: Asked & { readonly enqueue: Enqueue }): void => {
        const { changes, replies } = outcomeOf(args);
        if (changes !== undefined) args.enqueue.assign(changes);
        for (const reply of replies) args.enqueue.emit(reply);
      },
    }),
  };
}

interface Asked {
  readonly context: JsonObject;
  readonly event: EventObject;
}

interface Enqueue {
  assign(changes: JsonObject): void;
  emit(event: Reply): void;
}

/** Runs the handler; for the same context and event once. */
function decide(
  state: StateSource,
  handler: StateHandler,
  names: readonly string[],
  events: ReadonlyMap<string, readonly string[]>,
): (asked: Asked) => Outcome {
  let last: { readonly context: JsonObject; readonly event: EventObject; readonly outcome: Outcome } | undefined;
  return ({ context, event }) => {
    if (last?.context === context && last.event === event) return last.outcome;
    const outcome = run(state, handler, { context, event }, { names, events });
    last = { context, event, outcome };
    return outcome;
  };
}

interface Known {
  readonly names: readonly string[];
  readonly events: ReadonlyMap<string, readonly string[]>;
}

function run(state: StateSource, handler: StateHandler, { context, event }: Asked, { names, events }: Known): Outcome {
  const replies: Reply[] = [];
  let target: string | undefined;
  let changes: JsonObject | undefined;
  const returned: unknown = handler(
    {
      state: state.name,
      context,
      transition(to, status = OK, data = null) {
        if (target !== undefined) throw new Error(`the handler goes to '${to}' although it has gone to '${target}'`);
        if (!(state.targets ?? names).includes(to)) throw new Error(`'${state.name}' does not lead to '${to}'`);
        target = to;
        replies.push({ type: 'reply', state: to, events: events.get(to) ?? [], status, data });
      },
      transmit(status, data = null) {
        replies.push({ type: 'reply', status, data });
      },
      set(more) {
        changes = { ...changes, ...more };
      },
    },
    (event['data'] as Json | undefined) ?? null,
  ) as unknown;
  if (returned instanceof Promise) throw new Error('the handler is asynchronous; what takes time is an actor, or an effect');
  return { target, replies, changes };
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

class Reader {
  readonly #id: string;

  constructor(id: string) {
    this.#id = id;
  }

  read(source: unknown): { readonly states: readonly StateSource[]; readonly initial: string; readonly context: JsonObject } {
    if (!isFields(source) || !Array.isArray(source.states)) throw bad(this.#id, '/states', 'expected a list of states');
    const states = source.states.map((state: unknown, index) => this.#state(state, `/states/${index}`));
    const first = states[0];
    if (first === undefined) throw bad(this.#id, '/states', 'a machine needs a state');
    this.#checkNames(states, 'state');
    const names = new Set(states.map(({ name }) => name));
    for (const state of states) this.#checkTargets(state, names);
    const initial = source.initial ?? first.name;
    if (typeof initial !== 'string' || !names.has(initial)) throw bad(this.#id, '/initial', `${describe(initial)} is none of the states`);
    const { context = {} } = source;
    if (!isFields(context)) throw bad(this.#id, '/context', `expected an object, found ${describe(context)}`);
    return { states, initial, context: context as JsonObject };
  }

  #state(source: unknown, path: string): StateSource {
    if (!isFields(source)) throw bad(this.#id, path, `expected a state, found ${describe(source)}`);
    const name = this.#name(source.name, `${path}/name`);
    const events = this.#list(source.events ?? [], `${path}/events`).map((event, index) => this.#event(event, `${path}/events/${index}`));
    this.#checkNames(events, 'event');
    const targets =
      source.targets === undefined || source.targets === null
        ? undefined
        : this.#list(source.targets, `${path}/targets`).map((target, index) => this.#name(target, `${path}/targets/${index}`));
    return { name, path, targets, events };
  }

  #event(source: unknown, path: string): EventSource {
    if (!isFields(source)) throw bad(this.#id, path, `expected an event, found ${describe(source)}`);
    const name = this.#name(source.name, `${path}/name`);
    const fault = eventFault(name);
    if (fault !== undefined) throw unsupported(this.#id, `${path}/name`, fault);
    const { to, handler } = source;
    if ((to === undefined) === (handler === undefined)) throw bad(this.#id, path, `'${name}' needs either a target (to) or a handler`);
    if (to !== undefined) return { name, path, to: this.#name(to, `${path}/to`), handler: undefined };
    if (!isFunction(handler)) throw bad(this.#id, `${path}/handler`, `expected a function, found ${describe(handler)}`);
    return { name, path, to: undefined, handler: handler as AuthorFunction as unknown as StateHandler };
  }

  #checkTargets({ name, path, targets, events }: StateSource, names: ReadonlySet<string>): void {
    targets?.forEach((target, index) => {
      if (!names.has(target)) throw bad(this.#id, `${path}/targets/${index}`, `'${target}' is none of the states`);
    });
    for (const event of events) {
      if (event.to === undefined) continue;
      if (!names.has(event.to)) throw bad(this.#id, `${event.path}/to`, `'${event.to}' is none of the states`);
      if (targets?.includes(event.to) === false)
        throw bad(this.#id, `${event.path}/to`, `'${event.to}' is none of the targets of '${name}'`);
    }
  }

  #checkNames(items: readonly { readonly name: string; readonly path: string }[], what: string): void {
    const known = new Map<string, string>();
    for (const { name, path } of items) {
      const before = known.get(name);
      if (before !== undefined) throw bad(this.#id, path, `the ${what} '${name}' is there already, at ${before}`);
      known.set(name, path);
    }
  }

  #list(value: unknown, path: string): readonly unknown[] {
    if (!Array.isArray(value)) throw bad(this.#id, path, `expected a list, found ${describe(value)}`);
    return value;
  }

  #name(value: unknown, path: string): string {
    if (typeof value !== 'string' || value === '') throw bad(this.#id, path, `expected a name, found ${describe(value)}`);
    return value;
  }
}
