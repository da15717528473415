// What the type of an author's machine says about its actors. Read from the shape that XState's logics have, so that nothing of XState is
// imported: a definition without such a shape (JSON, an image) leaves the types open.

import type { EventObject, Json } from './json.ts';

interface Logic<TSnapshot, TEvent> {
  transition(snapshot: never, event: TEvent, scope: never): TSnapshot;
}

type SnapshotOf<TMachine> = TMachine extends Logic<infer TSnapshot, never> ? TSnapshot : never;

/** The context of a machine's snapshots. */
export type ContextOf<TMachine> = [SnapshotOf<TMachine>] extends [never]
  ? Json
  : SnapshotOf<TMachine> extends { readonly context: infer TContext }
    ? TContext
    : Json;

/** The events that a machine takes. */
export type EventOf<TMachine> = TMachine extends { transition(snapshot: never, event: infer TEvent, scope: never): unknown }
  ? TEvent extends { readonly type: string }
    ? TEvent
    : EventObject
  : EventObject;

/** What `matches` can be asked. */
export type PatternOf<TMachine> = [SnapshotOf<TMachine>] extends [never]
  ? Json
  : SnapshotOf<TMachine> extends { matches(this: never, pattern: infer TPattern): boolean }
    ? TPattern
    : Json;
