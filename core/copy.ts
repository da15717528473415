// A copy of an instance, as whoever does not order it may have one: its bytes in the core, and its context there or in JavaScript. Folds
// differences, saves, loads, and runs events that ask for nothing. It has no history, no effects and no opinion about who is right. Whatever
// throws leaves it as it was. A page begins with this much; instance.ts runs everything.

import { COUNT, MUTATION_EXCEPTION, QUIET, STEP_IGNORED } from '../assembly/layout.ts';
import { InstanceBytes } from './bytes.ts';
import { contextSum, wholeSum } from './digest.ts';
import { LockstepError } from './errors.ts';
import { faultError, missingFunction, unknownEvent } from './fault.ts';
import type { EventObject, Json } from './json.ts';
import type { ConfigurationKey, Machine } from './machine.ts';
import { Pending, type Child } from './pending.ts';
import { applyPatch, type Operation } from './patch.ts';
import { plain } from './plain.ts';
import { Snapshot } from './snapshot.ts';
import type { Stamp } from './stamp.ts';
import type { InstanceState } from './state.ts';
import type { ChildChange, DelayedEvent, Status, TimerChange } from './step.ts';
import { hashText } from './xxh64.ts';

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

const NO_TIMERS: ReadonlyMap<number, number> = new Map();
const NO_CHILDREN: ReadonlyMap<string, Child> = new Map();

/** What event types of the runtime begin with. */
const RESERVED = 'xstate.';

/** Where an event comes from that no peer sent. */
export interface StepOrigin {
  /** The timer that fired. */
  readonly timer?: number;
  readonly isInternal?: true;
}

/** Machines whose `canFrom` has its scratch instance. */
const posable = new WeakSet<Machine>();

export class InstanceCopy extends InstanceBytes {
  protected held: Json = null;
  output: Json | undefined;
  error: string | undefined;
  /** Undefined while there never was anything to wait for. */
  protected pending: Pending | undefined;
  /** The context part of the digest, kept up to date by the change; undefined until somebody asks. */
  #summed: { readonly context: Json; readonly sum: bigint } | undefined;

  /** A new one, not started. @throws LockstepError CORE when memory is exhausted. */
  static create(machine: Machine): InstanceCopy {
    return InstanceCopy.pose(machine, () => new InstanceCopy(machine));
  }

  /** The first one of a machine brings the one that answers for past moments. */
  protected static pose<Made extends InstanceCopy>(machine: Machine, make: () => Made): Made {
    if (!posable.has(machine)) {
      posable.add(machine);
      const scratch = make();
      machine.canFrom = (key, context, event) => scratch.#canFrom(key, context, event);
    }
    return make();
  }

  protected constructor(machine: Machine) {
    super(machine);
  }

  // ── What it is ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Frozen; the same object while nothing in it changed. */
  get context(): Json {
    const { cells } = this.machine;
    if (cells?.isWritten(this.pointer) === true) this.held = cells.read(this.pointer, this.held);
    return this.held;
  }

  set context(context: Json) {
    this.machine.cells?.write(this.pointer, this.context, context);
    this.held = context;
  }

  /** Timer number → due, ms since the epoch; numbers from DELAYED_FIRST on are delayed events. */
  get timers(): ReadonlyMap<number, number> {
    return this.pending?.timers ?? NO_TIMERS;
  }

  /** What a timer sends, and to whom, when it is none of the image's. */
  delayed(timer: number): DelayedEvent | undefined {
    return this.pending?.delayed(timer);
  }

  /** Its child actors by id, in the order in which they were started. */
  get children(): ReadonlyMap<string, Child> {
    return this.pending?.children ?? NO_CHILDREN;
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
    return hashText(BigInt.asUintN(64, bytes + summed.sum));
  }

  // ── Running what asks for nothing ──────────────────────────────────────────────────────────────────────────────

  /**
   * Runs one event to completion, for whoever wants only the state that it leads to; `seq` rises by one.
   * @param from as Instance.step.
   * @returns whether something was enabled. @throws LockstepError UNKNOWN_EVENT, NOT_RUNNING, FUEL, OVERFLOW; nothing changed then.
   */
  run(event: EventObject, _stamp: Stamp, from: StepOrigin = {}): boolean {
    const number = this.numberOf(event, from);
    const result = this.machine.core.exports.step(this.pointer, number, QUIET | COUNT);
    if (result < 0) throw this.fault(result, event);
    return result !== STEP_IGNORED;
  }

  protected numberOf(event: EventObject, from: StepOrigin): number {
    const number = this.machine.eventNumber(event.type);
    if (from.isInternal === true) return number;
    if (this.machine.isRelational && number >= MUTATION_EXCEPTION) throw unknownEvent(this.machine, event.type);
    // In SCXML an event that nothing names still reaches what was invoked, and eventless transitions look at it.
    if (number !== 0 || this.machine.isScxml || event.type.startsWith(RESERVED)) return number;
    throw unknownEvent(this.machine, event.type);
  }

  /**
   * Whether the event would select a transition with a target or an action. Runs guards; changes nothing.
   * @throws LockstepError HOST_THREW; MISSING_FUNCTION when a guard decides that is not here.
   */
  can(event: EventObject): boolean {
    const number = this.machine.eventNumber(event.type);
    if (number === 0 || this.status !== 'active') return false;
    const answer = this.askCan(number, event);
    if (answer < 0) throw this.fault(answer, event);
    return answer === 1;
  }

  /** What the core says to `can`. Nobody answers for guards here, whatever ran in this core before. */
  protected askCan(number: number, _event: EventObject): number {
    const { core } = this.machine;
    const { host } = core;
    core.host = {
      guard: (fn) => {
        throw missingFunction(this.machine, fn);
      },
      action: () => 0,
    };
    try {
      return core.exports.can(this.pointer, number);
    } finally {
      core.host = host;
    }
  }

  protected fault(result: number, event: EventObject): LockstepError {
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
      (this.pending ??= new Pending()).apply(difference);
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
      ...(this.pending?.save() ?? { timers: [] }),
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
    this.pending = undefined;
    if (state.timers.length > 0 || state.children !== undefined || state.ids !== undefined) (this.pending = new Pending()).load(state);
    this.#summed = undefined;
    this.seq = seq;
  }

  /** Becomes equal to `other`, an instance of the same machine. */
  copyFrom(other: InstanceCopy): void {
    this.copyBytes(other);
    this.held = other.held;
    this.output = other.output;
    this.error = other.error;
    if (other.pending === undefined) this.pending = undefined;
    else (this.pending ??= new Pending()).copyFrom(other.pending);
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
    this.pending = undefined;
  }
}
