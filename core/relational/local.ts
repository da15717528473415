// A relational machine that runs right here: the queue of its mutations, its final handlers, and what an exception of theirs does. Each
// mutation is one step of an Instance, the same that an authority runs; final handlers are the step's effects, run behind it in their order.
// docs/decisions/0009-relational-handlers.md says why.
// Over 400 lines because it is one class: a turn, from the call to its last final handler, is one walk over its fields.

import { IMAGE_RELATIONS, RELATION_MULTI, RELATION_SIZE } from '../../assembly/layout.ts';
import { LockstepError } from '../errors.ts';
import { Instance } from '../instance.ts';
import type { EventObject, Json } from '../json.ts';
import type { LocalEnvironment } from '../local.ts';
import type { Machine } from '../machine.ts';
import { EXCEPTION_EVENT, kindOf, mutation, type Mutation, type MutationKind } from '../mutation.ts';
import type { Effect, Outcome } from '../outcome.ts';
import { plain } from '../plain.ts';
import type { Stamp } from '../stamp.ts';
import type { StateSymbol } from '../symbols.ts';
import { takenBack } from './finals.ts';
import { Backoff, errorArgs, GivenUp, HANDLER_DEADLINE_MS, HANDLER_TIMEOUT_STATE, isPromise, limited } from './limit.ts';
import { LocalActors } from './local-actors.ts';
import { MutationQueue, type QueueItem } from './queue.ts';
import { appended } from './schema.ts';
import {
  CANCELLED,
  EXECUTED,
  type ArgsOf,
  type MutationOptions,
  type RelationalOptions,
  type RelationalState,
  type RelationalTracer,
  type Result,
} from './types.ts';
import { list, RelationalView, type Names } from './view.ts';
import type { Clocks, WaitOptions } from './waits.ts';

const QUEUE_MAX = 1_000;
const HANDLER_TIMEOUT_MS = 100;
const EVAL_TIMEOUT_MS = 1_000;
const EXCEPTION = 'Exception';
const RESTORED = 'MachineRestored';

export class RelationalMachine<S extends string = string, A = Readonly<Record<string, Json>>> extends RelationalView<S> {
  readonly id: string;
  readonly tracers: Set<RelationalTracer>;
  readonly #environment: LocalEnvironment;
  readonly #stamp: Stamp;
  readonly #queueMax: number;
  readonly #handlerTimeoutMs: number;
  readonly #handlerDeadlineMs: number;
  readonly #backoff: Backoff;
  readonly #queue = new MutationQueue();
  #instance: Instance;
  readonly #actors: LocalActors;
  /** Whether states of it have actors. */
  #isInvoking: boolean;
  #machineTick = 0;
  #isDisposed = false;
  /** Whether the queue is being emptied: what comes meanwhile waits. */
  #isBusy = false;
  /** Whether a handler or an evaluated function is on the stack. */
  #isNested = false;
  /** Read when asked for after a step. */
  #clocks: Clocks | undefined;
  #error: unknown;

