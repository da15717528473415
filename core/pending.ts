// What an instance waits for: its timers, its delayed events and its child actors, and the counter that names the last two. Folded from what
// a step changes (awaiting.ts), or from the record of one; saved with the instance. Who owns the instance arms the timers and runs the actors.

import type { ChildStart } from './request.ts';
import type { InstanceState } from './state.ts';
import type { ChildChange, DelayedEvent, TimerChange } from './step.ts';

/** A child, and whether its done or error event has come: it is then not started again. */
export interface Child extends ChildStart {
  readonly ended?: true;
}

/** What one step did to it. */
export interface PendingChange {
  readonly timers: readonly TimerChange[];
  readonly children: readonly ChildChange[];
  /** Ids made so far, when the step made some. */
  readonly ids: number | undefined;
}

const NO_TIMERS: ReadonlyMap<number, number> = new Map();
const NO_CHILDREN: ReadonlyMap<string, Child> = new Map();
const NO_DELAYS: ReadonlyMap<number, DelayedEvent> = new Map();
const NO_TIMER_CHANGES: readonly TimerChange[] = Object.freeze([]);
const NO_CHILD_CHANGES: readonly ChildChange[] = Object.freeze([]);
/** Nothing was waited for, and nothing is. */
export const UNCHANGED: PendingChange = Object.freeze({ timers: NO_TIMER_CHANGES, children: NO_CHILD_CHANGES, ids: undefined });

export class Pending {
  #timers: Map<number, number> | undefined;
  #delayed: Map<number, DelayedEvent> | undefined;
  #children: Map<string, Child> | undefined;
  /** Ids made so far. */
  ids = 0;

  /** Timer number → due, ms since the epoch; delayed events are the numbers from DELAYED_FIRST on. */
  get timers(): ReadonlyMap<number, number> {
    return this.#timers ?? NO_TIMERS;
  }

  get children(): ReadonlyMap<string, Child> {
    return this.#children ?? NO_CHILDREN;
  }

  /** What a timer sends, and to whom, when it is none of the image's. */
  delayed(timer: number): DelayedEvent | undefined {
    return this.#delayed?.get(timer);
  }

  /** Delayed events by the number of their timer. */
  get delays(): Iterable<readonly [timer: number, delayed: DelayedEvent]> {
    return this.#delayed ?? NO_DELAYS;
  }

  /** Folds the changes of a step. */
  apply({
    timers,
    children,
    ids,
  }: { readonly timers?: PendingChange['timers'] | undefined } & Partial<Omit<PendingChange, 'timers'>>): void {
    for (const change of timers ?? NO_TIMER_CHANGES) {
      if (change.due === null) {
        this.#timers?.delete(change.timer);
        this.#delayed?.delete(change.timer);
        continue;
      }
      (this.#timers ??= new Map()).set(change.timer, change.due);
      if (change.send !== undefined) (this.#delayed ??= new Map()).set(change.timer, change.send);
    }
    if (this.#timers?.size === 0) this.#timers = undefined;
    if (this.#delayed?.size === 0) this.#delayed = undefined;
    for (const change of children ?? NO_CHILD_CHANGES) {
      if ('start' in change) (this.#children ??= new Map()).set(change.start.id, change.start);
      else if ('stop' in change) this.#children?.delete(change.stop);
      else {
        const child = this.#children?.get(change.ended);
        if (child !== undefined) this.#children!.set(change.ended, { ...child, ended: true });
      }
    }
    if (this.#children?.size === 0) this.#children = undefined;
    if (ids !== undefined) this.ids = ids;
  }

  save(): Pick<InstanceState, 'timers' | 'children' | 'ids'> {
    const timers = [...this.timers].sort(([a], [b]) => a - b);
    return {
      timers: timers.map(([timer, due]) => {
        const send = this.#delayed?.get(timer);
        return send === undefined ? [timer, due] : [timer, due, send];
      }),
      ...(this.#children === undefined ? {} : { children: [...this.#children.values()] }),
      ...(this.ids === 0 ? {} : { ids: this.ids }),
    };
  }

  load({ timers, children, ids }: Pick<InstanceState, 'timers' | 'children' | 'ids'>): void {
    this.clear();
    this.ids = ids ?? 0;
    this.apply({ timers: timers.map(([timer, due, send]) => (send === undefined ? { timer, due } : { timer, due, send })) });
    if (children !== undefined && children.length > 0) this.#children = new Map(children.map((child) => [child.id, child]));
  }

  copyFrom(other: Pending): void {
    this.#timers = other.#timers === undefined ? undefined : new Map(other.#timers);
    this.#delayed = other.#delayed === undefined ? undefined : new Map(other.#delayed);
    this.#children = other.#children === undefined ? undefined : new Map(other.#children);
    this.ids = other.ids;
  }

  clear(): void {
    this.#timers = undefined;
    this.#delayed = undefined;
    this.#children = undefined;
  }
}
