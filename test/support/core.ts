// The core that tests run on: the release build.

import { readFileSync } from 'node:fs';
import { Core } from '../../core/wasm.ts';

/** A fresh core with its own memory. */
export function testCore(): Promise<Core> {
  return Core.fromWasm(readFileSync(new URL('../../build/core.wasm', import.meta.url)));
}
