// What a page that keeps its mirrors needs: a secret that only such pages use, a keeper for each mirror, and heirs of tabs that are gone.

import type { Environment } from '../peer/environment.ts';
import type { Keep } from '../peer/keeping.ts';
import type { Report } from '../peer/log.ts';
import { type Claim, claimSecret } from './claim.ts';
import { type HeirsOptions, inherit } from './heirs.ts';
import { openOffline } from './offline.ts';

export interface Kept {
  readonly claim: Claim;
  readonly keep: Keep;
  /** Sends what tabs that are gone have left. */
  inherit(peer: HeirsOptions['peer']): void;
}

/** @throws DOMException when this page may keep nothing. */
export async function openKept(url: string, environment: Environment, report: Report): Promise<Kept> {
  const offline = await openOffline(url);
  const peers = await offline.peers();
  const claim = await claimSecret(
    `kept ${url}`,
    peers.map(({ secret }) => secret),
  );
  await offline.enter(claim.secret);
  return {
    claim,
    keep: offline.keep(claim.secret, environment, report),
    inherit: (peer) => {
      inherit({ offline, environment, report, peer }).catch((error: unknown) =>
        report('warn', 'what tabs that are gone have left was not sent', error),
      );
    },
  };
}
