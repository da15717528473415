// Every small chart: all hierarchies of so many states besides the root, and for each all that one event can do in it.
//
//   hierarchies   every ordered tree; inner nodes compound (with each initial child) or parallel; leaves atomic, final, shallow or deep
//                 history (with no default and with each); each state that can complete with no onDone and with one to each target
//   transitions   of each state on the event: none, without target, to each node and to each set of nodes in different regions, each
//                 with and without reenter
//
// Left out is what the compiler refuses (docs/definitions.md): parallels without regions, circles of defaults, the root entered without
// being left. Forbidding an event is a transition without target whose action list is empty, which adds nothing here.

import { isHistory, isInside, read, type Chart, type PlainChart, type PlainNode, type PlainTransition, type Target } from './chart.ts';

/** A chart without transitions of its own, and for each of its states what it may do on one event. */
export interface Hierarchy {
  readonly plain: PlainChart;
  readonly sources: readonly { readonly id: string; readonly options: readonly (PlainTransition | undefined)[] }[];
}

/** Enough for every chart that comes to rest; the others come back to a place that they have been at. */
const ROUNDS_MAX = 16;

/** All hierarchies of exactly `count` nodes besides the root. */
export function* hierarchies(count: number): Generator<Hierarchy> {
  for (const tree of trees(count)) {
    for (const node of decorated(tree, 'm')) {
      const plain: PlainChart = { id: 'm', options: { maxIterations: ROUNDS_MAX }, ...node };
      for (const withDone of doneVariants(plain)) yield { plain: withDone, sources: sourcesOf(withDone) };
    }
  }
}

/** How many different ways one event can be handled. */
export function handlings({ sources }: Hierarchy): number {
  return sources.reduce((product, { options }) => product * options.length, 1);
}

/** The chart with one event `E<n>` for each number `n` given, which says in mixed radix which option each state takes. */
export function withEvents({ plain, sources }: Hierarchy, numbers: readonly number[]): PlainChart {
  const on = new Map<string, Record<string, PlainTransition[]>>(sources.map(({ id }) => [id, {}]));
  for (const number of numbers) {
    choices(sources, number).forEach((choice, index) => {
      const { id, options } = sources[index]!;
      const transition = options[choice];
      if (transition !== undefined) on.get(id)![`E${number}`] = [transition];
    });
  }
  return { ...(rewrite(plain, plain.id, (node, id) => ({ ...node, on: on.get(id) ?? {} })) as PlainChart), id: plain.id };
}

/** For each source the index of its option in the handling of this number. */
export function choices(sources: Hierarchy['sources'], number: number): number[] {
  let rest = number;
  return sources.map(({ options }) => {
    const choice = rest % options.length;
    rest = Math.floor(rest / options.length);
    return choice;
  });
}

// ── Trees ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A node is the list of its children. */
interface Tree {
  readonly children: readonly Tree[];
}

function trees(below: number): Tree[] {
  return forests(below).map((children) => ({ children }));
}

/** All ordered lists of trees with so many nodes in all. */
function forests(count: number): Tree[][] {
  if (count === 0) return [[]];
  return Array.from({ length: count }, (_, first) => first).flatMap((first) =>
    trees(first).flatMap((tree) => forests(count - 1 - first).map((rest) => [tree, ...rest])),
  );
}

/** The same tree with all kinds, initial states and history defaults. Keys are letters. */
function* decorated(tree: Tree, id: string): Generator<PlainNode> {
  for (const node of kinds(tree, id)) if (isSound({ id, ...node })) yield node;
}

function* kinds(tree: Tree, id: string): Generator<PlainNode> {
  const acts = { entry: [`in ${id}`], exit: [`out ${id}`] };
  if (tree.children.length === 0) {
    yield acts;
    if (id === 'm') return;
    yield { ...acts, type: 'final' };
    for (const history of ['shallow', 'deep'] as const) yield { type: 'history', history };
    return;
  }
  const keys = tree.children.map((_, index) => String.fromCharCode(97 + index));
  for (const children of combinations(tree.children.map((child, index) => [...kinds(child, `${id}.${keys[index]!}`)]))) {
    const plain = Object.fromEntries(children.map((child, index) => [keys[index]!, child]));
    for (const states of withDefaults(plain)) {
      for (const initial of keys) yield { ...acts, initial: { target: initial, actions: [`start ${id}`] }, states };
      if (children.some(({ type }) => type !== 'history')) yield { ...acts, type: 'parallel', states };
    }
  }
}

