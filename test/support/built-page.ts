// A test's own page, built as a user's would be, into a directory of its own: `page.js` and an HTML file that loads it.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { lockstep } from '../../compiler/vite.ts';
import { dialect } from '../../tools/bootstrap/dialect.ts';
import { embed } from '../../tools/bootstrap/embed.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BODY = '<link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>';
const STRICT = `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">`;

/**
 * @param entry the page's script, from the root of the sources.
 * @returns the directory, with `index.html` and `strict.html`, whose policy forbids WebAssembly. Whoever asked removes it.
 */
export async function buildPage(entry: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-page-'));
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [dialect(), embed(), lockstep()],
    define: { 'process.env.NODE_ENV': '"development"' },
    build: {
      outDir: directory,
      minify: false,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { input: join(ROOT, entry), output: { entryFileNames: 'page.js' } },
    },
  });
  const title = `<!doctype html><title>${entry}</title>`;
  writeFileSync(join(directory, 'index.html'), title + BODY);
  writeFileSync(join(directory, 'strict.html'), title + STRICT + BODY);
  return directory;
}
