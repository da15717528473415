// One instance as `inspect` shows it: numbers of the image turned into names.

import type { Machine } from '../../core/machine.ts';
import type { InstanceDescription } from '../../peer/wire.ts';
import type { InstanceDetail } from './result.ts';

export function detailOf({ state, ...summary }: InstanceDescription, { symbols, isRelational }: Machine): InstanceDetail {
  const clocks = state.clocks.flatMap((ticks, number) =>
    (ticks === 0 && !isRelational) || number === 0 ? [] : [{ state: symbols.states[number]?.id ?? String(number), ticks }],
  );
  return {
    ...summary,
    context: state.context,
    clocks,
    ...(isRelational ? { active: clocks.filter(({ ticks }) => ticks % 2 === 1).map(({ state: name }) => name) } : {}),
    timers: state.timers.map(([timer, due, send]) => ({ event: send?.event.type ?? symbols.timers[timer] ?? String(timer), due })),
    actors: (state.children ?? []).map(({ id, src, ended }) => ({ id, src, ended: ended === true })),
    ...(state.output === undefined ? {} : { output: state.output }),
    ...(state.error === undefined ? {} : { error: state.error }),
  };
}
