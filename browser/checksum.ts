// The checksum of a record of the journal, the same that Node's zlib gives the rows on a server: a CRC-32 (ISO-HDLC), byte by byte over a
// table.

import { placed } from '../peer/journal-record.ts';

/** The polynomial, its bits in the order in which they are shifted out. */
const POLYNOMIAL = 0xedb8_8320;
const BYTE_COUNT = 256;

/** For each byte what its eight bits do to the rest. */
const TABLE = Uint32Array.from({ length: BYTE_COUNT }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
  return rest;
});

/** @returns 0 to 2³²−1. */
export function checksum(name: string, epoch: number, seq: number, body: string): number {
  let rest = 0xffff_ffff;
  for (const byte of new TextEncoder().encode(placed(name, epoch, seq, body))) rest = (rest >>> 8) ^ TABLE[(rest ^ byte) & 0xff]!;
  return ~rest >>> 0;
}
