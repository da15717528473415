// The manual cases of the W3C: a person is to read their logs. Here the test reads them.

import { expect, test } from 'vitest';
import { readCases } from '../../tools/conformance/suite.ts';
import { place } from '../support/scxml.ts';

function logOf(name: string, ms: number): { readonly log: string[]; readonly end: readonly string[] } {
  const found = readCases().find((one) => one.name === `w3c-ecma/${name}`);
  const { clock, system, log } = place();
  const session = system.start(found?.document ?? '');
  clock.advance(ms);
  return { log, end: session.configuration() };
}

test('[SCXML-4] 230: a forwarded event has the fields of the event that the parent saw', () => {
  const { log, end } = logOf('test230', 4_000);
  expect(end).toEqual(['final']);
  const fields = log.filter((line) => / is /.test(line));
  expect(fields).toHaveLength(14);
  const [seen, forwarded] = [fields.slice(0, 7), fields.slice(7)];
  expect(seen).toEqual(forwarded);
  expect(seen[0]).toBe('name is : childToParent');
});

test('[SCXML-4] 250: a cancelled session leaves its states, innermost first, and ends in no final state', () => {
  const { log, end } = logOf('test250', 4_000);
  expect(end).toEqual(['final']);
  expect(log).toEqual([': Exiting sub01', ': Exiting sub0']);
});

test('[SCXML-4] 307: a variable that is not bound yet and a field that is not there both give no value and no error', () => {
  const { log, end } = logOf('test307', 100);
  expect(end).toEqual(['final']);
  expect(log).toEqual([
    'entering s0 value of Var 1 is: : undefined',
    'no error in s0: undefined',
    'entering s1, value of non-existent substructure of Var 1 is: : undefined',
    'No error in s1: undefined',
  ]);
});
