// `lockstep check`: what is wrong with machines before they run. docs/check.md.

import { check } from '../../compiler/check/index.ts';
import { LockstepError } from '../../core/errors.ts';
import { loadCore } from '../../server/core-file.ts';
import { readWords, UsageError, type Command } from '../command.ts';
import { loadSubjects } from './load.ts';
import { printReport, type CheckedMachine } from './report.ts';

const MAX_DEFAULT = 1_000_000;

const USAGE = `lockstep check FILE… [options]

Explores every configuration that the machines in FILE… can reach and reports unreachable states, dead transitions, deadlocks and steps
that never end, each with the shortest way there. Files are modules that export machines, or JSON. Guards over data that cannot be
computed are answered both ways.

  --max N   configurations of one machine that are looked at (${MAX_DEFAULT.toLocaleString('en-US')})
  --json    one JSON object per machine and line

Exit code: 0 nothing found, 1 something found, 2 a machine could not be checked, or not to its end.
`;

const CLEAN = 0;
const FOUND = 1;
const FAILED = 2;

const OPTIONS = { max: { type: 'string' }, json: { type: 'boolean' } } as const;

export const command: Command = {
  name: 'check',
  summary: 'finds unreachable states, dead transitions, deadlocks and endless steps',
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = readWords(args, OPTIONS);
    if (positionals.length === 0) throw new UsageError('check needs files with machines: lockstep check FILE…');
    const configurationMax = readMax(values.max);
    let code = CLEAN;
    for (const file of positionals) code = Math.max(code, await checkFile(file, configurationMax, values.json === true));
    return code;
  },
};

/** The files behind one that fails are still checked. */
async function checkFile(file: string, configurationMax: number, asJson: boolean): Promise<number> {
  let code = CLEAN;
  try {
    for (const subject of await loadSubjects(file)) {
      // One core each: its memory is the machine's.
      const { modules } = subject;
      const report = check(await loadCore(), subject.machine, { configurationMax, lowering: modules === undefined ? {} : { modules } });
      const checked = { file, report, locate: subject.locate };
      process.stdout.write(asJson ? `${JSON.stringify(located(checked))}\n` : printReport(checked));
      code = Math.max(code, report.findings.length > 0 ? FOUND : report.isComplete ? CLEAN : FAILED);
    }
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    process.stderr.write(`lockstep: ${file}: ${error.code} ${error.message}\n`);
    return FAILED;
  }
  return code;
}

/** The report with the file, and with line and column where they are known. */
function located({ file, report, locate }: CheckedMachine): object {
  const add = <Item extends { readonly path: string }>(item: Item): Item & { readonly position?: string } => {
    const position = locate(item.path);
    return position === undefined ? item : { ...item, position };
  };
  return { file, ...report, findings: report.findings.map(add), remarks: report.remarks.map(add) };
}

function readMax(text: string | undefined): number {
  if (text === undefined) return MAX_DEFAULT;
  const max = Number(text.replaceAll('_', ''));
  if (!Number.isInteger(max) || max < 1) throw new UsageError(`--max takes a whole number from 1 on, found "${text}"`);
  return max;
}
