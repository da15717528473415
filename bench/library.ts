// Libraries that are measured beside us: installed in bench/node_modules and found at run time.

import { createRequire } from 'node:module';
import { join } from 'node:path';

/** A newer Node than ours, for what asks for one. */
export const NODE_22 = join(process.cwd(), 'bench', 'node_modules', 'node', 'bin', 'node');

const require = createRequire(join(process.cwd(), 'bench', 'package.json'));

/** @returns what the library exports; undefined when it is not installed: it is then left out. */
export function library<T>(name: string): T | undefined {
  try {
    return require(name) as T;
  } catch (error) {
    if ((error as { code?: string }).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
