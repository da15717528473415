// npm run door: the README's example.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, ROOT } from './prepare.mjs';

prepare('core', 'product');
await import(pathToFileURL(join(ROOT, 'build', 'dist', 'door.js')).href);
