// The project's own sources as data: files, imports, comments. What the tidy tests read.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROOMS = ['assembly', 'core', 'compiler', 'peer', 'relay', 'server', 'browser', 'tools', 'examples', 'bench'] as const;
export type Room = (typeof ROOMS)[number];

export interface Source {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

export function filesUnder(folder: string, ending: RegExp): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name) && !name.includes('node_modules'))
    .map((name) => ({ path: `${folder}/${name.replaceAll('\\', '/')}`, text: readFileSync(join(ROOT, folder, name), 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export const sources = (): Source[] => ROOMS.flatMap((room) => filesUnder(room, /\.ts$/));

export interface Import {
  /** As written. */
  readonly name: string;
  readonly isTypeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/g;
const DYNAMIC = /import\('([^']+)'\)/g;

export function importsOf({ text }: Source): Import[] {
  return [
    ...[...text.matchAll(IMPORT)].map((match) => ({ name: match[2]!, isTypeOnly: match[1] !== undefined })),
    ...[...text.matchAll(DYNAMIC)].map((match) => ({ name: match[1]!, isTypeOnly: false })),
  ];
}

/** The path that a relative import means, from the root. */
export function resolveImport(from: string, name: string): string {
  return relative(ROOT, join(ROOT, dirname(from), name.replace(/\?.*$/, ''))).replaceAll('\\', '/');
}

export const roomOf = (path: string): Room => path.split('/')[0] as Room;
