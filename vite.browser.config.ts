// The product for browsers: lockstep/browser as one module beside the core, for pages that do not bundle it themselves.

import { defineConfig } from 'vite';
import { dialect } from './tools/bootstrap/dialect.ts';

export default defineConfig({
  plugins: [dialect()],
  build: {
    lib: { entry: { browser: 'browser/index.ts', react: 'browser/react.ts' }, formats: ['es'] },
    target: 'es2022',
    outDir: 'build/browser',
    emptyOutDir: true,
    sourcemap: true,
    // Pages load it as it is; of itself Vite leaves the white space of an ES library.
    rollupOptions: {
      external: ['react'],
      output: { minify: true, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
