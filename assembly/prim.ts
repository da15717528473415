// What the core needs of the machine below it, in AssemblyScript. assembly/prim-portable.ts exports the same names for the TypeScript
// dialect; tools/bootstrap/dialect.ts swaps the two. Pointers are byte offsets, words are signed 32-bit, sizes of copies multiples of 8.

/**
 * Whether this is the whole core. The small one (tools/bootstrap/core.mjs), which pages load first, refuses images that it has nothing for,
 * takes the long road where the whole one has a short one, and serves neither live hosts nor covering tools.
 */
export const IS_WHOLE: boolean = !isDefined(SMALL);

export function load32(pointer: i32): i32 {
  return load<i32>(pointer);
}

export function store32(pointer: i32, value: i32): void {
  store<i32>(pointer, value);
}

/** Whether the word there and the one behind it are zero. */
export function isZeroPair(pointer: i32): boolean {
  return load<u64>(pointer) === 0;
}

/** Whether the two words at `one` have a bit in common with the two at `other`. */
export function meetPair(one: i32, other: i32): boolean {
  return (load<u64>(one) & load<u64>(other)) !== 0;
}

export function load16(pointer: i32): i32 {
  return load<u16>(pointer) as i32;
}

export function store16(pointer: i32, value: i32): void {
  store<u16>(pointer, value as u16);
}

export function load8(pointer: i32): i32 {
  return load<u8>(pointer) as i32;
}

export function loadNumber(pointer: i32): f64 {
  return load<f64>(pointer);
}

export function storeNumber(pointer: i32, value: f64): void {
  store<f64>(pointer, value);
}

/** 32 for zero. */
export function trailingZeros(word: i32): i32 {
  return ctz<i32>(word);
}

/** Bits above the highest one that is set. */
export function leadingZeros(value: i32): i32 {
  return clz<i32>(value);
}

export function populationCount(word: i32): i32 {
  return popcnt<i32>(word);
}

/** A short loop of 8 bytes each: instances are small, and a bulk copy costs more to begin than they cost to finish. */
export function copyMemory(to: i32, from: i32, size: i32): void {
  if (size > 256) {
    memory.copy(to, from, size);
    return;
  }
  for (let at: i32 = 0; at < size; at += 8) {
    store<i32>(to + at, load<i32>(from + at));
    store<i32>(to + at + 4, load<i32>(from + at + 4));
  }
}

/** Copies a cell as it is written, word by word: the processor makes a load wait that spans several stores before it. */
export function copyPair(to: i32, from: i32): void {
  store<i32>(to, load<i32>(from));
  store<i32>(to + 4, load<i32>(from + 4));
  store<u64>(to + 8, load<u64>(from + 8));
}

/** @param size any number of bytes. */
export function fillMemory(pointer: i32, value: i32, size: i32): void {
  memory.fill(pointer, value as u8, size);
}

/** @param size a multiple of 8. */
export function zeroMemory(pointer: i32, size: i32): void {
  if (size > 256) {
    memory.fill(pointer, 0, size);
    return;
  }
  for (let at: i32 = 0; at < size; at += 8) store<u64>(pointer + at, 0);
}

/** The wrapped 32-bit product. */
export function multiply(a: i32, b: i32): i32 {
  return a * b;
}

/** Where the memory that the compiler does not use begins. */
export function heapBase(): i32 {
  return __heap_base as i32;
}

/** In pages of 64 KiB. */
export function memoryPages(): i32 {
  return memory.size() as i32;
}

/** @returns the pages there were before, 0 when there is no room (a memory without pages is never asked for more). */
export function growMemory(pages: i32): i32 {
  const before: i32 = memory.grow(pages) as i32;
  return before < 0 ? 0 : before;
}

// ── xxh64, see core/xxh64.ts for the source of the algorithm ─────────────────────────────────────────────────────

const PRIME1: u64 = 0x9e3779b185ebca87;
const PRIME2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME3: u64 = 0x165667b19e3779f9;
const PRIME4: u64 = 0x85ebca77c2b2ae63;
const PRIME5: u64 = 0x27d4eb2f165667c5;

function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * PRIME2, 31) * PRIME1;
}

function merge(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * PRIME1 + PRIME4;
}

/** Writes the hash of `size` bytes, low word first, to the 8 bytes at `out`. */
export function hash64(pointer: i32, size: i32, seedLow: i32, seedHigh: i32, out: i32): void {
  const seed: u64 = ((seedHigh as u32 as u64) << 32) | (seedLow as u32 as u64);
  const end: i32 = pointer + size;
  let at: i32 = pointer;
  let hash: u64 = seed + PRIME5;
  if (size >= 32) {
    let lane1: u64 = seed + PRIME1 + PRIME2;
    let lane2: u64 = seed + PRIME2;
    let lane3: u64 = seed;
    let lane4: u64 = seed - PRIME1;
    for (; at + 32 <= end; at += 32) {
      lane1 = round(lane1, load<u64>(at));
      lane2 = round(lane2, load<u64>(at + 8));
      lane3 = round(lane3, load<u64>(at + 16));
      lane4 = round(lane4, load<u64>(at + 24));
    }
    hash = rotl<u64>(lane1, 1) + rotl<u64>(lane2, 7) + rotl<u64>(lane3, 12) + rotl<u64>(lane4, 18);
    hash = merge(merge(merge(merge(hash, lane1), lane2), lane3), lane4);
  }
  hash += size as u64;
  for (; at + 8 <= end; at += 8) hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * PRIME1 + PRIME4;
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ ((load<u32>(at) as u64) * PRIME1), 23) * PRIME2 + PRIME3;
    at += 4;
  }
  for (; at < end; at += 1) hash = rotl<u64>(hash ^ ((load<u8>(at) as u64) * PRIME5), 11) * PRIME1;
  hash = (hash ^ (hash >> 33)) * PRIME2;
  hash = (hash ^ (hash >> 29)) * PRIME3;
  store<u64>(out, hash ^ (hash >> 32));
}
