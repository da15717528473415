// One run of the core: what the author's functions see while it runs, and what it leaves behind. There is one Run per core, because a core
// runs one step at a time; the core calls back into it for guards and actions, by function number and event handle. Over 400 lines because
// all of these calls are about one state.

import {
  FAULT_QUEUE_FULL,
  HANDLE_ARG_MASK,
  HANDLE_DONE,
  HANDLE_EXTERNAL,
  HANDLE_RAISE,
  HOST_CHANGED,
  INSTANCE_CONFIGURATION,
  INSTANCE_STATUS,
  RECORD_ENTER,
  RECORD_EXIT,
  RECORD_TRANSITION,
  STATUS_DONE,
} from '../assembly/layout.ts';
import { assert, ExpressionFault, LockstepError } from './errors.ts';
import { missingFunction } from './fault.ts';
import type { FunctionArguments } from './functions.ts';
import type { ContextMark, EventObject, Json, JsonObject, Value } from './json.ts';
import { matchesValue, type Machine } from './machine.ts';
import { plain } from './plain.ts';
import { reference, type Acts, type ChildStart, type Request } from './request.ts';
import { describe, isFields } from './fields.ts';
import type { HostResult } from './step.ts';
import { functionName } from './symbols.ts';
import type { Core, ValueHost } from './wasm.ts';

/** A request, the number of the core's record before which it was made, and what it saw. */
export interface MadeRequest {
  readonly at: number;
  readonly fn: number;
  readonly context: Json;
  readonly event: EventObject;
  readonly request: Request;
}

/** What an instance has at the beginning of a step that functions of the step may ask for. */
export interface RunState {
  readonly children: ReadonlyMap<string, ChildStart>;
  /** Ids made so far. */
  readonly ids: number;
}

/** Thrown when a run that nobody records asks for something: it has to be run again, and recorded. */
export const UNRECORDED = new Error('a request in a run that is not recorded');

const NO_STATE: RunState = { children: new Map(), ids: 0 };

export class Run implements FunctionArguments, Acts, ValueHost {
  /** What functions see; assigns replace it. */
  context: Json = null;
  event: EventObject = { type: '' };
  /** The context before the first assign and after each one, in order; undefined while no assign has run. */
  contexts: ContextMark[] | undefined;
  requests: MadeRequest[] | undefined;
  /** Ids made so far, those of earlier steps included. */
  ids = 0;
  /** The events that the author's functions made, done events with an output included: handle 1 is the first. */
  events: EventObject[] | undefined;
  host: HostResult[] | undefined;
  /** Whether somebody will ask for `contexts` and `host`. */
  isRecording = true;
  delays: number[] | undefined;
  /** Of the root: the instance's output. */
  output: Json | undefined;
  readonly system = { get: (systemId: string): Json | undefined => this.#named(systemId) };
  readonly #core: Core;
  #machine!: Machine;
  #pointer = 0;
  #external: EventObject = { type: '' };
  /** Of a replay: what guards were asked, with their answers, and how many of the core's records there were by then. */
  asked: { readonly fn: number; readonly answer: boolean; readonly records: number }[] = [];
  #recorded: readonly HostResult[] | undefined;
  #recordedNext = 0;
  #state: RunState = NO_STATE;
  /** Of the builtin that is being resolved: its number, the events it raised, and whether it changed anything. */
  #acting = -1;
  #actingEvents: EventObject[] = [];
  #hasChanged = false;
  /** A guard asks about this moment, an action about the moment before its microstep. */
  #isGuard = false;
  /** Whether anything of the last run is left that the next one must not find. */
  #isUsed = false;

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
    state?: RunState,
  ): void {
    this.#machine = machine;
    this.#pointer = pointer;
    this.context = context;
    this.#external = event;
    this.contexts = undefined;
    this.events = undefined;
    this.host = undefined;
    this.delays = undefined;
    this.output = undefined;
    this.requests = undefined;
    this.#state = state ?? NO_STATE;
    this.ids = this.#state.ids;
    this.isRecording = isRecording;
    this.#recorded = recorded;
    this.#recordedNext = 0;
    this.#isUsed = true;
    if (recorded !== undefined) this.asked = [];
  }

