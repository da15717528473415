// What was run and how it went, and the last line of `npm test` that says it.

export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  count(isGood) {
    if (isGood) this.passed++;
    else this.failed++;
  }

  add(other) {
    this.passed += other.passed;
    this.failed += other.failed;
    this.skipped += other.skipped;
  }

  line() {
    return `${this.passed} passed, ${this.failed} failed${this.skipped === 0 ? '' : `, ${this.skipped} skipped`}`;
  }

  /** Nothing run is a failure too. */
  exitCode() {
    return this.failed === 0 && this.passed > 0 ? 0 : 1;
  }
}

/**
 * The numbers of a report of vitest's JSON reporter. A file that failed before any of its tests ran is one failure; so is a report that is
 * missing, and a run that ended badly although every test passed (an exception nobody caught).
 */
export function tallyOf(report) {
  const tally = new Tally();
  if (report === undefined) {
    tally.count(false);
    return tally;
  }
  for (const file of report.testResults) {
    const tests = file.assertionResults;
    for (const { status } of tests) {
      if (status === 'passed' || status === 'failed') tally.count(status === 'passed');
      else tally.skipped++;
    }
    if (file.status === 'failed' && !tests.some(({ status }) => status === 'failed')) tally.count(false);
  }
  if (report.success === false && tally.failed === 0) tally.count(false);
  return tally;
}
