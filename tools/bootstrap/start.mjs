// npm start: sets everything up, then serves the examples. Arguments are passed on to `lockstep serve`.

import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

prepare('core', 'product', 'pages');
process.argv.splice(2, 0, 'serve');
await import(pathToFileURL(join(ROOT, 'build', 'dist', 'cli.js')).href);
