// The Vite plugin, in a real build: what a page gets is the image and nothing of the compiler.

import { fileURLToPath } from 'node:url';
import { build, createServer, type Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { compileMachine } from '../../compiler/index.ts';
import { lockstep } from '../../compiler/vite.ts';
import { readImage } from '../../core/image.ts';
import { xxh64 } from '../../core/xxh64.ts';
import { bar } from './vite-fixture/bar.machine.ts';

const root = fileURLToPath(new URL('./vite-fixture', import.meta.url));

/** With what the plugin reads in the module beside it. */
const known = bar.provide({ guards: { isFew: ({ context }) => context.n < 3 } });
const lowered = compileMachine(known, { lower: true });

/** Builds a page that says `source`. @returns its one chunk. */
async function built(source: string, options?: Parameters<typeof lockstep>[0]): Promise<string> {
  const page = {
    name: 'page',
    resolveId: (id: string) => (id === `${root}/page.js` ? id : null),
    load: (id: string) => (id === `${root}/page.js` ? source : null),
  };
  const output = (await build({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [page, lockstep(options)],
    build: { write: false, minify: false, lib: { entry: `${root}/page.js`, formats: ['es'] } },
  })) as Rolldown.RolldownOutput[];
  return output[0]!.output[0].code;
}

/** Runs a chunk without imports. */
async function run(code: string): Promise<{ default: { hash: string; bytes: Uint8Array } }> {
  return (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)) as never;
}

test('[VITE-1] ?image is the compiled default export, lowered, without the compiler', async () => {
  expect(lowered.isLowered).toBe(true);
  const code = await built(`export { default } from './bar.machine.ts?image';`);
  const image = (await run(code)).default;
  expect(image.hash).toBe(lowered.hash);
  expect(readImage(image.bytes, xxh64, image.hash).symbols).toEqual(lowered.symbols);
  expect(code).not.toMatch(/import |BAD_DEFINITION|xstate\.assign/);
});

test('[VITE-1] with `lower: false` the image is the hosted one', async () => {
  const code = await built(`export { default } from './bar.machine.ts?image';`, { lower: false });
  expect((await run(code)).default.hash).toBe(compileMachine(bar).hash);
});

test('[VITE-1] ?image=name is another export, with the options of the plugin', async () => {
  const code = await built(`export { default } from './bar.machine.ts?image=bar';`, { fuel: 5 });
  expect((await run(code)).default.hash).toBe(compileMachine(known, { fuel: 5, lower: true }).hash);
});

test('[VITE-1] a development server answers the same', async () => {
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    plugins: [lockstep()],
    server: { middlewareMode: true, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const answer = await server.transformRequest('/bar.machine.ts?image');
    expect(answer?.code).toContain(`"${lowered.hash}"`);
  } finally {
    await server.close();
  }
});

test('[VITE-2] a build fails with the sentence of the compiler, or with the missing export', async () => {
  await expect(built(`export { default } from './bar.machine.ts?image=broken';`)).rejects.toThrow(
    "machine 'broken', /initial: 'broken' has no child state 'nowhere'",
  );
  await expect(built(`export { default } from './bar.machine.ts?image=nobody';`)).rejects.toThrow("has no export 'nobody'");
});
