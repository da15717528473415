// One raw replica of a machine: its bytes in the core and its context in JavaScript. It runs events, folds differences, saves and loads;
// it has no history, no effects and no opinion about who is right. Whatever throws leaves it as it was.
// Over 400 lines because it is one class with three sides: running, folding, saving.

import {
  COUNT,
  DELAY_CONST,
  DELAY_HOST,
  FAULT_HOST,
  FAULT_OUTPUT_FULL,
  FAULT_UNHANDLED,
  IMAGE_SEMANTICS,
  IMAGE_TIMERS,
  MUST_HANDLE,
  MUTATION_EXCEPTION,
  OUTPUT_SIZE,
  OUTPUT_SIZE_MAX,
  QUIET,
  SEMANTICS_THROW_IS_STATUS,
  STEP_DONE,
  STEP_IGNORED,
  TIMER_DELAY,
  TIMER_DELAY_KIND,
  TIMER_SIZE,
  TRACE,
} from '../assembly/layout.ts';
import { InstanceBytes } from './bytes.ts';
import { diff } from './diff.ts';
import { contextSum, wholeSum } from './digest.ts';
import { assert, LockstepError } from './errors.ts';
import { faultError, hostError, unknownEvent } from './fault.ts';
import type { ContextMark, EventObject, Json } from './json.ts';
import type { ConfigurationKey, Machine } from './machine.ts';
import { changedHistories, FN_NONE, Outcome, type OutcomeSource } from './outcome.ts';
import { Pending, UNCHANGED, type Child, type PendingChange } from './pending.ts';
import { applyPatch, type Operation } from './patch.ts';
import { plain } from './plain.ts';
import { Run, UNRECORDED, type MadeRequest } from './run.ts';
import { Snapshot } from './snapshot.ts';
import { askedFor, enterStamp, leaveStamp, type Stamp } from './stamp.ts';
import type { InstanceState } from './state.ts';
import type { ChildChange, DelayedEvent, HostResult, Status, TimerChange } from './step.ts';
import type { Core } from './wasm.ts';

/** What a Step or a StepDifference changes. */
export interface Difference {
  readonly seq: number;
  /** state, ticks, state, ticks, … */
  readonly clocks: readonly number[];
  readonly patch: readonly Operation[];
  readonly history?: readonly (readonly [history: number, states: readonly number[]])[];
  readonly status?: Status;
  readonly output?: Json;
  readonly error?: string;
  readonly timers?: readonly TimerChange[];
  readonly children?: readonly ChildChange[];
  readonly ids?: number;
}

const NO_HISTORY: readonly (readonly [number, readonly number[]])[] = Object.freeze([]);
const NO_HOST: readonly HostResult[] = Object.freeze([]);
const NO_TIMERS: ReadonlyMap<number, number> = new Map();
const NO_CHILDREN: ReadonlyMap<string, Child> = new Map();
const HEX = 16;

/** Event types of the runtime; the errors of child actors among them end a machine that does not handle them. */
const RESERVED = 'xstate.';
const CHILD_ERROR = 'xstate.error.actor.';
/** The cause of a step in which a delayed event left for somebody else. */
export const ELAPSED = 'xstate.elapsed';

/** Where an event comes from that no peer sent. */
export interface StepOrigin {
  /** The timer that fired. */
  readonly timer?: number;
  readonly isInternal?: true;
}

/** Instead of an event number: the initial macrostep. */
const START = -1;

const runs = new WeakMap<Core, Run>();
/** Machines whose `canFrom` has its scratch instance. */
const posable = new WeakSet<Machine>();

function runOf(core: Core): Run {
  let run = runs.get(core);
  if (run === undefined) runs.set(core, (run = new Run(core)));
  return run;
}

export class Instance extends InstanceBytes {
  readonly #run: Run;
  #context: Json = null;
  output: Json | undefined;
  error: string | undefined;
  /** Undefined while there never was anything to wait for. */
  #pending: Pending | undefined;
  /** The context part of the digest, kept up to date by the change; undefined until somebody asks. */
  #summed: { readonly context: Json; readonly sum: bigint } | undefined;

  /** A new replica, not started. @throws LockstepError CORE when memory is exhausted. */
  static create(machine: Machine): Instance {
    if (!posable.has(machine)) {
      posable.add(machine);
      const scratch = new Instance(machine);
      machine.canFrom = (key, context, event) => scratch.#canFrom(key, context, event);
    }
    return new Instance(machine);
  }

