// One run of the core: what the author's functions see while it runs, and what it leaves behind. There is one Run per core, because a core
// runs one step at a time; the core calls back into it for guards and actions, by function number and event handle.

import {
  HANDLE_ARG_MASK,
  HANDLE_DONE,
  HANDLE_EXTERNAL,
  HANDLE_RAISE,
  INSTANCE_CONFIGURATION,
  INSTANCE_STATUS,
  STATUS_DONE,
} from '../assembly/layout.ts';
import { assert, LockstepError } from './errors.ts';
import type { BoundFunctions, FunctionArguments } from './functions.ts';
import type { EventObject, Json, JsonObject } from './json.ts';
import { matchesValue, type Machine } from './machine.ts';
import { plain } from './plain.ts';
import type { HostResult } from './step.ts';
import type { Core } from './wasm.ts';

export class Run implements FunctionArguments {
  /** What functions see; assigns replace it. */
  context: Json = null;
  event: EventObject = { type: '' };
  /** The context before the first assign and after each one, in order; undefined while no assign has run. */
  contexts: Json[] | undefined;
  /** The events that the author's functions made, done events with an output included: handle 1 is the first. */
  events: EventObject[] | undefined;
  host: HostResult[] | undefined;
  /** Whether somebody will ask for `contexts` and `host`. */
  isRecording = true;
  delays: number[] | undefined;
  /** Of the root: the instance's output. */
  output: Json | undefined;
  readonly #core: Core;
  #machine!: Machine;
  #functions: BoundFunctions = [];
  #pointer = 0;
  #external: EventObject = { type: '' };
  #recorded: readonly HostResult[] | undefined;
  #recordedNext = 0;

  constructor(core: Core) {
    this.#core = core;
    core.host = this;
  }

  /** Sets up for one call of start, step or can. With `recorded` the decisions come from there and assigns do nothing. */
  begin(
    machine: Machine,
    pointer: number,
    context: Json,
    event: EventObject,
    isRecording: boolean,
    recorded?: readonly HostResult[],
  ): void {
    this.#machine = machine;
    this.#functions = machine.functions ?? [];
    this.#pointer = pointer;
    this.context = context;
    this.#external = event;
    this.contexts = undefined;
    this.events = undefined;
    this.host = undefined;
    this.delays = undefined;
    this.output = undefined;
    this.isRecording = isRecording;
    this.#recorded = recorded;
    this.#recordedNext = 0;
  }

  guard(fn: number, handle: number): number {
    if (this.#recorded !== undefined) return this.#next() === true ? 1 : 0;
    const bound = this.#functions[fn];
    if (bound === undefined) throw this.#missing(fn);
    if (bound.kind !== 'guard') throw this.#missing(fn);
    this.event = handle === HANDLE_EXTERNAL ? this.#external : this.eventOf(handle);
    const answer = Boolean(bound.call(this));
    if (this.isRecording) (this.host ??= []).push(answer);
    return answer ? 1 : 0;
  }

  action(fn: number, handle: number): number {
    if (this.#recorded !== undefined) return this.#replayAction(fn);
    const bound = this.#functions[fn];
    if (bound === undefined) throw this.#missing(fn);
    this.event = handle === HANDLE_EXTERNAL ? this.#external : this.eventOf(handle);
    switch (bound.kind) {
      case 'assign':
        this.#assign(bound.call(this), fn);
        return 0;
      case 'raise':
        return this.#raised(plain(bound.call(this), `event raised by ${this.#name(fn)}`));
      case 'delay':
        return this.#delayed(fn, bound.call(this));
      case 'output': {
        const returned = bound.call(this);
        return this.#computed(fn, returned === undefined ? null : plain(returned, `output of ${this.#name(fn)}`));
      }
      default:
        throw this.#missing(fn);
    }
  }

  /** Merges what an assign returned into the context; values enter through the gate for plain JSON. */
  #assign(partial: unknown, fn: number): void {
    const before = this.context as JsonObject;
    if (this.isRecording) this.contexts ??= [before];
    if (partial === undefined || partial === null) {
      this.contexts?.push(before);
      return;
    }
    if (typeof partial !== 'object')
      throw new LockstepError('NOT_JSON', `${this.#name(fn)} returned ${typeof partial}, expected an object to merge into the context`);
    const changes = partial as Readonly<Record<string, unknown>>;
    const after: Record<string, Json> = { ...before };
    for (const key in changes) {
      const value = changes[key];
      if (value === undefined) delete after[key];
      else if (typeof value === 'string' || typeof value === 'boolean') after[key] = value;
      else if (key === '__proto__') throw new LockstepError('NOT_JSON', `${this.#name(fn)} assigned a key named __proto__`);
      else after[key] = plain(value, `/${key}`);
    }
    this.context = Object.freeze(after);
    this.contexts?.push(this.context);
  }

  #raised(event: Json): number {
    const raised = event as unknown as EventObject;
    (this.events ??= []).push(raised);
    if (this.#recorded === undefined) (this.host ??= []).push(event);
    return this.#machine.eventNumber(raised.type);
  }

  #delayed(fn: number, delay: unknown): number {
    if (typeof delay !== 'number' || !Number.isFinite(delay)) {
      throw new LockstepError('NOT_JSON', `${this.#name(fn)} gave the delay ${String(delay)}, expected a number of milliseconds`);
    }
    (this.delays ??= []).push(delay);
    if (this.#recorded === undefined) (this.host ??= []).push(delay);
    return 0;
  }

  #computed(fn: number, value: Json): number {
    const state = this.#machine.outputStates.get(fn);
    assert(state !== undefined, 'an output function belongs to a state');
    if (state === 0) this.output = value;
    else (this.events ??= []).push({ type: `xstate.done.state.${this.#doneId(state)}`, output: value });
    if (this.#recorded === undefined) (this.host ??= []).push(value);
    return 0;
  }

  /** A final state completes its parent; asked once more when the machine is done, it stands for itself (XState's rule). */
  #doneId(state: number): string {
    const isDone = this.#core.words[(this.#pointer + INSTANCE_STATUS) >>> 2] === STATUS_DONE;
    return this.#machine.symbols.states[isDone ? state : this.#machine.parent(state)]!.id;
  }

