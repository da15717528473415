// npm run bench: builds what is out of date, installs what is measured beside us, then measures. See bench/run.ts.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installPeers, prepare, ROOT } from './prepare.mjs';

prepare('core', 'product', 'pages');
installPeers();
process.chdir(ROOT);
// What is measured is what runs in production: nothing is watched.
process.env.NODE_ENV ??= 'production';
process.argv[1] = join(ROOT, 'build', 'dist', 'bench.js');
await import(pathToFileURL(join(ROOT, 'build', 'dist', 'bench.js')).href);
