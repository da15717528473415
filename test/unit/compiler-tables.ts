// Reads the tables of an image back into words for people, for tests that compare structure. Shares no code with the compiler.

import * as layout from '../../assembly/layout.ts';
import { readImage } from '../../core/image.ts';
import { xxh64 } from '../../core/xxh64.ts';
import type { Image } from '../../compiler/index.ts';

const ACTIONS: { readonly [kind: number]: string } = {
  [layout.ACTION_EFFECT]: 'effect',
  [layout.ACTION_ASSIGN]: 'assign',
  [layout.ACTION_RAISE]: 'raise',
  [layout.ACTION_RAISE_HOST]: 'raise()',
  [layout.ACTION_SCHEDULE]: 'schedule',
  [layout.ACTION_CANCEL]: 'cancel',
  [layout.ACTION_HOST]: 'host',
};

/** Everything by name: states by id, functions by name or path, events by type. */
export function tablesOf({ bytes }: Image) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { symbols, eventCount, transitionCount, stateCount, historyCount, timerCount } = readImage(bytes, xxh64);
  const word = (offset: number): number => view.getUint32(offset, true);
  const half = (offset: number): number => view.getUint16(offset, true);
  const listAt = (index: number): number[] => {
    const at = word(layout.IMAGE_LISTS) + index * 4;
    return Array.from({ length: word(at) }, (_, i) => word(at + 4 + i * 4));
  };
  const select = (index: number): number => word(word(layout.IMAGE_SELECT) + index * 4);
  const stateName = (state: number): string => (state === layout.NONE16 ? 'none' : symbols.states[state]!.id);
  const functionName = (fn: number): string => symbols.functions[fn]!.name ?? symbols.functions[fn]!.path;
  const eventName = (event: number): string =>
    event === eventCount ? 'always' : event === layout.NONE16 ? 'none' : symbols.events[event]!;
  const actionNames = (list: number): string[] =>
    listAt(list).map((action) => {
      const kind = action >>> 24;
      const argument = action & layout.ACTION_ARG_MASK;
      const isFunction = kind !== layout.ACTION_RAISE && kind !== layout.ACTION_SCHEDULE && kind !== layout.ACTION_CANCEL;
      const name = isFunction
        ? functionName(argument)
        : kind === layout.ACTION_RAISE
          ? symbols.raises[argument]!.type
          : symbols.timers[argument]!;
      return `${ACTIONS[kind] ?? kind} ${name}`;
    });

  const states = Array.from({ length: stateCount }, (_, state) => {
    const at = word(layout.IMAGE_STATES) + state * layout.STATE_SIZE;
    return {
      id: stateName(state),
      parent: stateName(half(at + layout.STATE_PARENT)),
      end: stateName(half(at + layout.STATE_END)),
      kind: ['atomic', 'compound', 'parallel', 'final'][view.getUint8(at + layout.STATE_KIND)],
      entry: actionNames(word(at + layout.STATE_ENTRY)),
      exit: actionNames(word(at + layout.STATE_EXIT)),
      done: eventName(half(at + layout.STATE_DONE_EVENT)),
      output: half(at + layout.STATE_OUTPUT) === layout.NONE16 ? 'none' : functionName(half(at + layout.STATE_OUTPUT)),
      histories: listAt(word(at + layout.STATE_HISTORIES)).map((history) => symbols.histories[history]!.id),
    };
  });

  const transitions = Array.from({ length: transitionCount }, (_, transition) => {
    const at = word(layout.IMAGE_TRANSITIONS) + transition * layout.TRANSITION_SIZE;
    const flags = half(at + layout.TRANSITION_FLAGS);
    const guardKind = half(at + layout.TRANSITION_GUARD_KIND);
    const guardArgument = word(at + layout.TRANSITION_GUARD_ARG);
    return {
      source: stateName(half(at + layout.TRANSITION_SOURCE)),
      event: eventName(half(at + layout.TRANSITION_EVENT)),
      domain: stateName(half(at + layout.TRANSITION_DOMAIN)),
      flags: [
        ...(flags & layout.TRANSITION_TARGETLESS ? ['targetless'] : []),
        ...(flags & layout.TRANSITION_REENTER ? ['reenter'] : []),
        ...(flags & layout.TRANSITION_DYNAMIC ? ['dynamic'] : []),
      ],
      guard:
        guardKind === layout.GUARD_NONE
          ? 'none'
          : guardKind === layout.GUARD_IN
            ? `in ${stateName(guardArgument)}`
            : functionName(guardArgument),
      actions: actionNames(word(at + layout.TRANSITION_ACTIONS)),
      entry: listAt(word(at + layout.TRANSITION_ENTRY)).map(
        (entry) => `${stateName(entry & 0x7fffffff)}${entry & layout.ENTRY_DEFAULT ? ' by default' : ''}`,
      ),
      targets: listAt(word(at + layout.TRANSITION_TARGETS)).map((target) =>
        target & layout.TARGET_HISTORY ? symbols.histories[target & 0x7fffffff]!.id : stateName(target),
      ),
    };
  });

  /** Transition numbers by state id. */
  const candidatesOf = (event: number): { readonly [state: string]: readonly number[] } => {
    const at = word(layout.IMAGE_EVENTS) + event * layout.EVENT_SIZE;
    const mask = word(at + layout.EVENT_MASK);
    const rank = word(at + layout.EVENT_RANK);
    const starts = word(at + layout.EVENT_STARTS);
    const found: Record<string, number[]> = {};
    for (let state = 0, seen = 0; state < stateCount; state += 1) {
      if (state % 32 === 0 && select(rank + state / 32) !== seen) throw new Error(`rank of word ${state / 32} is not ${seen}`);
      if (((select(mask + (state >>> 5)) >>> (state & 31)) & 1) === 0) continue;
      const from = select(starts + seen);
      const to = select(starts + seen + 1);
      found[stateName(state)] = Array.from({ length: to - from }, (_, i) => word(word(layout.IMAGE_CANDIDATES) + (from + i) * 4));
      seen += 1;
    }
    return found;
  };

  const histories = Array.from({ length: historyCount }, (_, history) => {
    const at = word(layout.IMAGE_HISTORIES) + history * layout.HISTORY_SIZE;
    const byDefault = half(at + layout.HISTORY_DEFAULT);
    return {
      id: symbols.histories[history]!.id,
      parent: stateName(half(at + layout.HISTORY_PARENT)),
      deep: view.getUint8(at + layout.HISTORY_DEEP) === 1,
      byDefault: byDefault === layout.NONE16 ? 'none' : transitions[byDefault]!.targets,
    };
  });

  const timers = Array.from({ length: timerCount }, (_, timer) => {
    const at = word(layout.IMAGE_TIMERS) + timer * layout.TIMER_SIZE;
    const isConstant = half(at + layout.TIMER_DELAY_KIND) === layout.DELAY_CONST;
    const delay = word(at + layout.TIMER_DELAY);
    return {
      event: eventName(half(at + layout.TIMER_EVENT)),
      state: stateName(half(at + layout.TIMER_STATE)),
      delay: isConstant ? delay : functionName(delay),
    };
  });

  return { states, transitions, histories, timers, candidatesOf, events: symbols.events };
}
