// What an instance waits for: its timers, its delayed events and its child actors, and the counter that names the last two. Changed by a
// step, or folded from the record of one; saved with the instance. Who owns the instance arms the timers and runs the actors.

import { RECORD_CANCEL, RECORD_SCHEDULE } from '../assembly/layout.ts';
import type { ChildStart } from './request.ts';
import type { MadeRequest } from './run.ts';
import type { InstanceState } from './state.ts';
import { DELAYED_FIRST, type ChildChange, type DelayedEvent, type TimerChange } from './step.ts';

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

/** What a step says about it. */
export interface PendingStep {
  readonly now: number;
  /** The timer that caused the step. */
  readonly fired: number | undefined;
  readonly eventType: string;
  readonly records: Uint32Array;
  readonly requests: readonly MadeRequest[] | undefined;
  /** Ids made by the step's requests. */
  readonly ids: number;
  /** Whether the machine runs on. */
  readonly isActive: boolean;
  /** Milliseconds of a timer of the image; asked in the order in which timers are started. */
  delayOf(timer: number): number;
  /** Timers of the image that send this event. */
  timerOf(eventType: string): number | undefined;
}

const NO_TIMERS: ReadonlyMap<number, number> = new Map();
const NO_CHILDREN: ReadonlyMap<string, Child> = new Map();
const NO_TIMER_CHANGES: readonly TimerChange[] = Object.freeze([]);
const NO_CHILD_CHANGES: readonly ChildChange[] = Object.freeze([]);
/** Nothing was waited for, and nothing is. */
export const UNCHANGED: PendingChange = Object.freeze({ timers: NO_TIMER_CHANGES, children: NO_CHILD_CHANGES, ids: undefined });

const DONE = 'xstate.done.actor.';
const ERROR = 'xstate.error.actor.';

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

  /** Takes in what a step did. @returns the changes, for its record. */
  change(step: PendingStep): PendingChange {
    const timers = new Map<number, TimerChange>();
    const children: ChildChange[] = [];
    let { ids } = step;
    if (step.fired !== undefined && this.timers.has(step.fired)) timers.set(step.fired, { timer: step.fired, due: null });
    const ended = endedChild(step.eventType);
    if (ended !== undefined && this.children.has(ended) && this.children.get(ended)?.ended !== true) children.push({ ended });
    const requests = step.requests ?? [];
    let made = 0;
    for (let i = 0; i <= step.records.length; i += 2) {
      for (; made < requests.length && requests[made]!.at <= i >>> 1; made++) {
        const { request } = requests[made]!;
        if (request.kind === 'delay') {
          const { id, to, event, delayMs } = request;
          const timer = DELAYED_FIRST + ids++;
          timers.set(timer, { timer, due: step.now + delayMs, send: { id, to, event } });
        } else if (request.kind === 'cancel') this.#cancel(request.id, timers, step.timerOf(request.id));
        else if (request.kind === 'spawn') children.push({ start: request.child });
        else if (request.kind === 'stop') children.push({ stop: request.id });
      }
      if (i === step.records.length) break;
      const kind = step.records[i]! >>> 24;
      const timer = step.records[i]! & 0xffffff;
      if (kind === RECORD_SCHEDULE) timers.set(timer, { timer, due: step.now + step.delayOf(timer) });
      else if (kind === RECORD_CANCEL) timers.set(timer, { timer, due: null });
    }
    if (!step.isActive) {
      timers.clear();
      for (const timer of this.timers.keys()) timers.set(timer, { timer, due: null });
    }
    const change: PendingChange = {
      timers: [...timers.values()].filter(({ timer, due }) => due !== null || this.timers.has(timer)).sort((a, b) => a.timer - b.timer),
      children,
      ids: ids === this.ids ? undefined : ids,
    };
    this.apply(change);
    return change;
  }

  /** Every delayed event with that id, those of this step included. */
  #cancel(id: string, timers: Map<number, TimerChange>, ofImage: number | undefined): void {
    for (const [timer, { id: itsId }] of this.#delayed ?? []) if (itsId === id) timers.set(timer, { timer, due: null });
    for (const [timer, change] of timers) if (change.due !== null && change.send?.id === id) timers.set(timer, { timer, due: null });
    if (ofImage !== undefined) timers.set(ofImage, { timer: ofImage, due: null });
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

/** The child whose end the event tells. */
function endedChild(eventType: string): string | undefined {
  if (eventType.startsWith(DONE)) return eventType.slice(DONE.length);
  return eventType.startsWith(ERROR) ? eventType.slice(ERROR.length) : undefined;
}
