// How events are called on screens. XState's own names for timers and completions are long and hold what stands beside them anyway. Pure.

import type { EventObject } from '../../core/json.ts';
import { isMutation, type Mutation } from '../../core/mutation.ts';

/** A function of an effect as authors call it: a final handler by its name alone. */
export function effectText(name: string): string {
  return name.startsWith('/handlers/') ? name.slice(name.lastIndexOf('/') + 1) : name;
}

/** `15 s`, `250 ms`, `2 min` */
export function duration(ms: number): string {
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  return Math.abs(seconds) < 120 ? `${Number(seconds.toFixed(1))} s` : `${Number((seconds / 60).toFixed(1))} min`;
}

/** What a step was about: its event, and of a mutation the states that it calls, `add Open, Lit`. */
export function causeText(event: EventObject): string {
  if (!isMutation(event.type)) return eventText(event.type);
  const { type, states, source } = event as Mutation;
  const from = source === undefined ? '' : ` ← ${source.machine}`;
  return `${type.slice(type.indexOf('.') + 1)} ${states.join(', ')}${from}`;
}

/** An event type as it is, but for timers and completions: `xstate.after.500.lamp.on` is `after 500 ms`, `xstate.done.state.lamp.on` `done lamp.on`, `xstate.error.actor.ask` `error ask`. */
export function eventText(type: string): string {
  if (type === 'relational.auto') return 'then, the automatic states';
  if (isMutation(type)) return type.slice(type.indexOf('.') + 1);
  const done = /^xstate\.done\.state\.(.+)$/.exec(type)?.[1];
  if (done !== undefined) return `done ${done}`;
  const [, what, actor] = /^xstate\.(done\.actor|error\.actor|snapshot)\.(.+)$/.exec(type) ?? [];
  if (what !== undefined && actor !== undefined) return `${what.split('.', 1)[0]!} ${actor}`;
  const delay = /^xstate\.after\.([^.]+)\./.exec(type)?.[1];
  if (delay === undefined) return type;
  return `after ${/^\d+$/.test(delay) ? duration(Number(delay)) : delay}`;
}
