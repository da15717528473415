// The golden run in a page: the test calls `golden` with what it wants run.

import { createDialectCore } from '../../core/dialect.ts';
import { Core } from '../../core/wasm.ts';
import { runGolden } from './golden.ts';

Object.assign(globalThis, {
  golden: async (engine: 'core.wasm' | 'core.small.wasm' | 'typescript', images: readonly string[], events: number) => {
    const core =
      engine === 'typescript' ? Core.fromExports(createDialectCore) : await Core.fromWasm(await (await fetch(`/${engine}`)).arrayBuffer());
    return runGolden(
      core,
      images.map((image) => Uint8Array.from(atob(image), (character) => character.charCodeAt(0))),
      events,
    );
  },
});