  private constructor(machine: Machine) {
    super(machine);
    this.#run = runOf(machine.core);
  }

  // ── What it is ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Frozen; the same object while nothing in it changed. */
  get context(): Json {
    const { cells } = this.machine;
    if (cells?.isWritten(this.pointer) === true) this.#context = cells.read(this.pointer, this.#context);
    return this.#context;
  }

  set context(context: Json) {
    this.machine.cells?.write(this.pointer, this.context, context);
    this.#context = context;
  }

  /** Timer number → due, ms since the epoch; numbers from DELAYED_FIRST on are delayed events. */
  get timers(): ReadonlyMap<number, number> {
    return this.#pending?.timers ?? NO_TIMERS;
  }

  /** What a timer sends, and to whom, when it is none of the image's. */
  delayed(timer: number): DelayedEvent | undefined {
    return this.#pending?.delayed(timer);
  }

  /** Its child actors by id, in the order in which they were started. */
  get children(): ReadonlyMap<string, Child> {
    return this.#pending?.children ?? NO_CHILDREN;
  }

  /** A picture of it now; stays valid when the instance moves on. */
  snapshot(): Snapshot {
    return new Snapshot(this.machine, this.configurationKey, this.status ?? 'stopped', this.context, this.output, this.error);
  }

  /** 16 hex digits that equal replicas agree on: configuration, clocks, history, status and context. */
  digest(): string {
    const { core } = this.machine;
    const bytes = core.digest(this.pointer);
    const { context } = this;
    let summed = this.#summed;
    if (summed === undefined) this.#summed = summed = { context, sum: wholeSum(core.hashText, context) };
    else if (summed.context !== context)
      this.#summed = summed = { context, sum: contextSum(core.hashText, summed.context, summed.sum, context) };
    return BigInt.asUintN(64, bytes + summed.sum)
      .toString(HEX)
      .padStart(HEX, '0');
  }

  // ── Running ────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Makes the context and runs the initial macrostep; `seq` becomes 1.
   * @throws LockstepError HOST_THREW, NOT_JSON, FUEL, OVERFLOW, MISSING_FUNCTION; it can then be started again.
   */
  start(given: Json | undefined, stamp: Stamp): Outcome {
    // Its first event holds it, one level down.
    const input = given === undefined ? undefined : plain(given, '/input', 1);
    enterStamp(stamp);
    try {
      const event: EventObject = input === undefined ? { type: 'xstate.init' } : { type: 'xstate.init', input };
      this.#run.begin(this.machine, this.pointer, null, event, true);
      this.context = this.#initialContext(input);
      // Made before the core began.
      const spawned = this.#run.requests?.map((made) => ({ ...made, at: 0 }));
      const result = this.#execute(START, event, 0, true, undefined, spawned);
      const { cells, core, symbols } = this.machine;
      // Without a context there is nothing that could go to status error.
      if (result === FAULT_HOST && cells !== undefined && core.thrower === symbols.contextFunction) throw this.#fault(result, event);
      return this.#advance(event, stamp, result);
    } catch (error) {
      this.context = null;
      throw error;
    } finally {
      leaveStamp();
    }
  }

