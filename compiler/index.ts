// The authors' side in one call: a machine in, an image out. Needed where machines are defined, never in a browser client.

import { bind, findLogic } from '../core/bind.ts';
import { Machine } from '../core/machine.ts';
import type { Core } from '../core/wasm.ts';
import { compile, type CompileOptions, type Image } from './compile.ts';
import { defineMachine, readDefinition } from './dialect.ts';
import { lowerFunctions, type LoweringOptions } from './lowering/machine.ts';

export { check, type ExplorationOptions, type Finding, type GuardAnswer, type Remark, type Report, type TrailStep } from './check/index.ts';
export { compile, type CompileOptions, type Image, type ThrowPolicy } from './compile.ts';
export type { Definition } from './definition.ts';
export { defineMachine } from './dialect.ts';
export type { FlatMachine } from './dialects/flat.ts';
export { fromRelational, type RelationalConfig } from './dialects/relational.ts';
export { fromStates, type Reply, type StateHandle, type StateHandler, type StateList } from './dialects/states.ts';
export {
  canonicalTransitions,
  fromTransitions,
  transitionsChecksum,
  transitionsText,
  type TransitionList,
} from './dialects/transitions.ts';
export { fromXState } from './dialects/xstate5.ts';
export * from './relational/schema.ts';

export { Modules, type ModuleText, type Resolve } from './lowering/modules.ts';
export type { LoweringOptions } from './lowering/machine.ts';

export interface MachineOptions extends CompileOptions {
  /**
   * Lowers the machine when all functions of its steps can be, with what is known of the names outside them; `isLowered` and `obstacles`
   * of the image say what came of it. Not unless asked for: a lowered function faults where JavaScript converts.
   */
  readonly lower?: boolean | LoweringOptions;
}

/**
 * Compiles a machine to an image.                                                              (COMPILE-1)
 * @param machine an XState 5 machine (`createMachine`, `setup().createMachine`), `{ config, implementations }`, a config as JSON, a
 *   relational machine, `{ dialect: 'relational', id, states, handlers }`, or whatever else defineMachine() takes. Its static context is frozen.
 * @throws LockstepError BAD_DEFINITION, UNSUPPORTED, NOT_JSON or MISSING_FUNCTION; the message names machine, path and reason.
 */
export function compileMachine(machine: unknown, options: MachineOptions = {}): Image {
  const { lower = false, ...others } = options;
  const definition = readDefinition(machine);
  const hosted = compile(definition, others);
  if (lower === false || definition.relations !== undefined) return hosted;
  const { functions, obstacles } = lowerFunctions(hosted.symbols, defineMachine(machine), lower === true ? {} : lower);
  const image = compile(definition, { ...others, lowered: functions });
  // A reason from the trials says more than that there is no program.
  const why = new Map(obstacles.map(({ path, reason }) => [path, reason]));
  return { ...image, obstacles: image.obstacles.map((each) => ({ ...each, reason: why.get(each.function.path) ?? each.reason })) };
}

/**
 * A definition as a machine that can run right here: compiled, loaded, with the author's functions and the logic of its actors.
 * @throws LockstepError as compileMachine.
 */
export function loadMachine(core: Core, source: unknown, options: MachineOptions = {}): Machine {
  const definition = defineMachine(source);
  const image = compileMachine(definition, options);
  const machine = Machine.load(core, image.bytes, bind(image.symbols, definition));
  machine.logicOf = (src) => findLogic(definition, src);
  return machine;
}

/** What a peer is given as its compiler: definitions in any dialect, each with an image of its own.                    (COMPILE-10) */
export function machineCompiler(
  options: MachineOptions = {},
): (source: unknown) => { readonly image: Uint8Array; readonly definition: unknown } {
  return (source) => {
    const definition = defineMachine(source);
    return { image: compileMachine(definition, options).bytes, definition };
  };
}
