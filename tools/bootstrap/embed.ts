// A Vite plugin: the built core as modules, so that what is bundled with it can run a machine at once, without asking anyone for a file:
// its bytes, and its TypeScript twin as a function, because the twin's memory belongs to its module and an actor inside another one's step
// needs a memory of its own.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';
import { dialect } from './dialect.ts';

const CORE = fileURLToPath(new URL('../../build/core.wasm', import.meta.url));
const TWIN = fileURLToPath(new URL('../../core/dialect.ts', import.meta.url));

const MODULES = new Map<string, () => string | Promise<string>>([
  ['virtual:core', () => `export default '${readFileSync(CORE, 'base64')}';`],
  ['virtual:twin', twin],
]);

export function embed(): Plugin {
  return {
    name: 'embed',
    resolveId: (source) => (MODULES.has(source) ? `\0${source}` : null),
    load: (id) => (id.startsWith('\0') ? (MODULES.get(id.slice(1))?.() ?? null) : null),
  };
}

/** The twin and all that it is made of, in the body of a function: each call has memory and state of its own. */
async function twin(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [dialect()],
    build: { write: false, minify: false, target: 'es2022', lib: { entry: TWIN, formats: ['iife'], name: 'twin' } },
  });
  const [output] = [built].flat();
  if (output === undefined || !('output' in output)) throw new Error('the twin of the core was not built');
  return `export default () => {\n${output.output[0].code}\nreturn twin.createDialectCore;\n};`;
}
