// Small texts that several parts of the page show alike. Pure.

import { valueText } from '../../repl/format.ts';
import type { Entry } from '../entry.ts';
import type { Origin, TraceModel } from '../model.ts';

/** `03:04:05.006`, in the reader's own time zone. */
export function clockTime(at: number): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** `15 s`, `250 ms`, `2 min` */
export function duration(ms: number): string {
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  return Math.abs(seconds) < 120 ? `${Number(seconds.toFixed(seconds % 1 === 0 ? 0 : 1))} s` : `${Number((seconds / 60).toFixed(1))} min`;
}

/** The state value before and after, as far as it can be worked out. */
export interface Movement {
  readonly before: string | undefined;
  readonly after: string;
}

const movements = new WeakMap<Entry, Movement>();

/** Undefined while the image or a step on the way is missing. */
export function movementOf(model: TraceModel, entry: Entry): Movement | undefined {
  const known = movements.get(entry);
  if (known !== undefined || !model.hasImage(entry.record.image)) return known;
  try {
    const { before, after } = model.view(entry);
    const movement = { before: before === undefined ? undefined : valueText(before.value), after: valueText(after.value) };
    movements.set(entry, movement);
    return movement;
  } catch {
    return undefined;
  }
}

/** Who or what the event came from, in a few words. */
export function originText(model: TraceModel, origin: Origin): string {
  switch (origin.kind) {
    case 'start':
      return 'creation';
    case 'timer':
      return 'timer';
    case 'peer':
      return `${model.peerName(origin.peer)}.${origin.n}`;
  }
}
