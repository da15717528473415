// Finds and loads the transition core: it lies beside the bundles in build/, and there too when this runs from the source.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LockstepError } from '../core/errors.ts';
import { supportPrograms } from '../core/programs.ts';
import { Core } from '../core/wasm.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** What `vite build` leaves: bundles in build/dist, the core and the pages beside them. */
export const BUILD_DIRECTORIES: readonly string[] = [join(here, '..'), join(here, '..', 'build')];

let compiled: Promise<WebAssembly.Module> | undefined;

/** A core of its own memory; the module behind it is compiled once per process. @throws LockstepError CORE when there is no core to load. */
export async function loadCore(): Promise<Core> {
  compiled ??= readCore().then((bytes) => WebAssembly.compile(bytes));
  return supportPrograms(await Core.fromWasm(await compiled));
}

/** Peers in one core: what those that are closed leave in it goes with the last of them. */
const SHARERS_MAX = 128;

let shared: Promise<Core> | undefined;
let sharers = 0;

/**
 * One core for the peers of this process that watch what others order: what they watch is loaded once, and lies in one place, so that a
 * step finds it at hand. @throws as loadCore
 */
export async function sharedCore(): Promise<Core> {
  if (sharers % SHARERS_MAX === 0) shared = undefined;
  sharers++;
  return (shared ??= loadCore());
}

async function readCore(): Promise<Uint8Array<ArrayBuffer>> {
  for (const directory of BUILD_DIRECTORIES) {
    try {
      return new Uint8Array(await readFile(join(directory, 'core.wasm')));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new LockstepError('CORE', `core.wasm is in none of ${BUILD_DIRECTORIES.join(', ')}; npm start builds it`);
}
