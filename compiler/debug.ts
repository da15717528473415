// What an image says to people and tools only: descriptions, meta and the definition as JSON. Outside the hash.

import type { Json } from '../core/json.ts';
import type { DebugSymbols } from '../core/symbols.ts';
import type { Definition, NodeDefinition } from './definition.ts';

const COMPILER = 'lockstep 0.1.0';

export function debugSymbols(definition: Definition): DebugSymbols {
  const descriptions: Record<string, string> = {};
  const meta: Record<string, Json> = {};
  const visit = (node: NodeDefinition): void => {
    if (node.kind === 'history') return;
    if (node.description !== undefined) descriptions[node.id] = node.description;
    if (node.meta !== undefined) meta[node.id] = node.meta;
    node.children.forEach(visit);
  };
  visit(definition.root);
  return {
    compiler: COMPILER,
    dialect: definition.dialect,
    ...(definition.source === undefined ? {} : { definition: definition.source }),
    ...(Object.keys(descriptions).length === 0 ? {} : { descriptions }),
    ...(Object.keys(meta).length === 0 ? {} : { meta }),
  };
}
