// Machines in TypeScript, as a user names them on the command line: the built commands load them on every Node that we support.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { CommandProcess } from '../support/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
// Inside the checkout, where its imports are found as in a project of its own.
const folder = mkdtempSync(join(ROOT, 'build/typescript-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

file('words.ts', `export enum Word { Go = 'GO' }\nexport const first: string = 'a';\n`);
const lamp = file(
  'lamp.machine.ts',
  `import { createMachine } from 'xstate';
   import { first, Word } from './words.ts';
   type Context = { readonly count: number };
   export const lamp = createMachine({
     id: 'lamp', context: { count: 0 } satisfies Context, initial: first,
     states: { a: { on: { [Word.Go]: 'b' } }, b: {}, c: {} },
   });`,
);

test('[SRV-41] check reads machines from TypeScript modules', async () => {
  const checked = promisify(execFile)(process.execPath, [join(ROOT, 'build/dist/cli.js'), 'check', lamp]);
  await expect(checked).rejects.toMatchObject({ code: 1, stdout: expect.stringMatching(/lamp[^]*c\b/) as string });
});

test('[SRV-41] serve runs machines from TypeScript modules', async () => {
  const server = new CommandProcess('serve', '--machines', lamp, '--data', join(folder, 'data'), '--port', '0');
  await server.until(/http:\/\/\S+/);
  expect(await server.kill('SIGTERM')).toBe(0);
});

test('[SRV-41] a module that cannot be loaded is named, with the reason', async () => {
  const broken = file('broken.machine.ts', `import './nowhere.ts';\n`);
  const checked = promisify(execFile)(process.execPath, [join(ROOT, 'build/dist/cli.js'), 'check', broken]);
  await expect(checked).rejects.toMatchObject({
    stderr: expect.stringMatching(/broken\.machine\.ts cannot be loaded: .*nowhere/) as string,
  });
});
