// `lockstep build`: what becomes of the machines of a folder when they are compiled. docs/expressions.md, "Lowering".

import { parseArgs } from 'node:util';
import { statSync } from 'node:fs';
import path from 'node:path';
import { UsageError, type Command } from '../command.ts';
import { explain, explanationText } from './explain.ts';
import { loadFolder } from './load.ts';

const USAGE = `lockstep build --explain [--json] DIR

Runs the modules under DIR that define machines and says of each machine that they export whether it is lowered (its functions run in the
core) or hosted (they run in JavaScript), and of each function that stands in the way where it is and why.

  --explain  says so; nothing is written
  --json     as one JSON object

Exit code: 0; 1 when a module could not be loaded or a machine not compiled.
`;

/** For what was written to arrive. */
const LEAVE_MS = 500;

export const command: Command = {
  name: 'build',
  summary: 'says which machines are lowered, and what keeps the others hosted',
  run: async (args) => {
    const { values, positionals } = readWords(args);
    if (values.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    const [folder, more] = positionals;
    if (values.explain !== true || folder === undefined || more !== undefined)
      throw new UsageError('build is asked like this: lockstep build --explain [--json] DIR');
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`"${folder}" is no folder`);
    const root = path.resolve(folder);
    const explanation = explain(await loadFolder(root));
    process.stdout.write(values.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation));
    // Modules may have left timers and sockets behind.
    setTimeout(() => process.exit(), LEAVE_MS).unref();
    const failed = explanation.unreadable.length > 0 || explanation.machines.some(({ home }) => home === 'refused');
    return failed ? 1 : 0;
  },
};

/** @throws UsageError for unknown options. */
function readWords(args: readonly string[]) {
  try {
    const options = { explain: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
