// What the core needs of the machine below it, in TypeScript over typed arrays: the twin of assembly/prim.ts, bit for bit. There is one
// memory per load of this module; core/dialect.ts hands it out. Never seen by asc.

const PAGE_SIZE = 65536;
const PAGES_MAX = 16384;
const HEAP_BASE = 64;

export const IS_WHOLE = true;

let buffer = new ArrayBuffer(PAGE_SIZE);
let words = new Int32Array(buffer);
let halves = new Uint16Array(buffer);
let octets = new Uint8Array(buffer);
let numbers = new Float64Array(buffer);
let pages = 1;

/** Has the shape of WebAssembly.Memory: `buffer` is another one after growth. */
export const memory = {
  get buffer(): ArrayBuffer {
    return buffer;
  },
};

export function load32(pointer: number): number {
  return words[pointer >>> 2]!;
}

export function store32(pointer: number, value: number): void {
  words[pointer >>> 2] = value;
}

export function isZeroPair(pointer: number): boolean {
  return (load32(pointer) | load32(pointer + 4)) === 0;
}

export function meetPair(one: number, other: number): boolean {
  return ((load32(one) & load32(other)) | (load32(one + 4) & load32(other + 4))) !== 0;
}

export function load16(pointer: number): number {
  return halves[pointer >>> 1]!;
}

export function store16(pointer: number, value: number): void {
  halves[pointer >>> 1] = value;
}

export function load8(pointer: number): number {
  return octets[pointer]!;
}

export function loadNumber(pointer: number): number {
  return numbers[pointer >>> 3]!;
}

export function storeNumber(pointer: number, value: number): void {
  numbers[pointer >>> 3] = value;
}

export function trailingZeros(word: number): number {
  return word === 0 ? 32 : 31 - Math.clz32(word & -word);
}

export function leadingZeros(value: i32): i32 {
  return Math.clz32(value);
}

export function populationCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export function copyMemory(to: number, from: number, size: number): void {
  words.copyWithin(to >>> 2, from >>> 2, (from + size) >>> 2);
}

export function copyPair(to: number, from: number): void {
  const target = to >>> 2;
  const source = from >>> 2;
  words[target] = words[source]!;
  words[target + 1] = words[source + 1]!;
  words[target + 2] = words[source + 2]!;
  words[target + 3] = words[source + 3]!;
}

export function fillMemory(pointer: number, value: number, size: number): void {
  octets.fill(value, pointer, pointer + size);
}

export function zeroMemory(pointer: number, size: number): void {
  words.fill(0, pointer >>> 2, (pointer + size) >>> 2);
}

export function multiply(a: number, b: number): number {
  return Math.imul(a, b);
}

export function heapBase(): number {
  return HEAP_BASE;
}

export function memoryPages(): number {
  return pages;
}

export function growMemory(more: number): number {
  const before = pages;
  if (before + more > PAGES_MAX) return 0;
  let grown: ArrayBuffer;
  try {
    grown = new ArrayBuffer((before + more) * PAGE_SIZE);
  } catch {
    return 0; // The engine has no room; the core answers FAULT_MEMORY as the WASM build does.
  }
  octets = new Uint8Array(grown);
  octets.set(new Uint8Array(buffer));
  // Detached, as a WebAssembly memory's old buffer is: that is how the loader sees that its views are stale.
  structuredClone(buffer, { transfer: [buffer] });
  buffer = grown;
  words = new Int32Array(buffer);
  halves = new Uint16Array(buffer);
  numbers = new Float64Array(buffer);
  pages = before + more;
  return before;
}

// ── xxh64 in halves of 32 bits. Every function leaves its 64-bit result in (low, high). ──────────────────────────

const PRIME1 = [0x85ebca87 | 0, 0x9e3779b1 | 0] as const;
const PRIME2 = [0x27d4eb4f | 0, 0xc2b2ae3d | 0] as const;
const PRIME3 = [0x9e3779f9 | 0, 0x165667b1 | 0] as const;
const PRIME4 = [0xc2b2ae63 | 0, 0x85ebca77 | 0] as const;
const PRIME5 = [0x165667c5 | 0, 0x27d4eb2f | 0] as const;

type Constant = readonly [low: number, high: number];

let low = 0;
let high = 0;

function set(valueLow: number, valueHigh: number): void {
  low = valueLow | 0;
  high = valueHigh | 0;
}

