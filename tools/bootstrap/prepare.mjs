// Brings a clone into the state in which everything runs: dependencies, core, bundles, pages. Plain JavaScript without dependencies, because it
// runs before anything is installed. Each step runs again only when what it is made from has changed since the last time.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SOURCES = ['assembly', 'core', 'compiler', 'peer', 'relay', 'server', 'browser', 'tools', 'examples', 'bench'];

/** What each step reads, what proves that it ran, and how it runs. */
const STEPS = {
  core: {
    title: 'building the core',
    inputs: ['assembly', 'asconfig.json', 'tools/bootstrap/core.mjs'],
    output: 'build/core.wasm',
    run: () => run(process.execPath, join(ROOT, 'tools', 'bootstrap', 'core.mjs')),
  },
  product: {
    title: 'bundling',
    inputs: [...SOURCES, 'vite.config.ts', 'package.json'],
    output: 'build/dist/cli.js',
    run: () => npx('vite', 'build', '--logLevel', 'warn'),
  },
  pages: {
    title: 'building the pages',
    inputs: [...SOURCES, 'vite.pages.config.ts', 'package.json'],
    output: 'build/pages/index.html',
    run: () => npx('vite', 'build', '--config', 'vite.pages.config.ts', '--logLevel', 'warn'),
  },
  browser: {
    title: 'bundling for browsers',
    inputs: [...SOURCES, 'vite.browser.config.ts', 'package.json'],
    output: 'build/browser/browser.js',
    run: () => npx('vite', 'build', '--config', 'vite.browser.config.ts', '--logLevel', 'warn'),
  },
  types: {
    title: 'writing type declarations',
    inputs: [...SOURCES, 'tsconfig.json', 'tsconfig.types.json'],
    output: 'build/types/server/index.d.ts',
    run: () => npx('tsc', '-p', 'tsconfig.types.json'),
  },
};

/** Runs the steps that are out of date. Exits with a sentence when one fails. */
export function prepare(...steps) {
  checkNode();
  install();
  for (const name of steps) {
    const step = STEPS[name];
    const stamp = fingerprint(step.inputs);
    const stampFile = join(ROOT, 'build', `.${name}`);
    if (existsSync(join(ROOT, step.output)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) continue;
    say(step.title);
    step.run();
    mkdirSync(dirname(stampFile), { recursive: true });
    writeFileSync(stampFile, stamp);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return;
  fail(`Lockstep needs Node ^20.19 or >=22.12, this is ${process.versions.node}.`);
}

/** npm ci, unless node_modules was made from this very lock file. */
function install() {
  const stampFile = join(ROOT, 'node_modules', '.lockstep-stamp');
  // Another Node wants SQLite compiled again.
  const stamp = createHash('sha256')
    .update(process.versions.modules)
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing dependencies (one of them compiles: one to two minutes)');
  run('npm', 'ci', '--no-audit', '--no-fund', '--include=dev');
  writeFileSync(stampFile, stamp);
}

/** What only the benches need, in bench/node_modules. Without it they measure beside less, and say so. */
export function installPeers() {
  const folder = join(ROOT, 'bench');
  const stampFile = join(folder, 'node_modules', '.lockstep-stamp');
  const stamp = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  say('installing what is measured beside us');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) writeFileSync(stampFile, stamp);
  else console.warn('lockstep: npm ci failed in bench/: libraries that it would have brought are left out.');
}

function fingerprint(inputs) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const full = join(ROOT, path);
    if (!existsSync(full)) return;
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) if (name !== 'node_modules') visit(join(path, name));
    } else hash.update(path).update('\0').update(readFileSync(full));
  };
  for (const input of inputs) visit(input);
  return hash.digest('hex');
}

function npx(tool, ...args) {
  run(process.execPath, join(ROOT, 'node_modules', ...TOOLS[tool]), ...args);
}

const TOOLS = {
  vite: ['vite', 'bin', 'vite.js'],
  tsc: ['typescript', 'bin', 'tsc'],
};

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined || status !== 0)
    fail(`${[command, ...args].join(' ')} failed${error === undefined ? ` with exit code ${status}` : `: ${error.message}`}.`);
}

export function say(what) {
  console.log(`lockstep: ${what} …`);
}

export function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
