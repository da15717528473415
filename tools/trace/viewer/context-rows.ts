// Two JSON values side by side as the lines of one tree: what stayed, what went, what came. Compared by value, so that what is marked is what
// differs, whatever the patch says. Long stretches that did not change are folded. Pure.

import type { Json } from '../../../core/json.ts';

export type Mark = 'same' | 'removed' | 'added';

export interface Row {
  readonly depth: number;
  /** Key or index with its colon; '' for closing brackets and the root. */
  readonly label: string;
  readonly text: string;
  readonly mark: Mark;
  /** JSON pointer to the value. */
  readonly path: string;
}

/** More lines than a person reads; the rest is counted. */
export const ROWS_MAX = 600;
/** Unchanged arrays and objects with more entries are folded into one line. */
const FOLD_ABOVE = 12;
const TEXT_MAX = 400;

type Branch = { readonly [key: string]: Json };

/** @param before undefined when there was nothing before. */
export function contextRows(before: Json | undefined, after: Json | undefined): readonly Row[] {
  const rows: Row[] = [];
  compare(rows, { depth: 0, label: '', path: '' }, before, after);
  if (rows.length <= ROWS_MAX) return rows;
  const cut = rows.slice(0, ROWS_MAX);
  cut.push({ depth: 0, label: '', text: `… ${rows.length - ROWS_MAX} more lines`, mark: 'same', path: '' });
  return cut;
}

interface Place {
  readonly depth: number;
  readonly label: string;
  readonly path: string;
}

function compare(rows: Row[], place: Place, before: Json | undefined, after: Json | undefined): void {
  if (before !== undefined && after !== undefined) {
    if (isSame(before, after)) return show(rows, place, after, 'same');
    if (isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after)) return descend(rows, place, before, after);
  }
  if (before !== undefined) show(rows, place, before, 'removed');
  if (after !== undefined) show(rows, place, after, 'added');
}

function descend(rows: Row[], place: Place, before: Branch, after: Branch): void {
  const [open, close] = brackets(after);
  rows.push({ ...place, text: open, mark: 'same' });
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(rows, inside(place, key), own(before, key), own(after, key));
  }
  rows.push({ ...place, label: '', text: close, mark: 'same' });
}

function show(rows: Row[], place: Place, value: Json, mark: Mark): void {
  if (!isBranch(value)) {
    rows.push({ ...place, text: clip(JSON.stringify(value)), mark });
    return;
  }
  const [open, close] = brackets(value);
  const keys = Object.keys(value);
  if (keys.length === 0 || (mark === 'same' && keys.length > FOLD_ABOVE)) {
    rows.push({ ...place, text: keys.length === 0 ? `${open}${close}` : `${open} ${keys.length} unchanged ${close}`, mark });
    return;
  }
  rows.push({ ...place, text: open, mark });
  for (const key of keys) show(rows, inside(place, key), value[key]!, mark);
  rows.push({ ...place, label: '', text: close, mark });
}

function inside(place: Place, key: string): Place {
  return { depth: place.depth + 1, label: `${key}:`, path: `${place.path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` };
}

function brackets(value: Branch): readonly [string, string] {
  return Array.isArray(value) ? ['[', ']'] : ['{', '}'];
}

function own(value: Branch, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isBranch(value: Json): value is Branch {
  return typeof value === 'object' && value !== null;
}

function isSame(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (!isBranch(a) || !isBranch(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key]!, b[key]!));
}

function clip(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}… (${text.length} characters)`;
}
