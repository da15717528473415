// xxh64 over bytes, for everything outside the core that names bytes by their content: image hashes above all. The core has its own
// copy for digests; vectors keep the two equal. 64-bit arithmetic is BigInt here, which is fine off the hot path (about 5 MB/s).
// Algorithm: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, XXH64.

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;
const STRIPE_SIZE = 32;

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint): bigint => wrap(value << bits) | (value >> (64n - bits));
const round = (lane: bigint, input: bigint): bigint => wrap(rotate(wrap(lane + input * PRIME2), 31n) * PRIME1);
const merge = (hash: bigint, lane: bigint): bigint => wrap((hash ^ round(0n, lane)) * PRIME1 + PRIME4);

/** @returns the 64-bit hash of `bytes`. */
export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { hash, offset } = stripes(view, seed);
  return avalanche(tail(view, offset, wrap(hash + BigInt(bytes.length))));
}

/** @returns the hash as 16 hex digits, high word first: how hashes look in names, frames and logs. */
export function hashText(hash: bigint): string {
  return hash.toString(16).padStart(16, '0');
}

/** Consumes whole stripes of four 8-byte lanes. */
function stripes(view: DataView, seed: bigint): { hash: bigint; offset: number } {
  if (view.byteLength < STRIPE_SIZE) return { hash: wrap(seed + PRIME5), offset: 0 };
  let lane1 = wrap(seed + PRIME1 + PRIME2);
  let lane2 = wrap(seed + PRIME2);
  let lane3 = seed;
  let lane4 = wrap(seed - PRIME1);
  let offset = 0;
  for (; offset + STRIPE_SIZE <= view.byteLength; offset += STRIPE_SIZE) {
    lane1 = round(lane1, view.getBigUint64(offset, true));
    lane2 = round(lane2, view.getBigUint64(offset + 8, true));
    lane3 = round(lane3, view.getBigUint64(offset + 16, true));
    lane4 = round(lane4, view.getBigUint64(offset + 24, true));
  }
  const sum = wrap(rotate(lane1, 1n) + rotate(lane2, 7n) + rotate(lane3, 12n) + rotate(lane4, 18n));
  return { hash: merge(merge(merge(merge(sum, lane1), lane2), lane3), lane4), offset };
}

/** The fewer than 32 bytes behind the last stripe: by eights, then one four, then single bytes. */
function tail(view: DataView, start: number, seeded: bigint): bigint {
  let hash = seeded;
  let offset = start;
  for (; offset + 8 <= view.byteLength; offset += 8) {
    hash = wrap(rotate(hash ^ round(0n, view.getBigUint64(offset, true)), 27n) * PRIME1 + PRIME4);
  }
  if (offset + 4 <= view.byteLength) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint32(offset, true)) * PRIME1), 23n) * PRIME2 + PRIME3);
    offset += 4;
  }
  for (; offset < view.byteLength; offset += 1) {
    hash = wrap(rotate(hash ^ wrap(BigInt(view.getUint8(offset)) * PRIME5), 11n) * PRIME1);
  }
  return hash;
}

function avalanche(input: bigint): bigint {
  let hash = input;
  hash = wrap((hash ^ (hash >> 33n)) * PRIME2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME3);
  return hash ^ (hash >> 32n);
}
