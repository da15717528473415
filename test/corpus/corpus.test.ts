// The corpus program itself: what it collects, what it counts, and that it sees a difference.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer } from 'vite';
import * as published from 'xstate';
import { expect, test } from 'vitest';
import { corrected, side } from '../xstate/record.ts';
import { compare } from './compare.ts';
import { corpus, foreign } from './corpus.ts';
import { load, machineModules } from './load.ts';

const MODULES = {
  'shop.ts': `
    import express from 'express';
    import { price, type Item } from '@shop/prices';
    import { assign, createActor, createMachine, fromPromise } from 'xstate';
    const pay = createMachine({
      id: 'pay', initial: 'asking', context: { sum: 0 },
      states: {
        asking: { invoke: { src: fromPromise(async () => fetch('/never')), onDone: { target: 'paid', actions: assign({ sum: ({ event }) => event.output.sum }) }, onError: 'failed' } },
        paid: { after: { 1000: 'asking' } }, failed: { on: { AGAIN: { target: 'asking', guard: ({ event }) => event.really } } },
      },
    });
    createActor(pay).start();
    express().listen(80, () => console.log(price({} as Item)));
    await new Promise((resolve) => setTimeout(resolve, 60_000));`,
  'view.jsx': `import { setup } from 'xstate'; import css from './view.css';
    export const view = setup({}).createMachine({ id: 'view', initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } });
    export const View = () => <p className={css.p}>createMachine(</p>;`,
  'broken.ts': `import { createMachine } from 'xstate';
    export const broken = createMachine({ id: 'broken', initial: 'a', states: { a: { id: 'x' }, b: { id: 'x' } } });`,
  'nothing.ts': 'export const machine = 1;',
  'shop.test.ts': `import { createMachine } from 'xstate'; createMachine({});`,
};

async function inFolder<T>(run: (folder: string, server: Awaited<ReturnType<typeof createServer>>) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'corpus-'));
  const quiet = { configFile: false, logLevel: 'silent', appType: 'custom', oxc: false, root: folder } as const;
  const server = await createServer({
    ...quiet,
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    plugins: [foreign()],
  });
  try {
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(path.resolve('node_modules/xstate'), path.join(folder, 'node_modules/xstate'));
    for (const [name, text] of Object.entries(MODULES)) writeFileSync(path.join(folder, name), text);
    return await run(folder, server);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

test('[XSTATE-11] the corpus collects machines that modules keep for themselves, and counts what compiles and agrees', async () => {
  await inFolder(async (folder, server) => {
    const lines: string[] = [];
    const tally = await corpus(server, [folder], 7, (line) =>
      lines.push(line.replace(/^\S*\//, '').replace(/ [1-9]\d* events/, ' many events')),
    );
    expect(lines).toEqual([
      "broken.ts broken: refused, LockstepError: machine 'broken', /states/b: the id 'x' is taken by /states/a",
      'shop.ts pay: agreed on many events',
      'view.jsx view: agreed on many events',
    ]);
    expect(tally).toEqual({ compiled: 2, agreed: 2, of: 3 });
  });
});

test('[XSTATE-11] the corpus sees a difference', async () => {
  await inFolder(async (folder, server) => {
    const file = machineModules(folder).find((name) => name.endsWith('view.jsx'))!;
    const theirs = side(await corrected(), (machine) => machine);
    const ours = side(published, (machine) => published.createMachine({ ...machine.config, initial: 'b' } as never) as never);
    const [one, other] = [await load(server, file, theirs), await load(server, file, ours)];
    const players = [
      { side: theirs, loaded: one, machine: one.machines[0]! },
      { side: ours, loaded: other, machine: other.machines[0]! },
    ] as const;
    await expect(compare(players, file, 1)).rejects.toThrow(/line \d+\nXState in document order: .*"value":"a".*\nours: .*"value":"b"/);
  });
});
