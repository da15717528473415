// The product for browsers: lockstep/browser and lockstep/react as modules with the core beside them, for pages that do not bundle them
// themselves. No library build: of itself Vite would put the core into the script as a data: URL, which a page's policy may forbid, and
// which cannot be compiled while it arrives.

import { defineConfig } from 'vite';
import { dialect } from './tools/bootstrap/dialect.ts';
import { plainImports, WHOLE_CLIENT } from './tools/bootstrap/browser-build.ts';

export default defineConfig({
  base: './',
  publicDir: false,
  plugins: [dialect(), plainImports()],
  build: {
    target: 'es2022',
    outDir: 'build/browser',
    emptyOutDir: true,
    sourcemap: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      input: { browser: 'browser/index.ts', react: 'browser/react.ts' },
      preserveEntrySignatures: 'strict',
      external: ['react'],
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name]-[hash].js',
        assetFileNames: '[name][extname]',
        codeSplitting: WHOLE_CLIENT,
      },
    },
  },
});
