// What final handlers of a hosted relational machine may tell it: mutations that have their turn behind those that wait, each a step of its own.

import type { EventObject, Json } from '../json.ts';
import { mutation, type MutationKind } from '../mutation.ts';
import { errorArgs } from './limit.ts';
import { list, type Names } from './view.ts';

export interface RelationalSelf {
  readonly id: string;
  send(event: EventObject): void;
  add(states: Names<string>, args?: Json): void;
  remove(states: Names<string>, args?: Json): void;
  set(states: Names<string>, args?: Json): void;
  toggle(states: Names<string>, args?: Json): void;
  addErr(error: unknown): void;
}

export function relationalSelf(id: string, send: (event: EventObject) => void): RelationalSelf {
  const mutate =
    (kind: MutationKind) =>
    (states: Names<string>, args?: Json): void =>
      send(mutation(kind, list(states), args));
  return {
    id,
    send,
    add: mutate('add'),
    remove: mutate('remove'),
    set: mutate('set'),
    toggle: mutate('toggle'),
    addErr: (error) => send(mutation('add', ['Exception'], errorArgs(error))),
  };
}
