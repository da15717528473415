// The one public face of a running machine, local or mirrored, in the shape of XState's ActorRef, plus what only replicas have: `seq`,
// `tick`, `when` and `standing`. Subclasses say how an event is sent and when a new snapshot is there.

import { LockstepError } from './errors.ts';
import type { EventObject, Json } from './json.ts';
import type { Snapshot } from './snapshot.ts';

/** What a copy is worth right now: equal to the authority's last known step; ahead of it by own events; or cut off from it. */
export type Standing = 'confirmed' | 'predicted' | 'offline';

export interface Observer<T> {
  next?(snapshot: T): void;
  error?(error: unknown): void;
  complete?(): void;
}
export interface Subscription {
  unsubscribe(): void;
}

/** A state value that must match, or a question to each snapshot. */
export type Condition<S, TPattern = Json> = TPattern | ((snapshot: S) => boolean);

/** An actor of whatever machine. */
export type AnyActor = Actor<unknown, { readonly type: string }, never>;

/** Listeners to events by actor; outside the actors, because hardly any has one. */
const listeners = new WeakMap<object, Set<(event: EventObject) => void>>();
/** Whether any actor ever had one: what an actor without inspectors pays. */
let hasListeners = false;

/** One empty list for all: a list of its own would be one more thing for each actor to look up. */
export const NONE: readonly never[] = Object.freeze([]);

export abstract class Actor<TContext = Json, TEvent extends { readonly type: string } = EventObject, TPattern = Json> {
  abstract readonly id: string;
  /** Steps applied, the confirmed ones. */
  abstract readonly seq: number;
  abstract readonly standing: Standing;
  /** Of snapshots of this actor, a list that is replaced; untyped, so that an actor of any type is an `Actor<unknown>`. */
  #observers: readonly Observer<never>[] = NONE;

  /** Hands an event over; what it does shows at once. @throws LockstepError when it is refused on the spot: nothing changed. */
  abstract send(event: TEvent): void;
  /** The same object until something visible changes. */
  abstract getSnapshot(): Snapshot<TContext, TPattern>;
  /** Activations and deactivations of a state so far; odd = active. @param state id or key path. */
  abstract tick(state: string): number;
  abstract stop(): void;

  subscribe(
    observer: Observer<Snapshot<TContext, TPattern>> | ((snapshot: Snapshot<TContext, TPattern>) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription {
    const entry: Observer<Snapshot<TContext, TPattern>> =
      typeof observer === 'function'
        ? { next: observer, ...(error === undefined ? {} : { error }), ...(complete === undefined ? {} : { complete }) }
        : observer;
    const unsubscribe = (): void => void (this.#observers = this.#observers.filter((each) => each !== entry));
    unsubscribe();
    this.#observers = [...this.#observers, entry];
    return { unsubscribe };
  }

  /** For inspectors: each event that it handles here, before anything that it does shows. A mirror is not told the events of others. */
  onEvent(listener: (event: EventObject) => void): Subscription {
    const own = listeners.get(this) ?? new Set();
    listeners.set(this, own.add(listener));
    hasListeners = true;
    return { unsubscribe: () => void own.delete(listener) };
  }

  /**
   * The first snapshot, present or future, that meets the condition. Survives reconnects.
   * @throws LockstepError CLOSED when the actor ends first; the signal's reason when it is aborted.
   */
  when(
    condition: Condition<Snapshot<TContext, TPattern>, TPattern>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Snapshot<TContext, TPattern>> {
    const holds =
      typeof condition === 'function'
        ? (condition as (snapshot: Snapshot<TContext, TPattern>) => boolean)
        : (snapshot: Snapshot<TContext, TPattern>) => snapshot.matches(condition);
    return new Promise((resolve, reject) => {
      const present = this.getSnapshot();
      if (holds(present)) return resolve(present);
      const settle = (act: () => void): void => {
        subscription.unsubscribe();
        options.signal?.removeEventListener('abort', aborted);
        act();
      };
      const aborted = (): void => settle(() => reject(options.signal!.reason as Error));
      const subscription = this.subscribe({
        next: (snapshot) => {
          try {
            if (holds(snapshot)) settle(() => resolve(snapshot));
          } catch (error) {
            settle(() => reject(error as Error));
          }
        },
        error: (error) => settle(() => reject(error as Error)),
        complete: () => settle(() => reject(new LockstepError('CLOSED', `${this.id} ended before the state that was waited for`))),
      });
      if (options.signal?.aborted === true) aborted();
      else options.signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** For subclasses: an event is about to be handled. */
  protected heard(event: TEvent): void {
    if (!hasListeners) return;
    for (const listener of listeners.get(this) ?? []) listener(event as unknown as EventObject);
  }

  /** For subclasses: something visible changed. */
  protected notify(): void {
    const observers = this.#observers;
    if (observers.length === 0) return;
    const snapshot = this.getSnapshot();
    for (const observer of observers) observer.next?.(snapshot as never);
  }

  /** For subclasses: there will be no more snapshots. */
  protected finish(error?: unknown): void {
    const observers = this.#observers;
    this.#observers = NONE;
    for (const observer of observers) {
      if (error === undefined) observer.complete?.();
      else observer.error?.(error);
    }
  }
}

/** XState and RxJS look an observable up under `Symbol.observable`, or this string where that is not defined. */
Object.defineProperty(Actor.prototype, (Symbol as { readonly observable?: symbol }).observable ?? '@@observable', {
  value(this: Actor) {
    return this;
  },
});
