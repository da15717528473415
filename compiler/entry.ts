// Which states a transition leaves and enters, as far as that is known before it runs: XState's getTransitionDomain and computeEntrySet
// over the numbered tree, or SCXML's procedures of the same names. What depends on a history node's memory is left to the core (`dynamic`), which has the same algorithm.
// A plan is legal: with its domain kept and all else below it left, exactly one child of each compound is entered, and each of a parallel.

import type { Definition, TransitionDefinition } from './definition.ts';
import { bad, isDescendant, isHistory, unsupported, type History, type State, type Tree } from './tree.ts';

export type Plan =
  | { readonly kind: 'targetless' }
  | { readonly kind: 'dynamic'; readonly targets: readonly (State | History)[] }
  | {
      readonly kind: 'static';
      readonly targets: readonly State[];
      /** All active descendants of it are left; undefined = the root is left too. */
      readonly domain: State | undefined;
      /** Ascending; `byDefault`: the actions of its initial transition run. */
      readonly entry: readonly Entry[];
    };

export interface Entry {
  readonly state: State;
  readonly byDefault: boolean;
}

interface Asked {
  readonly machine: string;
  readonly semantics: Definition['semantics'];
  readonly tree: Tree;
  readonly source: State;
  readonly transition: TransitionDefinition;
}

export function planTransition(asked: Asked): Plan {
  const { machine, semantics, tree, source, transition } = asked;
  const targets = transition.targets.map((id) => tree.find(id, transition.path));
  if (targets.length === 0) return { kind: 'targetless' };
  if (targets.some(isHistory)) {
    checkRegions(machine, transition.path, targets);
    return { kind: 'dynamic', targets };
  }
  const states = targets.filter((target): target is State => !isHistory(target));
  const domain = semantics === undefined ? transitionDomain(source, states, transition.reenter) : scxmlDomain(asked, states);
  const root = rootOf(source);
  if (domain === root && source !== root && states.includes(root)) {
    throw unsupported(machine, transition.path, 'the root would be entered without being left; say reenter: true to leave it first');
  }
  const set = new EntrySet(asked);
  for (const target of states) {
    if (target !== source || source !== domain || transition.reenter) set.add(target, true);
    set.addDescendants(target);
  }
  for (const target of states) set.addAncestors(target, domain);
  if (set.metHistory) {
    checkRegions(machine, transition.path, targets);
    return { kind: 'dynamic', targets };
  }
  checkLegal(machine, transition.path, set, domain ?? root);
  return { kind: 'static', targets: states, domain, entry: set.sorted() };
}

/** The plan of a compound's initial transition: its child and what that enters by default. */
export function planInitial(asked: Asked): Plan {
  const { machine, semantics, tree, source, transition } = asked;
  if (semantics !== undefined) return planDeepInitial(asked);
  const [target, ...more] = transition.targets.map((id) => tree.find(id, transition.path));
  if (target === undefined || more.length > 0 || target.parent !== source) {
    throw bad(machine, transition.path, `the initial state of '${source.definition.id}' must be one of its own children`);
  }
  const set = new EntrySet(asked);
  set.addDescendants(source);
  if (isHistory(target) || set.metHistory) return { kind: 'dynamic', targets: [target] };
  return { kind: 'static', targets: [target], domain: source, entry: set.sorted() };
}

/** In SCXML an initial transition leads anywhere below, and to several states of different regions. */
function planDeepInitial(asked: Asked): Plan {
  const { machine, source, transition } = asked;
  const targets = initialTargets(asked, source);
  const set = new EntrySet(asked);
  set.addDescendants(source);
  if (set.metHistory) {
    checkRegions(machine, transition.path, targets);
    return { kind: 'dynamic', targets };
  }
  checkLegal(machine, transition.path, set, source);
  return { kind: 'static', targets: targets.filter((target): target is State => !isHistory(target)), domain: source, entry: set.sorted() };
}

/** What a compound enters by default. All of it lies inside, so that descending ends; a history node of its own stands alone. */
function initialTargets({ machine, tree }: Pick<Asked, 'machine' | 'tree'>, state: State): readonly (State | History)[] {
  const { path, targets } = state.definition.initial ?? { path: state.definition.path, targets: [] };
  const nodes = targets.map((id) => tree.find(id, path));
  const isInside = (node: State | History): boolean => {
    if (!isHistory(node)) return isDescendant(node, state);
    return isDescendant(node.parent, state) || (node.parent === state && nodes.length === 1);
  };
  if (nodes.length === 0 || !nodes.every(isInside))
    throw bad(machine, path, `the initial states of '${state.definition.id}' must lie inside it`);
  return nodes;
}

