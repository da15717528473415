// Tests run straight from the sources; the core's TypeScript dialect comes in through the same plugin as in the product.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { dialect } from './tools/bootstrap/dialect.ts';
import { embed } from './tools/bootstrap/embed.ts';

export default defineConfig({
  plugins: [dialect(), embed()],
  resolve: { alias: { 'lockstep/server': fileURLToPath(new URL('server/index.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build-core.ts'],
    // Long runs take as long as a busy machine makes them.
    testTimeout: process.env['LONG'] === undefined ? 60_000 : 6 * 3_600_000,
    hookTimeout: 60_000,
    // Two cores, whatever the machine has: tests that kill servers and drive browsers bring processes of their own.
    maxWorkers: 2,
  },
});
