// A relational machine that another peer orders, with the words of one that runs here: a face over its mirror. Questions, waits and state
// signals look at what shows, predictions included; `whenArgs` at confirmed mutations alone, because only those can be told with their args.

import type { EventObject, Json } from '../core/json.ts';
import { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { mutation, type MutationKind } from '../core/mutation.ts';
import { CANCELLED, EXECUTED, type ArgsOf, type Result } from '../core/relational/types.ts';
import { list, type Names, RelationalView } from '../core/relational/view.ts';
import { type Clocks, Waits, type WaitOptions } from '../core/relational/waits.ts';
import type { Subscription } from '../core/actor.ts';
import type { AnyMirror } from './mirror.ts';

export class RelationalMirror<S extends string = string, A = Readonly<Record<string, Json>>> extends RelationalView<S> {
  readonly id: string;
  readonly mirror: AnyMirror;
  protected readonly machine: Machine;
  readonly #confirmedWaits = new Waits(() => this.#confirmed);
  readonly #subscriptions: readonly Subscription[];
  #shown: Clocks;
  #confirmed: Clocks;
  #isDisposed = false;

  /**
   * @param mirror from Peer.watch; it stays its holder's to stop.
   * @throws LockstepError BAD_PARAMS when its machine is a statechart, CLOSED when it has ended.
   */
  constructor(mirror: AnyMirror) {
    super();
    const { machine } = mirror;
    if (!machine.isRelational)
      throw new LockstepError('BAD_PARAMS', `${mirror.id} is an instance of a statechart, expected one of a relational machine`);
    this.id = mirror.id;
    this.mirror = mirror;
    this.machine = machine;
    this.#shown = this.#confirmed = mirror.clocks;
    this.#subscriptions = [
      mirror.onMove({
        confirmed: (clocks, args, isShown) => {
          const before = this.#confirmed;
          this.#confirmed = clocks;
          this.#confirmedWaits.stepped(before, clocks, args);
          if (isShown) this.#moved(clocks);
        },
        shown: (clocks) => this.#moved(clocks),
      }),
      mirror.subscribe({ complete: () => this.dispose(), error: () => this.dispose() }),
    ];
  }

  /** Of what shows. */
  protected clocks(): Clocks {
    return this.#shown;
  }

  // ── Mutations ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Shows at once where the machine's handlers are at hand.
   * @returns EXECUTED or CANCELLED, when the authority has made it durable.
   * @throws LockstepError BAD_PARAMS for a name that is no state, and as Mirror.submit; nothing changed then.
   */
  add<K extends S>(states: Names<K>, args?: ArgsOf<A, K>): Promise<Result> {
    return this.#mutate('add', states, args);
  }

  remove<K extends S>(states: Names<K>, args?: ArgsOf<A, K>): Promise<Result> {
    return this.#mutate('remove', states, args);
  }

  set<K extends S>(states: Names<K>, args?: ArgsOf<A, K>): Promise<Result> {
    return this.#mutate('set', states, args);
  }

  toggle<K extends S>(states: Names<K>, args?: ArgsOf<A, K>): Promise<Result> {
    return this.#mutate('toggle', states, args);
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

  /** Until a confirmed mutation with args that have all of these brings the state in. */
  override whenArgs(state: S, args: Readonly<Record<string, Json>>, options?: WaitOptions): Promise<void> {
    return this.#confirmedWaits.untilArgs(this.machine.stateNumber(state), args, options);
  }

  /** Ends this face: promises settle, signals are aborted. Its last clocks stay readable; the mirror goes on. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#confirmedWaits.close(this.id);
    this.finish();
  }

  #moved(clocks: Clocks): void {
    const before = this.#shown;
    if (clocks.every((tick, state) => tick === before[state])) return;
    this.#shown = clocks;
    this.abortSignals(before, clocks);
    this.waits.stepped(before, clocks, undefined);
  }

  async #mutate(kind: MutationKind, called: Names<S>, args: unknown): Promise<Result> {
    const states = list(called);
    this.numbers(states);
    const event: EventObject = mutation(kind, states, args as Json | undefined);
    const { outcome } = await this.mirror.submit(event);
    return outcome === 'stepped' ? EXECUTED : CANCELLED;
  }
}
