// Builds the pages of the examples and the tools into build/pages, where a server serves them. A page lies in the build where people open
// it, wherever it lies in the sources.

import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { lockstep } from './compiler/vite.ts';
import { dialect } from './tools/bootstrap/dialect.ts';

const root = import.meta.dirname;
const outDir = path.join(root, 'build/pages');

/** Where a page is opened: its source. */
const PAGES: Readonly<Record<string, string>> = {
  'index.html': 'examples/index.html',
  'door/index.html': 'examples/door/index.html',
  'foo-bar/index.html': 'examples/foo-bar/index.html',
  'trace/index.html': 'tools/trace/viewer/index.html',
};

/** Vite leaves each page where its source is. All links in them are absolute, so they can move. */
function placePages(): Plugin {
  return {
    name: 'place-pages',
    writeBundle() {
      for (const [place, source] of Object.entries(PAGES)) {
        mkdirSync(path.dirname(path.join(outDir, place)), { recursive: true });
        renameSync(path.join(outDir, source), path.join(outDir, place));
      }
      for (const folder of new Set(Object.values(PAGES).map((source) => source.split('/')[0]!)))
        rmSync(path.join(outDir, folder), { recursive: true });
    },
  };
}

export default defineConfig({
  root,
  base: '/',
  publicDir: false,
  plugins: [dialect(), lockstep(), placePages()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // Pages begin with a top-level await of the connection.
    modulePreload: { polyfill: false },
    // The core stays a file of its own: it is compiled while it arrives.
    assetsInlineLimit: 0,
    rolldownOptions: { input: Object.values(PAGES).map((source) => path.join(root, source)) },
  },
});
