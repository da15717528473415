// Why a module that somebody names cannot be loaded, with the place in it: Node says of many mistakes what is wrong, and not where.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { syntaxErrorAt } from '../compiler/lowering/syntax.ts';
import { LockstepError } from '../core/errors.ts';
import { readTexts } from './texts.ts';

const OURS = dirname(fileURLToPath(import.meta.url));
/** Line and column of a file in a stack. */
const PLACE = /file:\/\/[^\s()]+?:\d+(:\d+)?/g;

/** @returns BAD_DEFINITION with the reason. @param file as it was named. @param place its path. */
export async function unreadable(file: string, place: string, error: unknown): Promise<LockstepError> {
  return new LockstepError('BAD_DEFINITION', await sentence(file, place, error), { cause: error });
}

async function sentence(file: string, place: string, error: unknown): Promise<string> {
  const found = await stat(place).catch(() => undefined);
  if (found === undefined) return `there is no file ${file}`;
  if (found.isDirectory()) return `${file} is a folder, expected a module that exports machines`;
  if (!(error instanceof Error)) return `${file} cannot be loaded: ${String(error)}`;
  const at = placeOf(error) ?? (error instanceof SyntaxError ? await syntaxErrorIn(place) : undefined);
  return `${file} cannot be loaded: ${reasonOf(error)}${at === undefined ? '' : ` (${at})`}`;
}

/** In one piece and without colours: Vite draws the place. */
export function reasonOf(error: unknown): string {
  return stripVTControlCharacters(error instanceof Error ? error.message : String(error)).trim();
}

/** Where the author's own code threw. */
function placeOf({ stack = '' }: Error): string | undefined {
  const places = (stack.match(PLACE) ?? []).map((each) => fileURLToPath(each));
  return places.find((each) => !each.startsWith(OURS) && !each.includes('node_modules'));
}

/** In the module, or in those that it imports from beside it. */
async function syntaxErrorIn(place: string): Promise<string | undefined> {
  for (const { id, text } of (await readTexts(place)).texts) {
    const at = syntaxErrorAt(text);
    if (at !== undefined) return `${id}:${at.line}:${at.column}`;
  }
  return undefined;
}
