// Tests run straight from the sources; the core's TypeScript dialect comes in through the same plugin as in the product.

import { defineConfig } from 'vitest/config';
import { dialect } from './tools/bootstrap/dialect.ts';

export default defineConfig({
  plugins: [dialect()],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build-core.ts'],
    testTimeout: 60_000,
  },
});
