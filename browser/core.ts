// Gets a core into the page: the WebAssembly one, compiled while it arrives; where the page's policy forbids WebAssembly, the same core as
// TypeScript, which only then is downloaded. A page that connects begins with the small one.                  (WEB-5, CORE-18)

import { LockstepError } from '../core/errors.ts';
import { Core } from '../core/wasm.ts';

/** Bundlers see these as files to ship beside the script. */
const CORE_URL = new URL('../build/core.wasm', import.meta.url);
const SMALL_URL = new URL('../build/core.small.wasm', import.meta.url);

/**
 * The whole core, with its own memory.
 * @param url where core.wasm is, for a page that serves it elsewhere.
 * @throws LockstepError CORE when it cannot be had or is none.
 */
export async function loadCore(url: string | URL = CORE_URL): Promise<Core> {
  if (typeof WebAssembly === 'undefined') return loadTwin();
  let module: WebAssembly.Module;
  try {
    module = await compile(url);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError && !(await isAllowed())) return loadTwin();
    throw new LockstepError('CORE', `no core from ${String(url)}: ${String(error)}`, { cause: error });
  }
  return Core.fromWasm(module);
}

async function compile(url: string | URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  // Streaming wants the right content type; a server that does not know it costs a copy.
  if (response.headers.get('Content-Type') === 'application/wasm') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** The core of most machines: neither relational ones nor SCXML. Where there is no WebAssembly it is a whole one. @throws as loadCore */
export function loadSmallCore(): Promise<Core> {
  return loadCore(SMALL_URL);
}

/** Loads the whole core when it is first asked for, and again only when that failed. */
export function wholeCoreOnce(): () => Promise<Core> {
  let loading: Promise<Core> | undefined;
  return () =>
    (loading ??= loadCore().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}

/** The smallest module there is: compiles wherever any may. */
const EMPTY_MODULE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

async function isAllowed(): Promise<boolean> {
  try {
    await WebAssembly.compile(EMPTY_MODULE);
    return true;
  } catch {
    return false; // The page's Content-Security-Policy has no 'wasm-unsafe-eval'.
  }
}

async function loadTwin(): Promise<Core> {
  const { createDialectCore } = await import('../core/dialect.ts');
  return Core.fromExports(createDialectCore);
}
