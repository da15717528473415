// What a page loads that imports lockstep/browser and connects: bundled as a page's own build would, and weighed.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { dialect } from '../../tools/bootstrap/dialect.ts';
import { plainImports, WHOLE_CLIENT } from '../../tools/bootstrap/browser-build.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const PAGE = 'virtual:page';

export interface Weight {
  readonly name: string;
  /** Gzipped. */
  readonly size: number;
}

export interface PageBundle {
  /** The small core, and the scripts that are loaded before the page runs. */
  readonly files: readonly Weight[];
  /** What connects a page with a socket of its own, beside them. */
  readonly alone: readonly Weight[];
  /** What comes beside the first dial of a page that has no other wishes: its share of a socket, and the packed encoding. */
  readonly usual: readonly Weight[];
  /** What finds and runs the functions of a machine that it has the definition of, beside all that. */
  readonly functions: readonly Weight[];
  /** Scripts that are loaded when something else is needed. */
  readonly later: readonly Weight[];
  /** The modules of `files`: what each weighs by itself. Together they weigh more than a script that holds them all. */
  readonly modules: readonly Weight[];
  /** All that the scripts hold, one text each. */
  readonly texts: readonly string[];
}

/** Which modules make a group; the first group that needs a script has it. */
const GROUPS = {
  alone: ['browser/socket.ts'],
  usual: ['browser/tabs.ts', 'peer/codec-packed.ts'],
  functions: ['peer/binding.ts'],
} as const;

/**
 * As long and as random as the names that a build gives, but made from the name and not from the content: a script holds the names of others,
 * and by how much these can be squeezed would make it heavier or lighter when others change.
 */
function fileNameOf({ name }: { readonly name: string }): string {
  return `assets/${name}-${createHash('sha256').update(name).digest('base64url').slice(0, 8)}.js`;
}

/** @param source of the page's script; it imports from `/browser/index.ts`. */
export async function bundlePage(source: string): Promise<PageBundle> {
  const { output } = (await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [
      dialect(),
      plainImports(),
      {
        name: 'page',
        enforce: 'pre',
        resolveId: (id) => (id === PAGE ? id : undefined),
        load: (id) => (id === PAGE ? source : undefined),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: { input: PAGE, output: { codeSplitting: WHOLE_CLIENT, chunkFileNames: fileNameOf, entryFileNames: fileNameOf } },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = output.filter((file) => file.type === 'chunk');
  /** The files of chunks, and all that these import before they run. */
  const withImports = (begun: readonly Rolldown.OutputChunk[]): Set<string> => {
    const names = new Set(begun.map(({ fileName }) => fileName));
    for (const name of names) for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) names.add(next);
    return names;
  };
  const first = withImports(chunks.filter(({ isEntry }) => isEntry));
  const named = (group: keyof typeof GROUPS): Set<string> =>
    withImports(chunks.filter(({ moduleIds }) => GROUPS[group].some((name) => moduleIds.includes(ROOT + name))));
  const [alone, usual, functions] = [named('alone'), named('usual'), named('functions')];
  const weigh = (name: string, content: string | Uint8Array): Weight => ({ name, size: gzipSync(content, { level: 9 }).length });
  const core = output.find((file) => file.type === 'asset' && /core\.small[^/]*\.wasm$/.test(file.fileName));
  if (core?.type !== 'asset') throw new Error('the page came without its core');
  /** Scripts of `names`, without those of `others`. */
  const scripts = (names: Set<string>, ...others: readonly Set<string>[]): readonly Weight[] =>
    chunks
      .filter(({ fileName }) => names.has(fileName) && !others.some((other) => other.has(fileName)))
      .map(({ fileName, code }) => weigh(fileName, code));
  const modules = chunks
    .filter(({ fileName }) => first.has(fileName))
    .flatMap((chunk) => Object.entries(chunk.modules))
    .map(([id, { code }]) => weigh(id.replace(ROOT, ''), code ?? ''));
  return {
    files: [...scripts(first), weigh('core.small.wasm', core.source)],
    alone: scripts(alone, first),
    usual: scripts(usual, first),
    functions: scripts(functions, first, usual),
    later: scripts(new Set(chunks.map(({ fileName }) => fileName)), first, alone, usual, functions),
    modules: modules.sort((a, b) => b.size - a.size),
    texts: chunks.map(({ code }) => code),
  };
}

/** For people: the sums, the files, and the modules from the heaviest on. */
export function printWeights({ files, alone, usual, functions, later, modules }: PageBundle): string {
  const line = ({ name, size }: Weight): string => `${size.toLocaleString('en-US').padStart(9)}  ${name}`;
  const sum = (...weights: readonly (readonly Weight[])[]): string => sizeOf(weights.flat()).toLocaleString('en-US');
  return [
    `gzipped, a page that connects by a socket of its own, watches, predicts and sends: ${sum(files, alone)} B`,
    ...files.map(line),
    ...alone.map(line),
    `the same by its share of a socket, and packed: ${sum(files, usual)} B`,
    ...usual.map(line),
    `and with the author's functions: ${sum(files, usual, functions)} B`,
    ...functions.map(line),
    'loaded when something else is needed:',
    ...later.map(line),
    'modules, each by itself and not minified:',
    ...modules.map(line),
  ].join('\n');
}

export function sizeOf(files: readonly Weight[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