function add(otherLow: number, otherHigh: number): void {
  const sum = (low >>> 0) + (otherLow >>> 0);
  high = (high + otherHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  low = sum | 0;
}

function multiplyWide([otherLow, otherHigh]: Constant): void {
  const high1 = multiplyHigh(low, otherLow) + Math.imul(low, otherHigh) + Math.imul(high, otherLow);
  low = Math.imul(low, otherLow);
  high = high1 | 0;
}

/** The upper 32 bits of the product of two unsigned words. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = (middle & 0xffff) + a0 * b1;
  return (a1 * b1 + (middle >>> 16) + (carry >>> 16)) | 0;
}

/** @param bits 1 to 31. */
function rotate(bits: number): void {
  set((low << bits) | (high >>> (32 - bits)), (high << bits) | (low >>> (32 - bits)));
}

/** @param bits 29, 32 or 33, as the avalanche needs them. */
function mixDown(bits: number): void {
  if (bits < 32) set(low ^ ((low >>> bits) | (high << (32 - bits))), high ^ (high >>> bits));
  else low ^= high >>> (bits - 32);
}

function round(laneLow: number, laneHigh: number, inputLow: number, inputHigh: number): void {
  set(inputLow, inputHigh);
  multiplyWide(PRIME2);
  add(laneLow, laneHigh);
  rotate(31);
  multiplyWide(PRIME1);
}

function fold(hashLow: number, hashHigh: number, inputLow: number, inputHigh: number): void {
  round(0, 0, inputLow, inputHigh);
  low ^= hashLow;
  high ^= hashHigh;
}

/** Bytes at any alignment, as a little-endian word. */
function wordAt(pointer: number): number {
  if ((pointer & 3) === 0) return words[pointer >>> 2]!;
  return octets[pointer]! | (octets[pointer + 1]! << 8) | (octets[pointer + 2]! << 16) | (octets[pointer + 3]! << 24);
}

export function hash64(pointer: number, size: number, seedLow: number, seedHigh: number, out: number): void {
  const end = pointer + size;
  let at = pointer;
  set(seedLow, seedHigh);
  if (size >= 32) at = stripes(pointer, end, seedLow, seedHigh);
  else add(PRIME5[0], PRIME5[1]);
  add(size, 0);
  for (; at + 8 <= end; at += 8) {
    fold(low, high, wordAt(at), wordAt(at + 4));
    rotate(27);
    multiplyWide(PRIME1);
    add(PRIME4[0], PRIME4[1]);
  }
  if (at + 4 <= end) {
    mixWith(wordAt(at), PRIME1);
    rotate(23);
    multiplyWide(PRIME2);
    add(PRIME3[0], PRIME3[1]);
    at += 4;
  }
  for (; at < end; at += 1) {
    mixWith(octets[at]!, PRIME5);
    rotate(11);
    multiplyWide(PRIME1);
  }
  mixDown(33);
  multiplyWide(PRIME2);
  mixDown(29);
  multiplyWide(PRIME3);
  mixDown(32);
  words[out >>> 2] = low;
  words[(out >>> 2) + 1] = high;
}

/** hash ^= input * prime */
function mixWith(input: number, prime: Constant): void {
  const hashLow = low;
  const hashHigh = high;
  set(input, 0);
  multiplyWide(prime);
  low ^= hashLow;
  high ^= hashHigh;
}

/** Consumes whole stripes of four 8-byte lanes, leaves the merged lanes in (low, high). @returns where the tail begins. */
function stripes(pointer: number, end: number, seedLow: number, seedHigh: number): number {
  const lanes = new Int32Array(8);
  const put = (lane: number): void => {
    lanes[lane * 2] = low;
    lanes[lane * 2 + 1] = high;
  };
  set(seedLow, seedHigh);
  put(2);
  add(PRIME2[0], PRIME2[1]);
  put(1);
  add(PRIME1[0], PRIME1[1]);
  put(0);
  // seed - prime = seed + ~prime + 1
  set(seedLow, seedHigh);
  add(~PRIME1[0], ~PRIME1[1]);
  add(1, 0);
  put(3);
  let at = pointer;
  for (; at + 32 <= end; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      round(lanes[lane * 2]!, lanes[lane * 2 + 1]!, wordAt(at + lane * 8), wordAt(at + lane * 8 + 4));
      put(lane);
    }
  }
  let sumLow = 0;
  let sumHigh = 0;
  for (const [lane, bits] of LANE_ROTATIONS) {
    set(lanes[lane * 2]!, lanes[lane * 2 + 1]!);
    rotate(bits);
    add(sumLow, sumHigh);
    sumLow = low;
    sumHigh = high;
  }
  for (let lane = 0; lane < 4; lane++) {
    fold(low, high, lanes[lane * 2]!, lanes[lane * 2 + 1]!);
    multiplyWide(PRIME1);
    add(PRIME4[0], PRIME4[1]);
  }
  return at;
}

const LANE_ROTATIONS = [
  [0, 1],
  [1, 7],
  [2, 12],
  [3, 18],
] as const;
