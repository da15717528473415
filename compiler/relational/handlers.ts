// Which handler is about what, by its name: a state and when, two states, or Any. Names are put together without a separator, so a name that
// can be read in two ways is refused.

import { describe, isFields } from '../../core/fields.ts';
import { isFunction } from '../../core/source.ts';
import { escapePointer } from '../../core/plain.ts';
import type { FunctionSymbol } from '../../core/symbols.ts';
import { bad } from '../tree.ts';

const STATE_ENDINGS = { Exit: 'exit', Enter: 'enter', End: 'end', State: 'state' } as const;
const ANY_NAMES: Readonly<Record<string, string>> = { AnyEnter: 'enter Any', AnyState: 'state Any' };

/** Symbols of functions by what they are about: `enter Foo`, `self Foo`, `pair Foo Bar` …; the order is that of the sets and their keys. */
export function readHandlers(id: string, names: readonly string[], handlers: unknown): ReadonlyMap<string, readonly FunctionSymbol[]> {
  const found = new Map<string, FunctionSymbol[]>();
  const sets = Array.isArray(handlers) ? handlers : handlers === undefined ? [] : [handlers];
  const known = new Set(names);
  sets.forEach((set: unknown, index) => {
    const path = Array.isArray(handlers) ? `/handlers/${index}` : '/handlers';
    if (!isFields(set)) throw bad(id, path, `expected an object of functions, found ${describe(set)}`);
    for (const [name, handler] of Object.entries(set)) {
      const at = `${path}/${escapePointer(name)}`;
      if (!isFunction(handler)) throw bad(id, at, `expected a function, found ${describe(handler)}`);
      const about = readName(known, name);
      if (about.length !== 1)
        throw bad(id, at, about.length === 0 ? `'${name}' is about no state` : `'${name}' can be read as ${about.join(' and as ')}`);
      const key = about[0]!;
      const kind = key.startsWith('end ') || key.startsWith('state ') ? 'effect' : 'guard';
      found.set(key, [...(found.get(key) ?? []), { kind, path: at }]);
    }
  });
  return found;
}

function readName(known: ReadonlySet<string>, name: string): string[] {
  const about: string[] = [];
  if (Object.hasOwn(ANY_NAMES, name)) about.push(ANY_NAMES[name]!);
  for (const [ending, kind] of Object.entries(STATE_ENDINGS))
    if (name.endsWith(ending) && known.has(name.slice(0, -ending.length))) about.push(`${kind} ${name.slice(0, -ending.length)}`);
  for (let cut = 1; cut < name.length; cut++) {
    const [from, to] = [name.slice(0, cut), name.slice(cut)];
    if (known.has(from) && known.has(to)) about.push(from === to ? `self ${from}` : `pair ${from} ${to}`);
  }
  return about;
}
