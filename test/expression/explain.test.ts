// `lockstep build --explain` on a folder of modules: lowered and hosted machines, constants of other modules, what cannot be loaded.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readImage } from '../../core/image.ts';
import { xxh64 } from '../../core/xxh64.ts';
import { command } from '../../tools/build/command.ts';
import { explain, explanationText } from '../../tools/build/explain.ts';
import { loadFolder } from '../../tools/build/load.ts';
import { writeImages } from '../../tools/build/write.ts';
import { ROOT } from '../tidy/source.ts';

const MODULES = {
  'limits.ts': `export const LIMIT: number = 3;\nexport const isFull = (count: number): boolean => count >= LIMIT;`,
  'counter.ts': `import { assign, createMachine } from 'xstate';
    import { isFull, LIMIT } from './limits';
    export const counter = createMachine({
      id: 'counter', context: { count: 0 },
      on: {
        ADD: { guard: ({ context }) => !isFull(context.count) && context.count < LIMIT, actions: assign({ count: ({ context }) => context.count + 1 }) },
        SAY: { actions: () => console.log('said') },
      },
    });`,
  'deep/clock.ts': `import { assign, setup } from 'xstate';
    export const clock = setup({ guards: { isLate: () => Date.now() > 5 } }).createMachine({
      id: 'clock', context: { at: 0 },
      on: {
        TICK: { guard: 'isLate', actions: assign({ at: ({ event }) => (event as any).at }) },
        ASK: { actions: assign({ at: () => new Date().getTime() }) },
      },
    });`,
  'broken.ts': `import { createMachine } from 'xstate'; export const broken = createMachine({}); throw new Error('not today');`,
  'program.ts': `import { createMachine } from 'xstate'; createMachine({}); throw new Error('a program is not run');`,
  'switch.ts': `export const lamp = { dialect: 'relational', id: 'lamp', states: { On: {}, Off: { remove: ['On'] } }, handlers: {} } as const;`,
  'wrong.ts': `import { createMachine } from 'xstate'; export const wrong = createMachine({ id: 'wrong', initial: 'b', states: { a: { id: 'x' }, b: { id: 'x' } } });`,
};

test('[EXPR-12] a machine is lowered or hosted, and each function in the way is told with place and reason', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'explain-'));
  try {
    mkdirSync(path.join(folder, 'deep'));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(MODULES)) writeFileSync(path.join(folder, name), text);
    const explanation = explain(await loadFolder(folder));
    expect(explanationText(explanation).split('\n')).toEqual([
      'counter.ts counter (counter): lowered',
      'deep/clock.ts clock (clock): hosted',
      '  /on/TICK/guard guard "isLate" (deep/clock.ts:2): Date.now() reads the clock; use now() of lockstep, which comes with the event',
      '  /on/ASK/actions assign, at (deep/clock.ts:6): it reads the clock or makes a Date, which is no JSON; use now() of lockstep',
      'switch.ts lamp (lamp): lowered',
      'wrong.ts wrong: refused',
      "  machine 'wrong', /states/b: the id 'x' is taken by /states/a",
      'broken.ts: cannot be loaded: not today',
      '2 of 4 machines lowered, 3 of 6 functions',
      '',
    ]);
    const [counter] = explanation.machines;
    expect(counter?.functions.map(({ role, expression, isInTheWay }) => [role, expression, isInTheWay])).toEqual([
      ['guard', '!(context.count >= 3) && context.count < 3', false],
      ['assign', 'context.count + 1', false],
      ['action', undefined, false],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('[EXPR-12] build is refused without --explain, without a folder, or with something else', async () => {
  for (const args of [[], ['--explain'], ['.'], ['--explain', 'a', 'b'], ['--what', '.'], ['--explain', 'no/such/folder']]) {
    await expect(command.run(args)).rejects.toThrow(/build is asked like this|Unknown option|is no folder/);
  }
});

test('[EXPR-15] build writes bytes, module and declarations of each image, and the list of them; the same the second time', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'build-'));
  try {
    mkdirSync(path.join(folder, 'deep'));
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(MODULES)) writeFileSync(path.join(folder, name), text);
    const [one, two] = [path.join(folder, 'dist', 'one'), path.join(folder, 'dist', 'two')];
    const report = writeImages(await loadFolder(folder), one);
    expect(report.machines.map(({ file, export: name, id, home, module }) => [file, name, id, home, module])).toEqual([
      ['counter.ts', 'counter', 'counter', 'lowered', 'counter.counter.image.js'],
      ['deep/clock.ts', 'clock', 'clock', 'hosted', 'deep/clock.clock.image.js'],
      ['switch.ts', 'lamp', 'lamp', 'lowered', 'switch.lamp.image.js'],
    ]);
    expect(report.failed.map(({ file }) => file)).toEqual(['broken.ts', 'wrong.ts']);
    expect(JSON.parse(readFileSync(path.join(one, 'images.json'), 'utf8'))).toEqual(report.machines);
    for (const { module, image, sizeBytes } of report.machines) {
      const bytes = readFileSync(path.join(one, module.replace(/\.js$/, '')));
      expect([readImage(bytes, xxh64).hash, bytes.length]).toEqual([image, sizeBytes]);
      const text = readFileSync(path.join(one, module), 'utf8');
      const imported = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`)) as { default: unknown };
      expect(imported.default).toEqual({ hash: image, bytes: new Uint8Array(bytes) });
      expect(readFileSync(path.join(one, module.replace(/js$/, 'd.ts')), 'utf8')).toContain('export declare const bytes: Uint8Array;');
    }
    expect(writeImages(await loadFolder(folder), two)).toEqual(report);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
