// The host functions of an SCXML document: each block of executable content, each condition and each deed around data, results and
// invocations is one, known by its path. The dialect names them in the definition, bind.ts gives them to the image by the same paths.

import type { Block, Content, Data, DoneData, Invoke, ScxmlDocument, ScxmlState, ScxmlTransition } from './document.ts';

export type ScxmlFunction =
  /** Makes the data model: all data are declared, those in `values` get their values, then the document's scripts run. */
  | { readonly kind: 'start'; readonly declared: readonly Data[]; readonly values: readonly Data[]; readonly scripts: readonly Content[] }
  /** Late binding: values for the data of a state that is entered for the first time. */
  | { readonly kind: 'data'; readonly state: string; readonly values: readonly Data[] }
  | { readonly kind: 'block'; readonly content: readonly Content[] }
  | { readonly kind: 'condition'; readonly transition: ScxmlTransition; readonly expression: string }
  /** Computes the data of a final state and keeps them; `result` hands them over. */
  | { readonly kind: 'donedata'; readonly doneData: DoneData }
  | { readonly kind: 'result' }
  | { readonly kind: 'invoke'; readonly state: string; readonly invokes: readonly Invoke[] }
  | { readonly kind: 'finalize'; readonly invokes: readonly Invoke[] }
  | { readonly kind: 'cancel'; readonly invokes: readonly Invoke[] };

export interface Named<T extends ScxmlFunction = ScxmlFunction> {
  readonly path: string;
  readonly function: T;
}

/** What a state does besides its transitions, in order. */
export interface StateFunctions {
  readonly entry: readonly Named[];
  readonly exit: readonly Named[];
  readonly invoke: readonly Named[];
  readonly finalize: readonly Named[];
  readonly result: Named | undefined;
}

export function stateFunctions(chart: ScxmlDocument, state: ScxmlState, parent: ScxmlState | undefined): StateFunctions {
  const { path, invokes, doneData } = state;
  const isResult = parent?.kind === 'scxml' && doneData !== undefined;
  const done = doneData === undefined ? [] : [named(doneData.path, { kind: 'donedata', doneData })];
  const late = chart.binding === 'late' && parent !== undefined && state.data.length > 0;
  const hasInvokes = invokes.length > 0;
  return {
    entry: [
      ...(parent === undefined ? [start(chart)] : []),
      ...(late ? [named(`${path}/datamodel`, { kind: 'data', state: state.id, values: state.data })] : []),
      ...state.entry.map(block),
      // Of the final state that ends the session the data are computed when it is left (section D, returnDoneEvent), of others when it is entered.
      ...(isResult ? [] : done),
    ],
    exit: [
      ...state.exit.map(block),
      ...(hasInvokes ? [named(`${path}/cancel`, { kind: 'cancel', invokes })] : []),
      ...(isResult ? done : []),
    ],
    invoke: hasInvokes ? [named(`${path}/invoke`, { kind: 'invoke', state: state.id, invokes })] : [],
    finalize: hasInvokes ? [named(`${path}/finalize`, { kind: 'finalize', invokes })] : [],
    result: (doneData !== undefined && !isResult) || parent === undefined ? named(`${path}/result`, { kind: 'result' }) : undefined,
  };
}

function start(chart: ScxmlDocument): Named {
  const declared = allStates(chart.root).flatMap(({ data }) => data);
  const values = chart.binding === 'late' ? chart.root.data : declared;
  return named('/start', { kind: 'start', declared, values, scripts: chart.scripts });
}

/** Undefined for a block with nothing in it. */
export const blockFunction = (content: Block): Named | undefined => (content.content.length === 0 ? undefined : block(content));

const block = ({ path, content }: Block): Named => named(path, { kind: 'block', content });

export function conditionFunction(transition: ScxmlTransition): Named | undefined {
  const { condition: expression, path } = transition;
  return expression === undefined ? undefined : named(`${path}/cond`, { kind: 'condition', transition, expression });
}

const named = (path: string, made: ScxmlFunction): Named => ({ path, function: made });

/** In document order, the state itself first. */
export function allStates(state: ScxmlState): readonly ScxmlState[] {
  return [state, ...state.children.flatMap((child) => (child.kind === 'history' ? [] : allStates(child)))];
}

/** Every function of the document by its path. */
export function functionsByPath(chart: ScxmlDocument): ReadonlyMap<string, ScxmlFunction> {
  const found = new Map<string, ScxmlFunction>();
  const add = (...all: readonly (Named | undefined)[]): void => {
    for (const one of all) if (one !== undefined) found.set(one.path, one.function);
  };
  const visit = (state: ScxmlState, parent: ScxmlState | undefined): void => {
    const { entry, exit, invoke, finalize, result } = stateFunctions(chart, state, parent);
    add(...entry, ...exit, ...invoke, ...finalize, result);
    if (state.initial !== undefined) add(blockFunction(state.initial.content));
    for (const transition of state.transitions) add(conditionFunction(transition), blockFunction(transition.content));
    for (const child of state.children) {
      if (child.kind !== 'history') visit(child, state);
      else if (child.initial !== undefined) add(blockFunction(child.initial.content));
    }
  };
  visit(chart.root, undefined);
  return found;
}