  /** The same for a step that nobody records: where programs alone run, hardly anything is to be set up. */
  beginQuiet(machine: Machine, pointer: number, context: Json, event: EventObject): void {
    if (this.#isUsed) {
      this.begin(machine, pointer, context, event, false);
      this.#isUsed = false;
      return;
    }
    // What is the same again, as it mostly is, need not be written again.
    if (this.#machine !== machine) this.#machine = machine;
    if (this.#external !== event) this.#external = event;
    this.#pointer = pointer;
    this.context = context;
  }

  guard(fn: number, handle: number): number {
    if (this.#recorded !== undefined) return this.#replayGuard(fn, this.#next());
    this.#isUsed = true;
    const bound = this.#machine.functions?.[fn];
    if (bound?.kind !== 'guard') throw this.#missing(fn);
    this.event = handle === HANDLE_EXTERNAL ? this.#external : this.eventOf(handle);
    this.#isGuard = true;
    this.#acting = fn;
    if (this.#actingEvents.length > 0) this.#actingEvents = [];
    const answer = Boolean(bound.call(this, this));
    this.#isGuard = false;
    if (this.isRecording)
      (this.host ??= []).push(this.#actingEvents.length === 0 ? answer : [answer, ...(this.#actingEvents as unknown as Json[])]);
    return answer ? 1 : 0;
  }

  /** A guard that raised events is recorded like a builtin: its answer, then the events. */
  #replayGuard(fn: number, recorded: HostResult): number {
    const [answer, ...events] = Array.isArray(recorded) ? (recorded as readonly Json[]) : [recorded];
    for (const event of events) this.#enqueue(event as unknown as EventObject);
    this.asked.push({ fn, answer: answer === true, records: this.#core.exports.outputCount() });
    return answer === true ? 1 : 0;
  }

  action(fn: number, handle: number): number {
    if (this.#recorded !== undefined) return this.#replayAction(fn);
    this.#isUsed = true;
    const bound = this.#machine.functions?.[fn];
    if (bound === undefined) throw this.#missing(fn);
    this.event = handle === HANDLE_EXTERNAL ? this.#external : this.eventOf(handle);
    switch (bound.kind) {
      case 'assign':
        this.#acting = fn;
        this.#merge(bound.call(this, this), fn);
        return 0;
      case 'builtin':
        // A machine that is done stops all its children behind its last exit actions, in the order in which they came.
        return this.#resolve(fn, () =>
          this.#isDone() && this.#machine.symbols.functions[fn]?.kind === 'stop' ? undefined : bound.call(this, this),
        );
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

  // ── Programs ───────────────────────────────────────────────────────────────────────────────────────────────────

  input(): unknown {
    return this.#external['input'];
  }

  cells(): readonly string[] {
    return this.#machine.cells?.names ?? [];
  }

  result(fn: number, value: Value): number {
    this.#isUsed = true;
    switch (this.#machine.symbols.functions[fn]?.kind) {
      case 'raise':
        if (isFields(value) && typeof value.type === 'string') return this.#raised(value as Json);
        throw new ExpressionFault(`raise() made ${describe(value)}, expected an event object with a type`);
      case 'delay':
        return this.#delayed(fn, value);
      case 'builtin':
      case 'invoke':
      case 'stop':
        return this.#performed(fn, value);
      default:
        return this.#computed(fn, value ?? null);
    }
  }

  /** What a builtin's program came to; a replay does the same again. */
  #performed(fn: number, value: Value): number {
    const { path, kind } = this.#machine.symbols.functions[fn]!;
    this.#acting = fn;
    this.#actingEvents = [];
    this.#hasChanged = false;
    if (!this.#isDone() || kind !== 'stop') this.#core.programs?.perform(this.#machine, path, value, this, this);
    return this.#hasChanged ? HOST_CHANGED : 0;
  }

  // ── Builtins ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets a builtin act; its raised events and whether it changed anything are what a replay needs of it. */
  #resolve(fn: number, call: () => void): number {
    this.#acting = fn;
    this.#actingEvents = [];
    this.#hasChanged = false;
    call();
    if (this.isRecording) (this.host ??= []).push([this.#hasChanged, ...(this.#actingEvents as unknown as Json[])]);
    return this.#hasChanged ? HOST_CHANGED : 0;
  }

  raise(event: EventObject): void {
    const made = plain(event, `event raised by ${this.#name(this.#acting)}`) as unknown as EventObject;
    this.#enqueue(made);
    this.#actingEvents.push(made);
  }

  #enqueue(event: EventObject): void {
    (this.events ??= []).push(event);
    const handle = this.#core.exports.raise(this.#machine.eventNumber(event.type));
    if (handle === FAULT_QUEUE_FULL)
      throw new LockstepError('OVERFLOW', `machine ${this.#machine.symbols.id} raised more events than one step has room for`);
    assert(handle === this.events.length, 'the core numbers the events of the host as they come');
  }

  assign(partial: unknown): void {
    this.#hasChanged = true;
    this.#merge(partial, this.#acting);
  }

  request(request: Request): void {
    if (!this.isRecording) throw UNRECORDED;
    this.#isUsed = true;
    if (request.kind === 'spawn' || request.kind === 'stop') this.#hasChanged = true;
    const at = this.#core.exports.outputCount();
    (this.requests ??= []).push({ at, fn: this.#acting, context: this.context, event: this.event, request });
  }

  change(): void {
    this.#hasChanged = true;
  }

  hasChild(id: string): boolean {
    for (let i = (this.requests?.length ?? 0) - 1; i >= 0; i--) {
      const { request } = this.requests![i]!;
      if (request.kind === 'spawn' && request.child.id === id) return true;
      if (request.kind === 'stop' && request.id === id) return false;
    }
    return this.#state.children.has(id);
  }

  #named(systemId: string): Json | undefined {
    const started = (this.requests ?? []).flatMap(({ request }) => (request.kind === 'spawn' ? [request.child] : []));
    const found = [...this.#state.children.values(), ...started].findLast(
      (child) => child.systemId === systemId && this.hasChild(child.id),
    );
    return found === undefined ? undefined : reference(found.id);
  }

  nextId(prefix: string): string {
    return `${prefix}${this.ids++}`;
  }

  // ── Values ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Merges what an assign returned into the context; values enter through the gate for plain JSON. */
  #merge(partial: unknown, fn: number): void {
    const before = this.context as JsonObject;
    if (this.isRecording) this.contexts ??= [{ from: 0, context: before }];
    if (partial === undefined || partial === null) return;
    if (typeof partial !== 'object')
      throw new LockstepError('NOT_JSON', `${this.#name(fn)} returned ${typeof partial}, expected an object to merge into the context`);
    const changes = partial as Readonly<Record<string, unknown>>;
    const after: Record<string, Json> = { ...before };
    for (const key in changes) {
      const value = changes[key];
      if (value === undefined) delete after[key];
      else if (typeof value === 'string' || typeof value === 'boolean') after[key] = value;
      else if (key === '__proto__') throw new LockstepError('NOT_JSON', `${this.#name(fn)} assigned a key named __proto__`);
      else after[key] = plain(value, `/${key}`, 1);
    }
    this.context = Object.freeze(after);
    this.contexts?.push({ from: this.#core.exports.outputCount(), context: this.context });
  }

  /** What a program answers needs no record: it answers the same again. */
  #record(result: HostResult): void {
    if (this.#recorded === undefined && this.#machine.cells === undefined) (this.host ??= []).push(result);
  }

  #raised(event: Json): number {
    const raised = event as unknown as EventObject;
    (this.events ??= []).push(raised);
    this.#record(event);
    return this.#machine.eventNumber(raised.type);
  }

  #delayed(fn: number, delay: unknown): number {
    if (typeof delay !== 'number' || !Number.isFinite(delay)) {
      throw new LockstepError('NOT_JSON', `${this.#name(fn)} gave the delay ${String(delay)}, expected a number of milliseconds`);
    }
    (this.delays ??= []).push(delay);
    this.#record(delay);
    return 0;
  }

  #computed(fn: number, value: Json): number {
    const state = this.#machine.outputStates.get(fn);
    assert(state !== undefined, 'an output function belongs to a state');
    if (state === 0) this.output = value;
    else (this.events ??= []).push({ type: this.#machine.donePrefix + this.#doneId(state), output: value });
    this.#record(value);
    return 0;
  }

  /** A final state completes its parent; asked once more when the machine is done, it stands for itself (XState's rule). */
  #doneId(state: number): string {
    return this.#machine.symbols.states[this.#isDone() ? state : this.#machine.parent(state)]!.id;
  }

  #isDone(): boolean {
    return this.#core.words[(this.#pointer + INSTANCE_STATUS) >>> 2] === STATUS_DONE;
  }

  #replayAction(fn: number): number {
    switch (this.#machine.symbols.functions[fn]?.kind) {
      case 'raise':
        return this.#raised(this.#next());
      case 'delay':
        return this.#delayed(fn, this.#next());
      case 'output':
        return this.#computed(fn, this.#next());
      case 'builtin':
      case 'invoke':
      case 'stop':
        return this.#replayBuiltin(this.#next());
      default:
        return 0;
    }
  }

  #replayBuiltin(recorded: HostResult): number {
    if (!Array.isArray(recorded)) throw new LockstepError('BAD_PARAMS', 'the record of a builtin action is no list');
    const [hasChanged, ...events] = recorded as readonly Json[];
    for (const event of events) this.#enqueue(event as unknown as EventObject);
    return hasChanged === true ? HOST_CHANGED : 0;
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

  isIn(state: Json): boolean {
    const { words } = this.#core;
    const at = (this.#pointer + INSTANCE_CONFIGURATION) >>> 2;
    const key = this.#isGuard || this.#machine.isScxml ? this.#machine.configurationKey(words, at) : this.#keyBefore(words, at);
    if (typeof state === 'string' && state.startsWith('#')) return this.#machine.isActive(key, this.#machine.stateNumber(state));
    return matchesValue(state, this.#machine.value(key));
  }

  /** The configuration before the microstep that is under way: what was left and entered since its transitions, taken back. */
  #keyBefore(words: Uint32Array, at: number): ReturnType<Machine['configurationKey']> {
    const before = words.slice(at, at + this.#machine.wordCount);
    const output = this.#core.exports.output() >>> 2;
    for (let i = this.#core.exports.outputCount() - 1; i >= 0; i--) {
      const record = words[output + i * 2]!;
      const kind = record >>> 24;
      if (kind === RECORD_TRANSITION) break;
      if (kind !== RECORD_ENTER && kind !== RECORD_EXIT) continue;
      const state = record & 0xffffff;
      before[state >>> 5] = before[state >>> 5]! ^ (1 << (state & 31));
    }
    return this.#machine.configurationKey(before, 0);
  }

  #missing(fn: number): LockstepError {
    return missingFunction(this.#machine, fn);
  }

  #name(fn: number): string {
    return functionName(this.#machine.symbols, fn);
  }
}

function eventOf(handle: number, machine: Machine, external: EventObject, made: readonly EventObject[] | undefined): EventObject {
  if (handle === HANDLE_EXTERNAL) return external;
  const number = handle & HANDLE_ARG_MASK;
  if ((handle & HANDLE_DONE) !== 0) return { type: machine.donePrefix + machine.symbols.states[number]!.id };
  if ((handle & HANDLE_RAISE) !== 0) return machine.symbols.raises[number]!;
  return made![number - 1]!;
}
