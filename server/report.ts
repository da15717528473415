// What is reported, in measure: what others say is among what makes a server report something, and nobody is to fill its log.     (SRV-46)

import type { Environment } from '../peer/environment.ts';
import type { Report } from '../peer/log.ts';
import { Allowance } from '../relay/allowance.ts';

/** Reports of one level in a second; twice as many at once after a rest. */
const REPORTS_PER_S = 50;

/** Of each level so many in a second; how many more there were is said in front of the next one. */
export function measured(report: Report, environment: Pick<Environment, 'now'>): Report {
  const levels = new Map<string, { readonly allowance: Allowance; leftOut: number }>();
  return (level, message, error) => {
    const now = environment.now();
    const of = levels.get(level) ?? { allowance: new Allowance(REPORTS_PER_S, now), leftOut: 0 };
    levels.set(level, of);
    if (!of.allowance.take(1, now)) {
      of.leftOut++;
      return;
    }
    if (of.leftOut > 0) report(level, `${of.leftOut} reports of this kind were left out: more than ${REPORTS_PER_S} in a second`);
    of.leftOut = 0;
    report(level, message, error);
  };
}
