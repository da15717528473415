// The built core for tests: one per test file, because one core runs all machines of a process.

import { readFile } from 'node:fs/promises';
import { Core } from '../../core/wasm.ts';

const BUILDS = {
  release: new URL('../../build/core.wasm', import.meta.url),
  debug: new URL('../../build/core.debug.wasm', import.meta.url),
};

export async function testCore(build: keyof typeof BUILDS = 'release'): Promise<Core> {
  return Core.fromWasm(new Uint8Array(await readFile(BUILDS[build])));
}
