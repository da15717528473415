// Watching one part of a mirror, or of any actor, without a framework.

import type { AnyActor, Subscription } from '../core/actor.ts';

export type SnapshotOf<TActor extends AnyActor> = ReturnType<TActor['getSnapshot']>;

/**
 * Tells each new value of one part of an actor's snapshots; the present one is `selector(actor.getSnapshot())`.
 * @param selector picks the part. Parts of the context that did not change are the same objects, so that picking one is enough.
 * @param equal whether two values count as the same; `Object.is` unless given.
 */
export function select<TActor extends AnyActor, T>(
  actor: TActor,
  selector: (snapshot: SnapshotOf<TActor>) => T,
  callback: (value: T, before: T) => void,
  equal: (one: T, other: T) => boolean = Object.is,
): Subscription {
  let value = selector(actor.getSnapshot() as SnapshotOf<TActor>);
  return actor.subscribe((snapshot) => {
    const next = selector(snapshot as SnapshotOf<TActor>);
    if (equal(value, next)) return;
    const before = value;
    value = next;
    callback(next, before);
  });
}
