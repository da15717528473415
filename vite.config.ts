// The product for Node: one bundle per public entry in build/dist, npm dependencies left outside.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { dialect } from './tools/bootstrap/dialect.ts';
import { embed } from './tools/bootstrap/embed.ts';

const ENTRIES = {
  lockstep: 'peer/index.ts',
  server: 'server/index.ts',
  relay: 'relay/index.ts',
  compiler: 'compiler/index.ts',
  xstate: 'compiler/xstate/index.ts',
  scxml: 'compiler/scxml/index.ts',
  vite: 'compiler/vite.ts',
  testing: 'peer/testing.ts',
  cli: 'tools/cli.ts',
  examples: 'examples/machines.ts',
  bench: 'bench/run.ts',
  conformance: 'tools/conformance/run.ts',
  door: 'examples/door/door.ts',
} as const;

export default defineConfig({
  // The examples import the package by its name.
  resolve: { alias: { 'lockstep/server': fileURLToPath(new URL('server/index.ts', import.meta.url)) } },
  plugins: [dialect(), embed()],
  build: {
    ssr: true,
    target: 'node20',
    outDir: 'build/dist',
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
    rollupOptions: {
      input: Object.fromEntries(Object.entries(ENTRIES).filter(([, file]) => existsSync(file))),
      // Flat: server/core-file finds build/core.wasm from where it is bundled to.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
});
