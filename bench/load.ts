// A definition as a machine in the one core of this process.

import { compileMachine } from '../compiler/index.ts';
import { bind } from '../core/bind.ts';
import { Machine } from '../core/machine.ts';
import type { Core } from '../core/wasm.ts';
import { loadCore } from '../server/core-file.ts';

let core: Promise<Core> | undefined;

/** @param definition of any dialect. */
export async function load(definition: unknown): Promise<Machine> {
  core ??= loadCore();
  const { bytes, symbols } = compileMachine(definition);
  return Machine.load(await core, bytes, bind(symbols, definition));
}