  /** @throws LockstepError as Instance.start; BAD_PARAMS when it is no relational machine; UNSUPPORTED when its states invoke actors and nobody is there to run them. */
  constructor(machine: Machine, options: RelationalOptions) {
    super();
    if (!machine.isRelational)
      throw new LockstepError('BAD_PARAMS', `machine ${machine.symbols.id} is a statechart, expected a relational machine`);
    const actor = invokes(machine);
    const { environment } = options;
    if (actor !== undefined && environment.actors === undefined)
      throw new LockstepError(
        'UNSUPPORTED',
        `${machine.symbols.id}: nobody runs the actor of ${actor.key}, because environment.actors is missing`,
      );
    this.id = options.id ?? machine.symbols.id;
    this.tracers = new Set(options.tracers);
    this.#environment = environment;
    this.#stamp = {
      get now() {
        return environment.now();
      },
      get seed() {
        return environment.random();
      },
      salt: '',
    };
    this.#queueMax = options.queueMax ?? QUEUE_MAX;
    this.#handlerTimeoutMs = options.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS;
    this.#handlerDeadlineMs = options.handlerDeadlineMs ?? HANDLER_DEADLINE_MS;
    this.#backoff = new Backoff(environment, options.handlerBackoffMs);
    this.#isInvoking = actor !== undefined;
    this.#instance = Instance.create(machine);
    this.#instance.start(undefined, this.#stamp);
    const tell = (made: Mutation): void => this.#told(made);
    this.#actors = new LocalActors({ id: this.id, machine, environment, tell, parent: options.parent });
  }

  protected get machine(): Machine {
    return this.#instance.machine;
  }

  protected clocks(): Clocks {
    return (this.#clocks ??= this.#instance.save().clocks);
  }

  // ── Mutations ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * @returns EXECUTED or CANCELLED when it had its turn at once; while another one has, the tick of the queue at which it will.
   * @throws LockstepError BAD_PARAMS for a name that is no state, NOT_JSON for args that are no plain JSON; nothing changed then.
   */
  add<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MutationOptions): Result {
    return this.#mutate('add', states, args, options);
  }

  remove<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MutationOptions): Result {
    // While others have their turn: nothing waits that could activate them.
    if (this.#isBusy && this.#queue.length === 0 && this.not(states)) return EXECUTED;
    return this.#mutate('remove', states, args, options);
  }

  set<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MutationOptions): Result {
    return this.#mutate('set', states, args, options);
  }

  /** Removes when all are active, else adds; decided when its turn comes. */
  toggle<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MutationOptions): Result {
    return this.#mutate('toggle', states, args, options);
  }

  /** Adds Exception. */
  addErr(error: unknown): Result {
    this.#error = error;
    return this.#mutate('add', [EXCEPTION as S], errorArgs(error));
  }

  /** Adds a state that stands for a kind of error, and Exception. */
  addErrState(state: S, error: unknown): Result {
    this.#error = error;
    return this.#mutate('add', [state, EXCEPTION as S], errorArgs(error));
  }

  /** A mutation as an event: what a pipe, a parent or a handler sends. @throws LockstepError UNKNOWN_EVENT for any other event. */
  send(event: EventObject): void {
    const kind = kindOf(event.type);
    if (kind === undefined)
      throw new LockstepError('UNKNOWN_EVENT', `${this.id} takes mutations, relational.add and its kin; found "${event.type}"`);
    const { states, args, source } = event as Mutation;
    this.#mutate(kind, states as readonly S[], args, source === undefined ? undefined : { source });
  }

  /** To the actor of a state, while it runs. */
  sendTo(state: S, event: EventObject): void {
    this.#actors.send(state, event);
  }

  /** To the machine that invoked it. @throws LockstepError UNREACHABLE when there is none. */
  sendParent(event: EventObject): void {
    this.#actors.sendParent(event);
  }

  /** What Exception was last added for. */
  get err(): unknown {
    return this.#error;
  }

  /**
   * Whether the mutation would be made now: resolves and negotiates, changes nothing.
   * @throws LockstepError HOST_THREW when a handler throws; CORE inside of a negotiation handler, where nothing else can be asked.
   */
  can(kind: MutationKind, states: Names<S>, args?: Json): boolean {
    return this.#instance.can(mutation(kind, list(states), args));
  }

  canAdd(states: Names<S>, args?: Json): boolean {
    return this.can('add', states, args);
  }

  canRemove(states: Names<S>, args?: Json): boolean {
    return this.can('remove', states, args);
  }

  canSet(states: Names<S>, args?: Json): boolean {
    return this.can('set', states, args);
  }

  /**
   * Runs a function between two mutations, before all that waits.
   * @returns whether it ran: not inside a handler or another such function, nor when its turn has not come within a second.
   */
  eval(run: () => void): Promise<boolean> {
    if (this.#isNested || this.#isDisposed) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const item: QueueItem = {
        kind: 'eval',
        run: () => {
          cancel();
          try {
            this.#nested(run);
            resolve(true);
          } catch (error) {
            reject(error as Error);
          }
        },
      };
      const cancel = this.#environment.timer(EVAL_TIMEOUT_MS, () => {
        this.#queue.remove(item);
        resolve(false);
      });
      this.#queue.prepend(item);
      if (!this.#isBusy) this.#drain();
    });
  }

  /** Whether such a mutation waits. */
  isQueued(kind: MutationKind, states: Names<S>): boolean {
    return this.#queue.hasSame(mutation(kind, list(states)));
  }

  /** Whether a mutation waits that calls the state to be added. */
  willBe(state: S): boolean {
    return this.#queue.mutations.some(({ type, states }) => type !== 'relational.remove' && states.includes(state));
  }

  get queueTick(): number {
    return this.#queue.tick;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  /** Until the mutation with this result has had its turn, also when it is cancelled. */
  whenQueue(result: Result, options?: WaitOptions): Promise<void> {
    return this.waits.untilQueue(result <= CANCELLED ? 0 : result, this.#queue.done, options);
  }

  whenQueueEnds(options?: WaitOptions): Promise<void> {
    return this.waits.untilDrained(!this.#isBusy, options);
  }

  // ── Saving, growing, ending ────────────────────────────────────────────────────────────────────────────────────

  export(): RelationalState {
    return { id: this.id, names: this.names, time: this.time(), queueTick: this.#queue.tick, machineTick: this.#machineTick };
  }

  get machineTick(): number {
    return this.#machineTick;
  }

  /**
   * Becomes what was exported; its machine tick is one more. Adds MachineRestored where there is such a state.
   * @throws LockstepError BAD_PARAMS when id or names differ, EXPECTATION while a mutation has its turn; nothing changed then.
   */
  import(state: RelationalState): void {
    this.#mustRest('import');
    if (state.id !== this.id) throw new LockstepError('BAD_PARAMS', `expected the state of ${this.id}, found that of ${state.id}`);
    if (state.names.join() !== this.names.join())
      throw new LockstepError(
        'BAD_PARAMS',
        `${this.id} has the states ${this.names.join(', ')}; what was exported has ${state.names.join(', ')}`,
      );
    const before = this.clocks();
    this.#instance.load({ ...this.#instance.save(), clocks: [1, ...state.time] }, this.#instance.seq);
    this.#queue.tick = state.queueTick;
    this.#queue.done = state.queueTick;
    this.#machineTick = state.machineTick + 1;
    this.#moved(before, undefined);
    this.#actors.resume(this.clocks());
    if (this.has(RESTORED)) this.#mutate('add', [RESTORED as S]);
  }

  /**
   * Goes on with a schema that has grown: more states behind those that there were, whatever relations.
   * @param machine of an image compiled with the old names first.
   * @throws LockstepError BAD_DEFINITION when it is not longer, or an old state has another number; EXPECTATION while a mutation has its
   *   turn, or when it forbids what is active; nothing changed then.
   */
  setSchema(machine: Machine): void {
    this.#mustRest('change the schema of');
    const clocks = appended(this.machine, machine, this.clocks());
    const instance = Instance.create(machine);
    try {
      instance.load({ ...this.#instance.save(), clocks }, this.#instance.seq);
    } catch (error) {
      instance.dispose();
      throw error;
    }
    this.#instance.dispose();
    this.#instance = instance;
    this.#clocks = clocks;
    this.#actors.follow(machine, clocks);
    this.#isInvoking = invokes(machine) !== undefined;
    for (const tracer of this.tracers) tracer.schemaChange?.(this.names);
  }

  /** Ends it: what waits is dropped, signals are aborted, promises settle. Its last clocks stay readable. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#clocks = this.clocks();
    while (this.#queue.take() !== undefined) continue;
    this.#actors.close();
    this.finish();
    for (const tracer of this.tracers) tracer.dispose?.();
    // Not under the feet of the step that ends it.
    if (!this.#isBusy) this.#instance.dispose();
  }

  #mustRest(what: string): void {
    if (this.#isBusy) throw new LockstepError('EXPECTATION', `cannot ${what} ${this.id} while a mutation has its turn`);
  }

  // ── Turns ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #mutate(kind: MutationKind, called: Names<S>, args?: unknown, options?: MutationOptions): Result {
    if (this.#isDisposed) return CANCELLED;
    const states = list(called);
    this.numbers(states);
    if (this.#backoff.restMs > 0) return CANCELLED;
    const made = mutation(kind, states, args === undefined ? undefined : plain(args, '/args', 1), options?.source);
    if (this.machine.isAlone && !this.#isInvoking && !this.#isBusy && !this.isWatched && this.tracers.size === 0 && options === undefined)
      return this.#pass(made);
    if (this.#isBusy) {
      if (args === undefined && this.#queue.hasSame(made) && !states.some((state) => this.#isMulti(state))) return EXECUTED;
      const isFirstError = kind === 'add' && states.includes(EXCEPTION as S) && this.not(EXCEPTION as S);
      if (this.#queue.length >= this.#queueMax && !isFirstError) return CANCELLED;
    }
    const tick = this.#queue.push(made, options?.signal);
    if (this.tracers.size > 0) for (const tracer of this.tracers) tracer.mutationQueued?.(made, tick);
    return this.#isBusy ? tick : this.#drain();
  }

  /** The short road: nobody is asked, and nobody hears of it. */
  #pass(made: Mutation): Result {
    const { machine } = this.#instance;
    const isMade = this.#instance.advance(machine.eventNumber(made.type), made);
    this.#queue.pass();
    this.#clocks = undefined;
    return isMade ? EXECUTED : CANCELLED;
  }

  /** What an actor came to, or said. */
  #told({ type, states, args }: Mutation): void {
    if (states.includes(EXCEPTION)) this.#error = args;
    this.#mutate(kindOf(type)!, states as readonly S[], args);
  }

  /** Whether it begins anew when it is called while it is active. */
  #isMulti(state: S): boolean {
    const { machine } = this;
    const { words } = machine.core;
    const relations = machine.handle + words[(machine.handle + IMAGE_RELATIONS) >>> 2]!;
    return (words[(relations + machine.stateNumber(state) * RELATION_SIZE) >>> 2]! & RELATION_MULTI) !== 0;
  }

  /** Turn after turn until nothing waits, or an asynchronous handler has to be waited for. @returns what came of the first. */
  #drain(): Result {
    this.#isBusy = true;
    let first: Result | undefined;
    for (let item = this.#queue.take(); item !== undefined; item = this.#queue.take()) {
      const { result, rest } = this.#turn(item);
      first ??= result;
      if (rest === undefined) continue;
      void rest.then(() => this.#drain());
      return first;
    }
    this.#isBusy = false;
    if (this.#isDisposed) this.#instance.dispose();
    else {
      this.waits.drained();
      if (this.tracers.size > 0) for (const tracer of this.tracers) tracer.queueEnd?.();
    }
    return first ?? EXECUTED;
  }

  #turn(item: QueueItem): Turn {
    if (item.kind === 'eval') {
      item.run();
      return DONE;
    }
    if (item.kind === 'exception') return this.#step({ type: EXCEPTION_EVENT, states: item.states, args: item.args });
    const turn = item.signal?.aborted === true ? REFUSED : this.#step(item.mutation);
    this.#queue.done = item.tick;
    this.waits.dequeued(item.tick);
    return turn;
  }

  #step(event: Mutation): Turn {
    if (this.tracers.size > 0) for (const tracer of this.tracers) tracer.transitionStart?.(event);
    const before = this.clocks();
    const outcome = this.#execute(event);
    if (outcome?.taken === true) this.#moved(before, event.args);
    const after = this.clocks();
    if (this.tracers.size > 0) for (const tracer of this.tracers) tracer.transitionEnd?.(event, outcome?.taken === true, this.time());
    if (outcome?.taken !== true) return REFUSED;
    const rest = this.#finals(outcome, 0, event.type === EXCEPTION_EVENT);
    // Behind its handlers, as far as nothing has to be waited for.
    if (!this.#isDisposed) this.#actors.stepped(before, after, event.args);
    return rest === undefined ? DONE : { result: EXECUTED, rest };
  }

  /** @returns undefined when a negotiation handler threw: nothing changed then, and the exception has the next turn. */
  #execute(event: Mutation): Outcome | undefined {
    try {
      return this.#nested(() => this.#instance.step(event, this.#stamp, { isInternal: true }));
    } catch (error) {
      if (!(error instanceof LockstepError) || error.code !== 'HOST_THREW') throw error;
      this.#except([], error.cause);
      return undefined;
    }
  }

  #moved(before: Clocks, args: Json | undefined): void {
    this.#clocks = undefined;
    const after = this.clocks();
    this.abortSignals(before, after);
    this.waits.stepped(before, after, args);
    this.tellStep(before, after, args);
  }

  /** Runs final handlers from `index` on. @returns what to wait for when one of them is asynchronous. */
  #finals(outcome: Outcome, index: number, isException: boolean): Promise<void> | undefined {
    const { effects } = outcome;
    for (let i = index; i < effects.length; i++) {
      if (this.#isDisposed) return undefined;
      const failed = (error: unknown): void => {
        this.#trace(effects[i]!, error);
        // What the handlers of an exception throw brings no other one.
        if (isException) this.#error = error;
        else this.#except(takenBack(this.machine, outcome, i), error);
      };
      try {
        const answer = this.#call(effects[i]!);
        if (isPromise(answer)) {
          this.#watch(answer);
          return limited(answer, { environment: this.#environment, ms: this.#handlerTimeoutMs, id: this.id }).then(() => {
            this.#trace(effects[i]!, undefined);
            return this.#finals(outcome, i + 1, isException);
          }, failed);
        }
        this.#trace(effects[i]!, undefined);
      } catch (error) {
        failed(error);
        return undefined;
      }
    }
    return undefined;
  }

  /** A handler whose time was up long ago, and that still has not ended, is given up. */
  #watch(answer: PromiseLike<unknown>): void {
    limited(answer, { environment: this.#environment, ms: this.#handlerDeadlineMs, id: this.id }).catch((error: unknown) => {
      if (error instanceof GivenUp && !this.#isDisposed) this.#giveUp(error);
    });
  }

  /** What waits is dropped, Exception comes, and nothing else does for a moment. */
  #giveUp(error: GivenUp): void {
    for (const { tick } of this.#queue.drop()) {
      this.#queue.done = tick;
      this.waits.dequeued(tick);
    }
    this.#error = error;
    const states = [HANDLER_TIMEOUT_STATE, EXCEPTION].filter((state) => this.has(state));
    this.#queue.push(mutation('add', states, errorArgs(error)));
    this.#backoff.begin();
    if (!this.#isBusy) this.#drain();
  }

  #call({ fn, name, event }: Effect): unknown {
    const bound = this.machine.functions?.[fn];
    if (bound?.kind !== 'effect')
      throw new LockstepError(
        'MISSING_FUNCTION',
        `machine ${this.machine.symbols.id} asks for ${name}, and this replica has no function for it`,
      );
    if (this.tracers.size > 0) for (const tracer of this.tracers) tracer.handlerStart?.(name);
    const isIn = (state: Json): boolean => this.is(state as S);
    return this.#nested(() => bound.call({ context: null, event, isIn }, { self: this as never, system: { get: () => undefined } }));
  }

  #trace({ name }: Effect, error: unknown): void {
    if (this.tracers.size > 0) for (const tracer of this.tracers) tracer.handlerEnd?.(name, error);
  }

  #except(states: readonly string[], error: unknown): void {
    this.#error = error;
    this.#queue.prepend({ kind: 'exception', states, args: errorArgs(error) });
  }

  #nested<T>(run: () => T): T {
    const before = this.#isNested;
    this.#isNested = true;
    try {
      return run();
    } finally {
      this.#isNested = before;
    }
  }
}

/** A state of it that has an actor. */
function invokes({ symbols }: Machine): StateSymbol | undefined {
  return symbols.states.find(({ actor }) => actor !== undefined);
}

interface Turn {
  readonly result: Result;
  /** Until then nobody else has a turn. */
  readonly rest?: Promise<void>;
}

const DONE: Turn = { result: EXECUTED };
const REFUSED: Turn = { result: CANCELLED };
