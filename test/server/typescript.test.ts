// Machines in TypeScript, as a user names them on the command line: the built commands load them on every Node that we support.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { gatherModules, readTexts } from '../../server/texts.ts';
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

const counter = file(
  'counter.machine.ts',
  `import { assign, createMachine } from 'xstate';
   import { STEP } from './step.ts';
   type Context = { readonly count: number };
   const LIMIT: number = 4;
   export const counter = createMachine({
     id: 'counter', context: { count: 0 } as Context, initial: 'open',
     states: {
       open: { on: { ADD: [
         { guard: ({ context }: { context: Context }): boolean => context.count < LIMIT, actions: assign({ count: ({ context }: { context: Context }): number => context.count + STEP }) },
         { target: 'full' },
       ] } },
       full: { on: { EMPTY: { target: 'open', actions: assign({ count: 0 }) } } },
     },
   });`,
);
file('step.ts', `export const STEP: number = 2;\n`);

test('[SRV-41] [CHECK-13] check computes with the constants of TypeScript modules', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'build/dist/cli.js'), 'check', '--json', counter]);
  expect(JSON.parse(stdout)).toMatchObject({ machine: 'counter', keys: ['count'], questions: 0, configurations: 4, findings: [] });
});

test('[SRV-41] where Node runs TypeScript by itself, constants are read from the modules without their types', async () => {
  // What Node does: types become blanks, so that functions have in their modules the text that they have when they run.
  const blank = (text: string): string =>
    text.replaceAll(/: (number|boolean|\{ context: Context \})| as Context|type Context = .*;/g, (types) => ' '.repeat(types.length));
  const guard = blank('({ context }: { context: Context }): boolean => context.count < LIMIT');
  const assigned = blank('({ context }: { context: Context }): number => context.count + STEP');
  const meanings = (modules: ReturnType<typeof gatherModules>): unknown[] => [
    modules.around(guard)('LIMIT'),
    modules.around(assigned)('STEP'),
  ];
  const literal = (value: number): object => ({ kind: 'value', value: { kind: 'literal', value } });
  expect(meanings(gatherModules([await readTexts(counter, blank)]))).toEqual([literal(4), literal(2)]);
  const refusing = (): string => {
    throw new SyntaxError('an enum is more than a type');
  };
  for (const strip of [refusing, undefined])
    expect(meanings(gatherModules([await readTexts(counter, strip)]))).toEqual([undefined, undefined]);
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
