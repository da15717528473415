// npm run corpus -- DIR…: compiles the machines of the modules under each DIR and compares them with XState; see test/corpus/corpus.ts. SEED=n
// repeats a run. With --lower: how many of their functions can be lowered; see test/corpus/lower.ts.

import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, prepare, ROOT } from './prepare.mjs';

const given = process.argv.slice(2);
const isLowering = given[0] === '--lower';
const folders = given.slice(isLowering ? 1 : 0).map((folder) => resolve(folder));
if (folders.length === 0) fail('usage: npm run corpus -- [--lower] DIR…');
for (const folder of folders) if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) fail(`${folder} is no folder`);
prepare('core');

const { createServer, loadConfigFromFile } = await import('vite');
const quiet = {
  configFile: false,
  logLevel: 'silent',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
};
const { config } = await loadConfigFromFile({ command: 'serve', mode: 'test' }, join(ROOT, 'vitest.config.ts'));
const own = await createServer({ ...quiet, root: ROOT, plugins: config.plugins, resolve: config.resolve });
const { corpus, foreign } = await own.ssrLoadModule('/test/corpus/corpus.ts');
const { lowerCorpus } = await own.ssrLoadModule('/test/corpus/lower.ts');
// A foreign project's own settings are none of ours; the plugin turns its TypeScript into JavaScript.
const theirs = await createServer({ ...quiet, oxc: false, root: folders[0], plugins: [foreign()] });
if (isLowering) {
  console.log(JSON.stringify(await lowerCorpus(theirs, folders, (line) => console.log(line)), null, 2));
  process.exit(0);
}
const seed = Number(process.env.SEED ?? 1);
const tally = await corpus(theirs, folders, seed, (line) => console.log(line));
console.log(JSON.stringify(tally));
// Modules may have left timers and sockets behind.
if (tally.of === 0) fail('no module there makes a machine');
process.exit(tally.compiled === tally.of && tally.agreed === tally.of ? 0 : 1);