  /** Calls the context factory, which may spawn actors, with the run that is set up for it. */
  #initialContext(input: Json | undefined): Json {
    const { cells, symbols, functions } = this.machine;
    // A program that makes it is run by the core, over empty cells.
    if (symbols.contextFunction === undefined || cells !== undefined) return plain(symbols.context ?? {}, '');
    const bound = functions?.[symbols.contextFunction];
    if (bound?.kind !== 'context')
      throw new LockstepError('MISSING_FUNCTION', `machine ${symbols.id} makes its context by a function that this replica does not have`);
    try {
      return plain(bound.call({ input }, this.#run), '');
    } catch (error) {
      throw hostError(this.machine, symbols.contextFunction, error);
    }
  }

  /**
   * Runs one event to completion; `seq` rises by one, also when the event enabled nothing.
   * @param from for events of whoever owns the instance: the timer that fired, or that they come from inside, where an event that nothing
   *   names is ignored instead of refused.
   * @throws LockstepError UNKNOWN_EVENT, NOT_RUNNING, HOST_THREW, NOT_JSON, FUEL, OVERFLOW, MISSING_FUNCTION; nothing changed then.
   */
  step(event: EventObject, stamp: Stamp, from: StepOrigin = {}): Outcome {
    const number = from.isInternal === true ? this.machine.eventNumber(event.type) : this.#numberOf(event);
    const isError = event.type.startsWith(CHILD_ERROR);
    enterStamp(stamp);
    try {
      return this.#advance(event, stamp, this.#execute(number, event, isError ? MUST_HANDLE : 0, true), from.timer);
    } finally {
      leaveStamp();
    }
  }

  /**
   * A delayed event to somebody else has its time: it leaves, and nothing happens to the machine. A step of its own, because the instance no
   * longer waits for it.
   */
  elapse(timer: number): Outcome {
    const delayed = this.delayed(timer);
    assert(delayed !== undefined && this.#pending !== undefined, 'only delayed events elapse');
    const { to, event } = delayed;
    const timers = [{ timer, due: null }];
    this.#pending.apply({ timers });
    this.seq += 1;
    return new Outcome({
      ...this.#nothing(),
      requests: [{ at: 0, fn: FN_NONE, context: this.context, event, request: { kind: 'send', to, event } }],
      pending: { timers, children: [], ids: undefined },
      nameOf: () => 'xstate.sendTo',
    });
  }

  /** An outcome without anything in it. */
  #nothing(): OutcomeSource {
    return {
      taken: false,
      records: new Uint32Array(0),
      first: this.seq === 1,
      startsActorsFirst: false,
      before: this.context,
      after: this.context,
      contexts: undefined,
      patch: undefined,
      requests: undefined,
      host: NO_HOST,
      status: undefined,
      output: undefined,
      error: undefined,
      pending: UNCHANGED,
      asked: 0,
      historyMemory: NO_HISTORY,
      eventOf: () => ({ type: '' }),
      nameOf: (fn) => nameOf(this.machine, fn),
    };
  }

  /**
   * Like step, for a caller that wants only the new state of a quiet machine: nothing is kept of effects and host results. When the step turns
   * out to ask for an actor, nothing happens but that the machine is quiet no longer. @returns whether something was enabled.
   */
  run(event: EventObject, stamp: Stamp): boolean {
    const number = this.#numberOf(event);
    if (this.machine.isAlone) return this.advance(number, event);
    enterStamp(stamp);
    try {
      return this.advance(number, event);
    } finally {
      leaveStamp();
    }
  }

  /** The bare step: run() for a caller that knows the event's number and has entered a stamp if the machine's functions may ask for one. */
  advance(number: number, event: EventObject): boolean {
    const { machine } = this;
    machine.call(event);
    if (machine.isAlone) {
      const result = machine.core.exports.step(this.pointer, number, QUIET | COUNT);
      if (result < 0) throw this.#fault(result, event);
      return result !== STEP_IGNORED;
    }
    const run = this.#run;
    run.beginQuiet(machine, this.pointer, machine.cells === undefined ? this.#context : null, event);
    const result = machine.core.exports.step(this.pointer, number, QUIET | COUNT);
    if (result === FAULT_HOST && machine.core.thrown === UNRECORDED) {
      machine.isQuiet = false;
      return false;
    }
    if (result < 0) return this.#refuse(result, event).taken;
    if (machine.cells === undefined) this.#context = run.context;
    if (result === STEP_DONE && run.output !== undefined) this.output = run.output;
    return result !== STEP_IGNORED;
  }

  /** advance() for who wants no more than the difference: of a machine whose context is the core's, it is read off what was written. */
  change(number: number, event: EventObject): readonly Operation[] {
    const { cells } = this.machine;
    if (cells !== undefined) {
      this.advance(number, event);
      return cells.patch(this.pointer, this);
    }
    const before = this.context;
    this.advance(number, event);
    return diff(before, this.context);
  }

  #numberOf(event: EventObject): number {
    const number = this.machine.eventNumber(event.type);
    if (this.machine.isRelational && number >= MUTATION_EXCEPTION) throw unknownEvent(this.machine, event.type);
    // In SCXML an event that nothing names still reaches what was invoked, and eventless transitions look at it.
    if (number !== 0 || this.machine.isScxml || event.type.startsWith(RESERVED)) return number;
    throw unknownEvent(this.machine, event.type);
  }

  /**
   * Runs a recorded step again from its host results, without the author's functions; the outcome's records also hold what each guard
   * answered. Clocks and configuration move, the context does not: apply the record's patch. For tools.
   */
  replay(event: EventObject, stamp: Stamp, host: readonly HostResult[]): Outcome {
    if (event.type === ELAPSED) return new Outcome(this.#nothing());
    const number = event.type === 'xstate.init' ? START : this.machine.eventNumber(event.type);
    const flags = event.type.startsWith(CHILD_ERROR) ? TRACE | MUST_HANDLE : TRACE;
    const { context } = this;
    if (this.machine.cells !== undefined && number === START) this.context = this.#initialContext(undefined);
    enterStamp(stamp);
    try {
      return this.#advance(event, stamp, this.#execute(number, event, flags, true, host));
    } finally {
      leaveStamp();
      if (this.machine.cells !== undefined) this.context = context;
    }
  }

  /** Of the last replay: what guards were asked and answered, in order. */
  get replayed(): Run['asked'] {
    return this.#run.asked;
  }

  /** Whether the event would select a transition with a target or an action. Runs guards; changes nothing. */
  can(event: EventObject): boolean {
    const number = this.machine.eventNumber(event.type);
    if (number === 0 || this.status !== 'active') return false;
    this.#run.begin(this.machine, this.pointer, this.#context, event, false);
    this.machine.call(event);
    const answer = this.machine.core.exports.can(this.pointer, number);
    if (answer < 0) throw this.#fault(answer, event);
    return answer === 1;
  }

  /** One call of the core; grows its output buffer as needed. Faults are left to the caller. */
  #execute(
    number: number,
    event: EventObject,
    flags: number,
    isRecording: boolean,
    recorded?: readonly HostResult[],
    requests?: readonly MadeRequest[],
  ): number {
    const { exports } = this.machine.core;
    const run = this.#run;
    const ids = run.ids;
    for (let size = 0; ;) {
      run.begin(this.machine, this.pointer, isRecording ? this.context : this.#context, event, isRecording, recorded, this.#pending);
      if (requests !== undefined) {
        run.requests = [...requests];
        run.ids = ids;
      }
      if (number !== START) this.machine.call(event);
      const result = number === START ? exports.start(this.pointer, flags) : exports.step(this.pointer, number, flags);
      if (result !== FAULT_OUTPUT_FULL || size >= OUTPUT_SIZE_MAX) return result;
      size = size === 0 ? OUTPUT_SIZE * 2 : size * 2;
      exports.reserve(size);
    }
  }

  /** Takes the result of a run in: context, status, timers, children, seq. */
  #advance(event: EventObject, stamp: Stamp, result: number, fired?: number): Outcome {
    if (result < 0) return this.#refuse(result, event);
    const { cells, core } = this.machine;
    const run = this.#run;
    const before = this.#context;
    const words = core.words;
    const from = core.exports.output() >>> 2;
    const records = words.slice(from, from + core.exports.outputCount() * 2);
    let patch: readonly Operation[] | undefined;
    let contexts: readonly ContextMark[] | undefined;
    if (cells === undefined) {
      this.#context = run.context;
      contexts = run.contexts;
    } else if (cells.isWritten(this.pointer)) {
      const count = records.length >>> 1;
      contexts = cells.marks(before, words, from, count);
      if (this.seq > 0) patch = cells.patch(this.pointer, this);
    }
    if (result === STEP_DONE && run.output !== undefined) this.output = run.output;
    if (result === STEP_DONE) this.#stopChildren();
    this.seq += 1;
    return new Outcome({
      taken: result !== STEP_IGNORED,
      records,
      first: this.seq === 1,
      startsActorsFirst: this.seq === 1 && !this.machine.isScxml,
      before,
      after: this.context,
      contexts,
      patch,
      // Of a machine whose context is the core's, which one an action saw is known only now.
      requests: cells === undefined ? run.requests : seen(run.requests, contexts, before),
      host: run.host ?? NO_HOST,
      status: result === STEP_DONE ? 'done' : this.seq === 1 ? 'active' : undefined,
      output: result === STEP_DONE ? run.output : undefined,
      error: undefined,
      pending: this.#changePending(event, records, stamp.now, fired),
      asked: askedFor(),
      historyMemory:
        this.machine.historyCount === 0
          ? NO_HISTORY
          : changedHistories(records).map((history) => [history, this.remembered(history)] as const),
      eventOf: run.eventReader(),
      nameOf: (fn) => nameOf(this.machine, fn),
    });
  }

  /** Requests the end of every child that is there at the end of the step. */
  #stopChildren(): void {
    const run = this.#run;
    for (const id of [...this.children.keys(), ...spawnedBy(run.requests)]) if (run.hasChild(id)) run.request({ kind: 'stop', id });
  }

