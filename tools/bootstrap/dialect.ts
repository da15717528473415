// A Vite plugin: files of assembly/ that import './prim.ts' or './env.ts' get the portable twin, so that the core's own sources run as
// TypeScript.

import path from 'node:path';
import type { Plugin } from 'vite';

const TWINS: ReadonlyMap<string, string> = new Map([
  ['./prim.ts', 'prim-portable.ts'],
  ['./env.ts', 'env-portable.ts'],
]);

export function dialect(): Plugin {
  return {
    name: 'dialect',
    enforce: 'pre',
    resolveId(source, importer) {
      const twin = TWINS.get(source);
      if (twin === undefined || importer === undefined) return null;
      const folder = path.dirname(importer.replace(/[?#].*$/, ''));
      return path.basename(folder) === 'assembly' ? path.join(folder, twin) : null;
    },
  };
}
