// Machines in files, as a user names them on the command line: TypeScript, which the built commands load on every Node that we support, JSON,
// and what cannot be loaded.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { loadProgram } from '../../server/program.ts';
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

test('[SRV-41] a JSON file is one machine, by its id or by the name of the file', async () => {
  const states = { off: { on: { PRESS: 'on' } }, on: {} };
  const named = file('a.json', JSON.stringify({ id: 'lamp', initial: 'off', states }));
  const nameless = file('bulb.json', JSON.stringify({ initial: 'off', states }));
  expect(Object.keys((await loadProgram(named)).machines)).toEqual(['lamp']);
  expect((await loadProgram(nameless)).machines).toEqual({ bulb: { initial: 'off', states } });
});

test('[SRV-41] machines exported by their names come with instances and a part, as those of an object do', async () => {
  const lamp = `{ id: 'lamp', dialect: 'relational', states: { On: {} } }`;
  const named = file(
    'named.mjs',
    `export const lamp = ${lamp};\nexport const instances = { desk: 'lamp' };\nexport const start = () => undefined;\n`,
  );
  expect(await loadProgram(named)).toMatchObject({ instances: { desk: { machine: 'lamp' } }, start: expect.any(Function) as unknown });
  const confusing = file('confusing.mjs', `export const instances = ${lamp};\n`);
  const { machines, ...others } = await loadProgram(confusing);
  expect([Object.keys(machines), Object.keys(others)]).toEqual([['instances'], ['outside']]);
});

test.each([
  ['an import of nothing', 'broken.machine.ts', `import './nowhere.ts';\n`, /broken\.machine\.ts cannot be loaded: .*nowhere/],
  ['no TypeScript', 'wrong.ts', `export const a: number = 1;\nexport const b = {,};\n`, /wrong\.ts cannot be loaded: [^]*wrong\.ts:2:19/],
  ['no JavaScript', 'wrong.mjs', `export const a = 1;\nexport const b = {,};\n`, /wrong\.mjs cannot be loaded: .* \(.*wrong\.mjs:2:19\)/],
  ['no JavaScript in what it imports', 'over.mjs', `import './wrong.mjs';\n`, /over\.mjs cannot be loaded: .* \(.*wrong\.mjs:2:19\)/],
  ['what throws', 'throws.mjs', `const a = 1;\nthrow new Error('no ' + a);\n`, /throws\.mjs cannot be loaded: no 1 \(.*throws\.mjs:2:7\)/],
  ['no JSON', 'wrong.json', `{ "id": }`, /wrong\.json cannot be read: .*JSON/],
  ['other JSON', 'list.json', `[]`, /list\.json holds no machine: expected an object, found an array/],
  ['other exports', 'other.mjs', `export const x = 1;\n`, /other\.mjs exports no machine; expected .* found x/],
])('[SRV-41] %s is refused with its file, the reason and the place', async (_, name, content, sentence) => {
  const checked = promisify(execFile)(process.execPath, [join(ROOT, 'build/dist/cli.js'), 'check', file(name, content)]);
  await expect(checked).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) as string });
});

test('[SRV-41] a file that is not there is said not to be there, and a folder to be one', async () => {
  await expect(loadProgram('nowhere.mjs')).rejects.toMatchObject({ message: 'there is no file nowhere.mjs' });
  await expect(loadProgram(folder)).rejects.toMatchObject({ message: `${folder} is a folder, expected a module that exports machines` });
});
