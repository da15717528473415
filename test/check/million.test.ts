// A million configurations in a process that never takes 1 GB, the test runner included; the short run explores fewer.

import { createMachine } from 'xstate';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import { testCore } from '../support/core.ts';

/** As many independent toggles in parallel have 2 to their number of configurations. */
const TOGGLES = process.env['LONG'] === undefined ? 14 : 20;
const MEMORY_MAX = 1 << 30;

test(`[CHECK-11] ${(2 ** TOGGLES).toLocaleString('en-US')} configurations fit into 1 GB`, async () => {
  const toggle = (event: string) => ({ initial: 'off', states: { off: { on: { [event]: 'on' } }, on: { on: { [event]: 'off' } } } });
  const machine = createMachine({
    type: 'parallel',
    states: Object.fromEntries(Array.from({ length: TOGGLES }, (_, i) => [`r${i}`, toggle(`E${i}`)])),
  });
  const report = check(await testCore(), machine, { configurationMax: 2 ** TOGGLES });
  expect(report).toMatchObject({ configurations: 2 ** TOGGLES, findings: [], isComplete: true });
  // The peak of the whole process so far, the test runner's own included.
  expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(MEMORY_MAX);
});
