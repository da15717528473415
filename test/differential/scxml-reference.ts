// The slow, readable twin of the core for SCXML: the procedures of appendix D of the W3C's SCXML 1.0 over sets of states, with nothing
// precomputed. One rule is ours: a state that was not left is not entered. Shares the reading of documents with what it checks, and nothing else. Content is `<log>` and `<raise>`.

import { QUEUE_MAX } from '../../assembly/layout.ts';
import type { Block, ScxmlDocument, ScxmlHistory, ScxmlState, ScxmlTransition } from '../../compiler/scxml/document.ts';

type Node = ScxmlState | ScxmlHistory;

/** It did not come to rest within the limits of the core. */
export class Endless extends Error {}

export interface Oracle {
  readonly domains: 'nearest' | 'compound';
  /** Microsteps after which a macrostep is endless. */
  readonly fuel: number;
  /** What a condition answers to an event in a configuration. */
  condition(expression: string, event: string, isIn: (id: string) => boolean): boolean;
}

export class Reference {
  readonly log: string[] = [];
  isRunning = true;
  readonly #document: ScxmlDocument;
  readonly #oracle: Oracle;
  readonly #parents = new Map<Node, ScxmlState>();
  readonly #order = new Map<Node, number>();
  readonly #ids = new Map<string, Node>();
  readonly #history = new Map<ScxmlHistory, readonly ScxmlState[]>();
  #configuration = new Set<ScxmlState>();
  #queue: string[] = [];
  #event = '';

  constructor(document: ScxmlDocument, oracle: Oracle) {
    this.#document = document;
    this.#oracle = oracle;
    const visit = (node: Node): void => {
      this.#order.set(node, this.#order.size);
      this.#ids.set(node.id, node);
      if (node.kind === 'history') return;
      for (const child of node.children) {
        this.#parents.set(child, node);
        visit(child);
      }
    };
    visit(document.root);
  }

  /** Ids of the active leaves, in document order. */
  configuration(): string[] {
    return this.#sorted(this.#configuration)
      .filter((state) => states(state).length === 0)
      .map(({ id }) => id);
  }

  start(): void {
    const entry = new Entry();
    this.#addDescendants(this.#document.root, entry);
    this.#enter(entry);
    if (!this.isRunning) this.#leaveAll();
    this.#macrostep();
  }

  send(event: string): void {
    if (!this.isRunning) return;
    this.#event = event;
    this.#microstep(this.#select(event));
    this.#macrostep();
  }

  #macrostep(): void {
    for (let steps = 0; this.isRunning; steps += 1) {
      if (steps >= this.#oracle.fuel || this.#queue.length > QUEUE_MAX) throw new Endless();
      let enabled = this.#select(undefined);
      if (enabled.length === 0) {
        const event = this.#queue.shift();
        if (event === undefined) return;
        this.#event = event;
        enabled = this.#select(event);
      }
      this.#microstep(enabled);
    }
  }

