// What a step does to what its instance waits for: the timers it starts and cancels, the events it delays, the actors it starts and stops.

import { RECORD_CANCEL, RECORD_SCHEDULE } from '../assembly/layout.ts';
import type { Pending, PendingChange } from './pending.ts';
import type { MadeRequest } from './run.ts';
import { DELAYED_FIRST, type ChildChange, type TimerChange } from './step.ts';

/** What a step says about it. */
export interface PendingStep {
  readonly now: number;
  /** The timer that caused the step. */
  readonly fired: number | undefined;
  readonly eventType: string;
  readonly records: readonly number[];
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

const DONE = 'xstate.done.actor.';
const ERROR = 'xstate.error.actor.';

/** @param pending before the step. */
export function changesOf(pending: Pending, step: PendingStep): PendingChange {
  const timers = new Map<number, TimerChange>();
  const children: ChildChange[] = [];
  let { ids } = step;
  if (step.fired !== undefined && pending.timers.has(step.fired)) timers.set(step.fired, { timer: step.fired, due: null });
  const ended = endedChild(step.eventType);
  if (ended !== undefined && pending.children.has(ended) && pending.children.get(ended)?.ended !== true) children.push({ ended });
  const requests = step.requests ?? [];
  let made = 0;
  for (let i = 0; i <= step.records.length; i += 2) {
    for (; made < requests.length && requests[made]!.at <= i >>> 1; made++) {
      const { request } = requests[made]!;
      if (request.kind === 'delay') {
        const { id, to, event, delayMs } = request;
        const timer = DELAYED_FIRST + ids++;
        timers.set(timer, { timer, due: step.now + delayMs, send: { id, to, event } });
      } else if (request.kind === 'cancel') cancel(pending, request.id, timers, step.timerOf(request.id));
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
    for (const timer of pending.timers.keys()) timers.set(timer, { timer, due: null });
  }
  return {
    timers: [...timers.values()].filter(({ timer, due }) => due !== null || pending.timers.has(timer)).sort((a, b) => a.timer - b.timer),
    children,
    ids: ids === pending.ids ? undefined : ids,
  };
}

/** Every delayed event with that id, those of this step included. */
function cancel(pending: Pending, id: string, timers: Map<number, TimerChange>, ofImage: number | undefined): void {
  for (const [timer, { id: itsId }] of pending.delays) if (itsId === id) timers.set(timer, { timer, due: null });
  for (const [timer, change] of timers) if (change.due !== null && change.send?.id === id) timers.set(timer, { timer, due: null });
  if (ofImage !== undefined) timers.set(ofImage, { timer: ofImage, due: null });
}

/** The child whose end the event tells. */
function endedChild(eventType: string): string | undefined {
  if (eventType.startsWith(DONE)) return eventType.slice(DONE.length);
  return eventType.startsWith(ERROR) ? eventType.slice(ERROR.length) : undefined;
}
