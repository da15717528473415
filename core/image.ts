// Reads an image in TypeScript: header, names, counts. The gate for images as files and messages; whether the tables inside are sound is
// for the core's validator to say, which runs on load. Layout: assembly/layout.ts, docs/IMAGE.md.

import * as layout from '../assembly/layout.ts';
import { LockstepError } from './errors.ts';
import { isFields } from './fields.ts';
import type { DebugSymbols, Symbols } from './symbols.ts';
import { hashText } from './xxh64.ts';

export interface ImageHeader {
  /** 16 hex digits, high word first; computed, and equal to the one in the header. */
  readonly hash: string;
  readonly symbols: Symbols;
  /** Absent when the debug section was cut off. */
  readonly debug?: DebugSymbols;
  readonly semantics: number;
  readonly fuel: number;
  readonly stateCount: number;
  readonly eventCount: number;
  readonly transitionCount: number;
  readonly historyCount: number;
  readonly timerCount: number;
  readonly raiseCount: number;
  readonly functionCount: number;
  readonly programCount: number;
  readonly cellCount: number;
  readonly constantCount: number;
}

/** xxh64 of bytes, seed 0: a core's own, or that of xxh64.ts where there is no core. */
export type HashBytes = (bytes: Uint8Array) => bigint;

/**
 * Reads an image.                                                                               (IMAGE-1)
 * @param expectedHash the hash it was asked for by, if it was.
 * @throws LockstepError BAD_IMAGE saying what was expected and what was found.
 */
export function readImage(bytes: Uint8Array, hashBytes: HashBytes, expectedHash?: string): ImageHeader {
  if (bytes.length < layout.HEADER_SIZE) throw badImage(`at least ${layout.HEADER_SIZE} bytes`, `${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number): number => view.getUint32(offset, true);
  expect('magic', layout.MAGIC, word(layout.IMAGE_MAGIC));
  expect('format', layout.FORMAT, word(layout.IMAGE_FORMAT));
  expect('size', bytes.length, word(layout.IMAGE_SIZE));
  const hashedSize = word(layout.IMAGE_HASHED_SIZE);
  if (hashedSize < layout.HEADER_SIZE || hashedSize > bytes.length || hashedSize % 8 !== 0) {
    throw badImage(`a hashed size from ${layout.HEADER_SIZE} to ${bytes.length}, a multiple of 8`, `${hashedSize}`);
  }
  const hash = hashText(hashBytes(bytes.subarray(layout.IMAGE_SEMANTICS, hashedSize)));
  const written = hashText(view.getBigUint64(layout.IMAGE_HASH, true));
  if (written !== hash) throw badImage(`the hash ${written} of its header`, hash);
  if (expectedHash !== undefined && expectedHash !== hash) throw badImage(`the hash ${expectedHash}`, hash);

  const counts = {
    stateCount: word(layout.IMAGE_STATE_COUNT),
    eventCount: word(layout.IMAGE_EVENT_COUNT),
    transitionCount: word(layout.IMAGE_TRANSITION_COUNT),
    historyCount: word(layout.IMAGE_HISTORY_COUNT),
    timerCount: word(layout.IMAGE_TIMER_COUNT),
    raiseCount: word(layout.IMAGE_RAISE_COUNT),
    functionCount: word(layout.IMAGE_FUNCTION_COUNT),
    programCount: word(layout.IMAGE_PROGRAM_COUNT),
    cellCount: word(layout.IMAGE_CELL_COUNT),
    constantCount: word(layout.IMAGE_CONSTANT_COUNT),
  };
  const symbols = readJson(bytes, word(layout.IMAGE_SYMBOLS), word(layout.IMAGE_SYMBOLS_SIZE), 'symbols');
  if (!isSymbols(symbols, counts)) throw badImage('symbols for every number in it', 'others');
  const debug = hashedSize === bytes.length ? undefined : readJson(bytes, hashedSize, bytes.length - hashedSize, 'debug names');
  return {
    hash,
    symbols,
    ...(isDebugSymbols(debug) ? { debug } : {}),
    semantics: word(layout.IMAGE_SEMANTICS),
    fuel: word(layout.IMAGE_FUEL),
    ...counts,
  };
}

/** Whether a core needs supportPrograms() of core/programs.ts to take this image in. */
export function hasPrograms(bytes: Uint8Array): boolean {
  return wordOf(bytes, layout.IMAGE_PROGRAM_COUNT) !== 0;
}

/** The semantics flags of an image, for those who choose a core for it. */
export function semanticsOf(bytes: Uint8Array): number {
  return wordOf(bytes, layout.IMAGE_SEMANTICS);
}

/**
 * Whether a replica takes more than core/copy.ts: its events can be run, and ask for functions or timers; or they are mutations.
 * @param hasFunctions whether the author's are at hand.
 */
export function needsInstance(bytes: Uint8Array, hasFunctions: boolean): boolean {
  if ((semanticsOf(bytes) & layout.SEMANTICS_RELATIONAL) !== 0 || hasPrograms(bytes)) return true;
  if (wordOf(bytes, layout.IMAGE_FUNCTION_COUNT) !== 0) return hasFunctions;
  return wordOf(bytes, layout.IMAGE_TIMER_COUNT) !== 0;
}

/** Of the header; 0 of what is too short to be an image. */
function wordOf(bytes: Uint8Array, offset: number): number {
  if (bytes.length < layout.HEADER_SIZE) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}

type Counts = Pick<
  ImageHeader,
  | 'stateCount'
  | 'eventCount'
  | 'historyCount'
  | 'timerCount'
  | 'raiseCount'
  | 'functionCount'
  | 'programCount'
  | 'cellCount'
  | 'constantCount'
>;

function readJson(bytes: Uint8Array, offset: number, size: number, what: string): unknown {
  if (offset + size > bytes.length) throw badImage(`${what} inside ${bytes.length} bytes`, `${offset} + ${size}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(offset, offset + size)));
  } catch (error) {
    throw badImage(`${what} as UTF-8 JSON`, error instanceof Error ? error.message : String(error));
  }
}

