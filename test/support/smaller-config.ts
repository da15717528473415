// The smaller variants of an XState config: without one of its states, or without one of the things said in it. Whatever named a state
// that is gone (targets, initial states, history defaults) goes with it. Works on plain charts and on configs with functions alike.

type Fields = Readonly<Record<string, unknown>>;
type Path = readonly string[];

/** What a state is made of; taken away only as a whole, by the cuts below. */
const STRUCTURE: ReadonlySet<string> = new Set(['id', 'type', 'states', 'initial', 'history', 'options', 'context']);

export function* smallerConfigs(config: Fields): Generator<Fields> {
  const paths = statePaths(config, []);
  for (const path of paths) if (path.length > 0) yield withoutState(config, path);
  for (const path of paths) if (at(config, path).states !== undefined) yield asLeaf(config, path);
  for (const path of paths) if (onlyChild(at(config, path)) !== undefined) yield hoisted(config, path);
  for (const path of paths) {
    const state = at(config, path);
    const without = (less: Fields): Fields => replaced(config, path, less);
    if (state.type === 'final') yield without(omit(state, 'type'));
    for (const key of Object.keys(state)) if (!STRUCTURE.has(key)) yield without(omit(state, key));
    if (isFields(state.initial) && typeof state.initial.target === 'string') yield without({ ...state, initial: state.initial.target });
    for (const [key, value] of Object.entries(state)) {
      if (STRUCTURE.has(key)) continue;
      for (const less of lessOf(value)) yield without({ ...state, [key]: less });
    }
  }
}

/** How many states a config has besides its root, history nodes included. */
export function stateCountOf(config: Fields): number {
  return statePaths(config, []).length - 1;
}

/** Everything that lacks one property or one item, at any depth. */
function* lessOf(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (let index = items.length - 1; index >= 0; index -= 1) yield items.filter((_, other) => other !== index);
    for (const [index, item] of items.entries())
      for (const less of lessOf(item)) yield items.map((other, place) => (place === index ? less : other));
  } else if (isFields(value)) {
    for (const key of Object.keys(value)) yield omit(value, key);
    for (const [key, inner] of Object.entries(value)) {
      // A list without targets is none that an author would write.
      if (key === 'target' && Array.isArray(inner) && inner.length === 1) continue;
      for (const less of lessOf(inner)) yield { ...value, [key]: less };
    }
  }
}

// ── Cuts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function withoutState(config: Fields, path: Path): Fields {
  const parentPath = path.slice(0, -1);
  const parent = at(config, parentPath);
  const states = omit(parent.states as Fields, path.at(-1)!);
  if (Object.keys(states).length === 0) return asLeaf(config, parentPath);
  const less = replaced(config, parentPath, { ...parent, states });
  return withoutDangling(config, less);
}

function asLeaf(config: Fields, path: Path): Fields {
  const { type, ...rest } = omit(omit(at(config, path), 'states'), 'initial');
  return withoutDangling(config, replaced(config, path, type === undefined || type === 'parallel' ? rest : { ...rest, type }));
}

function onlyChild(state: Fields): string | undefined {
  const [key, ...more] = isFields(state.states) ? Object.keys(state.states) : [];
  return more.length === 0 ? key : undefined;
}

/** An only child takes its parent's place; whatever named either by its id now names it. */
function hoisted(config: Fields, path: Path): Fields {
  const parent = at(config, path);
  const key = onlyChild(parent)!;
  const child = (parent.states as Fields)[key] as Fields;
  const [above, below] = [idOf(config, path), idOf(config, [...path, key])];
  const kept = path.length === 0 ? { id: config.id, ...(config.options === undefined ? {} : { options: config.options }) } : {};
  const renamed = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value === `#${below}` || value.startsWith(`#${below}.`) ? `#${above}${value.slice(below.length + 1)}` : value;
    if (Array.isArray(value)) return value.map(renamed);
    return isFields(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, renamed(inner)])) : value;
  };
  return renamed(replaced(config, path, { ...child, ...kept })) as Fields;
}

/** Takes out of `less` the targets that named something in `before` and name nothing any more. */
function withoutDangling(before: Fields, less: Fields): Fields {
  const left = new Set(statePaths(less, []).map((path) => path.join('.')));
  const isGone = (target: unknown, source: Path): boolean => {
    const path = typeof target === 'string' ? resolve(before, target, source) : undefined;
    return path !== undefined && !left.has(path.join('.'));
  };
  const visit = (state: Fields, path: Path): Fields => {
    const result: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(state)) {
      if (key === 'states')
        result[key] = Object.fromEntries(
          Object.entries(value as Fields).map(([name, child]) => [name, visit(child as Fields, [...path, name])]),
        );
      else if (key === 'initial') result[key] = initialOf(value, state.states as Fields);
      else if (key === 'target' && isGone(value, path)) continue;
      else result[key] = STRUCTURE.has(key) ? value : prune(value, (target) => isGone(target, path));
    }
    return result;
  };
  return visit(less, []);
}

/** Removes gone targets in whatever a state says; what had no other target stays without one. */
function prune(value: unknown, isGone: (target: unknown) => boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => prune(item, isGone));
  if (!isFields(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (key !== 'target') return typeof inner === 'string' && isGone(inner) ? [] : [[key, prune(inner, isGone)]];
    const targets: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
    const kept = targets.filter((target) => !isGone(target));
    if (kept.length === targets.length) return [[key, inner]];
    return kept.length === 0 ? [] : [[key, kept]];
  });
  return Object.fromEntries(entries);
}

function initialOf(initial: unknown, states: Fields): unknown {
  const target = isFields(initial) ? initial.target : initial;
  if (typeof target !== 'string' || Object.hasOwn(states, target)) return initial;
  const other = Object.keys(states).find((key) => (states[key] as Fields).type !== 'history') ?? '';
  return isFields(initial) ? { ...initial, target: other } : other;
}

// ── Paths ────────────────────────────────────────────────────────────────────────────────────────────────────────

function statePaths(state: Fields, path: Path): Path[] {
  const below = isFields(state.states) ? Object.entries(state.states) : [];
  return [path, ...below.flatMap(([key, child]) => statePaths(child as Fields, [...path, key]))];
}

/** Where a target leads, by XState's rules; undefined when it leads nowhere. */
function resolve(config: Fields, target: string, source: Path): Path | undefined {
  const paths = statePaths(config, []);
  const candidates = target.startsWith('#')
    ? paths.flatMap((path) => {
        const id = `#${idOf(config, path)}`;
        return target === id ? [path] : target.startsWith(`${id}.`) ? [[...path, ...target.slice(id.length + 1).split('.')]] : [];
      })
    : [target.startsWith('.') ? [...source, ...target.slice(1).split('.')] : [...source.slice(0, -1), ...target.split('.')]];
  const known = new Set(paths.map((path) => path.join('.')));
  return candidates.find((path) => known.has(path.join('.')));
}

function idOf(config: Fields, path: Path): string {
  return (at(config, path).id as string | undefined) ?? [config.id ?? '(machine)', ...path].join('.');
}

function at(config: Fields, path: Path): Fields {
  return path.reduce((state, key) => (state.states as Fields)[key] as Fields, config);
}

function replaced(config: Fields, path: Path, state: Fields): Fields {
  const [key, ...rest] = path;
  if (key === undefined) return state;
  const states = config.states as Fields;
  return { ...config, states: { ...states, [key]: replaced(states[key] as Fields, rest, state) } };
}

function omit(fields: Fields, key: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
