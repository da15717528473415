// Whether a list of action words may be run: every kind known, every number below its count. Shared by the checks of states and transitions.

import * as layout from './layout.ts';
import * as tables from './tables.ts';

/** Whether the word index names a list of actions that exist. */
export function areActions(index: i32): boolean {
  const length: i32 = tables.listLength(index);
  for (let i: i32 = 0; i < length; i++) {
    const word: i32 = tables.listWord(index, i);
    const kind: i32 = word >>> 24;
    const argument: i32 = word & layout.ACTION_ARG_MASK;
    if (kind < 1 || kind > layout.ACTION_KIND_MAX) return false;
    if (kind === layout.ACTION_RAISE) {
      if (argument >= tables.raiseCount) return false;
    } else if (kind === layout.ACTION_SCHEDULE || kind === layout.ACTION_CANCEL) {
      if (argument >= tables.timerCount) return false;
    } else if (!tables.isFunction(argument)) return false;
  }
  return length >= 0;
}
