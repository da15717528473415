// Vitest's global set-up: builds the cores in build/ when a source of the core is newer than they are.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILDS = ['build/core.wasm', 'build/core.small.wasm', 'build/core.debug.wasm'];
const BUILDER = 'tools/bootstrap/core.mjs';

export default function buildCore(): void {
  const newest = newestSource();
  const isFresh = (file: string): boolean => existsSync(file) && statSync(file).mtimeMs >= newest;
  if (!BUILDS.map((file) => path.join(ROOT, file)).every(isFresh))
    execFileSync(process.execPath, [BUILDER], { cwd: ROOT, stdio: 'inherit' });
}

function newestSource(): number {
  const folder = path.join(ROOT, 'assembly');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('-portable.ts') && !name.endsWith('.d.ts'));
  return Math.max(
    ...[...sources.map((name) => path.join(folder, name)), path.join(ROOT, 'asconfig.json'), path.join(ROOT, BUILDER)].map(
      (file) => statSync(file).mtimeMs,
    ),
  );
}
