// npm run conformance: builds what is out of date, then runs the SCXML suites. See tools/conformance/run.ts.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, ROOT } from './prepare.mjs';

prepare('core', 'product');
await import(pathToFileURL(join(ROOT, 'build', 'dist', 'conformance.js')).href);
