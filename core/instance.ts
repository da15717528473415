// An instance that runs whatever its machine has, functions, timers and actors among it, and tells what came of each step. Folding, saving
// and loading are in copy.ts, which is all that a page begins with.
// Over 400 lines because starts, steps, quiet runs and replays have one run behind them, and end in one way.

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
  OUTPUT_SIZE,
  OUTPUT_SIZE_MAX,
  QUIET,
  RECORD_EFFECT,
  SEMANTICS_THROW_IS_STATUS,
  STEP_CELL_SHIFT,
  STEP_DONE,
  STEP_IGNORED,
  STEP_TAKEN,
  TIMER_DELAY,
  TIMER_DELAY_KIND,
  TIMER_SIZE,
  TRACE,
} from '../assembly/layout.ts';
import { changesOf } from './awaiting.ts';
import { InstanceCopy, type StepOrigin } from './copy.ts';
import { diff } from './diff.ts';
import { assert, LockstepError } from './errors.ts';
import { hostError } from './fault.ts';
import type { ContextMark, EventObject, Json } from './json.ts';
import type { Machine } from './machine.ts';
import { writeCalls } from './mutation.ts';
import { changedHistories, FN_NONE, Outcome, type OutcomeSource } from './outcome.ts';
import { Pending, UNCHANGED, type PendingChange } from './pending.ts';
import type { Operation } from './patch.ts';
import { plain } from './plain.ts';
import { Run, UNRECORDED, type MadeRequest } from './run.ts';
import { askedFor, enterStamp, leaveStamp, type Stamp } from './stamp.ts';
import type { HostResult } from './step.ts';
import type { Core } from './wasm.ts';

const NO_HISTORY: readonly (readonly [number, readonly number[]])[] = Object.freeze([]);
const NO_HOST: readonly HostResult[] = Object.freeze([]);
const NO_RECORDS: readonly number[] = Object.freeze([]);
/** Of steps that ask for nothing. */
const NO_EVENT = (): EventObject => ({ type: '' });
const NO_NAME = (): string => '';

/** The errors of child actors end a machine that does not handle them. */
const CHILD_ERROR = 'xstate.error.actor.';
/** The cause of a step in which a delayed event left for somebody else. */
export const ELAPSED = 'xstate.elapsed';

/** Instead of an event number: the initial macrostep. */
const START = -1;

const runs = new WeakMap<Core, Run>();

function runOf(core: Core): Run {
  let run = runs.get(core);
  if (run === undefined) runs.set(core, (run = new Run(core)));
  return run;
}

export class Instance extends InstanceCopy {
  readonly #run: Run;

  /** A new replica, not started. @throws LockstepError CORE when memory is exhausted. */
  static override create(machine: Machine): Instance {
    return InstanceCopy.pose(machine, () => new Instance(machine));
  }