  #microstep(enabled: readonly Enabled[]): void {
    if (enabled.length === 0) return;
    const exits = this.#exitSet(enabled);
    this.#exit(exits);
    for (const { transition } of enabled) this.#run(transition.content);
    const entry = new Entry();
    for (const one of enabled) {
      const targets = one.transition.targets.map((id) => this.#node(id));
      for (const target of targets) this.#addDescendants(target, entry);
      if (targets.length === 0 || one.domain === undefined) continue;
      for (const target of this.#effective(targets)) this.#addAncestors(target, one.domain, entry);
      // A parallel domain stays; its regions, which were left, come back.
      if (one.domain.kind === 'parallel') this.#addRegions(one.domain, entry);
    }
    this.#enter(entry);
    if (!this.isRunning) this.#leaveAll();
  }

  // ── Selection ──────────────────────────────────────────────────────────────────────────────────────────────────

  #select(event: string | undefined): Enabled[] {
    const chosen = new Set<ScxmlTransition>();
    const enabled: Enabled[] = [];
    for (const leaf of this.#sorted(this.#configuration).filter((state) => states(state).length === 0)) {
      search: for (const state of [leaf, ...this.#ancestors(leaf)]) {
        for (const transition of state.transitions) {
          if (!this.#isEnabled(transition, event)) continue;
          if (!chosen.has(transition)) enabled.push({ transition, source: state, domain: this.#domain(transition, state) });
          chosen.add(transition);
          break search;
        }
      }
    }
    return this.#withoutConflicts(enabled);
  }

  #isEnabled({ events, condition }: ScxmlTransition, event: string | undefined): boolean {
    if (event === undefined ? events.length > 0 : !events.some((descriptor) => takes(descriptor, event))) return false;
    return condition === undefined || this.#oracle.condition(condition, this.#event, (id) => this.#isIn(id));
  }

  #isIn(id: string): boolean {
    return [...this.#configuration].some((state) => state.id === id);
  }

  #withoutConflicts(enabled: readonly Enabled[]): Enabled[] {
    let kept: Enabled[] = [];
    for (const one of enabled) {
      let isPreempted = false;
      const dropped = new Set<Enabled>();
      for (const other of kept) {
        const exits = this.#exitSet([other]);
        if (![...this.#exitSet([one])].some((state) => exits.has(state))) continue;
        if (this.#ancestors(one.source).includes(other.source)) dropped.add(other);
        else {
          isPreempted = true;
          break;
        }
      }
      if (!isPreempted) kept = [...kept.filter((other) => !dropped.has(other)), one];
    }
    return kept;
  }

  #domain({ targets: ids, internal }: ScxmlTransition, source: ScxmlState): ScxmlState | undefined {
    if (ids.length === 0) return undefined;
    const targets = this.#effective(ids.map((id) => this.#node(id)));
    const holds = (state: ScxmlState): boolean => targets.every((target) => this.#ancestors(target).includes(state));
    if (internal && isCompound(source) && holds(source)) return source;
    const root = this.#document.root;
    return this.#ancestors(source).find(
      (state) => (this.#oracle.domains === 'nearest' || state === root || isCompound(state)) && holds(state),
    );
  }

  #effective(targets: readonly Node[]): ScxmlState[] {
    return targets.flatMap((target) => {
      if (target.kind !== 'history') return [target];
      const remembered = this.#history.get(target);
      if (remembered !== undefined) return [...remembered];
      return this.#effective(this.#defaultOf(target));
    });
  }

  /** What a history stands for while it remembers nothing: its own default, else what its parent enters. */
  #defaultOf(history: ScxmlHistory): readonly Node[] {
    if (history.initial !== undefined) return history.initial.targets.map((id) => this.#node(id));
    const parent = this.#parents.get(history)!;
    return parent.kind === 'parallel' ? [parent] : this.#initialOf(parent);
  }

  #initialOf(state: ScxmlState): readonly Node[] {
    return state.initial?.targets.map((id) => this.#node(id)) ?? states(state).slice(0, 1);
  }

  // ── Leaving and entering ───────────────────────────────────────────────────────────────────────────────────────

  #exitSet(enabled: readonly Enabled[]): Set<ScxmlState> {
    const exits = new Set<ScxmlState>();
    for (const { domain } of enabled) {
      if (domain === undefined) continue;
      for (const state of this.#configuration) if (this.#ancestors(state).includes(domain)) exits.add(state);
    }
    return exits;
  }

  #exit(exits: ReadonlySet<ScxmlState>): void {
    for (const state of exits) {
      for (const history of state.children) {
        if (history.kind !== 'history') continue;
        const isRemembered = (one: ScxmlState): boolean =>
          history.deep ? states(one).length === 0 && this.#ancestors(one).includes(state) : this.#parents.get(one) === state;
        this.#history.set(history, this.#sorted(this.#configuration).filter(isRemembered));
      }
    }
    for (const state of this.#sorted(exits).reverse()) {
      for (const block of state.exit) this.#run(block);
      this.#configuration.delete(state);
    }
  }

  #leaveAll(): void {
    for (const state of this.#sorted(this.#configuration).reverse()) for (const block of state.exit) this.#run(block);
  }

  #addDescendants(node: Node, entry: Entry): void {
    if (node.kind === 'history') return this.#addHistory(node, entry);
    entry.states.add(node);
    if (isCompound(node)) {
      entry.byDefault.add(node);
      const targets = this.#initialOf(node);
      for (const target of targets) this.#addDescendants(target, entry);
      for (const target of targets) this.#addAncestors(target, node, entry);
    } else if (node.kind === 'parallel') this.#addRegions(node, entry);
  }

  #addHistory(history: ScxmlHistory, entry: Entry): void {
    const parent = this.#parents.get(history)!;
    const remembered = this.#history.get(history);
    if (remembered === undefined && history.initial !== undefined) entry.defaults.set(parent, history);
    if (remembered === undefined && history.initial === undefined) entry.byDefault.add(parent);
    const targets = remembered ?? this.#defaultOf(history);
    for (const target of targets) this.#addDescendants(target, entry);
    for (const target of targets) this.#addAncestors(target, parent, entry);
  }

  #addAncestors(node: Node, top: ScxmlState, entry: Entry): void {
    // getProperAncestors gives none between a state and itself: a parallel that its own history stands for.
    if (node === top) return;
    for (const ancestor of this.#ancestors(node)) {
      if (ancestor === top) return;
      entry.states.add(ancestor);
      if (ancestor.kind === 'parallel') this.#addRegions(ancestor, entry);
    }
  }

