// Images of formats 1 and 2 in the words of format 3, for journals that were written before it. Format 3 made the header longer and nothing
// else different for a statechart: sections move by that much. The hash covers the header, so a lifted image has another one; it is the same
// that the compiler gives the same definition today.

import * as layout from '../assembly/layout.ts';
import { hashText, xxh64 } from './xxh64.ts';

const OLD_HEADER_SIZE = 128;
const GROWTH = layout.HEADER_SIZE - OLD_HEADER_SIZE;
/** Header fields with the offset of a section that old images have. */
const SECTIONS = [
  layout.IMAGE_STATES,
  layout.IMAGE_EVENTS,
  layout.IMAGE_TRANSITIONS,
  layout.IMAGE_HISTORIES,
  layout.IMAGE_TIMERS,
  layout.IMAGE_RAISES,
  layout.IMAGE_LISTS,
  layout.IMAGE_SELECT,
  layout.IMAGE_CANDIDATES,
  layout.IMAGE_SYMBOLS,
  layout.IMAGE_DEBUG,
] as const;
/** Sections that came with format 3, empty in a lifted image. The writer puts empty ones where the next begins. */
const EMPTY_SECTIONS = [layout.IMAGE_PROGRAMS, layout.IMAGE_CODE, layout.IMAGE_CONSTANTS] as const;

export interface LiftedImage {
  readonly bytes: Uint8Array;
  /** 16 hex digits, high word first. */
  readonly hash: string;
}

/** @returns the image in format 3, or undefined for bytes that are no sound image of format 1 or 2: those stay as they are. */
export function liftImage(old: Uint8Array): LiftedImage | undefined {
  if (old.length < OLD_HEADER_SIZE) return undefined;
  const before = new DataView(old.buffer, old.byteOffset, old.byteLength);
  const found = (offset: number): number => before.getUint32(offset, true);
  const hashedSize = found(layout.IMAGE_HASHED_SIZE);
  const isOld = found(layout.IMAGE_MAGIC) === layout.MAGIC && (found(layout.IMAGE_FORMAT) === 1 || found(layout.IMAGE_FORMAT) === 2);
  if (!isOld || hashedSize > old.length || found(layout.IMAGE_SIZE) !== old.length) return undefined;
  const oldHash = xxh64(old.subarray(layout.IMAGE_SEMANTICS, hashedSize));
  if (oldHash !== before.getBigUint64(layout.IMAGE_HASH, true)) return undefined;

  const bytes = new Uint8Array(old.length + GROWTH);
  bytes.set(old.subarray(0, OLD_HEADER_SIZE));
  bytes.set(old.subarray(OLD_HEADER_SIZE), layout.HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  const put = (offset: number, value: number): void => view.setUint32(offset, value, true);
  put(layout.IMAGE_FORMAT, 3);
  put(layout.IMAGE_SIZE, bytes.length);
  put(layout.IMAGE_HASHED_SIZE, hashedSize + GROWTH);
  for (const section of SECTIONS) put(section, found(section) + GROWTH);
  for (const section of EMPTY_SECTIONS) put(section, found(layout.IMAGE_SYMBOLS) + GROWTH);
  const hash = xxh64(bytes.subarray(layout.IMAGE_SEMANTICS, hashedSize + GROWTH));
  view.setBigUint64(layout.IMAGE_HASH, hash, true);
  return { bytes, hash: hashText(hash) };
}
