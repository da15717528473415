// What people call peers and events, and what is meant. Pure.

import { LockstepError } from '../../core/errors.ts';
import type { Machine } from '../../core/machine.ts';
import type { PeerInfo } from '../../peer/wire.ts';

/**
 * A peer by its id, by its name, or by the beginning of either where that is enough; `server` is the server.
 * @throws LockstepError UNKNOWN_PEER naming those there are, or those that may be meant.
 */
export function findPeer(reference: string, peers: readonly PeerInfo[]): PeerInfo {
  const exact = peers.filter(
    ({ peer, name, kind }) => peer === reference || name === reference || (reference === 'server' && kind === 'server'),
  );
  const found = exact.length > 0 ? exact : peers.filter(({ peer, name }) => peer.startsWith(reference) || name.startsWith(reference));
  if (found.length === 1) return found[0]!;
  const names = (found.length === 0 ? peers : found).map(({ peer, name }) => (name === '' ? peer : `${name} (${peer})`)).join(', ');
  const sentence =
    found.length === 0 ? `no peer is called "${reference}"; there are ${names}` : `"${reference}" may be ${names}: say which by its id`;
  throw new LockstepError('UNKNOWN_PEER', sentence);
}

/** The event types that a person may send. */
export function eventsOf({ symbols }: Machine): string[] {
  return symbols.events.filter((type) => type !== '' && !type.startsWith('xstate.') && !type.includes('*'));
}
