// What each error code means, read where it is written down: in the comments of core/errors.ts.

import { readFileSync } from 'node:fs';

/** By code, in the order of the table. */
export function meanings(): ReadonlyMap<string, string> {
  const source = readFileSync(new URL('../../core/errors.ts', import.meta.url), 'utf8');
  return new Map([...source.matchAll(/\/\*\* (.*) \*\/\n {2}([A-Z_]+): code\(/g)].map(([, means = '', code = '']) => [code, means]));
}