  #addRegions(parallel: ScxmlState, entry: Entry): void {
    for (const region of states(parallel)) {
      // Not in the Recommendation, which would begin it a second time: what was not left stays as it is.
      if (this.#configuration.has(region)) continue;
      const isBegun = [...entry.states].some((state) => this.#ancestors(state).includes(region));
      if (!isBegun) this.#addDescendants(region, entry);
    }
  }

  #enter(entry: Entry): void {
    const entered = [...entry.states].filter((state) => !this.#configuration.has(state));
    for (const state of this.#sorted(entered)) {
      this.#configuration.add(state);
      for (const block of state.entry) this.#run(block);
      if (entry.byDefault.has(state) && state.initial !== undefined) this.#run(state.initial.content);
      const history = entry.defaults.get(state);
      if (history?.initial !== undefined) this.#run(history.initial.content);
      if (state.kind !== 'final') continue;
      const parent = this.#parents.get(state)!;
      if (parent === this.#document.root) {
        this.isRunning = false;
        continue;
      }
      this.#queue.push(`done.state.${parent.id}`);
      const region = this.#parents.get(parent);
      if (region?.kind === 'parallel' && states(region).every((child) => this.#isFinished(child)))
        this.#queue.push(`done.state.${region.id}`);
    }
  }

  #isFinished(state: ScxmlState): boolean {
    if (isCompound(state)) return states(state).some((child) => child.kind === 'final' && this.#configuration.has(child));
    return state.kind === 'parallel' && states(state).length > 0 && states(state).every((child) => this.#isFinished(child));
  }

  #run({ content }: Block): void {
    for (const one of content) {
      if (one.kind === 'log') this.log.push(one.label);
      else if (one.kind === 'raise') this.#queue.push(one.event);
      else throw new Error(`the reference runs no <${one.kind}>`);
    }
  }

  // ── The tree ───────────────────────────────────────────────────────────────────────────────────────────────────

  #node(id: string): Node {
    return this.#ids.get(id)!;
  }

  #ancestors(node: Node): ScxmlState[] {
    const found: ScxmlState[] = [];
    for (let parent = this.#parents.get(node); parent !== undefined; parent = this.#parents.get(parent)) found.push(parent);
    return found;
  }

  #sorted(set: Iterable<ScxmlState>): ScxmlState[] {
    return [...set].sort((a, b) => this.#order.get(a)! - this.#order.get(b)!);
  }
}

interface Enabled {
  readonly transition: ScxmlTransition;
  readonly source: ScxmlState;
  readonly domain: ScxmlState | undefined;
}

class Entry {
  readonly states = new Set<ScxmlState>();
  readonly byDefault = new Set<ScxmlState>();
  /** Parent → the history node whose default is taken. */
  readonly defaults = new Map<ScxmlState, ScxmlHistory>();
}

const states = (state: ScxmlState): ScxmlState[] => state.children.filter((child) => child.kind !== 'history');

const isCompound = (state: ScxmlState): boolean => state.kind !== 'parallel' && states(state).length > 0;

function takes(descriptor: string, event: string): boolean {
  const tokens = descriptor
    .replace(/\.\*$|^\*$/, '')
    .split('.')
    .filter((token) => token !== '');
  return tokens.every((token, index) => event.split('.')[index] === token);
}
