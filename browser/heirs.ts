// Tabs that are gone may have left events that nobody answered. A tab that opens becomes one of those peers itself (claim.ts); for the others
// it sends what they left, as them, under their numbers. Not for those that kept what they ordered: whoever is such a peer has to order
// it, so what they left waits until a tab becomes them.                                    (KEEP-6, KEEP-7)

import { secretLock } from './claim.ts';
import type { Environment } from '../peer/environment.ts';
import type { Keep } from '../peer/keeping.ts';
import type { Report } from '../peer/log.ts';
import type { Peer } from '../peer/peer.ts';
import type { Offline, Orphan } from './offline.ts';

/** Milliseconds between two looks at what is left to send. */
const LOOK_MS = 200;

export interface HeirsOptions {
  readonly offline: Offline;
  readonly environment: Environment;
  readonly report: Report;
  /** A peer with another one's secret. */
  readonly peer: (secret: string, keep: Keep) => Peer;
}

/** Sends what tabs that are gone have left. Resolves when it has arrived. */
export async function inherit(options: HeirsOptions): Promise<void> {
  for (const orphan of await options.offline.peers()) {
    if (orphan.isDurable || orphan.instances.length === 0) continue;
    await navigator.locks.request(secretLock(orphan.secret), { ifAvailable: true }, async (lock) => {
      // Its tab is alive, or another one sends for it.
      if (lock !== null) await send(orphan, options);
    });
  }
}

async function send({ secret, instances }: Orphan, { offline, environment, report, peer }: HeirsOptions): Promise<void> {
  const heir = peer(secret, offline.keep(secret, environment, report));
  for (const instance of instances) {
    const mirror = await heir.watch(instance, undefined, { isPatient: true });
    mirror.onRefused(({ event, error }) => report('warn', `"${event.type}" of a tab that is gone was refused by ${instance}`, error));
    while (mirror.unconfirmedCount > 0) await new Promise((look) => setTimeout(look, LOOK_MS));
  }
  await heir.close();
}
