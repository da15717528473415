// What readers are told of a mutation's args: nothing, unless every state that it calls says that they are public.

import type { EventObject, Json } from '../json.ts';
import type { Machine } from '../machine.ts';
import { EXCEPTION_EVENT, isMutation, type Mutation } from '../mutation.ts';
import { isFields } from '../fields.ts';

/**
 * The part of a mutation's args that everyone who may read the instance may see.                                 (REL-28)
 * @returns undefined when there is none, and for events of statecharts.
 */
export function toldArgs(machine: Machine, event: EventObject): Json | undefined {
  if (!isMutation(event.type)) return undefined;
  const { type, states, args } = event as Mutation;
  if (args === undefined || (states.length === 0 && type !== EXCEPTION_EVENT)) return undefined;
  // What it names is taken back; what it calls is Exception.
  const called = type === EXCEPTION_EVENT ? ['Exception'] : states;
  const told = called.map((name) => machine.symbols.states[machine.stateNumber(name)]?.publicArgs);
  if (told.every((each) => each === true)) return args;
  if (!isFields(args)) return undefined;
  const isTold = (field: string): boolean => told.every((each) => each === true || each?.includes(field) === true);
  const fields = Object.entries(args).filter(([field]) => isTold(field));
  return fields.length === 0 ? undefined : (Object.fromEntries(fields) as Json);
}
