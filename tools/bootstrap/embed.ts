// A Vite plugin: the built core as a module, so that what is bundled with it can run a machine at once, without asking anyone for a file.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const NAME = 'virtual:core';
const CORE = fileURLToPath(new URL('../../build/core.wasm', import.meta.url));

export function embed(): Plugin {
  return {
    name: 'embed',
    resolveId: (source) => (source === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default '${readFileSync(CORE, 'base64')}';` : null),
  };
}
