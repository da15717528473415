// npm test: sets everything up, checks style and types, runs every test, and ends with the line `N passed, N failed`.
//   --no-browser   leaves the tests in Chromium out
//   other words    are file filters; style and types are then left out

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fail, prepare, ROOT, say } from './prepare.mjs';
import { Tally, tallyOf } from './tally.mjs';

const words = process.argv.slice(2);
const withBrowser = !words.includes('--no-browser');
const filters = words.filter((word) => !word.startsWith('--'));

prepare('core', 'product', 'browser', 'pages');
if (withBrowser) findChromium();
const total = new Tally();
if (filters.length === 0) {
  check('types', 'typescript/bin/tsc', '--noEmit', '-p', '.');
  check('lint', 'eslint/bin/eslint.js', '.', '--max-warnings', '0');
  check('format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.');
}
runTests();
console.log(total.line());
process.exit(total.exitCode());

function check(name, tool, ...args) {
  say(`checking ${name}`);
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules', tool), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  total.count(status === 0);
  if (status !== 0) console.error(`${name}: failed`);
}

function runTests() {
  const report = join(ROOT, 'build', 'test-report.json');
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  rmSync(report, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters];
  if (!withBrowser) args.push('--exclude', 'test/browser/**');
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const tests = tallyOf(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined);
  // An exception outside of any test.
  if (status !== 0 && tests.failed === 0) tests.count(false);
  total.add(tests);
}

/** Chromium for the browser tests: installs Debian's as root, else says what to do. */
function findChromium() {
  if (existsSync('/usr/bin/chromium')) return;
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (canInstall) {
    say('installing Chromium');
    const options = { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    spawnSync('apt-get', ['update', '-q'], options);
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], options);
  }
  if (existsSync('/usr/bin/chromium')) return;
  fail(
    'The browser tests need Chromium at /usr/bin/chromium. Install it with `sudo apt-get install chromium` (Debian, Ubuntu),\n' +
      'or leave the browser tests out: `npm test -- --no-browser`.',
  );
}
