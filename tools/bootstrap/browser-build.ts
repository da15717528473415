// How what is shipped for browsers is put together, as small as it gets.

import type { Plugin } from 'vite';

const PRELOADS = 'native:import-analysis-build';

/**
 * What is loaded before the page runs is one file: many small ones, which of itself the bundler makes, compress less well, by 1.1 KB. The hooks for
 * React stay apart: they import React.
 */
export const WHOLE_CLIENT = {
  groups: [{ name: 'client', tags: ['$initial' as const], test: (id: string): boolean => !id.endsWith('/browser/react.ts') }],
};

/**
 * A Vite plugin: import() stays what it is. Of itself Vite has each one preload the style sheets of what it loads, with 0.8 KB of script on every
 * page; lockstep/browser has none.
 */
export function plainImports(): Plugin {
  return {
    name: 'plain-imports',
    configResolved({ plugins }) {
      const at = plugins.findIndex(({ name }) => name === PRELOADS);
      if (at < 0) throw new Error(`this Vite has no plugin "${PRELOADS}": is it still what preloads style sheets?`);
      (plugins as Plugin[]).splice(at, 1);
    },
  };
}
