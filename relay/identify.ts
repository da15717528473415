// Peer ids of a relay in Node: what a secret turns into, the same wherever the relay runs.

import { hash } from 'node:crypto';
import type { PeerId } from '../peer/wire.ts';

/** The first 16 characters of base64url(sha-256(secret)): 96 bits, too many to find another secret for. */
export function identify(secret: string): PeerId {
  return hash('sha256', secret, 'base64url').slice(0, 16);
}
