// npm run simulate: simulated worlds from the command line, straight from the sources. See docs/simulation.md.

import { prepare, ROOT } from './prepare.mjs';

prepare('core');
const { createServer } = await import('vite');
process.chdir(ROOT);
const vite = await createServer({
  configFile: 'vitest.config.ts',
  appType: 'custom',
  logLevel: 'error',
  server: { middlewareMode: true, ws: false },
});
try {
  const { main } = await vite.ssrLoadModule('/test/simulation/main.ts');
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await vite.close();
}
