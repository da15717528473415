// A plain chart: the JSON part of an XState 5 config, with names where functions would stand, so that a chart can be made, cut down, printed
// and given to createMachine() as it is. What the names mean is said once, in words that both sides implement:
//   action  'assign' changes the context · 'raise T' raises an event of type T · any other name is an effect
//   guard   'g0' … 'g7' is that bit of the number that comes with the event · 'in ID' says whether the state with that id is active
// Targets are always '#id'; an id is the keys from the root joined by dots. read() makes objects of it for the slow stepper.

export interface PlainNode {
  readonly type?: 'parallel' | 'final' | 'history';
  readonly initial?: string | { readonly target: string; readonly actions?: readonly string[] };
  readonly states?: Readonly<Record<string, PlainNode>>;
  readonly entry?: readonly string[];
  readonly exit?: readonly string[];
  readonly on?: Readonly<Record<string, readonly PlainTransition[]>>;
  readonly always?: readonly PlainTransition[];
  readonly onDone?: readonly PlainTransition[];
  /** Of a history node. */
  readonly history?: 'shallow' | 'deep';
  /** Of a history node: what it stands for while it remembers nothing, as a path of keys from its parent. */
  readonly target?: string;
}

export interface PlainTransition {
  readonly target?: readonly string[];
  readonly reenter?: boolean;
  readonly guard?: string;
  readonly actions?: readonly string[];
}

export interface PlainChart extends PlainNode {
  readonly id: string;
  readonly options?: { readonly maxIterations: number };
}

// ── As objects ───────────────────────────────────────────────────────────────────────────────────────────────────

export type Kind = 'atomic' | 'compound' | 'parallel' | 'final';

export interface State {
  readonly id: string;
  readonly kind: Kind;
  readonly parent: State | undefined;
  /** Place in document order; the root is 0. */
  readonly order: number;
  /** In document order. */
  readonly children: readonly State[];
  readonly histories: readonly History[];
  /** Of a compound. */
  readonly initial: { readonly target: Target; readonly actions: readonly string[] } | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** By event descriptor. */
  readonly on: ReadonlyMap<string, readonly Transition[]>;
  readonly always: readonly Transition[];
}

export interface History {
  readonly id: string;
  readonly kind: 'history';
  readonly parent: State;
  readonly deep: boolean;
  readonly fallback: Target | undefined;
}

export type Target = State | History;

export interface Transition {
  readonly source: State;
  readonly targets: readonly Target[];
  readonly reenter: boolean;
  readonly guard: string | undefined;
  readonly actions: readonly string[];
}

export interface Chart {
  readonly root: State;
  /** In document order. */
  readonly states: readonly State[];
  readonly histories: readonly History[];
  /** Rounds that one event may take. */
  readonly fuel: number;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

const FUEL = 1000;

/** @throws Error when a target or an initial state does not exist. */
export function read(plain: PlainChart): Chart {
  const states: State[] = [];
  const histories: History[] = [];
  const byId = new Map<string, Target>();
  const finish: (() => void)[] = [];

  const find = (id: string): Target => {
    const found = byId.get(id);
    if (found === undefined) throw new Error(`no state has the id '${id}'`);
    return found;
  };

  const transitions = (source: State, list: readonly PlainTransition[] = []): Transition[] =>
    list.map(({ target = [], reenter = false, guard, actions = [] }) => ({
      source,
      targets: target.map((name) => find(name.slice(1))),
      reenter,
      guard,
      actions,
    }));

  const visit = (node: PlainNode, id: string, parent: State | undefined): State => {
    const children: State[] = [];
    const own: History[] = [];
    const kind = node.type === 'parallel' || node.type === 'final' ? node.type : node.states === undefined ? 'atomic' : 'compound';
    const { entry = [], exit = [] } = node;
    const state: Draft<State> = {
      id,
      kind,
      parent,
      order: states.length,
      children,
      histories: own,
      initial: undefined,
      entry,
      exit,
      on: new Map(),
      always: [],
    };
    states.push(state);
    byId.set(id, state);
    for (const [key, child] of Object.entries(node.states ?? {})) {
      const childId = `${id}.${key}`;
      if (child.type !== 'history') children.push(visit(child, childId, state));
      else own.push(visitHistory(child, childId, state));
    }
    finish.push(() => {
      const on = new Map(Object.entries(node.on ?? {}).map(([descriptor, list]) => [descriptor, transitions(state, list)]));
      if (node.onDone !== undefined) on.set(`xstate.done.state.${id}`, transitions(state, node.onDone));
      state.on = on;
      state.always = transitions(state, node.always);
      if (kind !== 'compound') return;
      const initial = typeof node.initial === 'object' ? node.initial : { target: node.initial ?? '' };
      state.initial = { target: find(`${id}.${initial.target}`), actions: initial.actions ?? [] };
    });
    return state;
  };

  const visitHistory = (node: PlainNode, id: string, parent: State): History => {
    const history: Draft<History> = { id, kind: 'history', parent, deep: node.history === 'deep', fallback: undefined };
    histories.push(history);
    byId.set(id, history);
    finish.push(() => {
      if (node.target !== undefined) history.fallback = find(`${parent.id}.${node.target}`);
    });
    return history;
  };

  const root = visit(plain, plain.id, undefined);
  for (const each of finish) each();
  return { root, states, histories, fuel: plain.options?.maxIterations ?? FUEL };
}

export function isHistory(target: Target): target is History {
  return target.kind === 'history';
}

/** Whether `state` lies strictly inside `ancestor`. */
export function isInside(state: State, ancestor: State): boolean {
  for (let above = state.parent; above !== undefined; above = above.parent) if (above === ancestor) return true;
  return false;
}
