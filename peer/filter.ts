// What a filter shows: which states, and what is left of a state value. Used by both ends: the authority makes of it what its readers are
// told, and a mirror knows by it what it cannot answer. Wire and page: docs/filters.md.

import { isFields } from '../core/fields.ts';
import type { Json } from '../core/json.ts';
import type { Filter } from './wire.ts';

/** Whether it leaves any state out. */
export function isSelective({ states, except }: Filter): boolean {
  return states !== undefined || except !== undefined;
}

/** Whether a state is shown. @param path its key path; of a relational machine its name. */
export function shows({ states, except = [] }: Filter, path: string): boolean {
  return (states === undefined || states.some((each) => isWithin(path, each))) && !except.some((each) => isWithin(path, each));
}

function isWithin(path: string, state: string): boolean {
  return path === state || path.startsWith(`${state}.`);
}

/** Of a state value what the filter shows, with the states around it. */
export function shownValue(filter: Filter, value: Json): Json {
  return pruned(filter, value, '') ?? Object.freeze({});
}

function pruned(filter: Filter, value: Json, prefix: string): Json | undefined {
  if (typeof value === 'string') return shows(filter, prefix + value) ? value : undefined;
  if (!isFields(value)) return undefined;
  const left: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value)) {
    const within = pruned(filter, inner, `${prefix}${key}.`);
    if (within !== undefined) left[key] = within;
    else if (shows(filter, prefix + key)) left[key] = {};
  }
  return Object.keys(left).length === 0 ? undefined : left;
}

/**
 * The state value of these active states, XState's: the key of the one that is active inside, or an object of them.
 * @param paths key paths, outermost first.
 */
export function valueOfPaths(paths: readonly string[]): Json {
  const root: Tree = new Map();
  for (const path of paths) {
    let at = root;
    for (const key of path.split('.')) {
      const inner = at.get(key) ?? new Map<string, Tree>();
      at.set(key, inner as Tree);
      at = inner as Tree;
    }
  }
  return valueOfTree(root);
}

type Tree = Map<string, Tree>;

function valueOfTree(tree: Tree): Json {
  const [first] = tree;
  if (tree.size === 1 && first !== undefined && first[1].size === 0) return first[0];
  return Object.freeze(
    Object.fromEntries([...tree].map(([key, inner]) => [key, inner.size === 0 ? Object.freeze({}) : valueOfTree(inner)])),
  );
}

/** The innermost states that a pattern of `matches` asks about. */
export function* askedBy(pattern: Json, prefix = ''): Iterable<string> {
  if (typeof pattern === 'string') yield prefix + pattern;
  else if (isFields(pattern))
    for (const [key, inner] of Object.entries(pattern)) {
      if (isFields(inner) && Object.keys(inner).length === 0) yield prefix + key;
      else yield* askedBy(inner, `${prefix}${key}.`);
    }
}