  private constructor(machine: Machine) {
    super(machine);
    this.#run = runOf(machine.core);
  }

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
      if (result === FAULT_HOST && cells !== undefined && core.thrower === symbols.contextFunction) throw this.fault(result, event);
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
    const number = this.numberOf(event, from);
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
    assert(delayed !== undefined && this.pending !== undefined, 'only delayed events elapse');
    const { to, event } = delayed;
    const timers = [{ timer, due: null }];
    this.pending.apply({ timers });
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
      records: NO_RECORDS,
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
      eventOf: NO_EVENT,
      nameOf: (fn) => nameOf(this.machine, fn),
    };
  }

  /**
   * Like step, for a caller that wants only the new state of a quiet machine: nothing is kept of effects and host results. When the step turns
   * out to ask for an actor, nothing happens but that the machine is quiet no longer. @returns whether something was enabled.
   */
  override run(event: EventObject, stamp: Stamp, from: StepOrigin = {}): boolean {
    const number = this.numberOf(event, from);
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
    return this.#advanceQuietly(number, event) !== STEP_IGNORED;
  }

  /** advance() for who wants no more than the difference: of a machine whose context is the core's, it is read off what was written. */
  change(number: number, event: EventObject): readonly Operation[] {
    const { cells } = this.machine;
    if (cells === undefined) {
      const before = this.context;
      this.#advanceQuietly(number, event);
      return diff(before, this.context);
    }
    const cell = this.#advanceQuietly(number, event) >> STEP_CELL_SHIFT;
    return cell === 0 ? cells.patch(this.pointer, this) : cells.replaced(this.pointer, cell - 1);
  }

  /** @returns what the core does; STEP_TAKEN when the author's exception ended the machine. */
  #advanceQuietly(number: number, event: EventObject): number {
    const { machine } = this;
    this.#call(event);
    if (machine.isAlone) {
      const result = machine.core.exports.step(this.pointer, number, QUIET | COUNT);
      if (result < 0) throw this.fault(result, event);
      return result;
    }
    const run = this.#run;
    run.beginQuiet(machine, this.pointer, machine.cells === undefined ? this.held : null, event);
    const result = machine.core.exports.step(this.pointer, number, QUIET | COUNT);
    if (result < 0) return this.#refuseQuietly(result, event);
    if (machine.cells === undefined) this.held = run.context;
    if (result === STEP_DONE && run.output !== undefined) this.output = run.output;
    return result;
  }

  /** Somebody has to record the step when an assign asked for an actor: nothing has happened then. */
  #refuseQuietly(result: number, event: EventObject): number {
    const { machine } = this;
    if (result !== FAULT_HOST || machine.core.thrown !== UNRECORDED) return this.#refuse(result, event).taken ? STEP_TAKEN : STEP_IGNORED;
    machine.isQuiet = false;
    return STEP_IGNORED;
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

  protected override askCan(number: number, event: EventObject): number {
    this.#run.begin(this.machine, this.pointer, this.held, event, false);
    this.#call(event);
    return this.machine.core.exports.can(this.pointer, number);
  }

  /** Hands the core the states that a mutation calls; nothing for the events of statecharts. @throws LockstepError BAD_PARAMS */
  #call(event: EventObject): void {
    const { machine } = this;
    if (!machine.isRelational) return;
    const { core, stateNumbers, symbols } = machine;
    writeCalls(event, stateNumbers, core.words, core.exports.called() >>> 2, symbols.id);
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
      run.begin(this.machine, this.pointer, isRecording ? this.context : this.held, event, isRecording, recorded, this.pending);
      if (requests !== undefined) {
        run.requests = [...requests];
        run.ids = ids;
      }
      if (number !== START) this.#call(event);
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
    const before = this.held;
    const words = core.words;
    const from = core.exports.output() >>> 2;
    const records = recordsAt(words, from, core.exports.outputCount());
    const asks = run.requests !== undefined || hasEffects(records);
    let patch: readonly Operation[] | undefined;
    let contexts: readonly ContextMark[] | undefined;
    if (cells === undefined) {
      this.held = run.context;
      contexts = run.contexts;
    } else if (cells.isWritten(this.pointer)) {
      const count = records.length >>> 1;
      if (asks) contexts = cells.marks(before, words, from, count);
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
      eventOf: asks ? run.eventReader() : NO_EVENT,
      nameOf: asks ? (fn) => nameOf(this.machine, fn) : NO_NAME,
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
    const fault = this.fault(result, event);
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
    this.pending = undefined;
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

  #changePending(event: EventObject, records: readonly number[], now: number, fired: number | undefined): PendingChange {
    const run = this.#run;
    const { symbols } = this.machine;
    if (this.pending === undefined && symbols.timers.length === 0 && run.requests === undefined) return UNCHANGED;
    let nextDelay = 0;
    const pending = (this.pending ??= new Pending());
    const change = changesOf(pending, {
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
    pending.apply(change);
    return change;
  }

  #delayOf(timer: number, computed: () => number): number {
    const words = this.machine.core.words;
    const at = (this.machine.handle + words[(this.machine.handle + IMAGE_TIMERS) >>> 2]! + timer * TIMER_SIZE) >>> 2;
    const kind = words[at + (TIMER_DELAY_KIND >>> 2)]! & 0xffff;
    if (kind === DELAY_HOST) return Math.max(0, computed());
    return kind === DELAY_CONST ? words[at + (TIMER_DELAY >>> 2)]! : 0;
  }
}

/** The core overwrites them with the next step. An array, because a typed one takes longer to make than what is mostly in it. */
function recordsAt(words: Uint32Array, from: number, count: number): readonly number[] {
  const size = count * 2;
  const records = new Array<number>(size);
  for (let i = 0; i < size; i++) records[i] = words[from + i]!;
  return records;
}

/** Whether anything of the author's is to be done that has seen the context. */
function hasEffects(records: readonly number[]): boolean {
  for (let i = 0; i < records.length; i += 2) if (records[i]! >>> 24 === RECORD_EFFECT) return true;
  return false;
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
