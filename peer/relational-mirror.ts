// A relational machine that another peer orders, with the words of one that runs here: a face over its mirror. Questions, waits and state
// signals look at what shows, predictions included; `whenArgs`, `whenErr`'s error and tracers at confirmed mutations alone, because only
// those can be told with their args. The queue is that of this face: own mutations that the authority has not answered.

import type { Subscription } from '../core/actor.ts';
import { LockstepError } from '../core/errors.ts';
import type { EventObject, Json } from '../core/json.ts';
import type { StateNames } from '../core/machine.ts';
import { mutation, type Mutation, type MutationKind } from '../core/mutation.ts';
import { errorArgs } from '../core/relational/limit.ts';
import { CANCELLED, EXECUTED, type ArgsOf, type MutationOptions, type RelationalTracer, type Result } from '../core/relational/types.ts';
import { list, type Names, RelationalView } from '../core/relational/view.ts';
import { type Clocks, Waits, type WaitOptions } from '../core/relational/waits.ts';
import type { AnyMirror, Heard } from './mirror.ts';

const EXCEPTION = 'Exception';

/** A mutation that was handed over cannot be taken back. */
export type MirrorMutationOptions = Pick<MutationOptions, 'source'>;

export class RelationalMirror<S extends string = string, A = Readonly<Record<string, Json>>> extends RelationalView<S> {
  readonly id: string;
  readonly mirror: AnyMirror;
  /** Hear own mutations that were handed over (`mutationQueued`, with their place), confirmed ones (`transitionEnd`), and the two ends. */
  readonly tracers: Set<RelationalTracer>;
  #machine: StateNames;
  readonly #confirmedWaits = new Waits(() => this.#confirmed);
  readonly #subscriptions: readonly Subscription[];
  /** Own mutations that were not answered, in order. */
  readonly #queue = new Set<Mutation>();
  #shown: Clocks;
  #confirmed: Clocks;
  #error: Json | undefined;
  #isDisposed = false;

