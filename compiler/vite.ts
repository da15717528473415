// The Vite plugin: `import image from './bar.machine.ts?image'` gives the compiled image of the machine in that module, so that a browser
// that is the authority of its own machine ships bytes and no compiler. The module is loaded at build time, with everything it imports;
// its default export is the machine, or with `?image=name` the export of that name. See docs/definitions.md.

import type { Plugin } from 'vite';
import { imageModule } from './image-module.ts';
import { compileMachine, Modules, type MachineOptions } from './index.ts';
import { runModules } from './vite-modules.ts';

const QUERY = /\?image(?:=([\w$]+))?$/;

/** @param options fuel and throw policy of every image it makes; `lower: false` for hosted ones. */
export function lockstep(options: MachineOptions = {}): Plugin {
  let root = '.';
  let alias: unknown;
  return {
    name: 'lockstep',
    enforce: 'pre',

    configResolved(config) {
      root = config.root;
      alias = config.resolve.alias;
    },

    async resolveId(source, importer) {
      const query = QUERY.exec(source);
      if (query === null) return null;
      const module = await this.resolve(source.slice(0, query.index), importer, { skipSelf: true });
      return module === null ? null : `${module.id}${query[0]}`;
    },

    /** @throws through Rollup's error, with the compiler's own sentence, when the module holds no machine that can be compiled. */
    async load(id) {
      const query = QUERY.exec(id);
      if (query === null) return null;
      const file = id.slice(0, query.index);
      const name = query[1] ?? 'default';
      const modules = await runModules(root, alias);
      try {
        const exported = await modules.load(file);
        for (const watched of [file, ...modules.files()]) this.addWatchFile(watched);
        if (!(name in exported)) this.error(`${file} has no export '${name}'; ?image compiles the default export, ?image=name another one`);
        const { texts, resolve } = modules.texts();
        const image = compileMachine(exported[name], { lower: { modules: new Modules(texts, resolve) }, ...options });
        return { code: imageModule(image), map: null };
      } finally {
        await modules.close();
      }
    },
  };
}
