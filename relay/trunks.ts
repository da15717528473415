// Which trunk speaks for a group of tabs: the one of the highest term, and of equal terms the newest. An older leader that comes to
// itself again finds its socket closed, and cannot have its tabs back.                                                       (TAB-2)

import { CLOSE_REPLACED } from '../peer/link.ts';
import type { Trunk } from '../peer/trunk.ts';
import type { Notifications } from '../peer/wire.ts';

interface Claim {
  readonly trunk: Trunk;
  readonly term: number;
}

export class Trunks {
  readonly #claims = new Map<string, Claim>();
  readonly #groups = new Map<Trunk, string>();

  claim(trunk: Trunk, { group, term }: Notifications['share']): void {
    const held = this.#claims.get(group);
    if (held !== undefined && held.term > term) {
      trunk.close(CLOSE_REPLACED, `term ${term} is over: ${held.term} has begun`);
      return;
    }
    if (held !== undefined && held.trunk !== trunk) {
      this.forget(held.trunk);
      held.trunk.close(CLOSE_REPLACED, `term ${held.term} is over: ${term} has begun`);
    }
    this.forget(trunk);
    this.#claims.set(group, { trunk, term });
    this.#groups.set(trunk, group);
  }

  /** Its link has closed. */
  forget(trunk: Trunk): void {
    const group = this.#groups.get(trunk);
    if (group === undefined) return;
    this.#groups.delete(trunk);
    if (this.#claims.get(group)?.trunk === trunk) this.#claims.delete(group);
  }
}
