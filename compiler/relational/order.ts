// The one order in which the handlers of a relational machine run: behind what a state requires, then behind what it says to be after, and
// else by number. Total and made once, so that no run can differ from another.

import type { RelationDefinition } from '../definition.ts';

/** What a state says of others. */
export type Relations = Pick<RelationDefinition, 'isAuto' | 'isMulti' | 'isSilent' | 'add' | 'remove' | 'require'> & {
  readonly after: readonly string[];
};

/** The names in that order. An `after` that contradicts what is required, or an earlier `after`, is passed over. */
export function relationOrder(names: readonly string[], states: ReadonlyMap<string, Relations>): readonly string[] {
  const number = new Map(names.map((name, index) => [name, index]));
  const byNumber = (a: string, b: string): number => number.get(a)! - number.get(b)!;
  const before = new Map(names.map((name) => [name, [...states.get(name)!.require]]));
  const leadsTo = (from: string, to: string): boolean => {
    const seen = new Set<string>();
    const open = [from];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === to) return true;
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(...before.get(name)!);
    }
    return false;
  };
  for (const name of names)
    for (const other of [...states.get(name)!.after].sort(byNumber)) if (!leadsTo(other, name)) before.get(name)!.push(other);

  const order: string[] = [];
  const seen = new Set<string>();
  // By hand instead of by recursion: a chain may be as long as a machine has states.
  for (const first of names) {
    const path = [{ name: first, next: 0, needed: [...before.get(first)!].sort(byNumber) }];
    if (seen.has(first)) continue;
    seen.add(first);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const needed = top.needed[top.next++];
      if (needed === undefined) {
        order.push(top.name);
        path.pop();
      } else if (!seen.has(needed)) {
        seen.add(needed);
        path.push({ name: needed, next: 0, needed: [...before.get(needed)!].sort(byNumber) });
      }
    }
  }
  return order;
}