/** SCXML's domain: the source of an inward internal transition of a compound, else the nearest state around all of it, or compound. */
function scxmlDomain({ source, transition, semantics }: Asked, targets: readonly State[]): State {
  const holdsTargets = (state: State): boolean => targets.every((target) => isDescendant(target, state));
  const canBe = (state: State): boolean => semantics !== 'scxml-compound' || state.definition.kind === 'compound';
  if (!transition.reenter && source.definition.kind === 'compound' && holdsTargets(source)) return source;
  let ancestor = source.parent;
  while (ancestor !== undefined && !(canBe(ancestor) && holdsTargets(ancestor))) ancestor = ancestor.parent;
  return ancestor ?? rootOf(source);
}

/** Nearest state that stays active: the source itself for an inward transition, else the least common ancestor. */
function transitionDomain(source: State, targets: readonly State[], reenter: boolean): State | undefined {
  if (!reenter && targets.every((target) => target === source || isDescendant(target, source))) return source;
  const all = [...targets, source];
  let ancestor = targets[0]?.parent;
  while (ancestor !== undefined && !all.every((state) => state === targets[0] || isDescendant(state, ancestor as State))) {
    ancestor = ancestor.parent;
  }
  return ancestor ?? (reenter ? undefined : rootOf(source));
}

class EntrySet {
  readonly #asked: Pick<Asked, 'machine' | 'tree'>;
  readonly #scxml: boolean;
  readonly #byDefault = new Map<State, boolean>();
  metHistory = false;

  constructor(asked: Pick<Asked, 'machine' | 'tree' | 'semantics'>) {
    this.#asked = asked;
    this.#scxml = asked.semantics !== undefined;
  }

  has(state: State): boolean {
    return this.#byDefault.has(state);
  }

  add(state: State, byDefault: boolean): void {
    this.#byDefault.set(state, byDefault || (this.#byDefault.get(state) ?? false));
  }

  addDescendants(state: State): void {
    if (state.definition.kind === 'compound') {
      if (this.#scxml) {
        this.#addInitials(state);
        return;
      }
      const id = state.definition.initial?.targets[0];
      const initial = state.children.find((child) => child.definition.id === id);
      if (initial === undefined) {
        this.metHistory = true;
        return;
      }
      this.add(initial, true);
      this.addDescendants(initial);
    } else if (state.definition.kind === 'parallel') {
      for (const child of state.children) {
        if (this.#hasInside(child)) continue;
        this.add(child, true);
        this.addDescendants(child);
      }
    }
  }

  #addInitials(state: State): void {
    const nodes = initialTargets(this.#asked, state);
    if (nodes.some(isHistory)) this.metHistory = true;
    const states = nodes.filter((node): node is State => !isHistory(node));
    for (const target of states) {
      this.add(target, true);
      this.addDescendants(target);
    }
    for (const target of states) this.addAncestors(target, state);
  }

  addAncestors(target: State, domain: State | undefined): void {
    for (let ancestor = target.parent; ancestor !== undefined && target !== domain && ancestor !== domain; ancestor = ancestor.parent) {
      this.add(ancestor, false);
      this.#addRegions(ancestor);
    }
    if (domain !== undefined) this.#addRegions(domain);
  }

  sorted(): Entry[] {
    return [...this.#byDefault].map(([state, byDefault]) => ({ state, byDefault })).sort((a, b) => a.state.number - b.state.number);
  }

  #addRegions(state: State): void {
    if (state.definition.kind !== 'parallel') return;
    for (const child of state.children) {
      if (this.#hasInside(child)) continue;
      this.add(child, this.#scxml);
      this.addDescendants(child);
    }
  }

  #hasInside(region: State): boolean {
    for (const state of this.#byDefault.keys()) if (isDescendant(state, region)) return true;
    return false;
  }
}

function checkLegal(machine: string, path: string, set: EntrySet, top: State): void {
  const wrong = [top, ...set.sorted().map(({ state }) => state)].find((state) => {
    const entered = state.children.filter((child) => set.has(child)).length;
    if (state.definition.kind === 'compound') return entered !== 1;
    return state.definition.kind === 'parallel' && entered !== state.children.length;
  });
  if (wrong !== undefined) throw bad(machine, path, `its targets cannot be active together: they meet in '${wrong.definition.id}'`);
}

/** With history in play legality is known at run time only, so several targets must lie in different regions. */
function checkRegions(machine: string, path: string, targets: readonly (State | History)[]): void {
  const places = targets.map((target) => (isHistory(target) ? target.parent : target));
  places.forEach((a, index) => {
    for (const b of places.slice(index + 1)) {
      const meeting = commonAncestor(a, b);
      if (meeting === a || meeting === b || meeting.definition.kind !== 'parallel') {
        throw bad(machine, path, `its targets cannot be active together: they meet in '${meeting.definition.id}'`);
      }
    }
  });
}

function commonAncestor(a: State, b: State): State {
  let ancestor = a;
  while (ancestor !== b && !isDescendant(b, ancestor) && ancestor.parent !== undefined) ancestor = ancestor.parent;
  return ancestor;
}

function rootOf(state: State): State {
  let root = state;
  while (root.parent !== undefined) root = root.parent;
  return root;
}
