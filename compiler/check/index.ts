// Checks a machine: compiles it, lets the core go everywhere it can, and says what is wrong with what was found. docs/check.md.

import type { Core } from '../../core/wasm.ts';
import { Machine } from '../../core/machine.ts';
import type { FunctionSymbol } from '../../core/symbols.ts';
import { compile } from '../compile.ts';
import type { Definition } from '../definition.ts';
import { defineMachine, readDefinition } from '../dialect.ts';
import { lowerFunctions, type LoweringOptions } from '../lowering/machine.ts';
import { Data, GivenUp } from './data.ts';
import { Exploration, type ExplorationOptions } from './exploration.ts';
import { findingsOf, type Findings } from './findings.ts';
import { mayWrite } from './oracle.ts';

export { Exploration, type ExplorationOptions } from './exploration.ts';
export type { Finding, Remark } from './findings.ts';
export type { GuardAnswer, TrailStep } from './trail.ts';

export interface CheckOptions extends ExplorationOptions {
  /** What functions of the machine see outside themselves, as for lowering. */
  readonly lowering?: LoweringOptions;
}

export interface Report extends Findings {
  readonly machine: string;
  readonly configurations: number;
  /** Guards that depend on data, and were answered both ways. */
  readonly questions: number;
  /** Guards that were answered by computing the context, as far as these keys of it go. */
  readonly computed: number;
  readonly keys: readonly string[];
  /** Keys that could have been computed, but have too many values. */
  readonly givenUp: readonly string[];
  /** False when there are more configurations than were asked for, or a step has more answers than were tried. */
  readonly isComplete: boolean;
  /** False when an action raises events that only it knows, several perhaps: what is called unreachable or dead may then not be. */
  readonly isCertain: boolean;
}

/**
 * Explores all configurations that a machine can reach.                                                (CHECK-1)
 * @param core one that has nothing else to do meanwhile.
 * @param source anything that compileMachine() takes.
 * @throws LockstepError as compileMachine() does; CORE when memory is exhausted.
 */
export function check(core: Core, source: unknown, { lowering, ...options }: CheckOptions = {}): Report {
  const machine = defineMachine(source);
  const definition = readDefinition(machine);
  const { bytes, symbols, transitionPaths } = compile(definition);
  const loaded = Machine.load(core, bytes);
  const subject: Subject = { machine, definition, loaded, options, transitionPaths };
  try {
    // Handlers of relational machines have no context.
    if (definition.relations !== undefined) return explore(subject, undefined, []);
    const expressions = lowerFunctions(symbols, machine, lowering).functions;
    const writes = (symbol: FunctionSymbol): boolean => mayWrite(symbol, machine);
    const unknown = new Set<string>();
    for (;;) {
      const data = new Data(symbols, expressions, writes, unknown);
      try {
        const report = explore(subject, data, [...unknown]);
        if (report.isComplete || data.keys.length === 0) return report;
        // More than was asked for: without data it may be less.
        for (const key of data.keys) unknown.add(key);
      } catch (error) {
        if (!(error instanceof GivenUp) || error.keys.every((key) => unknown.has(key))) throw error;
        for (const key of error.keys) unknown.add(key);
      }
    }
  } finally {
    core.exports.unload(loaded.handle);
  }
}

interface Subject {
  readonly machine: unknown;
  readonly definition: Definition;
  readonly loaded: Machine;
  readonly options: ExplorationOptions;
  readonly transitionPaths: readonly string[];
}

function explore(
  { machine, definition, loaded, options, transitionPaths }: Subject,
  data: Data | undefined,
  givenUp: readonly string[],
): Report {
  const exploration = new Exploration(loaded, machine, options, definition.relations, data);
  try {
    exploration.run();
    return {
      machine: loaded.symbols.id,
      configurations: exploration.space.count,
      questions: exploration.oracle.openCount,
      computed: data?.guardCount ?? 0,
      keys: data?.keys ?? [],
      givenUp,
      isComplete: exploration.isComplete && exploration.unfinishedSteps === 0,
      isCertain: exploration.oracle.isCertain,
      ...findingsOf(exploration, definition, transitionPaths),
    };
  } finally {
    exploration.dispose();
  }
}
