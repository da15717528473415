// Turns a definition into an image. The same definition gives the same bytes, always.

import * as layout from '../assembly/layout.ts';
import * as bytecode from '../assembly/program-layout.ts';
import type { Symbols } from '../core/symbols.ts';
import { debugSymbols } from './debug.ts';
import type { Definition } from './definition.ts';
import { programTables, type LoweredFunctions, type Obstacle, type ProgramTables } from './expression/program.ts';
import { Tables } from './tables.ts';
import { bad } from './tree.ts';
import { Records, writeImage } from './writer.ts';

/** What an author's throwing guard, assign, delay or output means: the event is refused, or the instance goes to status `error`. */
export type ThrowPolicy = 'refuse' | 'status';

export interface CompileOptions {
  /** Microsteps that one event may take before it is refused with FUEL. Default: the definition's own limit, else 1000. */
  readonly fuel?: number;
  /** Default `refuse`. `status` is XState's rule. */
  readonly onThrow?: ThrowPolicy;
  /**
   * The author's functions as expressions, by their paths. When every function of the machine's steps is here, the image has programs for
   * them and is lowered; else it is hosted as without this.
   */
  readonly lowered?: LoweredFunctions;
}

export interface Image {
  readonly bytes: Uint8Array;
  /** 16 hex digits, high word first; the name of the image everywhere. */
  readonly hash: string;
  readonly symbols: Symbols;
  /** By transition number: the path of its definition. Not in the bytes. */
  readonly transitionPaths: readonly string[];
  /** Whether contexts live in the core. */
  readonly isLowered: boolean;
  /** When `lowered` was given and did not suffice: what stood in the way. */
  readonly obstacles: readonly Obstacle[];
}

/**
 * Compiles a definition to an image.                                                          (COMPILE-1)
 * @throws LockstepError BAD_DEFINITION or UNSUPPORTED, naming machine, path and reason.
 */
export function compile(definition: Definition, options: CompileOptions = {}): Image {
  const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const tables = new Tables(definition);
  const named = tables.symbols();
  const found = options.lowered === undefined || named.functions.length === 0 ? HOSTED : programTables(named, options.lowered);
  const isLowered = 'programs' in found && found !== HOSTED;
  const { symbols: more, ...programs } = 'programs' in found ? found : HOSTED;
  const symbols: Symbols = isLowered ? { ...named, ...more } : named;
  const { bytes, hash } = writeImage({
    ...tables.records(),
    ...programs,
    semantics: semanticsOf(definition, options),
    fuel: fuelOf(definition, options),
    functionCount: symbols.functions.length,
    symbols: encode(symbols),
    debug: encode(debugSymbols(definition)),
  });
  const obstacles = 'programs' in found ? [] : found;
  return { bytes, hash, symbols, transitionPaths: tables.transitionPaths(), isLowered, obstacles };
}

/** All functions are the host's. */
const HOSTED: ProgramTables = {
  programs: new Records(0, bytecode.PROGRAM_SIZE),
  code: [],
  constants: new Records(0, bytecode.CELL_SIZE),
  cellCount: 0,
  contextFunction: 0,
  symbols: { cells: [], constants: [] },
};

const SEMANTICS = {
  xstate: 0,
  scxml: layout.SEMANTICS_SCXML,
  'scxml-compound': layout.SEMANTICS_SCXML | layout.SEMANTICS_COMPOUND_DOMAIN,
} as const;

function semanticsOf({ semantics, relations }: Definition, { onThrow }: CompileOptions): number {
  const relational = relations === undefined ? 0 : layout.SEMANTICS_RELATIONAL;
  return SEMANTICS[semantics ?? 'xstate'] | relational | (onThrow === 'status' ? layout.SEMANTICS_THROW_IS_STATUS : 0);
}

function fuelOf(definition: Definition, options: CompileOptions): number {
  const fuel = options.fuel ?? definition.fuel ?? layout.FUEL_DEFAULT;
  if (Number.isInteger(fuel) && fuel >= 1 && fuel <= layout.FUEL_MAX) return fuel;
  throw bad(definition.id, '', `fuel must be a whole number from 1 to ${layout.FUEL_MAX}, found ${fuel}`);
}
