// The core as TypeScript: for pages whose policy forbids WebAssembly, and for tests that run both side by side. The build swaps
// assembly/prim.ts and assembly/env.ts for their portable twins. One memory per load of this module: every core made here shares it.

import { host } from '../assembly/env-portable.ts';
import * as core from '../assembly/index.ts';
import { memory } from '../assembly/prim-portable.ts';
import type { CoreExports, CoreImports } from './abi.ts';

export function createDialectCore(imports: CoreImports): CoreExports {
  host.guard = imports.env.guard;
  host.action = imports.env.action;
  host.live = imports.env.live;
  host.value = imports.env.value;
  return { memory, ...core };
}