  /**
   * @param mirror from Peer.watch; it stays its holder's to stop.
   * @throws LockstepError BAD_PARAMS when its machine is a statechart, UNSUPPORTED when a view shows no clocks, CLOSED when it has ended.
   */
  constructor(mirror: AnyMirror, options: { readonly tracers?: readonly RelationalTracer[] } = {}) {
    super();
    const machine = mirror.states;
    if (!machine.isRelational)
      throw new LockstepError('BAD_PARAMS', `${mirror.id} is an instance of a statechart, expected one of a relational machine`);
    this.id = mirror.id;
    this.mirror = mirror;
    this.#machine = machine;
    this.tracers = new Set(options.tracers);
    this.#shown = this.#confirmed = mirror.clocks;
    this.#subscriptions = [
      mirror.onMove({
        confirmed: (clocks, cause, isShown) => this.#stepped(clocks, cause, isShown),
        shown: (clocks) => this.#moved(clocks),
        needsSteps: () => this.isWatched || this.#confirmedWaits.isWatched || this.tracers.size > 0,
      }),
      mirror.subscribe({ complete: () => this.dispose(), error: () => this.dispose() }),
    ];
  }

  protected get machine(): StateNames {
    return this.#machine;
  }

  /** Of what shows. */
  protected clocks(): Clocks {
    return this.#shown;
  }

  override confirmedClocks(): Clocks {
    return this.#confirmed;
  }

  // ── Mutations ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Shows at once where the machine's handlers are at hand.
   * @returns EXECUTED or CANCELLED, when the authority has made it durable.
   * @throws LockstepError BAD_PARAMS for a name that is no state, and as Mirror.submit; nothing changed then.
   */
  add<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MirrorMutationOptions): Promise<Result> {
    return this.#mutate('add', states, args, options);
  }

  remove<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MirrorMutationOptions): Promise<Result> {
    return this.#mutate('remove', states, args, options);
  }

  set<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MirrorMutationOptions): Promise<Result> {
    return this.#mutate('set', states, args, options);
  }

  toggle<K extends S>(states: Names<K>, args?: ArgsOf<A, K>, options?: MirrorMutationOptions): Promise<Result> {
    return this.#mutate('toggle', states, args, options);
  }

  /** Adds Exception there. */
  addErr(error: unknown): Promise<Result> {
    return this.#mutate('add', [EXCEPTION as S], errorArgs(error));
  }

  /** Adds a state that stands for a kind of error, and Exception. */
  addErrState(state: S, error: unknown): Promise<Result> {
    return this.#mutate('add', [state, EXCEPTION as S], errorArgs(error));
  }

  /** What Exception was last added for, by a confirmed mutation of one's own, or one whose args are public; `{ error, name }`. */
  get err(): Json | undefined {
    return this.#error;
  }

  /** Whether the mutation would be made now. @throws LockstepError as Mirror.can. */
  can(kind: MutationKind, states: Names<S>, args?: Json): Promise<boolean> {
    return this.mirror.can(mutation(kind, list(states), args));
  }

  canAdd(states: Names<S>, args?: Json): Promise<boolean> {
    return this.can('add', states, args);
  }

  canRemove(states: Names<S>, args?: Json): Promise<boolean> {
    return this.can('remove', states, args);
  }

  canSet(states: Names<S>, args?: Json): Promise<boolean> {
    return this.can('set', states, args);
  }

  // ── Own mutations that wait for their answer ───────────────────────────────────────────────────────────────────

  get queueLength(): number {
    return this.#queue.size;
  }

  /** Whether such a mutation of one's own waits, without args. */
  isQueued(kind: MutationKind, states: Names<S>): boolean {
    const called = list(states);
    return [...this.#queue].some(
      (made) =>
        made.type === `relational.${kind}` &&
        made.args === undefined &&
        made.states.length === called.length &&
        called.every((state) => made.states.includes(state)),
    );
  }

  /** Whether a mutation of one's own waits that calls the state to be added. */
  willBe(state: S): boolean {
    return [...this.#queue].some(({ type, states }) => type !== 'relational.remove' && states.includes(state));
  }

  /** Until a mutation of one's own has had its turn, whatever came of it. @param made what `add` and its kin returned. */
  whenQueue(made: Promise<Result>, options?: WaitOptions): Promise<void> {
    return this.waits.untilSettled(made, options);
  }

  /** Until the authority has answered all of one's own. */
  whenQueueEnds(options?: WaitOptions): Promise<void> {
    return this.waits.untilDrained(this.#queue.size === 0, options);
  }

  /** Refused: between two mutations is where the authority is; what must not be torn apart there is one mutation, or a handler's. */
  eval(_run: () => void): Promise<never> {
    const reason = `eval on a mirror of ${this.id}: its mutations have their turns at the authority, where no function of this peer runs`;
    return Promise.reject(new LockstepError('UNSUPPORTED', reason));
  }

  /**
   * The instance goes on with the schema that the name of its machine means at its authority by now: published there by its program, or with
   * `Peer.define`. It has grown: more states behind the old ones, whatever relations.
   * @returns when this mirror has it.
   * @throws LockstepError BAD_DEFINITION, EXPECTATION when it is not so, as for a machine that runs here; FORBIDDEN; MISSING_FUNCTION; UNREACHABLE …
   */
  async setSchema(): Promise<void> {
    const { epoch } = await this.mirror.ask('grow', { instance: this.id });
    await this.waits.until(() => this.mirror.epoch >= epoch);
  }

  /** Until a confirmed mutation with args that have all of these brings the state in: of one's own, or with public args. */
  override whenArgs(state: S, args: Readonly<Record<string, Json>>, options?: WaitOptions): Promise<void> {
    const number = this.machine.stateNumber(state);
    if (this.mirror.filter !== undefined)
      throw new LockstepError('UNSUPPORTED', `a filter does not show with which args "${state}" was called`);
    return this.#confirmedWaits.untilArgs(number, args, options);
  }

  /** Ends this face: promises settle, signals are aborted. Its last clocks stay readable; the mirror goes on. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#confirmedWaits.close(this.id);
    this.finish();
    for (const tracer of this.tracers) tracer.dispose?.();
  }

  // ── Moves ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #stepped(clocks: Clocks, { own, args }: Heard, isShown: boolean): void {
    this.#follow(clocks);
    const before = this.#confirmed;
    this.#confirmed = clocks;
    const exception = this.names.indexOf(EXCEPTION as S) + 1;
    if (args !== undefined && isBegun(clocks[exception]!, before[exception]!)) this.#error = args;
    this.#confirmedWaits.stepped(before, clocks, args);
    this.tellStep(before, clocks, args);
    if (this.tracers.size > 0) this.#trace(before, clocks, own ?? this.#synthetic(clocks, args));
    if (isShown) this.#moved(clocks);
  }

  /** Behind a schema that has grown, new states have their numbers behind the old ones, and have not moved yet. */
  #follow(clocks: Clocks): void {
    const machine = this.mirror.states;
    if (machine === this.#machine) return;
    const isAsLong = machine.names.length === this.#machine.names.length;
    this.#machine = machine;
    if (isAsLong) return;
    const longer = (known: Clocks): Clocks => clocks.map((_, state) => known[state] ?? 0);
    this.#confirmed = longer(this.#confirmed);
    this.#shown = longer(this.#shown);
    for (const tracer of this.tracers) tracer.schemaChange?.(this.names);
    this.waits.stepped(this.#shown, this.#shown, undefined);
  }

  #trace(before: Clocks, after: Clocks, cause: EventObject): void {
    const isAccepted = after.some((tick, state) => tick !== before[state]);
    for (const tracer of this.tracers) tracer.transitionEnd?.(cause as Mutation, isAccepted, after.slice(1));
  }

  /** Of somebody else's mutation a mirror knows what it led to. */
  #synthetic(clocks: Clocks, args: Json | undefined): Mutation {
    return mutation(
      'set',
      this.names.filter((_, index) => (clocks[index + 1]! & 1) === 1),
      args,
    );
  }

  #moved(clocks: Clocks): void {
    const before = this.#shown;
    if (clocks.every((tick, state) => tick === before[state])) return;
    this.#shown = clocks;
    this.abortSignals(before, clocks);
    this.waits.stepped(before, clocks, undefined);
  }

  async #mutate(kind: MutationKind, called: Names<S>, args: unknown, options?: MirrorMutationOptions): Promise<Result> {
    const states = list(called);
    // A filter hides states; that does not make them none.
    if (this.machine.isPartial !== true) this.numbers(states);
    const made = mutation(kind, states, args as Json | undefined, options?.source);
    this.#queue.add(made);
    for (const tracer of this.tracers) tracer.mutationQueued?.(made, this.#queue.size);
    try {
      const { outcome } = await this.mirror.submit(made);
      return outcome === 'stepped' ? EXECUTED : CANCELLED;
    } catch (error) {
      if (error instanceof LockstepError && error.code === 'BACKING_OFF') return CANCELLED;
      throw error;
    } finally {
      this.#queue.delete(made);
      if (this.#queue.size === 0) this.#drained();
    }
  }

  #drained(): void {
    this.waits.drained();
    for (const tracer of this.tracers) tracer.queueEnd?.();
  }
}

function isBegun(after: number, before: number): boolean {
  return (after & 1) === 1 && after !== before;
}
