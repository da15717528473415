// Reads the code itself and holds it to the rules of the house. Each checker is also fed something bad, so that it cannot pass by blindness.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CODES } from '../../core/errors.ts';
import { meanings } from '../support/codes.ts';
import { filesUnder, importsOf, resolveImport, ROOT, roomOf, type Room, type Source, sources } from './source.ts';

const all = sources();

// ── Imports ──────────────────────────────────────────────────────────────────────────────────────────────────────

const MAY: Readonly<Record<Room, readonly Room[]>> = {
  assembly: [],
  core: [],
  compiler: ['core'],
  peer: ['core'],
  relay: ['peer', 'core'],
  server: ['compiler', 'core', 'peer', 'relay'],
  browser: ['core', 'peer'],
  tools: ['assembly', 'core', 'compiler', 'peer', 'relay', 'server', 'browser', 'examples'],
  examples: ['core', 'compiler', 'peer', 'server', 'browser'],
  bench: ['assembly', 'core', 'compiler', 'peer', 'relay', 'server'],
};
/** Files of a room that others may import although the room is not theirs. */
const AGREED: readonly (readonly [from: RegExp, to: RegExp])[] = [
  [/^(core|compiler)\//, /^assembly\/(program-)?layout\.ts$/],
  [/^core\/dialect\.ts$/, /^assembly\//],
  // The vite plugin of the dialect is part of every build.
  [/^(bench|examples)\//, /^tools\/bootstrap\/dialect\.ts$/],
];

function wrongWays(files: readonly Source[]): string[] {
  return files.flatMap((file) =>
    importsOf(file)
      .filter(({ name }) => name.startsWith('.'))
      .map(({ name }) => resolveImport(file.path, name))
      .filter((target) => roomOf(target) !== roomOf(file.path) && /^[a-z]+\//.test(target) && roomOf(target) in MAY)
      .filter(
        (target) =>
          !MAY[roomOf(file.path)].includes(roomOf(target)) && !AGREED.some(([from, to]) => from.test(file.path) && to.test(target)),
      )
      .map((target) => `${file.path} imports ${target}`),
  );
}

test('[TIDY-1] imports point one way', () => {
  expect(wrongWays([{ path: 'core/x.ts', text: "import { y } from '../peer/y.ts';" }])).toEqual(['core/x.ts imports peer/y.ts']);
  expect(wrongWays([{ path: 'browser/x.ts', text: "import { y } from '../compiler/y.ts';" }])).toHaveLength(1);
  expect(wrongWays(all)).toEqual([]);
});

function cycles(files: readonly Source[]): string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ name }) => name.startsWith('.'))
        .map(({ name }) => resolveImport(file.path, name)),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

test('[TIDY-1] there are no cycles between files', () => {
  const bad = [
    { path: 'core/a.ts', text: "import { b } from './b.ts';" },
    { path: 'core/b.ts', text: "import type { a } from './a.ts';" },
  ];
  expect(cycles(bad)).toEqual(['core/a.ts → core/b.ts → core/a.ts']);
  expect(cycles(all)).toEqual([]);
});

const DOORS: Readonly<Record<string, RegExp>> = {
  ws: /^relay\/socket\.ts$/,
  'json-rpc-2.0': /^peer\/service\.ts$/,
  'better-sqlite3': /^server\/journal\/database\.ts$/,
  'fast-json-patch': /^tools\/trace\/compare\.ts$/,
  xstate: /^compiler\/(dialects\/xstate5[a-z-]*|xstate\/builtins|actors)\.ts$/,
  'virtual:core': /^compiler\/xstate\/cores\.ts$/,
  'virtual:twin': /^compiler\/xstate\/cores\.ts$/,
  acorn: /^compiler\/lowering\/syntax\.ts$/,
  saxes: /^compiler\/scxml\/xml\.ts$/,
  'quickjs-emscripten-core': /^compiler\/scxml\/quickjs\.ts$/,
  '@jitl/quickjs-singlefile-mjs-release-sync': /^compiler\/scxml\/quickjs\.ts$/,
  react: /^browser\/react\.ts$/,
  vite: /^(compiler\/vite(-modules)?\.ts|tools\/bootstrap\/(dialect|embed|browser-build)\.ts)$/,
};

function sideDoors(files: readonly Source[]): string[] {
  return files
    .filter(({ path }) => !/^(examples|bench)\//.test(path))
    .flatMap((file) =>
      importsOf(file)
        .filter(({ name, isTypeOnly }) => !isTypeOnly && !name.startsWith('.') && !name.startsWith('node:'))
        .filter(({ name }) => !(DOORS[name]?.test(file.path) ?? false))
        .map(({ name }) => `${file.path} imports ${name}`),
    );
}

test('[TIDY-2] each dependency has one door', () => {
  expect(sideDoors([{ path: 'server/x.ts', text: "import { WebSocket } from 'ws';" }])).toEqual(['server/x.ts imports ws']);
  expect(sideDoors([{ path: 'core/x.ts', text: "import left from 'left-pad';" }])).toHaveLength(1);
  expect(sideDoors(all)).toEqual([]);
});

const FOREIGN =
  /\b(process|Buffer|window|document|navigator|localStorage|require|__dirname)\b\s*[.([]|\bDate\.now\b|\bnew Date\b|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\b|\bconsole\.|'node:/;

function foreignNames(files: readonly Source[]): string[] {
  return files
    .filter(({ path }) => ['core', 'compiler', 'peer'].includes(roomOf(path)) && path !== 'compiler/vite.ts')
    .flatMap(({ path, text }) =>
      withoutComments(text)
        .split('\n')
        // A clock that is handed over to XState has to have its names.
        .filter((line) => FOREIGN.test(line.replace(/'(?!node:)[^']*'|`[^`]*`|\b(?:set|clear)Timeout:/g, "''")))
        .map((line) => `${path}: ${line.trim()}`),
    );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

test('[TIDY-3] what runs everywhere names neither Node nor the DOM, no clock, no dice, no timers', () => {
  expect(
    foreignNames([
      { path: 'peer/x.ts', text: "const t = Date.now();\nsetTimeout(f, 1);\nimport fs from 'node:fs';\n// Date.now() here is fine" },
    ]),
  ).toHaveLength(3);
  expect(foreignNames(all)).toEqual([]);
});

// ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────────

function ruleIds(): string[] {
  return filesUnder('docs/spec', /\.md$/).flatMap(({ text }) => [...text.matchAll(/^- \*\*([A-Z]+-\d+)\*\*/gm)].map((match) => match[1]!));
}

function testedIds(files: readonly Source[]): Set<string> {
  return new Set(files.flatMap(({ text }) => [...text.matchAll(/\[([A-Z]+-\d+)\]/g)].map((match) => match[1]!)));
}

test('[TIDY-4] each rule has a test, and each tagged test has a rule', () => {
  const rules = ruleIds();
  const tested = testedIds(filesUnder('test', /\.ts$/));
  expect(rules.length).toBeGreaterThan(50);
  expect(new Set(rules).size).toBe(rules.length);
  expect(rules.filter((id) => !tested.has(id))).toEqual([]);
  expect([...tested].filter((id) => !rules.includes(id))).toEqual([]);
});

// ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────

const LINE_MAX = 400;

function untidy(files: readonly Source[]): string[] {
  return files.flatMap(({ path, text }) => {
    const head = /^(?:#!.*\n)?((?:\/\/.*\n)+)/.exec(text)?.[1];
    const lines = text.split('\n').length - 1;
    const faults: string[] = [];
    if (head === undefined) faults.push(`${path} does not say at its head what it is`);
    if (lines > LINE_MAX && head?.includes('Over 400 lines because') !== true) faults.push(`${path} has ${lines} lines`);
    if (/\b(TODO|FIXME|XXX)\b/.test(text)) faults.push(`${path} leaves something for later`);
    return faults;
  });
}

test('[TIDY-5] each file says what it is, and is one thing', () => {
  expect(untidy([{ path: 'core/x.ts', text: `const x = 1;\n${'\n'.repeat(LINE_MAX)}` }])).toHaveLength(2);
  expect(untidy(all)).toEqual([]);
});

test('[TIDY-6] the page of the protocol has the codes of the code', () => {
  const page = readFileSync(join(ROOT, 'docs/PROTOCOL.md'), 'utf8');
  const table = /<!-- codes -->([\s\S]*?)<!-- \/codes -->/.exec(page)?.[1] ?? '';
  const means = meanings();
  for (const [code, { rpc, retryable }] of Object.entries(CODES)) {
    const row = table.split('\n').find((line) => line.includes(`\`${code}\``) || line.includes(`| ${code} |`));
    expect(row, code).toBeDefined();
    for (const cell of [String(rpc), retryable ? 'yes' : 'no', means.get(code) ?? 'a code without a comment']) expect(row).toContain(cell);
  }
});
