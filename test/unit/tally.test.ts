// The total of `npm test` cannot say "all passed" when something else is true.

import { expect, test } from 'vitest';
// @ts-expect-error plain JavaScript that runs before anything is installed
import { Tally, tallyOf } from '../../tools/bootstrap/tally.mjs';

const file = (status: string, ...tests: string[]) => ({ status, assertionResults: tests.map((each) => ({ status: each })) });

test.each([
  ['tests that passed', { success: true, testResults: [file('passed', 'passed', 'passed')] }, '2 passed, 0 failed', 0],
  ['one that failed', { success: false, testResults: [file('failed', 'passed', 'failed')] }, '1 passed, 1 failed', 1],
  [
    'one that was left out',
    { success: true, testResults: [file('passed', 'passed', 'skipped', 'todo')] },
    '1 passed, 0 failed, 2 skipped',
    0,
  ],
  ['a file that did not load', { success: false, testResults: [file('passed', 'passed'), file('failed')] }, '1 passed, 1 failed', 1],
  ['an exception outside of any test', { success: false, testResults: [file('passed', 'passed')] }, '1 passed, 1 failed', 1],
  ['nothing at all', { success: true, testResults: [] }, '0 passed, 0 failed', 1],
  ['a missing report', undefined, '0 passed, 1 failed', 1],
])('a report of %s', (_, report, line, exitCode) => {
  const total = new Tally();
  total.add(tallyOf(report));
  expect(total.line()).toBe(line);
  expect(total.exitCode()).toBe(exitCode);
});
