// A Vite plugin: files of assembly/ that import './prim.ts' get prim-portable.ts, so that the core's own sources run as TypeScript.

import path from 'node:path';
import type { Plugin } from 'vite';

export function dialect(): Plugin {
  return {
    name: 'dialect',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source !== './prim.ts' || importer === undefined) return null;
      const folder = path.dirname(importer.replace(/[?#].*$/, ''));
      return path.basename(folder) === 'assembly' ? path.join(folder, 'prim-portable.ts') : null;
    },
  };
}
