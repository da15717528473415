// The dialect of SCXML: the structure of a document (compiler/scxml/read.ts) as a definition with SCXML's semantics. Content becomes host
// functions, one for each block; docs/scxml.md says what is taken and what refused.

import type {
  ActionDefinition,
  Definition,
  HistoryDefinition,
  NodeDefinition,
  StateDefinition,
  TransitionDefinition,
} from '../definition.ts';
import type { ScxmlDocument, ScxmlHistory, ScxmlState, ScxmlTransition } from '../scxml/document.ts';
import { allStates, blockFunction, conditionFunction, stateFunctions, type Named } from '../scxml/functions.ts';
import { bad } from '../tree.ts';

const UNNAMED = 'scxml';

export interface ScxmlOptions {
  /**
   * What stays active when a transition leads from one region of a parallel to itself or another: `nearest` (the default, SCION's and
   * XState's reading) keeps the parallel, `compound` (the Recommendation's LCCA) leaves and enters it too.
   */
  readonly domains?: 'nearest' | 'compound';
}

/**
 * Makes the definition of a document that readScxml has read.                                       (SCXML-1)
 * @throws LockstepError BAD_DEFINITION, naming document, path and reason.
 */
export function fromScxml(chart: ScxmlDocument, { domains = 'nearest' }: ScxmlOptions = {}): Definition {
  const id = chart.name ?? UNNAMED;
  return {
    id,
    dialect: 'scxml',
    semantics: domains === 'compound' ? 'scxml-compound' : 'scxml',
    root: new Maker(id, chart).state(chart.root, undefined),
    context: { value: {} },
  };
}

class Maker {
  readonly #id: string;
  readonly #chart: ScxmlDocument;

  /** The machine's, unless a state has that id. */
  readonly #rootId: string;

  constructor(id: string, chart: ScxmlDocument) {
    this.#id = id;
    this.#chart = chart;
    this.#rootId = allStates(chart.root).some((state) => state.id === id) ? chart.root.id : id;
  }

  state(state: ScxmlState, parent: ScxmlState | undefined): StateDefinition {
    const { entry, exit, invoke, finalize, result } = stateFunctions(this.#chart, state, parent);
    const kind = kindOf(state);
    const stateId = parent === undefined ? this.#rootId : state.id;
    const initial = kind === 'compound' ? this.#initial(state) : undefined;
    if (kind !== 'compound' && state.initial !== undefined) throw bad(this.#id, state.path, `a ${kind} state has no initial state`);
    return {
      kind,
      key: stateId,
      id: stateId,
      path: state.path,
      children: state.children.map((child): NodeDefinition => (child.kind === 'history' ? this.#history(child) : this.state(child, state))),
      ...(initial === undefined ? {} : { initial }),
      entry: entry.map(builtin),
      exit: exit.map(builtin),
      ...this.#transitions(state),
      timers: [],
      onSettled: invoke.map(builtin),
      onExternal: finalize.map(builtin),
      ...(result === undefined ? {} : { output: { kind: 'output' as const, path: result.path } }),
      tags: [],
    };
  }

  /** The attribute or element, else the first child in document order. */
  #initial(state: ScxmlState): TransitionDefinition {
    const first = state.children.find(({ kind }) => kind !== 'history');
    if (first === undefined) throw bad(this.#id, state.path, 'it has no states inside but history');
    const { path, targets, content } = state.initial ?? { path: state.path, targets: [first.id], content: undefined };
    return { path, targets, reenter: false, actions: content === undefined ? [] : actionsOf(blockFunction(content)) };
  }

  #history({ id, path, deep, initial }: ScxmlHistory): HistoryDefinition {
    const named = { kind: 'history' as const, key: id, id, path, deep };
    return initial === undefined ? named : { ...named, targets: initial.targets, actions: actionsOf(blockFunction(initial.content)) };
  }

  /** Each transition once, listed under all of its descriptors. */
  #transitions(state: ScxmlState): Pick<StateDefinition, 'on' | 'always'> {
    const made = state.transitions.map((transition) => ({ events: transition.events, transition: transitionOf(transition) }));
    return {
      on: made.flatMap(({ events, transition }) =>
        [...new Set(events.map(descriptorOf))].map((descriptor) => ({ descriptor, transitions: [transition] })),
      ),
      always: made.filter(({ events }) => events.length === 0).map(({ transition }) => transition),
    };
  }
}

function kindOf({ kind, children }: ScxmlState): StateDefinition['kind'] {
  const hasStates = children.some((child) => child.kind !== 'history');
  if (kind === 'final' || (kind === 'parallel' && hasStates)) return kind;
  return children.length === 0 ? 'atomic' : 'compound';
}

/** A transition is external unless it says otherwise; whether `internal` has an effect is the planner's to say. */
function transitionOf(transition: ScxmlTransition): TransitionDefinition {
  const condition = conditionFunction(transition);
  return {
    path: transition.path,
    targets: transition.targets,
    reenter: !transition.internal,
    ...(condition === undefined ? {} : { guard: { kind: 'function', function: { kind: 'guard', path: condition.path } } }),
    actions: actionsOf(blockFunction(transition.content)),
  };
}

const builtin = ({ path }: Named): ActionDefinition => ({ kind: 'builtin', function: { kind: 'builtin', path } });

const actionsOf = (named: Named | undefined): readonly ActionDefinition[] => (named === undefined ? [] : [builtin(named)]);

/** `a`, `a.` and `a.*` take `a` and whatever follows it after a dot; `*` and `.*` take everything (section 3.12.1). */
function descriptorOf(event: string): string {
  const tokens = event.replace(/\.?\*$/, '').replace(/\.$/, '');
  return tokens === '' ? '*' : `${tokens}.*`;
}
