// The numbered tree of a definition: states in document pre-order, history nodes counted apart. A state's descendants are the numbers
// (number, end], so every question about ancestry is two comparisons; the image keeps that property for the core.

import { LockstepError } from '../core/errors.ts';
import type { Definition, HistoryDefinition, StateDefinition } from './definition.ts';

export interface State {
  readonly definition: StateDefinition;
  readonly number: number;
  readonly parent: State | undefined;
  readonly children: readonly State[];
  readonly histories: readonly History[];
  /** The last descendant, the state itself when it has none. */
  readonly end: number;
}

export interface History {
  readonly definition: HistoryDefinition;
  readonly number: number;
  readonly parent: State;
}

export interface Tree {
  /** By number; 0 is the root. */
  readonly states: readonly State[];
  readonly histories: readonly History[];
  /** @throws LockstepError BAD_DEFINITION when `id` names nothing; `path` is the place that names it. */
  find(id: string, path: string): State | History;
}

export const isHistory = (node: State | History): node is History => node.definition.kind === 'history';

export const isDescendant = (state: State, ancestor: State): boolean => state.number > ancestor.number && state.number <= ancestor.end;

/** @throws LockstepError BAD_DEFINITION when two nodes have the same id. */
export function numberTree(definition: Definition): Tree {
  const states: State[] = [];
  const histories: History[] = [];
  const ids = new Map<string, State | History>();

  const register = (node: State | History): void => {
    const other = ids.get(node.definition.id);
    if (other !== undefined) {
      throw bad(definition.id, node.definition.path, `the id '${node.definition.id}' is taken by ${other.definition.path || 'the root'}`);
    }
    ids.set(node.definition.id, node);
  };

  const visit = (source: StateDefinition, parent: State | undefined): State => {
    const children: State[] = [];
    const own: History[] = [];
    const state = { definition: source, number: states.length, parent, children, histories: own, end: states.length };
    states.push(state);
    register(state);
    for (const child of source.children) {
      if (child.kind === 'history') {
        const history = { definition: child, number: histories.length, parent: state };
        histories.push(history);
        own.push(history);
        register(history);
      } else {
        children.push(visit(child, state));
      }
    }
    state.end = states.length - 1;
    return state;
  };
  visit(definition.root, undefined);

  return {
    states,
    histories,
    find(id, path) {
      const node = ids.get(id);
      if (node === undefined) throw bad(definition.id, path, `no state has the id '${id}'`);
      return node;
    },
  };
}

/** A refusal in the one form that all of the compiler uses: machine, JSON pointer, reason. */
export function bad(machine: string, path: string, reason: string): LockstepError {
  return new LockstepError('BAD_DEFINITION', `machine '${machine}', ${path || '/'}: ${reason}`);
}

export function unsupported(machine: string, path: string, reason: string): LockstepError {
  return new LockstepError('UNSUPPORTED', `machine '${machine}', ${path || '/'}: ${reason}`);
}
