// The built core for tests: one per test file, because one core runs all machines of a process. Under CORE=dialect it is the TypeScript
// dialect instead, whatever build is asked for: so the mutants of the core (tools/mutants) are tried without building each.

import { readFile } from 'node:fs/promises';
import { createDialectCore } from '../../core/dialect.ts';
import { supportPrograms } from '../../core/programs.ts';
import { Core } from '../../core/wasm.ts';

const BUILDS = {
  release: new URL('../../build/core.wasm', import.meta.url),
  small: new URL('../../build/core.small.wasm', import.meta.url),
  debug: new URL('../../build/core.debug.wasm', import.meta.url),
};
const ONLY_DIALECT = process.env['CORE'] === 'dialect';

export async function testCore(build: keyof typeof BUILDS = 'release'): Promise<Core> {
  return ONLY_DIALECT ? dialectCore() : supportPrograms(await Core.fromWasm(new Uint8Array(await readFile(BUILDS[build]))));
}

let made: Core | undefined;

/** The one core of the TypeScript dialect: its memory belongs to the module. */
export function dialectCore(): Core {
  made ??= supportPrograms(Core.fromExports(createDialectCore));
  return made;
}

/** The release build and the dialect. */
export async function bothCores(): Promise<readonly [Core, Core]> {
  return [await testCore(), dialectCore()];
}

/** And the small build: for what it has, too. */
export async function allCores(): Promise<readonly [Core, Core, Core]> {
  return [...(await bothCores()), await testCore('small')];
}