  #replayAction(fn: number): number {
    switch (this.#machine.symbols.functions[fn]?.kind) {
      case 'raise':
        return this.#raised(this.#next());
      case 'delay':
        return this.#delayed(fn, this.#next());
      case 'output':
        return this.#computed(fn, this.#next());
      default:
        return 0;
    }
  }

  #next(): HostResult {
    const result = this.#recorded![this.#recordedNext++];
    if (result === undefined)
      throw new LockstepError('BAD_PARAMS', `the record holds ${this.#recorded!.length} host results, the step asks for more`);
    return result;
  }

  /** The event object behind a handle of the core, in the run at hand. */
  eventOf(handle: number): EventObject {
    return eventOf(handle, this.#machine, this.#external, this.events);
  }

  /** The same for handles of this run, to be asked after later runs. */
  eventReader(): (handle: number) => EventObject {
    const machine = this.#machine;
    const external = this.#external;
    const events = this.events;
    return (handle) => eventOf(handle, machine, external, events);
  }

  /** For composed guards: whether a state is active in the middle of the step. */
  isIn(state: Json): boolean {
    const words = this.#core.words;
    const key = this.#machine.configurationKey(words, (this.#pointer + INSTANCE_CONFIGURATION) >>> 2);
    if (typeof state === 'string' && state.startsWith('#')) return this.#machine.isActive(key, this.#machine.stateNumber(state));
    return matchesValue(state, this.#machine.value(key));
  }

  #missing(fn: number): LockstepError {
    return new LockstepError(
      'MISSING_FUNCTION',
      `machine ${this.#machine.symbols.id} asks for ${this.#name(fn)}, and this replica has no function for it`,
    );
  }

  #name(fn: number): string {
    const symbol = this.#machine.symbols.functions[fn];
    if (symbol === undefined) return `function ${fn}`;
    return `${symbol.kind} ${symbol.name === undefined ? '' : `"${symbol.name}" `}at ${symbol.path}`;
  }
}

function eventOf(handle: number, machine: Machine, external: EventObject, made: readonly EventObject[] | undefined): EventObject {
  if (handle === HANDLE_EXTERNAL) return external;
  const number = handle & HANDLE_ARG_MASK;
  if ((handle & HANDLE_DONE) !== 0) return { type: `xstate.done.state.${machine.symbols.states[number]!.id}` };
  if ((handle & HANDLE_RAISE) !== 0) return machine.symbols.raises[number]!;
  return made![number - 1]!;
}