  /** Throws what a fault means, unless it ends the machine: an author's exception by the image's wish, an error of a child always. */
  #refuse(result: number, event: EventObject): Outcome {
    if (result === FAULT_UNHANDLED) {
      const { error } = event;
      return this.#fail(`unhandled error of ${event.type.slice(CHILD_ERROR.length)}: ${errorText(error)}`);
    }
    const fault = this.#fault(result, event);
    if (result === FAULT_HOST && this.#throwIsStatus() && (fault.code === 'HOST_THREW' || fault.code === 'EXPRESSION'))
      return this.#fail(fault.message);
    throw fault;
  }

  #throwIsStatus(): boolean {
    return (this.machine.core.words[(this.machine.handle + IMAGE_SEMANTICS) >>> 2]! & SEMANTICS_THROW_IS_STATUS) !== 0;
  }

  /** The machine ends with an error: its timers and children with it. */
  #fail(message: string): Outcome {
    const first = this.seq === 0;
    const run = this.#run;
    this.setStatus('error');
    this.error = message;
    this.seq += 1;
    run.requests = undefined;
    this.#stopChildren();
    const timers = [...this.timers.keys()].map((timer) => ({ timer, due: null }));
    const children = [...this.children.keys()].map((id) => ({ stop: id }));
    this.#pending = undefined;
    return new Outcome({
      ...this.#nothing(),
      taken: true,
      first,
      requests: run.requests,
      status: 'error',
      error: message,
      pending: { timers, children, ids: undefined },
    });
  }

  #changePending(event: EventObject, records: Uint32Array, now: number, fired: number | undefined): PendingChange {
    const run = this.#run;
    const { symbols } = this.machine;
    if (this.#pending === undefined && symbols.timers.length === 0 && run.requests === undefined) return UNCHANGED;
    let nextDelay = 0;
    return (this.#pending ??= new Pending()).change({
      now,
      fired: fired ?? this.machine.timerNumber(event.type),
      eventType: event.type,
      records,
      requests: run.requests,
      ids: run.ids,
      isActive: this.status === 'active',
      delayOf: (timer) => this.#delayOf(timer, () => run.delays?.[nextDelay++] ?? 0),
      timerOf: (type) => this.machine.timerNumber(type),
    });
  }

  #delayOf(timer: number, computed: () => number): number {
    const words = this.machine.core.words;
    const at = (this.machine.handle + words[(this.machine.handle + IMAGE_TIMERS) >>> 2]! + timer * TIMER_SIZE) >>> 2;
    const kind = words[at + (TIMER_DELAY_KIND >>> 2)]! & 0xffff;
    if (kind === DELAY_HOST) return Math.max(0, computed());
    return kind === DELAY_CONST ? words[at + (TIMER_DELAY >>> 2)]! : 0;
  }

  #fault(result: number, event: EventObject): LockstepError {
    return faultError(this.machine, { result, event, status: this.status });
  }

  // ── Folding, saving, loading ───────────────────────────────────────────────────────────────────────────────────

  /**
   * Folds a difference in.
   * @param since the step that it follows, when it stands for more than one.
   * @throws LockstepError STALE_SEQ when a step is missing or was applied before, BAD_PARAMS when it does not fit; nothing changed then.
   */
  apply(difference: Difference, since = difference.seq - 1): void {
    if (since !== this.seq) throw new LockstepError('STALE_SEQ', `have ${this.seq}, got ${difference.seq}`);
    const context = difference.patch.length === 0 ? this.context : applyPatch(this.context, difference.patch);
    const { stateCount } = this.machine;
    this.rewrite(`step ${difference.seq}`, (words) => {
      const clocks = this.clocksAt();
      for (let i = 0; i < difference.clocks.length; i += 2) {
        const state = difference.clocks[i]!;
        if (state >= stateCount)
          throw new LockstepError(
            'BAD_PARAMS',
            `step ${difference.seq} moves the clock of state ${state}, the image has ${stateCount} states`,
          );
        words[clocks + state] = words[clocks + state]! + difference.clocks[i + 1]!;
      }
      for (const [history, states] of difference.history ?? []) this.remember(history, states);
      if (difference.status !== undefined) this.setStatus(difference.status);
      else if (this.status === undefined) this.setStatus('active');
    });
    this.context = context;
    if (difference.output !== undefined) this.output = difference.output;
    if (difference.error !== undefined) this.error = difference.error;
    if (difference.timers !== undefined || difference.children !== undefined || difference.ids !== undefined)
      (this.#pending ??= new Pending()).apply(difference);
    this.seq = difference.seq;
  }

  /** The whole of it as plain JSON. */
  save(): InstanceState {
    const history: (readonly [number, readonly number[]])[] = [];
    for (let i = 0; i < this.machine.historyCount; i++) {
      const states = this.remembered(i);
      if (states.length > 0) history.push([i, states]);
    }
    return {
      status: this.status ?? 'stopped',
      clocks: this.clocks(),
      history,
      context: this.context,
      ...(this.#pending?.save() ?? { timers: [] }),
      ...(this.output === undefined ? {} : { output: this.output }),
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }

  /** Becomes what was saved. @throws LockstepError BAD_PARAMS when the state does not fit the image; nothing changed then. */
  load(state: InstanceState, seq: number): void {
    const { machine } = this;
    if (state.clocks.length !== machine.stateCount)
      throw new LockstepError(
        'BAD_PARAMS',
        `a saved state has ${state.clocks.length} clocks, the image of ${machine.symbols.id} has ${machine.stateCount} states`,
      );
    const context = plain(state.context, '');
    this.rewrite('a saved state', (words) => {
      this.clear();
      this.setStatus(state.status);
      const clocks = this.clocksAt();
      for (let i = 0; i < machine.stateCount; i++) words[clocks + i] = state.clocks[i]!;
      for (const [history, states] of state.history) this.remember(history, states);
    });
    this.context = context;
    this.output = state.output;
    this.error = state.error;
    this.#pending = undefined;
    if (state.timers.length > 0 || state.children !== undefined || state.ids !== undefined) (this.#pending = new Pending()).load(state);
    this.#summed = undefined;
    this.seq = seq;
  }

  /** Becomes equal to `other`, an instance of the same machine. */
  copyFrom(other: Instance): void {
    this.copyBytes(other);
    this.#context = other.#context;
    this.output = other.output;
    this.error = other.error;
    if (other.#pending === undefined) this.#pending = undefined;
    else (this.#pending ??= new Pending()).copyFrom(other.#pending);
    this.#summed = other.#summed;
  }

  /** Asks `can` of a configuration that may be past: takes it on, with clocks that only have the right parity. */
  #canFrom(key: ConfigurationKey, context: Json, event: EventObject): boolean {
    const clocks = this.clocksAt();
    for (let state = 0; state < this.machine.stateCount; state++)
      this.machine.core.words[clocks + state] = this.machine.isActive(key, state) ? 1 : 0;
    this.setStatus('active');
    this.machine.core.exports.settle(this.pointer);
    this.context = context;
    return this.can(event);
  }

  /** Ends it from outside: it takes no more events. */
  stop(): void {
    this.setStatus('stopped');
    this.#pending = undefined;
  }
}

/** Requests with the contexts of their moments. */
function seen(
  requests: readonly MadeRequest[] | undefined,
  contexts: readonly ContextMark[] | undefined,
  before: Json,
): readonly MadeRequest[] | undefined {
  return requests?.map((made) => ({ ...made, context: contexts?.findLast(({ from }) => from <= made.at)?.context ?? before }));
}

function spawnedBy(requests: readonly MadeRequest[] | undefined): Set<string> {
  const ids = new Set<string>();
  for (const { request } of requests ?? []) if (request.kind === 'spawn') ids.add(request.child.id);
  return ids;
}

/** What an error event carries, for people. */
function errorText(error: unknown): string {
  const { message } = (typeof error === 'object' && error !== null ? error : {}) as { readonly message?: unknown };
  return typeof message === 'string' ? message : JSON.stringify(error ?? null);
}

function nameOf(machine: Machine, fn: number): string {
  const symbol = machine.symbols.functions[fn];
  return symbol?.name ?? symbol?.path ?? String(fn);
}
