// Where a step's event came from, as far as the trace tells.

import type { Entry } from './entry.ts';

export type Origin =
  | { readonly kind: 'start'; readonly peer: string }
  /** A timer; `step` is the one that started it, if it is known. */
  | { readonly kind: 'timer'; readonly step: Entry | undefined }
  /** From inside the authority: one of the instance's actors, its parent, or one of its effects. */
  | { readonly kind: 'inside' }
  /** Another peer, or this one's program; `step` is the one whose effect probably sent it. */
  | { readonly kind: 'peer'; readonly peer: string; readonly n: number; readonly step: Entry | undefined }
  /** An actor of the same plain XState program, which says so; `step` is what it was doing. */
  | { readonly kind: 'actor'; readonly instance: string; readonly step: Entry | undefined }
  /** The plain XState program itself, from outside of its actors. */
  | { readonly kind: 'program'; readonly peer: string };

/** @param timer the timer whose event this is, if it is one's, and the step that started it, if it is known. */
export function originOf(entry: Entry, timer: () => { readonly step: Entry | undefined } | undefined): Origin {
  const { cause } = entry.record.step;
  if (entry.told !== undefined) return toldOrigin(entry, entry.told);
  if (cause.n !== 0) return { kind: 'peer', peer: cause.peer, n: cause.n, step: entry.source };
  if (cause.event.type === 'xstate.init') return { kind: 'start', peer: cause.peer };
  const fired = timer();
  return fired === undefined ? { kind: 'inside' } : { kind: 'timer', step: fired.step };
}

function toldOrigin(entry: Entry, { actor, source, sourceId }: NonNullable<Entry['told']>): Origin {
  const { cause } = entry.record.step;
  const { type } = cause.event;
  if (sourceId === actor.sessionId && type.startsWith('xstate.after.')) return { kind: 'timer', step: toldTimerStart(entry) };
  if (sourceId !== undefined) return { kind: 'actor', instance: actor.instance.slice(0, -actor.sessionId.length) + sourceId, step: source };
  return type === 'xstate.init' ? { kind: 'start', peer: cause.peer } : { kind: 'program', peer: cause.peer };
}

/** `xstate.after.500.lamp.on`: the newest step before it that entered the state. */
function toldTimerStart(entry: Entry): Entry | undefined {
  const { actor } = entry.told!;
  const state = actor.chart.withId(/^xstate\.after\.[^.]+\.(.+)$/.exec(entry.record.step.cause.event.type)?.[1] ?? '');
  for (let i = actor.entries.indexOf(entry) - 1; i >= 0 && state !== undefined; i--) {
    const earlier = actor.entries[i]!;
    const { clocks } = earlier.record.step;
    for (let at = 0; at < clocks.length; at += 2) {
      if (clocks[at] === state && (earlier.told?.after?.clocks[state] ?? 0) % 2 === 1) return earlier;
    }
  }
  return undefined;
}
