// `lockstep build`: compiles the machines of a folder to images, or says what would become of them. docs/definitions.md, "Images as files",
// and docs/expressions.md, "Lowering".

import { statSync } from 'node:fs';
import path from 'node:path';
import { readWords, UsageError, type Command } from '../command.ts';
import { explain, explanationText } from './explain.ts';
import { loadFolder, type LoadedFolder } from './load.ts';
import { reportText, writeImages } from './write.ts';

const USAGE = `lockstep build --out OUT [--json] DIR
lockstep build --explain [--json] DIR

Runs the modules under DIR that define machines and compiles each machine that they export: lowered (its functions run in the core) where all
its functions can be, else hosted (they run in JavaScript).

  --out OUT  writes under OUT, for each machine, FILE.EXPORT.image (the bytes), .image.js (a module that holds them) and .image.d.ts; and
             images.json, the list of them with their hashes
  --explain  writes nothing, and says of each machine what becomes of it, and of each function that keeps it hosted where it is and why
  --json     as one JSON object

Exit code: 0; 1 when a module could not be loaded or a machine not compiled.
`;

/** For what was written to arrive. */
const LEAVE_MS = 500;

const OPTIONS = { out: { type: 'string' }, explain: { type: 'boolean' }, json: { type: 'boolean' } } as const;

export const command: Command = {
  name: 'build',
  summary: 'compiles the machines of a folder to images, or says what keeps them from being lowered',
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = readWords(args, OPTIONS);
    const [folder, more] = positionals;
    const { out } = values;
    if ((values.explain === true) === (out !== undefined) || folder === undefined || more !== undefined)
      throw new UsageError('build is asked like this: lockstep build --out OUT [--json] DIR, or lockstep build --explain [--json] DIR');
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new UsageError(`"${folder}" is no folder`);
    const root = path.resolve(folder);
    const loaded = await loadFolder(root);
    const [said, failed] = out === undefined ? explained(loaded, values.json === true) : written(loaded, out, values.json === true);
    process.stdout.write(said);
    // Modules may have left timers and sockets behind.
    setTimeout(() => process.exit(), LEAVE_MS).unref();
    return failed ? 1 : 0;
  },
};

type Answer = readonly [said: string, failed: boolean];

function explained(loaded: LoadedFolder, isJson: boolean): Answer {
  const explanation = explain(loaded);
  const failed = explanation.unreadable.length > 0 || explanation.machines.some(({ home }) => home === 'refused');
  return [isJson ? `${JSON.stringify(explanation, null, 2)}\n` : explanationText(explanation), failed];
}

function written(loaded: LoadedFolder, out: string, isJson: boolean): Answer {
  const report = writeImages(loaded, path.resolve(out));
  return [isJson ? `${JSON.stringify(report, null, 2)}\n` : reportText(report, out), report.failed.length > 0];
}
