// lockstep/react: mirrors in React. Each hook reads through useSyncExternalStore, so that what a page shows is one moment, also under
// concurrent rendering. An actor has the shape that @xstate/react's own useSelector takes.

import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import type { Actor, AnyActor, Standing } from '../core/actor.ts';
import type { AnyMirror, MirrorOf } from '../peer/mirror.ts';
import type { WatchOptions } from '../peer/options.ts';
import type { Peer } from '../peer/peer.ts';
import type { SnapshotOf } from './select.ts';

/**
 * One part of an actor's snapshots; the component renders again when it changes.
 * @param equal whether two parts count as the same; `Object.is` unless given. Parts of the context that did not change are the same objects.
 */
export function useSelector<TActor extends AnyActor, T>(
  actor: TActor,
  selector: (snapshot: SnapshotOf<TActor>) => T,
  equal: (one: T, other: T) => boolean = Object.is,
): T {
  // What was picked last, so that parts that are made anew and equal are the same to React.
  const [picked] = useState<{ value?: { readonly of: T } }>(() => ({}));
  const get = (): T => {
    const next = selector(actor.getSnapshot() as SnapshotOf<TActor>);
    if (picked.value === undefined || !equal(picked.value.of, next)) picked.value = { of: next };
    return picked.value.of;
  };
  const subscribe = useCallback(
    (tell: () => void) => {
      const subscription = actor.subscribe(tell);
      return () => subscription.unsubscribe();
    },
    [actor],
  );
  return useSyncExternalStore(subscribe, get, get);
}

/** The whole snapshot of an actor. */
export function useSnapshot<TContext, TEvent extends { readonly type: string }, TPattern>(
  actor: Actor<TContext, TEvent, TPattern>,
): ReturnType<Actor<TContext, TEvent, TPattern>['getSnapshot']> {
  return useSelector(actor as never, (snapshot) => snapshot) as ReturnType<Actor<TContext, TEvent, TPattern>['getSnapshot']>;
}

/** What a mirror's copy is worth now: `confirmed`, `predicted` or `offline`. */
export function useStanding(mirror: AnyMirror): Standing {
  const subscribe = useCallback(
    (tell: () => void) => {
      const subscription = mirror.onStanding(tell);
      return () => subscription.unsubscribe();
    },
    [mirror],
  );
  const get = (): Standing => mirror.standing;
  return useSyncExternalStore(subscribe, get, get);
}

export type Watched<TMachine> =
  | { readonly status: 'opening' }
  | { readonly status: 'open'; readonly mirror: MirrorOf<TMachine> }
  | { readonly status: 'failed'; readonly error: unknown };

/**
 * A mirror for as long as the component is there. The machine and the options are those of the first render of an instance.
 * @param machine as in `Peer.watch`; so is `options`.
 */
export function useMirror<TMachine>(peer: Peer, instance: string, machine?: TMachine, options: WatchOptions = {}): Watched<TMachine> {
  const [held, setHeld] = useState<{ readonly of: string; readonly watched: Watched<TMachine> }>();
  useEffect(() => {
    let isGone = false;
    let mirror: MirrorOf<TMachine> | undefined;
    peer.watch(instance, machine, options).then(
      (opened) => {
        mirror = opened;
        if (isGone) opened.stop();
        else setHeld({ of: instance, watched: { status: 'open', mirror: opened } });
      },
      (error: unknown) => {
        if (!isGone) setHeld({ of: instance, watched: { status: 'failed', error } });
      },
    );
    return () => {
      isGone = true;
      mirror?.stop();
    };
  }, [peer, instance]);
  return held?.of === instance ? held.watched : { status: 'opening' };
}
