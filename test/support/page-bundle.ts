// What a page loads that imports lockstep/browser and connects: bundled as a page's own build would, and weighed.

import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { dialect } from '../../tools/bootstrap/dialect.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const PAGE = 'virtual:page';

export interface Weight {
  readonly name: string;
  /** Gzipped. */
  readonly size: number;
}

export interface PageBundle {
  /** The small core, and the scripts that connect, watch, predict and send with it: all are loaded before the page runs. */
  readonly files: readonly Weight[];
  /** Scripts that come beside the first dial, whatever it does. */
  readonly beside: readonly Weight[];
  /** Scripts that find and run the functions of a machine that it has the definition of. */
  readonly functions: readonly Weight[];
  /** Scripts that are loaded when something else is needed. */
  readonly later: readonly Weight[];
  /** The modules of `files`: what each weighs by itself. Together they weigh more than a script that holds them all. */
  readonly modules: readonly Weight[];
  /** All that the scripts hold, one text each. */
  readonly texts: readonly string[];
}

/** Its share of a socket, and the packed encoding. */
const BESIDE = ['browser/tabs.ts', 'peer/codec-packed.ts'];
const FUNCTIONS = ['peer/binding.ts'];

/** @param source of the page's script; it imports from `/browser/index.ts`. */
export async function bundlePage(source: string): Promise<PageBundle> {
  const { output } = (await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [
      dialect(),
      {
        name: 'page',
        enforce: 'pre',
        resolveId: (id) => (id === PAGE ? id : undefined),
        load: (id) => (id === PAGE ? source : undefined),
      },
    ],
    build: { write: false, target: 'es2022', assetsInlineLimit: 0, modulePreload: false, rolldownOptions: { input: PAGE } },
  })) as Rolldown.RolldownOutput;
  const chunks = output.filter((file) => file.type === 'chunk');
  /** The files of chunks, and all that these import before they run. */
  const withImports = (begun: readonly Rolldown.OutputChunk[]): Set<string> => {
    const names = new Set(begun.map(({ fileName }) => fileName));
    for (const name of names) for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) names.add(next);
    return names;
  };
  const withModules = (names: readonly string[]): Set<string> =>
    withImports(chunks.filter(({ moduleIds }) => names.some((name) => moduleIds.includes(ROOT + name))));
  const first = withImports(chunks.filter(({ isEntry }) => isEntry));
  const beside = withModules(BESIDE);
  const functions = withModules(FUNCTIONS);
  type Group = keyof Pick<PageBundle, 'files' | 'beside' | 'functions' | 'later'>;
  const groupOf = (name: string): Group =>
    first.has(name) ? 'files' : beside.has(name) ? 'beside' : functions.has(name) ? 'functions' : 'later';
  const weigh = (name: string, content: string | Uint8Array): Weight => ({ name, size: gzipSync(content, { level: 9 }).length });
  const core = output.find((file) => file.type === 'asset' && /core\.small[^/]*\.wasm$/.test(file.fileName));
  if (core?.type !== 'asset') throw new Error('the page came without its core');
  const scripts = (group: Group): readonly Weight[] =>
    chunks.filter(({ fileName }) => groupOf(fileName) === group).map(({ fileName, code }) => weigh(fileName, code));
  const modules = chunks
    .filter(({ fileName }) => first.has(fileName))
    .flatMap((chunk) => Object.entries(chunk.modules))
    .map(([id, { code }]) => weigh(id.replace(ROOT, ''), code ?? ''));
  return {
    files: [...scripts('files'), weigh('core.small.wasm', core.source)],
    beside: scripts('beside'),
    functions: scripts('functions'),
    later: scripts('later'),
    modules: modules.sort((a, b) => b.size - a.size),
    texts: chunks.map(({ code }) => code),
  };
}

/** For people: the sum, the files, and the modules from the heaviest on. */
export function printWeights({ files, beside, functions, later, modules }: PageBundle): string {
  const line = ({ name, size }: Weight): string => `${size.toLocaleString('en-US').padStart(9)}  ${name}`;
  return [
    `a page that connects, watches, predicts and sends, gzipped: ${sizeOf(files).toLocaleString('en-US')} B`,
    ...files.map(line),
    `with what comes beside the first dial: ${sizeOf([...files, ...beside]).toLocaleString('en-US')} B`,
    ...beside.map(line),
    `and with what runs functions: ${sizeOf([...files, ...beside, ...functions]).toLocaleString('en-US')} B`,
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
