// Cores for actors that step inside one another: an action that sends to another actor, or spawns one, steps it in the middle of its own
// step, and a core runs one step at a time. So there is one core for each depth, made when that depth is first reached.

import base64 from 'virtual:core';
import makeTwin from 'virtual:twin';
import type { CoreExports } from '../../core/abi.ts';
import { Core } from '../../core/wasm.ts';

const cores: Core[] = [];
let depth = 0;
let module: WebAssembly.Module | undefined;

/** Runs `step` with a core that nobody is using. */
export function withCore<T>(step: (core: Core) => T): T {
  const core = (cores[depth] ??= makeCore());
  depth += 1;
  try {
    return step(core);
  } finally {
    depth -= 1;
  }
}

function makeCore(): Core {
  if (!isWasmAllowed()) return Core.fromExports(makeTwin());
  const compiled = module!;
  return Core.fromExports((imports) => new WebAssembly.Instance(compiled, { env: { ...imports.env } }).exports as unknown as CoreExports);
}

/** False where there is no WebAssembly, or the page's policy forbids it. */
function isWasmAllowed(): boolean {
  if (module !== undefined) return true;
  if (typeof WebAssembly === 'undefined') return false;
  try {
    module = new WebAssembly.Module(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
    return true;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return false;
    throw error;
  }
}
