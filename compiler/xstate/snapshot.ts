// Snapshots of a lockstep actor: XState's own shape and methods, with states in document order.

import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, StateValue } from 'xstate';

/** What differs from the snapshot before. */
export type Change = Partial<Pick<AnyMachineSnapshot, 'status' | 'output' | 'error' | 'context' | 'children' | 'historyValue' | '_nodes'>>;

export class Snapshots {
  readonly #machine: AnyStateMachine;
  #initialValue: StateValue | undefined;
  #methods: Pick<AnyMachineSnapshot, 'matches' | 'hasTag' | 'can' | 'getMeta' | 'toJSON'> | undefined;

  /** @param machine what the snapshots name as their machine. */
  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  /** Before the first step: the root alone, with a context that no function has to make. */
  blank(): AnyMachineSnapshot {
    const { context } = this.#machine.config;
    return this.#make({
      status: 'active',
      output: undefined,
      error: undefined,
      context: typeof context !== 'function' && context ? context : {},
      children: {},
      historyValue: {},
      _nodes: [this.#machine.root],
    });
  }

  /** @param change its `_nodes`, if any, in document order. */
  changed(snapshot: AnyMachineSnapshot, change: Change): AnyMachineSnapshot {
    const { status, output, error, context, children, historyValue, _nodes } = { ...snapshot, ...change };
    return this.#make({ status, output, error, context, children, historyValue, _nodes });
  }

  /** The same snapshot with its states, regions and memories in document order. */
  inDocumentOrder(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
    const memories = Object.entries(snapshot.historyValue as { [id: string]: AnyStateNode[] });
    return this.changed(snapshot, {
      _nodes: [...snapshot._nodes].sort(byOrder),
      historyValue: Object.fromEntries(memories.map(([id, nodes]) => [id, [...nodes].sort(byOrder)])),
    });
  }

  /** While nothing but the root has been entered, XState already shows the initial states as the value. */
  #value(nodes: readonly AnyStateNode[]): StateValue {
    const { root } = this.#machine;
    if (nodes.length > 1) return valueOf(root, new Set(nodes));
    return (this.#initialValue ??= valueOf(root, new Set(resolveEmpty(this.#machine)._nodes)));
  }

  #make(parts: Required<Change>): AnyMachineSnapshot {
    const { status, output, error, context, _nodes, children, historyValue } = parts;
    return {
      status,
      output,
      error,
      machine: this.#machine,
      context,
      _nodes,
      value: this.#value(_nodes),
      tags: new Set(_nodes.flatMap(({ tags }) => tags)),
      children,
      historyValue,
      ...(this.#methods ??= methodsOf(this.#machine)),
    } as AnyMachineSnapshot;
  }
}

/** XState's snapshot of a machine of which only the root is known to be active: the rest as it is initially. */
function resolveEmpty(machine: AnyStateMachine): AnyMachineSnapshot {
  const theirs = Object.getPrototypeOf(machine) as { resolveState(this: AnyStateMachine, config: object): AnyMachineSnapshot };
  return theirs.resolveState.call(machine, { value: {}, context: {} });
}

/** XState's own, as its snapshots have them. */
function methodsOf(machine: AnyStateMachine): Pick<AnyMachineSnapshot, 'matches' | 'hasTag' | 'can' | 'getMeta' | 'toJSON'> {
  const { matches, hasTag, can, getMeta, toJSON } = resolveEmpty(machine);
  return { matches, hasTag, can, getMeta, toJSON };
}

const byOrder = (a: AnyStateNode, b: AnyStateNode): number => a.order - b.order;

/** The key of the active child of a compound; an object of them for what has children of its own, or regions. */
function valueOf(node: AnyStateNode, active: ReadonlySet<AnyStateNode>): StateValue {
  const children = (Object.values(node.states) as AnyStateNode[]).filter((child) => active.has(child));
  const [only] = children;
  if (node.type === 'compound' && only !== undefined && (only.type === 'atomic' || only.type === 'final')) return only.key;
  return Object.fromEntries(children.map((child) => [child.key, valueOf(child, active)]));
}
