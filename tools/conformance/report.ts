// What a run of the conformance suites came to: a table by group, every miss with its reason, and the counts that are compared with others.

import type { Verdict } from './run-case.ts';
import { MISSES } from './misses.ts';
import type { Case } from './suite.ts';

export interface Result {
  readonly of: Case;
  readonly verdict: Verdict;
}

export interface Counts {
  readonly scion: number;
  readonly w3cMandatory: number;
  readonly total: number;
  readonly of: number;
}

export function countsOf(results: readonly Result[]): Counts {
  const passed = results.filter(({ verdict }) => verdict.passed);
  return {
    scion: passed.filter(({ of }) => !of.isW3c).length,
    w3cMandatory: passed.filter(({ of }) => of.isMandatory).length,
    total: passed.length,
    of: results.length,
  };
}

/** Lines of the table, then of the misses. */
export function tableOf(results: readonly Result[]): string[] {
  const groups = new Map<string, Result[]>();
  for (const result of results) groups.set(groupOf(result.of), [...(groups.get(groupOf(result.of)) ?? []), result]);
  const width = Math.max(...[...groups.keys()].map(({ length }) => length));
  const rows = [...groups].map(([group, own]) => {
    const passed = own.filter(({ verdict }) => verdict.passed).length;
    return `${group.padEnd(width)}  ${String(passed).padStart(3)} of ${String(own.length).padStart(3)}`;
  });
  const misses = results.flatMap(({ of, verdict }) => (verdict.passed ? [] : [`missed ${of.name}: ${MISSES[of.name] ?? verdict.reason}`]));
  return [...rows, '', ...misses];
}

const groupOf = ({ group, isW3c, isMandatory }: Case): string =>
  isW3c ? `W3C, ${isMandatory ? 'mandatory and automated' : 'optional or manual'}` : `SCION ${group}`;
