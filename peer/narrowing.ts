// Makes a look narrower by a reader's filter: of what the look shows only what was asked for. It is made of the look's own sight, so it can
// never show more. Of one who may see everything the state value is told as the clocks of its states, in their order.

import { LockstepError } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { isSelective, shownValue, shows } from './filter.ts';
import type { Sight } from './sight.ts';
import type { Look, Moment } from './warden.ts';
import type { Filter } from './wire.ts';

const NO_VALUE = Object.freeze({});
const NO_TAGS: readonly string[] = Object.freeze([]);

/** @throws LockstepError BAD_PARAMS when who may see everything names what is no state. */
export function narrowed(look: Look, filter: Filter, machine: Machine): Look {
  const isShallow = filter.clocks === 'shallow';
  const numbers = look.isWhole ? shownStates(filter, machine) : undefined;
  const shown = numbers ?? [sorted(filter.states), sorted(filter.except)];
  const states = numbers?.map((number) => machine.names[number - 1]!);
  return {
    ...look,
    view: `${look.view} ${JSON.stringify([shown, isShallow, filter.context !== false, filter.every ?? null, isSelective(filter)])}`,
    isWhole: false,
    narrow: { every: filter.every, isShallow, states },
    sight: (moment) => {
      const { value, tags, context, ...rest } = look.sight(moment);
      const seen: Sight = {
        ...rest,
        value: numbers === undefined ? shownValue(filter, value) : NO_VALUE,
        tags: isSelective(filter) ? NO_TAGS : tags,
        context: filter.context === false ? NO_VALUE : context,
      };
      return numbers === undefined ? seen : { ...seen, clocks: clocksOf(moment, numbers, isShallow) };
    },
  };
}

function shownStates(filter: Filter, machine: Machine): readonly number[] {
  const { names } = machine;
  const foreign = [...(filter.states ?? []), ...(filter.except ?? [])].find((name) => !names.includes(name));
  if (foreign !== undefined)
    throw new LockstepError(
      'BAD_PARAMS',
      `a filter names the state "${foreign}", and machine ${machine.symbols.id} has none of that key path`,
    );
  return names.flatMap((name, index) => (shows(filter, name) ? [index + 1] : []));
}

function clocksOf({ clocks }: Moment, numbers: readonly number[], isShallow: boolean): readonly number[] {
  return numbers.map((number) => (isShallow ? clocks[number]! % 2 : clocks[number]!));
}

/** The same for filters that mean the same. */
function sorted(names: readonly string[] | undefined): readonly string[] | null {
  return names === undefined ? null : [...new Set(names)].sort();
}
