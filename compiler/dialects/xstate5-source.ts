// A config as plain JSON for inspectors and diagrams: functions become their names, whatever else JSON has no word for is left out.
// Only for people to look at; nothing is ever run from it.

import type { Json } from '../../core/json.ts';
import { isFields } from '../../core/fields.ts';
import { isFunction } from '../../core/source.ts';

/** Deeper things, and circles, are cut off here. */
const DEPTH_MAX = 64;

export function describeConfig(value: unknown, depth = 0): Json {
  if (isFunction(value)) return { type: typeof value.type === 'string' ? value.type : value.name || '(anonymous)' };
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (depth >= DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.map((item) => describeConfig(item, depth + 1));
  if (!isFields(value)) return null;
  // The logic of an actor, written where it is invoked: a machine is a graph of all that it consists of.
  if (isFunction(value.transition)) return { type: typeof value.id === 'string' ? value.id : '(actor)' };
  const entries = Object.entries(value).filter(([key, item]) => key !== 'schemas' && item !== undefined && typeof item !== 'symbol');
  return Object.fromEntries(entries.map(([key, item]) => [key, describeConfig(item, depth + 1)]));
}
