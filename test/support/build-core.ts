// Vitest's global set-up: builds build/core.wasm and build/core.debug.wasm when a source of the core is newer than they are.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILDS = { release: 'build/core.wasm', debug: 'build/core.debug.wasm' } as const;

export default function buildCore(): void {
  const newest = newestSource();
  for (const [target, file] of Object.entries(BUILDS)) {
    const built = path.join(ROOT, file);
    if (existsSync(built) && statSync(built).mtimeMs >= newest) continue;
    execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', '--target', target], { cwd: ROOT, stdio: 'inherit' });
  }
}

function newestSource(): number {
  const folder = path.join(ROOT, 'assembly');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('-portable.ts') && !name.endsWith('.d.ts'));
  return Math.max(...[...sources.map((name) => path.join(folder, name)), path.join(ROOT, 'asconfig.json')].map((file) => statSync(file).mtimeMs));
}
