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
  /** The scripts that are loaded before the page runs, and the small core. */
  readonly files: readonly Weight[];
  /** Scripts that it brings in by itself when it watches, predicts and sends. */
  readonly road: readonly Weight[];
  /** Scripts that are loaded when something else is needed. */
  readonly later: readonly Weight[];
  /** The modules of `files`: what each weighs by itself. Together they weigh more than a script that holds them all. */
  readonly modules: readonly Weight[];
  /** All that the scripts hold, one text each. */
  readonly texts: readonly string[];
}

/**
 * What a page imports on its way, whatever it does: its share of a socket, the packed encoding (both beside the first dial), and what finds the
 * author's functions, with the first definition.
 */
const ROAD = ['browser/tabs.ts', 'peer/codec-packed.ts', 'peer/binding.ts'];

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
  const first = withImports(chunks.filter(({ isEntry }) => isEntry));
  const road = withImports(chunks.filter(({ moduleIds }) => ROAD.some((module) => moduleIds.includes(ROOT + module))));
  const weigh = (name: string, content: string | Uint8Array): Weight => ({ name, size: gzipSync(content, { level: 9 }).length });
  const core = output.find((file) => file.type === 'asset' && /core\.small[^/]*\.wasm$/.test(file.fileName));
  if (core?.type !== 'asset') throw new Error('the page came without its core');
  const scripts = chunks.map((chunk) => ({ chunk, weight: weigh(chunk.fileName, chunk.code) }));
  const modules = scripts
    .filter(({ chunk }) => first.has(chunk.fileName))
    .flatMap(({ chunk }) => Object.entries(chunk.modules))
    .map(([id, { code }]) => weigh(id.replace(ROOT, ''), code ?? ''));
  return {
    files: [...scripts.filter(({ chunk }) => first.has(chunk.fileName)).map(({ weight }) => weight), weigh('core.small.wasm', core.source)],
    road: scripts.filter(({ chunk }) => !first.has(chunk.fileName) && road.has(chunk.fileName)).map(({ weight }) => weight),
    later: scripts.filter(({ chunk }) => !first.has(chunk.fileName) && !road.has(chunk.fileName)).map(({ weight }) => weight),
    modules: modules.sort((a, b) => b.size - a.size),
    texts: chunks.map(({ code }) => code),
  };
}

/** For people: the sum, the files, and the modules from the heaviest on. */
export function printWeights({ files, road, later, modules }: PageBundle): string {
  const line = ({ name, size }: Weight): string => `${size.toLocaleString('en-US').padStart(9)}  ${name}`;
  return [
    `a page that connects, gzipped: ${sizeOf(files).toLocaleString('en-US')} B`,
    ...files.map(line),
    `with what it brings in to watch, predict and send: ${sizeOf([...files, ...road]).toLocaleString('en-US')} B`,
    ...road.map(line),
    'loaded when something else is needed:',
    ...later.map(line),
    'modules, each by itself and not minified:',
    ...modules.map(line),
  ].join('\n');
}

export function sizeOf(files: readonly Weight[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
