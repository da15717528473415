// The suites of SCION and the W3C on both cores. `npm run conformance` prints the same as a table.

import { expect, test } from 'vitest';
import type { Core } from '../../core/wasm.ts';
import { MISSES } from '../../tools/conformance/misses.ts';
import { countsOf, tableOf, type Result } from '../../tools/conformance/report.ts';
import { runCase } from '../../tools/conformance/run-case.ts';
import { readCases } from '../../tools/conformance/suite.ts';
import { evaluators, typescript, wasm } from '../support/scxml.ts';

const cases = readCases();
const resultsOn = (core: Core): Result[] => cases.map((of) => ({ of, verdict: runCase(core, evaluators, of) }));
const onWasm = resultsOn(wasm);

test('[SCXML-2] all cases pass but three manual ones, each with its reason', () => {
  const missed = onWasm.filter(({ verdict }) => !verdict.passed).map(({ of }) => of.name);
  expect(missed).toEqual(Object.keys(MISSES));
  expect(countsOf(onWasm)).toEqual({ scion: 127, w3cMandatory: 160, total: 313, of: 316 });
  const table = tableOf(onWasm);
  expect(table).toContain('W3C, mandatory and automated            160 of 160');
  for (const [name, reason] of Object.entries(MISSES)) expect(table).toContain(`missed ${name}: ${reason}`);
});

test('[SCXML-2] the oracle is strict: a wrong configuration anywhere is a miss', () => {
  const [one] = cases.filter(({ name }) => name === 'parallel/test1');
  expect(one).toBeDefined();
  const { script } = one!;
  const wrongAtFirst = { ...one!, script: { ...script, initialConfiguration: script.initialConfiguration.slice(1) } };
  expect(runCase(wasm, evaluators, wrongAtFirst)).toMatchObject({
    passed: false,
    reason: expect.stringMatching(/^at the beginning/) as string,
  });
  const wrongLater = {
    ...one!,
    script: { ...script, events: script.events.map((event) => ({ ...event, nextConfiguration: ['nowhere'] })) },
  };
  expect(runCase(wasm, evaluators, wrongLater)).toMatchObject({ passed: false, reason: expect.stringMatching(/^after event 1/) as string });
  expect(runCase(wasm, evaluators, { ...one!, isW3c: true })).toMatchObject({
    passed: false,
    reason: expect.stringMatching(/^at the end: expected pass/) as string,
  });
});

test('[SCXML-3] the TypeScript core gives the same verdicts', () => {
  expect(resultsOn(typescript)).toEqual(onWasm);
});

test("[SCXML-6] with compound domains SCION's cases of a parallel go as their legacy scripts say", () => {
  const names = ['more-parallel/test10', 'more-parallel/test10b'];
  for (const one of cases.filter(({ name }) => names.includes(name))) {
    const legacy = (one.script as unknown as { readonly legacySemantics: typeof one.script }).legacySemantics;
    const found = runCase(wasm, evaluators, { ...one, script: legacy }, { domains: 'compound' });
    expect([one.name, found]).toEqual([one.name, { passed: true }]);
    expect(runCase(wasm, evaluators, { ...one, script: legacy }).passed).toBe(false);
  }
});
