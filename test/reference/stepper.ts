// The slow stepper: what a statechart does with an event, written for reading. XState 5's rules in document order over sets of objects, each
// step a pure function from one standing to the next. It shares nothing with the core, which must agree with it on every step; where XState
// itself leaves the legal configurations, it follows docs/spec/statecharts.md.

import { isHistory, isInside, type Chart, type History, type State, type Target, type Transition } from './chart.ts';

export interface Standing {
  readonly status: 'new' | 'active' | 'done';
  readonly active: ReadonlySet<State>;
  readonly memory: ReadonlyMap<History, ReadonlySet<State>>;
}

/** Before the start. */
export const NOWHERE: Standing = { status: 'new', active: new Set(), memory: new Map() };

/** What an effect saw that an external event brought about: its type may be that of an internal one. */
export const EXTERNAL = 'external';

/** What happened, in order: `exit ID`, `enter ID`, `effect NAME on TYPE`, `assign`, `take ID` (a transition of that state), `event TYPE`. */
export type Trace = readonly string[];

export interface Stepped {
  readonly after: Standing;
  readonly trace: Trace;
  /** Whether any transition was selected. */
  readonly taken: boolean;
}

/** @returns 'fuel' when the event does not come to rest; nothing has happened then. */
export function start(chart: Chart, bits: number): Stepped | 'fuel' {
  const macrostep = new Macrostep(chart, NOWHERE, bits);
  macrostep.enterFromNothing();
  return macrostep.settle();
}

/** @param bits what the guards 'g0', 'g1', … answer. @returns 'fuel' when the event does not come to rest; nothing has happened then. */
export function step(chart: Chart, before: Standing, type: string, bits: number): Stepped | 'fuel' {
  const macrostep = new Macrostep(chart, before, bits);
  macrostep.take(macrostep.selectFor(type));
  return macrostep.settle();
}

/** States that a transition enters, and those of them whose initial actions run. */
interface Entry {
  readonly enter: Set<State>;
  readonly byDefault: Set<State>;
}

/** A state or what a history node stands for just now. `named`: the transition itself names it. */
interface Goal {
  readonly state: State;
  readonly named: boolean;
}

/** The states that a transition leaves lie inside its domain; 'all' leaves the root too. */
type Domain = State | 'all';

class Macrostep {
  readonly #chart: Chart;
  readonly #bits: number;
  readonly #active: Set<State>;
  readonly #memory: Map<History, ReadonlySet<State>>;
  readonly #queue: string[] = [];
  readonly #trace: string[] = [];
  #status: Standing['status'];
  #event = EXTERNAL;
  #taken = false;
  /** Something changed in the microstep at hand, in the sense of XState's comparison of snapshots by identity. */
  #changed = false;

  constructor(chart: Chart, before: Standing, bits: number) {
    this.#chart = chart;
    this.#bits = bits;
    this.#active = new Set(before.active);
    this.#memory = new Map(before.memory);
    this.#status = before.status;
  }

