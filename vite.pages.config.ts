// Builds the pages of the examples and the tools into build/pages, where a server serves them. A page lies in the build where people open
// it, wherever it lies in the sources.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
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
  'board/index.html': 'examples/board/index.html',
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

/** Pages say `<!-- top -->` where the bar with the links to all of them stands; the link to the page itself is marked. */
function topBar(): Plugin {
  const bar = readFileSync(path.join(root, 'examples/kit/top.html'), 'utf8');
  return {
    name: 'top-bar',
    transformIndexHtml: {
      order: 'pre',
      handler(html, { path: source }) {
        const [place = ''] = Object.entries(PAGES).find(([, each]) => `/${each}` === source) ?? [];
        const own = `href="/${place.replace('index.html', '')}"`;
        return html.replace('<!-- top -->', bar.replace(`<a ${own}>`, `<a ${own} aria-current="page">`));
      },
    },
  };
}

/** What makes the boards an app: files that keep their names, beside its page. */
const APP_FILES = ['manifest.webmanifest', 'icon-192.png', 'icon-512.png', 'icon-maskable-512.png'];
const BOARD = 'examples/board';
const WORKER = 'board/service-worker.js';

/** Tells the service worker of the boards which files its page can come to load: those that it names, those that they name, and so on. */
function keepBoard(): Plugin {
  return {
    name: 'keep-board',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const texts = new Map(
          Object.values(bundle).map((file) => [file.fileName, file.type === 'chunk' ? file.code : String(file.source)] as const),
        );
        const found = new Set([`${BOARD}/index.html`]);
        for (const name of found)
          for (const other of texts.keys())
            if (other.startsWith('assets/') && !other.endsWith('.map') && texts.get(name)?.includes(path.basename(other)) === true)
              found.add(other);
        for (const name of APP_FILES)
          this.emitFile({ type: 'asset', fileName: `board/${name}`, source: readFileSync(path.join(root, BOARD, name)) });
        const version = createHash('sha256');
        for (const name of [...found].sort()) version.update(name).update(texts.get(name) ?? '');
        const paths = ['/board/', ...APP_FILES.map((name) => `/board/${name}`), ...[...found].slice(1).map((name) => `/${name}`)];
        const worker = bundle[WORKER];
        if (worker?.type !== 'chunk') throw new Error(`the build made no ${WORKER}`);
        worker.code = `const FILES=${JSON.stringify({ version: version.digest('hex').slice(0, 12), paths })};${worker.code}`;
      },
    },
  };
}

export default defineConfig({
  root,
  base: '/',
  publicDir: false,
  plugins: [dialect(), lockstep(), topBar(), placePages(), keepBoard()],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // Pages begin with a top-level await of the connection.
    modulePreload: { polyfill: false },
    // The core stays a file of its own: it is compiled while it arrives.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: [...Object.values(PAGES), `${BOARD}/service-worker.ts`].map((source) => path.join(root, source)),
      output: { entryFileNames: ({ name }) => (name === 'service-worker' ? WORKER : 'assets/[name]-[hash].js') },
    },
  },
});
