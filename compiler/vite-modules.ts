// Runs modules with Vite, TypeScript and JSX included, and keeps their texts as they ran: what functions see outside themselves is read from
// those. Vite comes from the project or from us.

import type { ModuleText, Resolve } from './lowering/modules.ts';

export interface RunModules {
  /** @throws whatever the module throws, or Vite when it cannot read it. */
  load(file: string): Promise<Readonly<Record<string, unknown>>>;
  /** Of all modules that have run. */
  texts(): { readonly texts: readonly ModuleText[]; readonly resolve: Resolve };
  /** How the text of a module came to be, as Vite has it. */
  map(id: string): unknown;
  /** Files of the modules that have run. */
  files(): readonly string[];
  close(): Promise<void>;
}

/** @param alias as in Vite's configuration. */
export async function runModules(root: string, alias?: unknown): Promise<RunModules> {
  const { createServer } = await import('vite');
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
    ...(alias === undefined ? {} : { resolve: { alias: alias as never } }),
  });
  const modules = () => [...server.environments.ssr.moduleGraph.idToModuleMap];
  return {
    load: (file) => server.ssrLoadModule(file),
    texts: () => {
      const ids = new Map(modules().map(([id, { url }]) => [url, id]));
      return {
        texts: modules().flatMap(([id, { transformResult }]) => (transformResult == null ? [] : [{ id, text: transformResult.code }])),
        resolve: (source) => ids.get(source) ?? source,
      };
    },
    map: (id) => server.environments.ssr.moduleGraph.idToModuleMap.get(id)?.transformResult?.map,
    files: () => modules().flatMap(([, { file }]) => file ?? []),
    close: () => server.close(),
  };
}
