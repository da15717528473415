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
  return Math.abs(seconds) < 120 ? `${Number(seconds.toFixed(1))} s` : `${Number((seconds / 60).toFixed(1))} min`;
}

/** An event type as it is, but for timers: `xstate.after.500.lamp.on` is `after 500 ms`. */
export function eventText(type: string): string {
  const delay = /^xstate\.after\.([^.]+)\./.exec(type)?.[1];
  if (delay === undefined) return type;
  return `after ${/^\d+$/.test(delay) ? duration(Number(delay)) : delay}`;
}

/** An instance by its owner's name: `Ann/bar` for `JX49p_EwI6E5ntUF/bar`. */
export function instanceText(model: TraceModel, instance: string): string {
  const slash = instance.indexOf('/');
  return slash < 0 ? instance : `${model.peerName(instance.slice(0, slash))}${instance.slice(slash)}`;
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
    if (before !== undefined || entry.record.step.seq === 1) movements.set(entry, movement);
    return movement;
  } catch {
    return undefined; // Steps before it are missing and may still come.
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
