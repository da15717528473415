// Turns a definition into an image. The same definition gives the same bytes, always.

import * as layout from '../assembly/layout.ts';
import type { Symbols } from '../core/symbols.ts';
import { debugSymbols } from './debug.ts';
import type { Definition } from './definition.ts';
import { Tables } from './tables.ts';
import { bad } from './tree.ts';
import { writeImage } from './writer.ts';

/** What an author's throwing guard, assign, delay or output means: the event is refused, or the instance goes to status `error`. */
export type ThrowPolicy = 'refuse' | 'status';

export interface CompileOptions {
  /** Microsteps that one event may take before it is refused with FUEL. Default: the definition's own limit, else 1000. */
  readonly fuel?: number;
  /** Default `refuse`. `status` is XState's rule. */
  readonly onThrow?: ThrowPolicy;
}

export interface Image {
  readonly bytes: Uint8Array;
  /** 16 hex digits, high word first; the name of the image everywhere. */
  readonly hash: string;
  readonly symbols: Symbols;
  /** By transition number: the path of its definition. Not in the bytes. */
  readonly transitionPaths: readonly string[];
}

/**
 * Compiles a definition to an image.                                                          (COMPILE-1)
 * @throws LockstepError BAD_DEFINITION or UNSUPPORTED, naming machine, path and reason.
 */
export function compile(definition: Definition, options: CompileOptions = {}): Image {
  const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const tables = new Tables(definition);
  const symbols = tables.symbols();
  const { bytes, hash } = writeImage({
    ...tables.records(),
    semantics: semanticsOf(definition, options),
    fuel: fuelOf(definition, options),
    functionCount: symbols.functions.length,
    symbols: encode(symbols),
    debug: encode(debugSymbols(definition)),
  });
  return { bytes, hash, symbols, transitionPaths: tables.transitionPaths() };
}

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
