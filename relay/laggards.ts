// Readers that have missed room frames because they read too slowly. Links do not say when they drain, so they are looked at now and then,
// only while there are any; one that has caught up is told once which rooms it missed something of, and its mirrors resume by themselves.

import { encodeNotice } from '../peer/codec-json.ts';
import type { Environment } from '../peer/environment.ts';
import { joinFrame } from '../peer/frame.ts';
import type { Neighbour } from './neighbour.ts';

const DRAIN_POLL_MS = 50;

export class Laggards {
  readonly #environment: Environment;
  readonly #lagging = new Set<Neighbour>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  add(neighbour: Neighbour): void {
    if (this.#lagging.has(neighbour)) return;
    this.#lagging.add(neighbour);
    if (this.#lagging.size === 1) this.#poll();
  }

  /** It is gone. */
  delete(neighbour: Neighbour): void {
    this.#lagging.delete(neighbour);
  }

  #poll(): void {
    this.#environment.timer(DRAIN_POLL_MS, () => {
      for (const neighbour of [...this.#lagging]) if (neighbour.hasDrained) this.#tell(neighbour);
      if (this.#lagging.size > 0) this.#poll();
    });
  }

  #tell(neighbour: Neighbour): void {
    this.#lagging.delete(neighbour);
    const notice = encodeNotice('lagging', neighbour.takeMissed());
    neighbour.send(neighbour.standing.state === 'plain' ? notice : joinFrame('', notice));
  }
}