  /** Eventless transitions first, then one internal event, until there is neither. An eventless round that changed nothing is not repeated. */
  settle(): Stepped | 'fuel' {
    let lookForEventless = true;
    for (let round = 1; this.#status === 'active'; round += 1) {
      if (round > this.#chart.fuel) return 'fuel';
      const eventless = lookForEventless ? this.#selectEventless() : [];
      if (eventless.length > 0) {
        this.take(eventless);
        lookForEventless = this.#changed;
        continue;
      }
      const event = this.#queue.shift();
      if (event === undefined) break;
      this.#event = event;
      this.#trace.push(`event ${event}`);
      this.take(this.selectFor(event));
      lookForEventless = true;
    }
    const after = { status: this.#status, active: this.#active, memory: this.#memory };
    return { after, trace: this.#trace, taken: this.#taken };
  }

  // ── Selecting ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Innermost first: a state is asked only when nothing below it has answered. */
  selectFor(type: string): Transition[] {
    const select = (state: State): Transition[] => {
      const below = state.children.filter((child) => this.#active.has(child)).flatMap(select);
      if (below.length > 0) return below;
      const own = candidates(state, type).find((transition) => this.#passes(transition));
      return own === undefined ? [] : [own];
    };
    return select(this.#chart.root);
  }

  /** Each leaf climbs on its own until it meets an enabled transition. */
  #selectEventless(): Transition[] {
    const found = new Set<Transition>();
    for (const leaf of inOrder(this.#active).filter(isLeaf)) {
      for (let state: State | undefined = leaf; state !== undefined; state = state.parent) {
        const own = state.always.find((transition) => this.#passes(transition));
        if (own === undefined) continue;
        found.add(own);
        break;
      }
    }
    return [...found];
  }

  #passes({ guard }: Transition): boolean {
    if (guard === undefined) return true;
    if (guard.startsWith('in ')) return [...this.#active].some(({ id }) => id === guard.slice(3));
    return ((this.#bits >>> Number(guard.slice(1))) & 1) === 1;
  }

  // ── A microstep ────────────────────────────────────────────────────────────────────────────────────────────────

  take(selected: readonly Transition[]): void {
    this.#changed = false;
    if (selected.length === 0) return;
    this.#taken = true;
    const before = new Set(this.#active);
    // The domains are those of before the exit: leaving may teach a history something else.
    const domains = new Map<Transition, Domain | undefined>();
    for (const transition of selected) domains.set(transition, this.#domain(transition));
    const transitions = this.#withoutConflicts(selected, domains);
    for (const { source } of transitions) this.#trace.push(`take ${source.id}`);

    const leaving = new Set(transitions.flatMap((transition) => this.#exitSet(domains.get(transition))));
    this.#exit(inOrder(leaving).reverse());
    for (const { actions } of transitions) this.#run(actions);
    const entry: Entry = { enter: new Set(), byDefault: new Set() };
    for (const transition of transitions) this.#collectEntry(transition, domains.get(transition), entry);
    this.#enter(entry);
    if (!isSame(before, this.#active)) this.#changed = true;
  }

  enterFromNothing(): void {
    this.#status = 'active';
    this.#taken = true;
    const { root } = this.#chart;
    const entry: Entry = { enter: new Set([root]), byDefault: new Set([root]) };
    this.#descend(root, entry);
    this.#enter(entry);
  }

  /** What its targets stand for now. */
  #goals(transition: Transition): Goal[] {
    return transition.targets.flatMap((target) => (isHistory(target) ? this.#recall(target) : [{ state: target, named: true }]));
  }

  #recall(history: History): Goal[] {
    const remembered = this.#memory.get(history);
    if (remembered !== undefined) return inOrder(remembered).map((state) => ({ state, named: false }));
    const fallback = defaultOf(history);
    return isHistory(fallback) ? this.#recall(fallback) : [{ state: fallback, named: false }];
  }

  /** @returns undefined for a transition without targets, which leaves nothing. */
  #domain(transition: Transition): Domain | undefined {
    const { source, reenter } = transition;
    const goals = this.#goals(transition).map(({ state }) => state);
    if (goals.length === 0) return undefined;
    if (!reenter && goals.every((goal) => goal === source || isInside(goal, source))) return source;
    for (let above = source.parent; above !== undefined; above = above.parent) {
      const ancestor = above;
      if (goals.every((goal) => isInside(goal, ancestor))) return ancestor;
    }
    return reenter ? 'all' : this.#chart.root;
  }

  #exitSet(domain: Domain | undefined): State[] {
    if (domain === undefined) return [];
    return [...this.#active].filter((state) => domain === 'all' || isInside(state, domain));
  }

  /** Of two that leave the same state, the one whose source lies deeper stays, else the one that was selected first. */
  #withoutConflicts(selected: readonly Transition[], domains: ReadonlyMap<Transition, Domain | undefined>): Transition[] {
    let kept: Transition[] = [];
    for (const transition of selected) {
      const rivals = kept.filter((other) => this.#areInConflict(transition, other, domains));
      if (rivals.some(({ source }) => !isInside(transition.source, source))) continue;
      kept = [...kept.filter((other) => !rivals.includes(other)), transition];
    }
    return kept;
  }

  #areInConflict(one: Transition, other: Transition, domains: ReadonlyMap<Transition, Domain | undefined>): boolean {
    const [a, b] = [one, other].map((transition) => new Set(this.#exitSet(domains.get(transition)))) as [Set<State>, Set<State>];
    if ([...a].some((state) => b.has(state))) return true;
    return this.#isLeftBehind(one, domains.get(one), b) || this.#isLeftBehind(other, domains.get(other), a);
  }

  /** A leaf that history leads back to itself leaves nothing, and yet needs its parent to stay.                         (CHART-4) */
  #isLeftBehind(transition: Transition, domain: Domain | undefined, leaving: ReadonlySet<State>): boolean {
    const { source, targets } = transition;
    return domain === source && isLeaf(source) && targets.some(isHistory) && source.parent !== undefined && leaving.has(source.parent);
  }

  // ── Leaving ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** All histories are written before the first state is left. */
  #exit(states: readonly State[]): void {
    for (const { histories } of states) {
      for (const history of histories) {
        this.#changed = true;
        const inside = [...this.#active].filter((state) => isInside(state, history.parent));
        this.#memory.set(history, new Set(inside.filter((state) => (history.deep ? isLeaf(state) : state.parent === history.parent))));
      }
    }
    for (const state of states) {
      this.#run(state.exit);
      this.#active.delete(state);
      this.#trace.push(`exit ${state.id}`);
    }
  }

  // ── Entering ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** From the domain down to the goals, and from the goals down by default. */
  #collectEntry(transition: Transition, domain: Domain | undefined, entry: Entry): void {
    if (domain === undefined) return;
    const goals = this.#goals(transition);
    for (const target of transition.targets) if (isHistory(target)) this.#markDefault(target, entry);
    const top = domain === 'all' ? this.#chart.root : domain;
    // The domain stays, unless history stands for the domain itself: then it is entered although it was not left.
    if (domain === 'all' || goals.some(({ state, named }) => state === top && !named)) entry.enter.add(top);
    if (domain === 'all' && goals.some(({ state, named }) => state === top && named)) entry.byDefault.add(top);
    this.#follow(top, goals, entry);
    // The way out of a history begins at its parent, also when that encloses the domain: what lies between is entered without being left.
    for (const target of transition.targets)
      if (isHistory(target) && isInside(top, target.parent)) this.#follow(target.parent, this.#recall(target), entry);
  }

  /** Enters what lies below `state` on the way to the goals. */
  #follow(state: State, goals: readonly Goal[], entry: Entry): void {
    if (goals.some((goal) => goal.state === state)) {
      this.#descend(state, entry);
      return;
    }
    for (const child of state.children) {
      const ahead = goals.filter((goal) => goal.state === child || isInside(goal.state, child));
      if (ahead.length > 0) {
        entry.enter.add(child);
        if (ahead.some((goal) => goal.state === child && goal.named)) entry.byDefault.add(child);
        this.#follow(child, ahead, entry);
      } else if (state.kind === 'parallel' && !this.#active.has(child)) {
        // A region beside the way: its own initial actions do not run. One that was not left stays as it is.           (CHART-5)
        entry.enter.add(child);
        this.#descend(child, entry);
      }
    }
  }

  /** Enters what lies below `state` when nothing more is said. */
  #descend(state: State, entry: Entry): void {
    const heirs = state.kind === 'parallel' ? state.children : state.initial === undefined ? [] : [state.initial.target];
    for (const heir of heirs) {
      if (isHistory(heir)) {
        this.#markDefault(heir, entry);
        this.#follow(state, this.#recall(heir), entry);
      } else {
        entry.enter.add(heir);
        entry.byDefault.add(heir);
        this.#descend(heir, entry);
      }
    }
  }

  /** A history that falls back on its parent's initial state makes that a default entry of the parent. */
  #markDefault(history: History, entry: Entry): void {
    if (this.#memory.has(history)) return;
    const fallback = defaultOf(history);
    if (history.fallback === undefined && history.parent.kind === 'compound') entry.byDefault.add(history.parent);
    if (isHistory(fallback)) this.#markDefault(fallback, entry);
  }

  #enter({ enter, byDefault }: Entry): void {
    const completed = new Set<State>();
    for (const state of inOrder(enter)) {
      // Entered without having been left: its clock moves twice, so that odd still means active.
      if (this.#active.has(state)) this.#trace.push(`exit ${state.id}`);
      this.#active.add(state);
      this.#trace.push(`enter ${state.id}`);
      this.#run(state.entry);
      if (byDefault.has(state)) this.#run(state.initial?.actions ?? []);
      if (state.kind === 'final') this.#complete(state, completed);
    }
    // A machine that is done runs the exit actions of everything and stays where it is.
    if (this.#status === 'done') for (const { exit } of inOrder(this.#active).reverse()) this.#run(exit);
  }

  /** A final state completes its parent, and that the parallels above it all of whose regions are complete. */
  #complete(final: State, completed: Set<State>): void {
    const { parent } = final;
    if (parent?.kind === 'compound') this.#queue.push(doneType(parent));
    let above = parent?.kind === 'parallel' ? parent : parent?.parent;
    while (above?.kind === 'parallel' && !completed.has(above) && this.#isComplete(above)) {
      completed.add(above);
      this.#queue.push(doneType(above));
      above = above.parent;
    }
    if (above === undefined) this.#status = 'done';
  }

  #isComplete(state: State): boolean {
    if (state.kind === 'parallel') return state.children.every((child) => this.#isComplete(child));
    if (state.kind === 'compound') return state.children.some((child) => child.kind === 'final' && this.#active.has(child));
    return state.kind === 'final';
  }

  // ── Actions ────────────────────────────────────────────────────────────────────────────────────────────────────

  #run(actions: readonly string[]): void {
    for (const name of actions) {
      if (name === 'assign') {
        this.#changed = true;
        this.#trace.push('assign');
      } else if (name.startsWith('raise ')) this.#queue.push(name.slice(6));
      else this.#trace.push(`effect ${name} on ${this.#event}`);
    }
  }
}

const doneType = ({ id }: State): string => `xstate.done.state.${id}`;
const isLeaf = ({ children }: State): boolean => children.length === 0;
const inOrder = (states: Iterable<State>): State[] => [...states].sort((a, b) => a.order - b.order);
const isSame = (a: ReadonlySet<State>, b: ReadonlySet<State>): boolean => a.size === b.size && [...a].every((state) => b.has(state));

/** What a history stands for while it remembers nothing. */
function defaultOf({ fallback, parent }: History): Target {
  return fallback ?? parent.initial?.target ?? parent;
}

/** Those listed under the type itself, then those under wildcards that take it, the longest first. */
function candidates(state: State, type: string): Transition[] {
  const takes = (descriptor: string): boolean =>
    descriptor === '*' || (descriptor.endsWith('.*') && `${type}.`.startsWith(descriptor.slice(0, -1)));
  const wildcards = [...state.on.keys()].filter((descriptor) => descriptor !== type && takes(descriptor));
  return [type, ...wildcards.sort((a, b) => b.length - a.length)].flatMap((descriptor) => state.on.get(descriptor) ?? []);
}
