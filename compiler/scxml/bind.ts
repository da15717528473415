// Binds the functions that an image of an SCXML document names: by path in the document, to the interpreter of whichever session is running.

import { LockstepError } from '../../core/errors.ts';
import type { BoundFunction, BoundFunctions } from '../../core/functions.ts';
import type { FunctionSymbol, Symbols } from '../../core/symbols.ts';
import type { ScxmlDocument } from './document.ts';
import { functionsByPath, type ScxmlFunction } from './functions.ts';
import type { Interpreter } from './interpreter.ts';

/**
 * The counterpart of core/bind for SCXML.
 * @param current the interpreter of the session whose step is running; asked at each call.
 * @throws LockstepError MISSING_FUNCTION when the document is not the one that the image was compiled from.
 */
export function bindScxml(symbols: Symbols, chart: ScxmlDocument, current: () => Interpreter): BoundFunctions {
  const functions = functionsByPath(chart);
  return symbols.functions.map((symbol) => {
    const found = functions.get(symbol.path);
    const bound = found === undefined ? undefined : boundOf(symbol, found, current);
    if (bound !== undefined) return bound;
    throw new LockstepError('MISSING_FUNCTION', `the document has no ${symbol.kind} at ${symbol.path}`);
  });
}

function boundOf({ kind }: FunctionSymbol, found: ScxmlFunction, current: () => Interpreter): BoundFunction | undefined {
  if (kind === 'guard' && found.kind === 'condition') return { kind, call: (args, acts) => current().condition(found, args, acts) };
  if (kind === 'output' && found.kind === 'result') return { kind, call: () => current().takeResult() };
  if (kind === 'builtin') return { kind, call: (args, acts) => current().perform(found, args, acts) };
  return undefined;
}
