// Builds the core: AssemblyScript to WebAssembly, release, small and debug. For the release one more round of inlining than asc does by itself,
// which makes a step about a quarter faster; only where a step goes often, for pages load it. For the small one, with which a page begins, all
// rounds that make it smaller. Run by `npm start`, `npm test` and the tests' own set-up: node tools/bootstrap/core.mjs

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'assemblyscript/binaryen';

const ROOT = join(import.meta.dirname, '..', '..');
const RELEASE = join(ROOT, 'build', 'core.wasm');
const SMALL = join(ROOT, 'build', 'core.small.wasm');
/** Instructions; the core has no deep call chains that would multiply. */
const INLINE_MAX = 100;
/** Functions that stay calls, by the names that asc gives them: what takes images in, and what a step seldom comes to. */
const COLD = [
  ...['validate*', 'plan/*', 'fuse/*', 'image/*', 'settle/*', 'tables/*', 'heap/*', 'prim/hash64', 'prim/zeroMemory'],
  ...[
    'scratch/prepare*',
    'scratch/reserve',
    'scratch/emitElse',
    'cover/mark*',
    'form/writeForm',
    'form/gather',
    'writes/prepare*',
    'writes/takeBack',
  ],
  ...[
    'enterScxml',
    'enterFinal',
    'complete*',
    'finalize',
    'invoke',
    'schedule',
    'raise*',
    'run*',
    'doneHandle',
    'isFinished',
    'coverPlan',
  ].map((name) => `statechart/${name}`),
  ...['statechart/emitTransitions', 'expression/each', 'expression/found', 'expression/merge', 'expression/host', 'expression/mayVisit'],
  ...['add*', 'descend*', 'enter*', 'collect*', 'record*', 'remember*', 'dynamic*', 'scxml*'].map((name) => `entry/${name}`),
];

/** What only benches and `check` call. */
const TOOLS = ['batch', 'cover'];

for (const target of ['release', 'small', 'debug']) {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules/assemblyscript/bin/asc.js'), '--target', target], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}
inline();
shrink();

function inline() {
  const module = binaryen.readBinary(readFileSync(RELEASE));
  module.setFeatures(binaryen.Features.All);
  binaryen.setOptimizeLevel(4);
  binaryen.setShrinkLevel(0);
  binaryen.setAlwaysInlineMaxSize(INLINE_MAX);
  binaryen.setFlexibleInlineMaxSize(INLINE_MAX * 3);
  binaryen.setOneCallerInlineMaxSize(INLINE_MAX * 6);
  for (const name of COLD) {
    binaryen.setPassArgument('no-inline', `assembly/${name}`);
    module.runPasses(['no-inline']);
  }
  binaryen.setPassArgument('no-inline', null);
  module.optimize();
  module.optimize();
  const numbered = binaryen.readBinary(module.emitBinary());
  numbered.setFeatures(binaryen.Features.All);
  // What is called most gets the shortest numbers.
  numbered.runPasses(['reorder-functions']);
  writeFileSync(RELEASE, numbered.emitBinary());
  numbered.dispose();
  module.dispose();
}

function shrink() {
  const module = binaryen.readBinary(readFileSync(SMALL));
  module.setFeatures(binaryen.Features.All);
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(2);
  binaryen.setAlwaysInlineMaxSize(2);
  binaryen.setFlexibleInlineMaxSize(20);
  binaryen.setOneCallerInlineMaxSize(-1);
  for (const name of TOOLS) module.removeExport(name);
  module.optimize();
  module.optimize();
  writeFileSync(SMALL, module.emitBinary());
  module.dispose();
}
