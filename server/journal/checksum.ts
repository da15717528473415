// The checksum of a row of the journal: over the place where it stands as well as over its words, so that a row in the wrong place is as
// wrong as a row with the wrong words.

import { crc32 } from 'node:zlib';
import { LockstepError } from '../../core/errors.ts';

/** @returns a CRC-32, 0 to 2³²−1. */
export function checksum(name: string, epoch: number, seq: number, body: string): number {
  return crc32(`${name}\n${epoch}\n${seq}\n${body}`);
}

/** @throws LockstepError CORRUPT, which names `what`. */
export function verify(found: number, expected: number, what: string): void {
  if (found !== expected)
    throw new LockstepError('CORRUPT', `${what}: the checksum in the journal is ${found}, that of the words is ${expected}`);
}
