// The events of a definition and, for each, which transitions of which state are candidates, in the order in which they are asked.
// Number 0 is the unknown type. Every named type and every wildcard descriptor is an event; types appear in document order.
// Candidates of a type: those listed under it exactly, then those under wildcards that take it, the longest descriptor first. In SCXML every
// descriptor takes longer names too (the dialect writes it as a wildcard), and document order alone decides.

import { eventResolver, isWildcard, matchesDescriptor } from '../core/descriptor.ts';
import type { State, Tree } from './tree.ts';

export interface Events {
  /** By event number; '' for event 0. */
  readonly types: readonly string[];
  /** The number of any event type at all. */
  numberOf(type: string): number;
  /** Number of the event that this state raises when it completes. */
  doneEvent(state: State): number | undefined;
}

/** Transition numbers by state number, ascending by state. */
export type Candidates = ReadonlyMap<number, readonly number[]>;

export function collectEvents(tree: Tree, donePrefix: string): Events {
  const doneType = (state: State): string => donePrefix + state.definition.id;
  const types = new Set<string>(['']);
  for (const state of tree.states) {
    for (const { descriptor } of state.definition.on) types.add(descriptor);
    for (const timer of state.definition.timers) types.add(timer.event);
    if (canComplete(state)) types.add(doneType(state));
  }
  const list = [...types];
  const numberOf = eventResolver(list);
  return {
    types: list,
    numberOf,
    doneEvent: (state) => (canComplete(state) ? numberOf(doneType(state)) : undefined),
  };
}

/** What the type of the event begins with that a completed state raises; its id follows. */
export const DONE_PREFIX = { xstate: 'xstate.done.state.', scxml: 'done.state.' } as const;

/**
 * @param listed transition numbers by state, then by descriptor.
 * @param inDocumentOrder whether candidates are asked by their numbers, not by how exactly their descriptor names the type.
 * @returns a function from an event type to its candidates.
 */
export function candidateFinder(
  listed: ReadonlyMap<State, ReadonlyMap<string, readonly number[]>>,
  inDocumentOrder: boolean,
): (type: string) => Candidates {
  const byDescriptor = new Map<string, Map<number, readonly number[]>>();
  for (const [state, descriptors] of listed) {
    for (const [descriptor, transitions] of descriptors) {
      const states = byDescriptor.get(descriptor) ?? new Map<number, readonly number[]>();
      byDescriptor.set(descriptor, states.set(state.number, transitions));
    }
  }
  const wildcards = [...byDescriptor.keys()].filter(isWildcard).sort((a, b) => b.length - a.length);
  return (type) => {
    const found = new Map<number, number[]>();
    const takers = wildcards.filter((descriptor) => descriptor !== type && matchesDescriptor(type, descriptor));
    for (const descriptor of [type, ...takers]) {
      for (const [state, transitions] of byDescriptor.get(descriptor) ?? []) {
        if (transitions.length > 0) found.set(state, [...(found.get(state) ?? []), ...transitions]);
      }
    }
    if (inDocumentOrder)
      for (const [state, transitions] of found)
        found.set(
          state,
          [...new Set(transitions)].sort((a, b) => a - b),
        );
    return new Map([...found].sort(([a], [b]) => a - b));
  };
}

/** A compound completes when a final child is entered, a parallel when all its regions have completed. */
function canComplete(state: State): boolean {
  const { kind } = state.definition;
  if (kind === 'compound') return state.children.some((child) => child.definition.kind === 'final');
  return kind === 'parallel' && state.children.every((child) => child.definition.kind === 'final' || canComplete(child));
}
