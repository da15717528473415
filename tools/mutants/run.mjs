// npm run mutants: breaks the core in every way of list.mjs, one at a time, each in a copy of the tree in a temporary folder, and runs the
// short tests of the stepper against it until one fails. The copy runs the TypeScript dialect, so nothing is built, and the two dialects are
// not compared: both would carry the same mistake. Seeds are fixed. Ends with {"killed", "equivalent", "of"}; exit 0 only when nothing
// else is left.   Words on the command line pick mutants whose names contain them.

import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from './list.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['assembly', 'core', 'compiler', 'peer', 'test', 'tools/bootstrap', 'examples', 'bench', 'package.json', 'tsconfig.json'];
const LINKED = ['node_modules', 'build'];
/** What is run, the quickest first; a mutant is dead at the first that fails. */
const STAGES = [
  ['test/reference/corners.test.ts', 'test/reference/random.test.ts'],
  ['test/unit/instance.test.ts', 'test/unit/heap.test.ts', 'test/unit/core.test.ts', '-t', '^(?!.*(CORE-3|CORE-5|WebAssembly$))'],
  ['test/reference/exhaustive.test.ts'],
  ['test/differential/xstate.test.ts'],
];
const SEED = '20261125';
const TIMEOUT_MS = 240_000;
const AT_ONCE = Math.min(2, availableParallelism());

const CONFIG = `import { dialect } from './tools/bootstrap/dialect.ts';
export default { plugins: [dialect()], cacheDir: 'cache', test: { testTimeout: 120000, hookTimeout: 60000, maxWorkers: 1, bail: 1 } };
`;

const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const wanted = process.argv.slice(2);
const mutants = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
checkList();
const unbroken = await firstFailure(copyOf('unbroken'));
if (unbroken !== undefined) fail(`the core fails ${unbroken.stage} without being broken:\n${unbroken.text}`);

const counts = { killed: 0, equivalent: 0, of: mutants.length };
const wrong = [];
const waiting = [...mutants];
await Promise.all(Array.from({ length: AT_ONCE }, work));
for (const text of wrong) console.error(text);
console.log(JSON.stringify(counts));
process.exit(wrong.length === 0 && counts.killed + counts.equivalent === counts.of ? 0 : 1);

async function work() {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const copy = copyOf(String(MUTANTS.indexOf(mutant)));
    breakIn(copy, mutant);
    const began = Date.now();
    const failure = await firstFailure(copy);
    rmSync(copy, { recursive: true });
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    if (failure === undefined && mutant.equivalent !== undefined) {
      counts.equivalent += 1;
      console.log(`equivalent  ${mutant.name} (${mutant.equivalent}), ${seconds} s`);
    } else if (failure === undefined) {
      wrong.push(`ALIVE: ${mutant.name}: no test notices`);
      console.log(`ALIVE       ${mutant.name}, ${seconds} s`);
    } else if (mutant.equivalent !== undefined) {
      wrong.push(`NOT EQUIVALENT: ${mutant.name}: ${failure.test}`);
    } else {
      counts.killed += 1;
      console.log(`killed      ${mutant.name}, ${seconds} s: ${failure.test}`);
    }
  }
}

function checkList() {
  const names = new Set(MUTANTS.map(({ name }) => name));
  if (names.size !== MUTANTS.length) fail('two mutants have the same name');
  for (const { name, file, edits } of MUTANTS) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [from] of edits) {
      const count = text.split(from).length - 1;
      if (count !== 1) fail(`${name}: its text is ${count} times in ${file}:\n${from}`);
    }
  }
}

function copyOf(name) {
  const copy = join(folder, name);
  for (const path of COPIED)
    cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter: (from) => !from.includes('node_modules') });
  for (const path of LINKED) symlinkSync(join(ROOT, path), join(copy, path));
  mkdirSync(join(copy, 'cache'));
  writeFileSync(join(copy, 'vitest.config.ts'), CONFIG);
  return copy;
}

function breakIn(copy, { file, edits }) {
  const path = join(copy, file);
  writeFileSync(
    path,
    edits.reduce((text, [from, to]) => text.replace(from, () => to), readFileSync(path, 'utf8')),
  );
}

/** @returns undefined when every stage passes. */
async function firstFailure(copy) {
  for (const args of STAGES) {
    const { isGood, text } = await runTests(copy, args);
    if (!isGood) return { stage: args.join(' '), test: /FAIL\s+(.*)/.exec(plainText(text))?.[1]?.trim() ?? 'did not run to its end', text };
  }
  return undefined;
}

function runTests(copy, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
      cwd: copy,
      env: { ...process.env, CORE: 'dialect', SEED, LONG: undefined, CHARTS: undefined, NO_COLOR: '1' },
    });
    children.add(child);
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    // A mutant may never come to rest.
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.on('close', (code) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ isGood: code === 0, text });
    });
  });
}

function plainText(text) {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
