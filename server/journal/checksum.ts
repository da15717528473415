// The checksum of a row of the journal: over the place where it stands as well as over its words (peer/journal-record.ts), by Node's own CRC-32.

import { crc32 } from 'node:zlib';
import { placed } from '../../peer/journal-record.ts';

/** @returns a CRC-32, 0 to 2³²−1. */
export function checksum(name: string, epoch: number, seq: number, body: string): number {
  return crc32(placed(name, epoch, seq, body));
}