const FUNCTION_KINDS: ReadonlySet<unknown> = new Set([
  'guard',
  'assign',
  'effect',
  'raise',
  'delay',
  'output',
  'context',
  'builtin',
  'invoke',
  'stop',
]);

/** The names fit the counts, so that every number of the image can be looked up without a check. */
function isSymbols(value: unknown, counts: Counts): value is Symbols {
  if (!isFields(value) || typeof value.id !== 'string') return false;
  const { contextFunction } = value;
  return (
    isListOf(
      value.states,
      counts.stateCount,
      (state) =>
        isNode(state) &&
        (state.tags === undefined || isListOf(state.tags, undefined, isText)) &&
        (state.publicArgs === undefined || state.publicArgs === true || isListOf(state.publicArgs, undefined, isText)) &&
        (state.actor === undefined || (isFields(state.actor) && isOptionalText(state.actor.done) && isOptionalText(state.actor.error))),
    ) &&
    isOptionalText(value.doneState) &&
    isListOf(value.histories, counts.historyCount, isNode) &&
    isListOf(value.events, counts.eventCount, isText) &&
    isListOf(value.functions, counts.functionCount, isFunctionSymbol) &&
    isListOf(value.timers, counts.timerCount, isText) &&
    (value.cells === undefined ? counts.programCount === 0 : isListOf(value.cells, counts.cellCount, isCellName)) &&
    (value.constants === undefined ? counts.constantCount === 0 : isListOf(value.constants, counts.constantCount, () => true)) &&
    isListOf(value.raises, counts.raiseCount, (raise) => isFields(raise) && isText(raise.type)) &&
    (contextFunction === undefined ||
      (Number.isInteger(contextFunction) && Number(contextFunction) >= 0 && Number(contextFunction) < counts.functionCount))
  );
}

function isListOf(value: unknown, count: number | undefined, test: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && (count === undefined || value.length === count) && value.every(test);
}

const isText = (value: unknown): value is string => typeof value === 'string';

const isOptionalText = (value: unknown): boolean => value === undefined || isText(value);

/** Names become fields of contexts. */
const isCellName = (value: unknown): boolean => isText(value) && value !== '__proto__';

function isNode(value: unknown): value is { key: string; id: string; tags?: unknown; publicArgs?: unknown; actor?: unknown } {
  return isFields(value) && isText(value.key) && isText(value.id);
}

function isFunctionSymbol(value: unknown): boolean {
  return isFields(value) && FUNCTION_KINDS.has(value.kind) && isText(value.path) && (value.name === undefined || isText(value.name));
}

function isDebugSymbols(value: unknown): value is DebugSymbols {
  return isFields(value) && isText(value.compiler) && isText(value.dialect);
}

function expect(what: string, expected: number, found: number): void {
  if (expected !== found) throw badImage(`${what} ${expected}`, `${found}`);
}

function badImage(expected: string, found: string): LockstepError {
  return new LockstepError('BAD_IMAGE', `expected ${expected}, found ${found}`);
}
