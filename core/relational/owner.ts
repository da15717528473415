// What final handlers of a hosted relational machine may tell it: mutations that have their turn behind those that wait, each a step of its own.

import type { EventObject, Json } from '../json.ts';
import { mutation, type MutationKind } from '../mutation.ts';
import { errorArgs } from './limit.ts';
import { list, type Names } from './view.ts';

export interface RelationalSelf {
  readonly id: string;
  send(event: EventObject): void;
  /** To the machine that invoked it. */
  sendParent(event: EventObject): void;
  /** To the actor of a state, while it runs. */
  sendTo(state: string, event: EventObject): void;
  add(states: Names<string>, args?: Json): void;
  remove(states: Names<string>, args?: Json): void;
  set(states: Names<string>, args?: Json): void;
  toggle(states: Names<string>, args?: Json): void;
  addErr(error: unknown): void;
}

export function relationalSelf({ id, send, ...others }: Pick<RelationalSelf, 'id' | 'send' | 'sendParent' | 'sendTo'>): RelationalSelf {
  const mutate =
    (kind: MutationKind) =>
    (states: Names<string>, args?: Json): void =>
      send(mutation(kind, list(states), args));
  return {
    id,
    send,
    ...others,
    add: mutate('add'),
    remove: mutate('remove'),
    set: mutate('set'),
    toggle: mutate('toggle'),
    addErr: (error) => send(mutation('add', ['Exception'], errorArgs(error))),
  };
}
