import { defineConfig } from 'vitest/config';
import { dialect } from './tools/bootstrap/dialect.ts';

export default defineConfig({
  plugins: [dialect()],
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 },
});
