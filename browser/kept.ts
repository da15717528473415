// What a page that keeps what is done in it needs: a secret that only such pages use, a keeper for each mirror, the journal of what it orders
// if that is to be kept too, and heirs of tabs that are gone.

import { LockstepError } from '../core/errors.ts';
import type { Environment } from '../peer/environment.ts';
import type { Journal } from '../peer/journal.ts';
import type { Keep } from '../peer/keeping.ts';
import type { Report } from '../peer/log.ts';
import { claimSecret } from './claim.ts';
import { type HeirsOptions, inherit } from './heirs.ts';
import { openOffline } from './offline.ts';

export interface Kept {
  readonly secret: string;
  readonly keep: Keep;
  /** Of what this tab orders, when that is kept. */
  readonly journal: Journal | undefined;
  /** Sends what tabs that are gone have left. */
  inherit(peer: HeirsOptions['peer']): void;
  /** Writes what is under way, then lets go of the secret. */
  release(): Promise<void>;
}

export interface KeptOptions {
  readonly url: string;
  readonly environment: Environment;
  readonly report: Report;
  /** Whether the instances that it orders are kept too. Such tabs have secrets of their own: whoever becomes one that is gone must order what it ordered. */
  readonly isDurable: boolean;
}

/** @throws DOMException when this page may keep nothing, LockstepError STORAGE when a durable one may not. */
export async function openKept({ url, environment, report, isDurable }: KeptOptions): Promise<Kept> {
  if (isDurable && !('locks' in navigator))
    throw new LockstepError('STORAGE', 'one page alone may write a journal, and a page of an insecure origin has no locks to see to it');
  const offline = await openOffline(url).catch((error: unknown) => {
    throw isDurable ? new LockstepError('STORAGE', `nothing can be kept in this page: ${String(error)}`, { cause: error }) : error;
  });
  const peers = (await offline.peers()).filter((peer) => peer.isDurable === isDurable);
  const claim = await claimSecret(
    `${isDurable ? 'durable' : 'kept'} ${url}`,
    peers.map(({ secret }) => secret),
  );
  const { secret } = claim;
  let journal: Journal | undefined;
  try {
    if (isDurable) journal = await (await import('./journal.ts')).openJournal(secret);
    await offline.enter(secret, isDurable);
  } catch (error) {
    claim.release();
    throw error;
  }
  return {
    secret,
    keep: offline.keep(secret, environment, report),
    journal,
    inherit: (peer) => {
      inherit({ offline, environment, report, peer }).catch((error: unknown) =>
        report('warn', 'what tabs that are gone have left was not sent', error),
      );
    },
    release: async () => {
      await journal?.close();
      claim.release();
    },
  };
}
