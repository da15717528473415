// The relation records of a relational machine's image: numbers for names, words for lists.

import * as layout from '../assembly/layout.ts';
import type { FunctionSymbol } from '../core/symbols.ts';
import type { RelationalDefinition, RelationDefinition } from './definition.ts';
import { Records, type RelationTables } from './writer.ts';

/** What numbers things while an image is made. */
export interface Numbering {
  numberOf(stateId: string): number;
  /** Where the list of these words is. */
  list(words: readonly number[]): number;
  addFunction(symbol: FunctionSymbol): number;
}

const HANDLERS = [
  [layout.RELATION_EXIT, 'exit'],
  [layout.RELATION_ENTER, 'enter'],
  [layout.RELATION_SELF, 'self'],
  [layout.RELATION_END, 'end'],
  [layout.RELATION_STATE, 'state'],
] as const;

export function relationTables(definition: RelationalDefinition, numbering: Numbering): RelationTables {
  const records = new Records(definition.states.size + 1, layout.RELATION_SIZE);
  const functions = (symbols: readonly FunctionSymbol[]): number => numbering.list(symbols.map((symbol) => numbering.addFunction(symbol)));
  const states = (ids: readonly string[]): number => numbering.list(ids.map((id) => numbering.numberOf(id)));
  records.u32(0, layout.RELATION_ENTER, functions(definition.anyEnter));
  records.u32(0, layout.RELATION_STATE, functions(definition.anyState));
  for (const [id, state] of definition.states) {
    const number = numbering.numberOf(id);
    records.u32(number, layout.RELATION_FLAGS, flagsOf(state));
    records.u32(number, layout.RELATION_ADD, states(state.add));
    records.u32(number, layout.RELATION_REMOVE, states(state.remove));
    records.u32(number, layout.RELATION_REQUIRE, states(state.require));
    for (const [field, when] of HANDLERS) records.u32(number, field, functions(state[when]));
    const pairs = state.pairs.flatMap(([other, symbol]) => [numbering.numberOf(other), numbering.addFunction(symbol)]);
    records.u32(number, layout.RELATION_PAIRS, numbering.list(pairs));
  }
  return { records, order: states(definition.order), exception: numbering.numberOf(definition.exception) };
}

function flagsOf({ isAuto, isMulti, isSilent }: RelationDefinition): number {
  return (isAuto ? layout.RELATION_AUTO : 0) | (isMulti ? layout.RELATION_MULTI : 0) | (isSilent ? layout.RELATION_SILENT : 0);
}
