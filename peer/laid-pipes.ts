// Pipes between instances, for as long as somebody wants them: laid as soon as both can be watched, ended with one call. As the actor of a
// state they outlive restarts: the state is in the journal, and an authority that comes back begins its actor again. (docs/relational.md, Pipes)

import type { Pipe } from '../core/relational/pipes.ts';
import type { Peer } from './peer.ts';
import { RelationalMirror } from './relational-mirror.ts';
import type { InstanceId } from './wire.ts';

export interface LaidBetween {
  readonly source: InstanceId;
  readonly target: InstanceId;
  /** Lays the pipes, then calls `sync` if what is so already is to be so there, too. */
  lay(source: RelationalMirror, target: RelationalMirror): Pipe | readonly Pipe[];
  /** Hears why they cannot be laid: one of them may not be watched, or has not the states. */
  failed?(error: unknown): void;
}

/**
 * Lays pipes between two instances, wherever they are ordered; waits while one of them is not there yet.                       (REL-41)
 * @param peer who watches them; a promise while it comes up, because actors of states begin before that.
 * @returns what ends them, also before they are laid.
 */
export function layBetween(peer: Peer | PromiseLike<Peer>, { source, target, lay, failed }: LaidBetween): () => void {
  let isOver = false;
  const ends: (() => void)[] = [];
  const end = (): void => {
    isOver = true;
    for (const each of ends.splice(0).reverse()) each();
  };
  const face = async (instance: InstanceId): Promise<RelationalMirror> => {
    const mirror = await (await peer).watch(instance, undefined, { isPatient: true });
    ends.push(() => mirror.stop());
    const opened = new RelationalMirror(mirror);
    ends.push(() => opened.dispose());
    return opened;
  };
  Promise.all([face(source), face(target)])
    .then(([from, to]) => {
      if (isOver) return end();
      for (const pipe of [lay(from, to)].flat()) ends.push(() => pipe.unsubscribe());
    })
    .catch((error: unknown) => {
      end();
      failed?.(error);
    });
  return end;
}
