// The authors' side in one call: a machine in, an image out. Needed where machines are defined, never in a browser client.

import { compile, type CompileOptions, type Image } from './compile.ts';
import { readDefinition } from './dialect.ts';

export { check, type ExplorationOptions, type Finding, type GuardAnswer, type Remark, type Report, type TrailStep } from './check/index.ts';
export { compile, type CompileOptions, type Image, type ThrowPolicy } from './compile.ts';
export type { Definition } from './definition.ts';
export { defineMachine } from './dialect.ts';
export type { FlatMachine } from './dialects/flat.ts';
export { fromRelational, type RelationalConfig } from './dialects/relational.ts';
export { fromStates, type Reply, type StateHandle, type StateHandler } from './dialects/states.ts';
export {
  canonicalTransitions,
  fromTransitions,
  transitionsChecksum,
  transitionsText,
  type TransitionList,
} from './dialects/transitions.ts';
export { fromXState } from './dialects/xstate5.ts';
export * from './relational/schema.ts';

/**
 * Compiles a machine to an image.                                                              (COMPILE-1)
 * @param machine an XState 5 machine (`createMachine`, `setup().createMachine`), `{ config, implementations }`, a config as JSON, a
 *   relational machine, `{ dialect: 'relational', id, states, handlers }`, or whatever else defineMachine() takes. Its static context is frozen.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, NOT_JSON or MISSING_FUNCTION; the message names machine, path and reason.
 */
export function compileMachine(machine: unknown, options: CompileOptions = {}): Image {
  return compile(readDefinition(machine), options);
}
