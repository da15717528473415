// `npm run conformance`: every scripted case of @scion-scxml/test-framework on the WASM core, or with --dialect on the TypeScript one. The last
// line is JSON: {"scion": passed, "w3cMandatory": passed, "total": passed, "of": cases}. Exits with 1 when a case fails that is no known miss.

import { createDialectCore } from '../../core/dialect.ts';
import { Core } from '../../core/wasm.ts';
import { plainEvaluator } from '../../compiler/scxml/plain-evaluator.ts';
import { quickJsEvaluator } from '../../compiler/scxml/quickjs.ts';
import { loadCore } from '../../server/core-file.ts';
import { MISSES } from './misses.ts';
import { countsOf, tableOf, type Result } from './report.ts';
import { runCase } from './run-case.ts';
import { readCases } from './suite.ts';

const isDialect = process.argv.includes('--dialect');
const core = isDialect ? Core.fromExports(createDialectCore) : await loadCore();
const evaluators = [plainEvaluator(), await quickJsEvaluator()];
const results: readonly Result[] = readCases().map((of) => ({ of, verdict: runCase(core, evaluators, of) }));
for (const line of tableOf(results)) console.log(line);
console.log(JSON.stringify(countsOf(results)));
const isSurprise = results.some(({ of, verdict }) => !verdict.passed && MISSES[of.name] === undefined);
process.exit(isSurprise ? 1 : 0);
