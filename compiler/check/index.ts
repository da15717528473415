// Checks a machine: compiles it, lets the core go everywhere it can, and says what is wrong with what was found. docs/check.md.

import type { Core } from '../../core/wasm.ts';
import { Machine } from '../../core/machine.ts';
import { compile } from '../compile.ts';
import { defineMachine, readDefinition } from '../dialect.ts';
import { Exploration, type ExplorationOptions } from './exploration.ts';
import { findingsOf, type Findings } from './findings.ts';

export { Exploration, type ExplorationOptions } from './exploration.ts';
export type { Finding, Remark } from './findings.ts';
export type { GuardAnswer, TrailStep } from './trail.ts';

export interface Report extends Findings {
  readonly machine: string;
  readonly configurations: number;
  /** Guards that depend on data, and were answered both ways. */
  readonly questions: number;
  /** False when there are more configurations than were asked for, or a step has more answers than were tried. */
  readonly isComplete: boolean;
}

/**
 * Explores all configurations that a machine can reach.                                                (CHECK-1)
 * @param core one that has nothing else to do meanwhile.
 * @param source anything that compileMachine() takes.
 * @throws LockstepError as compileMachine() does; CORE when memory is exhausted.
 */
export function check(core: Core, source: unknown, options: ExplorationOptions = {}): Report {
  const machine = defineMachine(source);
  const definition = readDefinition(machine);
  const { bytes, symbols, transitionPaths } = compile(definition);
  const loaded = Machine.load(core, bytes);
  const exploration = new Exploration(loaded, machine, options, definition.relations);
  try {
    exploration.run();
    return {
      machine: symbols.id,
      configurations: exploration.space.count,
      questions: exploration.oracle.questions.length,
      isComplete: exploration.isComplete && exploration.unfinishedSteps === 0,
      ...findingsOf(exploration, definition, transitionPaths),
    };
  } finally {
    exploration.dispose();
    core.exports.unload(loaded.handle);
  }
}