/** The children of one node with every default of those of them that are history. */
function* withDefaults(states: Readonly<Record<string, PlainNode>>): Generator<Record<string, PlainNode>> {
  const paths = pathsIn(states);
  const variants = Object.entries(states).map(([key, node]): PlainNode[] =>
    node.type === 'history' ? [node, ...paths.filter((path) => path !== key).map((target) => ({ ...node, target }))] : [node],
  );
  const keys = Object.keys(states);
  for (const nodes of combinations(variants)) yield Object.fromEntries(nodes.map((node, index) => [keys[index]!, node]));
}

function pathsIn(states: Readonly<Record<string, PlainNode>>): string[] {
  return Object.entries(states).flatMap(([key, node]) => [key, ...pathsIn(node.states ?? {}).map((path) => `${key}.${path}`)]);
}

/** Whether no chain of history defaults and initial states is a circle. */
function isSound(plain: PlainChart): boolean {
  const { states, histories } = read(plain);
  const next = (target: Target): Target | undefined =>
    isHistory(target) ? (target.fallback ?? target.parent.initial?.target ?? target.parent) : target.initial?.target;
  return [...states, ...histories].every((from) => {
    const seen = new Set<Target>();
    for (let at: Target | undefined = from; at !== undefined; at = next(at)) {
      if (seen.has(at)) return false;
      seen.add(at);
    }
    return true;
  });
}

// ── What the states do ───────────────────────────────────────────────────────────────────────────────────────────

function* doneVariants(plain: PlainChart): Generator<PlainChart> {
  const chart = read(plain);
  const completable = chart.states.filter(
    ({ kind, parent, children }) =>
      parent !== undefined && (kind === 'parallel' || (kind === 'compound' && children.some((child) => child.kind === 'final'))),
  );
  const targets = [...chart.states.slice(1), ...chart.histories].map(({ id }) => id);
  for (const chosen of combinations(completable.map(() => [undefined, ...targets]))) {
    const onDone = new Map(completable.map(({ id }, index) => [id, chosen[index]]));
    yield {
      ...(rewrite(plain, plain.id, (node, id) => {
        const target = onDone.get(id);
        return target === undefined ? node : { ...node, onDone: [{ target: [`#${target}`], actions: [`done ${id}`] }] };
      }) as PlainChart),
      id: plain.id,
    };
  }
}

function sourcesOf(plain: PlainChart): Hierarchy['sources'] {
  const chart = read(plain);
  const sets = targetSets(chart);
  return chart.states.map(({ id, parent }) => {
    const actions = [`on ${id}`];
    const options: (PlainTransition | undefined)[] = [undefined, { actions }];
    for (const set of sets) {
      const target = set.map((node) => `#${node.id}`);
      if (parent === undefined || set[0] !== chart.root) options.push({ target, actions });
      options.push({ target, reenter: true, actions });
    }
    return { id, options };
  });
}

/** Every node, and every set of nodes any two of which lie in different regions. */
function targetSets({ states, histories }: Chart): Target[][] {
  const grow = (set: readonly Target[], rest: readonly Target[]): Target[][] =>
    rest.flatMap((node, index) => {
      if (!set.every((other) => areApart(node, other))) return [];
      const larger = [...set, node];
      return [larger, ...grow(larger, rest.slice(index + 1))];
    });
  return grow([], [...states, ...histories]);
}

function areApart(one: Target, other: Target): boolean {
  const [a, b] = [one, other].map((node) => (isHistory(node) ? node.parent : node)) as [Chart['root'], Chart['root']];
  if (a === b || isInside(a, b) || isInside(b, a)) return false;
  let meeting = a.parent;
  while (meeting !== undefined && !isInside(b, meeting)) meeting = meeting.parent;
  return meeting?.kind === 'parallel';
}

// ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

function rewrite(node: PlainNode, id: string, change: (node: PlainNode, id: string) => PlainNode): PlainNode {
  if (node.type === 'history') return node;
  const states = Object.entries(node.states ?? {}).map(([key, child]) => [key, rewrite(child, `${id}.${key}`, change)] as const);
  return change(node.states === undefined ? node : { ...node, states: Object.fromEntries(states) }, id);
}

/** One of each list, in all ways. */
function* combinations<T>(lists: readonly (readonly T[])[]): Generator<T[]> {
  const [first, ...rest] = lists;
  if (first === undefined) yield [];
  else for (const item of first) for (const others of combinations(rest)) yield [item, ...others];
}
